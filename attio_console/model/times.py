"""Reading the times that CRMs write."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

_FRACTION = re.compile(r"\.(\d{1,6})\d*")
_SHORT_ZONE = re.compile(r"([+-]\d{2})(\d{2})$")


@lru_cache(maxsize=65536)
def instant(text: str) -> datetime | None:
    """Return the instant an ISO 8601 text names, in UTC; None where it names none. Digits past the sixth are cut."""
    cleaned = _SHORT_ZONE.sub(
        r"\1:\2", _FRACTION.sub(lambda m: "." + m[1].ljust(6, "0"), text.strip(), count=1)
    )
    try:
        parsed = datetime.fromisoformat(cleaned)
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def stamp(moment: datetime) -> str:
    """Return the instant as ISO 8601 in UTC with milliseconds and a Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
