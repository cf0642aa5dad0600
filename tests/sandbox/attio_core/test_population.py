"""A computed crowd behaves like stored rows: read, found, changed, deleted, added to, and scanned in order."""

from __future__ import annotations

import json

import pytest

from attio_console.sandbox.attio import kernel
from attio_console.sandbox.attio.crowd import populate
from attio_console.sandbox.attio.query import answer, read_question
from attio_console.sandbox.attio.values import record_json
from attio_console.sandbox.world import SYSTEM, World

OLDEST = [{"attribute": "created_at", "direction": "asc"}]


def crowded(people=5_003, seed=7):
    world = World(seed)
    workspace = world.add_workspace("N", "n", token="t")
    workspace.add_member("A", "B", "a@n.example")
    crm = kernel.open_workspace(workspace)
    populate(workspace, people)
    return workspace, crm


@pytest.mark.parametrize("slug", ["people", "companies"])
def test_a_printed_record_is_what_reading_its_values_gives(slug):
    _, crm = crowded()
    target = crm.object(slug)
    for index in (0, 1, 2, 3, 5, 10, 499, len(target.table) - 1):
        printed = json.loads(target.table.body(index))
        assert printed == json.loads(json.dumps(record_json(crm, target, target.table.row(index))))
    assert len(target.table.body(5)) > 8_000


def test_a_seed_gives_the_same_crowd_again():
    ones, others = (crowded()[1].object("people").table for _ in range(2))
    assert ones.row(77) == others.row(77)
    assert crowded(seed=8)[1].object("people").table.row(77).id != ones.row(77).id


def test_both_sides_of_a_relationship_agree():
    _, crm = crowded(people=237)
    people, companies = crm.object("people"), crm.object("companies")
    company, team = people.attribute("company"), companies.attribute("team")
    pairs = {
        (row.id, value.data["target_record_id"])
        for row in map(people.table.row, people.table.refs())
        for value in row.get(company.id)
    }
    back = {
        (value.data["target_record_id"], row.id)
        for row in map(companies.table.row, companies.table.refs())
        for value in row.get(team.id)
    }
    assert pairs == back and len(pairs) == 230


def test_rows_are_found_by_what_is_unique():
    _, crm = crowded()
    people, companies = crm.object("people"), crm.object("companies")
    email, domain = people.attribute("email_addresses"), companies.attribute("domains")
    for index in (0, 10, 4_321, 5_002):
        row = people.table.row(index)
        for value in row.get(email.id):
            assert people.table.holders(email.id, value.data["email_address"]) == [row.id]
    row = companies.table.row(123)
    assert companies.table.holders(domain.id, row.get(domain.id)[0].data["domain"]) == [row.id]
    for nobody in ("x@y.zz", "ada.lovelace.0@x.com", "ada.lovelace.99999999@gmail.com", "a.²@b.cc"):
        assert people.table.holders(email.id, nobody) == []


async def test_changes_deletions_and_additions_lie_over_the_crowd():
    workspace, crm = crowded()
    people = crm.object("people")
    third, fourth = people.table.row(3).id, people.table.row(4).id
    kernel.update_record(workspace, "people", third, {"job_title": ["Changed"]}, SYSTEM)
    kernel.delete_record(workspace, "people", fourth, SYSTEM)
    added = kernel.create_record(
        workspace, "people", {"name": ["New"], "email_addresses": ["n@new.example"]}, SYSTEM
    )
    assert len(people.table) == 5_003
    assert people.table.get(fourth) is None

    async def ask(filter_json, sorts=OLDEST, limit=500, offset=0):
        question = read_question(crm, people, filter_json, sorts, limit, offset)
        return json.loads(await answer(crm, people, question))["data"]

    page = await ask(None, limit=6)
    assert page[3]["values"]["job_title"][0]["value"] == "Changed"
    assert page[4]["id"]["record_id"] == people.table.row(5).id
    assert (await ask(None, offset=5_002))[0]["id"]["record_id"] == added.id
    newest = await ask(None, sorts=[{"attribute": "created_at", "direction": "desc"}], limit=2)
    assert (
        newest[0]["id"]["record_id"] == added.id
        and newest[1]["id"]["record_id"] == people.table.row(5_002).id
    )
    found = await ask({"record_id": {"$in": [third, fourth, added.id]}}, sorts=None)
    assert {record["id"]["record_id"] for record in found} == {third, added.id}
    email = people.attribute("email_addresses")
    gone = crowded()[1].object("people").table.row(4).get(email.id)[0].data["email_address"]
    assert await ask({"email_addresses": gone}) == []
    kernel.update_record(workspace, "people", third, {"email_addresses": ["third@new.example"]}, SYSTEM)
    assert len(await ask({"email_addresses": "third@new.example"})) == 1
    past = crowded()[1].object("people").table.row(3).get(email.id)[0].data["email_address"]
    assert await ask({"email_addresses": past}) == []


@pytest.mark.parametrize("size", [17, 100, 500])
async def test_a_keyset_scan_sees_every_record_once(size):
    workspace, crm = crowded(people=1_203)
    people = crm.object("people")
    for index in (0, 7, 8, 9, 600, 1_202):
        kernel.delete_record(workspace, "people", people.table.row(index).id, SYSTEM)
    kernel.create_record(workspace, "people", {"name": ["New"]}, SYSTEM)
    seen: list[str] = []
    since, offset = "2000-01-01T00:00:00.000000000Z", 0
    while True:
        question = read_question(crm, people, {"created_at": {"$gte": since}}, OLDEST, size, offset)
        page = json.loads(await answer(crm, people, question))["data"]
        seen += [r["id"]["record_id"] for r in page if r["id"]["record_id"] not in seen]
        if len(page) < size:
            break
        last = page[-1]["values"]["created_at"][0]["value"]
        # Imports share one instant: a page of one instant alone is left by offset.
        offset = offset + size if last == since else 0
        since = last
    assert len(seen) == len(set(seen)) == 1_203 - 6 + 1
    assert seen == [people.table.row(ref).id for ref in people.table.refs()]


def test_a_renamed_option_or_new_attribute_shows_on_every_record():
    from attio_console.sandbox.attio import schema

    _, crm = crowded()
    people = crm.object("people")
    before = json.loads(people.table.body(9))
    schema.new_attribute(crm, people, slug="tier", title="Tier", type="text")
    strength = people.attribute("strongest_connection_strength")
    for option in strength.options.values():
        option.title += "!"
    people.version += 1
    after = json.loads(people.table.body(9))
    assert "tier" not in before["values"] and after["values"]["tier"] == []
    assert after["values"]["strongest_connection_strength"][0]["option"]["title"].endswith("!")


def test_rows_of_the_past_take_their_place_in_the_order():
    from datetime import UTC, datetime

    workspace, crm = crowded(people=300)
    people = crm.object("people")
    middle = datetime(2019, 6, 1, tzinfo=UTC)
    old = kernel.load_row(workspace, people, {"name": ["Old"]}, created_at=middle)
    order = [people.table.row(ref).id for ref in people.table.refs()]
    assert 0 < order.index(old.id) < 300
    assert [people.table.row(ref).id for ref in people.table.slice(0, 301)] == order
    assert [people.table.row(ref).id for ref in people.table.refs(newest_first=True)] == order[::-1]
