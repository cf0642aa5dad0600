"""Fields of existing records: read, compare with what the author saw, write only what was meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from attio_console import errors
from attio_console.crm.hubspot_wire import ASSOCIATION_PREFIX
from attio_console.crm.protocol import CrmRecord, CrmResult, CrmWrite
from attio_console.store.types import OutboxClaim, OutboxItem
from attio_console.sync.compare import same_native
from attio_console.sync.crm_settle import Settling, one_of


class FieldSending(Settling):
    """Sends changes of fields."""

    async def _update(self, external_type: str, claims: list[OutboxClaim]) -> None:
        fields = self._context.mapping.fields_of(external_type)
        found = await self._client.get_many(external_type, [c.item.record_id for c in claims], fields)
        self._contact.ok()
        present = {record.asked_id or record.id: record for record in found}
        writes: list[CrmWrite] = []
        waiting: dict[str, tuple[OutboxClaim, CrmRecord]] = {}
        for claim in claims:
            record = present.get(claim.item.record_id)
            if record is None or record.asked_id:
                await self._vanished(claim)
                continue
            todo, moved = self._difference(claim.item, record)
            if moved:
                await self._moved(claim, record, moved)
            elif not todo:
                # It is there already: an earlier attempt arrived, or somebody did the same.
                await self._arrived(external_type, claim, record)
            else:
                key = str(claim.item.id)
                waiting[key] = (claim, record)
                writes.append(self._write(key, record, todo, alone=len(claims) == 1))
        if writes:
            await self._send(external_type, writes, waiting, fields)
        self._tell(claims)

    @staticmethod
    def _difference(item: OutboxItem, record: CrmRecord) -> tuple[dict[str, Any], list[str]]:
        """Return what is still to be written, and the fields that are neither as seen nor as meant."""
        todo: dict[str, Any] = {}
        moved: list[str] = []
        for name, edit in item.fields.items():
            now = record.values.get(name)
            if same_native(now, one_of(edit.new)):
                continue
            if same_native(now, one_of(edit.base)):
                todo[name] = one_of(edit.new)
            else:
                moved.append(name)
        return todo, moved

    def _write(self, key: str, record: CrmRecord, todo: Mapping[str, Any], *, alone: bool) -> CrmWrite:
        prefix = ASSOCIATION_PREFIX
        values = {name: value for name, value in todo.items() if not name.startswith(prefix)}
        links = {name.removeprefix(prefix): value for name, value in todo.items() if name.startswith(prefix)}
        bound = record.modified_at if alone and self._client.conditional_writes else ""
        return CrmWrite(key, values, record.id, links, bound)

    async def _send(
        self,
        external_type: str,
        writes: Sequence[CrmWrite],
        waiting: Mapping[str, tuple[OutboxClaim, CrmRecord]],
        fields: Sequence[str],
    ) -> None:
        results = await self._client.update_many(external_type, writes)
        written = {write.key: write for write in writes}
        done = [result for result in results if result.error is None]
        records = await self._as_it_is(external_type, done, written, waiting, fields)
        for result in results:
            claim, before = waiting[result.key]
            if result.error is None:
                await self._arrived(external_type, claim, records.get(result.key, before), wrote=True)
            elif isinstance(result.error, errors.Gone | errors.NotFound):
                await self._vanished(claim)
            elif isinstance(result.error, errors.Changed | errors.ConcurrentWrite | errors.ServerFailed):
                await self._later([claim], _again(result.error))
            else:
                await self._refused(claim, result.error)

    async def _as_it_is(
        self,
        external_type: str,
        done: Sequence[CrmResult],
        written: Mapping[str, CrmWrite],
        waiting: Mapping[str, tuple[OutboxClaim, CrmRecord]],
        fields: Sequence[str],
    ) -> dict[str, CrmRecord]:
        """Return the records after the write: from its answer where that names every field, else read again."""
        records: dict[str, CrmRecord] = {}
        unknown: dict[str, str] = {}
        for result in done:
            write, (_, before) = written[result.key], waiting[result.key]
            answer = result.record.values if result.record else {}
            if result.record is not None and all(name in answer for name in write.values):
                linked = {f"{ASSOCIATION_PREFIX}{to}": target for to, target in write.links.items()}
                records[result.key] = replace(
                    before,
                    values={**before.values, **answer, **linked},
                    modified_at=result.record.modified_at or before.modified_at,
                )
            else:
                unknown[result.id or write.id] = result.key
        if unknown:
            for record in await self._client.get_many(external_type, list(unknown), fields):
                records[unknown.get(record.id, "")] = record
        return records


def _again(error: errors.ConsoleError) -> errors.ConsoleError:
    """Return the failure of one row as one that is tried again after another look."""
    if isinstance(error, errors.Changed):
        return errors.ConcurrentWrite(error.message, system=error.system, status=error.status)
    return error
