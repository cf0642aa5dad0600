from __future__ import annotations

import json

import pytest

BASES = ("/crm/v3/objects/contacts", "/crm/objects/2026-03/contacts", "/crm/objects/2026-09/0-1")


@pytest.mark.parametrize("base", BASES)
async def test_every_version_of_the_paths_serves_the_same_records(portal, base):
    made = await portal.ask(201, "POST", base, {"properties": {"email": "a@x.example", "firstname": "Ann"}})
    read = await portal.ask(200, "GET", f"{base}/{made['id']}")
    assert set(read["properties"]) == {
        "createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname",
    }  # fmt: skip
    assert read["properties"]["lastname"] is None
    assert read["archived"] is False
    assert read["id"] == read["properties"]["hs_object_id"]


async def test_only_defined_properties_come_back(portal):
    key = await portal.make(email="a@x.example")
    read = await portal.ask(200, "GET", f"/crm/v3/objects/contacts/{key}?properties=phone,nonsense")
    assert read["properties"]["phone"] is None
    assert "nonsense" not in read["properties"]


async def test_values_are_made_normal(portal):
    contact = await portal.make(email=" A@X.Example ", firstname="  Ann ")
    read = await portal.ask(200, "GET", f"/crm/v3/objects/contacts/{contact}")
    assert (read["properties"]["email"], read["properties"]["firstname"]) == ("a@x.example", "Ann")
    deal = await portal.make("deals", dealname="D", amount="1500.00", closedate="2026-12-24")
    read = await portal.ask(200, "GET", f"/crm/v3/objects/deals/{deal}")
    assert read["properties"]["amount"] == "1500"
    assert read["properties"]["closedate"] == "2026-12-24T00:00:00Z"


async def test_an_empty_text_clears_and_an_absent_property_stays(portal):
    key = await portal.make(email="a@x.example", phone="1", jobtitle="CTO")
    changed = await portal.ask(200, "PATCH", f"/crm/v3/objects/contacts/{key}", {"properties": {"phone": ""}})
    assert "phone" not in changed["properties"]
    assert changed["properties"]["jobtitle"] == "CTO"


async def test_an_address_that_is_taken_is_a_conflict_that_names_its_holder(portal):
    key = await portal.make(email="a@x.example")
    body = await portal.ask(409, "POST", "/crm/v3/objects/contacts", {"properties": {"email": "A@X.EXAMPLE"}})
    assert body["category"] == "CONFLICT"
    assert body["message"] == f"Contact already exists. Existing ID: {key}"
    assert {"status", "correlationId"} <= set(body)


@pytest.mark.parametrize(
    ("kind", "properties", "code"),
    [
        ("contacts", {"missing": "x"}, "PROPERTY_DOESNT_EXIST"),
        ("contacts", {"email": "nobody"}, "INVALID_EMAIL"),
        ("contacts", {"lifecyclestage": "unheard-of"}, "INVALID_OPTION"),
        ("contacts", {"hs_object_id": "7"}, "READ_ONLY_VALUE"),
        ("contacts", {"hubspot_owner_id": "1"}, "INVALID_OWNER_ID"),
        ("deals", {"amount": "much"}, "INVALID_NUMERIC"),
        ("deals", {"dealstage": "nowhere"}, "INVALID_OPTION"),
        ("deals", {"closedate": "soon"}, "INVALID_DATE"),
    ],
)
async def test_bad_values_are_refused_with_details_inside_the_message(portal, kind, properties, code):
    body = await portal.ask(400, "POST", f"/crm/v3/objects/{kind}", {"properties": properties})
    assert body["category"] == "VALIDATION_ERROR"
    detail = json.loads(body["message"].removeprefix("Property values were not valid: "))[0]
    assert (detail["error"], detail["name"]) == (code, next(iter(properties)))
    assert portal.writes() == []


async def test_a_list_is_walked_by_opaque_cursors_to_its_end(portal):
    keys = [await portal.make(email=f"p{n}@x.example") for n in range(7)]
    seen, after = [], None
    while True:
        query = {"limit": 3} | ({"after": after} if after else {})
        page = await portal.ask(200, "GET", "/crm/v3/objects/contacts", params=query)
        seen += [row["id"] for row in page["results"]]
        if "paging" not in page:
            break
        after = page["paging"]["next"]["after"]
    assert seen == keys
    await portal.ask(400, "GET", "/crm/v3/objects/contacts?limit=101")


async def test_archived_records_are_in_the_recycle_bin_alone(portal):
    key = await portal.make(email="a@x.example")
    await portal.ask(204, "DELETE", f"/crm/v3/objects/contacts/{key}")
    await portal.ask(404, "GET", f"/crm/v3/objects/contacts/{key}")
    await portal.ask(204, "DELETE", f"/crm/v3/objects/contacts/{key}")
    page = await portal.ask(200, "GET", "/crm/v3/objects/contacts?archived=true")
    assert [row["id"] for row in page["results"]] == [key]
    assert page["results"][0]["archivedAt"]
    assert (await portal.ask(200, "GET", f"/crm/v3/objects/contacts/{key}?archived=true"))["archived"] is True
    assert await portal.make(email="a@x.example") != key


async def test_history_tells_who_and_when_newest_first(portal):
    owner = portal.account.add_owner("Ada", "Okonkwo", "ada@x.example")
    key = await portal.make(email="a@x.example", phone="1")
    await portal.ask(200, "PATCH", f"/crm/v3/objects/contacts/{key}", {"properties": {"phone": "2"}})
    edit = {
        "system": "hubspot",
        "object": "contacts",
        "id": key,
        "values": {"phone": "3"},
        "actor": owner.email,
    }
    await portal.ask(200, "POST", f"{portal.sandbox.control}/edit", edit)
    read = await portal.ask(200, "GET", f"/crm/v3/objects/contacts/{key}?propertiesWithHistory=phone")
    versions = read["propertiesWithHistory"]["phone"]
    assert [v["value"] for v in versions] == ["3", "2", "1"]
    assert [v["sourceType"] for v in versions] == ["CRM_UI", "INTEGRATION", "INTEGRATION"]
    assert versions[0]["updatedByUserId"] == owner.user_id
    assert versions[0]["timestamp"] >= versions[1]["timestamp"] >= versions[2]["timestamp"]


async def test_a_merge_makes_a_new_record_that_both_old_ids_lead_to(portal):
    one, two = (
        await portal.make(email="a@x.example", phone="1"),
        await portal.make(email="b@x.example", jobtitle="CTO"),
    )
    company = await portal.make("companies", name="X")
    await portal.ask(200, "PUT", f"/crm/v4/objects/contacts/{two}/associations/default/companies/{company}")
    merged = await portal.ask(
        200, "POST", "/crm/v3/objects/contacts/merge", {"primaryObjectId": one, "objectIdToMerge": two}
    )
    assert merged["id"] not in {one, two}
    assert merged["properties"]["hs_merged_object_ids"] == f"{one};{two}"
    assert (merged["properties"]["email"], merged["properties"]["jobtitle"]) == ("a@x.example", "CTO")
    for old in (one, two):
        assert (await portal.ask(200, "GET", f"/crm/v3/objects/contacts/{old}"))["id"] == merged["id"]
    by_email = await portal.ask(200, "GET", "/crm/v3/objects/contacts/b@x.example?idProperty=email")
    assert by_email["id"] == merged["id"]
    page = await portal.ask(200, "GET", "/crm/v3/objects/contacts?associations=companies")
    assert [row["id"] for row in page["results"]] == [merged["id"]]
    assert page["results"][0]["associations"]["companies"]["results"][0]["id"] == company


async def test_a_lifecycle_stage_goes_back_only_through_nothing(portal):
    key = await portal.make(email="a@x.example", lifecyclestage="customer")

    async def put(value):
        sent = {"properties": {"lifecyclestage": value}}
        answer = await portal.ask(200, "PATCH", f"/crm/v3/objects/contacts/{key}", sent)
        return answer["properties"].get("lifecyclestage")

    assert await put("lead") == "customer"
    assert await put("") is None
    assert await put("lead") == "lead"


async def test_every_accepted_write_is_in_the_journal_once(portal):
    key = await portal.make(email="a@x.example")
    await portal.ask(200, "PATCH", f"/crm/v3/objects/contacts/{key}", {"properties": {"phone": "1"}})
    await portal.ask(400, "PATCH", f"/crm/v3/objects/contacts/{key}", {"properties": {"nope": "1"}})
    assert [(w["method"], w["id"]) for w in portal.writes()] == [("POST", key), ("PATCH", key)]
    assert portal.writes()[1]["body"] == {"properties": {"phone": "1"}}


async def test_an_unknown_path_and_a_broken_body_get_hubspot_shaped_errors(portal):
    body = await portal.ask(404, "GET", "/crm/v3/nothing")
    assert body["status"] == "error"
    answer = await portal.http.post(
        "/crm/v3/objects/contacts", content=b"{", headers={"content-type": "application/json"}
    )
    assert answer.status_code == 400
    assert answer.json()["category"] == "VALIDATION_ERROR"
    await portal.ask(405, "PUT", "/crm/v3/objects/contacts")
    await portal.ask(400, "GET", "/crm/v3/objects/spaceships")
