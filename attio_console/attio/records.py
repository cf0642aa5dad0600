"""`/v2/objects/{object}/records`: query, scan, read, write, merge, history and search."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from attio_console.attio.configuration import Group, given
from attio_console.attio.creating import create_or_find
from attio_console.attio.freshness import Freshness
from attio_console.attio.rows import RawRecord, Record, head
from attio_console.attio.scan import PAGE_SIZE, Filter, RawPage, ScanCursor, scan
from attio_console.attio.sending import Written, patch_resend
from attio_console.attio.things import EntryRef, SearchHit
from attio_console.attio.values import Value, read_value
from attio_console.attio.wire import Wire, data_of, rows_of, walk_offset
from attio_console.net import Lane, Resend, Response

Sorts = Sequence[Mapping[str, Any]]
Values = Mapping[str, Any]
T = TypeVar("T")
Lookup = str | Callable[[], Awaitable[RawRecord | None]]


def query_body(
    filter: Filter | None,
    sorts: Sorts,
    limit: int,
    offset: int,
    filter_view_id: str | None,
) -> dict[str, Any]:
    """Return the body of a query."""
    body: dict[str, Any] = {"limit": limit, "offset": offset}
    if sorts:
        body["sorts"] = list(sorts)
    return body | given(filter=filter, filter_view_id=filter_view_id)


class Records(Group):
    """Records of every object. `object_id` may also be the slug."""

    def __init__(self, wire: Wire, written: Written) -> None:
        super().__init__(wire)
        self._written = written

    async def query_raw(
        self,
        object_id: str,
        *,
        filter: Filter | None = None,
        sorts: Sorts = (),
        limit: int = PAGE_SIZE,
        offset: int = 0,
        filter_view_id: str | None = None,
        lane: Lane = Lane.INTERACTIVE,
    ) -> list[bytes]:
        """Return one page of a query as it came. Without sorts the order means nothing."""
        body = query_body(filter, sorts, limit, offset, filter_view_id)
        return await self._query(object_id, body, rows_of, lane)

    async def query(
        self,
        object_id: str,
        *,
        filter: Filter | None = None,
        sorts: Sorts = (),
        limit: int = PAGE_SIZE,
        offset: int = 0,
        filter_view_id: str | None = None,
        lane: Lane = Lane.INTERACTIVE,
    ) -> list[RawRecord]:
        """Return one page of a query."""
        body = query_body(filter, sorts, limit, offset, filter_view_id)
        return [_record(raw) for raw in await self._query(object_id, body, rows_of, lane)]

    def scan(
        self,
        object_id: str,
        *,
        after: ScanCursor | None = None,
        filter: Filter | None = None,
        page_size: int = PAGE_SIZE,
        lane: Lane = Lane.SCAN,
    ) -> AsyncIterator[RawPage]:
        """Yield pages of all records, by creation, each record once whatever changes meanwhile; resumable."""
        return scan(
            lambda body: self._query(object_id, body, rows_of, lane),
            "record_id",
            after=after,
            filter=filter,
            page_size=page_size,
        )

    async def iterate(
        self,
        object_id: str,
        *,
        filter: Filter | None = None,
        page_size: int = PAGE_SIZE,
        lane: Lane = Lane.INTERACTIVE,
    ) -> AsyncIterator[Record]:
        """Yield the records that pass a filter, by creation, typed."""
        async for page in self.scan(object_id, filter=filter, page_size=page_size, lane=lane):
            for raw in page.raws:
                yield _record(raw).decode()

    async def get(self, object_id: str, record_id: str, *, lane: Lane = Lane.INTERACTIVE) -> RawRecord:
        """Get one record; NotFound where it was deleted or merged away."""
        return _record(await self.get_raw(object_id, record_id, lane=lane))

    async def get_raw(self, object_id: str, record_id: str, *, lane: Lane = Lane.INTERACTIVE) -> bytes:
        """Get one record as it came."""
        return await self._wire.send("GET", ("objects", object_id, "records", record_id), data_of, lane=lane)

    async def get_many_raw(
        self,
        object_id: str,
        record_ids: Sequence[str],
        *,
        fresh_since: datetime | None = None,
        lane: Lane = Lane.CATCHUP,
    ) -> list[bytes]:
        """Get records by id, up to 500 in a request; those that do not exist are left out.

        A query runs a second or two behind writes. With `fresh_since` (when the change was heard of, by the local
        clock) the question is asked again until the answer is as of that time.
        """
        found: list[bytes] = []
        freshness = Freshness(self._wire.caller.clock, fresh_since)
        for start in range(0, len(record_ids), PAGE_SIZE):
            chunk = list(record_ids[start : start + PAGE_SIZE])
            body = query_body({"record_id": {"$in": chunk}}, (), len(chunk), 0, None)
            while True:
                rows, as_of = await self._query(object_id, body, freshness.read, lane)
                if not await freshness.wait(as_of):
                    break
            found += rows
        return found

    async def create(
        self,
        object_id: str,
        values: Values,
        *,
        lookup: Lookup | None = None,
        lane: Lane = Lane.INTERACTIVE,
    ) -> RawRecord:
        """Create a record.

        A POST whose answer is lost is never sent again blindly. `lookup` says how to find out: the slug of a unique
        attribute in `values`, or a query of the caller's. Without it the lost answer is raised.
        """
        body = {"data": {"values": await self._written.checked("objects", object_id, values)}}

        async def find() -> RawRecord | None:
            if isinstance(lookup, str):
                return await self._find(object_id, lookup, values[lookup], lane)
            return await lookup() if lookup is not None else None

        return await create_or_find(
            lambda: self._write("POST", ("objects", object_id, "records"), body, lane),
            find if lookup is not None else None,
            self._wire.caller.clock,
        )

    async def upsert(
        self,
        object_id: str,
        matching_attribute: str,
        values: Values,
        *,
        once: bool = False,
        lane: Lane = Lane.INTERACTIVE,
    ) -> RawRecord:
        """Create, or overwrite the one record that matches on a unique attribute.

        The matching attribute is added to, every other one given is overwritten. With `once` a lost answer is raised
        instead of the request being sent again: somebody may have written in between.
        """
        self._written.check_matching(object_id, matching_attribute)
        body = {"data": {"values": await self._written.checked("objects", object_id, values)}}
        return await self._write(
            "PUT",
            ("objects", object_id, "records"),
            body,
            lane,
            resend=Resend.NEVER if once else None,
            params={"matching_attribute": matching_attribute},
        )

    async def update(
        self,
        object_id: str,
        record_id: str,
        values: Values,
        *,
        once: bool = False,
        lane: Lane = Lane.INTERACTIVE,
    ) -> RawRecord:
        """Write the values given; those of multi-value attributes are added in front, none is removed (PATCH).

        Adding is not repeated after a lost answer, since the record may have changed in between: the loss is raised.
        With `once` no write is repeated.
        """
        checked = await self._written.checked("objects", object_id, values)
        resend = (
            Resend.ONCE if once else patch_resend(checked, self._written.attributes("objects", object_id))
        )
        body = {"data": {"values": checked}}
        return await self._write(
            "PATCH", ("objects", object_id, "records", record_id), body, lane, resend=resend
        )

    async def overwrite(
        self,
        object_id: str,
        record_id: str,
        values: Values,
        *,
        once: bool = False,
        lane: Lane = Lane.INTERACTIVE,
    ) -> RawRecord:
        """Write the values given in place of what is there, multi-value attributes too (PUT); `once` as in `update`."""
        body = {"data": {"values": await self._written.checked("objects", object_id, values)}}
        resend = Resend.ONCE if once else None
        return await self._write(
            "PUT", ("objects", object_id, "records", record_id), body, lane, resend=resend
        )

    async def delete(self, object_id: str, record_id: str, *, lane: Lane = Lane.INTERACTIVE) -> None:
        """Delete a record; the API cannot bring it back."""
        await self._wire.delete(("objects", object_id, "records", record_id), lane=lane)

    async def merge(
        self,
        object_id: str,
        primary_record_id: str,
        secondary_record_id: str,
        *,
        lane: Lane = Lane.INTERACTIVE,
    ) -> str:
        """Merge two records and return the id of the new one; both old ids stop answering. Never sent twice."""
        body = {"data": {"primary_record_id": primary_record_id, "secondary_record_id": secondary_record_id}}
        raw = await self._wire.send(
            "POST", ("objects", object_id, "records", "merge"), data_of, json=body, lane=lane
        )
        return msgspec.json.decode(raw, type=_Merged).new_record_id

    async def history(
        self,
        object_id: str,
        record_id: str,
        attribute: str,
        *,
        show_historic: bool = True,
        lane: Lane = Lane.INTERACTIVE,
    ) -> list[Value]:
        """Return the values an attribute has had, oldest first; Attio refuses it for enriched attributes."""
        path = ("objects", object_id, "records", record_id, "attributes", attribute, "values")
        return await read_history(self._wire, path, show_historic, lane)

    async def set_history(
        self,
        object_id: str,
        record_id: str,
        attribute: str,
        values: Sequence[Mapping[str, Any]],
        *,
        lane: Lane = Lane.INTERACTIVE,
    ) -> list[Value]:
        """Replace the whole history of an attribute by `{"value", "active_from", "active_until"}`s.

        No webhook tells of it.
        """
        path = ("objects", object_id, "records", record_id, "attributes", attribute, "values")
        return await write_history(self._wire, path, values, lane)

    def entries(
        self,
        object_id: str,
        record_id: str,
        *,
        lane: Lane = Lane.INTERACTIVE,
    ) -> AsyncIterator[EntryRef]:
        """Iterate over the places a record has in lists (without the entries' values)."""
        path = ("objects", object_id, "records", record_id, "entries")
        return walk_offset(
            lambda offset: self._wire.many(
                EntryRef, "GET", path, params={"limit": PAGE_SIZE, "offset": offset}, lane=lane
            ),
            lambda ref: ref.entry_id,
            PAGE_SIZE,
        )

    async def search(
        self,
        query: str,
        objects: Sequence[str],
        *,
        request_as: Mapping[str, Any] | None = None,
        limit: int = 25,
        lane: Lane = Lane.INTERACTIVE,
    ) -> list[SearchHit]:
        """Ask Attio's own search; `request_as` is the workspace unless a member is named."""
        body = {
            "query": query[:256],
            "objects": list(objects),
            "limit": limit,
            "request_as": dict(request_as or {"type": "workspace"}),
        }
        return await self._wire.many(
            SearchHit, "POST", ("objects", "records", "search"), json=body, kind="read", lane=lane
        )

    async def _query(
        self, object_id: str, body: Mapping[str, Any], read: Callable[[Response], T], lane: Lane
    ) -> T:
        return await self._wire.send(
            "POST", ("objects", object_id, "records", "query"), read, json=body, kind="read", lane=lane
        )

    async def _write(
        self,
        method: str,
        path: Sequence[str],
        body: Mapping[str, Any],
        lane: Lane,
        *,
        resend: Resend | None = None,
        params: Mapping[str, str] | None = None,
    ) -> RawRecord:
        return await self._wire.send(
            method,
            path,
            lambda answer: _record(data_of(answer)),
            json=body,
            params=params,
            resend=resend,
            lane=lane,
        )

    async def _find(self, object_id: str, attribute: str, value: Any, lane: Lane) -> RawRecord | None:
        sought = value[0] if isinstance(value, Sequence) and not isinstance(value, str) and value else value
        found = await self.query(object_id, filter={attribute: sought}, limit=2, lane=lane)
        return found[0] if len(found) == 1 else None


class _Merged(msgspec.Struct):
    new_record_id: str


def _record(raw: bytes) -> RawRecord:
    return RawRecord(head(raw).row_id, raw)


async def read_history(wire: Wire, path: Sequence[str], show_historic: bool, lane: Lane) -> list[Value]:
    """Read all values of an attribute of a record or entry."""
    page = 500
    found: list[Value] = []
    while True:
        params = {"show_historic": show_historic, "limit": page, "offset": len(found)}
        rows = await wire.send("GET", path, rows_of, params=params, lane=lane)
        found += [read_value(msgspec.json.decode(row)) for row in rows]
        if len(rows) < page:
            return found


async def write_history(
    wire: Wire, path: Sequence[str], values: Sequence[Mapping[str, Any]], lane: Lane
) -> list[Value]:
    """Replace all values of an attribute of a record or entry, acknowledging that this drops what is there."""
    body = {"data": {"replace_history": True, "values": list(values)}}
    rows = await wire.send("PUT", path, rows_of, json=body, lane=lane)
    return [read_value(msgspec.json.decode(row)) for row in rows]
