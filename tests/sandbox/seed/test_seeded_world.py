from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from attio_console.sandbox.attio.state import Crm
from attio_console.sandbox.hubspot import HubSpot
from attio_console.sandbox.hubspot import control as hubspot
from attio_console.sandbox.populate import new_workspace, populate
from attio_console.sandbox.salesforce import Salesforce
from attio_console.sandbox.salesforce import control as salesforce
from attio_console.sandbox.seed import load
from attio_console.sandbox.seed.differences import differences
from attio_console.sandbox.world import World


def make(records=2_000, seed=1):
    world = World(seed)
    populate(world, records)
    return world


@pytest.fixture(scope="module")
def world():
    return make()


def values_of(world, slug, record_id):
    crm = world.workspaces[next(iter(world.workspaces))].part(Crm)
    target = crm.object(slug)
    row = target.table.get(record_id)
    return {a.slug: [v.data for v in row.get(a.id)] for a in target.attributes.values()}


def test_twelve_differences_count_and_every_kind_is_there(world):
    found = differences(world)
    counting = [d for d in found if d.counts]
    assert len(counting) == 12
    assert [d.number for d in found] == list(range(1, len(found) + 1))
    assert {d.kind for d in found} == {"value", "blank", "deleted", "duplicate", "both_changed", "format"}
    assert Counter(d.system for d in counting) == {"hubspot": 8, "salesforce": 4}
    assert len({d.attio_record_id for d in found}) == len(found)


def test_differences_are_what_both_sides_say(world):
    contacts = {row["id"]: row for row in hubspot.dump(world, "contacts")}
    for difference in differences(world):
        values = values_of(world, difference.attio_object, difference.attio_record_id)
        if difference.field == "phone_numbers":
            assert values["phone_numbers"][0]["phone_number"] == difference.attio_value
            held = contacts.get(difference.external_id, {}).get("properties", {}).get("phone")
            if difference.system == "salesforce":
                rows = {row["Id"]: row for row in salesforce.dump(world, "Contact")}
                held = rows[difference.external_id]["Phone"]
            assert held == difference.external_value
        if difference.kind == "deleted":
            assert contacts[difference.external_id]["archived"]
        if difference.kind == "blank":
            assert "jobtitle" not in contacts[difference.external_id]["properties"]
        if difference.kind == "duplicate":
            twins = [contacts[i] for i in (difference.external_id, *difference.other_external_ids)]
            assert [t["properties"]["email"] for t in twins] == difference.external_value


def test_every_other_copy_says_the_same_as_attio(world):
    touched = {d.attio_record_id for d in differences(world)}
    people = world.workspaces[next(iter(world.workspaces))].part(Crm).object("people").table
    compared = 0
    for contact in hubspot.dump(world, "contacts"):
        key = contact["properties"].get("attio_record_id")
        if key is None or key in touched:
            continue
        values = values_of(world, "people", people.get(key).id)
        for slug, field, name in (
            ("phone_numbers", "phone_number", "phone"),
            ("job_title", "value", "jobtitle"),
            ("email_addresses", "email_address", "email"),
        ):
            first = values[slug][0][field] if values[slug] else None
            assert contact["properties"].get(name) == first
        companies = contact["associations"].get("companies", [])
        assert bool(companies) == bool(values["company"])
        compared += 1
    assert compared > 500


def test_who_changed_a_field_and_when_can_be_told_on_each_side(world):
    account, org = world.part(HubSpot), world.part(Salesforce)
    for difference in differences(world):
        if difference.kind in {"deleted", "duplicate"} or difference.changed_in == "attio":
            continue
        if difference.system == "hubspot":
            store = account.objects[difference.external_object]
            record = store.records[int(difference.external_id)]
            newest = max((v[-1] for v in record.versions.values()), key=lambda v: v.at)
            assert newest.source.type == "CRM_UI"
            assert newest.source.label
            assert newest.at > record.created_at
        else:
            history = {
                "Contact": "ContactHistory",
                "Account": "AccountHistory",
                "Opportunity": "OpportunityFieldHistory",
            }
            rows = list(org.tables[history[difference.external_object]].live())
            assert any(difference.external_id in row.values() for row in rows)


def test_a_seed_makes_the_same_world_again(world):
    again = make()
    strip = ("lastmodifieddate", "hs_lastmodifieddate", "createdate")

    def facts(one):
        return [
            {k: v for k, v in r["properties"].items() if k not in strip}
            for r in hubspot.dump(one, "contacts")
        ]

    assert facts(again) == facts(world)
    assert [d.attio_record_id for d in differences(again)] == [d.attio_record_id for d in differences(world)]


def test_an_empty_world_is_empty_everywhere():
    world = make(0)
    assert differences(world) == []
    assert list(hubspot.dump(world, "contacts")) == []
    assert list(salesforce.dump(world, "Contact")) == []


def test_above_the_stored_size_people_are_computed_and_still_have_copies():
    world = World(1)
    workspace = new_workspace(world, "Large", "large")
    found = load.populate(world, workspace, replace(load.options_for(world, 21_000), copied=1_000))
    assert len(workspace.part(Crm).object("people").table) == 21_000
    assert len([d for d in found if d.counts]) == 12
    assert len(world.part(HubSpot).objects["contacts"].records) > 300
