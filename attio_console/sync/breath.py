"""Long work on the event loop, in pieces that nobody notices."""

from __future__ import annotations

import asyncio
import time

_AT_ONCE_S = 0.004


class Breath:
    """Lets others have the loop whenever the work has held it for a few milliseconds."""

    def __init__(self) -> None:
        self._since = time.perf_counter()

    async def take(self) -> None:
        """Yield the loop if it was held long enough; call it after every small piece of work."""
        if time.perf_counter() - self._since > _AT_ONCE_S:
            await asyncio.sleep(0)
            self._since = time.perf_counter()
