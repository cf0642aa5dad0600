"""One decode of a record into just the values that are searched, typed by the schema: several times quicker than a look at each.

What does not have the documented shape is refused here and taken apart by the patient way of `extract`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec


class _Ids(msgspec.Struct, gc=False):
    record_id: str | None = None
    entry_id: str | None = None


class _Titled(msgspec.Struct, gc=False):
    title: str | None = None


class _Name(msgspec.Struct, gc=False):
    full_name: str | None = None
    first_name: str | None = None
    last_name: str | None = None


class _Email(msgspec.Struct, gc=False):
    email_address: str | None = None


class _Domain(msgspec.Struct, gc=False):
    domain: str | None = None


class _Phone(msgspec.Struct, gc=False):
    phone_number: str | None = None
    original_phone_number: str | None = None


class _Text(msgspec.Struct, gc=False):
    value: str | None = None


class _Choice(msgspec.Struct, gc=False):
    option: _Titled | str | None = None
    status: _Titled | str | None = None


class _Location(msgspec.Struct, gc=False):
    locality: str | None = None
    region: str | None = None
    country_code: str | None = None


Pieces = Callable[[Sequence[Any], int], Iterable[str | None]]


def _names(found: Sequence[_Name], _longest: int) -> Iterable[str | None]:
    return [v.full_name or " ".join(p for p in (v.first_name, v.last_name) if p) for v in found]


def _phones(found: Sequence[_Phone], _longest: int) -> Iterable[str | None]:
    return [number for v in found for number in (v.phone_number, v.original_phone_number)]


def _title(choice: _Choice) -> str | None:
    chosen = choice.option if choice.option is not None else choice.status
    return chosen.title if isinstance(chosen, _Titled) else chosen


_KINDS: dict[str, tuple[type[msgspec.Struct], Pieces]] = {
    "personal-name": (_Name, _names),
    "email-address": (_Email, lambda found, _: [v.email_address for v in found]),
    "domain": (_Domain, lambda found, _: [v.domain for v in found]),
    "phone-number": (_Phone, _phones),
    "text": (_Text, lambda found, longest: [v.value[:longest] for v in found if v.value]),
    "select": (_Choice, lambda found, _: [_title(v) for v in found]),
    "status": (_Choice, lambda found, _: [_title(v) for v in found]),
    "location": (
        _Location,
        lambda found, _: [part for v in found for part in (v.locality, v.region, v.country_code)],
    ),
}


class Document:
    """What a decoded record says of itself, and its searched values by kind."""

    __slots__ = ("created_at", "parent", "record_id", "values")

    def __init__(
        self,
        record_id: str,
        created_at: str,
        parent: str | None,
        values: list[tuple[int, Iterable[str | None]]],
    ) -> None:
        self.record_id = record_id
        self.created_at = created_at
        self.parent = parent
        self.values = values
        """The place of an attribute in the plan, and the texts it holds."""


class TypedDecoder:
    """Decodes the records of one collection, given slug and type of each attribute that is searched."""

    def __init__(self, plan: Sequence[tuple[str, str]], longest: int) -> None:
        fields = [(f"f{at}", list[_KINDS[kind][0]] | None, None) for at, (_, kind) in enumerate(plan)]  # type: ignore[misc]  # a type made from the schema
        values = msgspec.defstruct(
            "_Values", fields, rename={f"f{at}": slug for at, (slug, _) in enumerate(plan)}, gc=False
        )
        document = msgspec.defstruct(
            "_Document",
            [
                ("id", _Ids),
                ("created_at", str | None, None),
                ("values", values | None, None),
                ("entry_values", values | None, None),
                ("parent_record_id", str | None, None),
            ],
            gc=False,
        )
        self._decode = msgspec.json.Decoder(document).decode
        self._plan: list[tuple[int, str, Pieces]] = [
            (at, f"f{at}", _KINDS[kind][1]) for at, (_, kind) in enumerate(plan)
        ]
        self._longest = longest

    def decode(self, raw: bytes) -> Document | None:
        """Return what is searched of a record, or None where it is not of the documented shape."""
        try:
            found: Any = self._decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        record_id = found.id.entry_id or found.id.record_id
        values = found.values if found.values is not None else found.entry_values
        if not record_id or values is None:
            return None
        longest = self._longest
        return Document(
            record_id,
            found.created_at or "",
            found.parent_record_id,
            [
                (at, pieces(several, longest))
                for at, name, pieces in self._plan
                if (several := getattr(values, name))
            ],
        )
