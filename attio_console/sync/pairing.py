"""Who stands for whom: stored ids first, then unique keys, then candidates that a person confirms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from attio_console.model.schema import ObjectSchema, Schema
from attio_console.store import Store
from attio_console.store.tx import Tx
from attio_console.sync.breath import Breath
from attio_console.sync.codec import FieldCodec, Links
from attio_console.sync.crm_context import CrmContext, StoredLinks, external_values
from attio_console.sync.mapping import ObjectMapping, collection_of
from attio_console.sync.matching import Known, Paired, match
from attio_console.sync.sides import Side, attio_side, external_side, takes_part

_CHUNK = 500


class Pairing:
    """Finds the pairs of one object mapping among records that have none."""

    def __init__(self, store: Store, context: CrmContext, links: Links | None = None) -> None:
        self._store = store
        self._context = context
        self._links = links or StoredLinks(store, context.system)

    async def run(self, mapping: ObjectMapping, *, only: Iterable[str] | None = None) -> Paired:
        """Pair what can be paired and keep it; `only` limits the external records looked at."""
        found = await self.find(mapping, only=only)
        for start in range(0, len(found.new_pairs), _CHUNK):
            await self._store.pairs.put(found.new_pairs[start : start + _CHUNK])
        if found.found:

            def job(tx: Tx) -> None:
                for conflict in found.found:
                    self._store.conflicts.open_in(tx, conflict)

            await self._store.queue.run(job)
        return found

    async def find(self, mapping: ObjectMapping, *, only: Iterable[str] | None = None) -> Paired:
        """Return what could be paired; keeps nothing."""
        schema = self._store.mirror.schema
        attio_object = schema.object(mapping.attio)
        if attio_object is None:
            return Paired()
        known = Known(self._store, self._context.system, mapping)
        theirs = await self._external_side(mapping, known, only)
        if not theirs and mapping.create_external == "off":
            return Paired()
        codecs = self._context.codecs(mapping, schema, self._links)
        ours = await self._attio_side(mapping, attio_object, schema, codecs, known)
        return match(mapping, self._context.system, attio_object.id, ours, theirs, known)

    async def _external_side(
        self, mapping: ObjectMapping, known: Known, only: Iterable[str] | None
    ) -> list[Side]:
        collection = collection_of(self._context.system, mapping.external)
        schema = self._store.mirror.schema
        codecs = self._context.codecs(mapping, schema, self._links)
        sides: list[Side] = []
        breath = Breath()
        ids = list(only) if only is not None else self._store.mirror.ids(collection)
        for external_id in ids:
            await breath.take()
            if external_id in known.externals:
                continue
            raw = self._store.mirror.raw(collection, external_id)
            if raw is None:
                continue
            values = external_values(raw)
            if takes_part(values, mapping.where_external):
                sides.append(external_side(mapping, codecs, external_id, values))
        return sides

    async def _attio_side(
        self,
        mapping: ObjectMapping,
        attio_object: ObjectSchema,
        schema: Schema,  # noqa: ARG002
        codecs: Sequence[FieldCodec],
        known: Known,
    ) -> list[Side]:
        sides: list[Side] = []
        breath = Breath()
        for record_id in self._store.mirror.ids(attio_object.id):
            await breath.take()
            row = self._store.mirror.row(attio_object.id, record_id)
            if row is not None:
                side = attio_side(mapping, attio_object, codecs, record_id, row.label, row.values())
                sides.append(replace(side, is_paired=record_id in known.records))
        return sides


__all__ = ["Paired", "Pairing"]
