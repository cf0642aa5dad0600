"""Decisions about whole records: who stands for whom, what a deletion or a merge means for the pair."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attio_console.store import Store
from attio_console.store.tx import Tx
from attio_console.store.types import ConflictRow, NewPair, PairState
from attio_console.sync import kinds


async def record_decision(store: Store, row: ConflictRow, choices: Mapping[str, Any]) -> None:
    """Carry out what a decision means for pairs and guards."""
    choice = choices.get(kinds.RECORD)
    if row.kind == kinds.GUARD:
        await store.state.put(guard_key(row.system, row.external_type), {"accepted": True})
    elif row.kind in {kinds.DELETE, kinds.EDIT_OF_DELETED}:
        if row.pair_id is not None:
            await _end_pair(store, row.pair_id, "broken", f"{row.kind}: {choice}")
    elif row.kind in {kinds.AMBIGUOUS, kinds.DUPLICATE, kinds.MERGE}:
        await _choose_pair(store, row, str(choice))


async def _end_pair(store: Store, pair_id: int, state: PairState, why: str) -> None:
    """Let a pair be none any more; what was asked about its fields has no answer then."""

    def job(tx: Tx) -> None:
        store.pairs.set_state_in(tx, pair_id, state, by="operator", why=why)
        store.conflicts.close_pair_in(tx, pair_id, why)

    await store.queue.run(job)


async def _choose_pair(store: Store, row: ConflictRow, choice: str) -> None:
    """Confirm one candidate and keep the others apart.

    Where nothing was paired yet, `attio` and `external` confirm the likeliest, `base` and `both` none. Where the record
    has a counterpart already, only `external` gives it up for the other one.
    """
    suggestion = row.suggestion or {}
    candidates = list(suggestion.get("candidates") or [])
    current = str(suggestion.get("current") or "")
    takes_new = choice == "external" if current else choice in {"attio", "external"}
    keep = candidates[0] if candidates and takes_new else None
    pairs = [
        NewPair(
            row.system,
            str(one["object_key"]),
            str(one["collection"]),
            str(one["record_id"]),
            str(one["external_type"]),
            str(one["external_id"]),
            "confirmed" if one is keep else "rejected",
            "operator",
            one.get("score"),
            "chosen by a person" if one is keep else "these are not the same",
        )
        for one in candidates
    ]
    if keep is not None:
        # Also where one of the two found another counterpart since the question was asked.
        record_id, external_id, kind = (str(keep[k]) for k in ("record_id", "external_id", "external_type"))
        beside = store.pairs.by_external(row.system, kind, external_id) + store.pairs.by_record(
            record_id, row.system
        )
        for old in beside:
            is_it = (old.record_id, old.external_id) == (record_id, external_id)
            if old.external_type == kind and old.state == "confirmed" and not is_it:
                await _end_pair(store, old.id, "rejected", "given up for its double")
    if pairs:
        await store.pairs.put(pairs)


def guard_key(system: str, external_type: str) -> str:
    """Return under which name it is kept that a person let a stopped run go on."""
    return f"crm:{system}:guard:{external_type}"
