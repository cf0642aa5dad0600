"""One opened console behind the screen: the engine at work, and what changed told to the screen once a frame."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from attio_console.errors import ConsoleError

if TYPE_CHECKING:
    from collections.abc import Callable

    from attio_console.services.console import Console
    from attio_console.tui.app import ConsoleApp

_FRAME_S = 1 / 30


class Session:
    """Holds the console open while the screen lives. The screen never waits for it."""

    def __init__(
        self, app: ConsoleApp, opener: Callable[[], AbstractAsyncContextManager[Console]], *, engine: bool
    ) -> None:
        self._app = app
        self._opener = opener
        self._engine = engine
        self._console: Console | None = None
        self._wake = asyncio.Event()
        self.engine_failure = ""
        self.started = False
        self.closed = asyncio.Event()

    @property
    def ready(self) -> bool:
        """Whether the console is open."""
        return self._console is not None

    @property
    def console(self) -> Console:
        """What the operator can do; only once it is open."""
        assert self._console is not None, "nothing may ask for the console before it is open"
        return self._console

    async def run(self) -> None:
        """Open the console, work until cancelled, put everything away."""
        self.started = True
        try:
            async with self._opener() as console:
                self._console = console
                self._app.opened()
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._watch(console))
                    if self._engine:
                        tasks.create_task(self._work(console))
        except ConsoleError as error:
            self._app.failed(error)
        finally:
            self.closed.set()

    async def _watch(self, console: Console) -> None:
        what: frozenset[str] = frozenset()
        async for changed in console.changes():
            what = changed.what
            self._app.store_changed(changed)
            # Everything that happens within a frame is one repaint: the console coalesces what comes meanwhile.
            await asyncio.sleep(_FRAME_S if "records" in what else 0)

    async def _work(self, console: Console) -> None:
        while True:
            try:
                await console.run_engine()
            except ConsoleError as error:
                self.engine_failure = f"The engine stopped: {error.advice}"
            except Exception as error:  # noqa: BLE001 - whatever it was, the console goes on over what is on disk
                self.engine_failure = f"The engine stopped unexpectedly: {type(error).__name__}: {error}."
            else:
                # It ended by itself: another process runs the engine, or this console was opened without one.
                return
            self._app.main.refresh_lines()
            self._wake.clear()
            await self._wake.wait()
            self.engine_failure = ""

    def restart_engine(self) -> None:
        """Start the engine again after it stopped."""
        self._wake.set()
