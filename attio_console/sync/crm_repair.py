"""Pairs after a merge on the other side: the pair follows the survivor, or a person says which one it follows."""

from __future__ import annotations

from collections.abc import Sequence

from attio_console.store import Store
from attio_console.store.tx import Tx
from attio_console.store.types import AuditEntry, NewConflict, NewPair, Pair
from attio_console.sync import kinds


async def follow_merges(
    store: Store, system: str, external_type: str, merged: Sequence[tuple[str, str]]
) -> list[str]:
    """Move the pairs of records that were absorbed; return the ids of the records that absorbed them."""
    touched: list[str] = []
    for lost, kept in merged:
        losers = [p for p in store.pairs.by_external(system, external_type, lost) if p.state == "confirmed"]
        winners = [p for p in store.pairs.by_external(system, external_type, kept) if p.state == "confirmed"]
        for pair in losers:
            await _follow(store, pair, kept, winners)
            touched.append(kept)
    return touched


async def _follow(store: Store, pair: Pair, kept: str, winners: Sequence[Pair]) -> None:
    others = [winner for winner in winners if winner.record_id != pair.record_id]

    def job(tx: Tx) -> None:
        if others:
            # Two records here, one record there: which of them it stands for is not for a machine to say.
            store.pairs.set_state_in(tx, pair.id, "broken", by="sync", why=f"merged into {kept} there")
            store.conflicts.open_in(tx, _conflict(store, pair, others[0], kept))
        elif winners:
            store.pairs.forget_in(tx, pair.id)
        else:
            [new_id] = store.pairs.put_in(tx, _moved(pair, kept))
            bases = {slug: base.items for slug, base in store.pairs.bases(pair.id).items()}
            store.pairs.set_bases_in(tx, new_id, bases)
            store.pairs.forget_in(tx, pair.id)
        store.audit.append_in(
            tx,
            AuditEntry(
                "sync", "merged there", pair.system, pair.record_id, before=pair.external_id, after=kept
            ),
        )

    await store.queue.run(job)


def _moved(pair: Pair, kept: str) -> NewPair:
    return NewPair(
        pair.system,
        pair.object_key,
        pair.collection,
        pair.record_id,
        pair.external_type,
        kept,
        "confirmed",
        pair.created_by,
        pair.score,
        f"{pair.why}; followed a merge of {pair.external_id}",
    )


def _conflict(store: Store, pair: Pair, other: Pair, kept: str) -> NewConflict:
    label = store.mirror.label(pair.record_id) or pair.record_id
    other_label = store.mirror.label(other.record_id) or other.record_id
    document = {
        "slug": kinds.RECORD,
        "field": kinds.RECORD,
        "title": "Record",
        "type": "text",
        "multi": False,
        "base": [],
        "has_base": False,
        "attio": [label, other_label],
        "external": [store.mirror.label(kept) or kept],
        "external_field": pair.external_type,
        "suggestion": None,
        "why": f"{pair.external_id} was merged into {kept}, which stands for another record here",
    }
    return NewConflict(
        kinds.MERGE,
        pair.system,
        pair.collection,
        pair.record_id,
        label,
        [document],
        None,
        pair.external_type,
        kept,
        "poll",
        {"candidates": [_candidate(other, kept), _candidate(pair, kept)]},
    )


def _candidate(pair: Pair, kept: str) -> dict[str, object]:
    return {
        "object_key": pair.object_key,
        "collection": pair.collection,
        "record_id": pair.record_id,
        "external_type": pair.external_type,
        "external_id": kept,
        "score": pair.score,
    }
