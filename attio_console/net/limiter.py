"""A sliding-window rate limiter with three lanes, shared by everything that uses one token.

The promise is about the server's clock: in no second does it see more than the limit. A permit counts from the
moment it is granted, and when the answer took longer than the quickest one seen, from as much later, because the
request may have travelled that long.
"""

from __future__ import annotations

import asyncio
import heapq
import math
from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

from attio_console.model.clock import Clock, SystemClock

Kind = Literal["read", "write"]

# A little over a second, so that what travels unevenly by this much still arrives a second apart.
_WINDOW_S = 1.01
_COVERED_S = 0.008
# How much later a request counts for having travelled more unevenly than that, on average and over a window's worth of
# requests together. It is what a promise kept on a busy day costs of the rate: 1.9 % of the reads, 4 % of the writes.
_DRIFT_S = 0.012
_DRIFT_OF_BEAT = 0.7
# The first requests open connections, all at once: they may use this many times as much.
_DRIFT_AT_FIRST = 4
# After so many answers the quickest is taken for how quick one can be.
_LEARN_FROM = 100
# How many requests of a person may go out at once, at least.
_AT_ONCE = 6
# How far a lane may fall behind its beat and still catch up.
_SLACK_S = 0.05


class Lane(IntEnum):
    """Who waits: a person, then the catch-up after webhooks, then the background scan. Strict priority."""

    INTERACTIVE = 0
    CATCHUP = 1
    SCAN = 2


@dataclass(frozen=True, slots=True)
class LimiterStats:
    """What the last second used, and whether the token is gated now."""

    reads_last_s: int
    writes_last_s: int
    read_limit: int
    write_limit: int
    gated_for_s: float
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Permit:
    """The right to send one request now."""

    kind: Kind
    at: float


@dataclass(order=True, slots=True)
class _Ticket:
    lane: Lane
    number: int
    turn: asyncio.Event = field(compare=False, default_factory=asyncio.Event)
    gone: bool = field(compare=False, default=False)


class _Window:
    """The grants of one kind within the last window, and who waits for the next one."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.beat = _WINDOW_S / limit
        self.stamps: list[float] = []
        self.queue: list[_Ticket] = []
        self.due = 0.0
        self.person_due = 0.0
        self.at_once = max(_AT_ONCE, limit // 4)
        self.drift = _DRIFT_S + _DRIFT_OF_BEAT * self.beat
        self.drift_left = limit * self.drift * _DRIFT_AT_FIRST

    def forget(self, before: float) -> None:
        """Drop the grants that no longer count."""
        del self.stamps[: bisect_right(self.stamps, before)]

    def wait(self, lane: Lane, now: float) -> float:
        """Return how long the head of that lane has to wait; 0 means now."""
        self.forget(now - _WINDOW_S)
        # Requests go out on an even beat, so that once the limit is reached one slot comes free every beat and nobody
        # at the head of a lane waits longer than that. Only the first few of a person's go out at once: a whole burst
        # would overtake itself on the way, and leave the next request to wait for the rest of the second.
        at_once = lane is Lane.INTERACTIVE and len(self.stamps) < self.at_once
        wait = 0.0 if at_once else (self.person_due if lane is Lane.INTERACTIVE else self.due) - now
        if len(self.stamps) >= self.limit:
            wait = max(wait, self.stamps[len(self.stamps) - self.limit] + _WINDOW_S - now)
        return wait

    def grant(self, lane: Lane, now: float) -> float:
        """Count one grant and return its stamp."""
        insort(self.stamps, now)
        # The background's beat comes later for each request of a person, a person's never for the background's.
        self.due = max(self.due, now - _SLACK_S) + self.beat
        if lane is Lane.INTERACTIVE:
            self.person_due = max(self.person_due, now - _SLACK_S) + self.beat
        self.drift_left = max(self.drift_left, min(self.limit * self.drift, self.drift_left + self.drift))
        return now

    def shift(self, stamp: float, by: float) -> float:
        """Let a grant count from later on, since its request may have arrived that much later; return from when."""
        by = min(by, self.drift_left)
        at = bisect_left(self.stamps, stamp)
        if by <= 0 or at == len(self.stamps) or self.stamps[at] != stamp:
            return stamp
        self.drift_left -= by
        del self.stamps[at]
        insort(self.stamps, stamp + by)
        return stamp + by

    def head(self) -> _Ticket | None:
        """Return whose turn it is."""
        while self.queue and self.queue[0].gone:
            heapq.heappop(self.queue)
        return self.queue[0] if self.queue else None


class Limiter:
    """At most so many reads and writes in any second, in three lanes, with a gate for the whole token."""

    def __init__(self, reads_per_s: int = 100, writes_per_s: int = 25, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._windows: dict[Kind, _Window] = {"read": _Window(reads_per_s), "write": _Window(writes_per_s)}
        self._gate = 0.0
        self._number = 0
        self._quickest = math.inf
        self._answers = 0
        self._early: list[tuple[_Window, float]] = []

    async def acquire(self, kind: Kind, lane: Lane = Lane.INTERACTIVE) -> Permit:
        """Wait for the turn of that lane and return the permit; first come, first served inside a lane."""
        window = self._windows[kind]
        now = self._clock.monotonic()
        if window.head() is None:
            # Nobody waited, so nobody fell behind the beat: an idle time is not made up for in a burst.
            window.due = max(window.due, now)
            window.person_due = max(window.person_due, now)
            if now >= self._gate and window.wait(lane, now) <= 0:
                return Permit(kind, window.grant(lane, now))
        self._number += 1
        ticket = _Ticket(lane, self._number)
        heapq.heappush(window.queue, ticket)
        try:
            while True:
                if window.head() is not ticket:
                    ticket.turn.clear()
                    await ticket.turn.wait()
                    continue
                now = self._clock.monotonic()
                wait = max(self._gate - now, window.wait(lane, now))
                if wait <= 0:
                    return Permit(kind, window.grant(lane, now))
                await self._clock.sleep(wait)
        finally:
            ticket.gone = True
            following = window.head()
            if following is not None:
                following.turn.set()

    def answered(self, permit: Permit) -> None:
        """Tell that the answer to that permit's request has arrived."""
        window = self._windows[permit.kind]
        took = self._clock.monotonic() - permit.at
        if took < self._quickest:
            # The first answers opened connections and were slow: what they were thought to have lost was too little.
            less = self._quickest - took
            self._quickest = took
            if math.isfinite(less):
                self._early = [(early, early.shift(stamp, less)) for early, stamp in self._early]
        else:
            # The floor rises slowly, so that a changed network is learnt.
            self._quickest += (took - self._quickest) * 0.0001
        stamp = window.shift(permit.at, took - self._quickest - _COVERED_S)
        if self._answers < _LEARN_FROM:
            self._answers += 1
            self._early.append((window, stamp))
            if self._answers == _LEARN_FROM:
                self._early.clear()
                for each in self._windows.values():
                    each.drift_left = min(each.drift_left, each.limit * each.drift)

    def gate(self, until_monotonic: float) -> None:
        """Hold every request of the token until then; a later gate wins."""
        self._gate = max(self._gate, until_monotonic)

    def stats(self) -> LimiterStats:
        """Return what the last second used."""
        now = self._clock.monotonic()
        used = {
            kind: len(window.stamps) - bisect_right(window.stamps, now - 1.0)
            for kind, window in self._windows.items()
        }
        return LimiterStats(
            reads_last_s=used["read"],
            writes_last_s=used["write"],
            read_limit=self._windows["read"].limit,
            write_limit=self._windows["write"].limit,
            gated_for_s=max(0.0, self._gate - now),
            waiting=sum(not t.gone for w in self._windows.values() for t in w.queue),
        )
