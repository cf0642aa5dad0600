"""Spans of time that SOQL names: TODAY, LAST_N_DAYS:30 and the like."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from attio_console.sandbox.salesforce.soql_ast import DateLiteral

Span = tuple[datetime, datetime]
"""From the first instant up to, not including, the second."""
_UNITS = {"DAYS": 1, "WEEKS": 7}


def span(literal: DateLiteral, now: datetime) -> Span:
    """Return the span that a literal means at that moment, in UTC."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    day = timedelta(days=1)
    match literal.name:
        case "TODAY":
            return today, today + day
        case "YESTERDAY":
            return today - day, today
        case "TOMORROW":
            return today + day, today + 2 * day
        case "N_DAYS_AGO":
            start = today - literal.number * day
            return start, start + day
        case "LAST_90_DAYS":
            return today - 90 * day, today + day
        case "NEXT_90_DAYS":
            return today + day, today + 91 * day
    if counted := re.fullmatch(r"(LAST|NEXT)_N_(\w+)", literal.name):
        return _counted(counted[1], counted[2], literal.number, today)
    which, unit = literal.name.split("_")
    return _period(today, unit, {"LAST": -1, "THIS": 0, "NEXT": 1}[which])


def _counted(way: str, unit: str, number: int, today: datetime) -> Span:
    day = timedelta(days=1)
    if unit in _UNITS:
        days = _UNITS[unit] * number * day
    else:
        months = number * (12 if unit == "YEARS" else 1)
        first = today.replace(day=1)
        days = abs(first - _months(first, -months if way == "LAST" else months))
    # The days before today and today itself; the days after today.
    return (today - days, today + day) if way == "LAST" else (today + day, today + day + days)


def _period(today: datetime, unit: str, offset: int) -> Span:
    if unit == "WEEK":
        # Weeks start on Sunday in an org of the United States.
        start = today - timedelta(days=(today.weekday() + 1) % 7) + timedelta(days=7 * offset)
        return start, start + timedelta(days=7)
    size = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}[unit]
    first = today.replace(day=1)
    first = _months(first, -((first.month - 1) % size))
    start = _months(first, size * offset)
    return start, _months(start, size)


def _months(first: datetime, count: int) -> datetime:
    total = first.year * 12 + first.month - 1 + count
    return first.replace(year=total // 12, month=total % 12 + 1, day=1)
