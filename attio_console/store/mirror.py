"""The local copy of a workspace: applied page by page, read by index, searched as somebody types."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import apsw
import msgspec

from attio_console.errors import StoreError
from attio_console.model.clock import Clock
from attio_console.model.schema import Schema
from attio_console.store import search
from attio_console.store.boards import board_columns
from attio_console.store.bodies import Decompressor
from attio_console.store.database import Database, Work
from attio_console.store.mirror_schema import SHIFT, span
from attio_console.store.orders import Orders
from attio_console.store.pages import Batch, PageWriter, index_some, index_when_idle
from attio_console.store.questions import axis_slugs, bind
from attio_console.store.scans import Scans
from attio_console.store.schema_diff import changed_attributes, compare
from attio_console.store.sql import ask
from attio_console.store.types import (
    Board,
    Hit,
    PageResult,
    Row,
    ScanState,
    SchemaDiff,
    Sort,
    Term,
    TermKind,
    View,
    Window,
)
from attio_console.store.views import Views

_BATCH = 50
"""Rows per transaction: large ones make commits that everybody waits for."""

_SMALL = 3000
"""Axes of collections up to this size are made while the first window waits for them."""


@dataclass(slots=True)
class _Page:
    collection: str
    scan: int | None
    failed: bool = False

    def fail(self) -> None:
        """Keep the rest of the page, and its cursor, from being stored."""
        self.failed = True


class Mirror:
    """Everything that can be pulled again."""

    def __init__(self, database: Database, clock: Clock, rebuilt: str = "") -> None:
        self._database = database
        self._clock = clock
        self.rebuilt = rebuilt
        """Why the mirror on disk was thrown away when it was opened, for the engine to pull again; '' if it was not."""
        self._writer = PageWriter()
        self._decompressor = Decompressor()
        self._orders = Orders()
        self._views = Views(database, self._decompressor, self._orders)
        self._scans = Scans(database, clock)
        self._numbers: dict[str, tuple[int, str]] = {}
        self.schema = self._load_schema()
        self._writer.use(self.schema)
        database.idle = self._when_idle

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
        self._orders.clear()
        return diff

    # ------------------------------------------------------------------------------------------- writing

    async def apply_page(
        self, collection: str, raws: Sequence[bytes], *, scan: int | None = None, cursor: bytes | None = None
    ) -> PageResult:
        """Compare raw records with what is here and store the ones that are new or different.

        The cursor is kept together with the last rows of the page: a page is done when this returns, not before.
        """
        result = PageResult([], [], 0)
        unchanged = 0
        # Handed in all at once, so that the writer never waits for this loop between two batches.
        page = _Page(collection, scan)
        batches = [
            self._submit(page, raws[at : at + _BATCH], cursor if at + _BATCH >= len(raws) else None)
            for at in range(0, max(len(raws), 1), _BATCH)
        ]
        for handed_in in batches:
            batch = await self._database.wait(handed_in)
            result.created.extend(batch.created)
            result.changed.extend(batch.changed)
            unchanged += batch.unchanged
        return PageResult(result.created, result.changed, unchanged)

    def _submit(self, page: _Page, raws: Sequence[bytes], cursor: bytes | None) -> asyncio.Future[Batch]:
        def job(work: Work) -> Batch:
            if page.failed:
                # The cursor must not pass rows that were not stored.
                raise StoreError("An earlier part of this page could not be stored.")
            work.undone.append(page.fail)
            work.undone.append(self._writer.forget)
            try:
                batch = self._writer.apply(work, page.collection, raws, scan=page.scan, cursor=cursor)
            except BaseException:
                page.fail()
                raise
            work.after.append(lambda: self._orders.follow(batch.versions, batch.orders))
            return batch

        future = self._database.submit(job)
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        return future

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
        return index_when_idle(work) or self._writer.axes.build_some(work, self._writer.schema)

    async def settle(self) -> None:
        """Wait until every row is in the full-text indexes and every axis that was asked for is made."""

        def job(work: Work) -> bool:
            return bool(index_some(work, 1000)) or self._writer.axes.build_some(work, self._writer.schema)

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

    # ------------------------------------------------------------------------------------------- reading one

    def _number(self, collection: str) -> int | None:
        known = self._numbers.get(collection)
        if known is None:
            row = self._database.one("SELECT no FROM collection WHERE name = ?", (collection,))
            if row is None:
                return None
            known = self._numbers[collection] = (int(row[0]), collection)
        return known[0]

    def raw(self, collection: str, record_id: str) -> bytes | None:
        """Return the bytes of a record as they were sent."""
        row = self.row(collection, record_id)
        return None if row is None else row.raw

    def row(self, collection: str, record_id: str) -> Row | None:
        """Return a record."""
        no = self._number(collection)
        if no is None:
            return None
        found = self._database.one(
            "SELECT r.label, b.dict, b.data FROM rec r JOIN body b ON b.id = r.id WHERE r.record_id = ? AND r.coll = ?",
            (record_id, no),
        )
        if found is None:
            return None
        return Row(record_id, found[0], self._body(found[1], found[2]), collection)

    def raws(self, collection: str, ids: Sequence[str]) -> dict[str, bytes]:
        """Return the bytes of several records; one that is not here is left out."""
        rows = ((record_id, self.raw(collection, record_id)) for record_id in ids)
        return {record_id: raw for record_id, raw in rows if raw is not None}

    def ids(self, collection: str) -> list[str]:
        """Return the ids of every record of a collection, in the order they came."""
        no = self._number(collection)
        if no is None:
            return []
        rows = self._database.rows("SELECT record_id FROM rec WHERE id >= ? AND id < ?", span(no))
        return [record_id for (record_id,) in rows]

    def label(self, record_id: str) -> str | None:
        """Return how a record is called, whichever collection it is in."""
        row = self._database.one("SELECT label FROM rec WHERE record_id = ? LIMIT 1", (record_id,))
        return None if row is None else row[0]

    def locate(self, record_id: str) -> str | None:
        """Return the collection that holds a record."""
        row = self._database.one(
            "SELECT c.name FROM rec r JOIN collection c ON c.no = r.coll WHERE r.record_id = ? LIMIT 1",
            (record_id,),
        )
        return None if row is None else row[0]

    def linked(self, collection: str, record_id: str) -> list[bytes]:
        """Return the entries, notes or tasks in that collection that hang on a record."""
        no = self._number(collection)
        if no is None:
            return []
        low, high = span(no)
        rows = self._database.rows(
            "SELECT b.dict, b.data FROM link l JOIN body b ON b.id = l.id WHERE l.record_id = ? AND l.id >= ? AND l.id < ?"
            " ORDER BY l.id",
            (record_id, low, high),
        )
        return [self._body(dictionary, data) for dictionary, data in rows]

    def _body(self, dictionary: int, data: bytes) -> bytes:
        try:
            return self._decompressor.decompress(self._database.reads, dictionary, data)
        except apsw.Error as error:
            raise self._database.fail(error) from error

    def size(self, collection: str) -> int:
        """Return how many records a collection holds."""
        row = self._database.one("SELECT size FROM collection WHERE name = ?", (collection,))
        return 0 if row is None else int(row[0])

    def collections(self) -> dict[str, int]:
        """Return the size of every collection that has ever held a record."""
        return dict(self._database.rows("SELECT name, size FROM collection ORDER BY no"))

    # ------------------------------------------------------------------------------------------- reading many

    async def window(self, view: View, start: int, count: int) -> Window:
        """Return some consecutive rows of a view."""
        state = self._state(view.collection)
        if state is None:
            return Window([], start)
        no, size, version = state
        building: float | None = None
        axes = await self._axes(no, view, wait=bool(view.terms) or size <= _SMALL)
        if axes is None:
            building = self._progress(no)
            view = View(view.collection, view.text, view.terms)
            axes = {}
        rows = await self._views.window(
            view, bind(view, no, axes), view.collection, size, version, start, count
        )
        return Window(rows, start, building)

    async def count(self, view: View) -> int:
        """Return how many rows a view holds."""
        state = self._state(view.collection)
        if state is None:
            return 0
        no, size, version = state
        question = bind(View(view.collection, view.text, view.terms), no, {})
        if not question.narrowed:
            return size
        question.axes = await self._axes(no, View(view.collection, terms=view.terms), wait=True) or {}
        return await self._views.count(view, question, version)

    async def index_of(self, view: View, record_id: str) -> int | None:
        """Return the position of a record in a view; None where the view leaves it out."""
        state = self._state(view.collection)
        if state is None:
            return None
        no, _, version = state
        found = self._database.one("SELECT id FROM rec WHERE record_id = ? AND coll = ?", (record_id, no))
        if found is None:
            return None
        axes = await self._axes(no, view, wait=True) or {}
        return await self._views.index_of(view, bind(view, no, axes), version, found[0])

    async def prepare(self, view: View) -> None:
        """Wait until the axes that a view sorts and filters by are made."""
        state = self._state(view.collection)
        if state is not None:
            await self._axes(state[0], view, wait=True)

    def _state(self, collection: str) -> tuple[int, int, int] | None:
        row = self._database.one("SELECT no, size, version FROM collection WHERE name = ?", (collection,))
        return None if row is None else (row[0], row[1], row[2])

    async def _axes(self, no: int, view: View, *, wait: bool) -> dict[str, int] | None:
        """Return the number of each axis a view needs, making those that are missing; None where one is not ready."""
        wanted = list(dict.fromkeys(axis_slugs(view)))
        if not wanted:
            return {}
        known = self._known_axes(no)
        missing = [slug for slug in wanted if slug not in known]
        if missing:

            def begin(work: Work) -> None:
                for slug in missing:
                    self._writer.axes.begin(work, no, slug)

            await self._database.run(begin)
            known = self._known_axes(no)
        for slug in wanted:
            number, ready = known[slug]
            if not ready and not wait:
                return None
            if not ready:
                await self._build(number)
        return {slug: known[slug][0] for slug in wanted}

    def _known_axes(self, no: int) -> dict[str, tuple[int, int]]:
        rows = self._database.rows("SELECT slug, no, ready FROM ax WHERE coll = ?", (no,))
        return {slug: (number, ready) for slug, number, ready in rows}

    async def _build(self, axis: int) -> None:
        def job(work: Work) -> bool:
            return self._writer.axes.build_some(work, self._writer.schema, axis)

        while await self._database.run(job):
            pass

    def _progress(self, no: int) -> float:
        row = self._database.one(
            "SELECT min(CAST(a.done & ? AS REAL) / max(c.next_seq - 1, 1)) FROM ax a JOIN collection c ON c.no = a.coll"
            " WHERE a.coll = ? AND NOT a.ready",
            ((1 << SHIFT) - 1, no),
        )
        return 1.0 if row is None or row[0] is None else min(float(row[0]), 1.0)

    # ------------------------------------------------------------------------------------------- finding

    async def find(self, text: str, collection: str | None = None, limit: int = 50) -> list[Hit]:
        """Return the best records for what was typed; a newer call interrupts this one, which raises Superseded.

        Without a collection: objects, notes and tasks. List entries are called like their parents, and rows of other
        CRMs like their pairs, so those are found only where their collection is named.
        """
        rows = self._database.rows("SELECT no, name FROM collection WHERE size > 0 ORDER BY no")
        wanted = [
            (no, name)
            for no, name in rows
            if (name == collection if collection else self._found_everywhere(name))
        ]
        reader = self._database.reader("find")
        return await reader.run(lambda c: search.find(c, reader, text, wanted, limit), topic="find")

    def _found_everywhere(self, name: str) -> bool:
        if name.startswith("attio:"):
            return True
        return ":" not in name and self.schema.list(name) is None

    async def warm(self) -> None:
        """Read what the first keystroke will need into the page cache."""

        def read(connection: apsw.Connection) -> None:
            ask(connection, "SELECT sort FROM rec ORDER BY coll, sort LIMIT 200")
            for table in ("words", "infix"):
                ask(connection, f"SELECT rowid FROM {table} WHERE {table} MATCH '\"ann\"*' LIMIT 1")

        await self._database.reader("find").run(read)

    # ------------------------------------------------------------------------------------------- boards

    async def board(self, list_id: str, status_slug: str, value_slug: str | None = None) -> Board:
        """Return how many rows stand in each status of a list or object, and the sum of a number over them."""
        state = self._state(list_id)
        if state is None:
            return Board(list_id, status_slug, ())
        sorts = (Sort(status_slug), *((Sort(value_slug),) if value_slug else ()))
        axes = await self._axes(state[0], View(list_id, sorts=sorts), wait=True) or {}
        fields = self.schema.collection(list_id)
        attribute = fields.attribute(status_slug) if fields else None
        columns = await self._database.reader("windows").run(
            lambda c: board_columns(c, axes[status_slug], axes[value_slug] if value_slug else None, attribute)
        )
        return Board(list_id, status_slug, columns)

    async def column(
        self, list_id: str, status_slug: str, status_id: str, start: int, count: int
    ) -> list[Row]:
        """Return some rows of one status, by label; '' stands for rows without a status."""
        if status_id:
            term = Term(status_slug, "=", TermKind.REF, (status_id,))
        else:
            term = Term(status_slug, "?", TermKind.SET, (), negated=True)
        return (await self.window(View(list_id, terms=(term,)), start, count)).rows
