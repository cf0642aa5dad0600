"""A table of any length that draws only what is seen.

Rows come from a `RowSource` in windows; rows, cursor and marks are known by key, never by position, so that
whatever happens to the data the cursor stays on its record.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial

from textual import events
from textual.geometry import Region
from textual.message import Message

from attio_console.errors import ConsoleError, Superseded
from attio_console.services.types import Column
from attio_console.tui.background import replacing
from attio_console.tui.rows import PAGE, Held, Line, ListSource, RowSource, load
from attio_console.tui.table_drawing import DrawnTable

_GLOW_S = 1.0


class VirtualTable(DrawnTable, can_focus=True):
    """A table over a `RowSource`; it asks for windows and never for everything."""

    @dataclass
    class CursorMoved(Message):
        """The cursor is on another row (or on none)."""

        table: VirtualTable
        key: str | None

    @dataclass
    class Opened(Message):
        """A row was double-clicked."""

        table: VirtualTable
        key: str

    @dataclass
    class HeaderClicked(Message):
        """A column's title was clicked."""

        table: VirtualTable
        column: Column

    @dataclass
    class Loaded(Message):
        """Rows were read; `total` is how many there are now, `arrived` how many were added above what is seen."""

        table: VirtualTable
        total: int
        arrived: int

    @dataclass
    class LoadFailed(Message):
        """Rows could not be read."""

        table: VirtualTable
        error: ConsoleError

    def __init__(
        self,
        *,
        id: str | None = None,
        classes: str | None = None,
        header: bool = True,
        cells: bool = True,
    ) -> None:
        super().__init__(id=id, classes=classes, header=header, cells=cells)
        self.range_from: str | None = None
        self.filling = False
        self.moved = False
        self.frozen = False
        self.missed = 0
        self._source: RowSource = ListSource()
        self._loading = False
        self._again = False
        self._missing = False
        self._settled = asyncio.Event()

    def line_of(self, key: str) -> Line | None:
        """Return a row that has been read, by its key."""
        return next((line for line in self._held.lines() if line.key == key), None)

    def show(
        self,
        source: RowSource,
        *,
        sorts: tuple[tuple[str, bool], ...] = (),
        cursor: str | None = None,
        forget: bool = False,
        same: bool = False,
    ) -> None:
        """Show another source (another filter, order or collection), keeping the cursor on its row where it is still there.

        `same` rows are the ones shown before, as they are now: where the cursor's row is gone, it stays at its place.
        """
        self._source = source
        self.sorts = sorts
        if forget:
            self.cursor_key, self.range_from, self.loaded = None, None, False
            self.cursor, self.cursor_column, self.moved = 0, 0, False
            self.marks.clear()
            self._glowing.clear()
            self._held = Held()
            self._strips.clear()
            self.scroll_to(y=0, animate=False)
        if cursor is not None:
            self.cursor_key, self.moved = cursor, True
        self._read(anchored=same)

    def reload(self, *, live: bool = False) -> None:
        """Read again. A live reload waits while the table is frozen, and counts what it missed."""
        if live and self.frozen:
            self.missed += 1
            self.refresh(Region(0, 0, self.size.width, 1))
            return
        if self._loading:
            self._again = True
            return
        self._read()

    def freeze(self, frozen: bool) -> None:
        """Hold the rows still, or let them follow the store again."""
        self.frozen = frozen
        if not frozen and self.missed:
            self.missed = 0
            self.reload()

    async def settled(self) -> None:
        """Wait until what was last asked for is shown."""
        if self._loading:
            await self._settled.wait()

    def _read(self, *, anchored: bool = True) -> None:
        self._loading = True
        self._settled.clear()
        replacing(self, "load", partial(self._load, anchored=anchored))

    async def _load(self, *, anchored: bool) -> None:
        source = self._source
        self._again = False
        try:
            held = Held(await source.count())
            place: tuple[int, str | None] | None = None
            # A person who moves while rows are read is followed: the cursor never jumps back under a key.
            while place != (self.cursor, self.cursor_key):
                place = (self.cursor, self.cursor_key)
                cursor, key = await self._find_cursor(source, held.total, anchored=anchored)
                shift = cursor - self.cursor if anchored and self.scroll_offset.y > 0 else 0
                top = max(self.scroll_offset.y + shift, 0)
                height = max(self.size.height, 1)
                if not top <= cursor < top + height:
                    top = max(cursor - height // 2, 0)
                await load(source, held, held.around(top, top + height))
                await load(source, held, held.around(cursor, cursor))
        except Superseded:
            self._finished()
            return
        except ConsoleError as error:
            self._finished()
            self.post_message(self.LoadFailed(self, error))
            return
        if source is not self._source:
            return
        self._accept(held, cursor, key, shift)

    async def _find_cursor(self, source: RowSource, total: int, *, anchored: bool) -> tuple[int, str | None]:
        key = self.cursor_key
        if self.filling and not self.moved:
            return 0, None  # While the first rows arrive, the top is where one begins to read.
        if key is not None:
            found = await source.index_of(key)
            if found is not None:
                return found, key
        # Its row is gone: deleted while looked at, the cursor stays where it was; filtered away, it starts over.
        return (min(self.cursor, max(total - 1, 0)) if anchored else 0), None

    def _accept(self, held: Held, cursor: int, key: str | None, shift: int) -> None:
        if self.loaded:
            self._light_up(held)
        arrived = max(shift, 0) if self.loaded else 0
        self._held = held
        self._strips.clear()
        self.loaded = True
        self._finished()
        self._resize_content()
        if shift:
            self.scroll_to(y=max(self.scroll_offset.y + shift, 0), animate=False)
        self.cursor = cursor
        line = held.line(cursor)
        moved = (line.key if line else None) != self.cursor_key or key is None
        self.cursor_key = line.key if line else None
        self._keep_in_view()
        self.refresh()
        self.post_message(self.Loaded(self, held.total, arrived))
        if moved:
            self.post_message(self.CursorMoved(self, self.cursor_key))
        if self._again:
            # No more than a few reads a second, however fast the store changes: each shows everything up to then.
            self.set_timer(0.1, self._read)

    def _finished(self) -> None:
        self._loading = False
        self._settled.set()

    def _light_up(self, held: Held) -> None:
        before = {line.key: line for line in self._held.lines()}
        lit: set[tuple[str, int]] = set()
        for line in held.lines():
            old = before.get(line.key)
            if old is None or old is line or len(old.slots) != len(line.slots):
                continue
            lit.update(
                (line.key, number)
                for number, (was, now) in enumerate(zip(old.slots, line.slots, strict=True))
                if was.text != now.text and not now.sign and now.tone != "dim"
            )
        if lit:
            self._glowing |= lit
            self.set_timer(_GLOW_S, lambda: self._dim(lit))

    def _dim(self, lit: set[tuple[str, int]]) -> None:
        self._glowing -= lit
        self._strips.clear()
        self.refresh()

    # -- moving -----------------------------------------------------------------------------------------------

    def move(self, index: int) -> None:
        """Put the cursor on a row, by position."""
        index = max(0, min(index, self.total - 1))
        if index == self.cursor or self.total == 0:
            return
        before = self.cursor
        self.cursor, self.moved = index, True
        line = self._held.line(index)
        self.cursor_key = line.key if line else None
        if not self._keep_in_view():
            self._refresh_row(before)
            self._refresh_row(index)
        if line is None:
            self._fetch_missing()
        self.post_message(self.CursorMoved(self, self.cursor_key))

    def move_column(self, step: int) -> None:
        """Move the column cursor; a column that did not fit comes into view."""
        number = max(0, min(self.cursor_column + step, len(self.columns) - 1))
        if number == self.cursor_column:
            return
        self.cursor_column = number
        before = self._placed
        self._lay_out()
        if self._placed != before:
            self._strips.clear()
        self.refresh()

    # -- marks ------------------------------------------------------------------------------------------------

    def toggle_mark(self) -> None:
        """Mark the row under the cursor, or take its mark away."""
        if self.cursor_key is not None:
            self.marks ^= {self.cursor_key}
            self._refresh_row(self.cursor)

    def set_marks(self, keys: set[str]) -> None:
        """Mark exactly these rows."""
        self.marks = set(keys)
        self.refresh()

    async def all_keys(self) -> list[str]:
        """Return the keys of everything the source shows, in order."""
        return await self._source.keys()

    async def all_lines(self) -> list[Line]:
        """Return everything the source shows, in order, a window at a time."""
        lines: list[Line] = []
        for start in range(0, self.total, PAGE * 10):
            lines.extend(await self._source.window(start, PAGE * 10))
        return lines

    # -- reading on ---------------------------------------------------------------------------------------------

    def _fetch_missing(self) -> None:
        if not self._missing and not self._loading:
            self._missing = True
            self.call_next(self._start_fetching)

    def _start_fetching(self) -> None:
        replacing(self, "fetch", self._fetch)

    async def _fetch(self) -> None:
        source, held = self._source, self._held
        top = self.scroll_offset.y
        # One screenful either way, so that the next page is there before it is asked for.
        rows = max(self.page_size, PAGE // 2)
        try:
            await load(source, held, held.around(self.cursor, self.cursor))
            await load(source, held, held.around(top, top + self.page_size))
            if held is self._held:
                self._fetched()
            await load(source, held, held.around(top - rows, top + 2 * rows))
        except Superseded:
            pass
        except ConsoleError as error:
            self.post_message(self.LoadFailed(self, error))
        finally:
            self._missing = False

    def _fetched(self) -> None:
        line = self._held.line(self.cursor)
        if line is not None and self.cursor_key is None:
            self.cursor_key = line.key
            self.post_message(self.CursorMoved(self, line.key))
        self.refresh()

    # -- the mouse --------------------------------------------------------------------------------------------

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the click was; open on a double click; sort on a title."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        placed = self._placed_at(offset.x)
        if offset.y < self._header:
            if placed is not None:
                self.post_message(self.HeaderClicked(self, placed.column))
            return
        index = self.scroll_offset.y + offset.y - self._header
        if index >= self.total:
            return
        if placed is not None and placed.number != self.cursor_column:
            self.move_column(placed.number - self.cursor_column)
        self.move(index)
        if event.ctrl:
            self.toggle_mark()
        elif event.chain == 2 and self.cursor_key is not None:
            self.post_message(self.Opened(self, self.cursor_key))
