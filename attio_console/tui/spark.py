"""Small pictures made of characters."""

from __future__ import annotations

from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[int], width: int, top: int = 0) -> str:
    """Return the newest `width` values as bars, the highest being at least `top`; nothing happening is a flat line."""
    shown = list(values[-width:])
    shown = [0] * (width - len(shown)) + shown
    highest = max(max(shown, default=0), top, 1)
    return "".join(_BARS[min(round(value / highest * (len(_BARS) - 1)), len(_BARS) - 1)] for value in shown)


def bar(share: float, width: int) -> str:
    """Return a share of one as a bar."""
    full = round(max(0.0, min(share, 1.0)) * width)
    return "▇" * full + "▁" * (width - full)
