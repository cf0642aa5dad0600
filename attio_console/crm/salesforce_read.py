"""Reading Salesforce by keyset: rows that move and cursors that expire lose nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from attio_console import errors
from attio_console.crm import salesforce_wire as wire
from attio_console.crm.protocol import (
    CrmIdentity,
    CrmLimits,
    CrmMerge,
    CrmObject,
    CrmOwner,
    CrmPage,
    CrmRecord,
    Cursor,
    Known,
)
from attio_console.crm.salesforce_calls import PAGE, SalesforceCalls, chunks, decode
from attio_console.model.times import instant

IDS_IN_A_QUERY = 200
_ALWAYS = ("Id", "SystemModstamp", "LastModifiedById", "LastModifiedDate")


class SalesforceReading(SalesforceCalls):
    """What the org holds."""

    page_size = PAGE

    async def identity(self) -> CrmIdentity:
        """Return the org the session belongs to."""
        session = await self._open(None)
        return CrmIdentity(session.org_id, session.instance_url)

    async def limits(self) -> CrmLimits:
        """Return today's use of the allowance as the last answer told it."""
        if not self._limits.day_max:
            body = await self._get("limits", partition="limits")
            daily = body.get("DailyApiRequests") or {}
            most, left = int(daily.get("Max") or 0), int(daily.get("Remaining") or 0)
            self._limits = CrmLimits(most, max(0, most - left))
        return self._limits

    async def describe(self, object_type: str) -> CrmObject:
        """Return the fields of an sObject."""
        body = await self._get(f"sobjects/{object_type}/describe", partition=object_type)
        fields = tuple(wire.decode_field(raw) for raw in body["fields"])
        return CrmObject(object_type, str(body.get("label") or object_type), fields)

    async def owners(self) -> list[CrmOwner]:
        """Return the users."""
        rows = [
            row
            async for page in self._query("SELECT Id, Name, Email, IsActive FROM User", "User")
            for row in page
        ]
        owners = [
            CrmOwner(
                wire.id18(str(row["Id"])),
                str(row.get("Email") or ""),
                str(row.get("Name") or ""),
                bool(row.get("IsActive", True)),
            )
            for row in rows
        ]
        self._names = {owner.id: owner.name or owner.email for owner in owners}
        return owners

    async def scan(self, object_type: str, fields: Sequence[str], after: str = "") -> AsyncIterator[CrmPage]:
        """Yield every record in the order of ids; a keyset, because query cursors expire and rows move."""
        columns = columns_of(fields)
        last = after
        while True:
            where = f" WHERE Id > {wire.quote(last)}" if last else ""
            soql = f"SELECT {columns} FROM {object_type}{where} ORDER BY Id LIMIT {PAGE}"
            count, before = 0, last
            async for rows in self._query(soql, object_type):
                records = [wire.decode_record(row) for row in rows]
                count += len(records)
                if records:
                    last = records[-1].id
                    yield CrmPage(records, Cursor("", last), is_last=False)
            if count and last == before:
                raise ValueError("a page repeats the one before")
            if count == 0:
                yield CrmPage([], None, is_last=True)
                return

    async def changed(
        self,
        object_type: str,
        fields: Sequence[str],
        since: Cursor,
        known: Known | None = None,  # noqa: ARG002 - the query answers with the records themselves
    ) -> AsyncIterator[CrmPage]:
        """Yield the records whose SystemModstamp is at or after the cursor."""
        columns = columns_of(fields)
        at, last_id = instant(since.at), since.last_id
        if at is None:
            raise errors.InvalidValue(f"{since.at!r} is not a time to read changes from")
        while True:
            when = wire.soql_time(at)
            where = f"SystemModstamp >= {when}"
            if last_id:
                where = f"SystemModstamp > {when} OR (SystemModstamp = {when} AND Id > {wire.quote(last_id)})"
            soql = (
                f"SELECT {columns} FROM {object_type} WHERE {where} ORDER BY SystemModstamp, Id LIMIT {PAGE}"
            )
            count, before = 0, (at, last_id)
            async for rows in self._query(soql, object_type):
                records = [wire.decode_record(row) for row in rows]
                count += len(records)
                if records:
                    last_id = records[-1].id
                    at = instant(records[-1].modified_at) or at
                    yield CrmPage(records, Cursor(wire.soql_time(at), last_id), is_last=False)
            if count < PAGE:
                return
            if (at, last_id) == before:
                raise ValueError("a page repeats the one before")

    async def get_many(self, object_type: str, ids: Sequence[str], fields: Sequence[str]) -> list[CrmRecord]:
        """Return the records that exist; one that was merged away comes as the record that absorbed it."""
        wanted = list(dict.fromkeys(wire.id18(one) for one in ids))
        found = {record.id: record for record in await self._read(object_type, wanted, fields)}
        missing = [one for one in wanted if one not in found]
        masters = {merge.lost_id: merge.kept_id for merge in await self._masters(object_type, missing)}
        kept = (
            {r.id: r for r in await self._read(object_type, list(masters.values()), fields)}
            if masters
            else {}
        )
        result: list[CrmRecord] = []
        for one in wanted:
            if one in found:
                result.append(found[one])
            elif one in masters and masters[one] in kept:
                result.append(replace(kept[masters[one]], asked_id=one))
        return result

    async def _read(self, object_type: str, ids: Sequence[str], fields: Sequence[str]) -> list[CrmRecord]:
        names = list(dict.fromkeys((*_ALWAYS, *fields)))
        found: list[CrmRecord] = []
        for chunk in chunks(ids, PAGE):
            body = {"ids": chunk, "fields": names}
            rows = await self._send(
                "POST", f"composite/sobjects/{object_type}", "read", object_type, json=body
            )
            answered = decode(rows)
            if not isinstance(answered, list) or len(answered) != len(chunk):
                # What is missing without a word must not be taken for deleted.
                raise ValueError(f"{len(chunk)} records were asked for and not as many answered")
            found += [wire.decode_record(row) for row in answered if row and not row.get("errors")]
        return [record for record in found if not record.is_archived]

    async def find(
        self, object_type: str, by: str, values: Sequence[str], fields: Sequence[str]
    ) -> list[CrmRecord]:
        """Return the records whose field holds one of the values."""
        found: list[CrmRecord] = []
        columns = columns_of(fields)
        for chunk in chunks(dict.fromkeys(values), IDS_IN_A_QUERY):
            soql = f"SELECT {columns} FROM {object_type} WHERE {by} IN {wire.quoted(chunk)}"
            async for rows in self._query(soql, object_type):
                found += [wire.decode_record(row) for row in rows]
        return found

    async def _masters(self, object_type: str, ids: Sequence[str]) -> list[CrmMerge]:
        found: list[CrmMerge] = []
        if object_type == "Opportunity":
            return found
        for chunk in chunks(ids, IDS_IN_A_QUERY):
            soql = (
                f"SELECT Id, MasterRecordId FROM {object_type} WHERE IsDeleted = true "
                f"AND MasterRecordId != null AND Id IN {wire.quoted(chunk)}"
            )
            async for rows in self._query(soql, object_type, everything=True):
                found += [decode_merge(row) for row in rows]
        return found


def columns_of(fields: Sequence[str]) -> str:
    """Return the columns of a query: the fields, and what every row is read with."""
    return ", ".join(dict.fromkeys((*_ALWAYS, *fields)))


def decode_merge(row: Mapping[str, Any]) -> CrmMerge:
    """Return the merge that a row of the recycle bin tells of."""
    return CrmMerge(wire.id18(str(row["Id"])), wire.id18(str(row["MasterRecordId"])))
