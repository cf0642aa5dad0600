"""Times as a person says them: relative where they are looked at, exact where they are asked for."""

from __future__ import annotations

from datetime import datetime

_UNITS = ((86_400 * 365, "y"), (86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def span(seconds: float) -> str:
    """Return a length of time in its largest unit: `4 m`, `3 d`."""
    seconds = max(seconds, 0.0)
    for size, name in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)} {name}"
    return "now"


def lag(seconds: float) -> str:
    """Return a short delay, exact to a tenth below ten seconds: `0.4 s`."""
    return f"{seconds:.1f} s" if seconds < 10 else span(seconds)


def ago(at: datetime | None, now: datetime) -> str:
    """Return how long ago that was, or a dash."""
    if at is None:
        return "–"
    seconds = (now - at).total_seconds()
    if seconds < 1:
        return "just now"
    return f"{span(seconds)} ago"


def clock(at: datetime | None, now: datetime) -> str:
    """Return the time of day where it was today, else the date."""
    if at is None:
        return "–"
    if at.date() == now.date():
        return at.strftime("%H:%M")
    return day(at, now)


def day(at: datetime, now: datetime) -> str:
    """Return a date, with its year where it is not this one: `12 Mar 2024`."""
    text = f"{at.day} {at.strftime('%b')}"
    return text if at.year == now.year else f"{text} {at.year}"


def exact(at: datetime | None) -> str:
    """Return date and time to the second, in UTC."""
    return "–" if at is None else at.strftime("%Y-%m-%d %H:%M:%S UTC")


def countdown(seconds: float) -> str:
    """Return a waiting time as minutes and seconds: `0:42`."""
    whole = max(int(seconds), 0)
    return f"{whole // 60}:{whole % 60:02d}"
