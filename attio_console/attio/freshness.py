"""How old the answer to a query is: Attio's queries run a second or two behind its writes, and a header says how far."""

from __future__ import annotations

from datetime import datetime, timedelta

from attio_console.attio.wire import rows_of
from attio_console.model.clock import Clock
from attio_console.net import Response, http_date

ACCURATE_AT = "x-accurate-at"
_MOST_WAITS = 4


class Freshness:
    """Asks again until an answer is as of a given local time."""

    def __init__(self, clock: Clock, since: datetime | None) -> None:
        self._clock = clock
        self._since = since
        self._waits = 0

    def read(self, response: Response) -> tuple[list[bytes], datetime | None]:
        """Return an answer's rows and the local time its data is as of, None where it does not say."""
        return rows_of(response), self._as_of(response) if self._since is not None else None

    def _as_of(self, response: Response) -> datetime | None:
        told = response.headers.get(ACCURATE_AT)
        answered = http_date(response.headers.get("date"))
        if not told or answered is None:
            return None
        try:
            accurate = datetime.fromisoformat(told)
        except ValueError:
            return None
        if accurate.tzinfo is None:
            return None
        # Both stamps are the server's, so the local clock may be wrong; `Date` has whole seconds, hence the one more.
        behind = answered - accurate + timedelta(seconds=1)
        return self._clock.now() - timedelta(seconds=response.elapsed) - max(behind, timedelta(0))

    async def wait(self, as_of: datetime | None) -> bool:
        """Wait where the answer is too old, and return whether to ask again."""
        if self._since is None or as_of is None or as_of >= self._since or self._waits >= _MOST_WAITS:
            return False
        self._waits += 1
        await self._clock.sleep(max(0.05, min((self._since - as_of).total_seconds(), 3.0)))
        return True
