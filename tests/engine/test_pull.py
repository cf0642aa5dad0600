from __future__ import annotations

import asyncio
from pathlib import Path

from attio_console.sync.status import EngineStatus
from tests.engine.conftest import Control, House, console


async def compare_with_dump(house: House, control: Control) -> None:
    schema = house.store.mirror.schema
    keys = [(each.slug, each.id) for each in (*schema.objects, *schema.lists)]
    for slug, collection in [*keys, ("notes", "attio:notes"), ("tasks", "attio:tasks")]:
        truth = await control.dump(slug)
        mirrored = {row: house.document(collection if ":" in collection else slug, row) for row in truth}
        assert house.store.mirror.size(collection) == len(truth), slug
        assert mirrored == truth, slug


async def test_the_first_pull_is_what_the_workspace_holds(house: House, control: Control) -> None:
    await compare_with_dump(house, control)
    status: EngineStatus = house.engine.status()
    assert status.sentence == ""
    assert {part.state for part in status.partitions} == {"live"}
    assert all(part.scanned_at is not None for part in status.partitions)


async def test_a_second_start_pulls_again_and_writes_nothing(
    sandbox, control: Control, tmp_path: Path
) -> None:
    async with console(sandbox, tmp_path, control) as first:
        await first.live()
        people = first.object_id("people")
    async with console(sandbox, tmp_path, control) as second:
        before = second.store.mirror.size(people)
        assert before > 0
        changed: set[str] = set()
        with second.bus.subscribe() as changes:
            async with asyncio.timeout(30):
                while second.engine.status().attio_state != "live":
                    change = await anext(changes)
                    if change.what == "records":
                        changed |= change.record_ids
        assert changed == set()
        await compare_with_dump(second, control)


async def test_changes_during_the_pull_are_neither_missed_nor_doubled(
    sandbox, control: Control, tmp_path: Path
) -> None:
    people = list(await control.dump("people"))
    await control.post("/settings", latency_ms=15)
    async with console(sandbox, tmp_path, control, webhooks="off") as house:
        for number, record_id in enumerate(people[:20]):
            if number % 3 == 0:
                await control.post("/delete", system="attio", object="people", id=record_id)
            elif number % 3 == 1:
                await control.edit("people", record_id, {"job_title": f"Moved {number}"})
            else:
                await control.edit(
                    "people",
                    None,
                    {"name": {"first_name": "New", "last_name": str(number), "full_name": f"New {number}"}},
                )
        await house.live()
        await house.engine.sync_now()
        assert house.engine.puller is not None
        await house.engine.puller.settled()
        await compare_with_dump(house, control)


async def test_what_was_deleted_while_nobody_listened_is_confirmed_and_gone(
    sandbox, control: Control, tmp_path: Path
) -> None:
    async with console(sandbox, tmp_path, control, webhooks="off") as house:
        await house.live()
        victim = next(iter(await control.dump("people")))
        await control.post("/delete", system="attio", object="people", id=victim)
        assert house.document("people", victim) is not None
        await house.engine.sync_now()
        assert house.engine.puller is not None
        await house.engine.puller.settled()
        assert house.document("people", victim) is None
        await compare_with_dump(house, control)


async def test_offline_is_a_state_and_work_goes_on_after_it(
    sandbox, control: Control, tmp_path: Path
) -> None:
    await control.fault(action="reset", probability=1.0, path="/v2/*")
    async with console(sandbox, tmp_path, control) as house:
        await house.until(lambda: house.engine.status().attio_state == "offline")
        assert "tried again" in house.engine.status().sentence
        await control.no_faults()
        await house.live()
        await compare_with_dump(house, control)


async def test_a_token_attio_does_not_know_is_a_state(sandbox, control: Control, tmp_path: Path) -> None:
    from attio_console.config.secrets import MemorySecrets

    secrets = MemorySecrets()
    secrets.set("test", "attio", "not-a-token")
    async with console(sandbox, tmp_path, control, secrets=secrets) as house:
        await house.until(lambda: house.engine.status().attio_state == "not-authorised")
        assert house.engine.status().sentence


async def test_the_second_console_reads_and_takes_over(sandbox, control: Control, tmp_path: Path) -> None:
    async with console(sandbox, tmp_path, control) as first:
        await first.live()
        async with console(sandbox, tmp_path, control) as second:
            await second.until(lambda: second.engine.status().attio_state == "elsewhere")
            record = next(iter(await control.dump("people")))
            await control.edit("people", record, {"job_title": "Seen by both"})
            await second.until(lambda: second.value("people", record, "job_title") == ["Seen by both"])


async def test_pause_holds_and_resume_goes_on(house: House, control: Control) -> None:
    record = next(iter(await control.dump("people")))
    await house.engine.pause()
    assert house.engine.status().attio_state == "paused"
    await control.edit("people", record, {"job_title": "While paused"})
    await house.until(lambda: house.store.inbox.depth() > 0)
    assert house.value("people", record, "job_title") != ["While paused"]
    await house.engine.resume()
    await house.until(lambda: house.value("people", record, "job_title") == ["While paused"])
