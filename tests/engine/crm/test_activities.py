from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from attio_console.store.types import NewItem
from attio_console.sync.crm_context import load_context
from attio_console.sync.mapping import Activities
from attio_console.sync.mapping_file import write_mapping
from attio_console.sync.sources import TASKS
from tests.engine.conftest import Control
from tests.engine.crm.conftest import Linked, linked_console

if TYPE_CHECKING:
    from attio_console.sandbox import Sandbox
    from attio_console.store.types import Pair


@pytest.fixture
async def files(sandbox: Sandbox, control: Control, tmp_path: Path) -> dict[str, Path]:
    """Mapping files as generated, with notes and tasks switched on both ways."""
    made: dict[str, Path] = {}
    async with linked_console(sandbox, tmp_path / "look", control, accepted=False) as looking:
        await looking.live()
        await looking.quiet(60)
        for system in ("hubspot", "salesforce"):
            mapping = load_context(looking.store, system).mapping
            path = made[system] = tmp_path / f"{system}.toml"
            path.write_text(write_mapping(replace(mapping, activities=Activities("both", "both"))))
    return made


@contextlib.asynccontextmanager
async def carrying(
    sandbox: Sandbox, control: Control, directory: Path, files: dict[str, Path], system: str
) -> AsyncIterator[Linked]:
    async with linked_console(sandbox, directory, control, systems=(system,), mappings=files) as linked:
        await linked.live()
        await linked.quiet(60)
        yield linked


def person(linked: Linked, system: str) -> Pair:
    return linked.pair_of(system, "people")


async def say(linked: Linked, pair: Pair, title: str, content: str) -> str:
    """Let a colleague write a note in Attio."""
    member = linked.store.mirror.schema.members[0]
    made = await linked.control.post(
        "/edit",
        system="attio",
        object="notes",
        id=None,
        values={
            "parent_object": "people",
            "parent_record_id": pair.record_id,
            "title": title,
            "content": content,
        },
        actor=member.email,
    )
    return str(made["id"])


async def ask(linked: Linked, pair: Pair, text: str) -> str:
    """Make a task in Attio, and return its id once it is there."""
    payload: dict[str, Any] = {
        "content": text,
        "deadline_at": "2026-12-24T09:00:00.000Z",
        "is_completed": False,
        "linked_records": [{"target_object": "people", "target_record_id": pair.record_id}],
        "assignees": [],
    }
    group = await linked.store.outbox.add(
        [NewItem("attio", TASKS, "new:task", "task_create", payload=payload)], "t"
    )
    linked.bus.changed("outbox")
    await linked.until(lambda: linked.store.outbox.group(group).items[0].state == "confirmed")
    return linked.store.outbox.group(group).items[0].record_id


async def logged(linked: Linked, system: str, kind: str, text: str) -> list[dict[str, Any]]:
    """Return the activities there that contain a text."""
    rows = await linked.dump(system, kind)
    return [row for row in rows.values() if text in str(row)]


async def settled(linked: Linked) -> None:
    for _ in range(2):
        await linked.rounds(1)
        for link in linked.engine.links:
            assert link.sync is not None
            link.sync.activities.look_again()
        linked.bus.records("attio:notes", [])
    await linked.rounds(1)


async def test_a_note_arrives_there_once_with_its_author_and_time(
    sandbox: Sandbox, control: Control, tmp_path: Path, files: dict[str, Path]
) -> None:
    async with carrying(sandbox, control, tmp_path / "data", files, "hubspot") as linked:
        pair = person(linked, "hubspot")
        note = await say(linked, pair, "Lunch", "They like <b>fish</b> & chips")
        await linked.until(lambda: linked.store.activities.has_attio("hubspot", note))
        await settled(linked)
        [row] = await logged(linked, "hubspot", "notes", note)
        author = linked.store.mirror.schema.members[0]
        assert "They like &lt;b&gt;fish&lt;/b&gt; &amp; chips" in row["hs_note_body"]
        assert author.name in row["hs_note_body"]
        assert row["hs_timestamp"]
        held = await associations(linked, row)
        assert held == [pair.external_id]


async def associations(linked: Linked, row: dict[str, Any]) -> list[str]:
    async with httpx.AsyncClient(
        base_url=linked.sandbox.hubspot, headers=hubspot_key(linked.sandbox)
    ) as client:
        answer = await client.post(
            "/crm/v4/associations/notes/contacts/batch/read", json={"inputs": [{"id": row["hs_object_id"]}]}
        )
    return [str(to["toObjectId"]) for found in answer.json()["results"] for to in found["to"]]


def hubspot_key(sandbox: Sandbox) -> dict[str, str]:
    return {"authorization": f"Bearer {sandbox.tokens['hubspot']}"}


async def test_a_note_there_arrives_here_once_and_does_not_go_back(
    sandbox: Sandbox, control: Control, tmp_path: Path, files: dict[str, Path]
) -> None:
    async with carrying(sandbox, control, tmp_path / "data", files, "hubspot") as linked:
        pair = person(linked, "hubspot")
        owner = next(iter(load_context(linked.store, "hubspot").owners))
        async with httpx.AsyncClient(base_url=sandbox.hubspot, headers=hubspot_key(sandbox)) as client:
            answer = await client.post(
                "/crm/v3/objects/notes",
                json={
                    "properties": {
                        "hs_note_body": "<p>Called, <b>no answer</b></p><p>Again on Monday</p>",
                        "hs_timestamp": "2026-11-02T10:30:00.000Z",
                        "hubspot_owner_id": owner.id,
                    },
                    "associations": [
                        {
                            "to": {"id": pair.external_id},
                            "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 202}],
                        }
                    ],
                },
            )
        assert answer.status_code == 201, answer.text
        made = answer.json()["id"]
        seq = await control.seq()
        await linked.rounds(1)
        await linked.until(lambda: bool(notes_of(linked, pair, made)))
        await settled(linked)
        [note] = notes_of(linked, pair, made)
        assert note["content_plaintext"].startswith("Called, no answer\nAgain on Monday")
        assert owner.name in note["content_plaintext"]
        assert note["created_at"].startswith("2026-11-02T10:30:00")
        assert [w for w in await linked.writes("hubspot", seq) if w["object"] == "notes"] == []
        rows = await linked.control.dump("notes")
        assert sum(made in row["content_plaintext"] for row in rows.values()) == 1


def notes_of(linked: Linked, pair: Pair, ref: str) -> list[dict[str, Any]]:
    import msgspec

    mirror = linked.store.mirror
    rows = [msgspec.json.decode(raw) for raw in mirror.linked("attio:notes", pair.record_id)]
    return [row for row in rows if f":{ref}]" in row.get("content_plaintext", "")]


@pytest.mark.parametrize(
    ("system", "kind", "field"), [("hubspot", "tasks", "hs_task_status"), ("salesforce", "Task", "Status")]
)
async def test_a_task_arrives_there_once_and_is_done_on_both_sides(
    sandbox: Sandbox,
    control: Control,
    tmp_path: Path,
    files: dict[str, Path],
    system: str,
    kind: str,
    field: str,
) -> None:
    async with carrying(sandbox, control, tmp_path / "data", files, system) as linked:
        pair = person(linked, system)
        task = await ask(linked, pair, "Send the offer to them")
        await linked.until(lambda: linked.store.activities.has_attio(system, task))
        await settled(linked)
        [row] = await logged(linked, system, kind, task)
        there = str(row.get("hs_object_id") or row.get("Id"))
        assert "Send the offer to them" in str(row)
        done = {"hubspot": "COMPLETED", "salesforce": "Completed"}[system]
        await control.post("/edit", system=system, object=kind, id=there, values={field: done})
        await linked.rounds(1)
        await linked.until(lambda: is_done(linked, task))
        again = {"hubspot": "NOT_STARTED", "salesforce": "Not Started"}[system]
        await control.post("/edit", system="attio", object="tasks", id=task, values={"is_completed": False})
        await linked.until(lambda: not is_done(linked, task))
        await settled(linked)
        [row] = await logged(linked, system, kind, task)
        assert row[field] == again
        assert not is_done(linked, task)
        rows = await linked.control.dump("tasks")
        assert sum("Send the offer to them" in row["content_plaintext"] for row in rows.values()) == 1


def is_done(linked: Linked, task: str) -> bool:
    import msgspec

    raw = linked.store.mirror.raw(TASKS, task)
    return bool(raw and msgspec.json.decode(raw)["is_completed"])


async def test_lost_answers_and_other_consoles_double_nothing(
    sandbox: Sandbox, control: Control, tmp_path: Path, files: dict[str, Path]
) -> None:
    async with carrying(sandbox, control, tmp_path / "one", files, "hubspot") as first:
        pair = person(first, "hubspot")
        rule = {
            "system": "hubspot",
            "path": "objects/2026-03/notes/batch/create",
            "count": 1,
            "action": "commit_then_reset",
        }
        await control.post("/faults", rules=[rule])
        note = await say(first, pair, "Once", "Only once")
        await first.until(lambda: first.store.activities.has_attio("hubspot", note))
        await control.no_faults()
        await settled(first)
        assert len(await logged(first, "hubspot", "notes", note)) == 1
        ours = len(await first.control.dump("notes"))
    async with carrying(sandbox, control, tmp_path / "two", files, "hubspot") as second:
        await second.until(lambda: second.store.activities.has_attio("hubspot", note))
        await settled(second)
        assert len(await logged(second, "hubspot", "notes", note)) == 1
        assert len(await second.control.dump("notes")) == ours


async def test_a_note_and_a_task_of_salesforce(
    sandbox: Sandbox, control: Control, tmp_path: Path, files: dict[str, Path]
) -> None:
    async with carrying(sandbox, control, tmp_path / "data", files, "salesforce") as linked:
        pair = person(linked, "salesforce")
        note = await say(linked, pair, "Lunch", "Fish and chips")
        made = await control.post(
            "/edit",
            system="salesforce",
            object="Task",
            id=None,
            values={"Subject": "Ring them", "WhoId": pair.external_id, "ActivityDate": "2026-12-01"},
        )
        await linked.rounds(1)
        await linked.until(lambda: linked.store.activities.has_attio("salesforce", note))
        await settled(linked)
        [row] = await logged(linked, "salesforce", "Task", note)
        assert (row["Subject"], row["Status"], row["WhoId"]) == ("Lunch", "Completed", pair.external_id)
        assert row["Attio_Id__c"] == f"note:{note}"
        rows = [r for r in (await linked.control.dump("tasks")).values() if str(made["id"]) in str(r)]
        assert len(rows) == 1
        assert rows[0]["content_plaintext"].startswith("Ring them")
        assert rows[0]["linked_records"][0]["target_record_id"] == pair.record_id


async def test_nothing_is_carried_unless_the_mapping_says_so(linked: Linked) -> None:
    pair = person(linked, "hubspot")
    seq = await linked.control.seq()
    await say(linked, pair, "Private", "Not for them")
    await linked.rounds(2)
    assert await linked.writes("hubspot", seq) == []
