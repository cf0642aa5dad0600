"""Takes deliveries from the inbox: coalesce, fetch, apply, tell. Order and duplicates do not matter here."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import timedelta

from attio_console import errors
from attio_console.model.clock import Clock
from attio_console.net.retry import Backoff
from attio_console.store import Store
from attio_console.store.tx import Tx
from attio_console.store.types import Claim
from attio_console.sync.bus import Bus
from attio_console.sync.events import UNREADABLE, Group, GroupKey, Pile, coalesce
from attio_console.sync.gate import Gate
from attio_console.sync.lag import LagMeter
from attio_console.sync.own_writes import OwnWrites
from attio_console.sync.schema_keeper import SchemaKeeper
from attio_console.sync.sources import FEW, NOTES, TASKS, Source, Sources

# Events of one edit come within a few milliseconds of each other; in a storm the wait grows, so that one question
# answers thousands.
QUIET_WINDOW_S = 0.04
STORM_WINDOW_S = 2.0
STORM_AT = 100
BATCH = 5_000
LEASE_S = 600.0
ATTEMPTS = 3
FIRST_RETRY_S = 2.0
# Attio's queries look at data a second or two old: what a query answered is asked for once more when the storm is over.
RECHECK_AFTER_S = 2.5
_IDLE_S = 1.0

Transient = (errors.NetworkError, errors.RateLimited, errors.NotAuthorised)


class InboxWorker:
    """Turns deliveries into an up-to-date mirror."""

    def __init__(
        self,
        store: Store,
        sources: Sources,
        keeper: SchemaKeeper,
        own: OwnWrites,
        bus: Bus,
        gate: Gate,
        clock: Clock,
        rng: random.Random,
        *,
        on_dead: Callable[[], None] = lambda: None,
    ) -> None:
        self._on_dead = on_dead
        self._store = store
        self._sources = sources
        self._keeper = keeper
        self._own = own
        self._bus = bus
        self._gate = gate
        self._clock = clock
        self._rng = rng
        self._wake = asyncio.Event()
        self._window = QUIET_WINDOW_S
        self._recheck: dict[tuple[GroupKey, str], float] = {}
        self._backoff = Backoff(base_s=0.25, cap_s=5.0)
        self.lag = LagMeter()

    def wake(self) -> None:
        """Tell that a delivery has arrived."""
        self._wake.set()

    async def run(self) -> None:
        """Process deliveries until cancelled."""
        while True:
            await self._gate.open()
            await self._recheck_due()
            if not self._store.inbox.depth():
                await self._rest()
                continue
            await self._clock.sleep(self._window)
            if self._gate.paused:
                continue
            claims = await self._store.inbox.claim(BATCH, LEASE_S)
            storm = len(claims) >= STORM_AT
            self._window = min(STORM_WINDOW_S, self._window * 2) if storm else QUIET_WINDOW_S
            if claims:
                await self.process(claims)
            else:
                # What is left waits for its next attempt.
                await self._rest()

    async def process(self, claims: Sequence[Claim]) -> None:
        """Do what these deliveries ask for, then settle each."""
        readable, pile = self._read(claims)
        for claim in claims:
            if claim not in readable:
                await self._settle_quietly(self._store.inbox.fail(claim, "not a webhook delivery", None))
        if pile.tags:
            await self._store.cache.evict_many(pile.tags)
        failed = await self._work(pile.groups)
        now = self._clock.now()
        done: list[Claim] = []
        for claim, needs in zip(readable, pile.needs, strict=True):
            error = next((failed[key] for key in needs if key in failed), None)
            if error is None:
                done.append(claim)
            else:
                await self._fail(claim, error)
        if done:
            for claim in done:
                self.lag.add((now - claim.delivery.received_at).total_seconds())
            await self._settle_quietly(self._store.inbox.ack(done))
        self._bus.changed("inbox")

    def _read(self, claims: Sequence[Claim]) -> tuple[list[Claim], Pile]:
        try:
            return list(claims), coalesce([c.delivery.body for c in claims], self._own.is_echo)
        except UNREADABLE:
            readable = []
            for claim in claims:
                try:
                    coalesce([claim.delivery.body])
                except UNREADABLE:
                    continue
                readable.append(claim)
            return readable, coalesce([c.delivery.body for c in readable], self._own.is_echo)

    async def _fail(self, claim: Claim, error: errors.ConsoleError) -> None:
        self._gate.contact.remember(error)
        retry_at = None
        if claim.attempts < ATTEMPTS:
            wait = FIRST_RETRY_S * 2.0 ** (claim.attempts - 1)
            if isinstance(error, errors.BreakerOpen):
                wait = max(wait, error.retry_in_s)
            retry_at = self._clock.now() + timedelta(seconds=wait)
        else:
            # What it would have told is found by looking at everything instead.
            self._on_dead()
        await self._settle_quietly(self._store.inbox.fail(claim, str(error), retry_at))

    async def _settle_quietly(self, settling: object) -> None:
        try:
            await settling  # type: ignore[misc]  # any awaitable of the inbox
        except errors.LeaseLost as error:
            # Somebody else took it over; events are hints, so twice is as good as once.
            self._gate.contact.remember(error)

    async def _work(self, groups: dict[GroupKey, Group]) -> dict[GroupKey, errors.ConsoleError]:
        """Do every group; those without an answer are tried until there is one, others' failures are returned."""
        failed: dict[GroupKey, errors.ConsoleError] = {}
        waiting = dict(groups)
        turn = 0
        while waiting:
            outcome: dict[GroupKey, errors.ConsoleError] = {}
            async with asyncio.TaskGroup() as tasks:
                for key, group in waiting.items():
                    tasks.create_task(self._one(key, group, outcome))
            again = {}
            for key, error in outcome.items():
                if isinstance(error, Transient) and not isinstance(error, errors.BreakerOpen):
                    self._gate.contact.failed(error)
                    again[key] = waiting[key]
                else:
                    failed[key] = error
            waiting = again
            if waiting:
                turn += 1
                await self._clock.sleep(self._backoff.wait(turn, self._rng))
                await self._gate.open()
        return failed

    async def _one(self, key: GroupKey, group: Group, outcome: dict[GroupKey, errors.ConsoleError]) -> None:
        try:
            if key[0] == "schema":
                self._keeper.expire()
                return
            source = await self._source(key)
            if source is not None:
                await self._rows(key, source, group)
                self._gate.contact.ok()
        except errors.ConsoleError as error:
            outcome[key] = error

    async def _source(self, key: GroupKey) -> Source | None:
        kind, container = key
        if kind in {"note", "task"}:
            return self._sources.get(NOTES if kind == "note" else TASKS)
        found = self._sources.get(container)
        if found is None and await self._keeper.refresh_for_unknown():
            # A custom object or a list made just now.
            found = self._sources.get(container)
        return found

    async def _rows(self, key: GroupKey, source: Source, group: Group) -> None:
        mirror, collection = self._store.mirror, source.collection
        for new in set(group.moved.values()):
            old_ids = [old for old, to in group.moved.items() if to == new]
            await mirror.move(collection, old_ids, new)
            await self._move_queue(collection, old_ids, new)
            self._bus.records(collection, (new, *old_ids))
            self._bus.changed("conflicts")
            self._bus.changed("outbox")
        wanted = sorted(group.fetch - set(group.moved))
        raws, gone = await source.look(wanted, presumed_gone=group.gone)
        if raws:
            result = await mirror.apply_page(collection, raws)
            touched = [*result.created, *result.changed]
            self._bus.records(collection, touched)
            if len(wanted) > FEW:
                due = self._clock.monotonic() + RECHECK_AFTER_S
                self._recheck.update({(key, row): due for row in wanted if row not in gone})
        dropped = sorted({*gone, *(group.gone - group.fetch)})
        if dropped:
            await self._drop(source, dropped)

    async def _move_queue(self, collection: str, old_ids: list[str], new_id: str) -> None:
        """Let pairs, bases, conflicts, writes and history of merged records follow them to the new one, in one go."""
        store = self._store

        def job(tx: Tx) -> None:
            for old_id in old_ids:
                store.pairs.move_in(tx, old_id, new_id)
                store.conflicts.move_in(tx, old_id, new_id)
                store.outbox.move_in(tx, collection, old_id, new_id)

        await store.queue.run(job)

    async def _drop(self, source: Source, row_ids: list[str]) -> None:
        mirror = self._store.mirror
        hanging = self._sources.hanging(source, row_ids, mirror.linked)
        await mirror.delete(source.collection, row_ids)
        self._bus.records(source.collection, row_ids)
        # A deleted record takes its entries with it, and no event need say so.
        for other, ids in hanging:
            raws, gone = await other.look(sorted(ids))
            if raws:
                await mirror.apply_page(other.collection, raws)
            if gone:
                await mirror.delete(other.collection, sorted(gone))
                self._bus.records(other.collection, gone)

    async def _recheck_due(self) -> None:
        now = self._clock.monotonic()
        due = [entry for entry, at in self._recheck.items() if at <= now]
        if not due:
            return
        groups: dict[GroupKey, Group] = {}
        for key, row_id in due:
            del self._recheck[key, row_id]
            groups.setdefault(key, Group()).fetch.add(row_id)
        for key, group in groups.items():
            source = await self._source(key)
            if source is None:
                continue
            try:
                raws, _ = await source.look(sorted(group.fetch), confirm=False)
                result = await self._store.mirror.apply_page(source.collection, raws)
            except errors.ConsoleError as error:
                self._gate.contact.failed(error)
                continue
            self._bus.records(source.collection, (*result.created, *result.changed))

    async def _rest(self) -> None:
        pause = _IDLE_S
        due = self._store.inbox.next_due()
        if due is not None:
            pause = min(pause, max(0.01, (due - self._clock.now()).total_seconds()))
        if self._recheck:
            pause = min(pause, max(0.01, min(self._recheck.values()) - self._clock.monotonic()))
        try:
            async with asyncio.timeout(pause):
                await self._wake.wait()
        except TimeoutError:
            return
        finally:
            self._wake.clear()
