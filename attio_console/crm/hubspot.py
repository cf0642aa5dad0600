"""The HubSpot client: everything of reading, and writing in batches whose rows fail alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attio_console import errors
from attio_console.crm import hubspot_wire as wire
from attio_console.crm.hubspot_activities import HubSpotActivities, inline_associations
from attio_console.crm.hubspot_calls import chunks
from attio_console.crm.hubspot_past import HubSpotPast
from attio_console.crm.hubspot_schema import HubSpotSchema
from attio_console.crm.protocol import (
    CrmRecord,
    CrmResult,
    CrmWrite,
)
from attio_console.net import Resend, keeping_promises

_BATCH = 100


@keeping_promises("hubspot")
class HubSpot(HubSpotActivities, HubSpotPast, HubSpotSchema):
    """One HubSpot account, through a service key, a private app token or an OAuth access token."""

    batch_size = _BATCH
    conditional_writes = False

    async def create_many(self, object_type: str, writes: Sequence[CrmWrite]) -> list[CrmResult]:
        """Create records; the caller looked first, and looks again after an unknown outcome."""
        inputs: list[dict[str, Any]] = []
        for write in writes:
            inline = inline_associations(object_type, write.links)
            inputs.append(
                {"properties": _strings(write.values)} | ({"associations": inline} if inline else {})
            )
        return await self._batch(object_type, "batch/create", writes, inputs, Resend.NEVER)

    async def update_many(self, object_type: str, writes: Sequence[CrmWrite]) -> list[CrmResult]:
        """Write only the named properties."""
        inputs = [{"id": write.id, "properties": _strings(write.values)} for write in writes]
        return await self._batch(object_type, "batch/update", writes, inputs, Resend.ONCE)

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
            if inline_associations(object_type, write.links):
                continue
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
            self._request("POST", url, "write", object_type, json=body, resend=Resend.ONCE)
        )

    async def archive(self, object_type: str, ids: Sequence[str]) -> None:
        """Put records into the recycle bin, where they stay for 90 days."""
        for chunk in chunks(dict.fromkeys(ids), _BATCH):
            body = {"inputs": [{"id": one} for one in chunk]}
            await self._post(object_type, "batch/archive", body, "write", Resend.FREELY)


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
