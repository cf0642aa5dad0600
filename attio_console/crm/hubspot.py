"""The HubSpot client: batches, search windows, property history, associations, owners, pipelines."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import msgspec

from attio_console import errors
from attio_console.crm import hubspot_wire as wire
from attio_console.crm.protocol import (
    CrmChange,
    CrmField,
    CrmIdentity,
    CrmLimits,
    CrmMerge,
    CrmObject,
    CrmOption,
    CrmOwner,
    CrmPage,
    CrmRecord,
    CrmResult,
    CrmWrite,
    Cursor,
)
from attio_console.model.clock import Clock, SystemClock
from attio_console.model.times import instant, stamp
from attio_console.net import Caller, HttpClient, Lane, Limiter, Request, Resend, Response, Traffic
from attio_console.net.limiter import Kind

_BATCH = 100
_HISTORY_BATCH = 50
_LIST_PAGE = 100
_SEARCH_PAGE = 200
_SEARCH_DEPTH = 10_000
_ASSOCIATION_READ = 1_000


class HubSpot:
    """One HubSpot account, through a service key, a private app token or an OAuth access token."""

    system = "hubspot"
    page_size = _LIST_PAGE
    batch_size = _BATCH
    conditional_writes = False

    def __init__(
        self,
        token: str,
        *,
        base_url: str = "https://api.hubapi.com",
        version: wire.Version = "2026-03",
        http: HttpClient | None = None,
        burst_per_10_s: int = 100,
        clock: Clock | None = None,
        rng: random.Random | None = None,
        traffic: Traffic | None = None,
        lane: Lane = Lane.SCAN,
    ) -> None:
        self._base = base_url.rstrip("/")
        self._version = version
        self._clock = clock or SystemClock()
        self._owns_http = http is None
        self._http = http or HttpClient()
        self._headers = {"authorization": f"Bearer {token}"}
        self._lane = lane
        self._limits = CrmLimits()
        self._owners: list[CrmOwner] | None = None
        self._user_names: dict[str, str] = {}
        self._traces = 0
        # One burst allowance for everything: an even share of it a second, reads and writes together.
        self._burst = burst_per_10_s
        share = max(2, burst_per_10_s // 20)
        self.limiter = Limiter(share, share, self._clock)
        common: dict[str, Any] = {"clock": self._clock, "rng": rng, "traffic": traffic}
        self._caller = Caller(
            self.system,
            self._http,
            self.limiter,
            wire.judge,
            request_id_header="x-hubspot-correlation-id",
            **common,
        )
        # Searches have their own, smaller allowance, and their answers carry no limit headers.
        self._searcher = Caller(self.system, self._http, Limiter(4, 4, self._clock), wire.judge, **common)

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
        """Return the account the token belongs to."""
        body = await self._get(wire.path(self._version, "account"), partition="account")
        return CrmIdentity(str(body.get("portalId") or ""), str(body.get("uiDomain") or ""))

    async def limits(self) -> CrmLimits:
        """Return today's use of the allowance as the last answer told it."""
        if not self._limits.day_max:
            await self._get(wire.path(self._version, "owners"), {"limit": 1}, partition="owners")
        return self._limits

    async def describe(self, object_type: str) -> CrmObject:
        """Return the properties of an object type; a deal's stages are the options of its stage."""
        body = await self._get(wire.path(self._version, "properties", object_type), partition=object_type)
        fields = [wire.decode_property(raw) for raw in body.get("results") or () if not raw.get("archived")]
        if object_type == "deals":
            stages = await self._stages(object_type)
            fields = [
                replace(f, type="choice", options=stages) if f.name == "dealstage" else f for f in fields
            ]
        for to in ("companies", "contacts", "deals"):
            if wire.primary_association(object_type, to) is not None:
                fields.append(
                    CrmField(
                        f"{wire.ASSOCIATION_PREFIX}{to}", f"Associated {to}", "reference", reference_to=(to,)
                    )
                )
        return CrmObject(object_type, object_type.title(), tuple(fields))

    async def _stages(self, object_type: str) -> tuple[CrmOption, ...]:
        body = await self._get(wire.path(self._version, "pipelines", object_type), partition=object_type)
        return tuple(
            CrmOption(
                str(stage["id"]), str(stage.get("label") or stage["id"]), not stage.get("archived", False)
            )
            for pipeline in body.get("results") or ()
            for stage in pipeline.get("stages") or ()
        )

    async def owners(self) -> list[CrmOwner]:
        """Return everybody who can own records."""
        found: list[CrmOwner] = []
        after: str | None = None
        while True:
            body = await self._get(
                wire.path(self._version, "owners"), {"limit": 100, "after": after}, partition="owners"
            )
            for raw in body.get("results") or ():
                name = f"{raw.get('firstName') or ''} {raw.get('lastName') or ''}".strip()
                owner = CrmOwner(
                    str(raw["id"]), str(raw.get("email") or ""), name, not raw.get("archived", False)
                )
                found.append(owner)
                if raw.get("userId"):
                    self._user_names[str(raw["userId"])] = name or owner.email
            after = _next(body)
            if after is None:
                self._owners = found
                return found

    async def scan(self, object_type: str, fields: Sequence[str], after: str = "") -> AsyncIterator[CrmPage]:
        """Yield every record in the order of ids."""
        properties, links = self._split(object_type, fields)
        cursor: str | None = after or None
        while True:
            params = {
                "limit": _LIST_PAGE,
                "properties": ",".join(properties),
                "associations": ",".join(links) or None,
                "archived": False,
                "after": cursor,
            }
            body = await self._get(
                wire.path(self._version, "objects", object_type), params, partition=object_type
            )
            records = [self._record(object_type, raw, links) for raw in body.get("results") or ()]
            cursor = _next(body)
            yield CrmPage(records, Cursor("", cursor) if cursor else None, cursor is None)
            if cursor is None:
                return

    async def changed(self, object_type: str, fields: Sequence[str], since: Cursor) -> AsyncIterator[CrmPage]:
        """Yield the records that changed since the cursor; ids come from search, bodies from a read."""
        at = _millis(since.at)
        while True:
            last, seen, after = at, 0, ""
            while True:
                rows, after = await self._search(object_type, at, None, after)
                seen += len(rows)
                if rows:
                    last = max(last, *(when for _, when in rows))
                    records = await self.get_many(object_type, [row_id for row_id, _ in rows], fields)
                    yield CrmPage(records, Cursor(_iso(last)), not after)
                if not after:
                    return
                if seen + _SEARCH_PAGE > _SEARCH_DEPTH:
                    break
            if last == at:
                # More records of one instant than a search is deep: walk them by id, then go past the instant.
                async for page in self._walk_instant(object_type, fields, at):
                    yield page
                last = at + 1
            at = last

    async def _walk_instant(self, object_type: str, fields: Sequence[str], at: int) -> AsyncIterator[CrmPage]:
        last_id = "0"
        while True:
            rows, _ = await self._search(object_type, at, last_id, "")
            if not rows:
                return
            last_id = str(max(int(row_id) for row_id, _ in rows))
            records = await self.get_many(object_type, [row_id for row_id, _ in rows], fields)
            yield CrmPage(records, Cursor(_iso(at), last_id), is_last=False)

    async def _search(
        self, object_type: str, at: int, after_id: str | None, after: str
    ) -> tuple[list[tuple[str, int]], str]:
        name = wire.cursor_property(object_type)
        filters: list[dict[str, Any]]
        if after_id is None:
            filters = [{"propertyName": name, "operator": "GTE", "value": str(at)}]
            sort = name
        else:
            filters = [
                {"propertyName": name, "operator": "BETWEEN", "value": str(at), "highValue": str(at)},
                {"propertyName": "hs_object_id", "operator": "GT", "value": after_id},
            ]
            sort = "hs_object_id"
        body: dict[str, Any] = {
            "filterGroups": [{"filters": filters}],
            "sorts": [{"propertyName": sort, "direction": "ASCENDING"}],
            "properties": [name],
            "limit": _SEARCH_PAGE,
        }
        if after:
            body["after"] = after
        url = f"{wire.path(self._version, 'objects', object_type)}/search"
        response = await self._searcher.call(self._request("POST", url, "read", object_type, json=body))
        answer = _decode(response)
        rows = [
            (
                str(raw["id"]),
                _millis(str((raw.get("properties") or {}).get(name) or raw.get("updatedAt") or "")),
            )
            for raw in answer.get("results") or ()
        ]
        return rows, _next(answer) or ""

    async def get_many(self, object_type: str, ids: Sequence[str], fields: Sequence[str]) -> list[CrmRecord]:
        """Return the records that exist; one that was merged away comes as the record that absorbed it."""
        properties, links = self._split(object_type, fields)
        found: dict[str, CrmRecord] = {}
        for chunk in _chunks(dict.fromkeys(ids), _BATCH):
            body = {"properties": properties, "inputs": [{"id": one} for one in chunk]}
            answer = await self._post(object_type, "batch/read", body, "read", Resend.FREELY)
            for raw in answer.get("results") or ():
                record = self._record(object_type, raw, ())
                found[record.id] = record
        absorbed = {old: record.id for record in found.values() for old in record.absorbed}
        result: list[CrmRecord] = []
        for one in dict.fromkeys(ids):
            if one in found:
                result.append(found[one])
            elif one in absorbed:
                result.append(replace(found[absorbed[one]], asked_id=one))
            else:
                record_or_none = await self._get_one(object_type, one, properties)
                if record_or_none is not None:
                    result.append(record_or_none)
        return await self._with_links(object_type, result, links)

    async def _get_one(self, object_type: str, record_id: str, properties: Sequence[str]) -> CrmRecord | None:
        url = f"{wire.path(self._version, 'objects', object_type)}/{record_id}"
        try:
            body = await self._get(url, {"properties": ",".join(properties)}, partition=object_type)
        except errors.NotFound:
            return None
        record = wire.decode_record(object_type, body)
        return record if record.id == record_id else replace(record, asked_id=record_id)

    async def _with_links(
        self, object_type: str, records: list[CrmRecord], links: Sequence[str]
    ) -> list[CrmRecord]:
        for to in links:
            targets: dict[str, str | None] = {}
            for chunk in _chunks((r.id for r in records), _ASSOCIATION_READ):
                url = f"{wire.path(self._version, 'associations', object_type, to)}/read"
                body = {"inputs": [{"id": one} for one in chunk]}
                response = await self._caller.call(
                    self._request("POST", url, "read", object_type, json=body, resend=Resend.FREELY)
                )
                for raw in _decode(response).get("results") or ():
                    targets[str(raw["from"]["id"])] = wire.primary_of(object_type, to, raw.get("to") or ())
            name = f"{wire.ASSOCIATION_PREFIX}{to}"
            records = [replace(r, values={**r.values, name: targets.get(r.id)}) for r in records]
        return records

    async def find(
        self, object_type: str, by: str, values: Sequence[str], fields: Sequence[str]
    ) -> list[CrmRecord]:
        """Return the records that hold one of the values in a unique property."""
        properties, links = self._split(object_type, fields)
        found: list[CrmRecord] = []
        for chunk in _chunks(dict.fromkeys(values), _BATCH):
            body = {"properties": properties, "idProperty": by, "inputs": [{"id": one} for one in chunk]}
            answer = await self._post(object_type, "batch/read", body, "read", Resend.FREELY)
            found += [self._record(object_type, raw, ()) for raw in answer.get("results") or ()]
        return await self._with_links(object_type, found, links)

    async def create_many(self, object_type: str, writes: Sequence[CrmWrite]) -> list[CrmResult]:
        """Create records; the caller looked first, and looks again after an unknown outcome."""
        inputs = [{"properties": _strings(write.values)} for write in writes]
        return await self._batch(object_type, "batch/create", writes, inputs, Resend.NEVER)

    async def update_many(self, object_type: str, writes: Sequence[CrmWrite]) -> list[CrmResult]:
        """Write only the named properties."""
        inputs = [{"id": write.id, "properties": _strings(write.values)} for write in writes]
        return await self._batch(object_type, "batch/update", writes, inputs, Resend.FREELY)

    async def upsert_many(
        self, object_type: str, key_field: str, writes: Sequence[CrmWrite]
    ) -> list[CrmResult]:
        """Create or update by a unique property; e-mail is refused as the key, it cannot be written sparsely."""
        if key_field == "email":
            raise errors.InvalidValue(
                "HubSpot cannot update sparsely by e-mail", hint="Use a unique property."
            )
        inputs = [
            {"id": write.values[key_field], "idProperty": key_field, "properties": _strings(write.values)}
            for write in writes
        ]
        return await self._batch(object_type, "batch/upsert", writes, inputs, Resend.FREELY)

    async def _batch(
        self,
        object_type: str,
        operation: str,
        writes: Sequence[CrmWrite],
        inputs: Sequence[dict[str, Any]],
        resend: Resend,
    ) -> list[CrmResult]:
        results: list[CrmResult] = []
        for start in range(0, len(writes), _BATCH):
            chunk = list(zip(writes[start : start + _BATCH], inputs[start : start + _BATCH], strict=True))
            plain = [pair for pair in chunk if pair[0].values or operation != "batch/update"]
            results += await self._send(object_type, operation, plain, resend)
            results += [CrmResult(write.key, write.id) for write, body in chunk if (write, body) not in plain]
        await self._write_links(object_type, writes, {result.key: result for result in results})
        return results

    async def _send(
        self, object_type: str, operation: str, chunk: list[tuple[CrmWrite, dict[str, Any]]], resend: Resend
    ) -> list[CrmResult]:
        if not chunk:
            return []
        traces: dict[str, CrmWrite] = {}
        bodies: list[dict[str, Any]] = []
        for write, body in chunk:
            self._traces += 1
            trace = f"{write.key}#{self._traces}"
            traces[trace] = write
            bodies.append({**body, "objectWriteTraceId": trace})
        try:
            answer = await self._post(object_type, operation, {"inputs": bodies}, "write", resend)
        except (errors.Refused, errors.NotFound) as error:
            if len(chunk) == 1:
                return [CrmResult(chunk[0][0].key, chunk[0][0].id, error=error)]
            # One bad row refused them all: the halves find it.
            half = len(chunk) // 2
            return [
                *await self._send(object_type, operation, chunk[:half], resend),
                *await self._send(object_type, operation, chunk[half:], resend),
            ]
        return self._outcomes(object_type, traces, answer)

    def _outcomes(
        self, object_type: str, traces: Mapping[str, CrmWrite], answer: Mapping[str, Any]
    ) -> list[CrmResult]:
        by_id = {write.id: write for write in traces.values() if write.id}
        results: dict[str, CrmResult] = {}
        for raw in answer.get("results") or ():
            found = traces.get(str(raw.get("objectWriteTraceId"))) or by_id.get(str(raw.get("id")))
            if found is not None:
                record = wire.decode_record(object_type, raw)
                results[found.key] = CrmResult(found.key, record.id, bool(raw.get("new")), record)
        for raw in answer.get("errors") or ():
            context = raw.get("context") or {}
            named = [*(context.get("objectWriteTraceId") or ()), *(context.get("ids") or ())]
            for name in named:
                refused = traces.get(str(name)) or by_id.get(str(name))
                if refused is not None:
                    results[refused.key] = CrmResult(refused.key, refused.id, error=wire.row_error(raw))
        for write in traces.values():
            if write.key not in results:
                missing = errors.ServerFailed("HubSpot's answer does not name this row", system=self.system)
                results[write.key] = CrmResult(write.key, write.id, error=missing)
        return list(results.values())

    async def _write_links(
        self, object_type: str, writes: Sequence[CrmWrite], results: Mapping[str, CrmResult]
    ) -> None:
        for write in writes:
            result = results[write.key]
            for to, target in write.links.items():
                if result.error is None:
                    await self._link(object_type, result.id or write.id, to, target)

    async def _link(self, object_type: str, record_id: str, to: str, target: str | None) -> None:
        path = wire.path(self._version, "associations", object_type, to)
        if target is not None:
            kind = {
                "associationCategory": "HUBSPOT_DEFINED",
                "associationTypeId": wire.primary_association(object_type, to),
            }
            body: dict[str, Any] = {
                "inputs": [{"from": {"id": record_id}, "to": {"id": target}, "types": [kind]}]
            }
            url = f"{path}/create"
        else:
            [record] = await self._with_links(object_type, [CrmRecord(record_id, {})], [to])
            present = record.values.get(f"{wire.ASSOCIATION_PREFIX}{to}")
            if present is None:
                return
            body = {"inputs": [{"from": {"id": record_id}, "to": [{"id": present}]}]}
            url = f"{path}/archive"
        await self._caller.call(
            self._request("POST", url, "write", object_type, json=body, resend=Resend.FREELY)
        )

    async def archive(self, object_type: str, ids: Sequence[str]) -> None:
        """Put records into the recycle bin, where they stay for 90 days."""
        for chunk in _chunks(dict.fromkeys(ids), _BATCH):
            body = {"inputs": [{"id": one} for one in chunk]}
            await self._post(object_type, "batch/archive", body, "write", Resend.FREELY)

    async def archived_since(self, object_type: str, since: datetime) -> list[str]:
        """Return the records in the recycle bin that were put there since then."""
        found: list[str] = []
        async for raw in self._bin(object_type, "hs_object_id"):
            at = instant(str(raw.get("archivedAt") or ""))
            if at is None or at >= since:
                found.append(str(raw["id"]))
        return found

    async def archived_with(self, object_type: str, key_field: str) -> dict[str, str]:
        """Return the ids in the recycle bin whose key field holds something, and what it holds."""
        found: dict[str, str] = {}
        async for raw in self._bin(object_type, key_field):
            if held := (raw.get("properties") or {}).get(key_field):
                found[str(raw["id"])] = str(held)
        return found

    async def _bin(self, object_type: str, properties: str) -> AsyncIterator[dict[str, Any]]:
        after: str | None = None
        while True:
            params = {"limit": _LIST_PAGE, "archived": True, "properties": properties, "after": after}
            path = wire.path(self._version, "objects", object_type)
            body = await self._get(path, params, partition=object_type)
            for raw in body.get("results") or ():
                yield raw
            after = _next(body)
            if after is None:
                return

    async def merges_since(self, object_type: str, since: datetime) -> list[CrmMerge]:  # noqa: ARG002
        """Return nothing: HubSpot tells of merges on the surviving record alone (`CrmRecord.absorbed`)."""
        return []

    async def history(
        self, object_type: str, ids: Sequence[str], fields: Sequence[str]
    ) -> dict[str, dict[str, list[CrmChange]]]:
        """Return the property history, newest first, with who and by what."""
        properties, _ = self._split(object_type, fields)
        if self._owners is None:
            await self.owners()
        found: dict[str, dict[str, list[CrmChange]]] = {}
        for chunk in _chunks(dict.fromkeys(ids), _HISTORY_BATCH):
            body = {
                "properties": [],
                "propertiesWithHistory": properties,
                "inputs": [{"id": i} for i in chunk],
            }
            answer = await self._post(object_type, "batch/read", body, "read", Resend.FREELY)
            for raw in answer.get("results") or ():
                found[str(raw["id"])] = {
                    name: [self._change(change) for change in changes]
                    for name, changes in (raw.get("propertiesWithHistory") or {}).items()
                }
        return found

    def _change(self, raw: Mapping[str, Any]) -> CrmChange:
        source = str(raw.get("sourceType") or "")
        user = str(raw.get("updatedByUserId") or "")
        if not user and str(raw.get("sourceId") or "").startswith("userId:"):
            user = str(raw["sourceId"]).removeprefix("userId:")
        by = (
            self._user_names.get(user)
            or str(raw.get("sourceLabel") or "")
            or source.replace("_", " ").lower()
        )
        return CrmChange(raw.get("value"), instant(str(raw.get("timestamp") or "")), by, source)

    def _split(self, object_type: str, fields: Sequence[str]) -> tuple[list[str], list[str]]:
        prefix = wire.ASSOCIATION_PREFIX
        links = [name.removeprefix(prefix) for name in fields if name.startswith(prefix)]
        named = [name for name in fields if not name.startswith(prefix)]
        always = (wire.cursor_property(object_type), "hs_merged_object_ids")
        return list(dict.fromkeys((*named, *always))), links

    def _record(self, object_type: str, raw: Mapping[str, Any], links: Iterable[str]) -> CrmRecord:
        record = wire.decode_record(object_type, raw)
        missing = {
            name: None for to in links if (name := f"{wire.ASSOCIATION_PREFIX}{to}") not in record.values
        }
        return replace(record, values={**record.values, **missing}) if missing else record

    def _request(
        self,
        method: str,
        path: str,
        kind: Kind,
        partition: str,
        *,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        resend: Resend = Resend.FREELY,
    ) -> Request:
        return Request(
            method,
            self._base + path,
            kind,
            resend,
            self._lane,
            partition,
            params=params,
            json=json,
            headers=self._headers,
        )

    async def _get(
        self, path: str, params: Mapping[str, Any] | None = None, *, partition: str
    ) -> dict[str, Any]:
        response = await self._caller.call(self._request("GET", path, "read", partition, params=params))
        self._note_limits(response)
        return _decode(response)

    async def _post(
        self, object_type: str, operation: str, body: Any, kind: Kind, resend: Resend
    ) -> dict[str, Any]:
        url = f"{wire.path(self._version, 'objects', object_type)}/{operation}"
        response = await self._caller.call(
            self._request("POST", url, kind, object_type, json=body, resend=resend)
        )
        self._note_limits(response)
        return _decode(response)

    def _note_limits(self, response: Response) -> None:
        burst = response.headers.get("x-hubspot-ratelimit-max") or ""
        if burst.isdigit() and int(burst) != self._burst:
            # The account says how much its plan allows; half of it for reads, half for writes.
            self._burst = int(burst)
            share = max(2, self._burst // 20)
            self.limiter = self._caller.limiter = Limiter(share, share, self._clock)
        day = response.headers.get("x-hubspot-ratelimit-daily") or ""
        left = response.headers.get("x-hubspot-ratelimit-daily-remaining") or ""
        if day.isdigit() and left.isdigit():
            self._limits = CrmLimits(int(day), max(0, int(day) - int(left)))


def _decode(response: Response) -> dict[str, Any]:
    if not response.content:
        return {}
    try:
        body = msgspec.json.decode(response.content)
    except msgspec.DecodeError as error:
        raise errors.ServerFailed(f"HubSpot's answer is not JSON: {error}", system="hubspot") from error
    return body if isinstance(body, dict) else {}


def _next(body: Mapping[str, Any]) -> str | None:
    after = ((body.get("paging") or {}).get("next") or {}).get("after")
    return None if after is None else str(after)


def _chunks(ids: Iterable[str], size: int) -> list[list[str]]:
    every = list(ids)
    return [every[start : start + size] for start in range(0, len(every), size)]


def _strings(values: Mapping[str, Any]) -> dict[str, str]:
    """Spell values as HubSpot takes them: every one a text, a blank as the empty text that clears."""
    return {name: _string(value) for name, value in values.items()}


def _string(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ";".join(str(part) for part in value)
    return str(value)


def _millis(text: str) -> int:
    if text.isdigit():
        return int(text)
    moment = instant(text) if text else None
    return int(moment.timestamp() * 1000) if moment else 0


def _iso(millis: int) -> str:
    from datetime import UTC

    return stamp(datetime.fromtimestamp(millis / 1000, UTC))
