"""The published wrapper `py-attio`, unmodified, and the paging of a published connector, against the sandbox."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future

import pytest

from attio_console.sandbox import SandboxOptions, running

client_module = pytest.importorskip("py_attio.client", reason="pip install -e '.[compat]'")

pytestmark = pytest.mark.compat


@pytest.fixture(scope="module")
def client():
    """The wrapper, pointed at a sandbox on a loop in another thread, because its calls block."""
    started: Future = Future()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def live():
        async with running(SandboxOptions(records=1200, limits=False)) as it:
            started.set_result(it)
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(live(),))
    thread.start()
    sandbox = started.result(timeout=60)
    client = client_module.Client(sandbox.token)
    client.base_url = f"{sandbox.attio}/v2"
    yield client
    loop.call_soon_threadsafe(stop.set)
    thread.join(timeout=30)
    loop.close()


def test_records_lists_and_what_hangs_on_them(client):
    assert client.identify_self()["active"]
    assert {"people", "companies", "deals"} <= {o["api_slug"] for o in client.list_objects()["data"]}
    values = {"email_addresses": ["py@wrapper.example"], "name": ["Wrapper, Py"]}
    made = client.create_record("people", {"data": {"values": values}})["data"]["id"]["record_id"]
    client.update_record("people", made, {"data": {"values": {"job_title": "CTO"}}})
    found = client.list_records("people", {"filter": {"email_addresses": "py@wrapper.example"}})["data"]
    assert [each["values"]["job_title"][0]["value"] for each in found] == ["CTO"]
    access = {"workspace_access": "full-access", "workspace_member_access": []}
    client.create_list({"data": {"name": "W", "api_slug": "w", "parent_object": "people", **access}})
    entry = {"parent_record_id": made, "parent_object": "people", "entry_values": {}}
    client.create_entry("w", {"data": entry})
    client.assert_entries("w", {"data": entry})
    assert len(client.list_record_entries("people", made)["data"]) == 1
    note = {
        "parent_object": "people",
        "parent_record_id": made,
        "title": "t",
        "format": "plaintext",
        "content": "c",
    }
    note_id = client.create_note({"data": note})["data"]["id"]["note_id"]
    assert client.get_note(note_id)["data"]["content_plaintext"] == "c"
    client.delete_note(note_id)
    client.delete_record("people", made)
    with pytest.raises(Exception, match="404"):
        client.get_record("people", made)


def test_a_walk_in_pages_of_a_thousand_that_ends_with_a_short_one_sees_every_row(client):
    seen, offset = set(), 0
    while True:
        sorts = [{"attribute": "created_at", "direction": "asc"}]
        page = client.list_records("people", {"limit": 1000, "offset": offset, "sorts": sorts})["data"]
        seen.update(each["id"]["record_id"] for each in page)
        if len(page) < 1000:
            break
        offset += 1000
    assert len(seen) == 1200
