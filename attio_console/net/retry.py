"""When to try again, and how long to wait first."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum

from attio_console.model.clock import Clock


class Resend(Enum):
    """What may be done about a request whose outcome is unknown."""

    FREELY = "freely"
    """A read, or a write that leaves the same state however often it arrives."""
    NEVER = "never"
    """A second arrival would do it twice: the caller has to look first."""
    ONCE = "once"
    """Right for what was just read: whatever is in the way, even a 429, the caller reads again before it is sent."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential backoff with full jitter."""

    base_s: float = 0.25
    cap_s: float = 8.0

    def wait(self, attempt: int, rng: random.Random) -> float:
        """Return how long to wait after that many failed attempts (1 after the first)."""
        return rng.uniform(0.0, min(self.cap_s, self.base_s * 2.0 ** min(attempt, 30)))


def http_date(text: str | None) -> datetime | None:
    """Return an HTTP date as an aware time, or None where it is not one."""
    if not text:
        return None
    try:
        parsed = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return None
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def retry_after(headers: Mapping[str, str], clock: Clock) -> float | None:
    """Return the seconds a `Retry-After` asks for, or None without one.

    A date is taken against the answer's own `Date`, because the local clock may be wrong.
    """
    text = (headers.get("retry-after") or "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        until = http_date(text)
        if until is None:
            return None
        seconds = (until - (http_date(headers.get("date")) or clock.now())).total_seconds()
    # NaN and infinity are numbers to float(): neither is a time to wait.
    return max(0.0, seconds) if seconds < 1e9 else None
