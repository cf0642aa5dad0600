"""Proof that both sides agree: every pair read anew and compared, every difference repaired or named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from attio_console.attio import AsyncAttio
from attio_console.crm.protocol import CrmClient
from attio_console.net import Lane
from attio_console.store import Store
from attio_console.store.types import Pair
from attio_console.sync import kinds
from attio_console.sync.breath import Breath
from attio_console.sync.crm_context import CrmContext, external_row
from attio_console.sync.examine import Examined, Examiner
from attio_console.sync.mapping import collection_of

_ATTIO_PAGE = 500


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of a pair that is not equal on both sides, and what names it: an empty `named` is a failure."""

    pair_id: int
    object: str
    record_id: str
    external_id: str
    label: str
    field: str
    named: str


@dataclass
class Verified:
    """What a verification found."""

    system: str
    pairs: int = 0
    agreed: int = 0
    fields: int = 0
    attio_reads: int = 0
    external_reads: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def unnamed(self) -> list[Difference]:
        """Return the differences that nothing repairs and nobody is asked about."""
        return [one for one in self.differences if not one.named]


async def refresh(
    store: Store,
    context: CrmContext,
    pairs: Sequence[Pair],
    client: CrmClient | None,
    attio: AsyncAttio | None,
) -> tuple[int, int]:
    """Read both sides of these pairs anew; return how many reads that took on each side."""
    ours = theirs = 0
    if attio is not None:
        by_collection: dict[str, list[str]] = {}
        for pair in pairs:
            by_collection.setdefault(pair.collection, []).append(pair.record_id)
        for collection, ids in by_collection.items():
            for start in range(0, len(ids), _ATTIO_PAGE):
                chunk = ids[start : start + _ATTIO_PAGE]
                raws = await attio.records.get_many_raw(collection, chunk, lane=Lane.SCAN)
                await store.mirror.apply_page(collection, raws)
                ours += 1
    if client is not None:
        for name in context.mapping.external_types:
            wanted = [pair.external_id for pair in pairs if pair.external_type == name]
            theirs += await _refresh_external(store, context, client, name, wanted)
    return ours, theirs


async def _refresh_external(
    store: Store, context: CrmContext, client: CrmClient, name: str, wanted: Sequence[str]
) -> int:
    collection, fields = collection_of(context.system, name), context.mapping.fields_of(name)
    for start in range(0, len(wanted), client.page_size):
        chunk = wanted[start : start + client.page_size]
        found = await client.get_many(name, chunk, fields)
        rows = [external_row(record) for record in found]
        await store.mirror.apply_page(collection, rows)
        here = {record.id for record in found if not record.asked_id}
        await store.mirror.delete(collection, [one for one in chunk if one not in here])
    return -(-len(wanted) // client.page_size)


async def verify(
    store: Store,
    context: CrmContext,
    *,
    client: CrmClient | None = None,
    attio: AsyncAttio | None = None,
) -> Verified:
    """Compare both sides and the base of every confirmed pair; with clients, read both sides anew first."""
    report = Verified(context.system)
    examiner = Examiner(store, context)
    breath = Breath()
    after = 0
    while pairs := store.pairs.list(context.system, state="confirmed", after=after):
        after = pairs[-1].id
        ours, theirs = await refresh(store, context, pairs, client, attio)
        report.attio_reads += ours
        report.external_reads += theirs
        for one in examiner.each(pairs):
            await breath.take()
            _judge(report, store, one)
    return report


def _judge(report: Verified, store: Store, one: Examined) -> None:
    report.pairs += 1
    report.fields += len(one.verdicts) + len(one.skipped)
    is_calm = (
        one.is_calm and not one.skipped and all(v.is_agreed and v.base is not None for v in one.verdicts)
    )
    # Most pairs agree, and nothing has to be known of those.
    rows = () if is_calm else store.conflicts.for_pair(one.pair.id)
    open_fields = {str(document.get("slug")) for row in rows for document in row.fields}
    differing: list[tuple[str, str]] = [(slug, "outbox") for slug in sorted(one.skipped)]
    if one.attio is None or one.external is None:
        differing.append((kinds.RECORD, "conflict" if kinds.RECORD in open_fields else ""))
    for verdict in one.verdicts:
        if verdict.is_agreed and verdict.base is not None:
            continue
        if verdict.waits:
            differing.append((verdict.slug, f"waits: {verdict.waits}"))
        elif verdict.slug in open_fields:
            differing.append((verdict.slug, "conflict"))
        elif not verdict.is_agreed:
            differing.append((verdict.slug, ""))
    report.agreed += not differing
    label = store.mirror.label(one.pair.record_id) or one.pair.record_id
    report.differences += [
        Difference(
            one.pair.id, one.pair.object_key, one.pair.record_id, one.pair.external_id, label, slug, named
        )
        for slug, named in differing
    ]
