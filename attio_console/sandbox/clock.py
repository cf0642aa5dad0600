"""The sandbox's time: it runs like the machine's, and it can be pushed forward."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class SandboxClock:
    """The machine's clock plus whatever `advance` added; sleepers and scheduled calls notice the push.

    Give `start` to begin at a fixed instant (deterministic dates for a seed); give `frozen=True` to make time
    stand still between pushes.
    """

    def __init__(self, start: datetime | None = None, *, frozen: bool = False) -> None:
        self._start = start or datetime.now(UTC)
        self._origin = time.monotonic()
        self._frozen = frozen
        self._offset = 0.0
        self._order = 0
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._pushed: set[asyncio.Event] = set()

    def now(self) -> datetime:
        """Return the sandbox's wall clock, aware, in UTC."""
        return self._start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Return the sandbox seconds since the clock was made."""
        real = 0.0 if self._frozen else time.monotonic() - self._origin
        return real + self._offset

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Run `call` once the clock has gone that far: at the next request, push or tick of `run`."""
        self._order += 1
        heapq.heappush(self._later, (self.monotonic() + seconds, self._order, call))
        self._nudge()

    def pump(self) -> int:
        """Run every scheduled call that is due, in order, and say how many ran."""
        ran = 0
        while self._later and self._later[0][0] <= self.monotonic():
            _, _, call = heapq.heappop(self._later)
            call()
            ran += 1
        return ran

    def advance(self, seconds: float) -> None:
        """Push the clock forward; what became due runs in its own order, sleepers wake."""
        target = self.monotonic() + seconds
        while self._later and self._later[0][0] <= target:
            due, _, call = heapq.heappop(self._later)
            self._offset += max(0.0, due - self.monotonic())
            call()
        self._offset += max(0.0, target - self.monotonic())
        self._nudge()

    def resume(self, seconds: float) -> None:
        """Go on from a saved clock: so many sandbox seconds since it was made; what was scheduled is forgotten."""
        self._origin = time.monotonic()
        self._offset = seconds
        self._later = []
        self._pushed = set()

    async def sleep(self, seconds: float) -> None:
        """Wait that many sandbox seconds; an `advance` shortens the wait."""
        target = self.monotonic() + seconds
        while (left := target - self.monotonic()) > 0:
            await self._wait(left)

    async def run(self) -> None:
        """Run scheduled calls as they fall due, until cancelled."""
        while True:
            self.pump()
            left = self._later[0][0] - self.monotonic() if self._later else None
            await self._wait(left)

    async def _wait(self, seconds: float | None) -> None:
        pushed = asyncio.Event()
        self._pushed.add(pushed)
        try:
            async with asyncio.timeout(None if self._frozen or seconds is None else max(0.0, seconds)):
                await pushed.wait()
        except TimeoutError:
            return
        finally:
            self._pushed.discard(pushed)

    def _nudge(self) -> None:
        for pushed in self._pushed:
            pushed.set()
