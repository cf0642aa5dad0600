"""The workspace changes its shape while the engine runs: followed, never fatal."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx

from tests.engine.conftest import Control, House


@contextlib.asynccontextmanager
async def api(house: House) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"authorization": f"Bearer {house.sandbox.token}"}
    async with httpx.AsyncClient(base_url=f"{house.sandbox.attio}/v2", headers=headers) as client:
        yield client


async def made(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["data"]
    return found


async def new_object(client: httpx.AsyncClient) -> str:
    data = {"api_slug": "ships", "singular_noun": "Ship", "plural_noun": "Ships"}
    return str((await made(await client.post("/objects", json={"data": data})))["id"]["object_id"])


async def test_a_new_object_is_pulled_when_its_first_record_is_told_of(
    house: House, monkeypatch: Any
) -> None:
    from attio_console.sync import schema_keeper

    monkeypatch.setattr(schema_keeper, "UNKNOWN_EVERY_S", 0.0)
    async with api(house) as client:
        object_id = await new_object(client)
        made_record = await made(await client.post("/objects/ships/records", json={"data": {"values": {}}}))
    record = made_record["id"]["record_id"]
    await house.until(lambda: house.store.mirror.raw(object_id, record) is not None)
    await house.live()
    assert "Ships" in {part.label for part in house.engine.status().partitions}


async def test_an_object_that_disappears_is_forgotten(house: House) -> None:
    async with api(house) as client:
        object_id = await new_object(client)
        await made(await client.post("/objects/ships/records", json={"data": {"values": {}}}))
        await house.engine.sync_now()
        await house.until(lambda: house.store.mirror.size(object_id) == 1)
        assert (await client.delete("/objects/ships")).status_code == 200
    await house.engine.sync_now()
    await house.until(lambda: house.store.mirror.schema.object("ships") is None)
    await house.live()
    assert "Ships" not in {part.label for part in house.engine.status().partitions}
    assert house.store.mirror.size(object_id) == 0


async def test_a_renamed_attribute_is_followed_in_every_record(house: House, control: Control) -> None:
    record = next(iter(await control.dump("companies")))
    async with api(house) as client:
        data = {
            "title": "Mood",
            "description": "",
            "api_slug": "mood",
            "type": "text",
            "is_required": False,
            "is_unique": False,
            "is_multiselect": False,
            "config": {},
        }
        await made(await client.post("/objects/companies/attributes", json={"data": data}))
        await house.until(lambda: house.store.mirror.schema.object("companies").attribute("mood") is not None)
        await made(
            await client.patch(
                f"/objects/companies/records/{record}", json={"data": {"values": {"mood": "calm"}}}
            )
        )
        await house.until(lambda: "mood" in house.document("companies", record)["values"])
        await made(
            await client.patch("/objects/companies/attributes/mood", json={"data": {"api_slug": "temper"}})
        )
    await house.until(lambda: "temper" in house.document("companies", record)["values"])
    await house.until(lambda: house.value("companies", record, "temper") == ["calm"])
    await house.live()
