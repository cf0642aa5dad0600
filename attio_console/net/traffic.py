"""Requests per second of the last minutes, for a sparkline."""

from __future__ import annotations

from attio_console.model.clock import Clock, SystemClock

_KEPT_S = 300


class Traffic:
    """A ring of per-second counters for each system and kind (read, write, 429, error)."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._counts: dict[tuple[str, str], list[int]] = {}
        self._seconds: dict[tuple[str, str], list[int]] = {}

    def record(self, system: str, kind: str) -> None:
        """Count one."""
        key = (system, kind)
        second = int(self._clock.monotonic())
        counts = self._counts.get(key)
        if counts is None:
            counts = self._counts[key] = [0] * _KEPT_S
            self._seconds[key] = [-1] * _KEPT_S
        at = second % _KEPT_S
        if self._seconds[key][at] != second:
            self._seconds[key][at] = second
            counts[at] = 0
        counts[at] += 1

    def series(self, seconds: int = 60, *, system: str | None = None, kind: str | None = None) -> list[int]:
        """Return the counts of the last whole seconds, oldest first, summed over what is not named."""
        newest = int(self._clock.monotonic())
        wanted = range(newest - min(seconds, _KEPT_S) + 1, newest + 1)
        result = [0] * len(wanted)
        for key, counts in self._counts.items():
            if (system is None or key[0] == system) and (kind is None or key[1] == kind):
                stamps = self._seconds[key]
                for index, second in enumerate(wanted):
                    if stamps[second % _KEPT_S] == second:
                        result[index] += counts[second % _KEPT_S]
        return result
