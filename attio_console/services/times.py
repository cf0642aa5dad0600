"""Times as a person types them: `4h`, `tomorrow`, `monday`, `2026-12-01 14:00`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo

from attio_console.errors import InvalidValue

DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([mhdw])")
_SECONDS = {"m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MORNING = 9


def seconds_of(text: str) -> float:
    """Return how long `30m`, `4h`, `2d` or `1w` is. Raises InvalidValue."""
    match = DURATION.fullmatch(text.strip().casefold())
    if match is None:
        raise InvalidValue(f"{text!r} is no length of time.", hint="Such as: 30m, 4h, 2d, 1w")
    return float(match[1]) * _SECONDS[match[2]]


def time_to_come(text: str, now: datetime, zone: tzinfo | None = None) -> datetime:
    """Return the moment a person names; a day means nine in the morning there. Raises InvalidValue for the past."""
    word = text.strip().casefold()
    if DURATION.fullmatch(word):
        return now + timedelta(seconds=seconds_of(word))
    here = now.astimezone(zone)
    if word == "tomorrow":
        return _morning(here + timedelta(days=1))
    day = next((n for n, name in enumerate(_DAYS) if len(word) >= 3 and name.startswith(word)), None)
    if day is not None:
        return _morning(here + timedelta(days=(day - here.weekday() - 1) % 7 + 1))
    try:
        named = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise InvalidValue(
            f"{text!r} is no time.", hint="Such as: 4h, tomorrow, monday, 2026-12-01 14:00"
        ) from error
    moment = _morning(named) if len(text.strip()) == 10 else named
    moment = moment.replace(tzinfo=here.tzinfo) if moment.tzinfo is None else moment
    if moment <= now:
        raise InvalidValue(f"{text} is over already.")
    return moment


def _morning(day: datetime) -> datetime:
    return day.replace(hour=_MORNING, minute=0, second=0, microsecond=0)
