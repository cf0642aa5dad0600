"""Draws every picture of the docs from the demo data: `make screenshots`.

The same seed, a clock that stands still and fonts that are kept beside this file give the same pictures on every
machine. The engine really pulls, pairs and compares; once everything is quiet, it is told to pause where a picture
needs edits that wait. Three things are put in by hand, because they depend on the machine: the port of the webhook
listener, the minute of traffic in the Sync pane, and the order of conflicts that were found in the same instant.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from textual.pilot import Pilot

from attio_console.sandbox import SandboxOptions, running
from attio_console.sandbox.clock import SandboxClock
from attio_console.sandbox.populate import populate
from attio_console.sandbox.world import Settings, World
from attio_console.services.console import Console
from attio_console.services.demo import demo_options
from attio_console.services.opening import OpenOptions, open_console
from attio_console.services.types import SyncBoard, Traffic
from attio_console.tui.app import ConsoleApp
from attio_console.tui.panes.conflicts import ConflictsPane
from attio_console.tui.panes.records import RecordsPane
from screenshots.draw import picture

HERE = Path(__file__).parent
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
WIDE, NARROW = (120, 36), (80, 24)


class StillClock:
    """The wall clock stands still until it is set; waiting works as ever, so that the engine gets on."""

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._loop = asyncio.get_running_loop()

    def now(self) -> datetime:
        return self._at

    def monotonic(self) -> float:
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def advance(self, seconds: float) -> None:
        self._at += timedelta(seconds=seconds)


@dataclass
class Studio:
    """The console in front of the camera."""

    app: ConsoleApp
    pilot: Pilot[int]
    clock: StillClock

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            await self.rest()

    async def rest(self) -> None:
        """Wait until nothing moves any more."""
        quiet = 0
        while quiet < 3:
            busy = any(
                worker.is_running
                and worker.group != "session"
                and not (worker.group == "action" and len(self.app.screen_stack) > 1)
                for worker in self.app.workers
            )
            quiet = 0 if busy else quiet + 1
            await self.pilot.pause(0.03)

    async def until(self, condition: Callable[[], object], what: str) -> None:
        async with asyncio.timeout(60):
            while not condition():
                await self.pilot.pause(0.05)
        print(f"  {what}", file=sys.stderr)

    async def take(self, name: str, size: tuple[int, int] = WIDE) -> None:
        """Draw what is on screen."""
        await self.pilot.resize_terminal(*size)
        await self.rest()
        self.app.clear_notifications()
        self.app.main.refresh_lines()
        await self.rest()
        svg = self.app.export_screenshot(title="attio-console")
        picture(svg, HERE / name, columns=size[0])
        print(f"{name}: {size[0]}x{size[1]}", file=sys.stderr)


@asynccontextmanager
async def studio(directory: Path, records: int) -> AsyncIterator[Studio]:
    """Start the sandbox and the console on it, and wait until everything is pulled, paired and compared."""
    clock = StillClock(START)
    options = SandboxOptions(records=records, seed=1, webhook_http=True, limits=False)
    settings = Settings(limits=False, webhook_http=True)
    world = World(1, clock=SandboxClock(START, frozen=True), settings=settings)
    populate(world, records)
    async with running(options, world=world) as sandbox:
        opening = replace(demo_options(json.loads(sandbox.line()), directory), clock=clock, seed=1)
        app = ConsoleApp(lambda: _steady(opening), clock=clock)
        async with app.run_test(size=WIDE, notifications=True) as pilot:
            made = Studio(app, pilot, clock)
            await made.until(lambda: app.session.ready and app.main.query(RecordsPane), "opened")
            await made.until(lambda: app.verbs.headline().liveness == "live", "pulled")
            await _quiet(made)
            clock.advance(240)
            yield made
        await app.wait_closed()


@asynccontextmanager
async def _steady(opening: OpenOptions) -> AsyncIterator[Console]:
    async with open_console(opening) as console:
        read = console.sync_board
        console.sync_board = lambda: _posed(read())  # type: ignore[method-assign]
        queue = console.conflict_ids
        console.conflict_ids = lambda text="": _in_order(console, queue(text))  # type: ignore[method-assign]
        headline = console.headline
        console.headline = lambda: replace(headline(), sentence=_unlag(headline().sentence))  # type: ignore[method-assign]
        yield console


def _in_order(console: Console, ids: Sequence[int]) -> list[int]:
    lines = sorted(console.conflict_lines(ids), key=lambda line: (line.system, line.label, line.what))
    return [line.conflict_id for line in lines]


def _unlag(sentence: str) -> str:
    return re.sub(r"^\d+\.\d s$", "0.4 s", sentence)


def _posed(board: SyncBoard) -> SyncBoard:
    rng = random.Random(7)
    traffic = tuple(
        Traffic(
            line.system,
            _minute(rng, line.read_limit),
            _minute(rng, line.write_limit),
            line.read_limit,
            line.write_limit,
            line.quota,
        )
        for line in board.traffic
    )
    lags = {"attio": 0.4, "hubspot": 9.0, "salesforce": 8.0}
    parts = tuple(
        replace(part, lag_s=None if part.lag_s is None else lags.get(part.system, 1.0), error="")
        for part in board.partitions
    )
    listener = re.sub(r":\d{4,5}/", ":48787/", board.listener)
    return replace(board, traffic=traffic, partitions=parts, listener=listener)


def _minute(rng: random.Random, limit: int) -> tuple[int, ...]:
    return tuple(round(limit * rng.choice((0.0, 0.0, 0.02, 0.05, 0.1, 0.2, 0.4))) for _ in range(60))


async def _quiet(studio: Studio) -> None:
    """Wait until the number of conflicts and pairs has not changed for a while."""
    verbs = studio.app.verbs
    seen: tuple[int, ...] = ()
    since = 0
    while since < 60:
        board = verbs.sync_board()
        now = (
            verbs.conflict_count(),
            verbs.headline().outbox,
            board.inbox,
            *(part.pairs for part in board.partitions),
        )
        since = since + 1 if now == seen and now[0] else 0
        seen = now
        await studio.pilot.pause(0.1)
    print("  quiet", file=sys.stderr)


async def records(studio: Studio) -> None:
    """Records: the table with its preview, a filter, a record in full, help."""
    pane = studio.app.main.query_one(RecordsPane)
    await studio.until(lambda: pane.records_table.loaded, "rows")
    await studio.press("j", "j", "j", "j", "j", "j", "j")
    await studio.take("records")
    await studio.take("records-80x24", NARROW)
    await studio.pilot.resize_terminal(*WIDE)
    await studio.press("slash", *"mary", "enter")
    await studio.take("filter")
    await studio.press("escape")
    line = next(
        line
        for line in studio.app.verbs.conflicts(0, 1000)
        if line.kind == "field" and line.what.startswith("Job")
    )
    await studio.app.main.show_record(line.collection, line.record_id)
    await studio.rest()
    await studio.take("record")
    await studio.press("escape", "question_mark")
    await studio.take("help")
    await studio.press("escape")


async def pipelines(studio: Studio) -> None:
    """Pipelines: a board."""
    await studio.press("2", "l", "j")
    await studio.take("pipelines")


async def sync(studio: Studio) -> None:
    """Sync: everything in one look."""
    await studio.press("3")
    await studio.take("sync")


async def conflicts(studio: Studio) -> None:
    """Conflicts: the queue, and one of them being decided."""
    await studio.press("4")
    pane = studio.app.main.query_one(ConflictsPane)
    await studio.take("conflicts")
    for _ in range(pane.table.total):
        line = pane.line()
        if line is not None and line.kind == "field" and line.system == "salesforce" and "Phone" in line.what:
            break
        await studio.press("j")
    await studio.press("enter", "left")
    await studio.take("conflict")
    await studio.take("conflict-80x24", NARROW)
    await studio.pilot.resize_terminal(*WIDE)
    await studio.press("exclamation_mark", "enter")
    await studio.take("rule")
    await studio.press("escape", "t")
    await studio.take("timeline")
    await studio.press("escape", "u", "escape")


async def outbox(studio: Studio) -> None:
    """Outbox and history: edits of a paused console."""
    verbs = studio.app.verbs
    await studio.press("1", "P")
    await studio.until(lambda: verbs.headline().liveness == "paused", "paused")
    pane = studio.app.main.query_one(RecordsPane)
    keys = [line.key for line in (await pane.records_table.all_lines())[:4]]
    await verbs.edit(pane.collection, keys[:1], "job_title", "Head of Procurement")
    await verbs.edit(pane.collection, keys[1:4], "job_title", "Partner Manager")
    await verbs.add_task(pane.collection, keys[0], "Send the contract by Friday", "2026-11-27", "")
    pipeline = verbs.pipelines()[0]
    board = await verbs.board(pipeline.list_id)
    (card,) = await verbs.cards(pipeline.list_id, board.columns[0].status_id, 0, 1)
    await verbs.move(pipeline.list_id, [card.entry_id], board.columns[1].status_id)
    studio.clock.advance(130)
    await studio.press("5")
    await studio.take("outbox")
    await studio.press("right_square_bracket")
    await studio.take("history")


SCENES: tuple[Callable[[Studio], Awaitable[None]], ...] = (records, pipelines, sync, conflicts, outbox)


async def main() -> None:
    """Take every picture."""
    with tempfile.TemporaryDirectory() as name:
        async with studio(Path(name), records=2_000) as made:
            for scene in SCENES:
                await scene(made)


if __name__ == "__main__":
    asyncio.run(main())
