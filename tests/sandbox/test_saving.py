"""A sandbox that is stopped and started again over a directory is the same sandbox."""

from __future__ import annotations

import asyncio
import json
import stat

import httpx
import pytest

from attio_console.sandbox import SandboxOptions, StateUnreadable, StateUnsavable, running
from attio_console.sandbox.saving import FILE, save
from attio_console.sandbox.world import Settings, World


async def dumps(it):
    async with httpx.AsyncClient(base_url=it.control, timeout=30) as client:
        return {
            (system, name): (await client.get(f"/dump/{system}/{name}")).text
            for system in ("attio", "hubspot", "salesforce")
            for name in (await client.get(f"/dump/{system}")).json()
        }


async def test_everything_is_there_again_after_a_stop(tmp_path, receiver):
    options = SandboxOptions(records=60, state=tmp_path, webhook_http=True, limits=False)
    async with running(options) as it:
        headers = {"authorization": f"Bearer {it.token}"}
        async with httpx.AsyncClient(base_url=it.attio, headers=headers, timeout=30) as client:
            subscription = {"event_type": "record.updated", "filter": None}
            body = {"data": {"target_url": receiver.url, "subscriptions": [subscription]}}
            webhook = (await client.post("/v2/webhooks", json=body)).json()["data"]
            person = json.loads((await client.get("/_sandbox/dump/attio/people")).text.splitlines()[0])
            contact = json.loads((await client.get("/_sandbox/dump/hubspot/contacts")).text.splitlines()[0])
            account = json.loads((await client.get("/_sandbox/dump/salesforce/Account")).text.splitlines()[0])
            path = f"/v2/objects/people/records/{person['id']['record_id']}"
            await client.patch(path, json={"data": {"values": {"job_title": "One"}}})
            await client.patch(path, json={"data": {"values": {"job_title": "Two"}}})
            for system, name, identifier, values in (
                ("hubspot", "contacts", contact["id"], {"jobtitle": "Edited"}),
                ("salesforce", "Account", account["Id"], {"Name": "Edited"}),
            ):
                edit = {"system": system, "object": name, "id": identifier, "values": values}
                assert (await client.post("/_sandbox/edit", json=edit)).status_code == 200
            history = (await client.get(f"{path}/attributes/job_title/values?show_historic=true")).json()
            writes = (await client.get("/_sandbox/writes")).json()
            await receiver.wait_for(2)
            receiver.answer = lambda _: 503
            await client.patch(path, json={"data": {"values": {"job_title": "Three"}}})
            await receiver.wait_for(3)
            history = (await client.get(f"{path}/attributes/job_title/values?show_historic=true")).json()
            writes = (await client.get("/_sandbox/writes")).json()
            while (await client.get("/_sandbox/deliveries")).json()["deliveries"][-1]["outcome"] != "503":
                await asyncio.sleep(0.01)
        before, tokens = await dumps(it), it.tokens
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    receiver.answer = lambda _: 200
    async with running(options) as it:
        assert await dumps(it) == before
        assert {**it.tokens, "salesforce": None} == {**tokens, "salesforce": None}
        for name in ("access_token", "refresh_token", "client_id", "client_secret", "username"):
            assert it.tokens["salesforce"][name] == tokens["salesforce"][name]
        async with httpx.AsyncClient(base_url=it.attio, headers=headers, timeout=30) as client:
            assert (
                await client.get(f"{path}/attributes/job_title/values?show_historic=true")
            ).json() == history
            assert (await client.get("/_sandbox/writes")).json() == writes
            # What was not delivered before the stop is delivered now, under its old key.
            got = await receiver.wait_for(4)
            assert got[3].headers["idempotency-key"] == got[2].headers["idempotency-key"]
            assert (await client.get(f"/v2/webhooks/{webhook['id']['webhook_id']}")).json()["data"][
                "status"
            ] == "active"
            await client.patch(path, json={"data": {"values": {"job_title": "Four"}}})
            await receiver.wait_for(5)
            made = await client.post(
                "/v2/objects/people/records", json={"data": {"values": {"name": "New, Ada"}}}
            )
            assert made.json()["data"]["id"]["record_id"] not in before["attio", "people"]
            assert (await client.get("/_sandbox/writes")).json()[-1]["seq"] == len(writes) + 2


async def test_an_unusable_state_is_refused_with_a_sentence(tmp_path):
    path = tmp_path / FILE
    save(World(1, settings=Settings()), tmp_path)
    whole = path.read_bytes()
    for broken in (
        b"",
        b"nonsense",
        whole[:-3],
        whole.replace(b"console sandbox ", b"console sandbox 9."),
        whole[:-1] + b"x",
    ):
        path.write_bytes(broken)
        with pytest.raises(StateUnreadable, match="cannot be used"):
            async with running(SandboxOptions(records=0, state=tmp_path)):
                pass


async def test_a_document_cannot_name_what_is_not_of_this_package(tmp_path):
    from attio_console.sandbox.graph import NotPlain, Reader

    for node in (
        ["object", "os:system", []],
        ["function", "subprocess:run"],
        ["object", "attio_console.sandbox.world:os.system", []],
        ["class", "attio_console.sandbox.saving:os"],
        ["method", [1], "clear"],
        ["pickle", "x"],
        ["list"],
        7,
    ):
        with pytest.raises(NotPlain):
            Reader([node, ["list", []]]).value([0])


async def test_a_state_is_saved_on_request(tmp_path):
    async with (
        running(SandboxOptions(records=0, state=tmp_path / "new")) as it,
        httpx.AsyncClient() as client,
    ):
        saved = await client.post(f"{it.control}/save", json={})
        assert saved.json() == {"path": str(tmp_path / "new" / FILE)}
        assert (tmp_path / "new" / FILE).exists()
    async with running(SandboxOptions(records=0)) as it, httpx.AsyncClient() as client:
        assert (await client.post(f"{it.control}/save", json={})).status_code == 400


async def test_a_world_too_large_to_be_saved_is_refused_at_once(tmp_path):
    with pytest.raises(StateUnsavable):
        async with running(SandboxOptions(records=20_001, state=tmp_path)):
            pass
