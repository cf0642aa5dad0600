"""The local copy of a workspace: applied page by page, read by index, searched as somebody types."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import apsw
import msgspec

from attio_console.errors import StoreError
from attio_console.model.clock import Clock
from attio_console.model.schema import Schema
from attio_console.store.asking import Asking
from attio_console.store.database import Database, Work
from attio_console.store.extract import Extractor
from attio_console.store.pages import Batch, index_some, index_when_idle, merge_when_idle
from attio_console.store.prepare import Prepared, Preparer
from attio_console.store.scans import Scans
from attio_console.store.schema_diff import changed_attributes, compare
from attio_console.store.types import (
    PageResult,
    ScanState,
    SchemaDiff,
)

_BATCH = 125
"""Rows a job: enough that the threads seldom wait for each other, few enough that nobody waits long for a commit."""

_FEW = 50
"""So many rows go straight to the writer."""


@dataclass(slots=True)
class _Page:
    collection: str
    scan: int | None
    before: _Page | None = None
    """The page of the same scan that was on its way when this one was handed in."""
    complete: bool = False
    failed: bool = False

    def fail(self) -> None:
        """Keep the rest of the page, its cursor, and the page behind it from being stored."""
        self.failed = True

    def check(self) -> None:
        """Raise where the cursor would pass rows that were not stored."""
        before = self.before
        if before is not None and (before.failed or not before.complete):
            self.failed = True
        if self.failed:
            raise StoreError("An earlier part of this scan could not be stored.")
        self.before = None


class Mirror(Asking):
    """Everything that can be pulled again."""

    def __init__(self, database: Database, clock: Clock, rebuilt: str = "") -> None:
        super().__init__(database)
        self.rebuilt = rebuilt
        """Why the mirror on disk was thrown away when it was opened, for the engine to pull again; '' if it was not."""
        self._scans = Scans(database, clock)
        self._preparers: dict[str, Preparer] = {}
        self._pool = ThreadPoolExecutor(1, "pack bodies")
        self._on_their_way: dict[int, _Page] = {}
        self.schema = self._load_schema()
        self._writer.use(self.schema)
        database.idle = self._when_idle

    def close(self) -> None:
        """Stop compressing; before the database is closed, after its writer stopped."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    @property
    def path(self) -> Path:
        """Return where the mirror lies."""
        return self._database.path

    # ------------------------------------------------------------------------------------------- schema

    def _load_schema(self) -> Schema:
        row = self._database.one("SELECT value FROM meta WHERE key = 'schema'")
        return Schema() if row is None else msgspec.json.decode(row[0], type=Schema)

    def reload(self) -> None:
        """Read again what another process may have written."""
        self._orders.clear()
        self._numbers.clear()
        schema = self._load_schema()
        if schema != self.schema:
            self.schema = schema
            self._writer.use(schema)
            self._preparers.clear()

    async def put_schema(self, schema: Schema) -> SchemaDiff:
        """Keep the workspace's configuration and say what is different."""
        before = self.schema
        diff = compare(before, schema)

        def job(work: Work) -> None:
            work.execute(
                "INSERT OR REPLACE INTO meta (key, value) VALUES ('schema', ?)",
                (msgspec.json.encode(schema),),
            )
            self._writer.use(schema)
            for collection, slug in changed_attributes(before, schema):
                for (no,) in work.execute("SELECT no FROM collection WHERE name = ?", (collection,)):
                    self._writer.axes.drop(work, no, slug)

        await self._database.run(job)
        self.schema = schema
        self._preparers.clear()
        self._orders.clear()
        return diff

    # ------------------------------------------------------------------------------------------- writing

    async def apply_page(
        self, collection: str, raws: Sequence[bytes], *, scan: int | None = None, cursor: bytes | None = None
    ) -> PageResult:
        """Compare raw records with what is here and store the ones that are new or different.

        The cursor is kept together with the last rows of the page: a page is done when this returns, not before. The
        next page of a scan may be handed in meanwhile: it is stored after this one, and not at all if this one fails.
        """
        page = _Page(collection, scan, None if scan is None else self._on_their_way.get(scan))
        if scan is not None:
            self._on_their_way[scan] = page
        try:
            return await self._apply(page, raws, cursor)
        finally:
            if scan is not None and self._on_their_way.get(scan) is page:
                del self._on_their_way[scan]

    async def _apply(self, page: _Page, raws: Sequence[bytes], cursor: bytes | None) -> PageResult:
        # Pages of a scan take one way, however short they are: none may overtake the one before it.
        if page.scan is None and len(raws) <= _FEW:
            future, hand_in = self._job(page, [Prepared(raw) for raw in raws], cursor)
            hand_in()
            handed_in = [future]
        else:
            handed_in = await self._prepare(page, raws, cursor)
        result = PageResult([], [], 0)
        unchanged = 0
        for future in handed_in:
            batch = await self._database.wait(future)
            result.created.extend(batch.created)
            result.changed.extend(batch.changed)
            unchanged += batch.unchanged
        return PageResult(result.created, result.changed, unchanged)

    async def _prepare(
        self, page: _Page, raws: Sequence[bytes], cursor: bytes | None
    ) -> list[asyncio.Future[Batch]]:
        """Take the records apart on a reader's thread, which hands them to the writer as they get ready."""
        places = range(0, max(len(raws), 1), _BATCH)
        ready: list[list[Prepared]] = [[] for _ in places]
        jobs = [
            self._job(page, rows, cursor if at + _BATCH >= len(raws) else None)
            for at, rows in zip(places, ready, strict=True)
        ]
        preparer = self._preparer(page.collection)

        def prepare(connection: apsw.Connection) -> None:
            for at, rows, (_, hand_in) in zip(places, ready, jobs, strict=True):
                rows += preparer.prepare(connection, page.collection, raws[at : at + _BATCH])
                hand_in()
            page.complete = True

        await self._database.reader("prepare").run(prepare)
        return [future for future, _ in jobs]

    def _preparer(self, collection: str) -> Preparer:
        known = self._preparers.get(collection)
        if known is None:
            known = self._preparers[collection] = Preparer(
                Extractor(self.schema.collection(collection)), self._pool
            )
        return known

    def _job(
        self, page: _Page, rows: Sequence[Prepared], cursor: bytes | None
    ) -> tuple[asyncio.Future[Batch], Callable[[], None]]:
        def job(work: Work) -> Batch:
            page.check()
            work.undone.append(page.fail)
            work.undone.append(self._writer.forget)
            try:
                batch = self._writer.apply(work, page.collection, rows, scan=page.scan, cursor=cursor)
            except BaseException:
                page.fail()
                raise
            work.after.append(lambda: self._orders.follow(batch.versions, batch.orders))
            return batch

        future, hand_in = self._database.promise(job)
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        return future, hand_in

    async def delete(self, collection: str, ids: Sequence[str]) -> int:
        """Remove rows; return how many there were."""
        removed = 0
        for at in range(0, len(ids), _BATCH):
            removed += await self._delete_some(collection, ids[at : at + _BATCH])
        return removed

    async def _delete_some(self, collection: str, ids: Sequence[str]) -> int:
        def job(work: Work) -> int:
            batch = self._writer.delete(work, collection, ids)
            work.after.append(lambda: self._orders.follow(batch.versions, batch.orders))
            return len(batch.changed)

        return await self._database.run(job)

    async def move(self, collection: str, old_ids: Sequence[str], new_id: str) -> None:
        """Records were merged into one: drop the old rows and let what hangs on them hang on the new one."""
        gone = [old for old in old_ids if old != new_id]

        def job(work: Work) -> None:
            for old in gone:
                work.execute(
                    "INSERT OR IGNORE INTO link (record_id, id) SELECT ?, id FROM link WHERE record_id = ?",
                    (new_id, old),
                )
                work.execute("DELETE FROM link WHERE record_id = ?", (old,))

        await self._database.run(job)
        await self.delete(collection, gone)

    async def forget(self, collection: str) -> int:
        """Remove a collection that the workspace no longer has; return how many rows it had."""
        removed = 0
        while ids := [
            record_id
            for (record_id,) in self._database.rows(
                "SELECT r.record_id FROM collection c JOIN rec r ON r.coll = c.no WHERE c.name = ? LIMIT 500",
                (collection,),
            )
        ]:
            removed += await self.delete(collection, ids)

        def job(work: Work) -> None:
            for (no,) in work.execute("SELECT no FROM collection WHERE name = ?", (collection,)):
                self._writer.axes.drop(work, no)
                work.execute("DELETE FROM scan WHERE coll = ?", (no,))

        await self._database.run(job)
        return removed

    def _when_idle(self, work: Work) -> bool:
        return (
            index_when_idle(work)
            or self._writer.axes.build_some(work, self._writer.schema)
            or merge_when_idle(work)
        )

    async def settle(self) -> None:
        """Wait until every row is in the full-text indexes and every axis that was asked for is made."""

        def job(work: Work) -> bool:
            return bool(index_some(work, 2000)) or self._writer.axes.build_some(work, self._writer.schema)

        while await self._database.run(job):
            pass

    # ------------------------------------------------------------------------------------------- scans

    async def begin_scan(self, collection: str) -> ScanState:
        """Begin a full scan of a collection, or go on with the one that was interrupted."""
        return await self._scans.begin(collection)

    async def abandon_scan(self, collection: str) -> None:
        """Forget an interrupted scan, so that the next one begins at the start."""
        await self._scans.abandon(collection)

    def scan_state(self, collection: str) -> ScanState | None:
        """Return the last scan of a collection, finished or not."""
        return self._scans.state(collection)

    async def unseen(self, collection: str, scan: int) -> list[str]:
        """Return the ids of rows that were here before the scan began and that it did not see."""
        return await self._scans.unseen(collection, scan)

    async def finish_scan(self, collection: str, scan: int) -> None:
        """Mark a scan complete."""
        await self._scans.finish(collection, scan)
