"""Taking back and doing again, whether a write was sent meanwhile or not."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest

from attio_console.errors import NoSuchThing
from attio_console.services.console import Console
from tests.unit.services.one_person import ADA, PEOPLE, ada, desk

GRACE = str(uuid.UUID(int=4))


def title(console: Console) -> str:
    return console.editable_text(PEOPLE, ADA, "job_title")


async def send(console: Console) -> list[str]:
    """Send what waits, as the engine does, and return what Attio was told."""
    told = []
    store = console.store
    while claims := await store.outbox.claim("attio", 10, 30):
        for claim in claims:
            new = claim.item.fields["job_title"].new
            told.append(new[0] if new else "")
            await store.outbox.confirm(claim, {"job_title": new})
            await store.mirror.apply_page(PEOPLE, [ada(told[-1])])
    return told


@pytest.mark.parametrize("sent", [False, True])
async def test_undo_and_redo_turn_an_edit_back_and_forth(tmp_path: Path, sent: bool) -> None:
    async with desk(tmp_path) as console:
        await console.edit(PEOPLE, [ADA], "job_title", "Programmer")
        for _ in range(2):
            if sent:
                await send(console)
            assert (await console.undo()).message.startswith("Undone: ")
            assert title(console) == "Poet"
            if sent:
                await send(console)
            assert (await console.redo()).message.startswith("Done again: ")
            assert title(console) == "Programmer"
        assert await send(console) == ["Programmer"]


async def test_two_undone_are_done_again_in_their_order_and_a_third_time_there_is_nothing(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path) as console:
        await console.edit(PEOPLE, [ADA], "job_title", "Programmer")
        await send(console)
        await console.edit(PEOPLE, [ADA], "job_title", "Countess")
        for expected in ("Programmer", "Poet"):
            await console.undo()
            assert title(console) == expected
        with pytest.raises(NoSuchThing):
            await console.undo()
        for expected in ("Programmer", "Countess"):
            await console.redo()
            assert title(console) == expected
        assert (await console.redo()).message == "Nothing to redo."
        assert title(console) == "Countess"


async def test_undo_after_redo_takes_the_same_action_back_and_not_an_older_one(tmp_path: Path) -> None:
    async with desk(tmp_path) as console:
        await console.edit(PEOPLE, [ADA], "nickname", "Enchantress")
        await console.edit(PEOPLE, [ADA], "job_title", "Programmer")
        await console.undo()
        await console.redo()
        await console.undo()
        assert title(console) == "Poet"
        assert console.editable_text(PEOPLE, ADA, "nickname") == "Enchantress"


async def test_what_was_done_since_leaves_nothing_to_redo(tmp_path: Path) -> None:
    async with desk(tmp_path) as console:
        await console.edit(PEOPLE, [ADA], "job_title", "Programmer")
        await console.undo()
        await console.edit(PEOPLE, [ADA], "nickname", "Enchantress")
        assert (await console.redo()).message == "Nothing to redo."
        assert title(console) == "Poet"


async def test_a_write_that_leaves_in_the_same_instant_is_written_back(tmp_path: Path) -> None:
    async with desk(tmp_path) as console:
        group = (await console.edit(PEOPLE, [ADA], "job_title", "Programmer")).group_id
        assert group is not None
        (claim,) = await console.store.outbox.claim("attio", 10, 30)
        await console.undo()
        await console.store.outbox.confirm(claim, {"job_title": ["Programmer"]})
        await console.store.mirror.apply_page(PEOPLE, [ada("Programmer")])
        assert await send(console) == ["Poet"]


async def test_the_history_says_what_is_undone_now(tmp_path: Path) -> None:
    async with desk(tmp_path) as console:
        first = (await console.edit(PEOPLE, [ADA], "job_title", "Programmer")).group_id
        await send(console)

        def state() -> bool:
            return next(g for g in console.groups() if g.group_id == first).undone

        await console.undo()
        assert state()
        await console.redo()
        assert not state()
        assert first is not None
        await console.undo(first)
        assert state()
        with pytest.raises(NoSuchThing, match="already"):
            await console.undo(first)


@pytest.mark.parametrize("sent", ["waiting", "on its way", "arrived"])
async def test_a_note_and_a_task_are_taken_back_and_the_way_to_older_actions_is_free(
    tmp_path: Path, sent: str
) -> None:
    async with desk(tmp_path) as console:
        await console.edit(PEOPLE, [ADA], "job_title", "Programmer")
        await send(console)
        await console.add_note(PEOPLE, ADA, "Call", "She is in.")
        await console.add_task(PEOPLE, ADA, "Write")
        outbox = console.store.outbox
        claims = [] if sent == "waiting" else await outbox.claim("attio", 10, 30)
        if sent == "arrived":
            for claim in claims:
                await outbox.confirm(claim, record_id=f"00000000-0000-4000-8000-{claim.item.id:012d}")
        await console.undo()
        await console.undo()
        if sent == "on its way":
            for claim in claims:
                await outbox.confirm(claim, record_id=f"00000000-0000-4000-8000-{claim.item.id:012d}")
        left = [(item.kind, item.record_id.startswith("new:")) for item in outbox.items()]
        assert left == ([] if sent == "waiting" else [("delete", False)] * 2)
        assert (await console.undo()).message.startswith("Undone: Job_Title")
        assert title(console) == "Poet"


@pytest.mark.parametrize("somebody_else", [False, True])
async def test_a_created_record_is_not_deleted_under_a_colleague(tmp_path: Path, somebody_else: bool) -> None:
    async with desk(tmp_path) as console:
        await console.create("people", {"name": "Hopper, Grace"})
        (claim,) = await console.store.outbox.claim("attio", 10, 30)
        await console.store.outbox.confirm(claim, record_id=GRACE)
        document = json.loads(ada("Admiral"))
        document["id"]["record_id"] = GRACE
        actor = {"type": "workspace-member", "id": "m"} if somebody_else else {"type": "api-token", "id": "t"}
        document["values"]["job_title"][0]["created_by_actor"] = actor
        await console.store.mirror.apply_page(PEOPLE, [json.dumps(document).encode()])
        done = await console.undo()
        waiting = [(item.kind, item.record_id) for item in console.store.outbox.items()]
        if somebody_else:
            assert "stays: a former member worked on it since" in done.message
            assert waiting == []
        else:
            assert waiting == [("delete", GRACE)]
