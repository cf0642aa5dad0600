"""What HubSpot makes of a value that is written: strings in, strings kept, some of them changed on the way."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from attio_console.sandbox.hubspot.errors import invalid_property
from attio_console.sandbox.hubspot.properties import PropertyDef

_EMAIL = re.compile(r"[^@\s,;<>()]+@[^@\s,;<>()]+\.[^@\s.,;<>()]{2,}")
_TEXT_CAP = 65_536


def normal(prop: PropertyDef, value: Any, portal_id: int) -> str | None:
    """Return the value as it will be stored, None for "clear it", or raise why not."""
    if value is None:
        return None
    if isinstance(value, bool):
        value = "true" if value else "false"
    if isinstance(value, (dict, list)):
        raise invalid_property(prop.name, f"{value!r} was not a valid value", "INVALID_VALUE", portal_id)
    text = str(value).strip()
    if not text:
        return None
    if prop.name == "email":
        return _email(prop, text, portal_id)
    if prop.type == "number":
        return _number(prop, text, portal_id)
    if prop.type in {"date", "datetime"}:
        return _time(prop, text, portal_id)
    if prop.type == "bool":
        if text.lower() not in {"true", "false"}:
            raise invalid_property(prop.name, f"{text} was not a valid boolean", "INVALID_BOOLEAN", portal_id)
        return text.lower()
    if prop.type == "enumeration":
        return _choice(prop, text, portal_id)
    if len(text) > _TEXT_CAP:
        raise invalid_property(prop.name, f"{prop.name} was too long", "VALUE_TOO_LONG", portal_id)
    return text


def _email(prop: PropertyDef, text: str, portal_id: int) -> str:
    if not _EMAIL.fullmatch(text):
        raise invalid_property(prop.name, f"Email address {text} is invalid", "INVALID_EMAIL", portal_id)
    return text.lower()


def _number(prop: PropertyDef, text: str, portal_id: int) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise invalid_property(prop.name, f"{text} was not a valid number.", "INVALID_NUMERIC", portal_id)
    # 1500.00 comes back as 1500, as the portal shows it.
    return f"{number.normalize():f}" if number else "0"


@lru_cache(maxsize=1 << 18)
def parse_time(text: str) -> datetime | None:
    """Read epoch milliseconds, a date or an ISO instant; None when it is none of them."""
    try:
        if re.fullmatch(r"-?\d+", text):
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _time(prop: PropertyDef, text: str, portal_id: int) -> str:
    moment = parse_time(text)
    if moment is None:
        code = "INVALID_DATE"
        raise invalid_property(prop.name, f"{text} was not a valid {prop.type}.", code, portal_id)
    if prop.type == "datetime":
        whole = moment.strftime("%Y-%m-%dT%H:%M:%S")
        return f"{whole}.{moment.microsecond // 1000:03d}Z" if moment.microsecond else f"{whole}Z"
    if (moment.hour, moment.minute, moment.second) != (0, 0, 0):
        why = f"{text} is at {moment:%H:%M:%S} UTC, not midnight!"
        raise invalid_property(prop.name, why, "INVALID_DATE", portal_id)
    return moment.date().isoformat()


def _choice(prop: PropertyDef, text: str, portal_id: int) -> str:
    if prop.external_options:
        return text
    allowed = prop.values
    chosen = [part for part in text.split(";") if part] if prop.field_type == "checkbox" else [text]
    for part in chosen:
        if part not in allowed:
            known = ", ".join(sorted(allowed))
            raise invalid_property(
                prop.name,
                f"{part} was not one of the allowed options: [{known}]",
                "INVALID_OPTION",
                portal_id,
            )
    # A leading semicolon asks to add; the caller, who knows what is there, does that.
    return text if text.startswith(";") else ";".join(dict.fromkeys(chosen))
