from __future__ import annotations

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import pytest


async def test_a_property_can_be_defined_unique_and_then_found_by(portal):
    sent = {
        "name": "erp_id", "label": "ERP", "type": "string", "fieldType": "text", "groupName": "contactinformation",
        "hasUniqueValue": True,
    }  # fmt: skip
    made = await portal.ask(201, "POST", "/crm/v3/properties/contacts", sent)
    assert made["hasUniqueValue"] is True
    assert made["modificationMetadata"]["readOnlyValue"] is False
    body = await portal.ask(409, "POST", "/crm/v3/properties/contacts", sent)
    assert body["category"] == "OBJECT_ALREADY_EXISTS"
    key = await portal.make(erp_id="E-7")
    read = await portal.ask(200, "GET", "/crm/v3/objects/contacts/E-7?idProperty=erp_id")
    assert read["id"] == key
    listed = await portal.ask(200, "GET", "/crm/properties/2026-03/0-1")
    assert "erp_id" in {p["name"] for p in listed["results"]}


async def test_no_more_than_ten_unique_properties(portal):
    def sent(n):
        return {
            "name": f"key{n}", "label": "K", "type": "string", "fieldType": "text", "groupName": "dealinformation",
            "hasUniqueValue": True,
        }  # fmt: skip

    for n in range(9):
        await portal.ask(201, "POST", "/crm/v3/properties/deals", sent(n))
    await portal.ask(400, "POST", "/crm/v3/properties/deals", sent(9))


async def test_owners_and_pipelines_appear_as_options(portal):
    owner = portal.account.add_owner("Ada", "Okonkwo", "ada@x.example")
    portal.account.add_owner("Gone", "Person", "gone@x.example", archived=True)
    page = await portal.ask(200, "GET", "/crm/v3/owners/?limit=100&email=ADA@x.example")
    assert [row["id"] for row in page["results"]] == [str(owner.id)]
    assert page["results"][0]["userId"] == owner.user_id != owner.id
    prop = await portal.ask(200, "GET", "/crm/v3/properties/contacts/hubspot_owner_id")
    assert [o["value"] for o in prop["options"]] == [str(owner.id)]
    pipelines = await portal.ask(200, "GET", "/crm/v3/pipelines/deals")
    stages = pipelines["results"][0]["stages"]
    stage = await portal.ask(200, "GET", "/crm/v3/properties/deals/dealstage")
    assert [o["value"] for o in stage["options"]] == [s["id"] for s in stages]
    assert set(stages[0]["metadata"]) == {"isClosed", "probability"}


async def test_who_the_account_is_and_what_it_used(start):
    async with start(limits=True) as portal:
        details = await portal.ask(200, "GET", "/account-info/v3/details")
        assert details["portalId"] == portal.account.portal_id
        usage = await portal.ask(200, "GET", "/account-info/v3/api-usage/daily/private-apps")
        assert usage["results"][0]["currentUsage"] == 2


async def test_without_a_key_nothing_opens(portal):
    body = await portal.ask(401, "GET", "/crm/v3/objects/contacts", headers={"authorization": "Bearer nope"})
    assert body["category"] == "INVALID_AUTHENTICATION"


async def test_a_key_without_the_scope_is_told_which_one(portal):
    portal.account.keyring.add("narrow", "service-key", scopes=("crm.objects.contacts.read",))
    headers = {"authorization": "Bearer narrow"}
    await portal.ask(200, "GET", "/crm/v3/objects/contacts", headers=headers)
    body = await portal.ask(403, "POST", "/crm/v3/objects/contacts", {"properties": {}}, headers=headers)
    assert body["category"] == "MISSING_SCOPES"
    assert body["errors"][0]["context"]["requiredGranularScopes"] == ["crm.objects.contacts.write"]


async def test_oauth_with_pkce_from_consent_to_expiry_to_refresh(portal):
    app = portal.account.keyring.app
    verifier = "v" * 50
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    query = {
        "client_id": app.client_id, "redirect_uri": "http://127.0.0.1:9/cb", "scope": "crm.objects.contacts.read oauth",
        "state": "s1", "code_challenge": challenge, "code_challenge_method": "S256",
    }  # fmt: skip
    consent = await portal.http.get("/oauth/authorize", params=query)
    assert consent.status_code == 302
    back = parse_qs(urlsplit(consent.headers["location"]).query)
    assert back["state"] == ["s1"]
    form = {
        "grant_type": "authorization_code", "client_id": app.client_id, "redirect_uri": query["redirect_uri"],
        "code": back["code"][0], "code_verifier": verifier,
    }  # fmt: skip
    answer = await portal.http.post("/oauth/v3/token", data=form)
    token = answer.json()
    assert (answer.status_code, token["expires_in"], token["token_type"]) == (200, 1800, "bearer")
    again = await portal.http.post("/oauth/v3/token", data=form)
    assert again.status_code == 400
    headers = {"authorization": f"Bearer {token['access_token']}"}
    await portal.ask(200, "GET", "/crm/v3/objects/contacts", headers=headers)
    portal.sandbox.world.clock.advance(1_801)
    body = await portal.ask(401, "GET", "/crm/v3/objects/contacts", headers=headers)
    assert body["category"] == "EXPIRED_AUTHENTICATION"
    refresh = {
        "grant_type": "refresh_token", "client_id": app.client_id, "client_secret": app.client_secret,
        "refresh_token": token["refresh_token"],
    }  # fmt: skip
    fresh = (await portal.http.post("/oauth/v1/token", data=refresh)).json()
    await portal.ask(
        200, "GET", "/crm/v3/objects/contacts", headers={"authorization": f"Bearer {fresh['access_token']}"}
    )
    wrong = await portal.http.post("/oauth/v1/token", data={**refresh, "client_secret": "x"})
    assert wrong.json()["status"] == "BAD_CLIENT_SECRET"


async def test_ten_seconds_hold_190_calls_and_say_so(start):
    async with start(limits=True) as portal:
        first = await portal.http.get("/crm/v3/objects/contacts")
        assert first.headers["X-HubSpot-RateLimit-Max"] == "190"
        assert first.headers["X-HubSpot-RateLimit-Remaining"] == "189"
        assert first.headers["X-HubSpot-RateLimit-Daily-Remaining"] == "624999"
        for _ in range(189):
            await portal.ask(200, "GET", "/crm/v3/objects/contacts")
        body = await portal.ask(429, "GET", "/crm/v3/objects/contacts")
        assert (body["policyName"], body["errorType"]) == ("TEN_SECONDLY_ROLLING", "RATE_LIMIT")
        portal.sandbox.world.clock.advance(10)
        await portal.ask(200, "GET", "/crm/v3/objects/contacts")


async def test_search_has_five_a_second_and_no_headers(start):
    async with start(limits=True) as portal:
        answers = [await portal.http.post("/crm/v3/objects/contacts/search", json={}) for _ in range(6)]
        assert [a.status_code for a in answers] == [200] * 5 + [429]
        assert answers[-1].json()["policyName"] == "SECONDLY"
        assert not [h for h in answers[0].headers if "ratelimit" in h]


async def test_a_day_ends_at_midnight(start):
    async with start(limits=True) as portal:
        clock = portal.sandbox.world.clock
        first = await portal.http.get("/crm/v3/objects/contacts")
        clock.advance(86_400)
        second = await portal.http.get("/crm/v3/objects/contacts")
        name = "X-HubSpot-RateLimit-Daily-Remaining"
        assert first.headers[name] == second.headers[name]


@pytest.mark.parametrize("kind", ["contacts", "companies", "deals"])
async def test_somebody_else_edits_deletes_and_merges_through_the_control_surface(portal, kind):
    control = portal.sandbox.control
    name = {"contacts": "firstname", "companies": "name", "deals": "dealname"}[kind]
    body = {"system": "hubspot", "object": kind, "values": {name: "A"}, "actor": "system"}
    one = (await portal.ask(200, "POST", f"{control}/edit", body))["id"]
    two = (await portal.ask(200, "POST", f"{control}/edit", body))["id"]
    merged = await portal.ask(
        200, "POST", f"{control}/merge", {"system": "hubspot", "object": kind, "id": one, "other_id": two}
    )
    await portal.ask(
        200, "POST", f"{control}/delete", {"system": "hubspot", "object": kind, "id": merged["id"]}
    )
    page = await portal.ask(200, "GET", f"/crm/v3/objects/{kind}?archived=true")
    assert [row["id"] for row in page["results"]] == [merged["id"]]
    assert [w["method"] for w in portal.writes()] == ["EDIT", "EDIT", "MERGE", "DELETE"]
