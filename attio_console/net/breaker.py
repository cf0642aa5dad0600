"""A circuit breaker: after repeated failures a partition is left alone for a while, then tried once."""

from __future__ import annotations

from typing import Literal

from attio_console import errors
from attio_console.model.clock import Clock, SystemClock

BreakerState = Literal["closed", "open", "half-open"]


class Breaker:
    """Counts failures in a row of one partition. A 429 is not a failure: the limiter's gate answers that."""

    def __init__(
        self,
        name: str,
        clock: Clock | None = None,
        *,
        threshold: int = 5,
        cooldown_s: float = 5.0,
        longest_s: float = 120.0,
    ) -> None:
        self.name = name
        self._clock = clock or SystemClock()
        self._threshold = threshold
        self._first_cooldown_s = cooldown_s
        self._longest_s = longest_s
        self._cooldown_s = cooldown_s
        self._failures = 0
        self._opened_at: float | None = None
        self._probing = False

    @property
    def state(self) -> BreakerState:
        """Return closed (in use), open (left alone) or half-open (the next request is the test)."""
        if self._opened_at is None:
            return "closed"
        return "half-open" if self.retry_in_s <= 0 else "open"

    @property
    def retry_in_s(self) -> float:
        """Return how long the partition is still left alone."""
        if self._opened_at is None:
            return 0.0
        return max(0.0, self._opened_at + self._cooldown_s - self._clock.monotonic())

    def before(self) -> None:
        """Raise BreakerOpen unless a request may be tried now; half-open lets one through at a time."""
        if self._opened_at is None:
            return
        wait = self.retry_in_s
        if wait > 0 or self._probing:
            raise errors.BreakerOpen(
                f"{self.name} failed {self._failures} times in a row; it is tried again in {max(wait, 1):.0f} s.",
                retry_in_s=max(wait, 0.1),
            )
        self._probing = True

    def succeeded(self) -> None:
        """Count an answer, also one that says no: the partition works."""
        self._failures = 0
        self._opened_at = None
        self._probing = False
        self._cooldown_s = self._first_cooldown_s

    def failed(self) -> None:
        """Count a failure: a 5xx, a timeout or a lost connection."""
        self._failures += 1
        if self._probing:
            self._cooldown_s = min(self._cooldown_s * 2, self._longest_s)
        if self._probing or self._failures >= self._threshold:
            self._opened_at = self._clock.monotonic()
        self._probing = False

    def abandoned(self) -> None:
        """Take back a `before` whose request was cancelled or said nothing about the partition."""
        self._probing = False


class Breakers:
    """The breakers of one system, made on first use, one for each partition."""

    def __init__(self, system: str, clock: Clock | None = None) -> None:
        self._system = system
        self._clock = clock or SystemClock()
        self._by_name: dict[str, Breaker] = {}

    def __getitem__(self, partition: str) -> Breaker:
        breaker = self._by_name.get(partition)
        if breaker is None:
            breaker = self._by_name[partition] = Breaker(f"{self._system} {partition}", self._clock)
        return breaker

    def states(self) -> dict[str, BreakerState]:
        """Return the state of every partition used so far."""
        return {name: breaker.state for name, breaker in self._by_name.items()}
