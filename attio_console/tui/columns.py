"""Which columns fit a width, and how wide each becomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from attio_console.services.types import Column

GAP = 2
"""Cells between two columns."""

_MIN_SHARE = 0.85
# A name cut short is still that name; half a phone number is none.
_RIGID = frozenset(
    {"phone-number", "date", "timestamp", "currency", "number", "rating", "checkbox", "interaction"}
)


@dataclass(frozen=True, slots=True)
class Placed:
    """A column with its place: its number among all columns, where it starts and how wide it is."""

    number: int
    column: Column
    x: int
    width: int


def place(columns: Sequence[Column], width: int, cursor: int | None = None) -> tuple[Placed, ...]:
    """Lay columns out in a width.

    Where not all fit, those with the highest priority number go first. If the column under the cursor is among
    the dropped ones, the first column stays and the columns up to that one come into view.
    """
    if not columns:
        return ()
    kept = _by_priority(columns, width)
    if cursor is not None and cursor not in kept and 0 <= cursor < len(columns):
        kept = _up_to(columns, width, cursor)
    widths = _stretched(columns, kept, width)
    placed: list[Placed] = []
    x = 0
    for number in kept:
        placed.append(Placed(number, columns[number], x, widths[number]))
        x += widths[number] + GAP
    return tuple(placed)


def _least(column: Column) -> int:
    """Return how narrow a column may become so that one more fits."""
    return (
        column.width
        if column.numeric or column.type in _RIGID
        else min(column.width, max(round(column.width * _MIN_SHARE), 8))
    )


def _by_priority(columns: Sequence[Column], width: int) -> list[int]:
    kept: list[int] = []
    used = 0
    for number in sorted(range(len(columns)), key=lambda number: (columns[number].priority, number)):
        need = _least(columns[number]) + (GAP if kept else 0)
        if kept and used + need > width:
            break
        kept.append(number)
        used += need
    return sorted(kept)


def _up_to(columns: Sequence[Column], width: int, cursor: int) -> list[int]:
    kept = [0, cursor] if cursor else [0]
    used = sum(_least(columns[number]) for number in kept) + GAP
    for number in range(cursor - 1, 0, -1):
        used += _least(columns[number]) + GAP
        if used > width:
            break
        kept.append(number)
    return sorted(kept)


def _stretched(columns: Sequence[Column], kept: Sequence[int], width: int) -> dict[int, int]:
    widths = {number: min(columns[number].width, width) for number in kept}
    spare = width - sum(widths.values()) - GAP * (len(kept) - 1)
    elastic = [number for number in kept if not columns[number].numeric]
    if spare < 0:
        for floor in (_least, lambda _: 4):
            for number in sorted(kept, key=lambda number: -columns[number].priority):
                taken = max(min(-spare, widths[number] - floor(columns[number])), 0)
                widths[number] -= taken
                spare += taken
        return widths
    weight = sum(widths[number] for number in elastic)
    for number in elastic:
        # A column never grows past twice what it asked for: white space at the end reads better than a void inside.
        widths[number] += min(spare * columns[number].width // max(weight, 1), columns[number].width)
    return widths
