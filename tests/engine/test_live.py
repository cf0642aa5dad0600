from __future__ import annotations

import asyncio
import json
import random
import uuid
from datetime import UTC, datetime
from typing import Any

import httpx

from attio_console.store.types import Delivery
from attio_console.sync import inbox as inbox_module
from attio_console.webhook import sign
from tests.engine.conftest import Control, House


async def some(control: Control, kind: str, count: int = 1) -> list[str]:
    return list(await control.dump(kind))[:count]


def delivery(*events: dict[str, Any]) -> Delivery:
    body = json.dumps({"webhook_id": "w", "events": list(events)}).encode()
    return Delivery(str(uuid.uuid4()), "w", body, datetime.now(UTC))


def updated(house: House, slug: str, record_id: str) -> dict[str, Any]:
    return {
        "event_type": "record.updated",
        "id": {
            "workspace_id": "x",
            "object_id": house.object_id(slug),
            "record_id": record_id,
            "attribute_id": "a",
        },
        "actor": {"type": "workspace-member", "id": "m"},
    }


async def reads(control: Control) -> int:
    stats = await control.get("/stats")
    return int(stats["systems"]["attio"]["requests"])


async def test_an_edit_by_somebody_else_arrives_within_a_moment(house: House, control: Control) -> None:
    (record,) = await some(control, "people")
    with house.bus.subscribe() as changes:
        await control.edit("people", record, {"job_title": "Admiral"})
        async with asyncio.timeout(5):
            async for change in changes:
                if change.what == "records" and record in change.record_ids:
                    break
    assert house.value("people", record, "job_title") == ["Admiral"]
    await house.until(lambda: house.engine.status().lag_p95_s is not None)
    assert (house.engine.status().lag_p95_s or 9) < 0.5


async def test_a_new_record_an_entry_a_note_and_a_deletion_arrive(house: House, control: Control) -> None:
    made = await control.edit("companies", None, {"name": "Halcyon Test Ltd"})
    await house.until(lambda: house.document("companies", made) is not None)
    await control.post("/delete", system="attio", object="companies", id=made)
    await house.until(lambda: house.document("companies", made) is None)


async def test_a_merge_moves_everything_to_the_new_id(house: House, control: Control) -> None:
    from attio_console.store.types import NewPair

    one, two = await some(control, "people", 2)
    await house.store.pairs.put(
        NewPair("hubspot", "people", house.object_id("people"), one, "contacts", "77", "confirmed", "test")
    )
    done = await control.post("/merge", system="attio", object="people", id=one, other_id=two)
    new = str(done["id"])
    await house.until(
        lambda: house.document("people", new) is not None and house.document("people", one) is None
    )
    await house.until(lambda: house.document("people", two) is None)
    assert [pair.record_id for pair in house.store.pairs.by_external("hubspot", "contacts", "77")] == [new]


async def test_ten_thousand_events_for_five_hundred_records_cost_ten_reads(
    house: House, control: Control
) -> None:
    people = list(await control.dump("people"))
    companies = list(await control.dump("companies"))
    targets = [("people", row) for row in people] + [("companies", row) for row in companies]
    before = await reads(control)
    await house.engine.pause()
    rng = random.Random(3)
    for _ in range(100):
        await house.store.inbox.put(delivery(*(updated(house, *rng.choice(targets)) for _ in range(100))))
    await house.engine.resume()
    await house.until(lambda: house.store.inbox.depth() == 0)
    await asyncio.sleep(
        inbox_module.RECHECK_AFTER_S + 0.5
    )  # the recheck is due by the clock, and nothing announces it
    assert await reads(control) - before <= 10


async def test_duplicated_and_reordered_deliveries_end_in_the_same_state(
    house: House, control: Control
) -> None:
    await control.fault(action="duplicate_delivery", probability=0.5)
    await control.fault(action="reorder_delivery", probability=0.3)
    people = await some(control, "people", 10)
    for turn in range(5):
        for record in people:
            await control.edit("people", record, {"job_title": f"Turn {turn}"})
    await house.until(
        lambda: all(house.value("people", row, "job_title") == ["Turn 4"] for row in people), 30
    )
    truth = await control.dump("people")
    assert {row: house.document("people", row) for row in people} == {row: truth[row] for row in people}


async def test_a_delivery_that_keeps_failing_is_a_dead_letter(
    house: House, control: Control, monkeypatch: Any
) -> None:
    monkeypatch.setattr(inbox_module, "FIRST_RETRY_S", 0.01)
    (record,) = await some(control, "people")
    await control.fault(action="status", status=500, probability=1.0, path=f"/v2/objects/*/records/{record}")
    await house.store.inbox.put(delivery(updated(house, "people", record)))
    await house.until(lambda: house.store.inbox.dead_count() == 1, 60)
    assert house.store.inbox.dead()[0].attempts == inbox_module.ATTEMPTS
    await control.no_faults()
    await house.store.inbox.revive([house.store.inbox.dead()[0].id])
    house.bus.changed("inbox")
    await house.until(lambda: house.store.inbox.depth() == 0 and house.store.inbox.dead_count() == 0, 60)


async def test_a_forged_delivery_to_the_engine_changes_nothing(house: House) -> None:
    status = house.engine.status().listener
    body = b'{"webhook_id":"w","events":[]}'
    async with httpx.AsyncClient() as client:
        answer = await client.post(
            status.target_url,
            content=body,
            headers={"attio-signature": sign(b"guess", body), "idempotency-key": "x"},
        )
    assert answer.status_code == 401
    assert house.store.inbox.depth() == 0
    assert house.engine.status().listener.refused[401] == 1


async def test_an_unknown_object_refreshes_the_schema_once(
    house: House, control: Control, monkeypatch: Any
) -> None:
    from attio_console.sync import schema_keeper

    monkeypatch.setattr(schema_keeper, "UNKNOWN_EVERY_S", 0.0)
    event = updated(house, "people", str(uuid.uuid4()))
    event["id"]["object_id"] = str(uuid.uuid4())
    fetched = house.store.mirror.schema.fetched_at
    await house.store.inbox.put(delivery(event))
    await house.until(lambda: house.store.inbox.depth() == 0)
    assert house.store.mirror.schema.fetched_at != fetched
    assert house.store.inbox.dead_count() == 0
