"""Salesforce ids: 15 case-sensitive characters, or 18 with a checksum that survives case-folding."""

from __future__ import annotations

import string

_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_CHECK = string.ascii_uppercase + "012345"
POD = "RO"


def checksum(short: str) -> str:
    """Return the three characters that make a 15-character id an 18-character one."""
    out = []
    for start in (0, 5, 10):
        bits = sum(
            1 << n for n, sign in enumerate(short[start : start + 5]) if sign in string.ascii_uppercase
        )
        out.append(_CHECK[bits])
    return "".join(out)


def make_id(prefix: str, number: int) -> str:
    """Return the 18-character id of the n-th row of an object with that key prefix."""
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = _BASE62[rest] + digits
    short = f"{prefix}{POD}{digits.rjust(10, '0')}"
    return short + checksum(short)


def full_id(text: str) -> str | None:
    """Return the 18-character form of an id in either form, or None where it is no id."""
    if not text.isascii() or not text.isalnum():
        return None
    if len(text) == 15:
        return text + checksum(text)
    if len(text) != 18:
        return None
    if checksum(text[:15]) == text[15:].upper():
        return text[:15] + text[15:].upper()
    # Somebody folded the case: the checksum says which letters were capitals.
    short = ""
    for block, sign in enumerate(text[15:].upper()):
        if sign not in _CHECK:
            return None
        bits = _CHECK.index(sign)
        part = text[block * 5 : block * 5 + 5]
        short += "".join(c.upper() if bits >> n & 1 else c.lower() for n, c in enumerate(part))
    return short + text[15:].upper() if checksum(short) == text[15:].upper() else None
