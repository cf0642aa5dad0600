"""What the mirror takes out of a raw record: label, search text, times and parents. One record at a time, tens of microseconds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from attio_console.errors import StoreError
from attio_console.model.schema import ListSchema, ObjectSchema
from attio_console.store.typed import TypedDecoder
from attio_console.store.words import searchable

_TEXT_CHARS = 200
_SEARCH_CHARS = 1500
_IDS = ("entry_id", "note_id", "task_id", "comment_id", "thread_id", "meeting_id", "record_id")
# Text, too, but nothing that is searched for by a word: somewhere in a UUID or an address of a picture stands every "ada".
_NOT_WORDS = ("record_id", "entry_id", "avatar_url", "logo_url")
_ACTIVE_FROM = re.compile(rb'"active_from":\s*"([^"]{10,40})"')
_SENT_AS = b'"active_from":"'
_STAMP_CHARS = 40


class Value(msgspec.Struct):
    """One value object of Attio, as far as searching, sorting and filtering look into it."""

    attribute_type: str = ""
    value: Any = None
    full_name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email_address: str | None = None
    domain: str | None = None
    phone_number: str | None = None
    original_phone_number: str | None = None
    currency_value: Any = None
    option: Any = None
    status: Any = None
    target_record_id: str | None = None
    referenced_actor_id: str | None = None
    interacted_at: str | None = None
    line_1: str | None = None
    locality: str | None = None
    region: str | None = None
    postcode: str | None = None
    country_code: str | None = None


class _Document(msgspec.Struct):
    id: Any = None
    salesforce_id: str | None = msgspec.field(default=None, name="Id")
    created_at: str | None = None
    hubspot_created: str | None = msgspec.field(default=None, name="createdAt")
    salesforce_created: str | None = msgspec.field(default=None, name="CreatedDate")
    hubspot_updated: str | None = msgspec.field(default=None, name="updatedAt")
    salesforce_updated: str | None = msgspec.field(default=None, name="LastModifiedDate")
    values: dict[str, msgspec.Raw] | None = None
    entry_values: dict[str, msgspec.Raw] | None = None
    properties: dict[str, Any] | None = None
    label: str | None = None
    search: str | None = None
    modified_at: str | None = None
    parent_record_id: str | None = None
    title: str | None = None
    content_plaintext: str | None = None
    deadline_at: str | None = None
    linked_records: list[dict[str, Any]] | None = None


_decode_document = msgspec.json.Decoder(_Document).decode
_decode_values = msgspec.json.Decoder(list[Value]).decode
_decode_any = msgspec.json.Decoder().decode


def decode_values(raw: msgspec.Raw | bytes) -> list[Value]:
    """Return the values of one attribute; one of an unexpected shape counts as empty."""
    try:
        return _decode_values(raw)
    except msgspec.ValidationError:
        return []


@dataclass(slots=True)
class Extract:
    """What the slim row of a record holds, and its values for the indexes that somebody asked for."""

    record_id: str
    label: str
    search: str
    detail: str
    created_at: str
    updated_at: str
    parents: tuple[str, ...] = ()
    values: Mapping[str, msgspec.Raw] | None = None
    """None where nobody looked at them yet."""


def _name(v: Value) -> Iterable[str | None]:
    return (v.full_name or " ".join(p for p in (v.first_name, v.last_name) if p),)


def _text(v: Value) -> Iterable[str | None]:
    return (v.value[:_TEXT_CHARS],) if isinstance(v.value, str) else ()


def _choice(v: Value) -> Iterable[str | None]:
    chosen = v.option if v.option is not None else v.status
    title = chosen.get("title") if isinstance(chosen, dict) else chosen
    return (title,) if isinstance(title, str) else ()


def _phone(v: Value) -> Iterable[str | None]:
    return v.phone_number, v.original_phone_number


_SEARCHED: dict[str, Callable[[Value], Iterable[str | None]]] = {
    "personal-name": _name,
    "email-address": lambda v: (v.email_address,),
    "domain": lambda v: (v.domain,),
    "phone-number": _phone,
    "text": _text,
    "select": _choice,
    "status": _choice,
    "location": lambda v: (v.locality, v.region, v.country_code),
}
_LABELS = ("personal-name", "text")
_DETAILS = ("email-address", "domain", "phone-number", "location", "text")


class Extractor:
    """Knows from the schema of one collection which attributes to look into."""

    def __init__(self, fields: ObjectSchema | ListSchema | None) -> None:
        self._plan: list[tuple[str, str]] | None = None
        self._typed: TypedDecoder | None = None
        self._label_slugs: list[str] = ["name", "title"]
        if fields is not None:
            searched = [
                (a.slug, a.type)
                for a in fields.attributes
                if a.type in _SEARCHED and not a.is_archived and a.slug not in _NOT_WORDS
            ]
            named = [slug for slug, kind in searched if kind in _LABELS]
            self._label_slugs = sorted(
                named, key=lambda slug: (slug not in ("name", "title"), named.index(slug))
            )[:2]
            # Labels first: where the search text is cut off, it is the long texts that are lost.
            self._plan = sorted(
                searched, key=lambda pair: (pair[0] not in self._label_slugs, pair[1] == "text")
            )
            self._typed = TypedDecoder(self._plan, _TEXT_CHARS)

    def extract(self, raw: bytes, parent_label: Callable[[str], str | None]) -> Extract:
        """Take a record apart. Raises StoreError where it is no JSON object with an id."""
        quick = self._quickly(raw, parent_label)
        if quick is not None:
            return quick
        try:
            document = _decode_document(raw)
        except (msgspec.ValidationError, RecursionError):
            document = _decode_leniently(raw)
        except msgspec.DecodeError as error:
            raise StoreError(f"A record that is no JSON was not stored: {error}") from error
        record_id = _record_id(document)
        if document.entry_values is not None or document.values is not None:
            return self._attio(raw, document, record_id, parent_label)
        if document.properties is not None:
            return _external(document, record_id)
        if document.salesforce_id is not None:
            return _salesforce(raw, document, record_id)
        return _note_or_task(document, record_id, parent_label)

    def _quickly(self, raw: bytes, parent_label: Callable[[str], str | None]) -> Extract | None:
        if self._typed is None or self._plan is None:
            return None
        document = self._typed.decode(raw)
        if document is None:
            return None
        pieces: list[str] = []
        by_type: dict[str, str] = {}
        label = ""
        for at, found in document.values:
            slug, kind = self._plan[at]
            for piece in found:
                if piece:
                    pieces.append(piece)
                    if not label and slug in self._label_slugs:
                        label = piece
                    elif piece != label:
                        by_type.setdefault(kind, piece)
        return _extract(
            raw,
            document.record_id,
            document.created_at,
            document.parent,
            pieces,
            by_type,
            label,
            parent_label,
        )

    def values_of(self, raw: bytes) -> Extract:
        """Take only the fields out of a record that is stored already."""
        try:
            document = _decode_document(raw)
        except msgspec.ValidationError:
            document = _decode_leniently(raw)
        values = document.values if document.values is not None else document.entry_values
        created = document.created_at or ""
        return Extract("", "", "", "", created, created, (), values or {})

    def _attio(
        self, raw: bytes, document: _Document, record_id: str, parent_label: Callable[[str], str | None]
    ) -> Extract:
        """Look at every attribute on its own, so that one of an unexpected shape hides no other."""
        values = document.values if document.values is not None else document.entry_values or {}
        pieces: list[str] = []
        by_type: dict[str, str] = {}
        label = ""
        for slug, kind in self._plan if self._plan is not None else [(slug, "") for slug in values]:
            content = values.get(slug)
            if content is None or len(bytes(content)) <= 2:
                continue
            for value in decode_values(content):
                searched = _SEARCHED.get(kind or value.attribute_type)
                if searched is None:
                    continue
                for piece in searched(value):
                    if piece:
                        pieces.append(piece)
                        if not label and slug in self._label_slugs:
                            label = piece
                        elif piece != label:
                            by_type.setdefault(kind or value.attribute_type, piece)
        return _extract(
            raw,
            record_id,
            document.created_at or "",
            document.parent_record_id,
            pieces,
            by_type,
            label,
            parent_label,
        )


def _extract(
    raw: bytes,
    record_id: str,
    created: str,
    parent: str | None,
    pieces: list[str],
    by_type: dict[str, str],
    label: str,
    parent_label: Callable[[str], str | None],
) -> Extract:
    """Put together what was found in the values of a record or an entry."""
    parents: tuple[str, ...] = ()
    if parent:
        parents = (parent,)
        label = parent_label(parent) or ""
        pieces.insert(0, label)
    detail = next((by_type[kind] for kind in _DETAILS if kind in by_type), "")
    return Extract(
        record_id,
        (label or detail)[:_TEXT_CHARS],
        searchable(" ".join(pieces)[:_SEARCH_CHARS]),
        detail,
        created,
        _newest(raw) or created,
        parents,
    )


def _newest(raw: bytes) -> str:
    """Return the newest `active_from` in a record."""
    stamps = raw.split(_SENT_AS)
    if len(stamps) > 1:
        # What follows a stamp does not matter: its closing quote is less than any character of one.
        del stamps[0]
        newest = max(stamps)[:_STAMP_CHARS].partition(b'"')[0]
        if len(newest) >= 10:
            return newest.decode()
    times = _ACTIVE_FROM.findall(raw)
    return max(times).decode() if times else ""


def _decode_leniently(raw: bytes) -> _Document:
    """Keep of an unexpected document what has the expected type."""
    try:
        document = _decode_any(raw)
    except RecursionError as error:
        raise StoreError("A record nested too deeply was not stored.") from error
    if not isinstance(document, dict):
        raise StoreError("A record that is no JSON object was not stored.")
    kept = _Document()
    for name, sent_as in zip(_Document.__struct_fields__, _Document.__struct_encode_fields__, strict=True):
        value = document.get(sent_as)
        if name in ("values", "entry_values") and isinstance(value, dict):
            setattr(
                kept, name, {slug: msgspec.Raw(msgspec.json.encode(item)) for slug, item in value.items()}
            )
        elif name == "linked_records":
            kept.linked_records = (
                [link for link in value if isinstance(link, dict)] if isinstance(value, list) else None
            )
        elif name in ("values", "entry_values"):
            continue
        elif name == "properties":
            kept.properties = value if isinstance(value, dict) else None
        elif name == "id" or isinstance(value, str):
            setattr(kept, name, value)
    return kept


def _record_id(document: _Document) -> str:
    given = document.id if document.id is not None else document.salesforce_id
    if isinstance(given, dict):
        given = next((given[name] for name in _IDS if given.get(name)), None)
    if not isinstance(given, (str, int)) or given == "":
        raise StoreError("A record without an id was not stored.")
    return str(given)


def _note_or_task(document: _Document, record_id: str, parent_label: Callable[[str], str | None]) -> Extract:
    parents = [document.parent_record_id] if document.parent_record_id else []
    for link in document.linked_records or ():
        target = link.get("target_record_id")
        if isinstance(target, str):
            parents.append(target)
    content = document.content_plaintext or ""
    label = document.title or content.strip().split("\n", 1)[0]
    detail = next((name for name in map(parent_label, parents) if name), "")
    created = document.created_at or ""
    return Extract(
        record_id,
        label[:_TEXT_CHARS],
        searchable(f"{document.title or ''} {content} {detail}"[:_SEARCH_CHARS]),
        detail,
        created,
        created,
        tuple(parents),
    )


def _texts(fields: Mapping[str, Any]) -> str:
    return " ".join(value for value in fields.values() if isinstance(value, str))


def _external(document: _Document, record_id: str) -> Extract:
    """Take apart a row of another CRM: whoever mirrored it may have said how it is called and found."""
    fields = document.properties or {}
    person = " ".join(str(fields[k]) for k in ("firstname", "lastname") if fields.get(k))
    detail = str(fields.get("email") or fields.get("domain") or "")
    label = document.label or person or str(fields.get("name") or fields.get("dealname") or detail)
    found = f"{label} {document.search}" if document.search is not None else f"{label} {_texts(fields)}"
    created = document.created_at or document.hubspot_created or ""
    return Extract(
        record_id,
        label[:_TEXT_CHARS],
        searchable(found[:_SEARCH_CHARS]),
        detail,
        created,
        document.modified_at or document.hubspot_updated or created,
    )


def _salesforce(raw: bytes, document: _Document, record_id: str) -> Extract:
    fields = {k: v for k, v in _decode_any(raw).items() if k != "attributes"}
    person = " ".join(str(fields[k]) for k in ("FirstName", "LastName") if fields.get(k))
    detail = str(fields.get("Email") or fields.get("Website") or "")
    label = str(fields.get("Name") or person or detail)
    created = document.salesforce_created or ""
    found = searchable(f"{label} {_texts(fields)}"[:_SEARCH_CHARS])
    return Extract(
        record_id, label[:_TEXT_CHARS], found, detail, created, document.salesforce_updated or created
    )
