"""Two-way sync with one other system: read what moved, pair, compare, and let the outbox write."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from attio_console import errors
from attio_console.crm.protocol import CrmChange, CrmClient
from attio_console.model.clock import Clock, SystemClock
from attio_console.net import Backoff
from attio_console.store import Store
from attio_console.store.types import ConflictFilter, NewConflict, NewPair, Pair
from attio_console.sync import kinds
from attio_console.sync.apply import Applied, Applier
from attio_console.sync.bus import Bus, Change, Subscription
from attio_console.sync.contact import Contact
from attio_console.sync.crm_context import CrmContext, save_context
from attio_console.sync.crm_outbox import CrmSender
from attio_console.sync.crm_pull import CrmPull, Pulled
from attio_console.sync.crm_repair import follow_merges
from attio_console.sync.examine import Examined, Examiner, Who, wanting_times
from attio_console.sync.gate import Gate
from attio_console.sync.mapping import FirstSync, Mapping, ObjectMapping, collection_of
from attio_console.sync.mapping_defaults import default_mapping, default_types
from attio_console.sync.pairing import Pairing
from attio_console.sync.resolve_records import guard_key
from attio_console.sync.status import PartitionCondition, PartitionStatus

_BACKOFF = Backoff(base_s=1.0, cap_s=30.0)
_PAIRS_AT_ONCE = 1_000
_BREATH = 100
_REPAIR_EVERY = timedelta(seconds=30)
_WORKING = timedelta(seconds=60)


class CrmSync:
    """Everything that keeps one other system and Attio true to each other."""

    def __init__(
        self,
        system: str,
        client: CrmClient,
        store: Store,
        bus: Bus,
        mapping: Mapping | None = None,
        clock: Clock | None = None,
        rng: random.Random | None = None,
        *,
        first_sync: FirstSync = "plan",
        gate: Gate | None = None,
        poll_s: float = 10.0,
        quota_share: float = 0.8,
    ) -> None:
        self.system = system
        self.client = client
        self._store = store
        self._bus = bus
        self._given = mapping
        self._first_sync = first_sync
        self._gate = gate
        self._poll_s = poll_s
        self._quota_share = quota_share
        self._clock = clock or SystemClock()
        self._rng = rng or random.Random()
        self.contact = Contact(self._clock)
        self._now = asyncio.Event()
        self._context: CrmContext | None = None
        self._pulls: dict[str, CrmPull] = {}
        self._polled_at: dict[str, datetime] = {}
        self._moved_at: datetime | None = None
        self._paired_at: datetime | None = None
        self._unpaired_news = True
        self._paused = ""
        self._held = 0
        self._looked = False
        self._busy = asyncio.Lock()
        self.polls = 0

    # --------------------------------------------------------------------------------------------- running

    async def run(self) -> None:
        """Sync until cancelled. Being unreachable is a state, not an end."""
        await self._persist(self.prepare)
        context = self._ready()
        sender = self._sender(context)
        with self._bus.subscribe() as changes:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(sender.run())
                tasks.create_task(self._watch(changes))
                await self._persist(self.first_look)
                while True:
                    await self._rest()
                    if self._gate is not None:
                        await self._gate.open()
                    await self._persist(self.poll)

    async def once(self) -> Applied:
        """Read, pair, compare and send once, until nothing is due; return what the comparison did."""
        await self.prepare()
        await self.poll()
        await self.pair()
        await self._look_into_bins()
        done = await self.compare_all()
        sender = self._sender(self._ready())
        while await sender.send_due():
            done_again = await self.compare_all()
            done.items += done_again.items
        return done

    def sync_now(self) -> None:
        """Poll at once instead of when it is time."""
        self._now.set()

    def sweep_next(self) -> None:
        """Look for deletions and merges at the next poll."""
        for pull in self._pulls.values():
            pull.sweep_next()

    async def accept(self) -> None:
        """Let the first sync write what its plan showed."""
        await self._store.state.put(accepted_key(self.system), {"accepted": True})
        self._bus.changed("conflicts")

    @property
    def is_accepted(self) -> bool:
        """Whether this link may write."""
        context = self._context
        if context is not None and context.mapping.first_sync == "go":
            return True
        return bool((self._store.state.get(accepted_key(self.system)) or {}).get("accepted"))

    async def _persist(self, work: object) -> None:
        """Do a piece of work, again after failures, for ever."""
        failures = 0
        while True:
            try:
                await work()  # type: ignore[operator]  # any coroutine function without arguments
            except (errors.NetworkError, errors.ApiError) as error:
                failures += 1
                self.contact.failed(error)
                self.contact.remember(error)
                self._bus.changed("status")
                asked = getattr(error, "retry_after_s", None) or getattr(error, "retry_in_s", None) or 0.0
                await self._clock.sleep(
                    max(_BACKOFF.wait(min(failures, 6), self._rng), min(asked, 900.0), 0.5)
                )
            else:
                self.contact.ok()
                return

    async def prepare(self) -> None:
        """Learn the other system's fields and owners, and what is mapped to what."""
        await self._pin_account()
        schema = self._store.mirror.schema
        while not schema.objects:
            await self._next_change({"schema", "records", "status"})
            schema = self._store.mirror.schema
        if self._given is not None:
            types: Sequence[str] = self._given.external_types
        else:
            types = default_types(self.system, schema)
        objects = {}
        for name in types:
            try:
                objects[name] = await self.client.describe(name)
            except (errors.NotFound, errors.Forbidden) as error:
                if self._given is not None:
                    raise
                self.contact.remember(error)
        owners = tuple(await self.client.owners())
        mapping = self._given or default_mapping(self.system, schema, objects, first_sync=self._first_sync)
        self._context = CrmContext(mapping, objects, owners)
        await save_context(self._store, self._context)
        self._pulls = {
            name: CrmPull(self.client, self._store, self._bus, self._context, self._clock, name)
            for name in mapping.external_types
        }
        self.contact.ok()
        self._bus.changed("status")

    async def _pin_account(self) -> None:
        identity = await self.client.identity()
        key = f"crm:{self.system}:account"
        known = self._store.state.get(key)
        if known is None:
            await self._store.state.put(key, {"id": identity.account_id})
        elif known.get("id") and identity.account_id and known["id"] != identity.account_id:
            raise errors.NotAuthorised(
                f"This login belongs to another {self.system} account "
                f"({identity.account_id}); this data directory belongs to {known['id']}",
                system=self.system,
                status=401,
                hint="Use another profile for it.",
            )

    async def _next_change(self, wanted: set[str]) -> None:
        with self._bus.subscribe() as changes:
            try:
                async with asyncio.timeout(1.0):
                    async for change in changes:
                        if change.what in wanted:
                            return
            except TimeoutError:
                return

    def _ready(self) -> CrmContext:
        if self._context is None:
            raise errors.UsageError(f"{self.system} is not prepared yet")
        return self._context

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

    # --------------------------------------------------------------------------------------------- one round

    async def first_look(self) -> None:
        """Read everything, wait for Attio's side to be complete, pair, and compare every pair."""
        await self.poll()
        while not self._attio_complete():
            await self._next_change({"records", "status"})
        await self.pair()
        await self._look_into_bins()
        await self.compare_all()
        self._looked = True
        self._bus.changed("status")

    @property
    def is_settled(self) -> bool:
        """Whether the first look is over and no comparison is under way."""
        return self._looked and not self._busy.locked()

    async def _look_into_bins(self) -> None:
        """Once, find the records that were counterparts by their stored id and are in the recycle bin now."""
        for mapping in self._in_order():
            done = f"crm:{self.system}:bin:{mapping.attio}:{mapping.external}"
            if not mapping.key_field or self._store.state.get(done):
                continue
            known = self._store.mirror.schema.object(mapping.attio)
            held = await self.client.archived_with(mapping.external, mapping.key_field)
            lost = [
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
                if known and self._is_widowed(known.id, record_id, mapping.external)
            ]
            await self._store.pairs.put(lost)
            await self._store.state.put(done, {"found": len(lost)})

    def _is_widowed(self, collection: str, record_id: str, external_type: str) -> bool:
        if self._store.mirror.raw(collection, record_id) is None:
            return False
        pairs = self._store.pairs.by_record(record_id, self.system)
        return not any(pair.external_type == external_type for pair in pairs)

    async def poll(self) -> None:
        """Read what moved in every partition; the bus tells the comparison."""
        if self._paused:
            return
        for name, pull in self._pulls.items():
            pulled = await pull.pull()
            self._polled_at[name] = self._clock.now()
            await self._news(name, pulled)
        if self._pairing_is_due():
            await self.pair()
        self.polls += 1
        self.contact.ok()
        self._bus.changed("status")

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
        """Look for pairs among what has none, parents first, and compare what was found."""
        context = self._ready()
        pairing = Pairing(self._store, context)
        self._unpaired_news = False
        self._paired_at = self._clock.now()
        for mapping in self._in_order():
            found = await pairing.run(mapping)
            if found.found:
                self._bus.changed("conflicts")
            ids = [p.external_id for p in found.new_pairs if p.state == "confirmed"]
            # Fields that refer to these records waited for their pairs.
            self._bus.records(collection_of(self.system, mapping.external), ids)
            self._bus.changed("status")

    def _in_order(self) -> list[ObjectMapping]:
        mapping = self._ready().mapping
        return [o for name in mapping.external_types for o in mapping.for_external(name)]

    def _attio_complete(self) -> bool:
        schema = self._store.mirror.schema
        for mapping in self._ready().mapping.objects:
            known = schema.object(mapping.attio)
            state = self._store.mirror.scan_state(known.id) if known else None
            if state is None or state.finished_at is None:
                return False
        return True

    async def _watch(self, changes: Subscription) -> None:
        async for change in changes:
            if change.what == "records":
                await self._persist(lambda change=change: self._compare_change(change))
            elif change.what == "conflicts":
                await self._persist(self._released)

    async def _compare_change(self, change: Change) -> None:
        pairs = self._pairs_of(change)
        if pairs is None:
            await self.compare_all()
        elif pairs:
            await self.compare(pairs)

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

    # --------------------------------------------------------------------------------------------- comparing

    async def compare_all(self) -> Applied:
        """Compare every confirmed pair."""
        total = Applied()
        for name in self._ready().mapping.external_types:
            pairs = [p for p in self._every_pair() if p.external_type == name]
            done = await self.compare(pairs)
            total.pairs += done.pairs
            total.agreed += done.agreed
            total.bases += done.bases
            total.items += done.items
            total.conflicts += done.conflicts
            total.waiting += done.waiting
            total.held += done.held
        self._held = total.held
        return total

    def _every_pair(self) -> list[Pair]:
        found: list[Pair] = []
        after = 0
        while pairs := self._store.pairs.list(
            self.system, state="confirmed", after=after, limit=_PAIRS_AT_ONCE
        ):
            found += pairs
            after = pairs[-1].id
        return found

    async def compare(self, pairs: Sequence[Pair], *, detected_by: str = "poll") -> Applied:
        """Compare these pairs and act on what differs."""
        async with self._busy:
            context = self._ready()
            examiner = Examiner(self._store, context)
            examined: list[Examined] = []
            for number, one in enumerate(examiner.each(pairs)):
                if number % _BREATH == _BREATH - 1:
                    await asyncio.sleep(0)
                if self._may_judge(one):
                    examined.append(one)
            known = self._already_known(examined)
            who = await self._who(examined, known)
            examined = [
                one if one.pair.external_id in known else examiner.with_times(one, who) for one in examined
            ]
            stopped = await self._guard(examined, len(pairs))
            applier = Applier(self._store, self.system)
            done = await applier.apply(
                examined, hold=stopped or not self.is_accepted, detected_by=detected_by
            )
            self._tell(done)
            return done

    def _may_judge(self, one: Examined) -> bool:
        """Whether a missing side means that the record is gone: only where that side was read completely."""
        if one.attio is None and not self._attio_complete():
            return False
        pull = self._pulls.get(one.pair.external_type)
        return one.external is not None or pull is None or pull.is_complete

    async def _who(self, examined: Sequence[Examined], known: set[str]) -> Who:
        who: dict[str, dict[str, dict[str, list[CrmChange]]]] = {}
        for external_type, (ids, fields) in wanting_times(examined).items():
            asked = sorted(ids - known)
            if asked:
                who[external_type] = await self.client.history(external_type, asked, sorted(fields))
        return who

    def _already_known(self, examined: Sequence[Examined]) -> set[str]:
        """Return the external ids whose open conflict shows the same values: who and when is known of those."""
        known: set[str] = set()
        for one in examined:
            manual = {v.slug: v for v in one.verdicts if v.is_manual}
            if not manual or any(v.codec.field.rule == "newest" for v in manual.values()):
                continue
            rows = [r for r in self._store.conflicts.for_pair(one.pair.id) if r.kind == kinds.FIELD]
            fields = {str(f.get("slug")): f for row in rows for f in row.fields}
            if all(
                slug in fields
                and fields[slug].get("attio") == v.attio
                and fields[slug].get("external") == v.external
                and fields[slug].get("base") == (v.base or [])
                for slug, v in manual.items()
            ):
                known.add(one.pair.external_id)
        return known

    async def _guard(self, examined: Sequence[Examined], compared: int) -> bool:
        """Stop a run that would write to too much of a partition; return whether it is stopped."""
        guards = self._ready().mapping.guards
        stopped = False
        writes: dict[str, int] = {}
        gone: dict[str, int] = {}
        for one in examined:
            name = one.pair.external_type
            writes[name] = writes.get(name, 0) + any(v.writes for v in one.verdicts)
            gone[name] = gone.get(name, 0) + (one.attio is None or one.external is None)
        for name, written in writes.items():
            count = max(written, gone[name])
            total = max(compared, self._store.pairs.count(self.system))
            if count < guards.min_writes or count <= guards.max_share * total or not self.is_accepted:
                continue
            if (self._store.state.get(guard_key(self.system, name)) or {}).get("accepted"):
                await self._store.state.put(guard_key(self.system, name), None)
                continue
            stopped = True
            await self._store.conflicts.open(self._stop(name, count, total))
            self._bus.changed("conflicts")
        return stopped

    def _stop(self, name: str, count: int, total: int) -> NewConflict:
        return NewConflict(
            kinds.GUARD,
            self.system,
            collection_of(self.system, name),
            "",
            f"{count} of {total} pairs of {name} would change",
            [],
            None,
            name,
            "",
            "guard",
            {"writes": count, "pairs": total},
        )

    async def _released(self) -> None:
        """Compare again where a person has just let a stopped run, or the first one, go on."""
        names = self._ready().mapping.external_types
        flags = (self._store.state.get(guard_key(self.system, name)) or {} for name in names)
        if any(flag.get("accepted") for flag in flags) or (self._held and self.is_accepted):
            self._held = 0
            await self.compare_all()

    def _tell(self, done: Applied) -> None:
        if done.items:
            self._bus.changed("outbox")
        if done.conflicts or done.touched:
            self._bus.changed("conflicts")
        self._bus.changed("status")

    # --------------------------------------------------------------------------------------------- status

    def partitions(self) -> list[PartitionStatus]:
        """Return how each partition is."""
        now = self._clock.now()
        found = []
        names: Iterable[str] = self._pulls or ()
        for name in names:
            pull = self._pulls[name]
            state = pull.state
            polled = self._polled_at.get(name)
            conflicts = self._conflicts_of(name)
            found.append(
                PartitionStatus(
                    self.system,
                    name,
                    name,
                    self._condition(pull),
                    self._store.mirror.size(pull.collection),
                    state.scanned_at,
                    pull.progress,
                    (now - polled).total_seconds() if polled else None,
                    conflicts,
                    self._paused or self.contact.error,
                )
            )
        return found

    def _conflicts_of(self, name: str) -> int:
        schema = self._store.mirror.schema
        objects = [schema.object(m.attio) for m in self._ready().mapping.for_external(name)]
        filters = (ConflictFilter(self.system, collection=known.id) for known in objects if known)
        return sum(self._store.conflicts.count("open", one) for one in filters)

    def _condition(self, pull: CrmPull) -> PartitionCondition:
        if self._paused:
            return "paused"
        if pull.progress is not None:
            return "scanning"
        if not self.contact.is_online:
            return "waiting" if self.contact.reach == "starting" else "failing"
        return "live" if pull.is_complete else "waiting"


def accepted_key(system: str) -> str:
    """Return under which name it is kept that the first sync may write."""
    return f"crm:{system}:accepted"
