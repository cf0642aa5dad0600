"""Two consoles on one directory, secrets that were lost, a machine that slept."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timedelta
from pathlib import Path

import httpx

from attio_console.attio import AsyncAttio, Identity
from attio_console.config.secrets import MemorySecrets
from attio_console.model.clock import SystemClock
from attio_console.sync.contact import Contact
from attio_console.sync.heartbeat import Heartbeat
from tests.engine.conftest import Control, House, console
from tests.engine.test_crash import driver, said
from tests.engine.test_outbox import add, edit, settled


async def test_the_first_console_is_killed_and_the_second_takes_over(
    sandbox, control: Control, tmp_path: Path
) -> None:
    async with driver(sandbox, tmp_path) as first:
        await said(first, b"running")
        async with console(sandbox, tmp_path, control) as second:
            await second.until(lambda: second.engine.status().attio_state == "elsewhere")
            assert second.engine.status().engine_pid == first.pid
            first.kill()
            await first.wait()
            await second.until(lambda: second.engine.status().attio_state != "elsewhere", 5)
            await second.live()


async def test_an_edit_in_the_second_console_is_sent_by_the_first(
    sandbox, control: Control, tmp_path: Path
) -> None:
    async with driver(sandbox, tmp_path) as first:
        await said(first, b"running")
        async with console(sandbox, tmp_path, control) as second:
            await second.until(lambda: second.engine.status().attio_state == "elsewhere")
            record = next(iter(await control.dump("people")))
            await second.until(
                lambda: (
                    second.store.mirror.schema.object("people") is not None
                    and second.document("people", record) is not None
                )
            )
            group = await add(second, edit(second, "people", record, "job_title", ["By the other"]))
            assert await settled(second, group) == {"confirmed": 1}
            await second.until(lambda: second.value("people", record, "job_title") == ["By the other"])


async def hooks(house: House) -> list[dict[str, object]]:
    headers = {"authorization": f"Bearer {house.sandbox.token}"}
    async with httpx.AsyncClient(base_url=house.sandbox.attio, headers=headers) as client:
        found: list[dict[str, object]] = (await client.get("/v2/webhooks")).json()["data"]
        return found


async def test_a_lost_secret_replaces_the_webhook_and_a_kept_one_keeps_it(
    sandbox, control: Control, tmp_path: Path
) -> None:
    secrets = MemorySecrets({"attio": sandbox.token})
    async with console(sandbox, tmp_path, control, secrets=secrets) as house:
        await house.live()
        first = await hooks(house)
    async with console(sandbox, tmp_path, control, secrets=secrets) as house:
        await house.live()
        again = await hooks(house)
        assert [hook["id"] for hook in again] == [hook["id"] for hook in first]
        assert again[0]["target_url"] == house.engine.status().listener.target_url
    async with console(sandbox, tmp_path, control) as house:
        await house.live()
        (other,) = await hooks(house)
        assert other["id"] != first[0]["id"]
        record = next(iter(await control.dump("people")))
        await control.edit("people", record, {"job_title": "Still told"})
        await house.until(lambda: house.value("people", record, "job_title") == ["Still told"])


async def test_no_secret_is_in_the_data_directory(sandbox, control: Control, tmp_path: Path) -> None:
    secrets = MemorySecrets({"attio": sandbox.token})
    async with console(sandbox, tmp_path, control, secrets=secrets) as house:
        await house.live()
        webhook_id = house.engine.status().listener.webhook_id
    secret = secrets.get("test", f"webhook:{webhook_id}")
    assert secret is not None
    for path in tmp_path.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert secret.encode() not in content, path.name
            assert sandbox.token.encode() not in content, path.name


class Dozing(SystemClock):
    """A clock of a machine that sleeps for an hour whenever somebody waits on it."""

    def __init__(self) -> None:
        self.slept = timedelta()

    def now(self) -> datetime:
        return super().now() + self.slept

    async def sleep(self, seconds: float) -> None:
        await super().sleep(min(seconds, 0.01))
        self.slept += timedelta(hours=1)


async def test_waking_from_sleep_asks_for_a_look_at_everything(sandbox) -> None:
    missed: asyncio.Queue[str] = asyncio.Queue()
    known: list[Identity] = []
    clock = Dozing()
    async with AsyncAttio(sandbox.token, base_url=sandbox.attio) as attio, asyncio.TaskGroup() as tasks:
        beat = Heartbeat(
            attio, Contact(clock), clock, random.Random(1), known=known.append, missed=missed.put_nowait
        )
        task = tasks.create_task(beat.run())
        async with asyncio.timeout(10):
            assert await missed.get() == "this machine was asleep"
        task.cancel()
    assert known


async def test_a_server_that_hangs_is_offline_until_it_answers(sandbox) -> None:
    async def slow(milliseconds: int) -> None:
        async with httpx.AsyncClient() as client:
            answer = await client.post(f"{sandbox.control}/settings", json={"latency_ms": milliseconds})
            answer.raise_for_status()

    clock = SystemClock()
    contact = Contact(clock)
    async with AsyncAttio(sandbox.token, base_url=sandbox.attio) as attio, asyncio.TaskGroup() as tasks:
        beat = Heartbeat(
            attio,
            contact,
            clock,
            random.Random(1),
            known=lambda _: None,
            missed=lambda _: None,
            patience_s=0.3,
        )
        await slow(10_000)
        changed = contact.watch()
        task = tasks.create_task(beat.run())
        async with asyncio.timeout(10):
            await changed.wait()
            assert contact.reach == "offline"
            assert "has not answered" in contact.error
            await slow(0)
            await contact.online()
        task.cancel()
