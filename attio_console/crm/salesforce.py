"""The Salesforce client: keyset reads, collections of 200, conditional single writes, deletes and merges."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote as url_quote

import msgspec

from attio_console import errors
from attio_console.crm import salesforce_wire as wire
from attio_console.crm.protocol import (
    CrmChange,
    CrmIdentity,
    CrmLimits,
    CrmMerge,
    CrmObject,
    CrmOwner,
    CrmPage,
    CrmRecord,
    CrmResult,
    CrmWrite,
    Cursor,
)
from attio_console.crm.salesforce_auth import SalesforceAuth, Session
from attio_console.model.clock import Clock, SystemClock
from attio_console.model.times import instant
from attio_console.net import Caller, HttpClient, Lane, Limiter, Request, Resend, Response, Traffic
from attio_console.net.limiter import Kind

_BATCH = 200
_PAGE = 2_000
_IDS_IN_A_QUERY = 200
_ALWAYS = ("Id", "SystemModstamp", "LastModifiedById", "LastModifiedDate")
_USAGE = re.compile(r"api-usage=(\d+)/(\d+)")
_HISTORY = {
    "Contact": ("ContactHistory", "ContactId"),
    "Account": ("AccountHistory", "AccountId"),
    "Lead": ("LeadHistory", "LeadId"),
    "Opportunity": ("OpportunityFieldHistory", "OpportunityId"),
}
_LOCK_TRIES = 4


class Salesforce:
    """One Salesforce org."""

    system = "salesforce"
    page_size = _PAGE
    batch_size = _BATCH
    conditional_writes = True

    def __init__(
        self,
        auth: SalesforceAuth,
        *,
        version: str = "67.0",
        http: HttpClient | None = None,
        org_id: str = "",
        clock: Clock | None = None,
        rng: random.Random | None = None,
        traffic: Traffic | None = None,
        lane: Lane = Lane.SCAN,
    ) -> None:
        self._auth = auth
        self._version = version
        self._org_id = org_id
        self._clock = clock or SystemClock()
        self._rng = rng or random.Random()
        self._owns_http = http is None
        self._http = http or HttpClient()
        self._lane = lane
        self._session: Session | None = None
        self._opening = asyncio.Lock()
        self._limits = CrmLimits()
        self._names: dict[str, str] = {}
        self.limiter = Limiter(25, 10, self._clock)
        self._caller = Caller(
            self.system,
            self._http,
            self.limiter,
            wire.judge,
            clock=self._clock,
            rng=self._rng,
            traffic=traffic,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Give the connections back."""
        if self._owns_http:
            await self._http.aclose()

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
        fields = tuple(wire.decode_field(raw) for raw in body.get("fields") or ())
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
        columns = _columns(fields)
        last = after
        while True:
            where = f" WHERE Id > {wire.quote(last)}" if last else ""
            soql = f"SELECT {columns} FROM {object_type}{where} ORDER BY Id LIMIT {_PAGE}"
            count = 0
            async for rows in self._query(soql, object_type):
                records = [wire.decode_record(row) for row in rows]
                count += len(records)
                if records:
                    last = records[-1].id
                    yield CrmPage(records, Cursor("", last), is_last=False)
            if count == 0:
                yield CrmPage([], None, is_last=True)
                return

    async def changed(self, object_type: str, fields: Sequence[str], since: Cursor) -> AsyncIterator[CrmPage]:
        """Yield the records whose SystemModstamp is at or after the cursor."""
        columns = _columns(fields)
        at, last_id = instant(since.at), since.last_id
        if at is None:
            raise errors.InvalidValue(f"{since.at!r} is not a time to read changes from")
        while True:
            when = wire.soql_time(at)
            where = f"SystemModstamp >= {when}"
            if last_id:
                where = f"SystemModstamp > {when} OR (SystemModstamp = {when} AND Id > {wire.quote(last_id)})"
            soql = (
                f"SELECT {columns} FROM {object_type} WHERE {where} ORDER BY SystemModstamp, Id LIMIT {_PAGE}"
            )
            count = 0
            async for rows in self._query(soql, object_type):
                records = [wire.decode_record(row) for row in rows]
                count += len(records)
                if records:
                    last_id = records[-1].id
                    at = instant(records[-1].modified_at) or at
                    yield CrmPage(records, Cursor(wire.soql_time(at), last_id), is_last=False)
            if count < _PAGE:
                return

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
        for chunk in _chunks(ids, _PAGE):
            body = {"ids": chunk, "fields": names}
            rows = await self._send(
                "POST", f"composite/sobjects/{object_type}", "read", object_type, json=body
            )
            found += [wire.decode_record(row) for row in _decode(rows) if row and not row.get("errors")]
        return [record for record in found if not record.is_archived]

    async def find(
        self, object_type: str, by: str, values: Sequence[str], fields: Sequence[str]
    ) -> list[CrmRecord]:
        """Return the records whose field holds one of the values."""
        found: list[CrmRecord] = []
        columns = _columns(fields)
        for chunk in _chunks(dict.fromkeys(values), _IDS_IN_A_QUERY):
            soql = f"SELECT {columns} FROM {object_type} WHERE {by} IN {wire.quoted(chunk)}"
            async for rows in self._query(soql, object_type):
                found += [wire.decode_record(row) for row in rows]
        return found

    async def create_many(self, object_type: str, writes: Sequence[CrmWrite]) -> list[CrmResult]:
        """Create records; the caller looked first, and looks again after an unknown outcome."""
        return await self._collection(object_type, "POST", "composite/sobjects", writes, Resend.NEVER)

    async def update_many(self, object_type: str, writes: Sequence[CrmWrite]) -> list[CrmResult]:
        """Write only the named fields; a single write may be bound to the version that was read."""
        if len(writes) == 1 and writes[0].unmodified_since:
            return [await self._update_one(object_type, writes[0])]
        return await self._collection(object_type, "PATCH", "composite/sobjects", writes, Resend.FREELY)

    async def _update_one(self, object_type: str, write: CrmWrite) -> CrmResult:
        headers = {"If-Unmodified-Since": wire.http_date(write.unmodified_since)}
        path = f"sobjects/{object_type}/{write.id}"
        try:
            # Sent again after a lost answer it would meet its own change as somebody else's.
            await self._send(
                "PATCH",
                path,
                "write",
                object_type,
                json=dict(write.values),
                headers=headers,
                resend=Resend.NEVER,
            )
        except errors.ApiError as error:
            if isinstance(error, errors.ServerFailed | errors.RateLimited | errors.NotAuthorised):
                raise
            return CrmResult(write.key, write.id, error=error)
        return CrmResult(write.key, write.id)

    async def upsert_many(
        self, object_type: str, key_field: str, writes: Sequence[CrmWrite]
    ) -> list[CrmResult]:
        """Create or update by an external id."""
        path = f"composite/sobjects/{object_type}/{key_field}"
        return await self._collection(object_type, "PATCH", path, writes, Resend.FREELY)

    async def _collection(
        self, object_type: str, method: str, path: str, writes: Sequence[CrmWrite], resend: Resend
    ) -> list[CrmResult]:
        results: list[CrmResult] = []
        # Children of one parent side by side in one call: two calls would fight over the parent's lock.
        ordered = sorted(writes, key=lambda w: str(w.values.get("AccountId") or ""))
        for start in range(0, len(ordered), _BATCH):
            waiting = ordered[start : start + _BATCH]
            for attempt in range(_LOCK_TRIES):
                outcomes = await self._collect(object_type, method, path, waiting, resend)
                locked = {o.key for o in outcomes if isinstance(o.error, errors.ConcurrentWrite)}
                is_final = attempt == _LOCK_TRIES - 1
                results += [o for o in outcomes if is_final or o.key not in locked]
                waiting = [write for write in waiting if write.key in locked]
                if not waiting or is_final:
                    break
                await self._clock.sleep(self._rng.uniform(0.05, 0.4) * 2**attempt)
        return results

    async def _collect(
        self, object_type: str, method: str, path: str, writes: Sequence[CrmWrite], resend: Resend
    ) -> list[CrmResult]:
        rows = [
            {
                "attributes": {"type": object_type},
                **({"Id": w.id} if w.id and method == "PATCH" else {}),
                **w.values,
            }
            for w in writes
        ]
        body = {"allOrNone": False, "records": rows}
        response = await self._send(method, path, "write", object_type, json=body, resend=resend)
        answers = _decode(response)
        if not isinstance(answers, list) or len(answers) != len(writes):
            raise errors.ServerFailed(
                "Salesforce did not answer for every row", system=self.system, status=200
            )
        return [
            CrmResult(
                write.key,
                wire.id18(str(answer.get("id") or write.id)),
                bool(answer.get("created", method == "POST")),
            )
            if answer.get("success")
            else CrmResult(write.key, write.id, error=wire.row_error(answer.get("errors")))
            for write, answer in zip(writes, answers, strict=True)
        ]

    async def archive(self, object_type: str, ids: Sequence[str]) -> None:
        """Put records into the recycle bin, where they stay for 15 days."""
        for chunk in _chunks(dict.fromkeys(ids), _BATCH):
            params = {"ids": ",".join(chunk), "allOrNone": False}
            response = await self._send("DELETE", "composite/sobjects", "write", object_type, params=params)
            for answer in _decode(response):
                codes = {str(e.get("statusCode")) for e in answer.get("errors") or ()}
                if not answer.get("success") and not codes & {"ENTITY_IS_DELETED", "NOT_FOUND"}:
                    raise wire.row_error(answer.get("errors"))

    async def archived_since(self, object_type: str, since: datetime) -> list[str]:
        """Return the ids of the records deleted since then, within the 30 days Salesforce can tell."""
        now = self._clock.now()
        start = max(since, now - timedelta(days=29))
        if now - start < timedelta(minutes=2):
            start = now - timedelta(minutes=2)
        params = {"start": wire.soql_time(start), "end": wire.soql_time(now + timedelta(minutes=1))}
        body = await self._get(f"sobjects/{object_type}/deleted/", params, partition=object_type)
        return [wire.id18(str(row["id"])) for row in body.get("deletedRecords") or ()]

    async def archived_with(self, object_type: str, key_field: str) -> dict[str, str]:
        """Return the ids in the recycle bin whose key field holds something, and what it holds."""
        soql = f"SELECT Id, {key_field} FROM {object_type} WHERE IsDeleted = true AND {key_field} != null"
        pages = self._query(soql, object_type, everything=True)
        return {wire.id18(str(row["Id"])): str(row[key_field]) async for page in pages for row in page}

    async def merges_since(self, object_type: str, since: datetime) -> list[CrmMerge]:
        """Return the merges whose losers are still in the recycle bin."""
        if object_type == "Opportunity":
            return []
        soql = (
            f"SELECT Id, MasterRecordId FROM {object_type} WHERE IsDeleted = true AND MasterRecordId != null "
            f"AND SystemModstamp >= {wire.soql_time(since)}"
        )
        pages = self._query(soql, object_type, everything=True)
        return [_merge(row) async for page in pages for row in page]

    async def _masters(self, object_type: str, ids: Sequence[str]) -> list[CrmMerge]:
        found: list[CrmMerge] = []
        if object_type == "Opportunity":
            return found
        for chunk in _chunks(ids, _IDS_IN_A_QUERY):
            soql = (
                f"SELECT Id, MasterRecordId FROM {object_type} WHERE IsDeleted = true "
                f"AND MasterRecordId != null AND Id IN {wire.quoted(chunk)}"
            )
            async for rows in self._query(soql, object_type, everything=True):
                found += [_merge(row) for row in rows]
        return found

    async def history(
        self, object_type: str, ids: Sequence[str], fields: Sequence[str]
    ) -> dict[str, dict[str, list[CrmChange]]]:
        """Return the field history where the org keeps one, else the record's own stamp for every field."""
        if not self._names:
            await self.owners()
        found: dict[str, dict[str, list[CrmChange]]] = {}
        for record in await self._read(object_type, [wire.id18(i) for i in dict.fromkeys(ids)], fields):
            by = self._names.get(wire.id18(record.modified_by), record.modified_by)
            at = instant(str(record.values.get("LastModifiedDate") or record.modified_at))
            found[record.id] = {
                name: [CrmChange(record.values.get(name), at, by, "record")] for name in fields
            }
        for record_id, name, change in await self._tracked(object_type, list(found), fields):
            kept = found[record_id][name]
            found[record_id][name] = [c for c in kept if c.source != "record"] + [change]
        return found

    async def _tracked(
        self, object_type: str, ids: Sequence[str], fields: Sequence[str]
    ) -> list[tuple[str, str, CrmChange]]:
        table = _HISTORY.get(object_type)
        if table is None or not fields:
            return []
        rows: list[tuple[str, str, CrmChange]] = []
        name, parent = table
        for chunk in _chunks(ids, _IDS_IN_A_QUERY):
            soql = (
                f"SELECT {parent}, Field, NewValue, CreatedDate, CreatedById FROM {name} "
                f"WHERE {parent} IN {wire.quoted(chunk)} ORDER BY CreatedDate DESC"
            )
            try:
                async for page in self._query(soql, object_type):
                    for row in page:
                        if row.get("Field") in fields:
                            by = self._names.get(wire.id18(str(row.get("CreatedById") or "")), "")
                            at = instant(str(row.get("CreatedDate") or ""))
                            change = CrmChange(row.get("NewValue"), at, by, "field history")
                            rows.append((wire.id18(str(row[parent])), str(row["Field"]), change))
            except (errors.Refused, errors.NotFound, errors.Forbidden):
                # The org tracks no history for this object: the record's own stamp has to do.
                return []
        return rows

    async def _query(
        self, soql: str, partition: str, *, everything: bool = False
    ) -> AsyncIterator[list[dict[str, Any]]]:
        path = "queryAll" if everything else "query"
        headers = {"Sforce-Query-Options": f"batchSize={_PAGE}"}
        body = _decode(await self._send("GET", path, "read", partition, params={"q": soql}, headers=headers))
        while True:
            yield body.get("records") or []
            following = body.get("nextRecordsUrl")
            if not following:
                return
            body = _decode(await self._send("GET", str(following), "read", partition))

    async def _get(
        self, path: str, params: Mapping[str, Any] | None = None, *, partition: str
    ) -> dict[str, Any]:
        body = _decode(await self._send("GET", path, "read", partition, params=params))
        return body if isinstance(body, dict) else {}

    async def _send(
        self,
        method: str,
        path: str,
        kind: Kind,
        partition: str,
        *,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        resend: Resend = Resend.FREELY,
    ) -> Response:
        session = await self._open(None)
        while True:
            local = path if path.startswith("/") else f"/services/data/v{self._version}/{url_quote(path)}"
            request = Request(
                method,
                session.instance_url + local,
                kind,
                resend,
                self._lane,
                partition,
                params=params,
                json=json,
                headers={
                    "authorization": f"Bearer {session.access_token}",
                    "Sforce-Call-Options": "client=attio-console",
                    "Sforce-Auto-Assign": "FALSE",
                    **(headers or {}),
                },
            )
            try:
                response = await self._caller.call(request)
            except errors.NotAuthorised:
                renewed = await self._open(session)
                if renewed.access_token == session.access_token:
                    raise
                session = renewed
                continue
            self._note_limits(response)
            return response

    async def _open(self, expired: Session | None) -> Session:
        async with self._opening:
            if self._session is None or self._session is expired:
                session = await self._auth.open(self._http)
                if self._org_id and session.org_id and session.org_id != self._org_id:
                    raise errors.NotAuthorised(
                        f"This login belongs to another Salesforce org ({session.org_id}, not {self._org_id})",
                        system=self.system,
                        status=401,
                        hint="Make a new profile for that org.",
                    )
                self._session = session
            return self._session

    def _note_limits(self, response: Response) -> None:
        used = _USAGE.search(response.headers.get("sforce-limit-info") or "")
        if used:
            self._limits = CrmLimits(int(used[2]), int(used[1]))


def _columns(fields: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys((*_ALWAYS, *fields)))


def _merge(row: Mapping[str, Any]) -> CrmMerge:
    return CrmMerge(wire.id18(str(row["Id"])), wire.id18(str(row["MasterRecordId"])))


def _decode(response: Response) -> Any:
    if not response.content:
        return {}
    try:
        return msgspec.json.decode(response.content)
    except msgspec.DecodeError as error:
        raise errors.ServerFailed(f"Salesforce's answer is not JSON: {error}", system="salesforce") from error


def _chunks(ids: Iterable[str], size: int) -> list[list[str]]:
    every = list(ids)
    return [every[start : start + size] for start in range(0, len(every), size)]
