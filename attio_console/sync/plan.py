"""What a sync would write, field by field, and what it would cost: computed, never sent."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from attio_console.crm.protocol import CrmClient
from attio_console.model.items import Items
from attio_console.store import Store
from attio_console.store.types import NewItem, NewPair, Pair
from attio_console.sync.activities import ActivitySync
from attio_console.sync.breath import Breath
from attio_console.sync.bus import Bus
from attio_console.sync.contact import Contact
from attio_console.sync.crm_context import CrmContext, StoredLinks
from attio_console.sync.crm_create import Creating
from attio_console.sync.examine import Examined, Examiner, wanting_times
from attio_console.sync.mapping import ObjectMapping
from attio_console.sync.pairing import Paired, Pairing
from attio_console.sync.stamps import may_write, missing

_NEVER = datetime.fromtimestamp(0, UTC)
_ATTIO_WRITES_PER_S = 25.0
_CALLS_PER_S = {"hubspot": 5.0, "salesforce": 10.0}
_BATCH = {"hubspot": 100, "salesforce": 200}

Action = Literal["create", "update", "delete", "stamp", "ask"]


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One field that would be written, or asked about."""

    system: str
    object: str
    record_id: str
    label: str
    action: Action
    field: str
    before: Any
    after: Any
    why: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What one system would see of it."""

    system: str
    records: int
    reads: int
    writes: int
    minutes: float


@dataclass
class Plan:
    """Everything a sync would do now."""

    system: str
    lines: list[PlanLine] = field(default_factory=list)
    costs: list[Cost] = field(default_factory=list)
    pairs: int = 0
    new_pairs: int = 0
    proposed: int = 0
    doubtful: int = 0
    agreed: int = 0
    waiting: int = 0
    unmatched_attio: int = 0
    unmatched_external: int = 0
    stamps: int = 0

    @property
    def writes(self) -> list[PlanLine]:
        """Return what would be written, without what would be asked."""
        return [line for line in self.lines if line.action != "ask"]


class _PlannedLinks(StoredLinks):
    """The stored pairs and those that would be made."""

    def __init__(self, store: Store, system: str) -> None:
        super().__init__(store, system)
        self._there: dict[tuple[str, str], tuple[str, str]] = {}
        self._here: dict[tuple[str, str], str] = {}

    def add(self, pairs: Sequence[NewPair]) -> None:
        """Take pairs as made."""
        for pair in pairs:
            if pair.state == "confirmed":
                self._there[pair.external_type, pair.external_id] = (pair.object_key, pair.record_id)
                self._here[pair.record_id, pair.external_type] = pair.external_id

    def attio_of(self, external_type: str, external_id: str) -> tuple[str, str] | None:
        """Return the Attio record of a pair that is or would be."""
        return self._there.get((external_type, external_id)) or super().attio_of(external_type, external_id)

    def external_of(self, record_id: str, external_type: str) -> str | None:
        """Return the external record of a pair that is or would be."""
        return self._here.get((record_id, external_type)) or super().external_of(record_id, external_type)


async def make_plan(
    store: Store, context: CrmContext, client: CrmClient | None = None, widows: Sequence[NewPair] = ()
) -> Plan:
    """Return what a sync would do with what the mirror holds; the client is asked only for who changed what when.

    `widows` are pairs whose other side is in the recycle bin, as a first sync finds them.
    """
    plan = Plan(context.system)
    links = _PlannedLinks(store, context.system)
    pairing, creating = Pairing(store, context, links), Creating(store, context, links)
    hypothetical: list[tuple[Pair, ObjectMapping]] = []
    for name in context.mapping.external_types:
        for mapping in context.mapping.for_external(name):
            found = await pairing.find(mapping)
            links.add(found.new_pairs)
            _count(plan, found)
            _add_creations(plan, store, creating.items(mapping, found))
            hypothetical += [
                (_as_pair(pair), mapping) for pair in found.new_pairs if pair.state == "confirmed"
            ]
    paired = {(pair.record_id, pair.external_type) for pair, _ in hypothetical}
    for widow in widows:
        mapping_or_none = context.mapping.object(widow.object_key, widow.external_type)
        if mapping_or_none is not None and (widow.record_id, widow.external_type) not in paired:
            hypothetical.append((_as_pair(widow), mapping_or_none))
            plan.new_pairs += 1
    examiner = Examiner(store, context, links)
    breath = Breath()
    examined = []
    for pair, mapping in hypothetical:
        await breath.take()
        examined.append(examiner.one(pair, mapping))
    after = 0
    while pairs := store.pairs.list(context.system, state="confirmed", after=after):
        after = pairs[-1].id
        for one in examiner.each(pairs):
            await breath.take()
            examined.append(one)
    if client is not None:
        who = {
            name: await client.history(name, sorted(ids), sorted(fields))
            for name, (ids, fields) in wanting_times(examined).items()
        }
        examined = [examiner.with_times(one, who) for one in examined]
    plan.pairs = len(examined)
    for one in examined:
        _add(plan, store, one)
    if client is not None and context.mapping.activities.is_on:
        clock = store.clock
        await _add_activities(plan, ActivitySync(client, store, Bus(), context, clock, Contact(clock), links))
    plan.costs = _costs(plan)
    return plan


def _count(plan: Plan, found: Paired) -> None:
    plan.new_pairs += found.confirmed
    plan.proposed += found.proposed
    plan.doubtful += found.conflicts
    plan.unmatched_attio += found.unmatched_attio
    plan.unmatched_external += found.unmatched_external


def _add_creations(plan: Plan, store: Store, items: Sequence[NewItem]) -> None:
    for item in items:
        here = str(item.payload.get("attio_record_id") or "")
        there = str(item.payload.get("external_id") or "")
        line = PlanLine(
            item.system,
            str(item.payload["object_key"]) if item.system == "attio" else item.collection.partition(":")[2],
            here or there,
            store.mirror.label(here or there) or here or there,
            "create",
            "",
            [],
            [],
            "has no counterpart there" if here else "has no counterpart here",
        )
        plan.lines += [
            replace(line, field=name, after=edit.new if item.system == "attio" else edit.new[0])
            for name, edit in item.fields.items()
        ]


def _as_pair(pair: NewPair) -> Pair:
    return Pair(
        0,
        pair.system,
        pair.object_key,
        pair.collection,
        pair.record_id,
        pair.external_type,
        pair.external_id,
        "confirmed",
        pair.created_by,
        pair.score,
        pair.why,
        _NEVER,
        _NEVER,
    )


def _add(plan: Plan, store: Store, one: Examined) -> None:
    pair = one.pair
    label = store.mirror.label(pair.record_id) or store.mirror.label(pair.external_id) or pair.record_id
    ours = PlanLine("attio", pair.object_key, pair.record_id, label, "update", "", [], [], "")
    theirs = PlanLine(pair.system, pair.external_type, pair.external_id, label, "update", "", [], [], "")
    if one.attio is None or one.external is None:
        where = "Attio" if one.attio is None else pair.system
        plan.lines.append(replace(ours, action="ask", field="record", why=f"deleted in {where}"))
        return
    plan.waiting += sum(bool(verdict.waits) for verdict in one.verdicts)
    plan.agreed += all(verdict.is_agreed or verdict.waits for verdict in one.verdicts)
    if missing(one):
        _add_stamp(plan, store, one, theirs)
    for verdict in one.verdicts:
        why = verdict.decision.why
        if verdict.is_manual:
            values: tuple[Items, Items] = (verdict.attio, verdict.external)
            plan.lines.append(
                replace(ours, action="ask", field=verdict.slug, before=values[0], after=values[1], why=why)
            )
        if not verdict.writes:
            continue
        if verdict.new_attio is not None:
            plan.lines.append(
                replace(ours, field=verdict.slug, before=verdict.attio_full, after=verdict.new_attio, why=why)
            )
        plan.lines += [
            replace(theirs, field=name, before=verdict.old_external.get(name), after=value, why=why)
            for name, value in verdict.new_external.items()
        ]


def _add_stamp(plan: Plan, store: Store, one: Examined, theirs: PlanLine) -> None:
    key, held = one.mapping.key_field, (one.external or {}).get(one.mapping.key_field)
    line = replace(theirs, field=key, before=held, after=one.pair.record_id)
    if may_write(store, one.pair, str(held or "")):
        plan.stamps += 1
        plan.lines.append(replace(line, action="stamp", why="says there which record here it stands for"))
    else:
        plan.lines.append(replace(line, action="ask", why="says there that it stands for another record"))


async def _add_activities(plan: Plan, carrying: ActivitySync) -> None:
    going = [(plan.system, one.type, one.draft) for one in await carrying.outgoing()]
    coming = [("attio", f"{one.draft.kind}s", one.draft) for one in await carrying.incoming()]
    plan.lines += [
        PlanLine(
            system,
            name,
            draft.ref.id,
            draft.title or draft.text[:60],
            "create",
            draft.kind,
            [],
            draft.text,
            "has no copy there" if system == plan.system else "has no copy here",
        )
        for system, name, draft in (*going, *coming)
    ]


def _costs(plan: Plan) -> list[Cost]:
    rows = {(line.system, line.object, line.record_id) for line in plan.writes if line.action != "stamp"}
    by_type = Counter((system, name) for system, name, _ in rows)
    costs: list[Cost] = []
    ours = sum(count for (system, _), count in by_type.items() if system == "attio")
    if ours:
        costs.append(Cost("attio", ours, ours, ours, round(ours / _ATTIO_WRITES_PER_S / 60, 1)))
    theirs = {name: count for (system, name), count in by_type.items() if system == plan.system}
    stamps = Counter(line.object for line in plan.writes if line.action == "stamp")
    if theirs or stamps:
        batch = _BATCH[plan.system]
        links = sum(line.field.startswith("association:") for line in plan.writes)
        # A stamp goes out by itself, beside the fields of the same record.
        of_fields, of_stamps = (
            sum(math.ceil(count / batch) for count in some.values()) for some in (theirs, stamps)
        )
        calls = of_fields + of_stamps
        reads = of_fields * (2 if plan.system == "salesforce" else 1) + of_stamps
        total = calls + reads + links
        minutes = round(total / _CALLS_PER_S[plan.system] / 60, 1)
        touched = {(line.object, line.record_id) for line in plan.writes if line.system == plan.system}
        costs.append(Cost(plan.system, len(touched), reads, calls + links, minutes))
    return costs
