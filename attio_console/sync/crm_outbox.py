"""Writes on their way to HubSpot or Salesforce: read, compare with what the author saw, write only what was meant."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from attio_console import errors
from attio_console.crm.hubspot_wire import ASSOCIATION_PREFIX
from attio_console.crm.protocol import CrmClient, CrmRecord, CrmResult, CrmWrite
from attio_console.model.clock import Clock
from attio_console.model.items import Items
from attio_console.model.values import same
from attio_console.net import Backoff
from attio_console.store import Store
from attio_console.store.tx import Tx
from attio_console.store.types import AuditEntry, NewConflict, NewPair, OutboxClaim, OutboxItem
from attio_console.sync import kinds
from attio_console.sync.bus import Bus, Change
from attio_console.sync.compare import SHADOW, same_native
from attio_console.sync.contact import Contact
from attio_console.sync.crm_context import CrmContext, StoredLinks, external_row
from attio_console.sync.gate import Gate

LEASE_S = 120.0
ATTEMPTS = 4
_IDLE_S = 30.0
_BACKOFF = Backoff(base_s=1.0, cap_s=30.0)


class CrmSender:
    """Sends the outbox items of one other system."""

    def __init__(
        self,
        client: CrmClient,
        store: Store,
        bus: Bus,
        context: CrmContext,
        clock: Clock,
        rng: random.Random,
        contact: Contact,
        gate: Gate | None = None,
    ) -> None:
        self._client = client
        self._store = store
        self._bus = bus
        self._context = context
        self._links = StoredLinks(store, context.system)
        self._clock = clock
        self._rng = rng
        self._contact = contact
        self._gate = gate

    async def run(self) -> None:
        """Send until cancelled."""
        with self._bus.subscribe() as changes:
            while True:
                if self._gate is not None and self._gate.paused:
                    await self._gate.open()
                sent = await self.send_due()
                if not sent:
                    await self._rest(changes)

    async def _rest(self, changes: Any) -> None:
        pause = _IDLE_S
        due = self._store.outbox.next_due(self._context.system)
        if due is not None:
            pause = min(pause, max(0.02, (due - self._clock.now()).total_seconds()))
        try:
            async with asyncio.timeout(pause):
                async for change in changes:
                    if change.what == "outbox":
                        return
        except TimeoutError:
            return

    async def send_due(self) -> int:
        """Send what is due now; return how many writes were taken up."""
        system = self._context.system
        claims = await self._store.outbox.claim(system, self._client.batch_size, LEASE_S)
        batches: dict[tuple[str, str, bool], list[OutboxClaim]] = defaultdict(list)
        for claim in claims:
            # A person's decision goes alone where the write can be bound to the version that was compared.
            alone = self._client.conditional_writes and claim.item.origin.startswith("resolution:")
            batches[claim.item.collection, claim.item.kind, alone].append(claim)
        for (collection, kind, alone), batch in batches.items():
            external_type = collection.partition(":")[2]
            for part in [[one] for one in batch] if alone else [batch]:
                await self._guarded(external_type, kind, part)
        return len(claims)

    async def _guarded(self, external_type: str, kind: str, claims: list[OutboxClaim]) -> None:
        try:
            if kind == "set":
                await self._update(external_type, claims)
            elif kind == "create":
                await self._create(external_type, claims)
            elif kind == "delete":
                await self._delete(external_type, claims)
            else:
                for claim in claims:
                    await self._store.outbox.refuse(claim, f"{self._context.system} cannot do {kind}")
        except errors.LeaseLost as error:
            self._contact.remember(error)
        except errors.ConsoleError as error:
            await self._later(claims, error)

    async def _later(self, claims: Sequence[OutboxClaim], error: errors.ConsoleError) -> None:
        self._contact.failed(error)
        unknown = isinstance(error, errors.ServerFailed) or (
            isinstance(error, errors.NetworkError) and error.unknown_outcome
        )
        for claim in claims:
            attempts = claim.item.attempts
            is_down = isinstance(error, errors.NetworkError | errors.NotAuthorised | errors.RateLimited)
            try:
                if not error.retryable and not is_down:
                    await self._store.outbox.refuse(claim, _reason(error))
                elif attempts >= ATTEMPTS and not is_down:
                    await self._store.outbox.dead(claim, _reason(error))
                else:
                    asked = getattr(error, "retry_after_s", None) or getattr(error, "retry_in_s", None) or 0.0
                    wait = max(_BACKOFF.wait(min(attempts, 6), self._rng), min(asked, 900.0))
                    at = self._clock.now() + timedelta(seconds=wait)
                    await self._store.outbox.retry(claim, _reason(error), at, uncertain=unknown)
            except errors.LeaseLost:
                continue
        self._tell(claims)

    def _tell(self, claims: Sequence[OutboxClaim]) -> None:
        for claim in claims:
            item = claim.item
            self._bus.publish(Change("outbox", frozenset((item.collection,)), frozenset((item.record_id,))))
            self._bus.records(item.collection, [item.record_id])

    # --------------------------------------------------------------------------------------------- fields

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
                await self._moved(external_type, claim, record, moved)
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
            if same_native(now, _one(edit.new)):
                continue
            if same_native(now, _one(edit.base)):
                todo[name] = _one(edit.new)
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

    async def _arrived(
        self, external_type: str, claim: OutboxClaim, record: CrmRecord, *, wrote: bool = False
    ) -> None:
        item, store = claim.item, self._store
        await store.mirror.apply_page(
            item.collection, [external_row(self._context.system, external_type, record)]
        )
        answered: dict[str, Items] = {name: _native(record.values.get(name)) for name in item.fields}
        pair_id = item.payload.get("pair_id")
        shadows = self._shadows(external_type, item, record)

        def job(tx: Tx) -> None:
            store.outbox.confirm_in(tx, claim, answered)
            if shadows and isinstance(pair_id, int):
                store.pairs.set_bases_in(tx, pair_id, shadows)
            store.audit.append_in(
                tx,
                *(
                    AuditEntry(
                        item.actor or item.origin,
                        "sent" if wrote else "found as meant",
                        item.system,
                        item.record_id,
                        name,
                        edit.base,
                        answered[name],
                        item.origin,
                    )
                    for name, edit in item.fields.items()
                ),
            )

        await store.queue.run(job)

    def _shadows(self, external_type: str, item: OutboxItem, record: CrmRecord) -> dict[str, Items]:
        """Return new bases for values that the other side keeps in another form than they were written in."""
        found: dict[str, Items] = {}
        for mapping in self._context.mapping.for_external(external_type):
            for codec in self._context.codecs(mapping, self._store.mirror.schema, self._links):
                slug = codec.field.attio
                means = item.payload.get(f"means:{slug}")
                if means is None:
                    continue
                kept = codec.read(record.values, means).items
                if not same(codec.attribute.type, kept, means):
                    found[slug] = means
                    found[slug + SHADOW] = [{"of": means, "is": kept}]
        return found

    async def _moved(
        self, external_type: str, claim: OutboxClaim, record: CrmRecord, moved: Sequence[str]
    ) -> None:
        """Somebody else was there first: nothing is sent, and the pair is compared anew with what is there now."""
        names = ", ".join(moved)
        await self._store.mirror.apply_page(
            claim.item.collection, [external_row(self._context.system, external_type, record)]
        )
        await self._store.outbox.refuse(claim, f"{names} changed there meanwhile; nothing was sent")
        await self._store.outbox.discard(claim.ids)

    async def _vanished(self, claim: OutboxClaim) -> None:
        item = claim.item
        await self._store.mirror.delete(item.collection, [item.record_id])
        await self._store.outbox.refuse(claim, "The record is not there any more; nothing was sent")
        await self._store.outbox.discard(claim.ids)

    async def _refused(self, claim: OutboxClaim, error: errors.ConsoleError) -> None:
        item, store = claim.item, self._store
        pair_id = item.payload.get("pair_id")
        pair = store.pairs.get(pair_id) if isinstance(pair_id, int) else None

        def job(tx: Tx) -> None:
            store.outbox.refuse_in(tx, claim, _reason(error))
            if pair is not None:
                store.conflicts.open_in(
                    tx,
                    NewConflict(
                        kinds.REFUSED,
                        pair.system,
                        pair.collection,
                        pair.record_id,
                        store.mirror.label(pair.record_id) or pair.record_id,
                        self._refused_fields(pair.external_type, item, error),
                        pair.id,
                        pair.external_type,
                        pair.external_id,
                        "outbox",
                    ),
                )

        await store.queue.run(job)
        self._bus.changed("conflicts")

    def _refused_fields(
        self, external_type: str, item: OutboxItem, error: errors.ConsoleError
    ) -> list[dict[str, Any]]:
        fields: list[dict[str, Any]] = []
        before = {name: _one(edit.base) for name, edit in item.fields.items()}
        for mapping in self._context.mapping.for_external(external_type):
            for codec in self._context.codecs(mapping, self._store.mirror.schema, self._links):
                slug = codec.field.attio
                if not any(name in item.fields for name in codec.field.external):
                    continue
                fields.append(
                    {
                        "slug": slug,
                        "field": slug,
                        "title": codec.attribute.title,
                        "type": codec.attribute.type,
                        "multi": codec.is_set,
                        "base": [],
                        "has_base": False,
                        "attio": list(item.payload.get(f"means:{slug}") or []),
                        "external": codec.read(before).items,
                        "external_field": codec.field.shown,
                        "suggestion": None,
                        "why": error.message,
                    }
                )
            if fields:
                break
        return fields

    # --------------------------------------------------------------------------------------------- whole records

    async def _create(self, external_type: str, claims: list[OutboxClaim]) -> None:
        for claim in claims:
            await self._create_one(external_type, claim)
        self._tell(claims)

    async def _create_one(self, external_type: str, claim: OutboxClaim) -> None:
        item = claim.item
        mapping = self._context.mapping.object(str(item.payload.get("object_key")), external_type)
        values = {name: _one(edit.new) for name, edit in item.fields.items()}
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
        await store.mirror.apply_page(
            item.collection, [external_row(self._context.system, external_type, record)]
        )
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


def _again(error: errors.ConsoleError) -> errors.ConsoleError:
    """Return the failure of one row as one that is tried again after another look."""
    if isinstance(error, errors.Changed):
        return errors.ConcurrentWrite(error.message, system=error.system, status=error.status)
    return error


def _reason(error: errors.ConsoleError) -> str:
    return f"{error} {error.hint}".strip() if error.hint else str(error)


def _one(items: Items) -> Any:
    return items[0] if items else None


def _native(value: Any) -> Items:
    return [] if value is None or value == "" else [value]
