"""The log of requests: what was asked of which system, how long it took, and the id that its support asks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from attio_console.model.text import plain
from attio_console.services.base import Bench


@dataclass(frozen=True, slots=True)
class RequestLine:
    """One request; `request_id` is Attio's x-attio-execution-id, or what the other system calls its own."""

    at: datetime
    system: str
    method: str
    path: str
    outcome: str
    ok: bool
    elapsed_ms: float
    waited_ms: float
    lane: str
    attempt: int
    size: int
    request_id: str


class RequestVerbs(Bench):
    """What this process asked the other systems."""

    def requests(self, limit: int = 500) -> list[RequestLine]:
        """Return the newest requests, newest first: no query, no header and no body is among what is kept."""
        from attio_console.net.log import RECENT

        return [
            RequestLine(
                one.at,
                one.system,
                one.method,
                plain(one.path),
                plain(one.outcome),
                one.outcome.isdigit() and int(one.outcome) < 400,
                one.elapsed_s * 1000,
                one.waited_s * 1000,
                one.lane,
                one.attempt,
                one.size,
                plain(one.request_id),
            )
            for one in RECENT.newest(limit)
        ]

    def requests_total(self) -> int:
        """Return how many requests this process made, remembered or not."""
        from attio_console.net.log import RECENT

        return RECENT.total

    def asked_elsewhere(self) -> int | None:
        """Return the process that runs the engine where it is another one: the requests are in its log."""
        lock = self.store.engine_lock
        return None if lock.held else lock.holder()
