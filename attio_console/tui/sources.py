"""Rows of the store as rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from attio_console.services.types import Cell, ConflictLine, TableQuery, TableRow
from attio_console.tui.prose import CONFLICT, EDIT_SIGNS, PAIRED
from attio_console.tui.rows import Line, Slot

if TYPE_CHECKING:
    from attio_console.services.console import Console

_KEYS_AT_ONCE = 2_000


class RecordSource:
    """A query of the mirror, in windows."""

    def __init__(self, console: Console, query: TableQuery, columns: Sequence[str]) -> None:
        self._console = console
        self._columns = tuple(columns)
        self.query = query

    async def count(self) -> int:
        """Return how many records the query has."""
        return await self._console.count(self.query)

    async def window(self, start: int, count: int) -> Sequence[Line]:
        """Return `count` records from `start`."""
        rows = await self._console.window(self.query, start, count, self._columns)
        return [record_line(row) for row in rows]

    async def index_of(self, key: str) -> int | None:
        """Return where a record stands in the query."""
        return await self._console.index_of(self.query, key)

    async def keys(self) -> list[str]:
        """Return the ids of all records of the query, in order."""
        keys: list[str] = []
        while rows := await self._console.window(self.query, len(keys), _KEYS_AT_ONCE, ()):
            keys.extend(row.record_id for row in rows)
            if len(rows) < _KEYS_AT_ONCE:
                break
        return keys


class ConflictSource:
    """The conflict queue: its order is known, its rows are read in windows."""

    def __init__(self, console: Console, ids: Sequence[int], draw: Callable[[ConflictLine], Line]) -> None:
        self._console = console
        self._ids = ids
        self._draw = draw
        self.lines: dict[str, ConflictLine] = {}

    async def count(self) -> int:
        """Return how many conflicts there are."""
        return len(self._ids)

    async def window(self, start: int, count: int) -> Sequence[Line]:
        """Return `count` conflicts from `start`."""
        wanted = self._ids[start : start + count]
        found = {line.conflict_id: line for line in self._console.conflict_lines(wanted)}
        self.lines |= {str(number): line for number, line in found.items()}
        # One that is gone since the order was read keeps its place until the queue is read again.
        return [
            self._draw(found[number]) if number in found else Line(str(number), (_EMPTY,))
            for number in wanted
        ]

    async def index_of(self, key: str) -> int | None:
        """Return where a conflict stands in the queue."""
        number = int(key)
        return self._ids.index(number) if number in self._ids else None

    async def keys(self) -> list[str]:
        """Return all conflicts, in order."""
        return [str(number) for number in self._ids]


def record_line(row: TableRow) -> Line:
    """Return a record as a row: open edits signed in their cell, the rest beside the first column."""
    signs: list[tuple[str, str]] = []
    if row.conflict:
        signs.append((CONFLICT, "conflict"))
    if row.edit and not any(cell.state for cell in row.cells):
        signs.append(EDIT_SIGNS[row.edit])
    if row.paired:
        signs.append((PAIRED, "dim"))
    return Line(row.record_id, tuple(_slot(cell) for cell in row.cells), tuple(signs))


def _slot(cell: Cell) -> Slot:
    if cell.state:
        sign, tone = EDIT_SIGNS[cell.state]
        return Slot(cell.text, sign, tone)
    return Slot(cell.text) if cell.text else _EMPTY


_EMPTY = Slot("—", "", "dim")
