"""Writes: ordered per row, sent as one where they can be, undoable one by one, never settled by the wrong worker."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from attio_console.errors import LeaseLost, NoSuchThing
from attio_console.model.clock import FakeClock
from attio_console.store import Store
from attio_console.store.outbox import is_provisional, provisional_id
from attio_console.store.types import FieldEdit, NewItem

C = "00000000-0000-4000-8000-00000000aaaa"
R, S = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


def _set(
    record: str = R, origin: str = "operator", system: str = "attio", **edits: tuple[Any, Any]
) -> NewItem:
    return NewItem(
        system,
        C,
        record,
        "set",
        {slug: FieldEdit([old], [new]) for slug, (old, new) in edits.items()},
        origin=origin,
        actor="ada",
    )


async def test_ten_edits_of_one_field_are_one_write_from_the_first_base_to_the_last_value(
    store: Store,
) -> None:
    for n in range(10):
        await store.outbox.add([_set(name=(n, n + 1))], f"edit {n}")
    await store.outbox.add([_set(city=("x", "y"))], "another field")
    assert store.outbox.depth().pending == 1
    assert {slug: p.new for slug, p in store.outbox.overlay(C, R).items()} == {"name": [10], "city": ["y"]}
    (claim,) = await store.outbox.claim("attio", 10, 30)
    assert (
        claim.item.fields == {"name": FieldEdit([0], [10]), "city": FieldEdit(["x"], ["y"])}
        and len(claim.ids) == 11
    )
    await store.outbox.confirm(claim, {"name": [10]})
    assert store.outbox.overlay(C, R) == {} and store.outbox.depth().pending == 0
    groups = store.outbox.groups(100)
    assert len(groups) == 11 and all(group.states == {"confirmed": 1} for group in groups)
    assert store.outbox.group(groups[-1].id).items[0].fields == {"name": FieldEdit([0], [1])}


async def test_an_edit_made_while_one_is_on_its_way_waits_for_it(store: Store) -> None:
    await store.outbox.add([_set(name=("a", "b"))], "first")
    (first,) = await store.outbox.claim("attio", 10, 30)
    await store.outbox.add([_set(name=("b", "c"))], "second")
    assert await store.outbox.claim("attio", 10, 30) == []
    assert store.outbox.overlay(C, R)["name"].new == ["c"]
    await store.outbox.confirm(first)
    (second,) = await store.outbox.claim("attio", 10, 30)
    assert second.item.fields["name"] == FieldEdit(["b"], ["c"])


async def test_people_go_first_and_rows_do_not_wait_for_each_other(store: Store) -> None:
    await store.outbox.add([_set(f"{n:036d}", origin="sync", a=(0, n)) for n in range(3)], "sync")
    await store.outbox.add([_set(f"{9:036d}", origin="automation:x", a=(0, 9))], "rule")
    await store.outbox.add([_set(S, a=(0, 1))], "mine")
    await store.outbox.add([_set(R, system="hubspot", a=(0, 1))], "other system")
    claims = await store.outbox.claim("attio", 10, 30)
    assert [c.item.origin for c in claims] == ["operator", "automation:x", "sync", "sync", "sync"]
    assert len(await store.outbox.claim("hubspot", 10, 30)) == 1
    assert len(store.outbox.groups(10)) == 3, "what the sync wrote is no history of a person"


async def test_different_hands_are_not_mixed_into_one_write(store: Store) -> None:
    await store.outbox.add([_set(a=(0, 1))], "mine")
    await store.outbox.add([_set(origin="sync", a=(1, 2))], "sync")
    await store.outbox.add([_set(origin="undo:1", a=(2, 0))], "undo")
    seen = []
    for _ in range(3):
        (claim,) = await store.outbox.claim("attio", 10, 30)
        seen.append((claim.item.origin, claim.item.fields["a"].new))
        await store.outbox.confirm(claim)
    assert seen == [("operator", [1]), ("sync", [2]), ("undo:1", [0])]


async def test_an_undo_before_sending_goes_out_together_with_what_it_undoes(store: Store) -> None:
    group = await store.outbox.add([_set(a=("old", "new"))], "edit")
    await store.outbox.add([_set(origin=f"undo:{group}", a=("new", "old"))], "undo")
    (claim,) = await store.outbox.claim("attio", 10, 30)
    assert claim.item.fields["a"] == FieldEdit(["old"], ["old"]), "nothing is left to write"
    assert store.outbox.group(group).undone_by == group + 1


async def test_a_stale_worker_cannot_settle_and_a_lost_lease_leaves_the_outcome_open(
    store: Store, clock: FakeClock
) -> None:
    await store.outbox.add([_set(a=(0, 1))], "edit")
    (old,) = await store.outbox.claim("attio", 10, 30)
    assert not old.item.uncertain
    await clock.advance(31)
    (new,) = await store.outbox.claim("attio", 10, 30)
    assert new.item.uncertain and new.item.attempts == 2 and new.token > old.token
    for settle in (
        store.outbox.confirm(old),
        store.outbox.refuse(old, "x"),
        store.outbox.dead(old, "x"),
        store.outbox.retry(old, "x", clock.now()),
        store.outbox.extend(old, 5),
    ):
        with pytest.raises(LeaseLost):
            await settle
    await store.outbox.confirm(new)


async def test_retries_wait_and_later_edits_join_them(store: Store, clock: FakeClock) -> None:
    await store.outbox.add([_set(a=(0, 1))], "edit")
    (claim,) = await store.outbox.claim("attio", 10, 30)
    at = clock.now() + timedelta(seconds=10)
    await store.outbox.retry(claim, "503", at, uncertain=True)
    await store.outbox.add([_set(a=(1, 2))], "edit")
    assert await store.outbox.claim("attio", 10, 30) == [] and store.outbox.next_due("attio") is not None
    await clock.advance(10)
    (claim,) = await store.outbox.claim("attio", 10, 30)
    assert (
        claim.item.uncertain and claim.item.fields["a"] == FieldEdit([0], [2]) and claim.item.error == "503"
    )


async def test_refused_and_dead_writes_stay_visible_until_a_person_decides(store: Store) -> None:
    await store.outbox.add([_set(a=(0, 1))], "one")
    (claim,) = await store.outbox.claim("attio", 10, 30)
    await store.outbox.refuse(claim, "too long")
    assert store.outbox.overlay(C, R)["a"].state == "refused"
    assert (store.outbox.depth().refused, store.outbox.depth().pending) == (1, 0)
    await store.outbox.add([_set(S, a=(0, 1))], "two")
    (claim,) = await store.outbox.claim("attio", 10, 30)
    await store.outbox.dead(claim, "gave up")
    refused, dead = store.outbox.items(("refused",))[0], store.outbox.items(("dead",))[0]
    assert await store.outbox.revive([dead.id]) == 1 and await store.outbox.discard([refused.id, 99]) == 1
    assert store.outbox.overlay(C, R) == {}
    (claim,) = await store.outbox.claim("attio", 10, 30)
    assert claim.item.id == dead.id and claim.item.attempts == 1
    assert await store.outbox.discard([dead.id]) == 0, "it is on its way"


async def test_everything_is_as_it_was_after_a_restart(tmp_path: Path, clock: FakeClock) -> None:
    store = await Store.open(tmp_path, clock)
    await store.outbox.add([_set(a=(0, 1)), _set(S, b=("é", "ü"))], "two")
    await store.outbox.claim("attio", 1, 3600)
    await store.close()
    store = await Store.open(tmp_path, clock)
    assert {slug: (p.new, p.state) for slug, p in store.outbox.overlay(C, R).items()} == {
        "a": ([1], "sending")
    }
    assert await store.outbox.recover() == 1
    claims = await store.outbox.claim("attio", 10, 30)
    assert [(c.item.record_id, c.item.uncertain) for c in claims] == [(R, True), (S, False)]
    await store.close()


async def test_edits_of_a_row_that_does_not_exist_yet_follow_it_to_its_real_id(store: Store) -> None:
    new = provisional_id()
    assert is_provisional(new) and not is_provisional(R)
    create = NewItem("attio", C, new, "create", {"name": FieldEdit([], ["Acme"])})
    note = NewItem(
        "attio",
        "attio:notes",
        provisional_id(),
        "note_create",
        payload={"parent_record_id": new, "title": "t"},
    )
    await store.outbox.add([create, note], "create")
    await store.outbox.add(
        [NewItem("attio", C, new, "set", {"name": FieldEdit(["Acme"], ["Acme 2"])})], "edit"
    )
    assert store.outbox.overlay(C, new)["name"].new == ["Acme 2"]
    assert [item.record_id for item in store.outbox.created(C)] == [new]
    claims = {c.item.kind: c for c in await store.outbox.claim("attio", 10, 30)}
    await store.outbox.confirm(claims["create"], {"name": ["Acme"]}, record_id=R)
    assert store.outbox.created(C) == [] and store.outbox.overlay(C, new) == {}
    assert store.outbox.overlay(C, R)["name"].new == ["Acme 2"]
    (item,) = store.outbox.created("attio:notes")
    assert item.payload["parent_record_id"] == R
    (edit,) = await store.outbox.claim("attio", 10, 30)
    assert edit.item.record_id == R and edit.item.kind == "set"
    assert len(store.outbox.of_record(C, R)) == 2


async def test_a_merge_moves_writes_and_history_but_not_those_of_another_system(store: Store) -> None:
    await store.outbox.add([_set(R, ref=({"target_record_id": R}, {"target_record_id": S}))], "x")
    await store.outbox.add(
        [
            NewItem("hubspot", "hubspot:contacts", "7", "set"),
            NewItem("hubspot", "hubspot:companies", "7", "set"),
        ],
        "y",
    )
    assert await store.outbox.move(C, R, S)
    assert store.outbox.overlay(C, R) == {} and "ref" in store.outbox.overlay(C, S)
    assert store.outbox.items(limit=10)[-1].fields["ref"].base == [{"target_record_id": S}]
    assert await store.outbox.move("hubspot:contacts", "7", "8") == 1
    assert [i.record_id for i in store.outbox.items(limit=2)] == ["7", "8"]


async def test_what_waits_for_one_field_and_what_will_be_deleted(store: Store) -> None:
    await store.outbox.add(
        [_set(R, stage=("a", "b")), _set(S, other=(1, 2)), NewItem("attio", C, "d" * 36, "delete")], "x"
    )
    assert store.outbox.pending_rows(C, "stage") == {R: ["b"]}
    assert store.outbox.deleting(C, "d" * 36) and not store.outbox.deleting(C, R)
    with pytest.raises(NoSuchThing):
        store.outbox.group(99)


async def test_old_writes_of_the_sync_are_forgotten_and_those_of_people_are_not(
    store: Store, clock: FakeClock
) -> None:
    await store.outbox.add([_set(R, origin="sync", a=(0, 1))], "sync")
    await store.outbox.add([_set(S, a=(0, 1))], "mine")
    for claim in await store.outbox.claim("attio", 10, 30):
        await store.outbox.confirm(claim)
    await clock.advance(31 * 86_400)
    await store.tidy()
    assert store.outbox.of_record(C, R) == [] and len(store.outbox.of_record(C, S)) == 1
    assert [g.title for g in store.outbox.groups(10, origins=("operator", "sync"))] == ["mine"]
