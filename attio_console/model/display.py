"""Values as a person reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from attio_console.model.items import Item, Items
from attio_console.model.schema import Attribute
from attio_console.model.text import plain
from attio_console.model.times import instant

_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹"}


class Names(Protocol):
    """Who resolves ids to the names people use."""

    def record(self, object_slug: str, record_id: str) -> str | None:
        """Return the label of a record, or None where it is not known."""

    def member(self, member_id: str) -> str | None:
        """Return the name of a workspace member, or None where it is not known."""


class NoNames:
    """Knows nobody: ids are shown shortened."""

    def record(self, object_slug: str, record_id: str) -> str | None:  # noqa: ARG002
        """Return None: no record is known."""
        return None

    def member(self, member_id: str) -> str | None:  # noqa: ARG002
        """Return None: no member is known."""
        return None


def display(attribute: Attribute, items: Items, names: Names) -> str:
    """Return the value as one harmless line for a person; empty for a blank."""
    return plain(", ".join(text for item in items if (text := _one(attribute, item, names))))


def _one(attribute: Attribute, item: Item, names: Names) -> str:
    show = _SHOW.get(attribute.type)
    if show is not None:
        return show(item)
    if attribute.type in {"select", "status"}:
        return _choice(attribute, item)
    if attribute.type == "record-reference" and isinstance(item, Mapping):
        record_id = str(item.get("target_record_id") or "")
        return names.record(str(item.get("target_object") or ""), record_id) or f"{record_id[:8]}…"
    if attribute.type == "actor-reference" and isinstance(item, Mapping):
        return _actor(item, names)
    if isinstance(item, Mapping):
        return ", ".join(f"{key} {part}" for key, part in item.items() if part is not None and part != "")
    return "" if item is None else str(item)


def _choice(attribute: Attribute, item: Item) -> str:
    if not isinstance(item, Mapping):
        return str(item)
    # The title that came with the value may be older than the schema: an option can be renamed.
    known = attribute.option(str(item["id"])) if item.get("id") else None
    return known.title if known else str(item.get("title") or item.get("id") or "")


def _actor(item: Mapping[str, object], names: Names) -> str:
    kind, actor_id = item.get("type"), str(item.get("id") or "")
    if kind == "workspace-member":
        return names.member(actor_id) or f"member {actor_id[:8]}…"
    return {"system": "Attio", "api-token": "an integration", "app": "an app"}.get(str(kind), str(kind or ""))


def _number(item: Item) -> str:
    if isinstance(item, bool) or not isinstance(item, int | float):
        return str(item)
    if float(item).is_integer() and abs(item) < 1e15:
        return f"{int(item):,}"
    return f"{item:,.4f}".rstrip("0").rstrip(".")


def _money(item: Item) -> str:
    if not isinstance(item, Mapping):
        return _number(item)
    value, code = item.get("currency_value"), str(item.get("currency_code") or "").upper()
    if value is None:
        return ""
    is_whole = not isinstance(value, int | float) or float(value).is_integer()
    amount = _number(value) if is_whole else f"{value:,.2f}"
    sign = _SIGNS.get(code, code)
    return f"{sign} {amount}" if len(sign) > 1 else f"{sign}{amount}"


def _timestamp(item: Item) -> str:
    moment = instant(str(item))
    return moment.strftime("%Y-%m-%d %H:%M") if moment else str(item)


def _location(item: Item) -> str:
    if not isinstance(item, Mapping):
        return str(item)
    keys = ("line_1", "line_2", "line_3", "line_4", "postcode", "locality", "region", "country_code")
    return ", ".join(str(item[key]) for key in keys if item.get(key))


def _phone(item: Item) -> str:
    import phonenumbers

    text = str(item.get("original_phone_number") or "") if isinstance(item, Mapping) else str(item)
    region = item.get("country_code") if isinstance(item, Mapping) else None
    try:
        number = phonenumbers.parse(text, region if isinstance(region, str) else None)
    except phonenumbers.NumberParseException:
        return text
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL))


def _name(item: Item) -> str:
    if not isinstance(item, Mapping):
        return str(item)
    joined = f"{item.get('first_name') or ''} {item.get('last_name') or ''}".strip()
    return str(item.get("full_name") or joined)


def _interaction(item: Item) -> str:
    if not isinstance(item, Mapping):
        return str(item)
    kind = str(item.get("interaction_type") or "").replace("-", " ")
    return f"{_timestamp(item.get('interacted_at'))} {kind}".strip()


_SHOW: dict[str, Callable[[Item], str]] = {
    "text": str,
    "number": _number,
    "rating": lambda item: "★" * int(item) if isinstance(item, int | float) and 0 < item <= 5 else str(item),
    "checkbox": lambda item: "yes" if item is True or item == "true" else "no",
    "date": str,
    "timestamp": _timestamp,
    "currency": _money,
    "location": _location,
    "domain": str,
    "email-address": str,
    "phone-number": _phone,
    "personal-name": _name,
    "interaction": _interaction,
}
