"""Keeps the workspace's configuration current: at the start, every half hour, and when an event or an unknown id says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from attio_console import errors
from attio_console.attio import AsyncAttio
from attio_console.model.clock import Clock
from attio_console.model.schema import Schema
from attio_console.net.limiter import Lane
from attio_console.store import Store
from attio_console.store.types import SchemaDiff
from attio_console.sync.bus import Bus
from attio_console.sync.contact import Contact
from attio_console.sync.gate import Gate

TTL_S = 30 * 60.0
# An id nobody knows asks for a refresh, but not a thousand times.
UNKNOWN_EVERY_S = 20.0


class SchemaKeeper:
    """Fetches the schema, stores it, and tells what is new."""

    def __init__(
        self,
        attio: AsyncAttio,
        store: Store,
        bus: Bus,
        contact: Contact,
        clock: Clock,
        on_diff: Callable[[SchemaDiff], None],
    ) -> None:
        self._attio = attio
        self._store = store
        self._bus = bus
        self._contact = contact
        self._clock = clock
        self._on_diff = on_diff
        self._lock = asyncio.Lock()
        self._due = asyncio.Event()
        self._fetched_at: float | None = None
        self._ready = asyncio.Event()

    @property
    def schema(self) -> Schema:
        """Return the schema as it is stored."""
        return self._store.mirror.schema

    async def ready(self) -> None:
        """Return once the schema was fetched by this process."""
        await self._ready.wait()

    def expire(self) -> None:
        """Ask for a refresh soon."""
        self._due.set()

    async def run(self, gate: Gate) -> None:
        """Refresh whenever it is due, until cancelled."""
        while True:
            await gate.open()
            try:
                await self.refresh(Lane.CATCHUP)
            except errors.ConsoleError as error:
                self._contact.failed(error)
                await self._clock.sleep(2.0)
                continue
            self._due.clear()
            try:
                async with asyncio.timeout(TTL_S):
                    await self._due.wait()
            except TimeoutError:
                continue

    async def refresh(self, lane: Lane = Lane.INTERACTIVE) -> SchemaDiff:
        """Fetch and store the schema now; those who ask at the same time share one answer."""
        asked = self._clock.monotonic()
        async with self._lock:
            if self._fetched_at is not None and self._fetched_at >= asked:
                return SchemaDiff()
            started = self._clock.monotonic()
            schema = await self._attio.schema(lane)
            self._contact.ok()
            diff = await self._store.mirror.put_schema(schema)
            for gone in diff.removed:
                await self._store.mirror.forget(gone)
            self._fetched_at = started
            self._ready.set()
        if diff:
            await self._store.cache.evict("schema")
            self._bus.changed("schema")
            self._on_diff(diff)
        return diff

    async def refresh_for_unknown(self) -> bool:
        """Refresh because an id is unknown, unless that was done just now; return whether it was done."""
        now = self._clock.monotonic()
        if self._fetched_at is not None and now - self._fetched_at < UNKNOWN_EVERY_S:
            return False
        await self.refresh(Lane.CATCHUP)
        return True
