"""Sends what waits in the outbox to Attio: one write per row at a time, people's edits first, each settled visibly."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

from attio_console import errors
from attio_console.model.clock import Clock
from attio_console.net.retry import Backoff
from attio_console.store import Store
from attio_console.store.tx import Tx
from attio_console.store.types import AuditEntry, NewConflict, OutboxClaim, OutboxItem
from attio_console.sync import kinds
from attio_console.sync.attio_writer import AttioWriter
from attio_console.sync.bus import Bus, Change
from attio_console.sync.gate import Gate
from attio_console.sync.outcome import Moved, NotYet, Vanished, Written, agreed
from attio_console.sync.schema_keeper import SchemaKeeper

SYSTEM = "attio"
SIDE_BY_SIDE = 8
LEASE_S = 300.0
ATTEMPTS = 12
# A write whose answer was lost may still be on its way, and queries are a second or two behind.
UNCERTAIN_PAUSE_S = 2.5
_IDLE_S = 1.0


class OutboxSender:
    """Works the outbox of one Attio workspace."""

    def __init__(
        self,
        store: Store,
        writer: AttioWriter,
        keeper: SchemaKeeper,
        bus: Bus,
        gate: Gate,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self._store = store
        self._writer = writer
        self._keeper = keeper
        self._bus = bus
        self._gate = gate
        self._clock = clock
        self._rng = rng
        self._backoff = Backoff(base_s=0.5, cap_s=30.0)
        self._wake = asyncio.Event()
        self._busy = 0

    def wake(self) -> None:
        """Tell that a write was added."""
        self._wake.set()

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._gate.open()
                self._wake.clear()
                free = SIDE_BY_SIDE - self._busy
                claims = await self._store.outbox.claim(SYSTEM, free, LEASE_S) if free else []
                for claim in claims:
                    self._busy += 1
                    tasks.create_task(self._send(claim))
                if not claims or len(claims) == free:
                    await self._rest()

    async def _rest(self) -> None:
        pause = _IDLE_S
        due = self._store.outbox.next_due(SYSTEM)
        if due is not None and self._busy < SIDE_BY_SIDE:
            pause = min(pause, max(0.02, (due - self._clock.now()).total_seconds()))
        try:
            async with asyncio.timeout(pause):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _send(self, claim: OutboxClaim) -> None:
        self._tell(claim.item)
        try:
            await self._settle(claim)
        except errors.LeaseLost as error:
            # Whoever took it over looks before writing, so nothing is doubled.
            self._gate.contact.remember(error)
        finally:
            self._busy -= 1
            self._wake.set()
            self._tell(claim.item)

    async def _attempt(self, claim: OutboxClaim) -> Written:
        try:
            return await self._writer.send(claim.item)
        except errors.UnknownReference:
            # The schema here may be old: fetch it and try once more with what the names mean now.
            await self._keeper.refresh()
            return await self._writer.send(claim.item)

    async def _settle(self, claim: OutboxClaim) -> None:
        outbox = self._store.outbox
        try:
            written = await self._attempt(claim)
        except Moved as moved:
            await self._refuse_with_conflict(claim, kinds.EDIT, moved.label, moved.fields, str(moved))
        except Vanished as vanished:
            await self._refuse_with_conflict(
                claim, kinds.EDIT_OF_DELETED, vanished.label, vanished.fields, str(vanished)
            )
        except NotYet as error:
            await outbox.retry(claim, str(error), self._clock.now() + timedelta(seconds=0.5))
        except (errors.NetworkError, errors.NotAuthorised) as error:
            self._gate.contact.failed(error)
            unknown = isinstance(error, errors.NetworkError) and error.unknown_outcome
            wait = UNCERTAIN_PAUSE_S if unknown else 0.5
            if isinstance(error, errors.BreakerOpen):
                wait = error.retry_in_s
            await self._retry(claim, error, wait, uncertain=unknown)
        except (errors.ServerFailed, errors.RateLimited, errors.ConcurrentWrite) as error:
            self._gate.contact.remember(error)
            if claim.item.attempts >= ATTEMPTS and not isinstance(error, errors.RateLimited):
                await outbox.dead(claim, _reason(error))
                return
            wait = max(UNCERTAIN_PAUSE_S, self._backoff.wait(claim.item.attempts, self._rng))
            await self._retry(claim, error, wait, uncertain=isinstance(error, errors.ServerFailed))
        except errors.ConsoleError as error:
            self._gate.contact.remember(error)
            await self._refuse(claim, error)
        else:
            self._gate.contact.ok()
            await self._confirm(claim, written)

    async def _retry(
        self, claim: OutboxClaim, error: errors.ConsoleError, wait_s: float, *, uncertain: bool
    ) -> None:
        at = self._clock.now() + timedelta(seconds=wait_s)
        await self._store.outbox.retry(claim, _reason(error), at, uncertain=uncertain)

    async def _confirm(self, claim: OutboxClaim, written: Written) -> None:
        item, store = claim.item, self._store
        audits = [
            AuditEntry(
                actor=item.actor,
                action=item.kind,
                system=SYSTEM,
                record=written.record_id,
                field=slug,
                before=edit.base,
                after=written.values.get(slug, edit.new),
                rule=item.origin,
            )
            for slug, edit in item.fields.items()
        ] or [
            AuditEntry(
                actor=item.actor, action=item.kind, system=SYSTEM, record=written.record_id, rule=item.origin
            )
        ]

        def job(tx: Tx) -> None:
            store.outbox.confirm_in(tx, claim, written.values, record_id=written.record_id)
            # At once: were it left to the next comparison, a change made before it would look like one on both sides.
            store.pairs.agree_in(tx, item.payload.get("pair_id"), agreed(item.payload))
            store.audit.append_in(tx, *audits)

        await store.queue.run(job)
        self._bus.records(item.collection, {item.record_id, written.record_id})

    async def _refuse(self, claim: OutboxClaim, error: errors.ConsoleError) -> None:
        await self._store.outbox.refuse(claim, _reason(error))
        # What was read on the way is in the mirror.
        self._bus.records(claim.item.collection, [claim.item.record_id])

    async def _refuse_with_conflict(
        self, claim: OutboxClaim, kind: str, label: str, fields: list[dict[str, object]], reason: str
    ) -> None:
        item, store = claim.item, self._store
        if item.origin == "sync":
            # Nobody meant this but the comparison, which decides anew with what is there now.
            await store.outbox.refuse(claim, reason)
            await store.outbox.discard(claim.ids)
            self._bus.records(item.collection, [item.record_id])
            return
        known = {field["slug"]: field for field in fields}
        for open_one in store.conflicts.for_record(item.record_id):
            if open_one.kind == kind and open_one.system == SYSTEM and open_one.state in {"open", "snoozed"}:
                # The queue has one conflict per row and kind: it keeps the fields that were in it.
                known = {field["slug"]: field for field in open_one.fields} | known

        def job(tx: Tx) -> None:
            store.outbox.refuse_in(tx, claim, reason)
            store.conflicts.open_in(
                tx,
                NewConflict(
                    kind=kind,
                    system=SYSTEM,
                    collection=item.collection,
                    record_id=item.record_id,
                    label=label,
                    fields=list(known.values()),
                    detected_by="outbox",
                ),
            )
            store.audit.append_in(
                tx,
                AuditEntry(
                    actor=item.actor,
                    action=f"conflict: {kind}",
                    system=SYSTEM,
                    record=item.record_id,
                    rule=item.origin,
                ),
            )

        await store.queue.run(job)
        self._bus.changed("conflicts")
        self._bus.records(item.collection, [item.record_id])

    def _tell(self, item: OutboxItem) -> None:
        self._bus.publish(Change("outbox", frozenset((item.collection,)), frozenset((item.record_id,))))


def _reason(error: errors.ConsoleError) -> str:
    return f"{error} {error.hint}".strip() if error.hint else str(error)
