"""Pairs with their bases, conflicts with their decisions, the audit, and small state."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from attio_console.errors import NoSuchThing
from attio_console.model.clock import FakeClock
from attio_console.store import Store
from attio_console.store.tx import Tx
from attio_console.store.types import (
    AuditEntry,
    ConflictFilter,
    NewConflict,
    NewItem,
    NewPair,
    PartitionState,
)

A, B = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


def _pair(record: str = A, external: str = "7", **more: Any) -> NewPair:
    return NewPair("hubspot", "people", "c", record, "contacts", external, **more)


def _conflict(**more: Any) -> NewConflict:
    given: dict[str, Any] = {
        "kind": "field",
        "system": "hubspot",
        "collection": "c",
        "record_id": A,
        "label": "Ann",
        "fields": [{"slug": "name"}],
    }
    return NewConflict(**(given | more))


async def test_pairs_are_found_from_both_sides_and_keep_their_id(store: Store) -> None:
    (first,) = await store.pairs.put(_pair(score=0.8, why="same e-mail"))
    (again,) = await store.pairs.put(_pair(state="confirmed", created_by="ada"))
    assert first == again
    (pair,) = store.pairs.by_record(A, "hubspot")
    assert pair.state == "confirmed" and store.pairs.by_external("hubspot", "contacts", "7") == [
        pair
    ] == store.pairs.by_record(A)
    assert store.pairs.get(first) == pair and store.pairs.by_record(A, "salesforce") == []
    await store.pairs.set_state(first, "rejected", by="bob", why="another Ann")
    assert (store.pairs.get(first).state, store.pairs.get(first).created_by, store.pairs.get(first).why) == (
        "rejected",
        "bob",
        "another Ann",
    )
    await store.pairs.put([_pair(B, str(n), state="confirmed") for n in range(5)])
    assert (
        store.pairs.count("hubspot") == 5
        and store.pairs.count(state=None) == 6
        and store.pairs.count("salesforce") == 0
    )
    assert len(store.pairs.list("hubspot", state="confirmed", limit=3)) == 3
    assert len(store.pairs.list("hubspot", after=store.pairs.list()[3].id)) == 2


async def test_bases_are_kept_by_field_and_can_be_taken_back(store: Store, clock: FakeClock) -> None:
    (pair,) = await store.pairs.put(_pair())
    await store.pairs.set_bases(pair, {"name": ["Ann"], "tags": []})
    await clock.advance(60)
    await store.pairs.set_bases(pair, {"name": ["Anna"]})
    bases = store.pairs.bases(pair)
    assert (
        bases["name"].items == ["Anna"]
        and bases["tags"].items == []
        and bases["name"].at - bases["tags"].at == timedelta(seconds=60)
    )
    await store.pairs.set_bases(pair, {"name": None})
    assert set(store.pairs.bases(pair)) == {"tags"}
    await store.pairs.forget(pair)
    assert store.pairs.bases(pair) == {} and store.pairs.get(pair) is None


async def test_a_merge_moves_pairs_conflicts_and_writes_in_one_transaction(store: Store) -> None:
    old, kept = await store.pairs.put([_pair(A, "7"), _pair(B, "8")])
    (clash,) = await store.pairs.put(_pair(B, "7"))
    await store.pairs.set_bases(old, {"name": ["x"]})
    conflict = await store.conflicts.open(_conflict())
    await store.outbox.add([NewItem("attio", "c", A, "set")], "x")

    def move(tx: Tx) -> None:
        store.pairs.move_in(tx, A, B)
        store.conflicts.move_in(tx, A, B)
        store.outbox.move_in(tx, "c", A, B)

    await store.queue.run(move)
    assert store.pairs.by_record(A) == [] and {p.id for p in store.pairs.by_record(B)} == {kept, clash}
    assert store.conflicts.get(conflict).record_id == B
    assert store.outbox.items()[0].record_id == B


async def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    def half(tx: Tx) -> None:
        store.pairs.put_in(tx, _pair())
        store.outbox.add_in(tx, [NewItem("attio", "c", A, "set")], "x")
        raise NoSuchThing("in the middle")

    with pytest.raises(NoSuchThing):
        await store.queue.run(half)
    assert (
        store.pairs.count(state=None) == 0
        and store.outbox.items() == []
        and store.outbox.depth().pending == 0
    )


async def test_one_open_conflict_per_pair_and_kind_and_its_revision_grows_with_news(store: Store) -> None:
    first = await store.conflicts.open(_conflict(pair_id=1))
    assert await store.conflicts.open(_conflict(pair_id=1)) == first
    assert store.conflicts.get(first).revision == 1, "nothing new was said"
    assert await store.conflicts.open(_conflict(pair_id=1, fields=[{"slug": "city"}])) == first
    assert store.conflicts.get(first).revision == 2
    assert await store.conflicts.open(_conflict(pair_id=1, kind="deleted")) != first
    assert await store.conflicts.open(_conflict(pair_id=None)) != first
    assert store.conflicts.count() == 3
    assert [c.id for c in store.conflicts.for_pair(1)] == [1, 2] and len(store.conflicts.for_record(A)) == 3
    await store.conflicts.close(first, "equal again")
    assert store.conflicts.get(first).closed_why == "equal again" and store.conflicts.count() == 2
    assert await store.conflicts.open(_conflict(pair_id=1)) > first


async def test_decisions_are_kept_and_taken_back(store: Store) -> None:
    conflict = await store.conflicts.open(_conflict(pair_id=1))
    group = await store.outbox.add([NewItem("attio", "c", A, "set", origin="resolution:1")], "resolve")
    await store.conflicts.resolve(conflict, {"name": {"take": "attio"}}, group, actor="ada")
    assert store.conflicts.get(conflict).state == "resolved" and store.conflicts.count() == 0
    assert store.conflicts.resolution_of_group(group).choices == {"name": {"take": "attio"}}
    undone = await store.conflicts.undo(conflict)
    assert undone.group_id == group and undone.undone_at is not None
    assert store.conflicts.get(conflict).state == "open"
    with pytest.raises(NoSuchThing):
        await store.conflicts.undo(conflict)
    with pytest.raises(NoSuchThing):
        await store.conflicts.resolve(99, {}, None)


async def test_conflicts_are_listed_by_filter_and_snoozed_ones_wake(store: Store, clock: FakeClock) -> None:
    for n in range(4):
        await clock.advance(1)
        await store.conflicts.open(
            _conflict(
                pair_id=n,
                label=f"Ann {n}",
                system="hubspot" if n % 2 else "salesforce",
                fields=[{"slug": "city" if n else "name"}],
            )
        )
    listed = store.conflicts.list
    assert [c.label for c in listed()] == ["Ann 0", "Ann 1", "Ann 2", "Ann 3"]
    assert [c.label for c in listed(offset=1, limit=2)] == ["Ann 1", "Ann 2"]
    assert [c.label for c in listed(filters=ConflictFilter(system="hubspot"))] == ["Ann 1", "Ann 3"]
    assert [c.label for c in listed(filters=ConflictFilter(field="name"))] == ["Ann 0"]
    assert store.conflicts.count(filters=ConflictFilter(text="ann 2")) == 1
    await store.conflicts.snooze(1, clock.now() + timedelta(hours=1))
    assert store.conflicts.count() == 3 and await store.conflicts.wake() == 0
    await clock.advance(3600)
    assert await store.conflicts.wake() == 1 and store.conflicts.count() == 4


async def test_the_audit_notices_an_edited_and_a_missing_line(store: Store) -> None:
    await store.audit.append(*(AuditEntry("ada", "set", "attio", A, "name", [n], [n + 1]) for n in range(5)))
    await store.audit.append(AuditEntry("sync", "merge", record=B))
    assert (await store.audit.verify()).broken_at is None and store.audit.count() == 6
    assert [entry.after for entry in store.audit.recent(2, record=A)] == [[5], [4]]
    await store.queue.run(
        lambda tx: tx.execute("UPDATE audit SET entry = replace(entry, 'ada', 'bob') WHERE id = 3")
    )
    assert (await store.audit.verify()).broken_at == 3
    await store.queue.run(lambda tx: tx.execute("DELETE FROM audit WHERE id = 3"))
    assert (await store.audit.verify()).broken_at == 4


async def test_partitions_and_documents_are_kept(store: Store, clock: FakeClock) -> None:
    assert store.state.partition("attio", "people") == PartitionState("attio", "people")
    state = PartitionState("attio", "people", "cursor", "live", clock.now(), "", {"expected": 5})
    await store.state.put_partition(state)
    assert store.state.partition("attio", "people") == state and store.state.partitions() == [state]
    await store.state.put("webhook:1", {"id": "x"})
    await store.state.put("other", [1])
    assert store.state.get("webhook:1") == {"id": "x"} and store.state.keys("webhook:") == ["webhook:1"]
    await store.state.put("other", None)
    assert store.state.get("other", "none") == "none"
