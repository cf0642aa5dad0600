"""Full scans of every object, list, the notes and the tasks: resumable, side by side, absent rows confirmed.

Attio cannot be asked what changed, so a scan reads everything and the store compares hashes.
"""

from __future__ import annotations

import asyncio
import random
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from attio_console import errors
from attio_console.model.clock import Clock
from attio_console.model.schema import Schema
from attio_console.net.retry import Backoff
from attio_console.store import Store
from attio_console.store.types import PartitionState, ScanState
from attio_console.sync.bus import Bus
from attio_console.sync.gate import Gate
from attio_console.sync.sources import Page, Source, Sources
from attio_console.sync.status import PartitionStatus, Progress

SIDE_BY_SIDE = 3
CONFIRMERS = 8
# A first pull this far along asks how much there is, so that it can tell the time left.
ESTIMATE_FROM = 2_500
# A scan that was interrupted and goes on much later has an old beginning: it is followed by another.
_OLD_SCAN = timedelta(hours=1)
_TURN_S = 0.0003
_FAILED_AGAIN = Backoff(base_s=1.0, cap_s=60.0)


@dataclass(slots=True)
class _Running:
    """What a partition is doing now; what must outlive the process is in the store."""

    source: Source
    wanted: str = ""
    reason: str = ""
    scanning: bool = False
    seen: int = 0
    expected: int | None = None
    started: float = 0.0
    seen_before: int = 0
    error: str = ""
    failures: int = 0
    again_at: float = 0.0
    done_here: bool = False
    created: int = 0
    changed: int = 0
    deleted: int = 0


class Puller:
    """Keeps every partition of Attio scanned; `request` asks for another scan, `run` does them."""

    def __init__(
        self,
        sources: Sources,
        store: Store,
        bus: Bus,
        gate: Gate,
        clock: Clock,
        rng: random.Random,
        on_missing: Callable[[], None],
    ) -> None:
        self._on_missing = on_missing
        self._sources = sources
        self._store = store
        self._bus = bus
        self._gate = gate
        self._clock = clock
        self._rng = rng
        self._partitions: dict[str, _Running] = {}
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()

    # ------------------------------------------------------------------------------------------------- asking

    def follow(self, schema: Schema) -> None:
        """Take the partitions of this schema; those that are new are scanned."""
        wanted = {source.collection: source for source in self._sources.of(schema)}
        for collection, source in wanted.items():
            running = self._partitions.get(collection)
            if running is None:
                self._partitions[collection] = _Running(source, wanted="first pull")
            else:
                running.source = source
        for collection in set(self._partitions) - set(wanted):
            del self._partitions[collection]
        self._kick()

    def request(self, reason: str, collections: Iterable[str] | None = None) -> None:
        """Ask for a scan of these collections, or of all; one that runs is followed by another."""
        for collection in self._partitions if collections is None else collections:
            running = self._partitions.get(collection)
            if running is not None:
                running.wanted = reason
                running.again_at = 0.0
        self._kick()

    async def settled(self) -> None:
        """Return once no scan runs or is wanted."""
        await self._idle.wait()

    @property
    def catching_up(self) -> str:
        """Return why scans run now, or nothing."""
        return next((r.wanted or r.reason for r in self._partitions.values() if r.wanted or r.scanning), "")

    @property
    def complete(self) -> bool:
        """Whether every partition was scanned to its end by this process and none is wanted again."""
        return bool(self._partitions) and all(
            r.done_here and not r.wanted and not r.scanning for r in self._partitions.values()
        )

    @property
    def ever_complete(self) -> bool:
        """Whether every partition was scanned to its end at some time, maybe by an earlier process."""
        return bool(self._partitions) and all(
            self._store.state.partition("attio", collection).scanned_at is not None
            for collection in self._partitions
        )

    def tally(self) -> dict[str, tuple[int, int, int]]:
        """Return how many rows each partition's scans created, changed and deleted here so far."""
        return {key: (r.created, r.changed, r.deleted) for key, r in self._partitions.items()}

    def status(self) -> list[PartitionStatus]:
        """Return what each partition is doing."""
        return [self._status(collection, running) for collection, running in self._partitions.items()]

    def _status(self, collection: str, running: _Running) -> PartitionStatus:
        kept = self._store.state.partition("attio", collection)
        progress = None
        if running.scanning:
            elapsed = self._clock.monotonic() - running.started
            rate = (running.seen - running.seen_before) / elapsed if elapsed > 0.05 else 0.0
            eta = None
            if running.expected is not None and rate > 0:
                eta = max(0.0, (running.expected - running.seen) / rate)
            progress = Progress(running.seen, running.expected, rate, eta)
        if running.error:
            state = "failing"
        elif running.scanning:
            state = "scanning"
        elif running.wanted:
            state = "waiting" if kept.scanned_at is None else "stale"
        else:
            state = "live"
        return PartitionStatus(
            system="attio",
            object=running.source.slug,
            label=running.source.label,
            state=state,
            records=self._store.mirror.size(collection),
            scanned_at=kept.scanned_at,
            progress=progress,
            error=running.error,
        )

    # ------------------------------------------------------------------------------------------------- scanning

    async def run(self) -> None:
        """Scan whatever is wanted, a few partitions side by side, until cancelled."""
        # Rows are taken apart, written and shown by three threads: with short turns, none holds up the screen.
        sys.setswitchinterval(min(sys.getswitchinterval(), _TURN_S))
        slots = asyncio.Semaphore(SIDE_BY_SIDE)
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._gate.open()
                self._wake.clear()
                now = self._clock.monotonic()
                for collection, running in list(self._partitions.items()):
                    if running.wanted and not running.scanning and running.again_at <= now:
                        running.scanning = True
                        tasks.create_task(self._partition(collection, running, slots))
                self._note_idle()
                await self._until_woken(now)

    async def _until_woken(self, now: float) -> None:
        waits = [r.again_at - now for r in self._partitions.values() if r.wanted and not r.scanning]
        try:
            async with asyncio.timeout(max(0.05, min(waits)) if waits else None):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _partition(self, collection: str, running: _Running, slots: asyncio.Semaphore) -> None:
        settled = False
        try:
            async with slots:
                await self._gate.open()
                running.reason, running.wanted = running.wanted, ""
                running.started = self._clock.monotonic()
                await self.scan(running)
            running.error, running.failures, running.done_here = "", 0, True
            settled = True
        except errors.ConsoleError as error:
            running.wanted = running.wanted or running.reason or "retry"
            settled = True
            await self._failed(collection, running, error)
        finally:
            if not settled:
                # Cancelled half-way: whoever runs this next goes on with it.
                running.wanted = running.wanted or running.reason
            running.scanning = False
            self._kick()
            self._bus.changed("status")

    async def _failed(self, collection: str, running: _Running, error: errors.ConsoleError) -> None:
        self._gate.contact.failed(error)
        if isinstance(error, (errors.NetworkError, errors.NotAuthorised)) and not isinstance(
            error, errors.BreakerOpen
        ):
            running.again_at = 0.0
            return
        running.failures += 1
        running.error = str(error)
        delay = _FAILED_AGAIN.wait(running.failures, self._rng)
        if isinstance(error, errors.Forbidden):
            # A missing scope does not mend itself: said, not insisted on. The next regular scan tries again.
            running.wanted, running.done_here = "", True
        elif isinstance(error, errors.NotFound):
            self._on_missing()
        elif isinstance(error, errors.Refused):
            # Where it stood may itself be what Attio does not accept: the next scan begins at the beginning.
            await self._store.mirror.abandon_scan(collection)
        running.again_at = self._clock.monotonic() + delay
        kept = self._store.state.partition("attio", collection)
        await self._store.state.put_partition(replace(kept, error=str(error)))

    async def scan(self, running: _Running) -> None:
        """Scan one partition from where it stands to its end."""
        source, mirror = running.source, self._store.mirror
        size = mirror.size(source.collection)
        state = await mirror.begin_scan(source.collection)
        running.seen = running.seen_before = state.seen
        running.expected = size if size > state.seen else None
        pages: asyncio.Queue[Page | errors.ConsoleError | None] = asyncio.Queue(maxsize=1)
        guessing: asyncio.Task[None] | None = None
        async with asyncio.TaskGroup() as tasks:
            fetching = tasks.create_task(self._fetch(source.pages(state.cursor), pages))
            try:
                applying: asyncio.Task[errors.ConsoleError | None] | None = None
                while (page := await pages.get()) is not None:
                    if isinstance(page, errors.ConsoleError):
                        raise page
                    # One page behind: this one is taken apart while the rows of the last are written.
                    last, applying = applying, tasks.create_task(self._apply(running, state, page))
                    await _stored(last)
                    if running.expected is None and running.seen >= ESTIMATE_FROM and guessing is None:
                        guessing = tasks.create_task(self._guess(running))
                await _stored(applying)
            except errors.ConsoleError as error:
                failure: errors.ConsoleError | None = error
            else:
                failure = None
            fetching.cancel()
            if guessing is not None:
                guessing.cancel()
        # Raised out here, so that it is not wrapped into a group.
        if failure is not None:
            raise failure
        await self._settle(running, state)
        if state.resumed and self._clock.now() - state.started_at > _OLD_SCAN:
            running.wanted = "the last scan was interrupted long ago"

    async def _fetch(
        self, source: AsyncIterator[Page], pages: asyncio.Queue[Page | errors.ConsoleError | None]
    ) -> None:
        # One page ahead: the network and the disk work at the same time.
        try:
            async for page in source:
                self._gate.contact.ok()
                await pages.put(page)
                await self._gate.open()
        except errors.ConsoleError as error:
            await pages.put(error)
        else:
            await pages.put(None)

    async def _guess(self, running: _Running) -> None:
        try:
            running.expected = await running.source.estimate(running.seen)
        except errors.ConsoleError as error:
            # Only the time left is not known.
            self._gate.contact.remember(error)

    async def _apply(self, running: _Running, state: ScanState, page: Page) -> errors.ConsoleError | None:
        collection = running.source.collection
        try:
            result = await self._store.mirror.apply_page(
                collection, page.raws, scan=state.scan, cursor=page.cursor
            )
        except errors.ConsoleError as error:
            return error
        running.seen += len(page.raws)
        running.created += len(result.created)
        running.changed += len(result.changed)
        self._bus.records(collection, (*result.created, *result.changed))
        self._bus.changed("status")
        return None

    async def _settle(self, running: _Running, state: ScanState) -> None:
        mirror, source = self._store.mirror, running.source
        await self._confirm_absent(running, await mirror.unseen(source.collection, state.scan))
        await mirror.finish_scan(source.collection, state.scan)
        await self._store.state.put_partition(
            PartitionState("attio", source.collection, state="live", scanned_at=self._clock.now())
        )

    async def _confirm_absent(self, running: _Running, unseen: list[str]) -> None:
        """Look at every row that the scan did not meet; only those that answer "not found" are deleted."""
        source = running.source
        waiting = iter(unseen)
        gone: list[str] = []
        found: list[bytes] = []
        failures: list[errors.ConsoleError] = []

        async def confirm() -> None:
            for row_id in waiting:
                try:
                    found.append(await source.get(row_id))
                except errors.NotFound:
                    gone.append(row_id)
                except errors.Refused as error:
                    # What has no id that Attio could have given came in a broken answer and is nobody's row.
                    if _is_uuid(row_id):
                        failures.append(error)
                    else:
                        gone.append(row_id)
                except errors.ConsoleError as error:
                    failures.append(error)
                if failures:
                    return

        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(CONFIRMERS, len(unseen))):
                tasks.create_task(confirm())
        if failures:
            raise failures[0]
        if found:
            result = await self._store.mirror.apply_page(source.collection, found)
            self._bus.records(source.collection, (*result.created, *result.changed))
        if gone:
            running.deleted += await self._store.mirror.delete(source.collection, gone)
            self._bus.records(source.collection, gone)

    # ------------------------------------------------------------------------------------------------- helpers

    def oldest_scan(self) -> datetime | None:
        """Return when the partition that was scanned longest ago was finished, or None where one never was."""
        times = [self._store.state.partition("attio", c).scanned_at for c in self._partitions]
        return None if not times or None in times else min(t for t in times if t is not None)

    def _kick(self) -> None:
        self._note_idle()
        self._wake.set()

    def _note_idle(self) -> None:
        if any(r.wanted or r.scanning for r in self._partitions.values()):
            self._idle.clear()
        elif self._partitions:
            self._idle.set()


def _is_uuid(row_id: str) -> bool:
    try:
        uuid.UUID(row_id)
    except ValueError:
        return False
    return True


async def _stored(applying: asyncio.Task[errors.ConsoleError | None] | None) -> None:
    """Wait for a page, and raise what kept it from being stored."""
    failure = None if applying is None else await applying
    if failure is not None:
        raise failure
