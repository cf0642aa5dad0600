"""Two-way sync with one other system: read what moved, pair, compare, and let the outbox write."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from functools import cached_property

from attio_console import errors
from attio_console.store.types import NewItem, NewPair, Pair
from attio_console.sync.activities import ActivitySync
from attio_console.sync.apply import Applied
from attio_console.sync.bus import Change, Subscription
from attio_console.sync.crm_compare import Comparing
from attio_console.sync.crm_context import CrmContext
from attio_console.sync.crm_create import Creating
from attio_console.sync.crm_link import accepted_key
from attio_console.sync.crm_outbox import CrmSender
from attio_console.sync.crm_pull import Pulled
from attio_console.sync.crm_repair import follow_merges
from attio_console.sync.examine import Examined
from attio_console.sync.mapping import ObjectMapping, collection_of
from attio_console.sync.pairing import Pairing
from attio_console.sync.sources import NOTES, TASKS
from attio_console.sync.stamps import Stamping

_REPAIR_EVERY = timedelta(seconds=30)
_WORKING = timedelta(seconds=60)


class CrmSync(Comparing):
    """Everything that keeps one other system and Attio true to each other."""

    async def run(self) -> None:
        """Sync until cancelled. Being unreachable is a state, not an end."""
        await self._persist(self.prepare)
        context = self._ready()
        sender = self._sender(context)
        with self._bus.subscribe() as changes:
            async with asyncio.TaskGroup() as tasks:
                if not self._read_only:
                    tasks.create_task(sender.run())
                tasks.create_task(self._watch(changes))
                await self._persist(self.first_look)
                while True:
                    await self._rest()
                    if self._gate is not None:
                        await self._gate.open()
                    await self._persist(self.poll)

    @cached_property
    def stamps(self) -> Stamping:
        """Return who writes down on the other side which record here it stands for."""
        return Stamping(self.system, self.client, self._store, self._bus, self.contact)

    @cached_property
    def activities(self) -> ActivitySync:
        """Return who carries notes and tasks across."""
        return ActivitySync(self.client, self._store, self._bus, self._ready(), self._clock, self.contact)

    def _may_judge(self, one: Examined) -> bool:
        may = super()._may_judge(one)
        if may:
            self.stamps.note(one)
        return may

    async def _beside(self) -> None:
        """Do what goes beside the fields of pairs: say there whom each stands for, carry notes and tasks."""
        is_held = self._gate is not None and self._gate.paused
        if not self.is_accepted or self._paused or is_held:
            return
        await self.stamps.write()
        logged = (self._store.state.partition("attio", name).scanned_at for name in (NOTES, TASKS))
        if self.activities.settings.is_on and all(logged):
            await self.activities.carry()

    async def once(self) -> Applied:
        """Read, pair, compare and send once, until nothing is due; return what the comparison did."""
        await self.prepare()
        await self.poll()
        await self.pair()
        await self._look_into_bins()
        done = await self.compare_all()
        await self._beside()
        sender = self._sender(self._ready())
        while await sender.send_due():
            done_again = await self.compare_all()
            done.items += done_again.items
            await self._beside()
        return done

    def sync_now(self) -> None:
        """Poll at once instead of when it is time."""
        self._now.set()

    def sweep_next(self) -> None:
        """Look for deletions and merges at the next poll."""
        for pull in self._pulls.values():
            pull.sweep_next()

    def _sender(self, context: CrmContext) -> CrmSender:
        return CrmSender(
            self.client, self._store, self._bus, context, self._clock, self._rng, self.contact, self._gate
        )

    async def _rest(self) -> None:
        self._now.clear()
        try:
            async with asyncio.timeout(await self._interval()):
                await self._now.wait()
        except TimeoutError:
            return

    async def _interval(self) -> float:
        """Return the seconds to the next poll: shorter while somebody works, longer as the allowance runs out."""
        share = (await self.client.limits()).share
        self._paused = ""
        if share >= self._quota_share:
            self._paused = f"{share:.0%} of today's allowance is used; paused above {self._quota_share:.0%}"
            return 300.0
        if share > self._quota_share * 0.75:
            return self._poll_s * 6
        is_working = self._moved_at is not None and self._clock.now() - self._moved_at < _WORKING
        return self._poll_s / 2 if is_working else self._poll_s

    async def first_look(self) -> None:
        """Read everything, wait for Attio's side to be complete, pair, and compare every pair."""
        await self.poll()
        while not self._attio_complete():
            await self._next_change({"records", "status"})
        await self.pair()
        await self._look_into_bins()
        await self.compare_all()
        await self._beside()
        self._looked = True
        self._bus.changed("status")

    @property
    def is_comparing(self) -> bool:
        """Whether pairs are being compared, or a change was heard of whose pairs are still to be."""
        waits = self._heard is not None and self._heard.holds("records", "conflicts")
        return waits or self._owes or self._busy.locked()

    @property
    def is_settled(self) -> bool:
        """Whether the first look is over and no comparison is under way or owed."""
        return self._looked and not self.is_comparing and self.stamps.is_idle and self.activities.is_idle

    async def _look_into_bins(self) -> None:
        """Once, pair the records that were counterparts by their stored id and are in the recycle bin now."""
        done = f"crm:{self.system}:bins"
        if self._store.state.get(done):
            return
        lost = await self.widows()
        await self._store.pairs.put(lost)
        await self._store.state.put(done, {"found": len(lost)})

    async def widows(self) -> list[NewPair]:
        """Return the pairs whose stored id tells that they were one, and whose other side is in the recycle bin."""
        found: list[NewPair] = []
        for mapping in self._in_order():
            known = self._store.mirror.schema.object(mapping.attio)
            if not mapping.key_field or known is None:
                continue
            held = await self.client.archived_with(mapping.external, mapping.key_field)
            found += [
                NewPair(
                    self.system,
                    mapping.attio,
                    known.id,
                    record_id,
                    mapping.external,
                    external_id,
                    "confirmed",
                    "sync",
                    1.0,
                    "stored id, in the recycle bin there",
                )
                for external_id, record_id in held.items()
                if self._is_widowed(known.id, record_id, mapping.external)
            ]
        return found

    def _is_widowed(self, collection: str, record_id: str, external_type: str) -> bool:
        if self._store.mirror.raw(collection, record_id) is None:
            return False
        pairs = self._store.pairs.by_record(record_id, self.system)
        return not any(pair.external_type == external_type for pair in pairs)

    async def poll(self) -> None:
        """Read what moved in every partition; the bus tells the comparison."""
        if self._paused:
            return
        await self.read()
        if self._pairing_is_due():
            await self.pair()
        await self._beside()
        self.polls += 1
        self.contact.ok()
        self._bus.changed("status")

    async def read(self) -> None:
        """Bring the mirror of every partition up to date."""
        failure: errors.ApiError | None = None
        for name, pull in self._pulls.items():
            try:
                pulled = await pull.pull()
            except (errors.NotAuthorised, errors.RateLimited):
                raise
            except errors.ApiError as error:
                # One kind of record that cannot be read says nothing about the others; it is said, and tried again.
                pull.error = f"{error} {error.hint}".strip()
                failure = failure or error
                continue
            pull.error = ""
            self._polled_at[name] = self._clock.now()
            await self._news(name, pulled)
        try:
            await self.activities.read()
        except (errors.NotAuthorised, errors.RateLimited):
            raise
        except errors.ApiError as error:
            # Whoever may not read notes there still syncs the records.
            self.contact.remember(error)
        if failure is not None:
            raise failure

    async def _news(self, name: str, pulled: Pulled) -> None:
        if pulled.touched:
            self._moved_at = self._clock.now()
        if pulled.created:
            self._unpaired_news = True
        if pulled.merged:
            kept = await follow_merges(self._store, self.system, name, pulled.merged)
            self._bus.records(collection_of(self.system, name), kept)
            if kept:
                self._bus.changed("conflicts")

    def _pairing_is_due(self) -> bool:
        if not self._unpaired_news or not self._attio_complete():
            return False
        return self._paired_at is None or self._clock.now() - self._paired_at >= _REPAIR_EVERY

    async def pair(self) -> None:
        """Look for pairs among what has none, parents first; create what is missing where the mapping says so."""
        context = self._ready()
        pairing, creating = Pairing(self._store, context), Creating(self._store, context)
        self._unpaired_news = False
        self._paired_at = self._clock.now()
        for mapping in self._in_order():
            if arrived := creating.arrived():
                await self._store.pairs.put(arrived)
            found = await pairing.run(mapping)
            if found.found:
                self._bus.changed("conflicts")
            ids = [p.external_id for p in (*found.new_pairs, *arrived) if p.state == "confirmed"]
            # Fields that refer to these records waited for their pairs.
            self._bus.records(collection_of(self.system, mapping.external), ids)
            await self._create(mapping, creating.items(mapping, found))
            self._bus.changed("status")

    async def _create(self, mapping: ObjectMapping, items: Sequence[NewItem]) -> None:
        if not items or not self.is_accepted:
            return
        if await self._stops(mapping.external, len(items), self._store.pairs.count(self.system)):
            self._unpaired_news = True
            return
        await self._store.outbox.add(items, f"Create {len(items)} in {mapping.external}")
        self._bus.changed("outbox")

    async def _watch(self, changes: Subscription) -> None:
        self._heard = changes
        async for change in changes:
            # Owed until it is done, however often it has to be tried.
            self._owes = change.what in {"records", "conflicts"}
            if change.what == "records":
                await self._persist(lambda change=change: self._compare_change(change))
            elif change.what == "conflicts":
                await self._persist(self._release)
            self._owes = False

    async def _compare_change(self, change: Change) -> None:
        pairs = self._pairs_of(change)
        if pairs is None:
            await self.compare_all()
        elif pairs:
            await self.compare(pairs)
        if not change.collections or change.collections & {NOTES, TASKS}:
            self.activities.look_again()
        else:
            self.activities.heard_of(pairs or ())
        await self._beside()

    async def _release(self) -> None:
        await self._released()
        await self._beside()

    def _pairs_of(self, change: Change) -> list[Pair] | None:
        """Return the pairs that a change concerns; None for any of them."""
        schema = self._store.mirror.schema
        ours = {known.id for m in self._ready().mapping.objects if (known := schema.object(m.attio))}
        theirs = {pull.collection for pull in self._pulls.values()}
        collections = change.collections & (ours | theirs) if change.collections else ours | theirs
        if not collections:
            return []
        if not change.record_ids:
            return None
        found: dict[int, Pair] = {}
        for record_id in change.record_ids:
            pairs = self._store.pairs.by_record(record_id, self.system) if collections & ours else []
            for collection in collections & theirs:
                pairs += self._store.pairs.by_external(self.system, collection.partition(":")[2], record_id)
            if not pairs and collections & ours:
                self._unpaired_news = True
            found |= {pair.id: pair for pair in pairs if pair.state == "confirmed"}
        return list(found.values())


__all__ = ["CrmSync", "accepted_key"]
