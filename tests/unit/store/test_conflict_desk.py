"""Notes beside conflicts, and conflicts that are put away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from attio_console.model.clock import FakeClock
from attio_console.store import Store
from attio_console.store.conflict_desk import DeskNote
from attio_console.store.types import NewConflict


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path, FakeClock(datetime(2026, 11, 23, 9, tzinfo=UTC)))
    yield opened
    await opened.close()


def phone(value: str, who: str = "") -> NewConflict:
    field = {
        "slug": "phone",
        "title": "Phone",
        "base": [],
        "attio": [value],
        "external": ["2"],
        "attio_by": who,
    }
    return NewConflict("field", "hubspot", "people", "ada", "Ada", [field], 7)


def state(store: Store, conflict_id: int) -> str:
    row = store.conflicts.get(conflict_id)
    assert row is not None
    return row.state


async def test_somebody_and_comments_are_kept_beside_a_conflict(store: Store) -> None:
    conflict = await store.conflicts.open(phone("1"))
    desk = store.conflict_desk
    assert desk.note(conflict) == DeskNote()
    await desk.comment(conflict, "jane", "ask her")
    await desk.assign([conflict], "omar")
    await desk.comment(conflict, "omar", "called")
    note = desk.note(conflict)
    assert [comment["text"] for comment in note.comments] == ["ask her", "called"]
    assert desk.assigned() == {conflict: "omar"}
    await desk.assign([conflict], "")
    assert desk.assigned() == {}
    assert len(desk.note(conflict).comments) == 2


async def test_what_is_put_away_until_a_time_comes_back_then(store: Store) -> None:
    conflict = await store.conflicts.open(phone("1"))
    assert await store.conflict_desk.put_away([conflict], store.queue.now() + 60) == 1
    assert await store.conflict_desk.wake() == 0
    assert isinstance(store.clock, FakeClock)
    await store.clock.advance(61)
    assert await store.conflict_desk.wake() == 1
    assert state(store, conflict) == "open"


async def test_what_is_put_away_until_a_change_comes_back_when_a_side_moves(store: Store) -> None:
    conflict = await store.conflicts.open(phone("1"))
    await store.conflict_desk.put_away([conflict], None)
    await store.conflicts.open(phone("1", "somebody"))
    assert await store.conflict_desk.wake() == 0
    assert state(store, conflict) == "snoozed"
    await store.conflicts.open(phone("3"))
    assert await store.conflict_desk.wake() == 1
    assert state(store, conflict) == "open"
    assert not store.conflict_desk.sleepers_due()


async def test_a_conflict_that_went_away_meanwhile_stays_away(store: Store) -> None:
    conflict = await store.conflicts.open(phone("1"))
    await store.conflict_desk.put_away([conflict], None)
    await store.conflicts.close(conflict, "equal")
    assert await store.conflict_desk.wake() == 0
    assert state(store, conflict) == "closed"
    assert not store.conflict_desk.sleepers_due()
    assert await store.conflict_desk.put_away([conflict], None) == 0


async def test_some_conflicts_come_in_the_order_asked_for(store: Store) -> None:
    ids = [
        await store.conflicts.open(NewConflict("field", "hubspot", "p", f"r{n}", f"R{n}", []))
        for n in range(3)
    ]
    wanted = [ids[2], 999, ids[0]]
    assert [row.id for row in store.conflicts.some(wanted)] == [ids[2], ids[0]]
    assert [line for line, _ in store.conflict_desk.order()] == ids
