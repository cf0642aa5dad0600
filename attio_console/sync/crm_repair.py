"""Pairs after a merge on either side: the pair follows the survivor, or a person says which one it follows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attio_console.store import Store
from attio_console.store.tx import Tx
from attio_console.store.types import AuditEntry, NewConflict, Pair
from attio_console.sync import kinds
from attio_console.sync.mapping import collection_of


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
    collection = collection_of(pair.system, pair.external_type)
    question = _conflict(store, pair, others[0], kept) if others else None

    def job(tx: Tx) -> None:
        if question is not None:
            # Two records here, one record there: which of them it stands for is not for a machine to say.
            store.pairs.set_state_in(tx, pair.id, "broken", by="sync", why=f"merged into {kept} there")
            store.conflicts.close_pair_in(tx, pair.id, f"{pair.external_id} was merged into {kept}")
            store.conflicts.open_in(tx, question)
        elif winners:
            store.conflicts.close_pair_in(tx, pair.id, f"{pair.external_id} was merged into {kept}")
            store.pairs.forget_in(tx, pair.id)
        else:
            why = f"{pair.why}; followed a merge of {pair.external_id}"
            store.pairs.follow_in(tx, pair.id, kept, why)
            store.conflicts.follow_in(tx, pair.id, kept)
            store.outbox.move_in(tx, collection, pair.external_id, kept)
        store.audit.append_in(
            tx,
            AuditEntry(
                "sync", "merged there", pair.system, pair.record_id, before=pair.external_id, after=kept
            ),
        )

    await store.queue.run(job)


async def part_doubles(store: Store, pairs: Sequence[Pair]) -> list[Pair]:
    """Return these pairs without those that a merge in Attio left beside another; a person is asked about each.

    Two records here became one, and each had its counterpart there: what is one here must not be written to two.
    """
    kept: dict[tuple[str, str, str], Pair] = {}
    lost: list[tuple[Pair, Pair]] = []
    for pair in sorted(pairs, key=lambda one: one.id):
        first = kept.setdefault((pair.system, pair.record_id, pair.external_type), pair)
        if first is not pair:
            lost.append((first, pair))
    if not lost:
        return list(pairs)
    questions = [(pair, _double(store, first, pair)) for first, pair in lost]

    def job(tx: Tx) -> None:
        for pair, question in questions:
            store.pairs.set_state_in(tx, pair.id, "broken", by="sync", why="two records were merged in Attio")
            store.conflicts.close_pair_in(tx, pair.id, "two records were merged in Attio")
            store.conflicts.open_in(tx, question)
            store.audit.append_in(
                tx,
                AuditEntry("sync", "merged here", pair.system, pair.record_id, before=pair.external_id),
            )

    await store.queue.run(job)
    return list(kept.values())


def _conflict(store: Store, pair: Pair, other: Pair, kept: str) -> NewConflict:
    label = store.mirror.label(pair.record_id) or pair.record_id
    other_label = store.mirror.label(other.record_id) or other.record_id
    why = f"{pair.external_id} was merged into {kept}, which stands for another record here"
    return _merged(
        pair,
        kept,
        label,
        _document(pair, [label, other_label], [store.mirror.label(kept) or kept], why),
        {"candidates": [_candidate(other, kept), _candidate(pair, kept)]},
    )


def _double(store: Store, first: Pair, pair: Pair) -> NewConflict:
    label = store.mirror.label(pair.record_id) or pair.record_id
    there = [f"{store.mirror.label(one.external_id) or ''} ({one.external_id})" for one in (first, pair)]
    why = (
        "two records were merged in Attio, and each has a counterpart there: merge those, too, or choose one"
    )
    return _merged(
        pair,
        pair.external_id,
        label,
        _document(pair, [label], there, why),
        {"candidates": [_candidate(pair, pair.external_id)], "current": first.external_id},
    )


def _document(pair: Pair, attio: list[str], external: list[str], why: str) -> dict[str, Any]:
    return {
        "slug": kinds.RECORD,
        "field": kinds.RECORD,
        "title": "Record",
        "type": "text",
        "multi": False,
        "base": [],
        "has_base": False,
        "attio": attio,
        "external": external,
        "external_field": pair.external_type,
        "suggestion": None,
        "why": why,
    }


def _merged(
    pair: Pair, external_id: str, label: str, document: dict[str, Any], suggestion: dict[str, Any]
) -> NewConflict:
    return NewConflict(
        kinds.MERGE,
        pair.system,
        pair.collection,
        pair.record_id,
        label,
        [document],
        None,
        pair.external_type,
        external_id,
        "poll",
        suggestion,
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
