"""When two values mean the same: canonical forms per attribute type.

Systems rewrite what they are given (phones, numbers, dates, case of addresses). Comparing canonical forms keeps such
rewrites from looking like changes.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from attio_console.model.items import LOCATION_KEYS, Item, Items
from attio_console.model.times import instant

_PART = "\x1f"
_SPACES = re.compile(r"\s+")
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_FOUR_PLACES = Decimal("0.0001")
_WRITTEN_OUT = 400


def canonical(type: str, items: Items) -> tuple[str, ...]:
    """Return a form that is equal exactly when the meaning is; blanks are left out, the order of values is not meaning."""
    one = _CANONICAL.get(type, _verbatim)
    if len(items) == 1:
        form = one(items[0])
        return (form,) if form else ()
    return tuple(sorted({form for item in items if (form := one(item))}))


def same(type: str, left: Items, right: Items) -> bool:
    """Return whether two values of that type mean the same."""
    return left == right or canonical(type, left) == canonical(type, right)


def canonical_item(type: str, item: Item) -> str:
    """Return the canonical form of one item; empty for a blank."""
    return _CANONICAL.get(type, _verbatim)(item)


def _text(item: Item) -> str:
    if item is None:
        return ""
    text = item if isinstance(item, str) else _verbatim(item)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def _line(item: Item) -> str:
    return _SPACES.sub(" ", _text(item))


@lru_cache(maxsize=65536)
def _decimal(text: str) -> str:
    try:
        value = Decimal(text)
        if not value.is_finite():
            return text
        value = (
            value.quantize(_FOUR_PLACES).normalize() if abs(value) < Decimal("1e20") else value.normalize()
        )
    except (ArithmeticError, ValueError):
        return text.strip()
    if value == 0:
        return "0"
    # Written out, a number of that size would fill the memory.
    return f"{value:f}" if value.adjusted() < _WRITTEN_OUT else str(value)


def _number(item: Item) -> str:
    if item is None or item == "":
        return ""
    return _decimal(str(int(item)) if isinstance(item, bool) else str(item).strip())


def _money(item: Item) -> str:
    if not isinstance(item, Mapping):
        return _number(item)
    amount = _number(item.get("currency_value"))
    code = str(item.get("currency_code") or "").upper()
    return f"{amount}{_PART}{code}" if amount and code else amount


def _checkbox(item: Item) -> str:
    if isinstance(item, str):
        folded = item.strip().casefold()
        return {"true": "true", "false": "false", "1": "true", "0": "false"}.get(folded, folded)
    return "" if item is None else ("true" if item else "false")


def _date(item: Item) -> str:
    return str(item or "").strip()[:10].strip()


def _timestamp(item: Item) -> str:
    text = str(item or "").strip()
    moment = instant(text) if text else None
    # Whole seconds: the coarsest of the three systems keeps no more, and a finer form would never come to rest.
    return moment.replace(microsecond=0).isoformat() if moment else text


def _choice(item: Item) -> str:
    if isinstance(item, Mapping):
        return str(item.get("id") or "") or _line(item.get("title")).casefold()
    return _line(item).casefold()


def _reference(item: Item) -> str:
    if isinstance(item, Mapping) and item.get("target_record_id"):
        return f"{item.get('target_object') or ''}{_PART}{item['target_record_id']}"
    return _verbatim(item)


def _actor(item: Item) -> str:
    if isinstance(item, Mapping):
        return (
            f"{item.get('type') or ''}{_PART}{item['id']}" if item.get("id") else str(item.get("type") or "")
        )
    return _line(item).casefold()


def _location(item: Item) -> str:
    if not isinstance(item, Mapping):
        return _line(item)
    parts = [_line(item.get(key)) for key in LOCATION_KEYS]
    parts[7] = parts[7].upper()
    if any(parts[:8]):
        parts = parts[:8]  # Coordinates are derived from the address, by each system in its own way.
    return _PART.join(parts) if any(parts) else ""


@lru_cache(maxsize=65536)
def _host(text: str) -> str:
    host = text.strip().rstrip(".").lower()
    if host.isascii():
        return host
    try:
        return unicodedata.normalize("NFC", host).encode("idna").decode("ascii").lower()
    except UnicodeError:
        return host


def _domain(item: Item) -> str:
    text = _SCHEME.sub("", str(item or "").strip())
    host = text.split("/", 1)[0].split("?", 1)[0].rsplit("@", 1)[-1].split(":", 1)[0]
    return _host(host).removeprefix("www.")


def _email(item: Item) -> str:
    text = _text(item).lower()
    local, at, host = text.rpartition("@")
    return f"{local}@{_host(host)}" if at else text


@lru_cache(maxsize=65536)
def phone(text: str, region: str | None = None) -> str:
    """Return the number in E.164 (with `;ext=` where it has an extension), or its digits where that cannot be known."""
    form = _read_phone(text, region)
    # What is no number can look like one once its punctuation is gone: go on until nothing changes.
    for _ in range(4):
        again = _read_phone(form, None)
        if again == form:
            break
        form = again
    return form


def _read_phone(text: str, region: str | None) -> str:
    import phonenumbers

    stripped = unicodedata.normalize("NFKC", text).strip()
    if not stripped:
        return ""
    if stripped.startswith("00") and region is None:
        stripped = "+" + stripped[2:]
    try:
        number = phonenumbers.parse(stripped, region)
    except phonenumbers.NumberParseException:
        return "".join(char for char in stripped if char.isalnum() or char == "+").casefold()
    form = str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    return f"{form};ext={number.extension}" if number.extension else form


def _phone(item: Item) -> str:
    if isinstance(item, Mapping):
        text = str(item.get("original_phone_number") or item.get("phone_number") or "")
        region = item.get("country_code")
        return phone(text, region if isinstance(region, str) else None)
    return phone(str(item)) if item else ""


def _name(item: Item) -> str:
    if not isinstance(item, Mapping):
        return _line(item)
    first, last = _line(item.get("first_name")), _line(item.get("last_name"))
    if first or last:
        return f"{first}{_PART}{last}"
    return _line(item.get("full_name"))


def _interaction(item: Item) -> str:
    if not isinstance(item, Mapping):
        return _verbatim(item)
    return f"{item.get('interaction_type') or ''}{_PART}{_timestamp(item.get('interacted_at'))}"


def _verbatim(item: Item) -> str:
    if item is None or item == "":
        return ""
    return item.strip() if isinstance(item, str) else json.dumps(item, sort_keys=True, ensure_ascii=False)


_CANONICAL: dict[str, Callable[[Any], str]] = {
    "text": _text,
    "number": _number,
    "checkbox": _checkbox,
    "rating": _number,
    "date": _date,
    "timestamp": _timestamp,
    "currency": _money,
    "status": _choice,
    "select": _choice,
    "record-reference": _reference,
    "actor-reference": _actor,
    "location": _location,
    "domain": _domain,
    "email-address": _email,
    "phone-number": _phone,
    "personal-name": _name,
    "interaction": _interaction,
}
