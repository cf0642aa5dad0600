"""Between Attio's value objects and plain items."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from attio_console.errors import InvalidValue
from attio_console.model.items import LOCATION_KEYS, Item, Items
from attio_console.model.schema import Attribute
from attio_console.model.times import instant

_META = frozenset({"active_from", "active_until", "created_by_actor", "attribute_type"})
_SCALARS = frozenset({str, int, float, bool, type(None)})
_MOST_DIGITS = 30


@dataclass(frozen=True, slots=True)
class Provenance:
    """When and by whom a field got the value it has."""

    at: datetime | None = None
    actor_type: str | None = None
    actor_id: str | None = None


def _scalar(value: Mapping[str, Any]) -> Item:
    return value.get("value")


def _currency(value: Mapping[str, Any]) -> Item:
    return {
        "currency_value": _number(value.get("currency_value")),
        "currency_code": value.get("currency_code"),
    }


def _number(raw: object) -> object:
    # The documentation shows money as text, the live service sends numbers.
    if not isinstance(raw, str):
        return raw
    try:
        parsed = Decimal(raw)
    except InvalidOperation:
        return raw
    if not parsed.is_finite() or parsed.adjusted() > _MOST_DIGITS:
        return raw
    return int(parsed) if parsed == parsed.to_integral_value() else float(parsed)


def _choice(key: str, id_key: str) -> Callable[[Mapping[str, Any]], Item]:
    def read(value: Mapping[str, Any]) -> Item:
        chosen = value.get(key)
        if not isinstance(chosen, Mapping):
            return {"id": None, "title": chosen}
        ids = chosen.get("id")
        return {"id": ids.get(id_key) if isinstance(ids, Mapping) else ids, "title": chosen.get("title")}

    return read


def _reference(value: Mapping[str, Any]) -> Item:
    return {"target_object": value.get("target_object"), "target_record_id": value.get("target_record_id")}


def _actor(value: Mapping[str, Any]) -> Item:
    return {"type": value.get("referenced_actor_type"), "id": value.get("referenced_actor_id")}


def _location(value: Mapping[str, Any]) -> Item:
    return {key: value.get(key) for key in LOCATION_KEYS}


def _phone(value: Mapping[str, Any]) -> Item:
    # The documentation calls it normalized_phone_number, the live service phone_number.
    return (
        value.get("phone_number")
        or value.get("normalized_phone_number")
        or value.get("original_phone_number")
    )


def _name(value: Mapping[str, Any]) -> Item:
    return {key: value.get(key) or "" for key in ("first_name", "last_name", "full_name")}


def _interaction(value: Mapping[str, Any]) -> Item:
    owner = value.get("owner_actor")
    return {
        "interaction_type": value.get("interaction_type"),
        "interacted_at": value.get("interacted_at"),
        "owner": {"type": owner.get("type"), "id": owner.get("id")} if isinstance(owner, Mapping) else None,
    }


_READ: dict[str, Callable[[Mapping[str, Any]], Item]] = {
    "text": _scalar,
    "number": _scalar,
    "checkbox": _scalar,
    "rating": _scalar,
    "date": _scalar,
    "timestamp": _scalar,
    "currency": _currency,
    "status": _choice("status", "status_id"),
    "select": _choice("option", "option_id"),
    "record-reference": _reference,
    "actor-reference": _actor,
    "location": _location,
    "domain": lambda value: value.get("domain"),
    "email-address": lambda value: value.get("email_address") or value.get("original_email_address"),
    "phone-number": _phone,
    "personal-name": _name,
    "interaction": _interaction,
}


def from_attio(values: Sequence[Mapping[str, Any]]) -> Items:
    """Return the plain items of a field as Attio sent it; a type that is not known keeps its parts verbatim."""
    items: Items = []
    for value in values:
        item = _item(value)
        if item is not None:
            items.append(item)
    return items


def _item(value: Any) -> Item:
    if not isinstance(value, Mapping):
        return _unreadable(value)
    kind = value.get("attribute_type", "")
    read = _READ.get(kind) if isinstance(kind, str) else None
    if read is None:
        return {key: part for key, part in value.items() if key not in _META}
    item = read(value)
    if type(item) in _SCALARS or (type(item) is dict and all(map(_is_part, item.values()))):
        return item
    return _unreadable({key: part for key, part in value.items() if key not in _META})


def _is_part(part: object) -> bool:
    return type(part) in _SCALARS or (type(part) is dict and all(type(p) in _SCALARS for p in part.values()))


def _unreadable(value: object) -> Item:
    # Neither empty nor equal to anything: whoever compares must see that something stands there.
    return None if value is None else json.dumps(value, sort_keys=True, default=str)


def provenance(values: Sequence[Mapping[str, Any]]) -> Provenance:
    """Return when and by whom the newest of a field's values was set."""
    newest: Mapping[str, Any] | None = None
    newest_text = ""
    for value in values if isinstance(values, Sequence) else ():
        if not isinstance(value, Mapping):
            continue
        at = value.get("active_from")
        at = at if isinstance(at, str) else ""
        if newest is None or at > newest_text:
            newest, newest_text = value, at
    if newest is None:
        return Provenance()
    actor = newest.get("created_by_actor")
    if not isinstance(actor, Mapping):
        actor = {}
    kind, actor_id = actor.get("type"), actor.get("id")
    return Provenance(
        instant(newest_text) if newest_text else None,
        kind if isinstance(kind, str) else None,
        actor_id if isinstance(actor_id, str) else None,
    )


def _write_choice(key: str) -> Callable[[Item], Item]:
    def write(item: Item) -> Item:
        return {key: item.get("id") or item.get("title")} if isinstance(item, Mapping) else {key: item}

    return write


def _write_currency(item: Item) -> Item:
    # The code belongs to the attribute's configuration: sending one can only be wrong.
    return {"currency_value": item["currency_value"] if isinstance(item, Mapping) else item}


def _write_name(item: Item) -> Item:
    if not isinstance(item, Mapping):
        return item
    first, last = item.get("first_name") or "", item.get("last_name") or ""
    return {
        "first_name": first,
        "last_name": last,
        "full_name": item.get("full_name") or f"{first} {last}".strip(),
    }


def _write_phone(item: Item) -> Item:
    if isinstance(item, Mapping):
        return {key: part for key, part in item.items() if part is not None}
    return {"original_phone_number": item}


_WRITE: dict[str, Callable[[Item], Item]] = {
    "currency": _write_currency,
    "status": _write_choice("status"),
    "select": _write_choice("option"),
    "record-reference": lambda item: {
        "target_object": item["target_object"],
        "target_record_id": item["target_record_id"],
    },
    "actor-reference": lambda item: {
        "referenced_actor_type": item["type"],
        "referenced_actor_id": item["id"],
    },
    "location": lambda item: (
        {key: item.get(key) for key in LOCATION_KEYS} if isinstance(item, Mapping) else item
    ),
    "domain": lambda item: {"domain": item},
    "email-address": lambda item: {"email_address": item},
    "phone-number": _write_phone,
    "personal-name": _write_name,
}


def to_attio(attribute: Attribute, items: Items) -> list[Any]:
    """Return the safest documented form for writing these items; an empty list clears the field."""
    if attribute.type == "interaction":
        raise InvalidValue(
            f"{attribute.title or attribute.slug} is kept by Attio itself and cannot be written"
        )
    write = _WRITE.get(attribute.type)
    return [write(item) for item in items] if write else list(items)
