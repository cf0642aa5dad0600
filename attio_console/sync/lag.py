"""How long changes take from their arrival to the screen."""

from __future__ import annotations

from collections import deque


class LagMeter:
    """Keeps the last lags, in seconds, and answers percentiles of them."""

    def __init__(self, size: int = 512) -> None:
        self._lags: deque[float] = deque(maxlen=size)

    def add(self, seconds: float) -> None:
        """Remember one lag."""
        self._lags.append(max(0.0, seconds))

    @property
    def last(self) -> float | None:
        """The newest lag, or None before the first."""
        return self._lags[-1] if self._lags else None

    def percentile(self, share: float) -> float | None:
        """Return the lag that this share of the remembered ones does not exceed, or None before the first."""
        if not self._lags:
            return None
        ordered = sorted(self._lags)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
