"""SIGKILL at random instants of the real process; afterwards nothing is lost and nothing is doubled."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.engine.conftest import Control, console
from tests.engine.driver import TITLE
from tests.engine.test_pull import compare_with_dump

if TYPE_CHECKING:
    from attio_console.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
DRIVER = Path(__file__).with_name("driver.py")


@contextlib.asynccontextmanager
async def driver(
    sandbox: Sandbox, directory: Path, *records: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(DRIVER),
        sandbox.attio,
        sandbox.token,
        str(directory),
        *records,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()


async def said(process: asyncio.subprocess.Process, word: bytes) -> None:
    assert process.stdout is not None
    async with asyncio.timeout(30):
        while (line := await process.stdout.readline()).strip() != word:
            assert line, f"the driver ended before it said {word!r}"


@pytest.mark.parametrize("seed", [1, 2])
async def test_killed_during_the_pull_it_goes_on_and_ends_complete(
    sandbox: Sandbox, control: Control, tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    await control.post("/settings", latency_ms=10)
    for _ in range(3):
        async with driver(sandbox, tmp_path) as process:
            await said(process, b"running")
            await asyncio.sleep(rng.uniform(0.02, 0.9))  # the instant of death is the subject of the test
    await control.post("/settings", latency_ms=0)
    async with console(sandbox, tmp_path, control) as house:
        await house.live()
        await compare_with_dump(house, control)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_killed_while_sending_each_write_arrives_exactly_once(
    sandbox: Sandbox, control: Control, tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    records = list(await control.dump("people"))[:6]
    await control.fault(action="commit_then_reset", probability=0.2, method="POST", path="/v2/notes")
    await control.fault(action="commit_then_reset", probability=0.2, method="PATCH", path="/v2/objects/*")
    await control.fault(action="status", status=500, probability=0.1, path="/v2/objects/*/records/*")
    seq = await control.seq()
    async with driver(sandbox, tmp_path, *records) as process:
        await said(process, b"kept")
        await asyncio.sleep(rng.uniform(0.0, 0.3))  # the instant of death is the subject of the test
    for _ in range(3):
        async with driver(sandbox, tmp_path) as process:
            await said(process, b"running")
            await asyncio.sleep(rng.uniform(0.1, 1.0))  # and this one
    await control.no_faults()
    async with console(sandbox, tmp_path, control) as house:
        await house.until(lambda: house.store.outbox.depth().pending == 0, 60)
        await house.live()
        assert house.store.outbox.depth().refused == 0
        assert house.store.conflicts.count() == 0
        await compare_with_dump(house, control)
    people = await control.dump("people")
    assert all(people[row]["values"]["job_title"][0]["value"] == f"{TITLE} {row}" for row in records)
    notes = Counter(
        row["parent_record_id"] for row in (await control.dump("notes")).values() if row["title"] == TITLE
    )
    assert notes == dict.fromkeys(records, 1)
    edits = Counter(write["id"] for write in await control.writes(seq) if write["object"] == "people")
    assert edits == dict.fromkeys(records, 1)
