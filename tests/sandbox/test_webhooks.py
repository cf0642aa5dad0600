from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from pathlib import Path

import jsonschema
import pytest

SCHEMA = Path(__file__).resolve().parents[3] / "shared" / "specs" / "attio-webhooks-rebuilt.json"
ALL = [
    "record.created",
    "record.updated",
    "record.merged",
    "record.deleted",
    "list-entry.created",
    "list-entry.updated",
    "list-entry.deleted",
    "list.created",
    "list.updated",
    "list-attribute.created",
    "list-attribute.updated",
    "object-attribute.created",
    "object-attribute.updated",
    "note.created",
    "note.updated",
    "note-content.updated",
    "note.deleted",
    "task.created",
    "task.updated",
    "task.deleted",
    "comment.created",
    "comment.deleted",
    "call-recording.created",
]


def hook(url, *event_types, event_filter=None):
    subscriptions = [{"event_type": each, "filter": event_filter} for each in event_types]
    return {"data": {"target_url": url, "subscriptions": subscriptions}}


async def test_the_secret_is_shown_once_and_signs(lab, receiver):
    async with lab() as it:
        made = await it.ok("POST", "/webhooks", hook(receiver.url, "record.created"))
        path = f"/webhooks/{made['id']['webhook_id']}"
        shown = await it.ok("GET", path)
        assert "secret" not in shown and {**shown, "secret": made["secret"]} == made
        assert all("secret" not in each for each in await it.ok("GET", "/webhooks"))
        await it.record()
        (got,) = await receiver.wait_for(1)
        expected = hmac.new(made["secret"].encode(), got.body, hashlib.sha256).hexdigest()
        assert got.headers["attio-signature"] == expected


async def test_https_is_demanded_unless_the_sandbox_was_told_otherwise(lab):
    async with lab(webhook_http=False) as it:
        await it.ok("POST", "/webhooks", hook("https://example.com/a", "task.created"))
        for url in (
            "http://127.0.0.1:1/x",
            "http://example.com",
            "ftp://x",
            "https://",
            "nonsense",
            "https://a b.com",
        ):
            refusal = await it.refused(400, "POST", "/webhooks", hook(url, "task.created"))
            assert refusal["validation_errors"][0]["path"] == ["data", "target_url"]
    async with lab(webhook_http=True) as it:
        await it.ok("POST", "/webhooks", hook("http://localhost:1/x", "task.created"))
        await it.refused(400, "POST", "/webhooks", hook("http://example.com", "task.created"))


async def test_the_same_target_type_and_filter_twice_is_a_conflict(lab):
    async with lab() as it:
        await it.ok("POST", "/webhooks", hook("https://example.com/a", "task.created", "task.updated"))
        refusal = await it.refused(409, "POST", "/webhooks", hook("https://example.com/a", "task.updated"))
        assert refusal["code"] == "uniqueness_conflict"
        by_actor = {"$and": [{"field": "actor.type", "operator": "equals", "value": "system"}]}
        await it.ok("POST", "/webhooks", hook("https://example.com/a", "task.updated", event_filter=by_actor))
        other = await it.ok("POST", "/webhooks", hook("https://example.com/b", "task.updated"))
        path = f"/webhooks/{other['id']['webhook_id']}"
        await it.refused(409, "PATCH", path, {"data": {"target_url": "https://example.com/a"}})
        changed = await it.ok("PATCH", path, hook("https://example.com/b", "note.created"))
        assert changed["subscriptions"] == [{"event_type": "note.created", "filter": None}]
        await it.ok("DELETE", path)
        await it.refused(404, "GET", path)
        await it.refused(404, "DELETE", path)


@pytest.mark.parametrize(
    "subscriptions",
    [
        None,
        [],
        [{"event_type": "record.exploded", "filter": None}],
        [{"event_type": "record.created"}],
        [{"event_type": "record.created", "filter": {"$not": []}}],
        [{"event_type": "record.created", "filter": {"$and": [], "$or": []}}],
        [
            {
                "event_type": "record.created",
                "filter": {"$and": [{"field": "a", "operator": "like", "value": "b"}]},
            }
        ],
    ],
)
async def test_subscriptions_that_cannot_be_are_refused(lab, subscriptions):
    async with lab() as it:
        body = {"data": {"target_url": "https://example.com", "subscriptions": subscriptions}}
        assert (await it.refused(400, "POST", "/webhooks", body))["code"] == "validation_type"


async def test_webhooks_come_ten_to_a_hundred_a_page(lab):
    async with lab() as it:
        for number in range(12):
            await it.ok("POST", "/webhooks", hook(f"https://example.com/{number}", "task.created"))
        assert len(await it.ok("GET", "/webhooks")) == 10
        assert len(await it.ok("GET", "/webhooks?limit=100&offset=2")) == 10
        await it.refused(400, "GET", "/webhooks?limit=9")
        await it.refused(400, "GET", "/webhooks?limit=101")


async def everything(it):
    """Do one of everything that Attio tells of."""
    first, second, third = [await it.record(name=name, domains=[f"{name}.com"]) for name in ("a", "b", "c")]
    await it.pipeline()
    await it.ok("PATCH", "/lists/sales", {"data": {"name": "Deals"}})
    await it.ok("PATCH", "/lists/sales/attributes/stage", {"data": {"title": "Step"}})
    entry = await it.entry(first)
    await it.ok("PATCH", f"/lists/sales/entries/{entry}", {"data": {"entry_values": {"stage": "Won"}}})
    await it.ok("DELETE", f"/lists/sales/entries/{entry}")
    attribute = {"title": "Size", "description": None, "api_slug": "size", "type": "number", "config": {}}
    marks = {"is_required": False, "is_unique": False, "is_multiselect": False}
    await it.ok("POST", "/objects/companies/attributes", {"data": attribute | marks})
    await it.ok("PATCH", "/objects/companies/attributes/size", {"data": {"title": "Sizes"}})
    await it.ok(
        "PATCH", f"/objects/companies/records/{first}", {"data": {"values": {"description": "x", "size": 5}}}
    )
    note = {
        "parent_object": "companies",
        "parent_record_id": first,
        "title": "t",
        "format": "plaintext",
        "content": "c",
    }
    note_path = f"/notes/{(await it.ok('POST', '/notes', {'data': note}))['id']['note_id']}"
    await it.ok("PATCH", note_path, {"data": {"title": "n", "format": "plaintext", "content": "d"}})
    await it.ok("DELETE", note_path)
    task = {"content": "t", "format": "plaintext", "deadline_at": None, "is_completed": False}
    task_path = f"/tasks/{(await it.ok('POST', '/tasks', {'data': {**task, 'linked_records': [], 'assignees': []}}))['id']['task_id']}"
    await it.ok("PATCH", task_path, {"data": {"is_completed": True}})
    await it.ok("DELETE", task_path)
    author = {"type": "workspace-member", "id": await it.member()}
    said = {
        "format": "plaintext",
        "content": "c",
        "author": author,
        "record": {"object": "companies", "record_id": first},
    }
    comment = await it.ok("POST", "/comments", {"data": said})
    await it.ok("DELETE", f"/comments/{comment['thread_id']}")
    when = {"start": {"date": "2026-12-01"}, "end": {"date": "2026-12-01"}, "is_all_day": True}
    meeting = {"title": "m", "description": "d", "participants": [], "external_ref": "x", **when}
    meeting_id = (await it.ok("POST", "/meetings", {"data": meeting}))["id"]["meeting_id"]
    await it.ok("POST", f"/meetings/{meeting_id}/call_recordings", {"data": {"video_url": "https://x.com/v"}})
    both = {"primary_record_id": first, "secondary_record_id": second}
    await it.ok("POST", "/objects/companies/records/merge", {"data": both})
    await it.ok("DELETE", f"/objects/companies/records/{third}")
    await it.steer("clock", advance_s=10)


async def test_every_event_is_told_in_the_documented_shape(lab, receiver):
    async with lab() as it:
        await it.ok("POST", "/webhooks", hook(receiver.url, *ALL))
        await everything(it)
        async with asyncio.timeout(10):
            while (await it.look("deliveries"))["pending"]:
                await asyncio.sleep(0.02)
    told = {}
    for got in receiver.received:
        body = json.loads(got.body)
        told.setdefault(body["events"][0]["event_type"], []).append(body)
    assert set(told) == set(ALL)
    for bodies in told.values():
        assert all(len(body["events"]) == 1 for body in bodies)
    if SCHEMA.exists():
        document = json.loads(SCHEMA.read_text())
        for event_type, bodies in told.items():
            content = document["webhooks"][event_type]["post"]["requestBody"]["content"]
            schema = {**content["application/json"]["schema"], "components": document["components"]}
            for body in bodies:
                jsonschema.validate(body, schema)


async def test_a_merge_is_told_twice_with_the_new_id(lab, receiver):
    async with lab() as it:
        await it.ok(
            "POST", "/webhooks", hook(receiver.url, "record.merged", "record.created", "record.deleted")
        )
        first, second = await it.record(name="a"), await it.record(name="b")
        both = {"primary_record_id": first, "secondary_record_id": second}
        new = (await it.ok("POST", "/objects/companies/records/merge", {"data": both}))["new_record_id"]
        got = await receiver.wait_for(4)
    events = [json.loads(each.body)["events"][0] for each in got]
    merged = [event for event in events if event["event_type"] == "record.merged"]
    assert {event["id"]["record_id"] for event in merged} == {new}
    assert {event["duplicate_record_id"] for event in merged} == {first, second}
    assert sorted(event["event_type"] for event in events if event not in merged) == ["record.created"] * 2


async def test_own_writes_can_be_filtered_at_the_source(lab, receiver):
    async with lab() as it:
        me = (await it.attio.get("/v2/self")).json()["client_id"]
        not_me = {"$and": [{"field": "actor.id", "operator": "not_equals", "value": me}]}
        await it.ok("POST", "/webhooks", hook(receiver.url, "record.updated", event_filter=not_me))
        company = await it.record()
        await it.ok(
            "PATCH", f"/objects/companies/records/{company}", {"data": {"values": {"description": "mine"}}}
        )
        await it.steer(
            "edit", system="attio", object="companies", id=company, values={"description": "theirs"}
        )
        (got,) = await receiver.wait_for(1)
        event = json.loads(got.body)["events"][0]
        assert event["actor"] == {"type": "workspace-member", "id": await it.member()}
        assert (await it.look("deliveries"))["pending"] == 0


async def test_a_test_event_ignores_filters(lab, receiver):
    async with lab() as it:
        nobody = {"$and": [{"field": "actor.id", "operator": "equals", "value": "nobody"}]}
        made = await it.ok("POST", "/webhooks", hook(receiver.url, "record.updated", event_filter=nobody))
        sent = await it.steer("webhooks/test", webhook_id=made["id"]["webhook_id"])
        (got,) = await receiver.wait_for(1)
        assert got.headers["idempotency-key"] == sent["key"]
