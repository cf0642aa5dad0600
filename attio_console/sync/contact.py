"""Whether Attio can be reached and lets us in: one place that every worker reports to and waits on."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import datetime
from typing import Literal

from attio_console import errors
from attio_console.model.clock import Clock

Reach = Literal["starting", "online", "offline", "not-authorised"]

HISTORY = 8


class Contact:
    """The state of the line to one system. Workers call `ok` and `failed`; they wait with `online`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._event = asyncio.Event()
        self.reach: Reach = "starting"
        self.since: datetime = clock.now()
        self.last_contact: datetime | None = None
        self.error = ""
        self.hint = ""
        self.recent: deque[str] = deque(maxlen=HISTORY)
        self._changed: list[asyncio.Event] = []

    @property
    def is_online(self) -> bool:
        """Whether the last thing heard was an answer that lets us in."""
        return self.reach == "online"

    def ok(self) -> None:
        """Note that an answer arrived."""
        self.last_contact = self._clock.now()
        if self.reach != "online":
            self._become("online", None)

    def failed(self, error: Exception) -> None:
        """Note a failure; only those that concern the line itself change the state."""
        self.remember(error)
        if isinstance(error, errors.NotAuthorised):
            self._become("not-authorised", error)
        elif isinstance(error, errors.NetworkError) and not isinstance(error, errors.BreakerOpen):
            self._become("offline", error)

    def remember(self, error: Exception) -> None:
        """Keep a failure for the list of recent ones."""
        text = str(error) or type(error).__name__
        if not self.recent or self.recent[0] != text:
            self.recent.appendleft(text)

    async def online(self) -> None:
        """Return once the line is up."""
        await self._event.wait()

    def watch(self) -> asyncio.Event:
        """Return an event that is set whenever the state changes."""
        event = asyncio.Event()
        self._changed.append(event)
        return event

    def _become(self, reach: Reach, error: Exception | None) -> None:
        if reach != self.reach:
            self.since = self._clock.now()
            for event in self._changed:
                event.set()
        self.reach = reach
        self.error = "" if error is None else str(error)
        self.hint = error.hint if isinstance(error, errors.ConsoleError) else ""
        if reach == "online":
            self._event.set()
        else:
            self._event.clear()
