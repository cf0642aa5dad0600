from __future__ import annotations

BASE = "/crm/v3/objects/contacts/batch"


async def test_rows_with_traces_fail_alone(portal):
    await portal.make(email="taken@x.example")
    inputs = [
        {"properties": {"email": "new@x.example"}, "objectWriteTraceId": "good"},
        {"properties": {"email": "taken@x.example"}, "objectWriteTraceId": "taken"},
        {"properties": {"nope": "1"}, "objectWriteTraceId": "bad"},
    ]
    body = await portal.ask(207, "POST", f"{BASE}/create", {"inputs": inputs})
    assert [row["objectWriteTraceId"] for row in body["results"]] == ["good"]
    assert body["numErrors"] == 2
    assert [e["context"]["objectWriteTraceId"] for e in body["errors"]] == [["taken"], ["bad"]]
    assert [e["category"] for e in body["errors"]] == ["CONFLICT", "VALIDATION_ERROR"]


async def test_without_traces_one_bad_row_refuses_all(portal):
    inputs = [{"properties": {"email": "new@x.example"}}, {"properties": {"nope": "1"}}]
    await portal.ask(400, "POST", f"{BASE}/create", {"inputs": inputs})
    assert portal.writes() == []
    good = await portal.ask(201, "POST", f"{BASE}/create", {"inputs": inputs[:1]})
    assert good["status"] == "COMPLETE"
    assert len(good["results"]) == 1


async def test_upsert_by_a_unique_property_says_what_is_new(portal):
    def one(key, **properties):
        sent = {"attio_record_id": key, **properties}
        return {
            "id": key,
            "idProperty": "attio_record_id",
            "properties": sent,
            "objectWriteTraceId": f"t-{key}",
        }

    first = await portal.ask(200, "POST", f"{BASE}/upsert", {"inputs": [one("r1", phone="1")]})
    assert first["results"][0]["new"] is True
    second = await portal.ask(
        200, "POST", f"{BASE}/upsert", {"inputs": [one("r1", jobtitle="CTO"), one("r2")]}
    )
    assert [(r["new"], r["objectWriteTraceId"]) for r in second["results"]] == [
        (False, "t-r1"),
        (True, "t-r2"),
    ]
    assert second["results"][0]["id"] == first["results"][0]["id"]
    assert second["results"][0]["properties"]["phone"] == "1"


async def test_a_unique_value_that_somebody_else_holds_is_refused(portal):
    one, two = await portal.make(attio_record_id="r1"), await portal.make(email="b@x.example")
    inputs = [{"id": two, "properties": {"attio_record_id": "r1"}, "objectWriteTraceId": "t"}]
    body = await portal.ask(207, "POST", f"{BASE}/update", {"inputs": inputs})
    assert "CONFLICTING_UNIQUE_VALUE" in body["errors"][0]["message"]
    assert one in body["errors"][0]["message"]


async def test_reading_by_address_reports_who_is_missing(portal):
    key = await portal.make(email="a@x.example", phone="1")
    sent = {
        "properties": ["phone"],
        "idProperty": "email",
        "inputs": [{"id": "A@x.example"}, {"id": "no@x.example"}],
    }
    body = await portal.ask(207, "POST", f"{BASE}/read", sent)
    assert [(r["id"], r["properties"]["phone"]) for r in body["results"]] == [(key, "1")]
    assert body["errors"][0]["category"] == "OBJECT_NOT_FOUND"
    assert body["errors"][0]["context"]["ids"] == ["no@x.example"]


async def test_archiving_many_answers_nothing(portal):
    keys = [await portal.make(email=f"p{n}@x.example") for n in range(3)]
    await portal.ask(204, "POST", f"{BASE}/archive", {"inputs": [{"id": key} for key in keys[:2]]})
    page = await portal.ask(200, "GET", "/crm/v3/objects/contacts")
    assert [row["id"] for row in page["results"]] == keys[2:]


async def test_more_than_a_hundred_or_twice_the_same_is_refused(portal):
    many = [{"properties": {"email": f"p{n}@x.example"}} for n in range(101)]
    await portal.ask(400, "POST", f"{BASE}/create", {"inputs": many})
    key = await portal.make(email="a@x.example")
    twice = [{"id": key, "properties": {"phone": str(n)}} for n in range(2)]
    body = await portal.ask(400, "POST", f"{BASE}/update", {"inputs": twice})
    assert "Duplicate IDs" in body["message"]


async def test_thousands_of_company_upserts_lock_the_object_for_two_seconds(start):
    async with start(limits=True) as portal:
        inputs = [
            {
                "id": f"r{n}",
                "idProperty": "attio_record_id",
                "properties": {"name": "X"},
                "objectWriteTraceId": str(n),
            }
            for n in range(100)
        ]
        path = "/crm/v3/objects/companies/batch/upsert"
        for _ in range(50):
            await portal.ask(200, "POST", path, {"inputs": inputs})
        body = await portal.ask(423, "POST", path, {"inputs": inputs})
        assert body["category"] == "LOCKED"
        portal.sandbox.world.clock.advance(11)
        await portal.ask(200, "POST", path, {"inputs": inputs})
