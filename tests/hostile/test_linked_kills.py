"""SIGKILL of the linked console at random instants under write load; afterwards all three systems agree or a person is told."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.engine.crm.stage import Stage, small_world
from tests.engine.crm.truth import read_truth

ROOT = Path(__file__).parents[2]
DRIVER = Path(__file__).with_name("linked_driver.py")

FAULTS: tuple[dict[str, Any], ...] = (
    {"system": "attio", "action": "commit_then_reset", "probability": 0.08, "path": "/v2/*"},
    {"system": "hubspot", "action": "commit_then_reset", "probability": 0.08},
    {"system": "salesforce", "action": "commit_then_reset", "probability": 0.08, "path": "/services/data/*"},
    {"action": "status", "status": 500, "probability": 0.04},
    {"action": "reset", "probability": 0.03},
    {"action": "truncate", "probability": 0.02},
    {"action": "duplicate_delivery", "probability": 0.3},
    {"action": "reorder_delivery", "probability": 0.3},
)
KINDS = {"hubspot": ("contacts", "jobtitle"), "salesforce": ("Contact", "Title")}


async def others_work(stage: Stage, rng: random.Random) -> None:
    """Other people change the very field the operator changes, and another, in all three systems."""
    while True:
        await asyncio.sleep(rng.uniform(0.02, 0.2))  # people take their time
        system = rng.choice(("attio", "hubspot", "salesforce"))
        kind, title = KINDS.get(system, ("people", "job_title"))
        row = rng.choice(stage.living(system, kind))
        await stage.other("edit", system, kind, id=row, values={title: f"{system} {rng.randrange(1000)}"})


async def one_life(stage: Stage, directory: Path, seed: int, rng: random.Random, seconds: float) -> list[str]:
    """Start the console, let it work, and kill it; return the titles of the notes it promised."""
    sandbox, tokens = stage.sandbox, stage.sandbox.tokens
    told = {
        "attio": sandbox.attio, "hubspot": sandbox.hubspot, "salesforce": sandbox.salesforce, "token": sandbox.token,
        "hubspot_token": tokens["hubspot"], "client_id": tokens["salesforce"]["client_id"],
        "client_secret": tokens["salesforce"]["client_secret"], "directory": str(directory), "seed": seed,
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(DRIVER), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}, start_new_session=True,
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    process.stdin.write(json.dumps(told).encode())
    process.stdin.close()
    async with asyncio.timeout(40):
        first = await process.stdout.readline()
    assert b"running" in first, (await process.stderr.read()).decode()[-3000:]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(rng.uniform(0.0, seconds)):  # the instant of death is the subject
            await process.wait()
            pytest.fail((await process.stderr.read()).decode()[-3000:])
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    rest = await process.stdout.read()
    complaint = (await process.stderr.read()).decode()
    await process.wait()
    assert "Traceback" not in complaint, complaint[-3000:]
    promised = []
    for line in rest.splitlines(keepends=True):
        if line.endswith(b"\n") and b'"note"' in line:
            promised.append(json.loads(line)["note"])
    return promised


async def ordeal(directory: Path, seed: int, kills: int, seconds: float) -> None:
    rng = random.Random(seed)
    async with small_world(directory, seed=seed) as stage:
        await stage.quiet()
        workspace = stage.store.mirror.schema.workspace_id
        await stage.stop()
        # Where a console looks for the workspace below its data directory.
        home = directory / "homes"
        home.mkdir()
        stage._home().rename(home / workspace)
        stage.directory, stage._home = home, lambda: home / workspace  # type: ignore[method-assign]
        await stage.control.post("/faults", rules=list(FAULTS))
        promised: list[str] = []
        async with asyncio.TaskGroup() as tasks:
            others = tasks.create_task(others_work(stage, rng))
            for number in range(kills):
                promised += await one_life(stage, home, seed * 1000 + number, rng, seconds)
            others.cancel()
        await stage.control.no_faults()
        await stage.start()
        await stage.quiet()
        assert (await stage.store.audit.verify()).broken_at is None
        depth = stage.store.outbox.depth()
        assert depth.dead == 0, stage.store.outbox.items(("dead",))
        notes = Counter(note["title"] for note in (await stage.control.dump("notes")).values())
        assert [title for title in promised if notes[title] != 1] == []
        assert [title for title, times in notes.items() if title.startswith("Promised") and times != 1] == []
        gaps = (await read_truth(stage)).gaps(stage.store)
        assert gaps == [], "\n".join(str(gap) for gap in gaps)
        for system, (kind, _) in KINDS.items():
            # Nothing was created on the other side by any of that.
            assert len(stage.living(system, kind)) == len(set(stage.living(system, kind)))


async def test_killed_with_both_links_at_work_everything_promised_is_there_once(tmp_path: Path) -> None:
    await ordeal(tmp_path, 1, 3, 1.5)


@pytest.mark.soak
async def test_killed_with_both_links_at_work_for_hours(tmp_path: Path) -> None:
    until = time.monotonic() + float(os.environ.get("SOAK_SECONDS", "600"))
    seed = int(os.environ.get("SOAK_SEED", "100"))
    kills = 0
    while time.monotonic() < until:
        seed += 1
        await ordeal(tmp_path / str(seed), seed, 8, 3.0)
        kills += 8
        print(f"seed {seed} held, {kills} kills", flush=True)
