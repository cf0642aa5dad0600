"""The written forms of values that stand for themselves: texts, numbers, times, addresses, names and places."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from attio_console.sandbox.attio import words
from attio_console.sandbox.attio.errors import ApiError, invalid
from attio_console.sandbox.attio.state import Attribute, Crm

Data = dict[str, Any]
Path = Sequence[str | int]
Reader = Callable[[Crm, Attribute, Any, Path], Data]
"""Reads one written value of an attribute, or refuses it; the path says where it stood."""

MAX_TEXT = 10 * 1024 * 1024
LOCATION_FIELDS = (
    "line_1",
    "line_2",
    "line_3",
    "line_4",
    "locality",
    "region",
    "postcode",
    "country_code",
    "latitude",
    "longitude",
)
_LATITUDE = re.compile(r"[-+]?([1-8]?\d(\.\d+)?|90(\.0+)?)")
_LONGITUDE = re.compile(r"[-+]?(180(\.0+)?|((1[0-7]\d)|([1-9]?\d))(\.\d+)?)")


def kind_of(raw: Any) -> str:
    """Name the JSON type of a value."""
    if raw is None:
        return "null"
    for kinds, name in ((bool, "boolean"), ((int, float), "number"), (str, "string"), (list, "array")):
        if isinstance(raw, kinds):
            return name
    return "object"


def expected(path: Path, what: str, raw: Any) -> ApiError:
    """Refuse a value of the wrong JSON type."""
    return invalid(path, f"Expected {what}, received {kind_of(raw)}")


def field_of(attribute: Attribute, item: Any, name: str, path: Path) -> tuple[Any, Path]:
    """Take `{name: x}` apart; a bare x stays as it is."""
    if not isinstance(item, dict):
        return item, path
    if name not in item:
        raise invalid([*path, name], f'Required field "{name}" of attribute "{attribute.slug}" is missing.')
    return item[name], [*path, name]


def _text(_: Crm, attribute: Attribute, item: Any, path: Path) -> Data:
    value, path = field_of(attribute, item, "value", path)
    if not isinstance(value, str):
        raise expected(path, "string", value)
    if len(value.encode()) > MAX_TEXT:
        raise invalid(path, "Text values are limited to 10MB.", code="too_big")
    return {"value": value}


def _finite(value: Any, path: Path) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise expected(path, "number", value)
    if isinstance(value, int):
        # Numbers are kept as 64 bit floats.
        return value if abs(value) <= 2**53 else float(value) if abs(value) < 10**308 else _too_big(path)
    rounded = round(value, 4)
    return int(rounded) if rounded.is_integer() and abs(rounded) <= 2**53 else rounded


def _too_big(path: Path) -> float:
    raise invalid(path, "Number is out of range.", code="too_big")


def _number(_: Crm, attribute: Attribute, item: Any, path: Path) -> Data:
    value, path = field_of(attribute, item, "value", path)
    return {"value": _finite(value, path)}


def _rating(_: Crm, attribute: Attribute, item: Any, path: Path) -> Data:
    value, path = field_of(attribute, item, "value", path)
    number = _finite(value, path)
    if number not in {0, 1, 2, 3, 4, 5}:
        raise invalid(path, "A rating is a whole number from 0 to 5.", code="custom")
    return {"value": int(number)}


def _currency(_: Crm, attribute: Attribute, item: Any, path: Path) -> Data:
    value, path = field_of(attribute, item, "currency_value", path)
    return {"currency_code": attribute.default_currency_code, "currency_value": _finite(value, path)}


def _checkbox(_: Crm, attribute: Attribute, item: Any, path: Path) -> Data:
    value, path = field_of(attribute, item, "value", path)
    if isinstance(value, str) and value in {"true", "false"}:
        value = value == "true"
    if not isinstance(value, bool):
        raise expected(path, "boolean", value)
    return {"value": value}


def _date(_: Crm, attribute: Attribute, item: Any, path: Path) -> Data:
    return _moment(attribute, item, path, words.date_of, "date")


def _timestamp(_: Crm, attribute: Attribute, item: Any, path: Path) -> Data:
    return _moment(attribute, item, path, words.instant_of, "ISO 8601 timestamp")


def _moment(
    attribute: Attribute, item: Any, path: Path, read: Callable[[str], str | None], what: str
) -> Data:
    value, path = field_of(attribute, item, "value", path)
    if not isinstance(value, str):
        raise expected(path, "string", value)
    found = read(value)
    if found is None:
        raise invalid(path, f'"{value}" is not a valid {what}.', code="invalid_date")
    return {"value": found}


def _domain(_: Crm, attribute: Attribute, item: Any, path: Path) -> Data:
    value, path = field_of(attribute, item, "domain", path)
    if not isinstance(value, str):
        raise expected(path, "string", value)
    domain = words.domain_of(value)
    if domain is None:
        raise invalid(path, f'"{value}" is not a valid domain.', code="custom")
    return {"domain": domain, "root_domain": words.root_domain(domain)}


def _email(_: Crm, attribute: Attribute, item: Any, path: Path) -> Data:
    value, path = field_of(attribute, item, "email_address", path)
    if not isinstance(value, str):
        raise expected(path, "string", value)
    found = words.email_of(value)
    if found is None:
        raise invalid(path, f'"{value}" is not a valid email address.', code="custom")
    return dict(found)


def _phone(_: Crm, attribute: Attribute, item: Any, path: Path) -> Data:
    value, inner = field_of(attribute, item, "original_phone_number", path)
    country = item.get("country_code") if isinstance(item, dict) else None
    if not isinstance(value, str):
        raise expected(inner, "string", value)
    if country is not None and country not in words.COUNTRY_CODES:
        raise invalid([*path, "country_code"], f'"{country}" is not an ISO 3166-1 alpha-2 country code.')
    found = words.phone_of(value, country)
    if found is None:
        raise invalid(
            inner,
            f'"{value}" is not a valid phone number; prefix it with + or give a country_code.',
            code="custom",
        )
    return dict(found)


def _name(_: Crm, attribute: Attribute, item: Any, path: Path) -> Data:
    if isinstance(item, str):
        last, comma, first = item.partition(",")
        first, last = (first.strip(), last.strip()) if comma else (item.strip(), "")
        return {"first_name": first, "last_name": last, "full_name": f"{first} {last}".strip()}
    if not isinstance(item, dict):
        raise expected(path, "string or object", item)
    for key in ("first_name", "last_name", "full_name"):
        if not isinstance(item.get(key), str):
            raise invalid(
                [*path, key],
                f'Attribute "{attribute.slug}" needs first_name, last_name and full_name, all strings.',
            )
    return {key: item[key] for key in ("first_name", "last_name", "full_name")}


def _location(_: Crm, attribute: Attribute, item: Any, path: Path) -> Data:
    if isinstance(item, str):
        return dict(words.place_of(item))
    if not isinstance(item, dict):
        raise expected(path, "string or object", item)
    for key in LOCATION_FIELDS:
        if key not in item:
            raise invalid(
                [*path, key],
                f'Attribute "{attribute.slug}" needs all ten location fields; "{key}" is missing.',
            )
        value = item[key]
        if value is not None and not isinstance(value, str):
            raise expected([*path, key], "string or null", value)
    country = item["country_code"]
    if country is not None and country not in words.COUNTRY_CODES:
        raise invalid([*path, "country_code"], f'"{country}" is not an ISO 3166-1 alpha-2 country code.')
    for key, pattern in (("latitude", _LATITUDE), ("longitude", _LONGITUDE)):
        if item[key] is not None and not pattern.fullmatch(item[key]):
            raise invalid([*path, key], f'"{item[key]}" is not a valid {key}.')
    return {key: item[key] for key in LOCATION_FIELDS}


READERS: dict[str, Reader] = {
    "text": _text,
    "number": _number,
    "checkbox": _checkbox,
    "currency": _currency,
    "date": _date,
    "timestamp": _timestamp,
    "rating": _rating,
    "location": _location,
    "domain": _domain,
    "email-address": _email,
    "phone-number": _phone,
    "personal-name": _name,
}
