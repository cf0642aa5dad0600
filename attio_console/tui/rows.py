"""Rows as a table draws them, and the windows of them that are held."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

PAGE = 50
"""Rows fetched at a time."""

_HELD_PAGES = 64


@dataclass(frozen=True, slots=True)
class Slot:
    """One cell: its text, a sign before it, and a tone (dim, accent, pending, conflict, danger, good) or none."""

    text: str
    sign: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table. `key` names it for ever; `signs` stand beside the first column."""

    key: str
    slots: tuple[Slot, ...]
    signs: tuple[tuple[str, str], ...] = ()
    tone: str = ""


class RowSource(Protocol):
    """What a table shows: rows in an order, each with a key."""

    async def count(self) -> int:
        """Return how many rows there are."""

    async def window(self, start: int, count: int) -> Sequence[Line]:
        """Return `count` rows from `start`."""

    async def index_of(self, key: str) -> int | None:
        """Return where the row with that key is, or None."""

    async def keys(self) -> list[str]:
        """Return the keys of all rows, in order."""


class ListSource:
    """Rows that are all there already: queues, fields, partitions."""

    def __init__(self, lines: Iterable[Line] = ()) -> None:
        self._lines = list(lines)

    async def count(self) -> int:
        """Return how many rows there are."""
        return len(self._lines)

    async def window(self, start: int, count: int) -> Sequence[Line]:
        """Return `count` rows from `start`."""
        return self._lines[start : start + count]

    async def index_of(self, key: str) -> int | None:
        """Return where the row with that key is, or None."""
        return next((index for index, line in enumerate(self._lines) if line.key == key), None)

    async def keys(self) -> list[str]:
        """Return the keys of all rows, in order."""
        return [line.key for line in self._lines]


class Held:
    """The windows of a source that are in memory: the least recently drawn one is let go first."""

    def __init__(self, total: int = 0) -> None:
        self.total = total
        self._pages: OrderedDict[int, Sequence[Line]] = OrderedDict()

    def line(self, index: int) -> Line | None:
        """Return a row if its window is held."""
        page = self._pages.get(index // PAGE)
        if page is None:
            return None
        offset = index % PAGE
        return page[offset] if offset < len(page) else None

    def holds(self, page: int) -> bool:
        """Return whether a window is held."""
        return page in self._pages

    def put(self, page: int, lines: Sequence[Line]) -> None:
        """Keep a window."""
        self._pages[page] = lines
        self._pages.move_to_end(page)
        while len(self._pages) > _HELD_PAGES:
            self._pages.popitem(last=False)

    def around(self, first: int, last: int) -> range:
        """Return the windows that rows `first` to `last` are in."""
        top = max(min(last, self.total - 1), 0)
        return range(max(first, 0) // PAGE, top // PAGE + 1)

    def lines(self) -> Iterable[Line]:
        """Return every held row."""
        for page in self._pages.values():
            yield from page


async def load(source: RowSource, held: Held, pages: Iterable[int]) -> None:
    """Fetch the windows that are not held yet."""
    for page in pages:
        if not held.holds(page):
            held.put(page, await source.window(page * PAGE, PAGE))
