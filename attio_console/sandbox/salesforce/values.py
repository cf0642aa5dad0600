"""What Salesforce takes for a field, and what it says when it does not."""

from __future__ import annotations

import base64
import binascii
import math
import re
from datetime import UTC, date, datetime
from typing import Any

from attio_console.sandbox.salesforce.errors import SalesforceError, bad
from attio_console.sandbox.salesforce.fields import Field

_EMAIL = re.compile(r"[^@\s,;<>()]+@[^@\s,;<>()]+\.[^@\s.,;<>()]{2,}")


def stamp(moment: datetime) -> str:
    """Write an instant as Salesforce does; its own stamps have whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def parse_stamp(text: str) -> datetime:
    """Read an instant in any of the forms the API takes; a ValueError where it is none."""
    moment = datetime.fromisoformat(text.strip())
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def normal(field: Field, value: Any) -> Any:
    """Return the value as it will be stored (None clears), or refuse."""
    if value is None or value == "":
        return False if field.type == "boolean" else None
    match field.type:
        case "boolean":
            return _boolean(field, value)
        case "int" | "double" | "currency" | "percent":
            return _number(field, value)
        case "date":
            return _date(field, value)
        case "datetime":
            return _datetime(field, value)
        case "base64":
            return _base64(field, value)
    if not isinstance(value, str):
        raise _wrong_type(field, value)
    # Text is trimmed at its end, and control characters other than line ends go.
    text = value.rstrip()
    if field.type == "email" and not _EMAIL.fullmatch(text):
        raise bad("INVALID_EMAIL_ADDRESS", f"{field.label}: invalid email address: {text}", field.name)
    if field.length and len(text) > field.length:
        message = f"{field.label}: data value too large: {text[:80]} (max length={field.length})"
        raise bad("STRING_TOO_LONG", message, field.name)
    if field.type == "picklist" and field.restricted and text not in field.choices:
        code = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
        raise bad(code, f"{field.label}: bad value for restricted picklist field: {text}", field.name)
    return text or None


def _wrong_type(field: Field, value: Any) -> SalesforceError:
    token = (
        "START_OBJECT"
        if isinstance(value, dict)
        else "START_ARRAY"
        if isinstance(value, list)
        else repr(value)
    )
    return bad(
        "JSON_PARSER_ERROR",
        f"Cannot deserialize instance of {field.type} from {token} value for field {field.name}",
    )


def _boolean(field: Field, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise _wrong_type(field, value)


def _number(field: Field, value: Any) -> int | float:
    if isinstance(value, bool):
        raise _wrong_type(field, value)
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise _wrong_type(field, value) from None
    if math.isnan(number) or abs(number) >= 1e16:
        raise bad("NUMBER_OUTSIDE_VALID_RANGE", f"{field.label}: value outside of valid range", field.name)
    return int(number) if field.type == "int" else round(number, 2)


def _date(field: Field, value: Any) -> str:
    try:
        return date.fromisoformat(str(value)[:10]).isoformat()
    except ValueError:
        raise _wrong_type(field, value) from None


def _datetime(field: Field, value: Any) -> str:
    try:
        return stamp(parse_stamp(str(value)))
    except ValueError:
        raise _wrong_type(field, value) from None


def _base64(field: Field, value: Any) -> str:
    try:
        base64.b64decode(str(value), validate=True)
    except (binascii.Error, ValueError):
        raise _wrong_type(field, value) from None
    return str(value)
