"""Whole records: created under the key that makes a second creation impossible, or put into the recycle bin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attio_console.crm.protocol import CrmRecord, CrmResult, CrmWrite
from attio_console.store.tx import Tx
from attio_console.store.types import AuditEntry, NewPair, OutboxClaim, OutboxItem
from attio_console.sync.crm_context import external_row
from attio_console.sync.crm_send_fields import FieldSending
from attio_console.sync.crm_settle import one_of


class RecordSending(FieldSending):
    """Sends creations and deletions, too."""

    async def _create(self, external_type: str, claims: list[OutboxClaim]) -> None:
        for claim in claims:
            await self._create_one(external_type, claim)
        self._tell(claims)

    async def _create_one(self, external_type: str, claim: OutboxClaim) -> None:
        item = claim.item
        mapping = self._context.mapping.object(str(item.payload.get("object_key")), external_type)
        values = {name: one_of(edit.new) for name, edit in item.fields.items()}
        fields = self._context.mapping.fields_of(external_type)
        key_field = mapping.key_field if mapping else ""
        if key_field:
            [result] = await self._client.upsert_many(
                external_type,
                key_field,
                [CrmWrite(str(item.id), {**values, key_field: item.payload["attio_record_id"]})],
            )
        else:
            result = await self._look_then_create(external_type, item, values, fields)
        if result.error is not None:
            await self._refused(claim, result.error)
            return
        records = await self._client.get_many(external_type, [result.id], fields)
        self._contact.ok()
        for record in records:
            await self._created(external_type, claim, record)

    async def _look_then_create(
        self, external_type: str, item: OutboxItem, values: dict[str, Any], fields: Sequence[str]
    ) -> CrmResult:
        mapping = self._context.mapping.object(str(item.payload.get("object_key")), external_type)
        for match in mapping.match if mapping else ():
            if wanted := values.get(match.external):
                found = await self._client.find(external_type, match.external, [str(wanted)], fields)
                if found:
                    return CrmResult(str(item.id), found[0].id, record=found[0])
        [result] = await self._client.create_many(external_type, [CrmWrite(str(item.id), values)])
        return result

    async def _created(self, external_type: str, claim: OutboxClaim, record: CrmRecord) -> None:
        item, store = claim.item, self._store
        await store.mirror.apply_page(item.collection, [external_row(record)])
        pair = NewPair(
            self._context.system,
            str(item.payload["object_key"]),
            str(item.payload["attio_collection"]),
            str(item.payload["attio_record_id"]),
            external_type,
            record.id,
            "confirmed",
            "sync",
            1.0,
            "created from Attio",
        )

        def job(tx: Tx) -> None:
            store.outbox.confirm_in(tx, claim, record_id=record.id)
            store.pairs.put_in(tx, pair)
            store.audit.append_in(
                tx, AuditEntry(item.actor or item.origin, "created", item.system, record.id, rule=item.origin)
            )

        await store.queue.run(job)
        self._bus.records(item.collection, [record.id])

    async def _delete(self, external_type: str, claims: list[OutboxClaim]) -> None:
        ids = [claim.item.record_id for claim in claims]
        await self._client.archive(external_type, ids)
        self._contact.ok()
        await self._store.mirror.delete(claims[0].item.collection, ids)
        for claim in claims:
            await self._store.outbox.confirm(claim)
        self._tell(claims)
