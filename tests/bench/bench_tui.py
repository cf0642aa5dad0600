"""How quick the screen is: opening an object, and from a key press to the bytes for the terminal.

    python -m tests.bench.bench_tui [--rows 100000] [--presses 300] [--quick]

A key is handed to the app as the driver does, and timed until the first update that follows has been turned into the
string a terminal gets. The floor is Textual's own DataTable over as many rows, in the same run; beyond 20,000 rows it
takes too long to fill, and its figure is the one for 20,000.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from textual import events
from textual._compositor import CompositorUpdate
from textual.app import App, ComposeResult
from textual.screen import Screen
from textual.widgets import DataTable

sys.path.insert(0, str(Path(__file__).parent.parent / "tui"))

import workspace as w

from attio_console.services.opening import open_console
from attio_console.tui.app import ConsoleApp
from attio_console.tui.panes.records import RecordsPane

_FLOOR_ROWS = 20_000


class Watched:
    """Mixed into an app: says when an update has become a string for the terminal."""

    painted: asyncio.Event
    bytes_out: int

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if isinstance(renderable, CompositorUpdate):
            self.bytes_out = len(renderable.render_segments(self.console))  # type: ignore[attr-defined]
            self.painted.set()
        super()._display(screen, renderable)  # type: ignore[misc]


class WatchedConsole(Watched, ConsoleApp):
    """The console, watched."""


class Floor(Watched, App[None]):
    """Textual's own table."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        self.rows = rows

    def compose(self) -> ComposeResult:
        yield DataTable(cursor_type="row")

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        for title in ("Name", "Company", "E-mail", "Job title", "Phone", "Tags", "Score"):
            table.add_column(title, width=18)
        table.add_rows(
            (f"Person {n}", "Globex", f"p{n}@mail.example", "Head of Procurement", "+45 32 10 00 00", "", n)
            for n in range(self.rows)
        )
        table.focus()


async def press(app: Any, key: str, character: str | None) -> float:
    """Return the milliseconds from a key to the first update that follows."""
    app.painted.clear()
    event = events.Key(key, character)
    event.set_sender(app)
    started = time.perf_counter()
    app._driver.send_message(event)
    async with asyncio.timeout(10):
        await app.painted.wait()
    return (time.perf_counter() - started) * 1000


async def presses(app: Any, key: str, character: str | None, count: int) -> list[float]:
    """Time a key many times, with a breath between, as a person holding it down at 30 a second."""
    times = []
    for _ in range(count):
        times.append(await press(app, key, character))
        await asyncio.sleep(0.012)
    return times


def line(name: str, times: list[float]) -> str:
    """Return median, 99th percentile and maximum."""
    ordered = sorted(times)
    p99 = ordered[min(int(len(ordered) * 0.99), len(ordered) - 1)]
    return f"{name:<34} p50 {statistics.median(ordered):6.1f}   p99 {p99:6.1f}   max {ordered[-1]:6.1f} ms"


async def console(rows: int, count: int) -> None:
    """Time the console over that many records."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        started = time.perf_counter()
        async with w.filled(directory, rows):
            pass
        print(f"mirror of {rows:,} records filled in {time.perf_counter() - started:.1f} s")
        options = w.options(directory)
        gc.collect()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        app = WatchedConsole(lambda: open_console(options), engine=False, clock=options.clock)
        app.painted = asyncio.Event()
        started = time.perf_counter()
        async with app.run_test(size=(140, 45)) as pilot:
            async with asyncio.timeout(30):
                await app.painted.wait()
                first = time.perf_counter() - started
                while not (
                    app.main.query(RecordsPane) and app.main.query_one(RecordsPane).records_table.loaded
                ):
                    await asyncio.sleep(0.002)
            ready = time.perf_counter() - started
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before
            print(f"first picture {first:.2f} s, {rows:,} records ready {ready:.2f} s, +{memory:.0f} MB")
            await pilot.pause(0.3)
            for title, key, character, times in (
                ("down", "down", None, count),
                ("page down", "pagedown", None, min(count, 60)),
                ("end, home", "end", None, 1),
                ("mark", "space", " ", min(count, 60)),
                ("column right", "right", None, 4),
            ):
                print(line(f"console, {title}", await presses(app, key, character, times)))
            await pilot.press("g", "slash")
            typed = []
            for character in "person 0001":
                typed.append(await press(app, "space" if character == " " else character, character))
                await asyncio.sleep(0.03)
            print(line("console, a letter of the filter", typed))
        await app.wait_closed()


async def floor(rows: int, count: int) -> None:
    """Time Textual's own table."""
    app = Floor(min(rows, _FLOOR_ROWS))
    app.painted = asyncio.Event()
    started = time.perf_counter()
    async with app.run_test(size=(140, 45)) as pilot:
        await pilot.pause(0.5)
        print(f"floor: DataTable of {app.rows:,} rows ready {time.perf_counter() - started - 0.5:.2f} s")
        print(line("floor, down", await presses(app, "down", None, count)))
        print(line("floor, page down", await presses(app, "pagedown", None, min(count, 60))))


def main() -> None:
    """Run both, one after the other."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--presses", type=int, default=300)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    rows = 5_000 if arguments.quick else arguments.rows
    count = 60 if arguments.quick else arguments.presses
    asyncio.run(console(rows, count))
    asyncio.run(floor(rows, count))


if __name__ == "__main__":
    main()
