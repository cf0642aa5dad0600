from __future__ import annotations

import asyncio
import json

import pytest

from attio_console.sandbox.life import Life


async def dump(it, system, name):
    answer = await it.control.get(f"/_sandbox/dump/{system}/{name}")
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_the_dump_is_what_get_shows(lab):
    async with lab(records=50) as it:
        people = await dump(it, "attio", "people")
        assert len(people) >= 50
        for person in people[:5]:
            assert await it.ok("GET", f"/objects/people/records/{person['id']['record_id']}") == person
        entries = await dump(it, "attio", "sales_pipeline")
        entry = entries[0]
        assert await it.ok("GET", f"/lists/sales_pipeline/entries/{entry['id']['entry_id']}") == entry
        note = (await dump(it, "attio", "notes"))[0]
        assert await it.ok("GET", f"/notes/{note['id']['note_id']}") == note
        assert await dump(it, "hubspot", "contacts") and await dump(it, "salesforce", "Contact")
        assert set(await it.look("dump/attio")) >= {"people", "companies", "deals", "notes"}
        assert (await it.control.get("/_sandbox/dump/pipedrive/people")).status_code == 404
        assert (await it.control.get("/_sandbox/dump/attio/nothing")).status_code == 404


async def test_the_same_seed_gives_the_same_world(lab):
    async def fingerprint(seed):
        async with lab(records=40, seed=seed) as it:
            people = await dump(it, "attio", "people")
            return it.sandbox.token, [
                (p["id"]["record_id"], p["values"]["name"][0]["full_name"]) for p in people
            ]

    assert await fingerprint(3) == await fingerprint(3)
    assert await fingerprint(3) != await fingerprint(4)


async def test_somebody_else_edits_deletes_and_merges_in_every_system(lab, receiver):
    async with lab(records=30) as it:
        subscriptions = [
            {"event_type": each, "filter": None}
            for each in ("record.updated", "record.deleted", "record.merged")
        ]
        await it.ok(
            "POST", "/webhooks", {"data": {"target_url": receiver.url, "subscriptions": subscriptions}}
        )
        people = [person["id"]["record_id"] for person in await dump(it, "attio", "people")]
        members = await it.ok("GET", "/workspace_members")
        email, member_id = members[1]["email_address"], members[1]["id"]["workspace_member_id"]
        await it.steer(
            "edit", system="attio", object="people", id=people[0], values={"job_title": "Boss"}, actor=email
        )
        seen = await it.ok("GET", f"/objects/people/records/{people[0]}")
        (title,) = seen["values"]["job_title"]
        assert title["value"] == "Boss"
        assert title["created_by_actor"] == {"type": "workspace-member", "id": member_id}
        merged = await it.steer("merge", system="attio", object="people", id=people[1], other_id=people[2])
        await it.refused(404, "GET", f"/objects/people/records/{people[1]}")
        await it.ok("GET", f"/objects/people/records/{merged['id']}")
        await it.steer("delete", system="attio", object="people", id=people[3], actor="system")
        await it.refused(404, "GET", f"/objects/people/records/{people[3]}")
        got = await receiver.wait_for(4)
        types = {json.loads(each.body)["events"][0]["event_type"] for each in got}
        assert types == {"record.updated", "record.merged", "record.deleted"}

        contact = (await dump(it, "hubspot", "contacts"))[0]["id"]
        await it.steer("edit", system="hubspot", object="contacts", id=contact, values={"jobtitle": "Chief"})
        dumped = {each["id"]: each for each in await dump(it, "hubspot", "contacts")}
        assert dumped[contact]["properties"]["jobtitle"] == "Chief"
        account = (await dump(it, "salesforce", "Account"))[0]["Id"]
        await it.steer("edit", system="salesforce", object="Account", id=account, values={"Name": "Renamed"})
        assert (
            next(each for each in await dump(it, "salesforce", "Account") if each["Id"] == account)["Name"]
            == "Renamed"
        )
        writes = await it.look("writes?after=0")
        assert [each["seq"] for each in writes] == list(range(1, len(writes) + 1))
        assert [each["system"] for each in writes].count("attio") == 4
        assert (await it.look(f"writes?after={writes[-2]['seq']}")) == writes[-1:]


async def test_somebody_else_makes_records_entries_notes_and_tasks(lab):
    async with lab() as it:
        made = await it.steer(
            "edit", system="attio", object="companies", values={"name": "New", "domains": ["new.com"]}
        )
        company = made["id"]
        await it.pipeline()
        entry = await it.steer(
            "edit", system="attio", object="sales", values={"parent_record_id": company, "stage": "Lead"}
        )
        await it.steer("edit", system="attio", object="sales", id=entry["id"], values={"stage": "Won"})
        (row,) = await dump(it, "attio", "sales")
        assert (
            row["parent_record_id"] == company and row["entry_values"]["stage"][0]["status"]["title"] == "Won"
        )
        values = {"parent_object": "companies", "parent_record_id": company, "title": "T", "content": "c"}
        note = await it.steer("edit", system="attio", object="notes", values=values)
        await it.steer("edit", system="attio", object="notes", id=note["id"], values={"title": "U"})
        task = await it.steer("edit", system="attio", object="tasks", values={"content": "do"})
        await it.steer("edit", system="attio", object="tasks", id=task["id"], values={"is_completed": True})
        assert (await dump(it, "attio", "notes"))[0]["title"] == "U"
        assert (await dump(it, "attio", "tasks"))[0]["is_completed"] is True
        for kind, identifier in (("notes", note["id"]), ("tasks", task["id"]), ("sales", entry["id"])):
            await it.steer("delete", system="attio", object=kind, id=identifier)
            assert await dump(it, "attio", kind) == []


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("edit", {"system": "attio", "object": "companies", "id": "x", "values": {"name": "n"}}, 404),
        ("edit", {"system": "attio", "object": "nothing", "values": {}}, 404),
        ("edit", {"system": "attio", "object": "companies", "values": {"nonsense": 1}}, 400),
        (
            "edit",
            {"system": "attio", "object": "companies", "values": {"name": "n"}, "actor": "nobody@x.y"},
            400,
        ),
        ("edit", {"system": "elsewhere", "object": "companies", "values": {}}, 404),
        ("edit", {"system": "attio", "object": "companies"}, 400),
        ("edit", [], 400),
        ("delete", {"system": "hubspot", "object": "contacts", "id": "1"}, 404),
        ("clock", {"advance_s": -1}, 400),
        ("clock", {"advance_s": "long"}, 400),
        ("faults", {"rules": [{"action": "explode"}]}, 400),
        ("faults", {"rules": "none"}, 400),
        ("life", {"on": "yes"}, 400),
        ("settings", {"colour": "red"}, 400),
        ("webhooks/test", {"webhook_id": "x"}, 404),
    ],
)
async def test_the_control_surface_says_what_is_wrong(lab, path, body, status):
    async with lab() as it:
        answer = await it.control.post(f"/_sandbox/{path}", json=body)
        assert answer.status_code == status, answer.text
        assert len(answer.text) > 10
        assert (await it.control.get("/_sandbox/writes")).json() == []


async def test_the_surface_lists_itself(lab):
    async with lab() as it:
        endpoints = (await it.look(""))["endpoints"]
        assert "POST /_sandbox/edit" in endpoints
        assert (await it.control.get("/_sandbox/nothing")).status_code == 404
        assert (await it.control.get("/_sandbox/edit")).status_code == 405


async def test_the_clock_moves_on_request(lab):
    async with lab(enrichment=True) as it:
        before = (await it.look("clock"))["now"]
        company = await it.record(name="Acme", domains=["acme.com"])
        after = (await it.steer("clock", advance_s=3600))["now"]
        assert after > before
        seen = await it.ok("GET", f"/objects/companies/records/{company}")
        assert any(value["created_by_actor"]["type"] == "system" for value in seen["values"]["description"])


async def test_life_goes_on_once_it_is_switched_on(lab):
    async with lab(records=40) as it:
        assert (await it.look("stats"))["life"] is False
        await it.steer("life", on=True, every_s=0.01)
        async with asyncio.timeout(10):
            while len(await it.look("writes")) < 20:
                await asyncio.sleep(0.02)
        await it.steer("life", on=False)
        writes = await it.look("writes")
        assert {each["object"] for each in writes} >= {"people", "notes"}
        assert all(each["actor"].startswith("workspace-member:") for each in writes)


async def test_life_is_the_same_for_the_same_seed(lab):
    async def lived():
        async with lab(records=40, seed=5) as it:
            life = it.sandbox.world.part(Life)
            steps = [life.step() for _ in range(40)]
            return steps, [(each["object"], each["id"], each["body"]) for each in await it.look("writes")]

    first = await lived()
    assert first == await lived()
    assert sum("done" in step for step in first[0]) > 30


async def test_stats_count_requests_by_endpoint(lab):
    async with lab() as it:
        await it.ok("GET", "/objects")
        await it.refused(404, "GET", "/objects/nothing")
        stats = await it.look("stats")
        assert stats["systems"]["attio"]["endpoints"]["GET /v2/objects"] == {"200": 1}
        assert stats["systems"]["attio"]["endpoints"]["GET /v2/objects/{object}"] == {"404": 1}
        assert stats["writes"] == 0
