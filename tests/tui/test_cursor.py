"""Where the cursor is while rows come and go under it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from textual.app import App, ComposeResult
from textual.pilot import Pilot

from attio_console.services.types import Column
from attio_console.tui.pane import focus_now
from attio_console.tui.rows import Line, Slot
from attio_console.tui.table import VirtualTable


class Growing:
    """Rows in alphabetical order; reading can be held up in the middle."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = sorted(names)
        self.open = asyncio.Event()
        self.open.set()
        self.asked = asyncio.Event()

    async def count(self) -> int:
        return len(self.names)

    async def window(self, start: int, count: int) -> Sequence[Line]:
        self.asked.set()
        await self.open.wait()
        return [Line(name, (Slot(name),)) for name in self.names[start : start + count]]

    async def index_of(self, key: str) -> int | None:
        return self.names.index(key) if key in self.names else None

    async def keys(self) -> list[str]:
        return list(self.names)


class OneTable(App[None]):
    """Nothing but a table."""

    def compose(self) -> ComposeResult:
        yield VirtualTable()


async def filled(pilot: Pilot[None], source: Growing) -> VirtualTable:
    table = pilot.app.query_one(VirtualTable)
    table.set_columns((Column("name", "Name", "text", 30, 1),))
    table.show(source)
    await pilot.pause()
    return table


async def test_while_the_first_rows_arrive_the_cursor_stays_at_the_top_until_it_is_moved() -> None:
    async with OneTable().run_test() as pilot:
        source = Growing(["m", "n"])
        table = await filled(pilot, source)
        table.filling = True
        source.names[:0] = ["a", "b"]
        table.reload(live=True)
        await pilot.pause()
        assert (table.cursor, table.cursor_key) == (0, "a")

        table.move(2)
        source.names[:0] = ["0"]
        table.reload(live=True)
        await pilot.pause()
        assert (table.cursor, table.cursor_key) == (3, "m")


async def test_once_the_rows_are_there_a_row_above_leaves_the_cursor_on_its_record() -> None:
    async with OneTable().run_test() as pilot:
        source = Growing(["m", "n"])
        table = await filled(pilot, source)
        source.names[:0] = ["a"]
        table.reload(live=True)
        await pilot.pause()
        assert (table.cursor, table.cursor_key) == (1, "m")


async def test_a_key_pressed_while_rows_are_read_again_is_not_taken_back() -> None:
    async with OneTable().run_test() as pilot:
        source = Growing(["m", "n", "o"])
        table = await filled(pilot, source)
        source.open.clear()
        source.asked.clear()
        table.reload(live=True)
        await source.asked.wait()
        table.move(1)
        source.open.set()
        await pilot.pause()
        await pilot.pause()
        assert (table.cursor, table.cursor_key) == (1, "n")


async def test_focus_for_what_is_gone_already_is_nobodys_business() -> None:
    async with OneTable().run_test() as pilot:
        table = pilot.app.query_one(VirtualTable)
        await table.remove()
        focus_now(table)
        assert pilot.app.focused is None
