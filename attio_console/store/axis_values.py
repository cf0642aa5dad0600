"""What one attribute's value means for sorting (key), for matching text (txt) and for identity (ref)."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from attio_console.model.schema import Attribute, Option, Schema, Status
from attio_console.model.text import fold
from attio_console.store.extract import Value, decode_values

AxisValue = tuple[str | float | None, str | None, str | None]

_CHARS = 200
_MOMENTS = ("date", "timestamp", "interaction")
_UNKNOWN_LAST = 1_000_000


def axis_values(
    attribute: Attribute | None,
    raw: msgspec.Raw | bytes,
    schema: Schema,
    label_of: Callable[[str], str | None],
) -> list[AxisValue]:
    """Return key, text and reference of every value of a field; text is None where the key is the text."""
    found = []
    for value in decode_values(raw):
        kind = attribute.type if attribute is not None else value.attribute_type
        laid_out = _one(kind, value, attribute, schema, label_of)
        if laid_out is not None:
            found.append(laid_out)
    return found


def _one(
    kind: str,
    value: Value,
    attribute: Attribute | None,
    schema: Schema,
    label_of: Callable[[str], str | None],
) -> AxisValue | None:
    if kind in ("select", "status"):
        return _choice(value, attribute)
    if kind == "record-reference":
        target = value.target_record_id
        return None if not target else (fold(label_of(target) or "")[:_CHARS], None, target)
    if kind == "actor-reference":
        actor = value.referenced_actor_id
        member = schema.member(actor) if actor else None
        return None if not actor else (fold(member.name if member else ""), None, actor)
    if kind == "location":
        parts = (value.country_code, value.region, value.locality, value.line_1, value.postcode)
        text = fold(", ".join(part for part in parts if part))
        return (text[:_CHARS], None, None) if text else None
    plain = _plain(kind, value)
    if plain is None or plain == "":
        return None
    if kind in _MOMENTS:
        return (str(plain), None, None)
    if isinstance(plain, str):
        return (fold(plain)[:_CHARS], None, None)
    return (float(plain), None, None)


def _plain(kind: str, value: Value) -> str | float | None:
    if kind == "personal-name":
        return value.full_name or " ".join(p for p in (value.first_name, value.last_name) if p)
    if kind == "email-address":
        return value.email_address
    if kind == "domain":
        return value.domain
    if kind == "phone-number":
        return value.phone_number or value.original_phone_number
    if kind == "interaction":
        return value.interacted_at
    given = value.currency_value if kind == "currency" else value.value
    if isinstance(given, (bool, int, float)):
        return float(given)
    if isinstance(given, str):
        if kind in ("currency", "number", "rating"):
            return _number(given)
        return given
    return None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _choice(value: Value, attribute: Attribute | None) -> AxisValue | None:
    chosen = value.option if value.option is not None else value.status
    title, choice_id = "", ""
    if isinstance(chosen, dict):
        title = str(chosen.get("title") or "")
        given = chosen.get("id")
        if isinstance(given, dict):
            choice_id = str(given.get("option_id") or given.get("status_id") or "")
        elif given:
            choice_id = str(given)
    elif isinstance(chosen, str):
        title = chosen
    if not title and not choice_id:
        return None
    place = _UNKNOWN_LAST
    if attribute is not None:
        choices: tuple[Option | Status, ...] = (*attribute.options, *attribute.statuses)
        for at, known in enumerate(choices):
            if choice_id == known.id or (not choice_id and title == known.title):
                place, choice_id = at, known.id
                break
    return (float(place), fold(title), choice_id)
