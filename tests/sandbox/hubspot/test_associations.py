from __future__ import annotations

import pytest


@pytest.fixture
async def pair(portal):
    return await portal.make(email="a@x.example"), await portal.make("companies", name="X")


@pytest.mark.parametrize(
    "base", ["/crm/v4/associations", "/crm/associations/2026-03", "/crm/associations/2026-09"]
)
async def test_both_sides_see_an_association_in_every_version(portal, pair, base):
    contact, company = pair
    inputs = [{"from": {"id": contact}, "to": {"id": company}}]
    await portal.ask(201, "POST", f"{base}/contacts/companies/batch/associate/default", {"inputs": inputs})
    seen = await portal.ask(
        200, "POST", f"{base}/contacts/companies/batch/read", {"inputs": [{"id": contact}]}
    )
    kinds = {t["typeId"]: t["label"] for t in seen["results"][0]["to"][0]["associationTypes"]}
    assert kinds == {1: "Primary", 279: None}
    back = await portal.ask(
        200, "POST", f"{base}/companies/contacts/batch/read", {"inputs": [{"id": company}]}
    )
    assert {t["typeId"] for t in back["results"][0]["to"][0]["associationTypes"]} == {2, 280}


async def test_records_with_none_come_as_errors_beside_the_rest(portal, pair):
    body = await portal.ask(
        207, "POST", "/crm/v4/associations/contacts/companies/batch/read", {"inputs": [{"id": pair[0]}]}
    )
    assert body["results"] == []
    assert body["errors"][0]["subCategory"].endswith("NO_ASSOCIATIONS_FOUND")


async def test_only_one_company_is_the_primary_one(portal, pair):
    contact, first = pair
    second = await portal.make("companies", name="Y")
    path = "/crm/v4/associations/contacts/companies/batch/create"

    def types(number):
        return [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": number}]

    for company, number in ((first, 279), (second, 279), (second, 1)):
        one = {"from": {"id": contact}, "to": {"id": company}, "types": types(number)}
        await portal.ask(201, "POST", path, {"inputs": [one]})
    rows = (await portal.ask(200, "GET", f"/crm/v4/objects/contacts/{contact}/associations/companies"))[
        "results"
    ]
    primary = [r["toObjectId"] for r in rows if any(t["typeId"] == 1 for t in r["associationTypes"])]
    assert primary == [second]
    assert len(rows) == 2


async def test_associations_can_be_given_with_the_record_and_taken_away(portal, pair):
    _, company = pair
    link = {
        "to": {"id": company},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}],
    }
    made = await portal.ask(
        201,
        "POST",
        "/crm/v3/objects/contacts",
        {"properties": {"email": "b@x.example"}, "associations": [link]},
    )
    read = await portal.ask(200, "GET", f"/crm/v3/objects/contacts/{made['id']}?associations=companies")
    assert {r["type"] for r in read["associations"]["companies"]["results"]} == {
        "contact_to_company", "contact_to_company_unlabeled",
    }  # fmt: skip
    await portal.ask(204, "DELETE", f"/crm/v4/objects/contacts/{made['id']}/associations/companies/{company}")
    read = await portal.ask(200, "GET", f"/crm/v3/objects/contacts/{made['id']}?associations=companies")
    assert "associations" not in read


async def test_a_wrong_type_makes_neither_record_nor_association(portal, pair):
    _, company = pair
    link = {
        "to": {"id": company},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 3}],
    }
    sent = {"properties": {"email": "b@x.example"}, "associations": [link]}
    await portal.ask(400, "POST", "/crm/v3/objects/contacts", sent)
    assert len(portal.account.store("contacts").records) == 1


async def test_a_note_moves_the_stamp_of_the_contact_it_is_logged_on(portal, pair):
    contact, _ = pair
    portal.sandbox.world.clock.advance(60)
    before = await portal.ask(200, "GET", f"/crm/v3/objects/contacts/{contact}")
    link = {
        "to": {"id": contact},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 202}],
    }
    properties = {"hs_note_body": "Called", "hs_timestamp": "2026-11-23T09:00:00Z"}
    await portal.ask(201, "POST", "/crm/v3/objects/notes", {"properties": properties, "associations": [link]})
    after = await portal.ask(200, "GET", f"/crm/v3/objects/contacts/{contact}")
    assert after["properties"]["lastmodifieddate"] > before["properties"]["lastmodifieddate"]


async def test_clients_of_version_3_associate_by_name(portal, pair):
    contact, company = pair
    base = "/crm/v3/associations/contacts/companies"
    types = (await portal.ask(200, "GET", f"{base}/types"))["results"]
    assert {"id": "1", "name": "contact_to_company"} in types
    one = {"from": {"id": contact}, "to": {"id": company}, "type": "contact_to_company"}
    none = await portal.ask(207, "POST", f"{base}/batch/read", {"inputs": [{"id": contact}]})
    assert none["errors"][0]["subCategory"].endswith("NO_ASSOCIATIONS_FOUND")
    made = await portal.ask(201, "POST", f"{base}/batch/create", {"inputs": [one]})
    assert made["results"] == [one]
    seen = await portal.ask(200, "POST", f"{base}/batch/read", {"inputs": [{"id": contact}]})
    assert {"id": company, "type": "contact_to_company"} in seen["results"][0]["to"]
    wrong = {**one, "type": "contact_to_nobody"}
    await portal.ask(400, "POST", f"{base}/batch/create", {"inputs": [wrong]})
    await portal.ask(204, "POST", f"{base}/batch/archive", {"inputs": [one]})
    await portal.ask(207, "POST", f"{base}/batch/read", {"inputs": [{"id": contact}]})
    assert [w["method"] for w in portal.writes()][-2:] == ["POST", "POST"]
    for path in ("/crm/v3/schemas", "/crm-object-schemas/v3/schemas"):
        assert await portal.ask(200, "GET", path) == {"results": []}
