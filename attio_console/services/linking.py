"""Linked systems: what a sync would write, whether both sides agree, and who stands for whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attio_console.attio import AsyncAttio
from attio_console.crm import HubSpot
from attio_console.errors import ConfigError, NoSuchThing, UsageError
from attio_console.model.text import plain
from attio_console.model.values import display
from attio_console.services.hooks import HookVerbs
from attio_console.services.types import Done
from attio_console.store.types import NewPair, Pair, PairState
from attio_console.sync.crm import CrmSync
from attio_console.sync.crm_context import CrmContext, load_context
from attio_console.sync.crm_errands import link_of, looked_at
from attio_console.sync.crm_link import accepted_key
from attio_console.sync.crm_sync import CrmLink, accept_first_sync
from attio_console.sync.mapping import collection_of
from attio_console.sync.mapping_defaults import KEY_NAMES, default_types
from attio_console.sync.mapping_file import check_mapping, read_mapping, write_mapping
from attio_console.sync.pairing import Pairing
from attio_console.sync.plan import PlanLine, make_plan
from attio_console.sync.verify import verify

SYSTEMS = ("hubspot", "salesforce")


@dataclass(frozen=True, slots=True)
class PlanField:
    """One field that a sync would write or ask about. `action` is create, update, delete or ask."""

    system: str
    object: str
    record_id: str
    label: str
    action: str
    field: str
    before: str
    after: str
    why: str


@dataclass(frozen=True, slots=True)
class PlanCost:
    """What a system would see of it."""

    system: str
    records: int
    reads: int
    writes: int
    minutes: float


@dataclass(frozen=True, slots=True)
class PlanReport:
    """Everything a sync would do now; nothing of it was done."""

    system: str
    accepted: bool
    pairs: int
    new_pairs: int
    proposed: int
    doubtful: int
    agreed: int
    waiting: int
    writes: tuple[PlanField, ...]
    asks: tuple[PlanField, ...]
    costs: tuple[PlanCost, ...]


@dataclass(frozen=True, slots=True)
class DifferenceLine:
    """One field that is not equal on both sides, and what names it: conflict, outbox, a wait, or nothing."""

    object: str
    record_id: str
    external_id: str
    label: str
    field: str
    named: str


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """Whether both sides agree."""

    system: str
    pairs: int
    agreed: int
    fields: int
    reads: int
    differences: tuple[DifferenceLine, ...]
    unnamed: int


@dataclass(frozen=True, slots=True)
class PairRow:
    """One pair as a list shows it."""

    pair_id: int
    system: str
    object: str
    record_id: str
    label: str
    external_type: str
    external_id: str
    external_label: str
    state: str
    score: float | None
    why: str


class LinkVerbs(HookVerbs):
    """Everything about linked systems."""

    @property
    def linked(self) -> tuple[str, ...]:
        """The systems this profile is linked to."""
        return tuple(self.profile.links)

    def is_accepted(self, system: str) -> bool:
        """Whether the first sync with a system may write."""
        return bool((self.store.state.get(accepted_key(system)) or {}).get("accepted"))

    def _link(self, system: str) -> CrmLink:
        if system not in SYSTEMS:
            raise NoSuchThing(f"There is no system {system}.", hint="hubspot or salesforce")
        engine = self.required_engine()
        return link_of(system, self.profile, engine.secrets, self.store, self.bus, self.clock, engine.rng)

    @asynccontextmanager
    async def _looked_at(self, system: str) -> AsyncIterator[tuple[CrmContext, CrmSync | None]]:
        link = self._link(system)
        async with looked_at(link, self.store) as sync:
            yield (sync.context if sync else load_context(self.store, system)), sync

    async def plan(self, system: str) -> PlanReport:
        """Return what a sync would write now, field by field, and what it would cost; writes nothing."""
        async with self._looked_at(system) as (context, sync):
            widows = await sync.widows() if sync else []
            made = await make_plan(self.store, context, sync.client if sync else None, widows)
        lines = [self._plan_field(line) for line in made.lines]
        return PlanReport(
            system=system,
            accepted=self.is_accepted(system) or context.mapping.first_sync == "go",
            pairs=made.pairs,
            new_pairs=made.new_pairs,
            proposed=made.proposed,
            doubtful=made.doubtful,
            agreed=made.agreed,
            waiting=made.waiting,
            writes=tuple(line for line in lines if line.action != "ask"),
            asks=tuple(line for line in lines if line.action == "ask"),
            costs=tuple(PlanCost(c.system, c.records, c.reads, c.writes, c.minutes) for c in made.costs),
        )

    def _plan_field(self, line: PlanLine) -> PlanField:
        shape = self.schema.object(line.object) if line.system == "attio" else None
        attribute = shape.attribute(line.field) if shape else None

        def shown(value: Any) -> str:
            if attribute is not None and isinstance(value, list):
                return display(attribute, value, self.names)
            return "" if value is None or value == [] else plain(str(value))

        return PlanField(
            system=line.system,
            object=line.object,
            record_id=line.record_id,
            label=plain(line.label),
            action=line.action,
            field=line.field,
            before=shown(line.before),
            after=shown(line.after),
            why=plain(line.why),
        )

    async def verify(self, system: str) -> VerifyReport:
        """Read every pair anew on both sides and compare it with its base; every difference has to be named."""
        async with self._looked_at(system) as (context, sync):
            if sync is None:
                report = await verify(self.store, context)
            else:
                engine = self.required_engine()
                token = engine.secrets.get(self.profile.name, "attio") or ""
                async with AsyncAttio(
                    token, base_url=self.profile.base_url, clock=self.clock, rng=engine.rng
                ) as attio:
                    report = await verify(self.store, context, client=sync.client, attio=attio)
        return VerifyReport(
            system=system,
            pairs=report.pairs,
            agreed=report.agreed,
            fields=report.fields,
            reads=report.attio_reads + report.external_reads,
            differences=tuple(
                DifferenceLine(d.object, d.record_id, d.external_id, plain(d.label), d.field, plain(d.named))
                for d in report.differences
            ),
            unnamed=len(report.unnamed),
        )

    # ------------------------------------------------------------------------------------------------- pairs

    def pairs(self, system: str | None = None, state: str | None = None, limit: int = 1000) -> list[PairRow]:
        """Return pairs in the order in which they were found; `state` is confirmed, proposed, rejected or broken."""
        known: dict[str, PairState] = {
            "confirmed": "confirmed",
            "proposed": "proposed",
            "rejected": "rejected",
            "broken": "broken",
        }
        if state is not None and state not in known:
            raise NoSuchThing(f"There is no state {state}.", hint=", ".join(known))
        found = self.store.pairs.list(system, state=known[state] if state else None, limit=limit)
        return [self._pair_row(pair) for pair in found]

    def _pair_row(self, pair: Pair) -> PairRow:
        collection = collection_of(pair.system, pair.external_type)
        there = self.store.mirror.row(collection, pair.external_id)
        return PairRow(
            pair_id=pair.id,
            system=pair.system,
            object=pair.object_key,
            record_id=pair.record_id,
            label=self.label(pair.record_id),
            external_type=pair.external_type,
            external_id=pair.external_id,
            external_label=plain(there.label) if there else "",
            state=pair.state,
            score=pair.score,
            why=plain(pair.why),
        )

    async def propose_pairs(self, system: str) -> list[PairRow]:
        """Look for pairs among what has none; sure ones are kept as confirmed, likely ones as proposed."""
        self.refuse_when_read_only("Pairing")
        async with self._looked_at(system) as (context, _):
            pairing = Pairing(self.store, context)
            before = {row.pair_id for row in self.pairs(system, limit=1_000_000)}
            for name in context.mapping.external_types:
                for mapping in context.mapping.for_external(name):
                    await pairing.run(mapping)
        self.bus.changed("conflicts")
        return [row for row in self.pairs(system, limit=1_000_000) if row.pair_id not in before]

    async def decide_pairs(self, pair_ids: Sequence[int], state: str) -> Done:
        """Confirm, reject or unlink (broken) pairs; what a person said is remembered."""
        self.refuse_when_read_only("Pairing")
        states: dict[str, PairState] = {"confirmed": "confirmed", "rejected": "rejected", "broken": "broken"}
        chosen = states[state]
        for pair_id in pair_ids:
            pair = self.store.pairs.get(pair_id)
            if pair is None:
                raise NoSuchThing(f"There is no pair {pair_id}.", hint="attio-console pairs list")
            if chosen == "confirmed":
                self._refuse_second_counterpart(pair)
            await self.store.pairs.set_state(pair_id, chosen, by="operator", why=f"{chosen} by a person")
            self.bus.records(pair.collection, [pair.record_id])
        self.bus.changed("status")
        word = {"confirmed": "confirmed", "rejected": "rejected", "broken": "unlinked"}[state]
        return Done(f"{len(pair_ids)} pair{'s' if len(pair_ids) != 1 else ''} {word}.", count=len(pair_ids))

    def _refuse_second_counterpart(self, pair: Pair) -> None:
        for other in self.store.pairs.by_record(pair.record_id, pair.system):
            if (
                other.id != pair.id
                and other.state == "confirmed"
                and other.external_type == pair.external_type
            ):
                raise UsageError(
                    f"{self.label(pair.record_id)} has a counterpart already: {other.external_id}.",
                    hint=f"attio-console pairs unlink {other.id}",
                )

    async def link_pair(self, system: str, object_slug: str, record_id: str, external: str) -> Done:
        """Make a pair by hand; `external` is TYPE:ID."""
        self.refuse_when_read_only("Pairing")
        shape = self.schema.object(object_slug)
        external_type, _, external_id = external.partition(":")
        if shape is None or not external_id:
            raise NoSuchThing(
                f"{object_slug} {external} cannot be paired.", hint="Name TYPE:ID, e.g. contacts:33451"
            )
        pair = NewPair(
            system,
            shape.slug,
            shape.id,
            record_id,
            external_type,
            external_id,
            "confirmed",
            "operator",
            None,
            "by hand",
        )
        [pair_id] = await self.store.pairs.put([pair])
        self.bus.records(shape.id, [record_id])
        return Done(f"Pair {pair_id}: {self.label(record_id)} is {external}.", count=1)

    # ------------------------------------------------------------------------------------------------- links

    async def accept_link(self, system: str) -> Done:
        """Let the first sync with a system write what its plan shows."""
        self.refuse_when_read_only("Writing to a linked system")
        self._link(system)
        await accept_first_sync(self.store, system)
        self.bus.changed("conflicts")
        return Done(f"{system} may be written to from now on.")

    def keep_link_secret(self, system: str, secret: str) -> Done:
        """Keep a linked system's token or key where this profile keeps its secrets."""
        self._link(system)
        self.required_engine().secrets.set(self.profile.name, system, secret)
        return Done(f"The {system} secret is kept.")

    async def create_key_fields(self, system: str) -> list[str]:
        """Make the field that holds the Attio record id wherever the other side has none; return what was done.

        Raises UsageError where only an administrator of the other system can make it, Forbidden without the scope.
        """
        self.refuse_when_read_only("Making a field")
        link = self._link(system)
        client = link.client(await link.secret())
        try:
            if not isinstance(client, HubSpot):
                raise UsageError(
                    "A field of Salesforce is made by its administrator.",
                    hint="Setup, Object Manager, each object, Fields: a text of 64 characters named "
                    "Attio_Id (API name Attio_Id__c), external ID, unique.",
                )
            done = []
            for name in default_types(system, self.schema):
                described = await client.describe(name)
                key = next((f for known in KEY_NAMES if (f := described.field(known)) is not None), None)
                if key is None:
                    key = await client.create_key(name)
                    done.append(f"{name}: {key.name} is made.")
                elif not key.is_unique:
                    raise UsageError(
                        f"{name} has a property {key.name} that is not unique, and HubSpot cannot make it so.",
                        hint="Delete or rename it in HubSpot, then try again.",
                    )
                else:
                    done.append(f"{name}: {key.name} is there already.")
            return done
        finally:
            await client.close()

    async def mapping_text(self, system: str) -> str:
        """Return the mapping in use as the text of its file, made from both schemas where the profile names no file."""
        async with self._looked_at(system) as (context, _):
            return write_mapping(context.mapping)

    async def check_mapping_file(self, system: str, path: Path) -> list[str]:
        """Return what is wrong with a mapping file, each with its line; empty where nothing is."""
        try:
            mapping = read_mapping(path)
        except ConfigError as error:
            return [error.advice]
        if mapping.system != system:
            return [f"{path}: this maps {mapping.system}, not {system}"]
        link = self._link(system)
        client = link.client(await link.secret())
        try:
            objects = {name: await client.describe(name) for name in mapping.external_types}
        finally:
            await client.close()
        text = await asyncio.to_thread(path.read_text, encoding="utf-8")
        problems = check_mapping(mapping, self.schema, objects, text, str(path))
        return [plain(problem.advice) for problem in problems]
