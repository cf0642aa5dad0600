"""Two consoles at one record, a clock that jumps, and a stand-in that is killed and comes back."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from attio_console.config.profiles import Profile, WebhookConfig
from attio_console.config.secrets import MemorySecrets
from attio_console.model.clock import SystemClock
from attio_console.sandbox import Sandbox
from attio_console.sandbox import running as sandbox_running
from attio_console.store import Store
from attio_console.store.outbox import provisional_id
from attio_console.store.types import FieldEdit, NewItem
from attio_console.sync.bus import Bus
from attio_console.sync.engine import Engine
from tests.engine.conftest import Control, House, console, options, running
from tests.engine.test_pull import compare_with_dump


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with sandbox_running(options(records=40, limits=False)) as found:
        yield found


@pytest.fixture
async def control(sandbox: Sandbox) -> AsyncIterator[Control]:
    hand = Control(sandbox.attio)
    yield hand
    await hand.close()


def edit(house: House, record: str, slug: str, text: str) -> list[NewItem]:
    """Return an edit as the console makes one: over what is on screen."""
    people = house.object_id("people")
    pending = house.store.outbox.overlay(people, record).get(slug)
    base = house.value("people", record, slug) if pending is None else pending.new
    return [NewItem("attio", people, record, "set", {slug: FieldEdit(base, [text])})]


def note(record: str, title: str) -> list[NewItem]:
    payload = {"parent_object": "people", "parent_record_id": record, "title": title, "content": "x", "format": "plaintext"}  # fmt: skip
    return [NewItem("attio", "attio:notes", provisional_id(), "note_create", payload=payload)]


async def test_two_consoles_edit_one_record_at_once(
    sandbox: Sandbox, control: Control, tmp_path: Path
) -> None:
    rng = random.Random(3)
    async with console(sandbox, tmp_path, control) as one:
        await one.live()
        async with console(sandbox, tmp_path, control) as two:
            await two.until(lambda: two.engine.elsewhere)
            record = next(iter(await control.dump("people")))
            titles = []
            for number in range(30):
                house = rng.choice((one, two))
                slug = rng.choice(("job_title", "description"))
                last = f"{slug} {number}"
                await house.store.outbox.add(edit(house, record, slug, last), last)
                if number % 5 == 0:
                    titles.append(f"From both {number}")
                    await house.store.outbox.add(note(record, titles[-1]), "a note")
                house.bus.changed("outbox")
                await asyncio.sleep(rng.uniform(0, 0.15))  # people take their time
            await two.until(lambda: two.store.outbox.depth().pending == 0, 30)
            await one.until(lambda: one.store.outbox.depth().pending == 0, 30)
            notes = Counter(row["title"] for row in (await control.dump("notes")).values())
            assert [title for title in titles if notes[title] != 1] == []
            refused = one.store.outbox.items(("refused", "dead"))
            # What was edited over a value that had moved meanwhile is asked about, never lost in silence.
            assert not refused or one.store.conflicts.count() > 0
            assert (await one.store.audit.verify()).broken_at is None
        await one.engine.sync_now()
        await one.until(lambda: one.engine.puller is not None and one.engine.puller.complete, 30)
        await compare_with_dump(one, control)


class JumpyClock(SystemClock):
    """A wall clock that somebody sets; what is measured by it in seconds goes on."""

    def __init__(self) -> None:
        self.off = timedelta()

    def now(self) -> datetime:
        return super().now() + self.off


@pytest.mark.parametrize("jump", [timedelta(days=-3), timedelta(days=400), timedelta(hours=-1)])
async def test_a_clock_that_is_set_holds_nothing_up(
    sandbox: Sandbox, control: Control, tmp_path: Path, jump: timedelta
) -> None:
    clock = JumpyClock()
    profile = Profile(name="test", base_url=sandbox.attio, webhook=WebhookConfig(mode="listen", port=0))
    store = await Store.open(tmp_path, clock=clock)
    bus = Bus()
    engine = Engine(profile, MemorySecrets({"attio": sandbox.token}), store, bus, clock, random.Random(1))
    try:
        async with running(engine):
            house = House(sandbox, control, store, bus, engine)
            await house.live()
            record = next(iter(await control.dump("people")))
            await control.fault(action="status", status=503, path="/v2/objects/*", method="PATCH")
            await store.outbox.add(edit(house, record, "job_title", "Before the jump"), "an edit")
            bus.changed("outbox")
            await house.until(lambda: any(i.attempts for i in store.outbox.items(("pending",))), 20)
            clock.off = jump
            await control.no_faults()
            await control.edit("people", record, {"description": "told after the jump"})
            await house.until(lambda: store.outbox.depth().pending == 0, 25)
            await house.until(
                lambda: house.value("people", record, "description") == ["told after the jump"], 25
            )
            assert house.value("people", record, "job_title") == ["Before the jump"]
            await store.outbox.add(note(record, "After the jump"), "a note")
            bus.changed("outbox")
            await house.until(lambda: store.outbox.depth().pending == 0, 25)
    finally:
        await store.close()


async def start(directory: Path, ports: list[str]) -> tuple[asyncio.subprocess.Process, dict[str, Any]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "attio_console.cli", "sandbox", "--records", "40", "--webhook-http", "--state", str(directory),
        "--until-input-closes", *ports, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(40):
        line = await process.stdout.readline()
    return process, json.loads(line)


async def test_a_stand_in_that_is_killed_comes_back_whole(tmp_path: Path) -> None:
    process, line = await start(tmp_path / "state", [])
    try:
        control = Control(line["attio"])
        before = await control.dump("people")
        record = next(iter(before))
        for number in range(20):
            await control.edit("people", record, {"description": f"Edit {number}"})
        await control.close()
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
        process, line = await start(tmp_path / "state", [])
        control = Control(line["attio"])
        after = await control.dump("people")
        assert set(after) == set(before)
        assert after[record]["id"] == before[record]["id"]
        await control.close()
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
