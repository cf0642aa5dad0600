"""Reading HubSpot: lists, search windows that survive equal timestamps, associations, owners, pipelines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from attio_console import errors
from attio_console.crm import hubspot_wire as wire
from attio_console.crm.hubspot_calls import HubSpotCalls, chunks, decode, onward, results
from attio_console.crm.protocol import (
    CrmField,
    CrmIdentity,
    CrmLimits,
    CrmObject,
    CrmOption,
    CrmOwner,
    CrmPage,
    CrmRecord,
    Cursor,
    Known,
)
from attio_console.model.times import instant, stamp
from attio_console.net import Resend

_READ_BATCH = 100
_LIST_PAGE = 100
_SEARCH_PAGE = 200
_ASSOCIATION_READ = 1_000


class HubSpotReading(HubSpotCalls):
    """What the account holds."""

    page_size = _LIST_PAGE

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
        fields = [wire.decode_property(raw) for raw in results(body) if not raw.get("archived")]
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
            for pipeline in results(body)
            for stage in pipeline.get("stages") or ()
        )

    async def owners(self) -> list[CrmOwner]:
        """Return everybody who can own records."""
        found: list[CrmOwner] = []
        after: str | None = None
        been: set[str] = set()
        while True:
            body = await self._get(
                wire.path(self._version, "owners"), {"limit": 100, "after": after}, partition="owners"
            )
            for raw in results(body):
                name = f"{raw.get('firstName') or ''} {raw.get('lastName') or ''}".strip()
                owner = CrmOwner(
                    str(raw["id"]), str(raw.get("email") or ""), name, not raw.get("archived", False)
                )
                found.append(owner)
                if raw.get("userId"):
                    self._user_names[str(raw["userId"])] = name or owner.email
            after = onward(body, been)
            if after is None:
                self._owners = found
                return found

    async def scan(self, object_type: str, fields: Sequence[str], after: str = "") -> AsyncIterator[CrmPage]:
        """Yield every record in the order of ids."""
        properties, links = self._split(object_type, fields)
        cursor: str | None = after or None
        been: set[str] = set()
        last_ids: set[str] = set()
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
            records = [self._record(object_type, raw, links) for raw in results(body)]
            cursor = onward(body, been)
            ids = {record.id for record in records}
            if cursor and ids and ids <= last_ids:
                raise ValueError("a page repeats the one before")
            last_ids = ids
            yield CrmPage(records, Cursor("", cursor) if cursor else None, cursor is None)
            if cursor is None:
                return

    async def changed(
        self, object_type: str, fields: Sequence[str], since: Cursor, known: Known | None = None
    ) -> AsyncIterator[CrmPage]:
        """Yield the records that changed since the cursor; ids come from search, bodies from a read.

        Every page begins at the stamp the one before ended with, never at an offset: what changes meanwhile moves to the
        end of the order, and would move what is behind it past an offset. The cursor is as old as the search: a body
        that is read later may be newer than what the search could see of others.
        """
        at = _millis(since.at)
        while True:
            rows, is_full = await self._search(object_type, at, None)
            last = max((when for _, when in rows), default=at)
            if rows:
                yield CrmPage(
                    await self._unknown(object_type, rows, fields, known), Cursor(_iso(last)), not is_full
                )
            if not is_full:
                return
            if last < at:
                raise ValueError("a search gives what was excluded from it")
            if last == at:
                # More records of one instant than a page holds: walk them by id, then go past the instant.
                async for page in self._walk_instant(object_type, fields, at, known):
                    yield page
                last = at + 1
            at = last

    async def _unknown(
        self, object_type: str, rows: Sequence[tuple[str, int]], fields: Sequence[str], known: Known | None
    ) -> list[CrmRecord]:
        # The tail of what was changed last is found by every search: it is not read by every look.
        ids = [row_id for row_id, when in rows if known is None or not known(row_id, _iso(when))]
        return await self.get_many(object_type, ids, fields) if ids else []

    async def _walk_instant(
        self, object_type: str, fields: Sequence[str], at: int, known: Known | None
    ) -> AsyncIterator[CrmPage]:
        last_id = "0"
        while True:
            rows, _ = await self._search(object_type, at, last_id)
            if not rows:
                return
            before, last_id = last_id, str(max(int(row_id) for row_id, _ in rows))
            if int(last_id) <= int(before):
                raise ValueError("a search gives what was excluded from it")
            records = await self._unknown(object_type, rows, fields, known)
            yield CrmPage(records, Cursor(_iso(at), last_id), is_last=False)

    async def _search(
        self, object_type: str, at: int, after_id: str | None
    ) -> tuple[list[tuple[str, int]], bool]:
        """Return the ids and stamps of the first page, and whether there is more behind it."""
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
        url = f"{wire.path(self._version, 'objects', object_type)}/search"
        response = await self._searcher.call(self._request("POST", url, "read", object_type, json=body))
        answer = decode(response)
        rows = [
            (
                str(raw["id"]),
                _millis(str((raw.get("properties") or {}).get(name) or raw.get("updatedAt") or "")),
            )
            for raw in results(answer)
        ]
        return rows, bool(onward(answer, set()))

    async def get_many(self, object_type: str, ids: Sequence[str], fields: Sequence[str]) -> list[CrmRecord]:
        """Return the records that exist; one that was merged away comes as the record that absorbed it."""
        properties, links = self._split(object_type, fields)
        found: dict[str, CrmRecord] = {}
        for chunk in chunks(dict.fromkeys(ids), _READ_BATCH):
            body = {"properties": properties, "inputs": [{"id": one} for one in chunk]}
            answer = await self._post(object_type, "batch/read", body, "read", Resend.FREELY)
            for raw in results(answer):
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
            for chunk in chunks((r.id for r in records), _ASSOCIATION_READ):
                url = f"{wire.path(self._version, 'associations', object_type, to)}/read"
                body = {"inputs": [{"id": one} for one in chunk]}
                response = await self._caller.call(
                    self._request("POST", url, "read", object_type, json=body, resend=Resend.FREELY)
                )
                for raw in results(decode(response)):
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
        for chunk in chunks(dict.fromkeys(values), _READ_BATCH):
            body = {"properties": properties, "idProperty": by, "inputs": [{"id": one} for one in chunk]}
            answer = await self._post(object_type, "batch/read", body, "read", Resend.FREELY)
            found += [self._record(object_type, raw, ()) for raw in results(answer)]
        return await self._with_links(object_type, found, links)

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


def _millis(text: str) -> int:
    if text.isdigit():
        return int(text)
    moment = instant(text) if text else None
    return int(moment.timestamp() * 1000) if moment else 0


def _iso(millis: int) -> str:
    from datetime import UTC

    return stamp(datetime.fromtimestamp(millis / 1000, UTC))
