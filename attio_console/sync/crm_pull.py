"""The other system's records into the mirror: full scans that resume, changes since, deletions and merges."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from attio_console.crm.protocol import CrmClient, CrmRecord, Cursor
from attio_console.model.clock import Clock
from attio_console.model.times import instant, stamp
from attio_console.store import Store
from attio_console.store.types import PartitionState
from attio_console.sync.bus import Bus
from attio_console.sync.crm_context import CrmContext, external_row, external_stamp
from attio_console.sync.crm_repair import follow_merges
from attio_console.sync.mapping import collection_of
from attio_console.sync.status import Progress

# Search indexes late, and long transactions commit with an earlier stamp: what is older than this was seen for certain.
OVERLAP = {"hubspot": timedelta(seconds=60), "salesforce": timedelta(minutes=10)}
RESCAN_AFTER = timedelta(hours=24)
SWEEP_EVERY = timedelta(minutes=5)
# How far this machine's clock may be ahead of theirs.
SKEW = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Pulled:
    """What one read of a partition brought."""

    created: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    deleted: frozenset[str] = frozenset()
    merged: tuple[tuple[str, str], ...] = ()
    """(id that is gone, id that absorbed it)"""

    @property
    def touched(self) -> frozenset[str]:
        """Return every id that is different now."""
        return self.created | self.changed | self.deleted


class CrmPull:
    """Reads one external type."""

    def __init__(
        self, client: CrmClient, store: Store, bus: Bus, context: CrmContext, clock: Clock, external_type: str
    ) -> None:
        self._client = client
        self._store = store
        self._bus = bus
        self._context = context
        self._clock = clock
        self.external_type = external_type
        self.collection = collection_of(context.system, external_type)
        self.progress: Progress | None = None
        self.error = ""
        """why the last look failed, or nothing"""
        self._swept_at: datetime | None = None
        self._sweep_at_once = False

    @property
    def state(self) -> PartitionState:
        """Return where this partition stands."""
        return self._store.state.partition(self._context.system, self.external_type)

    @property
    def is_complete(self) -> bool:
        """Whether everything has been read at least once."""
        return self.state.scanned_at is not None

    def sweep_next(self) -> None:
        """Look for deletions and merges at the next pull, whenever the last look was."""
        self._sweep_at_once = True

    async def pull(self) -> Pulled:
        """Read what is new: everything the first time, then changes, now and then a sweep for deletions."""
        now = self._clock.now()
        state = self.state
        if state.scanned_at is None or now - state.scanned_at > RESCAN_AFTER or await self._wants_more():
            pulled = await self._scan()
        else:
            pulled = await self._changes(state)
            if self._sweep_at_once or self._swept_at is None or now - self._swept_at > SWEEP_EVERY:
                pulled = await self._sweep(pulled)
        self._bus.records(self.collection, pulled.touched)
        return pulled

    async def _wants_more(self) -> bool:
        """Whether a field is mapped that what was read so far does not have; a scan for fewer is given up."""
        wanted = sorted(self._fields())
        kept = self._store.state.get(self._fields_key) or {}
        if set(wanted) <= set(kept.get("read", ())):
            return False
        if kept.get("reading") != wanted:
            await self._store.mirror.abandon_scan(self.collection)
            await self._store.state.put(self._fields_key, {**kept, "reading": wanted})
        return True

    @property
    def _fields_key(self) -> str:
        return f"crm:{self._context.system}:{self.external_type}:fields"

    async def _scan(self) -> Pulled:
        store, fields = self._store, self._fields()
        scan = await store.mirror.begin_scan(self.collection)
        after = scan.cursor.decode() if scan.cursor else ""
        expected = store.mirror.size(self.collection) or None
        seen, newest = scan.seen, ""
        started = time.monotonic()
        created: set[str] = set()
        changed: set[str] = set()
        merged: set[tuple[str, str]] = set()
        async for page in self._client.scan(self.external_type, fields, after):
            await self._follow(_merges(page.records))
            rows = [external_row(record) for record in page.records]
            cursor = page.cursor.last_id.encode() if page.cursor else None
            result = await store.mirror.apply_page(self.collection, rows, scan=scan.scan, cursor=cursor)
            created.update(result.created)
            changed.update(result.changed)
            merged.update(_merges(page.records))
            newest = _latest([newest, *(record.modified_at for record in page.records)])
            seen += len(page.records)
            elapsed = max(time.monotonic() - started, 1e-6)
            rate = (seen - scan.seen) / elapsed
            eta = (expected - seen) / rate if expected and rate and expected > seen else None
            self.progress = Progress(seen, expected, rate, eta)
            self._bus.changed("status")
        deleted = await self._confirm_gone(await store.mirror.unseen(self.collection, scan.scan), merged)
        await store.mirror.finish_scan(self.collection, scan.scan)
        self.progress = None
        read = sorted(fields)
        await self._store.state.put(self._fields_key, {"read": read, "reading": read})
        # What changed behind the scan's back is older than the newest it saw: changes are asked for from its beginning.
        began = stamp(scan.started_at - SKEW)
        await self._keep(_earliest([newest, began]) or began, scanned=True)
        return Pulled(frozenset(created), frozenset(changed), frozenset(deleted), tuple(sorted(merged)))

    async def _confirm_gone(self, unseen: Sequence[str], merged: set[tuple[str, str]]) -> set[str]:
        if not unseen:
            return set()
        found = await self._client.get_many(self.external_type, unseen, self._fields())
        here = {record.id for record in found if not record.asked_id}
        merged.update(_merges(found))
        await self._follow(merged)
        gone = set(unseen) - here
        await self._store.mirror.delete(self.collection, sorted(gone))
        return gone

    async def _changes(self, state: PartitionState) -> Pulled:
        since = instant(state.cursor)
        if since is None:
            return await self._scan()
        overlap = OVERLAP.get(self._context.system, timedelta(minutes=1))
        created: set[str] = set()
        changed: set[str] = set()
        merged: set[tuple[str, str]] = set()
        newest = state.cursor
        start = Cursor(stamp(since - overlap))
        pages = self._client.changed(self.external_type, self._fields(), start, self._is_held)
        async for page in pages:
            fresh = [record for record in page.records if self._is_new(record)]
            if fresh:
                await self._follow(_merges(fresh))
                rows = [external_row(record) for record in fresh]
                result = await self._store.mirror.apply_page(self.collection, rows)
                created.update(result.created)
                changed.update(result.changed)
                merged.update(_merges(fresh))
            newest = _latest([newest, page.cursor.at if page.cursor else ""])
        gone = {lost for lost, _ in merged if self._store.mirror.raw(self.collection, lost) is not None}
        if gone:
            await self._store.mirror.delete(self.collection, sorted(gone))
        await self._keep(newest)
        return Pulled(frozenset(created), frozenset(changed), frozenset(gone), tuple(sorted(merged)))

    def _is_held(self, record_id: str, modified_at: str) -> bool:
        held = self._store.mirror.raw(self.collection, record_id)
        return held is not None and _not_older(external_stamp(held), modified_at)

    def _is_new(self, record: CrmRecord) -> bool:
        if record.asked_id:
            return True
        held = self._store.mirror.raw(self.collection, record.id)
        # The row of our own write may be newer than what a search still remembers.
        return held is None or _not_older(record.modified_at, external_stamp(held))

    async def _sweep(self, pulled: Pulled) -> Pulled:
        since = self._swept_at or self.state.scanned_at or self._clock.now() - timedelta(days=1)
        begun = self._clock.now()
        self._sweep_at_once = False
        deleted = set(await self._client.archived_since(self.external_type, since - SWEEP_EVERY))
        merges = {
            (m.lost_id, m.kept_id)
            for m in await self._client.merges_since(self.external_type, since - SWEEP_EVERY)
        }
        held = {i for i in deleted if self._store.mirror.raw(self.collection, i) is not None}
        absorbed: set[tuple[str, str]] = set(merges)
        await self._follow(absorbed)
        gone = await self._confirm_gone(sorted(held), absorbed)
        self._swept_at = begun
        return replace(
            pulled,
            deleted=pulled.deleted | gone,
            merged=tuple(sorted(set(pulled.merged) | absorbed)),
        )

    async def _follow(self, merged: set[tuple[str, str]]) -> None:
        """Let pairs follow a merge before the mirror knows of it: it is told once, and a death must not lose it."""
        if merged:
            kept = await follow_merges(self._store, self._context.system, self.external_type, sorted(merged))
            self._bus.records(self.collection, kept)
            if kept:
                self._bus.changed("conflicts")

    def _fields(self) -> tuple[str, ...]:
        return self._context.mapping.fields_of(self.external_type)

    async def _keep(self, cursor: str, *, scanned: bool = False) -> None:
        state = self.state
        scanned_at = self._clock.now() if scanned else state.scanned_at
        await self._store.state.put_partition(
            replace(state, cursor=cursor, scanned_at=scanned_at, state="live", error="")
        )


def _merges(records: Iterable[CrmRecord]) -> set[tuple[str, str]]:
    found = {(record.asked_id, record.id) for record in records if record.asked_id}
    return found | {(lost, record.id) for record in records for lost in record.absorbed if lost != record.id}


def _earliest(stamps: Iterable[str]) -> str:
    known = [(moment, text) for text in stamps if (moment := instant(text))]
    return min(known)[1] if known else ""


def _latest(stamps: Iterable[str]) -> str:
    known = [(moment, text) for text in stamps if (moment := instant(text))]
    return max(known)[1] if known else ""


def _not_older(left: str, right: str) -> bool:
    one, other = instant(left), instant(right)
    return one is None or other is None or one >= other
