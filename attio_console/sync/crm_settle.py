"""What became of a write to the other system, kept with everything that must agree with it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from attio_console import errors
from attio_console.crm.protocol import CrmClient, CrmRecord
from attio_console.model.clock import Clock
from attio_console.model.items import Items
from attio_console.model.values import same
from attio_console.net import Backoff
from attio_console.store import Store
from attio_console.store.tx import Tx
from attio_console.store.types import AuditEntry, NewConflict, OutboxClaim, OutboxItem
from attio_console.sync import kinds
from attio_console.sync.bus import Bus, Change
from attio_console.sync.compare import SHADOW
from attio_console.sync.contact import Contact
from attio_console.sync.crm_context import CrmContext, StoredLinks, external_row
from attio_console.sync.gate import Gate
from attio_console.sync.outcome import agreed

ATTEMPTS = 12
_BACKOFF = Backoff(base_s=1.0, cap_s=30.0)


class Settling:
    """Keeps outcomes: arrived, overtaken, refused, to be tried again."""

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

    async def _arrived(
        self, external_type: str, claim: OutboxClaim, record: CrmRecord, *, wrote: bool = False
    ) -> None:
        item, store = claim.item, self._store
        await store.mirror.apply_page(item.collection, [external_row(record)])
        answered: dict[str, Items] = {name: native(record.values.get(name)) for name in item.fields}
        pair_id = item.payload.get("pair_id")
        shadows = self._shadows(external_type, item, record)

        def job(tx: Tx) -> None:
            store.outbox.confirm_in(tx, claim, answered)
            # At once: were it left to the next comparison, a change made before it would look like one on both sides.
            store.pairs.agree_in(tx, pair_id, {**agreed(item.payload), **shadows})
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

    async def _moved(self, claim: OutboxClaim, record: CrmRecord, moved: Sequence[str]) -> None:
        """Somebody else was there first: nothing is sent, and the pair is compared anew with what is there now."""
        names = ", ".join(moved)
        await self._store.mirror.apply_page(claim.item.collection, [external_row(record)])
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
        question = None
        if pair is not None:
            question = NewConflict(
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
            )

        def job(tx: Tx) -> None:
            store.outbox.refuse_in(tx, claim, _reason(error))
            if question is not None:
                store.conflicts.open_in(tx, question)

        await store.queue.run(job)
        self._bus.changed("conflicts")

    def _refused_fields(
        self, external_type: str, item: OutboxItem, error: errors.ConsoleError
    ) -> list[dict[str, Any]]:
        fields: list[dict[str, Any]] = []
        before = {name: one_of(edit.base) for name, edit in item.fields.items()}
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


def _reason(error: errors.ConsoleError) -> str:
    return f"{error} {error.hint}".strip() if error.hint else str(error)


def one_of(items: Items) -> Any:
    return items[0] if items else None


def native(value: Any) -> Items:
    return [] if value is None or value == "" else [value]
