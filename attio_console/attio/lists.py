"""`/v2/lists` and `/v2/lists/{list}/entries`."""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from attio_console.attio.configuration import Group, given, list_views
from attio_console.attio.creating import create_or_find
from attio_console.attio.freshness import Freshness
from attio_console.attio.records import Sorts, Values, query_body, read_history, write_history
from attio_console.attio.rows import Entry, RawEntry, head
from attio_console.attio.scan import PAGE_SIZE, Filter, RawPage, ScanCursor, scan
from attio_console.attio.sending import Written, patch_resend
from attio_console.attio.things import ListInfo, View
from attio_console.attio.values import Value
from attio_console.attio.wire import Wire, data_of, rows_of
from attio_console.net import Lane, Resend, Response

T = TypeVar("T")


class Lists(Group):
    """Lists; their entries are under `entries`."""

    def __init__(self, wire: Wire, written: Written) -> None:
        super().__init__(wire)
        self.entries = Entries(wire, written)

    async def list(self, *, lane: Lane = Lane.INTERACTIVE) -> builtins.list[ListInfo]:
        """List the lists the token may see, in the order of the sidebar."""
        return await self._wire.many(ListInfo, "GET", ("lists",), lane=lane)

    async def get(self, list_id: str, *, lane: Lane = Lane.INTERACTIVE) -> ListInfo:
        """Get one list by slug or id."""
        return await self._wire.one(ListInfo, "GET", ("lists", list_id), lane=lane)

    async def create(
        self,
        *,
        name: str,
        api_slug: str,
        parent_object: str,
        workspace_access: str | None = "full-access",
        workspace_member_access: Sequence[Mapping[str, Any]] = (),
        lane: Lane = Lane.INTERACTIVE,
    ) -> ListInfo:
        """Create a list; `workspace_access=None` makes it private to the members named."""
        data = {
            "name": name,
            "api_slug": api_slug,
            "parent_object": parent_object,
            "workspace_access": workspace_access,
            "workspace_member_access": [dict(one) for one in workspace_member_access],
        }
        return await self._wire.one(ListInfo, "POST", ("lists",), json={"data": data}, lane=lane)

    async def update(
        self,
        list_id: str,
        changes: Mapping[str, Any],
        *,
        lane: Lane = Lane.INTERACTIVE,
    ) -> ListInfo:
        """Change what is named in `changes` (`name`, `api_slug`, `workspace_access`, `workspace_member_access`)."""
        return await self._wire.one(
            ListInfo, "PATCH", ("lists", list_id), json={"data": dict(changes)}, lane=lane
        )

    def views(
        self,
        list_id: str,
        *,
        show_archived: bool | None = None,
        lane: Lane = Lane.INTERACTIVE,
    ) -> AsyncIterator[View]:
        """Iterate over the saved views of a list."""
        return list_views(self._wire, list_id, show_archived, lane)


class Entries(Group):
    """Entries of every list. `list_id` may also be the slug."""

    def __init__(self, wire: Wire, written: Written) -> None:
        super().__init__(wire)
        self._written = written

    async def query_raw(
        self,
        list_id: str,
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
        return await self._query(list_id, body, rows_of, lane)

    async def query(
        self,
        list_id: str,
        *,
        filter: Filter | None = None,
        sorts: Sorts = (),
        limit: int = PAGE_SIZE,
        offset: int = 0,
        filter_view_id: str | None = None,
        lane: Lane = Lane.INTERACTIVE,
    ) -> list[RawEntry]:
        """Return one page of a query."""
        body = query_body(filter, sorts, limit, offset, filter_view_id)
        return [_entry(raw) for raw in await self._query(list_id, body, rows_of, lane)]

    def scan(
        self,
        list_id: str,
        *,
        after: ScanCursor | None = None,
        filter: Filter | None = None,
        page_size: int = PAGE_SIZE,
        lane: Lane = Lane.SCAN,
    ) -> AsyncIterator[RawPage]:
        """Yield pages of all entries, by creation, each entry once whatever changes meanwhile; resumable."""
        return scan(
            lambda body: self._query(list_id, body, rows_of, lane),
            "entry_id",
            after=after,
            filter=filter,
            page_size=page_size,
        )

    async def iterate(
        self,
        list_id: str,
        *,
        filter: Filter | None = None,
        page_size: int = PAGE_SIZE,
        lane: Lane = Lane.INTERACTIVE,
    ) -> AsyncIterator[Entry]:
        """Yield the entries that pass a filter, by creation, typed."""
        async for page in self.scan(list_id, filter=filter, page_size=page_size, lane=lane):
            for raw in page.raws:
                yield _entry(raw).decode()

    async def of_record(
        self,
        list_id: str,
        parent_record_id: str,
        *,
        lane: Lane = Lane.INTERACTIVE,
    ) -> list[RawEntry]:
        """Return the entries a record has in a list."""
        path = {"path": [[list_id, "parent_record"]], "constraints": {"record_id": parent_record_id}}
        return await self.query(list_id, filter=path, lane=lane)

    async def get(self, list_id: str, entry_id: str, *, lane: Lane = Lane.INTERACTIVE) -> RawEntry:
        """Get one entry."""
        return _entry(await self.get_raw(list_id, entry_id, lane=lane))

    async def get_raw(self, list_id: str, entry_id: str, *, lane: Lane = Lane.INTERACTIVE) -> bytes:
        """Get one entry as it came."""
        return await self._wire.send("GET", ("lists", list_id, "entries", entry_id), data_of, lane=lane)

    async def get_many_raw(
        self,
        list_id: str,
        entry_ids: Sequence[str],
        *,
        fresh_since: datetime | None = None,
        lane: Lane = Lane.CATCHUP,
    ) -> list[bytes]:
        """Get entries by id, up to 500 in a request; those that do not exist are left out.

        `fresh_since` works as it does for records.
        """
        found: list[bytes] = []
        freshness = Freshness(self._wire.caller.clock, fresh_since)
        for start in range(0, len(entry_ids), PAGE_SIZE):
            chunk = [*entry_ids[start : start + PAGE_SIZE]]
            body = query_body({"entry_id": {"$in": chunk}}, (), len(chunk), 0, None)
            while True:
                rows, as_of = await self._query(list_id, body, freshness.read, lane)
                if not await freshness.wait(as_of):
                    break
            found += rows
        return found

    async def create(
        self,
        list_id: str,
        parent_object: str,
        parent_record_id: str,
        entry_values: Values | None = None,
        *,
        lookup: Callable[[], Awaitable[RawEntry | None]] | None = None,
        lane: Lane = Lane.INTERACTIVE,
    ) -> RawEntry:
        """Add a record to a list; the same record may be there more than once.

        A lost answer is raised unless `lookup` can tell whether the entry was made.
        """
        body = await self._body(list_id, parent_object, parent_record_id, entry_values or {})
        return await create_or_find(
            lambda: self._write("POST", ("lists", list_id, "entries"), body, lane),
            lookup,
            self._wire.caller.clock,
        )

    async def upsert(
        self,
        list_id: str,
        parent_object: str,
        parent_record_id: str,
        entry_values: Values | None = None,
        *,
        lane: Lane = Lane.INTERACTIVE,
    ) -> RawEntry:
        """Add a record to a list, or overwrite the values of the one entry it has there."""
        body = await self._body(list_id, parent_object, parent_record_id, entry_values or {})
        return await self._write("PUT", ("lists", list_id, "entries"), body, lane)

    async def update(
        self,
        list_id: str,
        entry_id: str,
        entry_values: Values,
        *,
        once: bool = False,
        lane: Lane = Lane.INTERACTIVE,
    ) -> RawEntry:
        """Write the values given; those of multi-value attributes are added in front (PATCH); `once` as for records."""
        checked = await self._written.checked("lists", list_id, entry_values)
        resend = Resend.ONCE if once else patch_resend(checked, self._written.attributes("lists", list_id))
        body = {"data": {"entry_values": checked}}
        return await self._write("PATCH", ("lists", list_id, "entries", entry_id), body, lane, resend=resend)

    async def overwrite(
        self,
        list_id: str,
        entry_id: str,
        entry_values: Values,
        *,
        once: bool = False,
        lane: Lane = Lane.INTERACTIVE,
    ) -> RawEntry:
        """Write the values given in place of what is there, multi-value attributes too (PUT); `once` as for records."""
        checked = await self._written.checked("lists", list_id, entry_values)
        return await self._write(
            "PUT",
            ("lists", list_id, "entries", entry_id),
            {"data": {"entry_values": checked}},
            lane,
            resend=Resend.ONCE if once else None,
        )

    async def delete(self, list_id: str, entry_id: str, *, lane: Lane = Lane.INTERACTIVE) -> None:
        """Take an entry off its list; the record stays."""
        await self._wire.delete(("lists", list_id, "entries", entry_id), lane=lane)

    async def history(
        self,
        list_id: str,
        entry_id: str,
        attribute: str,
        *,
        show_historic: bool = True,
        lane: Lane = Lane.INTERACTIVE,
    ) -> list[Value]:
        """Return the values an attribute of the entry has had, oldest first."""
        path = ("lists", list_id, "entries", entry_id, "attributes", attribute, "values")
        return await read_history(self._wire, path, show_historic, lane)

    async def set_history(
        self,
        list_id: str,
        entry_id: str,
        attribute: str,
        values: Sequence[Mapping[str, Any]],
        *,
        lane: Lane = Lane.INTERACTIVE,
    ) -> list[Value]:
        """Replace the whole history of an attribute of the entry, as for records."""
        path = ("lists", list_id, "entries", entry_id, "attributes", attribute, "values")
        return await write_history(self._wire, path, values, lane)

    async def _body(
        self,
        list_id: str,
        parent_object: str,
        parent_record_id: str,
        entry_values: Values,
    ) -> dict[str, Any]:
        checked = await self._written.checked("lists", list_id, entry_values)
        return {
            "data": {
                **given(parent_object=parent_object, parent_record_id=parent_record_id),
                "entry_values": checked,
            }
        }

    async def _query(
        self, list_id: str, body: Mapping[str, Any], read: Callable[[Response], T], lane: Lane
    ) -> T:
        return await self._wire.send(
            "POST", ("lists", list_id, "entries", "query"), read, json=body, kind="read", lane=lane
        )

    async def _write(
        self,
        method: str,
        path: Sequence[str],
        body: Mapping[str, Any],
        lane: Lane,
        *,
        resend: Resend | None = None,
    ) -> RawEntry:
        return await self._wire.send(
            method, path, lambda answer: _entry(data_of(answer)), json=body, resend=resend, lane=lane
        )


def _entry(raw: bytes) -> RawEntry:
    return RawEntry(head(raw).row_id, raw)
