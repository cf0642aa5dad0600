"""Hundreds of SIGKILLs under every fault at once, with other people working meanwhile: `make soak`.

SOAK_SECONDS says for how long (600), SOAK_SEED where the chance starts.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from attio_console.sandbox import running as sandbox_running
from tests.engine.conftest import Control, console, options
from tests.engine.driver import TITLE
from tests.engine.test_crash import driver, said
from tests.engine.test_pull import compare_with_dump

pytestmark = pytest.mark.soak

_FAULTS = (
    {"action": "commit_then_reset", "probability": 0.1, "method": "POST", "path": "/v2/notes"},
    {"action": "commit_then_reset", "probability": 0.1, "method": "PATCH", "path": "/v2/objects/*"},
    {"action": "status", "status": 500, "probability": 0.05, "path": "/v2/objects/*"},
    {"action": "status", "status": 429, "probability": 0.05, "path": "/v2/*"},
    {"action": "reset", "probability": 0.03, "path": "/v2/*"},
    {"action": "truncate", "probability": 0.02, "path": "/v2/objects/*"},
    {"action": "duplicate_delivery", "probability": 0.2},
    {"action": "reorder_delivery", "probability": 0.2},
)


async def others_work(control: Control, people: list[str], rng: random.Random) -> None:
    """Somebody else edits, in the records we edit too, but other fields."""
    while True:
        await control.edit("people", rng.choice(people), {"description": f"By others {rng.random()}"})
        await asyncio.sleep(rng.uniform(0.01, 0.2))  # people take their time


async def ordeal(control: Control, sandbox: object, directory: Path, rng: random.Random) -> int:
    """One directory's life: killed several times, then looked at; return the number of kills."""
    people = list(await control.dump("people"))
    records = rng.sample(people, 6)
    seq = await control.seq()
    notes_before = set(await control.dump("notes"))
    for fault in _FAULTS:
        await control.fault(**fault)
    kills = rng.randint(4, 9)
    async with asyncio.TaskGroup() as tasks:
        others = tasks.create_task(others_work(control, people, rng))
        kept = False
        for _ in range(kills):
            async with driver(sandbox, directory, *([] if kept else records)) as process:
                if not kept and rng.random() < 0.7:
                    await said(process, b"kept")
                    kept = True
                else:
                    await said(process, b"running")
                await asyncio.sleep(rng.uniform(0.0, 1.5))  # the instant of death is the subject
        others.cancel()
    await control.no_faults()
    async with driver(sandbox, directory, *([] if kept else records)) as process:
        await said(process, b"running" if kept else b"kept")
    async with console(sandbox, directory, control) as house:
        await house.until(lambda: house.store.outbox.depth().pending == 0, 120)
        await house.live(120)
        await house.until(lambda: house.store.inbox.depth() == 0, 60)
        depth = house.store.outbox.depth()
        assert (depth.refused, depth.dead) == (0, 0), house.store.outbox.items(("refused", "dead"))
        assert house.store.conflicts.count() == 0
        assert (await house.store.audit.verify()).broken_at is None
        await compare_with_dump(house, control)
    truth = await control.dump("people")
    wrong = [row for row in records if truth[row]["values"]["job_title"][0]["value"] != f"{TITLE} {row}"]
    assert wrong == []
    notes = Counter(
        row["parent_record_id"]
        for key, row in (await control.dump("notes")).items()
        if row["title"] == TITLE and key not in notes_before
    )
    assert notes == dict.fromkeys(records, 1)
    edits = Counter(
        write["id"]
        for write in await control.writes(seq)
        if write["object"] == "people" and "job_title" in str(write["body"])
    )
    assert edits == dict.fromkeys(records, 1)
    return kills + 1


async def test_nothing_is_lost_or_doubled_however_often_it_dies(tmp_path: Path) -> None:
    seconds = float(os.environ.get("SOAK_SECONDS", "600"))
    rng = random.Random(int(os.environ.get("SOAK_SEED", "1")))
    until = time.monotonic() + seconds
    kills = rounds = 0
    while time.monotonic() < until:
        async with sandbox_running(options(seed=rounds + 1)) as sandbox:
            control = Control(sandbox.attio)
            kills += await ordeal(control, sandbox, tmp_path / str(rounds), rng)
            await control.close()
        rounds += 1
        print(f"{rounds} rounds, {kills} kills", flush=True)
