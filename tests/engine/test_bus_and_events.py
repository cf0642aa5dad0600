from __future__ import annotations

import asyncio
import json
from typing import Any

from attio_console.model.clock import FakeClock
from attio_console.sync.bus import Bus, Change
from attio_console.sync.events import coalesce
from attio_console.sync.lag import LagMeter
from attio_console.sync.own_writes import OwnWrites


def delivery(*events: dict[str, Any]) -> bytes:
    return json.dumps({"webhook_id": "w", "events": list(events)}).encode()


def event(kind: str, actor: str = "m", **ids: str) -> dict[str, Any]:
    extra = {key: ids.pop(key) for key in list(ids) if key.startswith(("duplicate_", "parent_"))}
    return {"event_type": kind, "id": ids, "actor": {"type": "api-token", "id": actor}, **extra}


async def test_a_slow_reader_gets_one_change_that_covers_all() -> None:
    bus = Bus()
    with bus.subscribe() as changes:
        for number in range(1000):
            bus.records("people", [f"r{number}"])
        bus.changed("outbox")
        first = await anext(changes)
        assert (first.what, len(first.record_ids)) == ("records", 1000)
        assert first.touches("people", "r7")
        assert not first.touches("deals")
        assert await anext(changes) == Change("outbox")


async def test_more_ids_than_a_screen_holds_become_any() -> None:
    bus = Bus()
    changes = bus.subscribe()
    for number in range(6000):
        bus.records("people", [f"r{number}"])
    change = await anext(changes)
    assert change.record_ids == frozenset()
    assert change.touches("people", "whoever")


async def test_a_waiting_reader_wakes_and_a_closed_one_ends() -> None:
    bus = Bus()
    changes = bus.subscribe()
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(anext(changes))
        await asyncio.sleep(0)
        bus.changed("status")
    assert waiting.result().what == "status"
    changes.close()
    assert [change async for change in changes] == []
    bus.changed("status")


async def test_a_change_of_everything_swallows_one_of_something() -> None:
    one = Change("records", frozenset({"a"}), frozenset({"1"}))
    assert one.merged(Change("records")) == Change("records")
    both = one.merged(Change("records", frozenset({"b"}), frozenset({"2"})))
    assert both.collections == {"a", "b"}
    assert both.record_ids == {"1", "2"}


def test_ten_thousand_events_become_one_fetch_of_five_hundred() -> None:
    bodies = [
        delivery(event("record.updated", object_id="o", record_id=f"r{n % 500}", attribute_id="a"))
        for n in range(10_000)
    ]
    pile = coalesce(bodies)
    assert list(pile.groups) == [("record", "o")]
    assert len(pile.groups["record", "o"].fetch) == 500
    assert pile.events == 10_000
    assert pile.needs[0] == {("record", "o")}


def test_both_events_of_a_merge_point_to_the_new_record() -> None:
    pile = coalesce(
        [
            delivery(
                event(
                    "record.merged",
                    object_id="o",
                    record_id="new",
                    duplicate_object_id="o",
                    duplicate_record_id=old,
                )
            )
            for old in ("a", "b")
        ]
    )
    group = pile.groups["record", "o"]
    assert group.moved == {"a": "new", "b": "new"}
    assert group.fetch == {"new"}
    assert {"a", "b", "new"} <= pile.tags


def test_every_family_of_events_lands_in_its_group() -> None:
    pile = coalesce(
        [
            delivery(
                event(
                    "list-entry.updated", list_id="l", entry_id="e", attribute_id="x", parent_record_id="r"
                ),
                event("note-content.updated", note_id="n"),
                event("task.deleted", task_id="t"),
                event("object-attribute.updated", object_id="o", attribute_id="x"),
                event("comment.created", comment_id="c", record_id="r2", thread_id="th"),
                event("sandwich.eaten", sandwich_id="s"),
                {"event_type": "record.updated"},
            )
        ]
    )
    assert set(pile.groups) == {("entry", "l"), ("note", ""), ("task", ""), ("schema", "")}
    assert pile.groups["task", ""].gone == {"t"}
    assert {"e", "l", "r", "n", "r2", "schema"} <= pile.tags


def test_an_echo_is_recognised_once_and_only_by_what_was_written() -> None:
    own = OwnWrites(FakeClock())
    own.actor_id = "me"
    own.wrote("r", ["attr"])
    ours = event("record.updated", "me", object_id="o", record_id="r", attribute_id="attr")
    assert not own.is_echo(event("record.updated", "you", object_id="o", record_id="r", attribute_id="attr"))
    assert not own.is_echo(event("record.updated", "me", object_id="o", record_id="r", attribute_id="other"))
    assert own.is_echo(ours)
    assert not own.is_echo(ours)


async def test_an_echo_that_never_came_is_forgotten() -> None:
    clock = FakeClock()
    own = OwnWrites(clock)
    own.actor_id = "me"
    own.wrote("r", ["attr"])
    await clock.advance(601)
    own.wrote("other", ["attr"])
    assert not own.is_echo(event("record.updated", "me", object_id="o", record_id="r", attribute_id="attr"))


def test_the_95th_percentile_of_lags() -> None:
    meter = LagMeter()
    assert meter.percentile(0.95) is None
    for number in range(100):
        meter.add(number / 1000)
    assert meter.percentile(0.95) == 0.095
    assert meter.last == 0.099
