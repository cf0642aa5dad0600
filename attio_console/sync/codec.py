"""One mapped field, turned from what one side holds into what the other side would hold."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from attio_console.crm.protocol import CrmField, CrmObject, CrmOwner
from attio_console.errors import InvalidValue
from attio_console.model.canonical import canonical_item, phone
from attio_console.model.items import LOCATION_KEYS, Item, Items
from attio_console.model.schema import Attribute, ObjectSchema, Schema
from attio_console.model.times import instant, stamp
from attio_console.sync.mapping import FieldMapping, Mapping, ObjectMapping


class Links(Protocol):
    """Who knows which records stand for each other."""

    def attio_of(self, external_type: str, external_id: str) -> tuple[str, str] | None:
        """Return (object slug, record id) of the pair, or None where there is none."""

    def external_of(self, record_id: str, external_type: str) -> str | None:
        """Return the external id of the pair, or None where there is none."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The other side's value in Attio's terms. `waits` says what must happen before it can be compared."""

    items: Items
    waits: str = ""


class Waits(InvalidValue):
    """The value cannot be written yet: something it refers to has no counterpart so far."""

    title = "Waiting"


@dataclass(frozen=True)
class Owners:
    """Members and owners, matched by e-mail."""

    by_email: MappingOf[str, str]
    email_of: MappingOf[str, str]

    @classmethod
    def of(cls, owners: Sequence[CrmOwner]) -> Owners:
        """Return the table of these owners."""
        by_email: dict[str, str] = {}
        for owner in sorted(owners, key=lambda o: not o.is_active):
            by_email.setdefault(owner.email.casefold(), owner.id)
        return cls(by_email, {owner.id: owner.email.casefold() for owner in owners})


class FieldCodec:
    """Reads and writes one mapped field. Knows both sides' types, never a network or a clock."""

    def __init__(
        self,
        field: FieldMapping,
        attribute: Attribute,
        external: Sequence[CrmField],
        schema: Schema,
        owners: Owners,
        links: Links,
        region: str = "US",
    ) -> None:
        self.field = field
        self.attribute = attribute
        self.external = tuple(external)
        self._schema = schema
        self._owners = owners
        self._links = links
        self._region = region
        self.is_set = attribute.is_multi and self.external[0].type == "choices"
        self.is_one_of_many = attribute.is_multi and not self.is_set
        self._to_external = {title.casefold(): value for title, value in field.values.items()}
        self._to_attio = {value: title for title, value in field.values.items()}

    # --------------------------------------------------------------------------------------------- the other side

    def read(self, values: MappingOf[str, Any], near: Items | None = None) -> Reading:
        """Return the other side's value as Attio would hold it; `near` is Attio's value, for phones without a country."""
        natives = [values.get(field.name) for field in self.external]
        if self.field.transform == "location":
            return Reading(self._read_location(natives))
        if self.attribute.type == "personal-name":
            return Reading(self._read_name(natives))
        native = natives[0]
        if native is None or native in ("", []):
            return Reading([])
        if self.attribute.type == "actor-reference":
            return self._read_owner(str(native))
        if self.attribute.type == "record-reference":
            return self._read_reference(str(native))
        parts = _parts(native) if self.is_set else [native]
        return Reading([self._item(part, near or []) for part in parts])

    def _item(self, native: Any, near: Items) -> Item:
        kind = self.attribute.type
        if kind in {"select", "status"}:
            return self._choice(str(native))
        if kind == "currency":
            return {"currency_value": _number(native), "currency_code": self._currency(near)}
        if kind in {"number", "rating"}:
            return _number(native)
        if kind == "checkbox":
            return (
                native if isinstance(native, bool) else str(native).strip().casefold() in {"true", "1", "yes"}
            )
        if kind == "date":
            return self._date(native)
        if kind == "timestamp":
            moment = instant(str(native))
            return stamp(moment) if moment else str(native)
        if kind == "phone-number":
            return self._phone(str(native), near)
        if kind in {"domain", "email-address"}:
            return canonical_item(kind, native)
        return native if isinstance(native, str) else str(native)

    def _choice(self, native: str) -> Item:
        title = self._to_attio.get(native)
        option = self.external[0].option(native)
        label = option.label if option else native
        found = self.attribute.option(title or label)
        return {"id": found.id, "title": found.title} if found else {"id": None, "title": label}

    def _currency(self, near: Items) -> str | None:
        code = self.attribute.currency_code
        if near and isinstance(near[0], dict):
            code = near[0].get("currency_code") or code
        return code

    def _date(self, native: Any) -> str:
        text = str(native)
        if text.isdigit() and len(text) > 8:
            from datetime import UTC, datetime

            return datetime.fromtimestamp(int(text) / 1000, UTC).date().isoformat()
        return text[:10]

    def _phone(self, native: str, near: Items) -> str:
        if native.strip().startswith(("+", "00")):
            return phone(native)
        # Without a country it may still be the number we know: then it is that number.
        for item in near:
            if isinstance(item, str) and phone(native, _region_of(item)) == phone(item):
                return phone(item)
        return phone(native, _region_of(str(near[0])) if near else self._region) or native

    def _read_name(self, natives: Sequence[Any]) -> Items:
        if len(natives) == 1:
            full = str(natives[0] or "").strip()
            first, _, last = full.rpartition(" ")
            return (
                [{"first_name": first or last, "last_name": last if first else "", "full_name": full}]
                if full
                else []
            )
        first, last = (str(part or "").strip() for part in natives[:2])
        if not first and not last:
            return []
        return [{"first_name": first, "last_name": last, "full_name": f"{first} {last}".strip()}]

    def _read_location(self, natives: Sequence[Any]) -> Items:
        place: dict[str, Any] = dict.fromkeys(LOCATION_KEYS)
        for key, native in zip(_LOCATION_PARTS, natives, strict=False):
            place[key] = str(native) if native else None
        return [place] if any(place.values()) else []

    def _read_owner(self, owner_id: str) -> Reading:
        email = self._owners.email_of.get(owner_id)
        member = self._schema.member(email) if email else None
        if member is None:
            return Reading([], f"owner {email or owner_id} is no member of the workspace")
        return Reading([{"type": "workspace-member", "id": member.id}])

    def _read_reference(self, external_id: str) -> Reading:
        for name in self.external[0].reference_to:
            found = self._links.attio_of(name, external_id)
            if found is not None:
                return Reading([{"target_object": found[0], "target_record_id": found[1]}])
        return Reading(
            [], f"{'/'.join(self.external[0].reference_to)} {external_id} has no counterpart in Attio yet"
        )

    def write(self, items: Items) -> dict[str, Any]:
        """Return the native values that hold these items on the other side.

        Raises InvalidValue where the other side has no such value, Waits where it has none yet.
        """
        names = [field.name for field in self.external]
        if self.field.transform == "location":
            place = items[0] if items else {}
            return {name: place.get(key) for name, key in zip(names, _LOCATION_PARTS, strict=False)}
        if self.attribute.type == "personal-name":
            return self._write_name(names, items)
        if not items:
            return {names[0]: None}
        if self.is_set:
            return {names[0]: ";".join(sorted(str(self._native(item)) for item in items))}
        native = self._native(items[0])
        if (limit := self.external[0].max_length) and isinstance(native, str) and len(native) > limit:
            raise InvalidValue(
                f"{self.external[0].label} holds {limit} characters, this has {len(native)}",
                hint="Shorten the value, or map it to a longer field.",
            )
        return {names[0]: native}

    def _native(self, item: Item) -> Any:
        kind = self.attribute.type
        if kind in {"select", "status"}:
            return self._write_choice(item)
        if kind == "currency":
            return item.get("currency_value") if isinstance(item, dict) else item
        if kind == "actor-reference":
            return self._write_owner(item)
        if kind == "record-reference":
            return self._write_reference(item)
        if kind == "timestamp":
            moment = instant(str(item))
            return stamp(moment) if moment else item
        if kind == "domain" and self.external[0].type == "url":
            return f"https://{item}"
        if kind == "date" and self.external[0].type == "datetime":
            return f"{str(item)[:10]}T00:00:00.000Z"
        return item

    def _write_choice(self, item: Item) -> str:
        title = str(item.get("title") or "") if isinstance(item, dict) else str(item)
        if isinstance(item, dict) and item.get("id"):
            known = self.attribute.option(str(item["id"]))
            title = known.title if known else title
        mapped = self._to_external.get(title.casefold())
        if mapped is not None:
            return mapped
        option = self.external[0].option(title)
        if option is None or not option.is_active:
            offered = ", ".join(o.label for o in self.external[0].options if o.is_active)
            raise InvalidValue(
                f"{self.external[0].label} has no value for “{title}”",
                hint=f"Add it there, or map it in the profile's mapping file. It has: {offered[:200]}",
            )
        return option.value

    def _write_owner(self, item: Item) -> str:
        member = self._schema.member(str(item.get("id") or "")) if isinstance(item, dict) else None
        owner = self._owners.by_email.get(member.email.casefold()) if member else None
        if owner is None:
            who = member.name if member else "the owner"
            raise Waits(
                f"{who} is no user of the other system", hint="Invite them there, or choose another owner."
            )
        return owner

    def _write_reference(self, item: Item) -> str:
        record_id = str(item.get("target_record_id") or "") if isinstance(item, dict) else ""
        for name in self.external[0].reference_to:
            found = self._links.external_of(record_id, name)
            if found is not None:
                return found
        raise Waits(
            f"the record it refers to has no counterpart among {'/'.join(self.external[0].reference_to)} yet"
        )

    def _write_name(self, names: Sequence[str], items: Items) -> dict[str, Any]:
        item = items[0] if items else {}
        first, last = str(item.get("first_name") or ""), str(item.get("last_name") or "")
        if len(names) == 1:
            return {names[0]: str(item.get("full_name") or f"{first} {last}".strip()) or None}
        return {names[0]: first or None, names[1]: last or None}

    # --------------------------------------------------------------------------------------------- the Attio side

    def compared(self, items: Items, base: Items | None, external: Items) -> Items:
        """Return the part of Attio's value that the other side can hold.

        Where Attio keeps many and the other side one, that one is the value both agreed on as long as Attio still has
        it, else the other side's as long as Attio has that, else Attio's first.
        """
        if self.field.transform == "location":
            return [
                {**dict.fromkeys(LOCATION_KEYS), **{k: i.get(k) for k in _LOCATION_PARTS}} for i in items[:1]
            ]
        if not self.is_one_of_many or len(items) <= 1:
            return items
        forms = {canonical_item(self.attribute.type, item): item for item in reversed(items)}
        for known in (base or [])[:1], external[:1]:
            if known and (form := canonical_item(self.attribute.type, known[0])) in forms:
                return [forms[form]]
        return items[:1]

    def embedded(self, items: Items, old: Items, new: Items) -> Items:
        """Return Attio's whole value with the compared part gone from `old` to `new`; what else it holds stays."""
        if self.field.transform == "location":
            return self._embed_location(items, new)
        if not self.is_one_of_many:
            return new
        gone = {canonical_item(self.attribute.type, item) for item in (*old, *new)}
        rest = [item for item in items if canonical_item(self.attribute.type, item) not in gone]
        return [*new, *rest]

    @staticmethod
    def _embed_location(items: Items, new: Items) -> Items:
        if not new:
            return []
        kept = items[0] if items else dict.fromkeys(LOCATION_KEYS)
        # Coordinates of the old address would be wrong for the new one.
        return [{**kept, **{k: new[0].get(k) for k in _LOCATION_PARTS}, "latitude": None, "longitude": None}]


_LOCATION_PARTS = ("line_1", "locality", "region", "postcode", "country_code")


def codecs(
    mapping: Mapping,
    object_mapping: ObjectMapping,
    attio: ObjectSchema,
    external: CrmObject,
    schema: Schema,
    owners: Owners,
    links: Links,
) -> tuple[FieldCodec, ...]:
    """Return the codec of every mapped field that both schemas still have."""
    found = []
    for field in object_mapping.fields:
        attribute = attio.attribute(field.attio)
        others = [external.field(name) for name in field.external]
        if attribute is not None and not attribute.is_archived and all(other is not None for other in others):
            present = [other for other in others if other is not None]
            found.append(FieldCodec(field, attribute, present, schema, owners, links, mapping.region))
    return tuple(found)


def _parts(native: Any) -> list[Any]:
    return native if isinstance(native, list) else [part for part in str(native).split(";") if part]


def _number(native: Any) -> Any:
    if isinstance(native, int | float) and not isinstance(native, bool):
        return int(native) if float(native).is_integer() else native
    try:
        value = Decimal(str(native).strip())
    except InvalidOperation:
        return native
    if not value.is_finite():
        return native
    return int(value) if value == value.to_integral_value() else float(value)


def _region_of(number: str) -> str | None:
    import phonenumbers

    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number, None))
    except phonenumbers.NumberParseException:
        return None
