"""Pairs as the store has them, turned into verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from attio_console.crm.protocol import CrmChange
from attio_console.model.items import Items
from attio_console.model.schema import Schema
from attio_console.model.values import provenance
from attio_console.store import Store
from attio_console.store.types import Pair
from attio_console.sync.codec import FieldCodec, Links
from attio_console.sync.compare import Times, Verdict, examine, examine_field, needs_times
from attio_console.sync.crm_context import CrmContext, StoredLinks, external_values
from attio_console.sync.mapping import ObjectMapping, collection_of

Who = Mapping[str, Mapping[str, Mapping[str, Sequence[CrmChange]]]]
"""External type -> id -> field -> its history, newest first."""


@dataclass(frozen=True)
class Examined:
    """One pair with the verdict on each of its fields; `attio` or `external` is None where that side is gone."""

    pair: Pair
    mapping: ObjectMapping
    attio: Mapping[str, Items] | None
    external: Mapping[str, Any] | None
    verdicts: tuple[Verdict, ...]
    skipped: frozenset[str] = frozenset()
    """fields whose writes are on their way, or were refused and wait for a person"""
    times: Mapping[str, Times] | None = None

    @property
    def is_calm(self) -> bool:
        """Whether both sides are there and nothing is to be written or asked."""
        both = self.attio is not None and self.external is not None
        return both and not any(v.writes or v.is_manual or v.decision.settled for v in self.verdicts)


class Examiner:
    """Reads both sides and the base of pairs, and asks the pure comparison."""

    def __init__(self, store: Store, context: CrmContext, links: Links | None = None) -> None:
        self._links = links or StoredLinks(store, context.system)
        self._store = store
        self._context = context
        self._schema: Schema | None = None
        self._codecs: dict[tuple[str, str], tuple[FieldCodec, ...]] = {}

    @property
    def context(self) -> CrmContext:
        """Return what is known of the other system."""
        return self._context

    def codecs(self, mapping: ObjectMapping) -> tuple[FieldCodec, ...]:
        """Return the codecs of an object mapping under the schema as it is now."""
        schema = self._store.mirror.schema
        if schema is not self._schema:
            self._schema = schema
            self._codecs.clear()
        key = (mapping.attio, mapping.external)
        found = self._codecs.get(key)
        if found is None:
            found = self._codecs[key] = self._context.codecs(mapping, schema, self._links)
        return found

    def mapping_of(self, pair: Pair) -> ObjectMapping | None:
        """Return the mapping that a pair belongs to."""
        return self._context.mapping.object(pair.object_key, pair.external_type)

    def each(self, pairs: Sequence[Pair]) -> Iterator[Examined]:
        """Yield what there is to say about each confirmed pair that a mapping covers."""
        for pair in pairs:
            mapping = self.mapping_of(pair)
            if mapping is not None and pair.state == "confirmed":
                yield self.one(pair, mapping)

    def one(self, pair: Pair, mapping: ObjectMapping) -> Examined:
        """Return what there is to say about one pair."""
        collection = collection_of(pair.system, pair.external_type)
        row = self._store.mirror.row(pair.collection, pair.record_id)
        raw = self._store.mirror.raw(collection, pair.external_id)
        attio = None if row is None else row.values()
        external = None if raw is None else external_values(raw)
        if attio is None or external is None:
            return Examined(pair, mapping, attio, external, ())
        bases = {slug: base.items for slug, base in self._store.pairs.bases(pair.id).items()}
        codecs = self.codecs(mapping)
        verdicts = examine(codecs, attio, external, bases)
        skipped = self._skipped(pair, codecs, verdicts)
        return Examined(
            pair, mapping, attio, external, tuple(v for v in verdicts if v.slug not in skipped), skipped
        )

    def _skipped(
        self, pair: Pair, codecs: Sequence[FieldCodec], verdicts: Sequence[Verdict]
    ) -> frozenset[str]:
        ours = self._store.outbox.overlay(pair.collection, pair.record_id)
        theirs = self._store.outbox.overlay(collection_of(pair.system, pair.external_type), pair.external_id)
        if not ours and not theirs:
            return frozenset()
        agreed = {verdict.slug for verdict in verdicts if verdict.is_agreed}
        skipped: set[str] = set()
        for codec in codecs:
            slug = codec.field.attio
            waiting = [
                ours[slug].state if slug in ours else None,
                *(theirs[name].state for name in codec.field.external if name in theirs),
            ]
            states = {state for state in waiting if state is not None}
            # What was refused waits for a person, unless the sides have come together without it.
            if states & {"pending", "sending"} or (states and slug not in agreed):
                skipped.add(slug)
        return frozenset(skipped)

    def with_times(self, examined: Examined, who: Who) -> Examined:
        """Return the same, decided again with who changed what when."""
        if examined.attio is None or examined.external is None:
            return examined
        wanted = {v.slug for v in examined.verdicts if needs_times(v)}
        if not wanted:
            return examined
        row = self._store.mirror.raw(examined.pair.collection, examined.pair.record_id)
        values = (msgspec.json.decode(row).get("values") or {}) if row else {}
        history = (who.get(examined.pair.external_type) or {}).get(examined.pair.external_id) or {}
        bases = {slug: base.items for slug, base in self._store.pairs.bases(examined.pair.id).items()}
        times: dict[str, Times] = {}
        verdicts: list[Verdict] = []
        for verdict in examined.verdicts:
            if verdict.slug not in wanted:
                verdicts.append(verdict)
                continue
            found = times[verdict.slug] = self._times(verdict.codec, values.get(verdict.slug) or [], history)
            verdicts.append(examine_field(verdict.codec, examined.attio, examined.external, bases, found))
        return Examined(
            examined.pair,
            examined.mapping,
            examined.attio,
            examined.external,
            tuple(verdicts),
            examined.skipped,
            times,
        )

    def _times(
        self,
        codec: FieldCodec,
        values: Sequence[Mapping[str, Any]],
        history: Mapping[str, Sequence[CrmChange]],
    ) -> Times:
        source = provenance(values)
        newest: CrmChange | None = None
        for name in codec.field.external:
            for change in (history.get(name) or ())[:1]:
                if newest is None or _later(change.at, newest.at):
                    newest = change
        return Times(
            source.at,
            newest.at if newest else None,
            self._actor(source.actor_type, source.actor_id),
            newest.by if newest else "",
        )

    def _actor(self, kind: str | None, actor_id: str | None) -> str:
        if kind == "workspace-member" and actor_id:
            member = self._store.mirror.schema.member(actor_id)
            return member.name if member else "a member who left"
        return {"system": "Attio", "api-token": "an integration", "app": "an app"}.get(kind or "", kind or "")


def _later(left: datetime | None, right: datetime | None) -> bool:
    return left is not None and (right is None or left > right)


def wanting_times(examined: Sequence[Examined]) -> dict[str, tuple[set[str], set[str]]]:
    """Return external type -> (ids, fields) whose history would help."""
    wanted: dict[str, tuple[set[str], set[str]]] = {}
    for one in examined:
        names = [n for v in one.verdicts if needs_times(v) for n in v.codec.field.external]
        if names:
            ids, fields = wanted.setdefault(one.pair.external_type, (set(), set()))
            ids.add(one.pair.external_id)
            fields.update(names)
    return wanted
