from __future__ import annotations

import asyncio
import base64
from email.utils import parsedate_to_datetime

import httpx
import pytest

from attio_console.sandbox.attio.scopes import REQUIRED, anonymous, missing


def bearer(token):
    return {"authorization": f"Bearer {token}"}


async def test_self_introduces_the_token_and_says_when_it_does_not_know_it(lab):
    async with lab() as it:
        me = (await it.attio.get("/v2/self")).json()
        assert me["active"] and me["sub"] == me["workspace_id"] and me["aud"] == me["client_id"]
        made = await it.ok("POST", "/objects/companies/records", {"data": {"values": {"name": "A"}}})
        assert made["values"]["name"][0]["created_by_actor"] == {"type": "api-token", "id": me["client_id"]}
        unknown = await it.control.get("/v2/self", headers=bearer("nonsense"))
        assert (unknown.status_code, unknown.json()) == (200, {"active": False})
        nothing = await it.control.get("/v2/self")
        assert (nothing.status_code, nothing.json()["code"]) == (400, "missing_value")


async def test_an_unknown_token_is_refused_everywhere_else(lab):
    async with lab() as it:
        for headers in ({}, bearer("nonsense"), {"authorization": "Bearer"}, {"authorization": "Basic !!"}):
            answer = await it.control.get("/v2/objects", headers=headers)
            assert answer.status_code == 401
            assert answer.json()["type"] == "auth_error" and answer.json()["code"] == "unauthorized"


async def test_basic_auth_with_the_token_as_user_name_works(lab):
    async with lab() as it:
        basic = base64.b64encode(f"{it.sandbox.token}:".encode()).decode()
        answer = await it.control.get("/v2/objects", headers={"authorization": f"Basic {basic}"})
        assert answer.status_code == 200


async def test_every_route_but_self_names_its_scopes(lab):
    from attio_console.sandbox.attio.app import attio_app
    from attio_console.sandbox.world import World

    served = {(route.method, anonymous(route.template)) for route in attio_app(World()).router.routes}
    # `/v2/{target}/{identifier}/attributes` is served as two paths, objects and lists.
    assert served - set(REQUIRED) == {("GET", "/v2/self")}
    assert set(REQUIRED) - served == set()


async def test_a_token_without_the_scope_is_told_which_one(lab):
    async with lab() as it:
        made = await it.steer(
            "tokens", workspace="northwind", scopes=["record_permission:read", "object_configuration:read"]
        )
        async with httpx.AsyncClient(base_url=it.sandbox.attio, headers=bearer(made["token"])) as client:
            assert (await client.post("/v2/objects/people/records/query", json={})).status_code == 200
            refused = await client.post("/v2/objects/people/records", json={"data": {"values": {}}})
            assert refused.status_code == 403
            assert (
                refused.json()["code"] == "unauthorized"
                and "record_permission:read-write" in refused.json()["message"]
            )
            assert (await client.get("/v2/notes")).status_code == 403


async def test_what_a_comment_hangs_on_decides_its_scopes(lab):
    async with lab() as it:
        company, member = await it.record(), await it.member()
        await it.pipeline()
        entry = await it.entry(company)
        scopes = ["comment:read-write", "object_configuration:read", "record_permission:read"]
        made = await it.steer("tokens", workspace="northwind", scopes=scopes)
        body = {"format": "plaintext", "content": "x", "author": {"type": "workspace-member", "id": member}}
        async with httpx.AsyncClient(base_url=it.sandbox.attio, headers=bearer(made["token"])) as client:
            on_record = {**body, "record": {"object": "companies", "record_id": company}}
            on_entry = {**body, "entry": {"list": "sales", "entry_id": entry}}
            assert (await client.post("/v2/comments", json={"data": on_record})).status_code == 200
            assert (await client.post("/v2/comments", json={"data": on_entry})).status_code == 403


async def test_a_users_token_may_not_manage_webhooks(lab):
    async with lab() as it:
        made = await it.steer("tokens", workspace="northwind", level="user")
        answer = await it.control.get("/v2/webhooks", headers=bearer(made["token"]))
        assert answer.status_code == 403
        assert (await it.control.get("/v2/objects", headers=bearer(made["token"]))).status_code == 200


async def test_a_revoked_token_is_unknown_from_then_on(lab):
    async with lab() as it:
        made = await it.steer("tokens", workspace="northwind")
        assert (await it.control.get("/v2/objects", headers=bearer(made["token"]))).status_code == 200
        await it.control.delete(f"/_sandbox/tokens/{made['token']}")
        assert (await it.control.get("/v2/objects", headers=bearer(made["token"]))).status_code == 401
        assert (await it.control.get("/v2/self", headers=bearer(made["token"]))).json() == {"active": False}


async def test_workspaces_do_not_see_each_other(lab, receiver):
    async with lab() as it:
        made = await it.steer("tokens", workspace="other")
        subscription = {"event_type": "record.created", "filter": None}
        await it.ok(
            "POST", "/webhooks", {"data": {"target_url": receiver.url, "subscriptions": [subscription]}}
        )
        company = await it.record(name="Mine", domains=["mine.com"])
        async with httpx.AsyncClient(base_url=it.sandbox.attio, headers=bearer(made["token"])) as other:
            assert (await other.get(f"/v2/objects/companies/records/{company}")).status_code == 404
            assert (await other.post("/v2/objects/companies/records/query", json={})).json() == {"data": []}
            assert (await other.get("/v2/webhooks")).json() == {"data": []}
            values = {"name": "Theirs", "domains": ["mine.com"]}
            assert (
                await other.post("/v2/objects/companies/records", json={"data": {"values": values}})
            ).status_code == 200
            members = (await other.get("/v2/workspace_members")).json()["data"]
            assert [member["email_address"] for member in members] == ["ada@other.example"]
        await receiver.wait_for(1)
        assert len((await it.look("deliveries"))["deliveries"]) <= 1
        assert len(receiver.received) == 1


def test_read_write_includes_read():
    assert missing(["note:read-write"], ["note:read"]) == []
    assert missing(["note:read"], ["note:read-write"]) == ["note:read-write"]


@pytest.mark.parametrize("in_seconds", [False, True])
async def test_the_25th_write_of_a_second_passes_and_the_next_is_told_when_to_come_back(lab, in_seconds):
    async with lab(limits=True, retry_after_seconds=in_seconds) as it:
        company = await it.record()
        task = {"content": "t", "format": "plaintext", "deadline_at": None, "is_completed": False}
        body = {"data": {**task, "linked_records": [], "assignees": []}}
        # Through the client that checks nothing, and all at once: what is measured is the sandbox.
        ask = [it.control.post("/v2/tasks", json=body, headers=bearer(it.sandbox.token)) for _ in range(150)]
        answers = await asyncio.gather(*ask)
        codes = [answer.status_code for answer in answers]
        assert codes.count(200) >= 24 and 429 in codes
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert (
            refused.json()["type"] == "rate_limit_error" and refused.json()["code"] == "rate_limit_exceeded"
        )
        after = refused.headers["retry-after"]
        if in_seconds:
            assert after == "1"
        else:
            wait = (
                parsedate_to_datetime(after) - parsedate_to_datetime(refused.headers["date"])
            ).total_seconds()
            assert 0 <= wait <= 3
        # Reading goes on: the two limits are apart.
        assert (await it.attio.get(f"/v2/objects/companies/records/{company}")).status_code == 200
        stats = await it.look("stats")
        assert stats["429"] == codes.count(429)
        assert stats["writes"] == 1 + codes.count(200)
        await it.steer("clock", advance_s=2)
        assert (await it.attio.post("/v2/tasks", json=body)).status_code == 200


async def test_notes_are_listed_ten_times_a_second(lab):
    async with lab(limits=True) as it:
        ask = [it.control.get("/v2/notes", headers=bearer(it.sandbox.token)) for _ in range(60)]
        codes = [answer.status_code for answer in await asyncio.gather(*ask)]
        assert codes.count(200) >= 10 and 429 in codes
