"""May background work go on: not paused, and Attio can be reached."""

from __future__ import annotations

import asyncio

from attio_console.sync.contact import Contact


class Gate:
    """What every worker waits at before each unit of work."""

    def __init__(self, contact: Contact) -> None:
        self.contact = contact
        self._running = asyncio.Event()
        self._running.set()

    @property
    def paused(self) -> bool:
        """Whether a person has paused the engine."""
        return not self._running.is_set()

    def pause(self) -> None:
        """Hold every worker at its next unit of work."""
        self._running.clear()

    def resume(self) -> None:
        """Let the workers go on."""
        self._running.set()

    async def open(self) -> None:
        """Return once work may go on."""
        while self.paused or not self.contact.is_online:
            await self._running.wait()
            await self.contact.online()
