"""A console on a filled store, driven by keys."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

sys.path.insert(0, str(Path(__file__).parent))

import workspace

from attio_console.services.opening import open_console
from attio_console.tui.app import ConsoleApp
from attio_console.tui.panes.conflicts import ConflictsPane
from attio_console.tui.panes.outbox import OutboxPane
from attio_console.tui.panes.pipelines import PipelinesPane
from attio_console.tui.panes.records import RecordsPane


@dataclass
class Desk:
    """The app, its pilot, and short words for what tests look at."""

    app: ConsoleApp
    pilot: Pilot[int]

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settled()

    async def type(self, text: str) -> None:
        await self.pilot.press(*("space" if char == " " else char for char in text))
        await self.settled()

    async def settled(self) -> None:
        """Wait until nothing a key started is still running."""
        for _ in range(200):
            busy = [
                w for w in self.app.workers if w.group != "session" and w.is_running and not self.asking(w)
            ]
            if not busy:
                break
            await asyncio.sleep(0.005)
        await self.pilot.pause()

    def asking(self, worker: Any) -> bool:
        return worker.group == "action" and len(self.app.screen_stack) > 1

    async def until(self, condition: Callable[[], object], what: str = "it", seconds: float = 6.0) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    await self.pilot.pause(0.01)
        except TimeoutError:
            pytest.fail(f"{what} did not happen; on screen was\n{self.screen_text()}")

    @property
    def records(self) -> RecordsPane:
        return self.app.main.query_one(RecordsPane)

    @property
    def pipelines(self) -> PipelinesPane:
        return self.app.main.query_one(PipelinesPane)

    @property
    def conflicts(self) -> ConflictsPane:
        return self.app.main.query_one(ConflictsPane)

    @property
    def outbox(self) -> OutboxPane:
        return self.app.main.query_one(OutboxPane)

    @property
    def said(self) -> list[str]:
        """What the toasts said, oldest first."""
        return [note.message for note in self.app._notifications]

    def screen_text(self) -> str:
        """Everything on screen, as text."""
        width, height = self.app.size
        lines = self.app.screen._compositor.render_strips()
        assert len(lines) <= height
        return "\n".join("".join(segment.text for segment in strip)[:width] for strip in lines)


Open = Callable[..., contextlib.AbstractAsyncContextManager[Desk]]


@pytest.fixture
def desk(tmp_path: Path) -> Open:
    @contextlib.asynccontextmanager
    async def opened(
        size: tuple[int, int] = (120, 36),
        people: int = 120,
        prepare: Callable[[Any], Any] | None = None,
        **more: Any,
    ) -> AsyncIterator[Desk]:
        async with workspace.filled(tmp_path, people) as store:
            if prepare is not None:
                await prepare(store)
        options = workspace.options(tmp_path, **more)
        app = ConsoleApp(lambda: open_console(options), engine=False, clock=options.clock)
        async with app.run_test(size=size, notifications=True) as pilot:
            desk = Desk(app, pilot)
            await desk.until(
                lambda: app.main.query("RecordsPane") and desk.records.records_table.loaded, "the first rows"
            )
            await desk.settled()
            yield desk
        await app.wait_closed()

    return opened
