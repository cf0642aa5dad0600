"""Where the rows of each collection come from: objects, lists, notes and tasks behind one face."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from attio_console import errors
from attio_console.attio import AsyncAttio, ScanCursor
from attio_console.model.schema import Schema
from attio_console.net.limiter import Lane
from attio_console.sync import offset_scan
from attio_console.sync.offset_scan import OffsetCursor

NOTES = "attio:notes"
TASKS = "attio:tasks"

NOTE_PAGE = 50
TASK_PAGE = 500
MANY_PAGE = 500

# Up to here rows are read one by one: that answer is never a second old, as a query's may be.
FEW = 3
_AT_ONCE = 10
# How exactly the size of what is pulled for the first time is guessed, for the time left.
ESTIMATE_WITHIN = 0.03


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a scan as they came, and where to go on behind them."""

    raws: list[bytes]
    cursor: bytes | None


class Source(Protocol):
    """One collection of Attio."""

    collection: str
    slug: str
    label: str

    def pages(self, cursor: bytes | None) -> AsyncIterator[Page]:
        """Yield everything, from the cursor on."""

    async def get(self, row_id: str, lane: Lane = Lane.SCAN) -> bytes:
        """Return one row as it is now; raises NotFound."""

    async def estimate(self, at_least: int) -> int | None:
        """Return about how many rows there are, or None where that cannot be known."""

    async def look(
        self, row_ids: Sequence[str], *, presumed_gone: Collection[str] = (), confirm: bool = True
    ) -> tuple[list[bytes], set[str]]:
        """Return these rows as they are, and the ids that are gone for certain."""


class _Ids(msgspec.Struct):
    record_id: str = ""
    entry_id: str = ""
    note_id: str = ""
    task_id: str = ""


class _Head(msgspec.Struct):
    id: _Ids


_HEAD = msgspec.json.Decoder(_Head)


def id_of(raw: bytes) -> str:
    """Return the id that names the row in its collection."""
    ids = _HEAD.decode(raw).id
    return ids.entry_id or ids.note_id or ids.task_id or ids.record_id


class _Looking:
    """Reading single rows, for every kind of source."""

    async def get(self, row_id: str, lane: Lane = Lane.SCAN) -> bytes:
        raise AssertionError(f"{type(self).__name__} reads no {row_id} in lane {lane}")

    async def _get_many(self, row_ids: list[str]) -> list[bytes] | None:
        """Return those of the rows that a query finds, or None where there is no such query."""
        del row_ids
        return None

    async def _has(self, offset: int) -> bool | None:
        """Return whether there are more rows than that, or None where that cannot be asked cheaply."""
        del offset
        return None

    async def estimate(self, at_least: int) -> int | None:
        """Return about how many rows there are: Attio tells no totals, so offsets are tried, doubling and halving."""
        low, high = at_least, max(1, at_least) * 2
        while (more := await self._has(high)) is True:
            low, high = high, high * 2
        if more is None:
            return None
        while high - low > max(MANY_PAGE, low * ESTIMATE_WITHIN):
            middle = (low + high) // 2
            if await self._has(middle):
                low = middle
            else:
                high = middle
        return (low + high) // 2

    async def look(
        self, row_ids: Sequence[str], *, presumed_gone: Collection[str] = (), confirm: bool = True
    ) -> tuple[list[bytes], set[str]]:
        """Read a few one by one and many by query; what a query misses is asked for by itself."""
        if len(row_ids) <= FEW:
            return await self._each(row_ids, presumed_gone)
        found: list[bytes] = []
        for start in range(0, len(row_ids), MANY_PAGE):
            rows = await self._get_many(list(row_ids[start : start + MANY_PAGE]))
            if rows is None:
                return await self._each(row_ids, presumed_gone)
            found += rows
        if not confirm:
            return found, set()
        met = {id_of(raw) for raw in found}
        more, gone = await self._each([row_id for row_id in row_ids if row_id not in met], presumed_gone)
        return found + more, gone

    async def _each(
        self, row_ids: Sequence[str], presumed_gone: Collection[str] = ()
    ) -> tuple[list[bytes], set[str]]:
        found: list[bytes] = []
        gone: set[str] = {row_id for row_id in row_ids if row_id in presumed_gone}
        waiting = iter([row_id for row_id in row_ids if row_id not in gone])
        failures: list[errors.ConsoleError] = []

        async def read() -> None:
            for row_id in waiting:
                try:
                    found.append(await self.get(row_id, Lane.CATCHUP))
                except errors.NotFound:
                    gone.add(row_id)
                except errors.ConsoleError as error:
                    failures.append(error)
                if failures:
                    return

        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(_AT_ONCE, len(row_ids))):
                tasks.create_task(read())
        if failures:
            raise failures[0]
        return found, gone


class ObjectSource(_Looking):
    """The records of one object."""

    def __init__(self, attio: AsyncAttio, object_id: str, slug: str, label: str) -> None:
        self._attio = attio
        self.collection = object_id
        self.slug = slug
        self.label = label

    async def pages(self, cursor: bytes | None) -> AsyncIterator[Page]:
        """Yield every record in the order of creation, from the cursor on."""
        after = msgspec.json.decode(cursor, type=ScanCursor) if cursor else None
        async for page in self._attio.records.scan(self.collection, after=after, lane=Lane.SCAN):
            yield Page(page.raws, msgspec.json.encode(page.cursor) if page.cursor else None)

    async def get(self, row_id: str, lane: Lane = Lane.SCAN) -> bytes:
        """Return one record as it is now."""
        return await self._attio.records.get_raw(self.collection, row_id, lane=lane)

    async def _get_many(self, row_ids: list[str]) -> list[bytes] | None:
        return await self._attio.records.get_many_raw(self.collection, row_ids, lane=Lane.CATCHUP)

    async def _has(self, offset: int) -> bool | None:
        return bool(
            await self._attio.records.query_raw(self.collection, limit=1, offset=offset, lane=Lane.SCAN)
        )


class ListSource(_Looking):
    """The entries of one list."""

    def __init__(self, attio: AsyncAttio, list_id: str, slug: str, label: str) -> None:
        self._attio = attio
        self.collection = list_id
        self.slug = slug
        self.label = label

    async def pages(self, cursor: bytes | None) -> AsyncIterator[Page]:
        """Yield every entry in the order of creation, from the cursor on."""
        after = msgspec.json.decode(cursor, type=ScanCursor) if cursor else None
        async for page in self._attio.lists.entries.scan(self.collection, after=after, lane=Lane.SCAN):
            yield Page(page.raws, msgspec.json.encode(page.cursor) if page.cursor else None)

    async def get(self, row_id: str, lane: Lane = Lane.SCAN) -> bytes:
        """Return one entry as it is now."""
        return await self._attio.lists.entries.get_raw(self.collection, row_id, lane=lane)

    async def _get_many(self, row_ids: list[str]) -> list[bytes] | None:
        return await self._attio.lists.entries.get_many_raw(self.collection, row_ids, lane=Lane.CATCHUP)

    async def _has(self, offset: int) -> bool | None:
        return bool(
            await self._attio.lists.entries.query_raw(self.collection, limit=1, offset=offset, lane=Lane.SCAN)
        )


class NoteSource(_Looking):
    """All notes."""

    collection = NOTES
    slug = "notes"
    label = "Notes"

    def __init__(self, attio: AsyncAttio) -> None:
        self._attio = attio

    async def pages(self, cursor: bytes | None) -> AsyncIterator[Page]:
        """Yield every note, from the cursor on."""

        async def fetch(limit: int, offset: int) -> list[bytes]:
            notes = await self._attio.notes.list(limit=limit, offset=offset, lane=Lane.SCAN)
            return [note.raw for note in notes]

        async for page in _offset_pages(fetch, "note_id", NOTE_PAGE, cursor):
            yield page

    async def get(self, row_id: str, lane: Lane = Lane.SCAN) -> bytes:
        """Return one note as it is now."""
        return (await self._attio.notes.get(row_id, lane=lane)).raw


class TaskSource(_Looking):
    """All tasks."""

    collection = TASKS
    slug = "tasks"
    label = "Tasks"

    def __init__(self, attio: AsyncAttio) -> None:
        self._attio = attio

    async def pages(self, cursor: bytes | None) -> AsyncIterator[Page]:
        """Yield every task in the order of creation, from the cursor on."""

        async def fetch(limit: int, offset: int) -> list[bytes]:
            tasks = await self._attio.tasks.list(
                limit=limit, offset=offset, sort="created_at:asc", lane=Lane.SCAN
            )
            return [task.raw for task in tasks]

        async for page in _offset_pages(fetch, "task_id", TASK_PAGE, cursor):
            yield page

    async def get(self, row_id: str, lane: Lane = Lane.SCAN) -> bytes:
        """Return one task as it is now."""
        return (await self._attio.tasks.get(row_id, lane=lane)).raw


async def _offset_pages(
    fetch: offset_scan.FetchPage, key: str, limit: int, cursor: bytes | None
) -> AsyncIterator[Page]:
    after = msgspec.json.decode(cursor, type=OffsetCursor) if cursor else None
    async for page in offset_scan.scan(fetch, key, limit, after):
        yield Page(page.raws, msgspec.json.encode(page.cursor))


class Sources:
    """Every collection of the workspace by its key, as the stored schema has them."""

    def __init__(self, attio: AsyncAttio, schema: Callable[[], Schema]) -> None:
        self._attio = attio
        self._schema = schema
        self._fixed: dict[str, Source] = {NOTES: NoteSource(attio), TASKS: TaskSource(attio)}

    def of(self, schema: Schema) -> Iterable[Source]:
        """Return the sources of a schema: what is small and looked at first comes first."""
        lists: list[Source] = [
            ListSource(self._attio, found.id, found.slug, found.name) for found in schema.lists
        ]
        objects: list[Source] = [
            ObjectSource(self._attio, found.id, found.slug, found.plural or found.slug)
            for found in schema.objects
        ]
        return [*objects, *lists, *self._fixed.values()]

    def get(self, collection: str) -> Source | None:
        """Return the source of a collection, or None where the schema has no such object or list."""
        if collection in self._fixed:
            return self._fixed[collection]
        schema = self._schema()
        if (found := schema.object(collection)) is not None:
            return ObjectSource(self._attio, found.id, found.slug, found.plural or found.slug)
        if (entries := schema.list(collection)) is not None:
            return ListSource(self._attio, entries.id, entries.slug, entries.name)
        return None

    def hanging(
        self, source: Source, row_ids: Iterable[str], linked: Callable[[str, str], list[bytes]]
    ) -> list[tuple[Source, set[str]]]:
        """Return the entries, notes and tasks that hang on these records, by where they come from."""
        if not isinstance(source, ObjectSource):
            return []
        found: list[tuple[Source, set[str]]] = []
        for other in (*(self.get(each.id) for each in self._schema().lists), *self._fixed.values()):
            if other is None:
                continue
            ids = {id_of(raw) for row_id in row_ids for raw in linked(other.collection, row_id)}
            if ids:
                found.append((other, ids))
        return found
