"""Pairs compared, with who changed what when, behind a guard against runs that would change too much."""

from __future__ import annotations

from collections.abc import Sequence

from attio_console import errors
from attio_console.crm.protocol import CrmChange
from attio_console.model.merge import Rule
from attio_console.store.types import NewConflict, Pair
from attio_console.sync import kinds
from attio_console.sync.apply import Applied, Applier
from attio_console.sync.breath import Breath
from attio_console.sync.crm_link import LinkState
from attio_console.sync.crm_repair import part_doubles
from attio_console.sync.examine import Examined, Examiner, Who, wanting_times
from attio_console.sync.mapping import collection_of
from attio_console.sync.resolve_records import guard_key
from attio_console.sync.rules import renewed

_PAIRS_AT_ONCE = 1_000
_FEW = 200


class Comparing(LinkState):
    """Compares pairs and acts on what differs."""

    async def compare_all(self) -> Applied:
        """Compare every confirmed pair."""
        total = Applied()
        pairs = self._every_pair()
        for name in self._ready().mapping.external_types:
            total.add(await self.compare([pair for pair in pairs if pair.external_type == name]))
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
            pairs = await self._parted(pairs)
            examiner = Examiner(self._store, self._ready())
            applier = Applier(self._store, self.system)
            breath = Breath()
            total = Applied()
            calm: list[Examined] = []
            differing: list[Examined] = []
            for one in examiner.each(pairs):
                await breath.take()
                if not self._may_judge(one):
                    continue
                (calm if one.is_calm else differing).append(one)
                if len(calm) == _PAIRS_AT_ONCE:
                    # What agrees is settled on the way, so that only differences are ever held in memory.
                    total.add(await applier.apply(calm, detected_by=detected_by))
                    calm = []
            known = self._already_known(differing)
            who = await self._who(differing, known)
            for number, one in enumerate(differing):
                await breath.take()
                if one.pair.external_id not in known:
                    differing[number] = examiner.with_times(one, who)
            stopped = await self._guard(differing, len(pairs))
            hold = stopped or not self.is_accepted
            total.add(await applier.apply([*calm, *differing], hold=hold, detected_by=detected_by))
            self._tell(total)
            return total

    async def _parted(self, pairs: Sequence[Pair]) -> list[Pair]:
        """Leave out what a merge in Attio doubled, wherever its other half is."""
        together = {pair.id: pair for pair in pairs if pair.state == "confirmed"}
        if len(together) < _FEW:
            beside = (self._store.pairs.by_record(pair.record_id, self.system) for pair in pairs)
            together |= {one.id: one for found in beside for one in found if one.state == "confirmed"}
        asked = {pair.id for pair in pairs}
        left = await part_doubles(self._store, list(together.values()))
        if len(left) < len(together):
            self._bus.changed("conflicts")
        return [pair for pair in left if pair.id in asked]

    def _may_judge(self, one: Examined) -> bool:
        """Whether a missing side means that the record is gone: only where that side was read completely."""
        if one.attio is None and not self._attio_complete():
            return False
        pull = self._pulls.get(one.pair.external_type)
        return one.external is not None or pull is None or pull.is_complete

    async def _who(self, examined: Sequence[Examined], known: set[str]) -> Who:
        who: dict[str, dict[str, dict[str, list[CrmChange]]]] = {}
        decisive = any(v.codec.field.rule is Rule.NEWEST for one in examined for v in one.verdicts)
        for external_type, (ids, fields) in wanting_times(examined).items():
            asked = sorted(ids - known)
            if not asked:
                continue
            try:
                who[external_type] = await self.client.history(external_type, asked, sorted(fields))
            except errors.NetworkError as error:
                # Who and when only adorn a conflict, unless a rule decides by them.
                if decisive:
                    raise
                self.contact.remember(error)
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
        writes: dict[str, int] = {}
        gone: dict[str, int] = {}
        for one in examined:
            name = one.pair.external_type
            writes[name] = writes.get(name, 0) + any(v.writes for v in one.verdicts)
            gone[name] = gone.get(name, 0) + (one.attio is None or one.external is None)
        total = max(compared, self._store.pairs.count(self.system))
        stopped = [await self._stops(name, max(count, gone[name]), total) for name, count in writes.items()]
        return any(stopped)

    async def _stops(self, name: str, count: int, total: int) -> bool:
        """Return whether a run of that size has to wait for a person, who is then asked."""
        guards = self._ready().mapping.guards
        if count < guards.min_writes or count <= guards.max_share * total or not self.is_accepted:
            return False
        if (self._store.state.get(guard_key(self.system, name)) or {}).get("accepted"):
            await self._store.state.put(guard_key(self.system, name), None)
            return False
        await self._store.conflicts.open(self._stop(name, count, total))
        self._bus.changed("conflicts")
        return True

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
        """Compare again where a person has just let a stopped run, or the first one, go on, or set a rule."""
        newer = renewed(self._store, self._ready())
        if newer is not None:
            self._context = newer
            await self.compare_all()
            return
        names = self._ready().mapping.external_types
        flags = (self._store.state.get(guard_key(self.system, name)) or {} for name in names)
        if any(flag.get("accepted") for flag in flags) or (self._held and self.is_accepted):
            self._held = 0
            self._unpaired_news = True
            self._paired_at = None
            await self.compare_all()

    def _tell(self, done: Applied) -> None:
        if done.items:
            self._bus.changed("outbox")
        if done.conflicts or done.touched:
            self._bus.changed("conflicts")
        self._bus.changed("status")
