"""Several conflicts decided in one step."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

from attio_console.services.console import Console
from attio_console.store.types import NewConflict
from tests.unit.services.one_person import ADA, PEOPLE, ada, desk

EVE = str(uuid.UUID(int=4))


async def met(console: Console, record_id: str) -> int:
    """An edit of ours that met a change in Attio."""
    document = {
        "slug": "job_title", "title": "Job title", "type": "text", "multi": False, "has_base": True,
        "base": ["Poet"], "attio": ["Poet"], "external": ["Programmer"], "suggestion": None, "why": "",
    }  # fmt: skip
    conflict = NewConflict(
        "edit against remote change", "attio", PEOPLE, record_id, record_id[-1], [document]
    )
    return await console.store.conflicts.open(conflict)


def titles(console: Console) -> list[str]:
    return [console.editable_text(PEOPLE, record_id, "job_title") for record_id in (ADA, EVE)]


async def two(console: Console) -> list[int]:
    other = json.loads(ada("Poet"))
    other["id"]["record_id"] = EVE
    await console.store.mirror.apply_page(PEOPLE, [json.dumps(other).encode()])
    return [await met(console, record_id) for record_id in (ADA, EVE)]


async def test_what_was_decided_in_one_step_is_taken_back_in_one(tmp_path: Path) -> None:
    async with desk(tmp_path) as console:
        numbers = await two(console)
        done = await console.resolve_many(numbers, "external")
        assert done.count == 2
        assert titles(console) == ["Programmer", "Programmer"]
        assert console.conflict_count() == 0
        told = await console.undo()
        assert told.message.startswith("2 decisions were taken back.")
        assert titles(console) == ["Poet", "Poet"]
        assert console.conflict_count() == 2


async def test_one_that_moved_meanwhile_stays_and_is_named(tmp_path: Path) -> None:
    async with desk(tmp_path) as console:
        numbers = await two(console)
        plans = [
            (n, {"job_title": "external"}, row.revision) for n in numbers if (row := console.conflict(n))
        ]
        row = console.store.conflicts.get(numbers[0])
        assert row is not None
        await console.store.conflicts.update(numbers[0], fields=[{**row.fields[0], "attio": ["Countess"]}])
        done = await console.resolve_plans(plans)
        assert done.count == 1
        assert "stays: A side changed while you were looking" in done.message
        assert titles(console) == ["Poet", "Programmer"]
