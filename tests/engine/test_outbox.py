from __future__ import annotations

from pathlib import Path
from typing import Any

from attio_console.store.outbox import provisional_id
from attio_console.store.types import FieldEdit, NewItem
from attio_console.sync import attio_creator
from tests.engine.conftest import Control, House, console


def edit(house: House, slug: str, record_id: str, attribute: str, new: list[Any], **more: Any) -> NewItem:
    base = more.pop("base", None)
    if base is None:
        base = house.value(slug, record_id, attribute)
    return NewItem(
        "attio", house.object_id(slug), record_id, "set", {attribute: FieldEdit(base, new)}, **more
    )


async def add(house: House, *items: NewItem) -> int:
    group = await house.store.outbox.add(items, "test")
    house.bus.changed("outbox")
    return group


async def settled(house: House, group: int, seconds: float = 30) -> dict[str, int]:
    def done() -> bool:
        states = house.store.outbox.group(group).states
        return not states.get("pending") and not states.get("sending")

    await house.until(done, seconds)
    return {str(state): count for state, count in house.store.outbox.group(group).states.items()}


async def some(control: Control, kind: str, count: int = 1) -> list[str]:
    return list(await control.dump(kind))[:count]


async def writes_to(control: Control, record_id: str, after: int = 0) -> list[dict[str, Any]]:
    return [w for w in await control.writes(after) if w["id"] == record_id]


async def test_an_edit_is_one_write_of_one_field(house: House, control: Control) -> None:
    (record,) = await some(control, "people")
    seq = await control.seq()
    group = await add(house, edit(house, "people", record, "job_title", ["Captain"]))
    assert await settled(house, group) == {"confirmed": 1}
    assert house.value("people", record, "job_title") == ["Captain"]
    (write,) = await writes_to(control, record, seq)
    assert write["method"] == "PATCH"
    assert set(write["body"]["data"]["values"]) == {"job_title"}
    assert house.store.outbox.overlay(house.object_id("people"), record) == {}
    (line,) = house.store.audit.recent(1)
    assert (line.field, line.after) == ("job_title", ["Captain"])


async def test_ten_edits_of_one_field_are_one_write(house: House, control: Control) -> None:
    (record,) = await some(control, "people")
    seq = await control.seq()
    await house.engine.pause()
    base = house.value("people", record, "job_title")
    for number in range(10):
        group = await add(house, edit(house, "people", record, "job_title", [f"Title {number}"], base=base))
        base = [f"Title {number}"]
    await house.engine.resume()
    assert await settled(house, group) == {"confirmed": 1}
    assert len(await writes_to(control, record, seq)) == 1
    assert house.value("people", record, "job_title") == ["Title 9"]


async def test_an_edit_that_changes_nothing_is_not_sent(house: House, control: Control) -> None:
    (record,) = await some(control, "people")
    await control.edit("people", record, {"job_title": "Already"})
    await house.until(lambda: house.value("people", record, "job_title") == ["Already"])
    seq = await control.seq()
    group = await add(house, edit(house, "people", record, "job_title", ["Already"], base=["Before"]))
    assert await settled(house, group) == {"confirmed": 1}
    assert await writes_to(control, record, seq) == []


async def test_a_field_that_moved_meanwhile_is_a_conflict_and_nothing_is_sent(
    house: House, control: Control
) -> None:
    (record,) = await some(control, "people")
    await house.engine.pause()
    item = edit(house, "people", record, "job_title", ["Mine"])
    await control.edit("people", record, {"job_title": "Theirs"})
    seq = await control.seq()
    group = await add(house, item)
    await house.engine.resume()
    assert await settled(house, group) == {"refused": 1}
    assert await writes_to(control, record, seq) == []
    (conflict,) = house.store.conflicts.for_record(record)
    assert conflict.kind == "edit against remote change"
    (field,) = conflict.fields
    assert (field["slug"], field["attio"], field["external"]) == ("job_title", ["Theirs"], ["Mine"])
    assert house.value("people", record, "job_title") == ["Theirs"]


async def test_another_field_moving_does_not_stand_in_the_way(house: House, control: Control) -> None:
    (record,) = await some(control, "people")
    await house.engine.pause()
    item = edit(house, "people", record, "job_title", ["Mine"])
    await control.edit("people", record, {"description": "Theirs"})
    group = await add(house, item)
    await house.engine.resume()
    assert await settled(house, group) == {"confirmed": 1}
    truth = (await control.dump("people"))[record]["values"]
    assert [v["value"] for v in truth["job_title"]] == ["Mine"]
    assert [v["value"] for v in truth["description"]] == ["Theirs"]


async def test_a_multi_value_field_is_set_to_exactly_what_is_meant(house: House, control: Control) -> None:
    (record,) = await some(control, "people")
    group = await add(
        house, edit(house, "people", record, "phone_numbers", ["+442071838750", "+14155550123"])
    )
    assert await settled(house, group) == {"confirmed": 1}
    group = await add(house, edit(house, "people", record, "phone_numbers", ["+14155550123"]))
    assert await settled(house, group) == {"confirmed": 1}
    truth = (await control.dump("people"))[record]["values"]["phone_numbers"]
    assert [value["phone_number"] for value in truth] == ["+14155550123"]


async def test_a_refusal_keeps_the_edit_with_attios_reason(house: House, control: Control) -> None:
    one, two = await some(control, "people", 2)
    taken = house.value("people", two, "email_addresses")
    group = await add(house, edit(house, "people", one, "email_addresses", taken))
    assert await settled(house, group) == {"refused": 1}
    (item,) = house.store.outbox.group(group).items
    assert "already" in item.error
    assert house.engine.status().outbox.refused == 1


async def test_a_record_deleted_meanwhile_is_a_conflict(house: House, control: Control) -> None:
    (record,) = await some(control, "people")
    await house.engine.pause()
    item = edit(house, "people", record, "job_title", ["Too late"])
    await control.post("/delete", system="attio", object="people", id=record)
    group = await add(house, item)
    await house.engine.resume()
    assert await settled(house, group) == {"refused": 1}
    assert [c.kind for c in house.store.conflicts.for_record(record)] == ["edit against delete"]


async def test_an_edit_made_offline_arrives_once_when_the_line_is_back(
    house: House, control: Control
) -> None:
    (record,) = await some(control, "people")
    seq = await control.seq()
    await control.fault(action="reset", probability=1.0, path="/v2/*")
    group = await add(house, edit(house, "people", record, "job_title", ["From the tunnel"]))
    await house.until(lambda: house.engine.status().attio_state == "offline")
    assert house.engine.status().outbox.pending == 1
    await control.no_faults()
    assert await settled(house, group, 60) == {"confirmed": 1}
    assert len(await writes_to(control, record, seq)) == 1


async def test_an_edit_whose_answer_is_lost_is_written_once(house: House, control: Control) -> None:
    (record,) = await some(control, "people")
    await control.fault(action="commit_then_reset", count=1, method="PATCH", path="/v2/objects/*/records/*")
    group = await add(house, edit(house, "people", record, "job_title", ["Once"]))
    assert await settled(house, group, 60) == {"confirmed": 1}
    history = (await control.dump("people"))[record]["values"]["job_title"]
    assert [value["value"] for value in history] == ["Once"]


def note(house: House, record_id: str, title: str) -> NewItem:
    return NewItem(
        "attio",
        "attio:notes",
        provisional_id(),
        "note_create",
        payload={
            "parent_object": "people",
            "parent_record_id": record_id,
            "title": title,
            "content": "First line.\nSecond line.",
            "format": "plaintext",
        },
    )


async def test_a_note_whose_answer_is_lost_is_one_note(
    house: House, control: Control, monkeypatch: Any
) -> None:
    monkeypatch.setattr(attio_creator, "LOOK_AFTER_S", 0.3)
    (record,) = await some(control, "people")
    await control.fault(action="commit_then_reset", count=1, method="POST", path="/v2/notes")
    group = await add(house, note(house, record, "Call"))
    assert await settled(house, group, 60) == {"confirmed": 1}
    made = [row for row in (await control.dump("notes")).values() if row["title"] == "Call"]
    assert len(made) == 1
    (item,) = house.store.outbox.group(group).items
    assert item.record_id == made[0]["id"]["note_id"]
    assert house.store.mirror.raw("attio:notes", item.record_id) is not None


async def test_two_equal_notes_on_purpose_are_two(house: House, control: Control) -> None:
    (record,) = await some(control, "people")
    group = await add(house, note(house, record, "Twice"), note(house, record, "Twice"))
    assert await settled(house, group) == {"confirmed": 2}
    assert len([row for row in (await control.dump("notes")).values() if row["title"] == "Twice"]) == 2


async def test_a_task_is_created_and_completed(house: House, control: Control) -> None:
    (record,) = await some(control, "people")
    item = NewItem(
        "attio",
        "attio:tasks",
        provisional_id(),
        "task_create",
        payload={
            "content": "Ring back",
            "deadline_at": None,
            "is_completed": False,
            "linked_records": [{"target_object": "people", "target_record_id": record}],
            "assignees": [],
        },
    )
    group = await add(house, item)
    assert await settled(house, group) == {"confirmed": 1}
    (made,) = house.store.outbox.group(group).items
    done = NewItem(
        "attio", "attio:tasks", made.record_id, "task_update", {"is_completed": FieldEdit([False], [True])}
    )
    assert await settled(house, await add(house, done)) == {"confirmed": 1}
    assert (await control.dump("tasks"))[made.record_id]["is_completed"] is True
    gone = NewItem("attio", "attio:tasks", made.record_id, "delete")
    assert await settled(house, await add(house, gone)) == {"confirmed": 1}
    assert made.record_id not in await control.dump("tasks")


def person(house: House, email: str) -> NewItem:
    name = {"first_name": "Grace", "last_name": "Test", "full_name": "Grace Test"}
    return NewItem(
        "attio",
        house.object_id("people"),
        provisional_id(),
        "create",
        {"name": FieldEdit([], [name]), "email_addresses": FieldEdit([], [email])},
    )


async def test_a_created_record_takes_its_later_edits_and_notes_along(house: House, control: Control) -> None:
    await house.engine.pause()
    new = person(house, "grace@new.example")
    later = NewItem("attio", new.collection, new.record_id, "set", {"job_title": FieldEdit([], ["Dr"])})
    await add(house, note(house, new.record_id, "About somebody new"))
    group = await add(house, new, later)
    await house.engine.resume()
    assert await settled(house, group) == {"confirmed": 2}
    await house.until(lambda: house.store.outbox.depth().pending == 0)
    record = house.store.outbox.group(group).items[0].record_id
    truth = (await control.dump("people"))[record]
    assert truth["values"]["job_title"][0]["value"] == "Dr"
    notes = [row for row in (await control.dump("notes")).values() if row["parent_record_id"] == record]
    assert [row["title"] for row in notes] == ["About somebody new"]


async def test_a_create_whose_answer_is_lost_is_one_record(house: House, control: Control) -> None:
    await control.fault(action="commit_then_reset", count=1, method="PUT", path="/v2/objects/*/records")
    group = await add(house, person(house, "once@new.example"))
    assert await settled(house, group, 60) == {"confirmed": 1}
    held = [
        row
        for row in (await control.dump("people")).values()
        if any(value["email_address"] == "once@new.example" for value in row["values"]["email_addresses"])
    ]
    assert len(held) == 1


async def test_a_create_with_a_value_somebody_holds_overwrites_nobody(house: House, control: Control) -> None:
    (record,) = [
        row for row, raw in (await control.dump("people")).items() if raw["values"]["email_addresses"]
    ][:1]
    before = (await control.dump("people"))[record]
    held = house.value("people", record, "email_addresses")[0]
    group = await add(house, person(house, held))
    assert await settled(house, group) == {"refused": 1}
    assert (await control.dump("people"))[record] == before


async def test_an_entry_is_created_moved_and_removed(house: House, control: Control) -> None:
    lists = [entry for entry in house.store.mirror.schema.lists if entry.status_attribute]
    if not lists:
        return
    pipeline = lists[0]
    status = pipeline.status_attribute
    assert status is not None
    parent_slug = pipeline.parent_object
    (parent,) = await some(control, parent_slug)
    first, second = status.statuses[0], status.statuses[1]
    new = NewItem(
        "attio",
        pipeline.id,
        provisional_id(),
        "entry_create",
        {status.slug: FieldEdit([], [{"id": first.id, "title": first.title}])},
        {"parent_object": parent_slug, "parent_record_id": parent},
    )
    group = await add(house, new)
    assert await settled(house, group) == {"confirmed": 1}
    entry = house.store.outbox.group(group).items[0].record_id
    move = edit(house, pipeline.slug, entry, status.slug, [{"id": second.id, "title": second.title}])
    seq = await control.seq()
    assert await settled(house, await add(house, move)) == {"confirmed": 1}
    assert len(await writes_to(control, entry, seq)) == 1
    assert house.value(pipeline.slug, entry, status.slug)[0]["id"] == second.id
    gone = NewItem("attio", pipeline.id, entry, "delete")
    assert await settled(house, await add(house, gone)) == {"confirmed": 1}
    assert house.document(pipeline.slug, entry) is None


async def test_our_own_echo_costs_no_read(house: House, control: Control) -> None:
    (record,) = await some(control, "people")
    group = await add(house, edit(house, "people", record, "job_title", ["Echo"]))
    assert await settled(house, group) == {"confirmed": 1}
    stats = await control.get("/stats")
    before = stats["systems"]["attio"]["requests"]
    await house.until(lambda: house.engine.status().listener.accepted > 0)
    await house.until(lambda: house.store.inbox.depth() == 0)
    stats = await control.get("/stats")
    assert stats["systems"]["attio"]["requests"] == before


async def test_what_was_sending_when_the_process_died_is_looked_at_again(
    sandbox, control: Control, tmp_path: Path
) -> None:
    async with console(sandbox, tmp_path, control) as house:
        await house.live()
        (record,) = await some(control, "people")
        await house.engine.pause()
        await add(house, edit(house, "people", record, "job_title", ["Kept"]))
        (claim,) = await house.store.outbox.claim("attio", 1, 3600)
        assert claim.item.state == "sending"
    async with console(sandbox, tmp_path, control) as house:
        await house.until(lambda: house.store.outbox.depth().pending == 0)
        assert [v["value"] for v in (await control.dump("people"))[record]["values"]["job_title"]] == ["Kept"]
