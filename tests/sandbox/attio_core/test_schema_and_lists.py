"""Objects, attributes, lists, entries and members, and that every operation of the kernel has been held to the contract."""

from __future__ import annotations

import pytest

LIST = {
    "name": "Pipeline",
    "api_slug": "pipeline",
    "parent_object": "companies",
    "workspace_access": "full-access",
    "workspace_member_access": [],
}
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
async def pipeline(api):
    await api.ok("POST", "/lists", {"data": LIST})
    await api.custom("status", "stage", on="lists/pipeline")
    for title in ("New", "Contacted"):
        await api.ok("POST", "/lists/pipeline/attributes/stage/statuses", {"data": {"title": title}})
    await api.custom("select", "tags", on="lists/pipeline", is_multiselect=True)
    for title in ("A", "B"):
        await api.ok("POST", "/lists/pipeline/attributes/tags/options", {"data": {"title": title}})
    company = await api.create("companies", domains=["acme.com"])
    record_id = company["id"]["record_id"]
    return {"parent_record_id": record_id, "parent_object": "companies", "entry_values": {}}


async def test_objects_are_made_renamed_and_deleted(api):
    made = await api.things()
    clash = {"data": {"api_slug": "things", "singular_noun": "A", "plural_noun": "B"}}
    assert (await api.refused("POST", "/objects", clash))["code"] == "slug_conflict"
    renamed = await api.ok("PATCH", "/objects/things", {"data": {"api_slug": "stuff"}})
    assert renamed["id"] == made["id"] and renamed["api_slug"] == "stuff"
    assert (await api.refused("GET", "/objects/things"))["status_code"] == 404
    empty = await api.refused("PATCH", "/objects/stuff", {"data": {}})
    assert empty["code"] == "validation_type" and "empty payload" in empty["message"]
    attributes = await api.ok("GET", f"/objects/{made['id']['object_id']}/attributes")
    assert [a["api_slug"] for a in attributes] == ["record_id", "created_at", "created_by"]
    assert await api.ok("DELETE", "/objects/stuff") == {}
    assert (await api.refused("DELETE", "/objects/people"))["code"] == "system_edit_unauthorized"
    assert [o["api_slug"] for o in await api.ok("GET", "/objects")][:3] == ["people", "companies", "deals"]


async def test_attributes_are_made_changed_and_archived_never_deleted(api):
    await api.things()
    made = await api.custom("text", "note")
    assert made["default_value"] is None and made["is_writable"] is True
    assert (await api.ok("GET", "/objects/things/attributes/note")) == made
    duplicate = {**{k: made[k] for k in ("title", "description", "api_slug", "type")}, "config": {}}
    duplicate |= {"is_required": False, "is_unique": False, "is_multiselect": False}
    refused = await api.refused("POST", "/objects/things/attributes", {"data": duplicate})
    assert (refused["status_code"], refused["code"]) == (409, "slug_conflict")
    changed = await api.ok(
        "PATCH", "/objects/things/attributes/note", {"data": {"title": "Remark", "api_slug": "remark"}}
    )
    assert changed["title"] == "Remark"
    row = await api.create("things", remark=["kept"])
    await api.ok("PATCH", "/objects/things/attributes/remark", {"data": {"is_archived": True}})
    hidden = await api.ok("GET", f"/objects/things/records/{row['id']['record_id']}")
    assert "remark" not in hidden["values"]
    assert len(await api.ok("GET", "/objects/things/attributes?show_archived=true")) == 4
    assert len(await api.ok("GET", "/objects/things/attributes")) == 3
    assert len(await api.ok("GET", "/objects/things/attributes?limit=1&offset=1")) == 1
    system = await api.refused("PATCH", "/objects/people/attributes/name", {"data": {"title": "X"}})
    assert (system["code"], system["message"]) == (
        "system_edit_unauthorized",
        "Cannot update a System attribute.",
    )
    assert (await api.refused("GET", "/objects/things/attributes/nope"))["message"] == (
        'Attribute with slug/ID "nope" not found.'
    )
    kinds = {event["event_type"] for event in api.events}
    assert {"object-attribute.created", "object-attribute.updated"} <= kinds


async def test_a_relationship_is_made_from_both_ends(api):
    await api.things()
    relationship = {"object": "companies", "title": "Things", "api_slug": "things", "is_multiselect": True}
    made = await api.custom("record-reference", "owner_firm", relationship=relationship)
    assert made["relationship"]["api_slug"] == "things" and made["relationship"]["object_slug"] == "companies"
    other = await api.ok("GET", "/objects/companies/attributes/things")
    assert other["relationship"]["api_slug"] == "owner_firm"
    company = await api.create("companies", domains=["acme.com"])
    thing = await api.create("things", owner_firm=["acme.com"])
    seen = await api.ok("GET", f"/objects/companies/records/{company['id']['record_id']}")
    assert seen["values"]["things"][0]["target_record_id"] == thing["id"]["record_id"]


async def test_a_plain_reference_forgets_a_deleted_record(api):
    await api.things()
    config = {"record_reference": {"allowed_objects": ["companies", "people"]}}
    await api.custom("record-reference", "about", is_multiselect=True, config=config)
    company = await api.create("companies", domains=["acme.com"])
    target = {"target_object": "companies", "target_record_id": company["id"]["record_id"]}
    thing = await api.create("things", about=[target])
    await api.ok("DELETE", f"/objects/companies/records/{company['id']['record_id']}")
    assert (await api.ok("GET", f"/objects/things/records/{thing['id']['record_id']}"))["values"][
        "about"
    ] == []


async def test_lists_are_made_and_changed(api):
    made = await api.ok("POST", "/lists", {"data": LIST})
    assert made["parent_object"] == ["companies"]
    assert (await api.refused("POST", "/lists", {"data": LIST}))["message"] == (
        'A list with api_slug "pipeline" already exists.'
    )
    assert (await api.refused("POST", "/lists", {"data": {**LIST, "parent_object": "nope"}}))[
        "status_code"
    ] == 404
    access = [{"workspace_member_id": UNKNOWN, "level": "full-access"}]
    unknown = await api.refused("PATCH", "/lists/pipeline", {"data": {"workspace_member_access": access}})
    assert unknown["message"] == f'Workspace member with ID "{UNKNOWN}" not found.'
    nobody = {"data": {"name": "Deals", "workspace_access": None}}
    assert (await api.refused("PATCH", "/lists/pipeline", nobody))["code"] == "validation_type"
    owner = [{"workspace_member_id": next(iter(api.workspace.members)), "level": "full-access"}]
    nobody["data"]["workspace_member_access"] = owner
    renamed = await api.ok("PATCH", "/lists/pipeline", nobody)
    assert (renamed["name"], renamed["workspace_access"]) == ("Deals", None)
    assert (
        await api.ok("GET", "/lists") == [renamed] == [await api.ok("GET", f"/lists/{made['id']['list_id']}")]
    )
    assert (await api.refused("GET", "/lists/nope"))["message"] == 'List with slug/ID "nope" not found.'
    assert [e["event_type"] for e in api.events] == ["list.created", "list.updated"]


async def test_entries_live_through_everything(api, pipeline):
    path = "/lists/pipeline/entries"
    made = await api.ok(
        "POST", path, {"data": {**pipeline, "entry_values": {"stage": ["New"], "tags": ["A"]}}}
    )
    assert (made["parent_object"], made["parent_record_id"]) == ("companies", pipeline["parent_record_id"])
    assert list(made["entry_values"]) == ["entry_id", "created_at", "created_by", "stage", "tags"]
    one = f"{path}/{made['id']['entry_id']}"
    added = await api.ok("PATCH", one, {"data": {"entry_values": {"tags": ["B"]}}})
    assert [v["option"]["title"] for v in added["entry_values"]["tags"]] == ["B", "A"]
    put = await api.ok(
        "PUT", one, {"data": {"entry_values": {"tags": ["A"], "stage": [{"status": "Contacted"}]}}}
    )
    assert [v["option"]["title"] for v in put["entry_values"]["tags"]] == ["A"]
    history = await api.ok("GET", f"{one}/attributes/stage/values?show_historic=true")
    assert [v["status"]["title"] for v in history] == ["New", "Contacted"]
    moved = await api.refused("PATCH", one, {"data": {"parent_record_id": UNKNOWN, "entry_values": {}}})
    assert moved["code"] == "immutable_value"
    upserted = await api.ok("PUT", path, {"data": {**pipeline, "entry_values": {"tags": ["B"]}}})
    assert upserted["id"] == made["id"] and [
        v["option"]["title"] for v in upserted["entry_values"]["tags"]
    ] == ["B"]
    twin = await api.ok("POST", path, {"data": pipeline})
    assert twin["id"] != made["id"]
    assert (await api.refused("PUT", path, {"data": pipeline}))["code"] == "multiple_match_results"
    shown = await api.ok("GET", f"/objects/companies/records/{pipeline['parent_record_id']}/entries")
    assert [e["entry_id"] for e in shown] == [made["id"]["entry_id"], twin["id"]["entry_id"]]
    by_parent = {
        "path": [["pipeline", "parent_record"]],
        "constraints": {"record_id": pipeline["parent_record_id"]},
    }
    assert len(await api.query("pipeline", on="lists", filter=by_parent)) == 2
    by_domain = {
        "path": [["pipeline", "parent_record"], ["companies", "domains"]],
        "constraints": {"domain": "acme.com"},
    }
    assert len(await api.query("pipeline", on="lists", filter=by_domain)) == 2
    assert len(await api.query("pipeline", on="lists", filter={"stage": "Contacted"})) == 1
    assert await api.ok("DELETE", one) == {}
    assert (await api.refused("GET", one))["status_code"] == 404
    told = [e for e in api.events if e["event_type"].startswith("list-entry")]
    assert {e["event_type"] for e in told} == {
        "list-entry.created",
        "list-entry.updated",
        "list-entry.deleted",
    }
    assert all(e["parent_record_id"] == pipeline["parent_record_id"] for e in told)


async def test_entries_are_refused_for_records_that_do_not_fit(api, pipeline):
    path = "/lists/pipeline/entries"
    person = await api.create("people", name=["Ada"])
    for change, code in (
        ({"parent_record_id": UNKNOWN}, "value_not_found"),
        ({"parent_object": "people", "parent_record_id": person["id"]["record_id"]}, "validation_type"),
        ({"entry_values": {"nope": ["x"]}}, "value_not_found"),
    ):
        assert (await api.refused("POST", path, {"data": {**pipeline, **change}}))["code"] == code
    del pipeline["entry_values"]
    missing = await api.refused("POST", path, {"data": pipeline})
    assert missing["validation_errors"][0]["path"] == ["data", "entry_values"]


async def test_members_are_listed(api):
    members = await api.ok("GET", "/workspace_members")
    assert [m["access_level"] for m in members] == ["admin", "member"]
    one = await api.ok("GET", f"/workspace_members/{members[0]['id']['workspace_member_id']}")
    assert one == members[0]
    assert (await api.refused("GET", f"/workspace_members/{UNKNOWN}"))["status_code"] == 404


async def test_workspaces_do_not_see_each_other(api):
    other = api.world.add_workspace("Other", "other", token="other")
    from attio_console.sandbox.attio.kernel import open_workspace

    open_workspace(other)
    await api.create("companies", domains=["acme.com"])
    theirs = {"authorization": "Bearer other"}
    answer = await api.client.post("/v2/objects/companies/records/query", json={}, headers=theirs)
    assert answer.json() == {"data": []}


async def test_a_broken_request_disturbs_nobody(api):
    big = b'{"data": {"values": {"name": ["' + b"x" * (17 * 1024 * 1024) + b'"]}}}'
    answer = await api.client.post("/v2/objects/companies/records", content=big)
    assert (answer.status_code, answer.json()["code"]) == (413, "validation_type")
    deep = b"[" * 200_000
    assert (await api.client.post("/v2/objects/companies/records", content=deep)).status_code == 400
    unknown = await api.client.get("/v2/nothing/here")
    assert unknown.json()["message"] == 'Could not find endpoint "GET /v2/nothing/here".'
    verb = await api.client.get("/v2/lists/x/entries")
    assert (verb.status_code, verb.json()["code"]) == (404, "not_found")
    assert (await api.client.post("/v2/objects/companies/records", json=[1])).status_code == 400
    assert len(await api.ok("GET", "/objects")) == 5


CORE = {
    *(f"{m} /v2/objects" for m in ("GET", "POST")),
    *(f"{m} /v2/objects/{{object}}" for m in ("GET", "PATCH")),
    *(f"{m} /v2/{{target}}/{{identifier}}/attributes" for m in ("GET", "POST")),
    *(f"{m} /v2/{{target}}/{{identifier}}/attributes/{{attribute}}" for m in ("GET", "PATCH")),
    *(f"{m} /v2/{{target}}/{{identifier}}/attributes/{{attribute}}/options" for m in ("GET", "POST")),
    "PATCH /v2/{target}/{identifier}/attributes/{attribute}/options/{option}",
    *(f"{m} /v2/{{target}}/{{identifier}}/attributes/{{attribute}}/statuses" for m in ("GET", "POST")),
    "PATCH /v2/{target}/{identifier}/attributes/{attribute}/statuses/{status}",
    "POST /v2/objects/{object}/records/query",
    *(f"{m} /v2/objects/{{object}}/records" for m in ("POST", "PUT")),
    *(f"{m} /v2/objects/{{object}}/records/{{record_id}}" for m in ("GET", "PATCH", "PUT", "DELETE")),
    "GET /v2/objects/{object}/records/{record_id}/attributes/{attribute}/values",
    "GET /v2/objects/{object}/records/{record_id}/entries",
    "POST /v2/objects/records/search",
    *(f"{m} /v2/lists" for m in ("GET", "POST")),
    *(f"{m} /v2/lists/{{list}}" for m in ("GET", "PATCH")),
    "POST /v2/lists/{list}/entries/query",
    *(f"{m} /v2/lists/{{list}}/entries" for m in ("POST", "PUT")),
    *(f"{m} /v2/lists/{{list}}/entries/{{entry_id}}" for m in ("GET", "PATCH", "PUT", "DELETE")),
    "GET /v2/lists/{list}/entries/{entry_id}/attributes/{attribute}/values",
    *(f"{m} /v2/workspace_members" for m in ("GET",)),
    "GET /v2/workspace_members/{workspace_member_id}",
    "GET /v2/self",
}


async def test_every_operation_of_the_kernel_keeps_the_contract(api, pipeline, contract):
    contract.covered.clear()
    await api.client.get("/v2/self")
    await api.create("companies", domains=["other.com"])
    await _every_schema_operation(api)
    await _every_list_operation(api, pipeline)
    assert contract.operations() >= CORE
    assert contract.covered >= CORE, sorted(CORE - contract.covered)


async def _every_schema_operation(api):
    await api.things()
    await api.ok("GET", "/objects")
    await api.ok("PATCH", "/objects/things", {"data": {"plural_noun": "Stuff"}})
    await api.ok("GET", "/objects/things")
    await api.ok("GET", "/objects/things/attributes")
    await api.custom("text", "note")
    await api.ok("GET", "/objects/things/attributes/note")
    await api.ok("PATCH", "/objects/things/attributes/note", {"data": {"title": "Remark"}})


async def _every_list_operation(api, pipeline):
    attributes = "/lists/pipeline/attributes"
    await api.ok(
        "POST", f"{attributes}/stage/statuses", {"data": {"title": "Late", "target_time_in_status": "P3D"}}
    )
    await api.ok("PATCH", f"{attributes}/stage/statuses/Late", {"data": {"celebration_enabled": True}})
    await api.ok("GET", f"{attributes}/stage/statuses")
    await api.ok("POST", f"{attributes}/tags/options", {"data": {"title": "C"}})
    await api.ok("PATCH", f"{attributes}/tags/options/C", {"data": {"title": "D"}})
    await api.ok("GET", f"{attributes}/tags/options")
    path = "/lists/pipeline/entries"
    made = await api.ok("POST", path, {"data": pipeline})
    one = f"{path}/{made['id']['entry_id']}"
    await api.ok("GET", one)
    await api.ok("PATCH", one, {"data": {"entry_values": {"stage": ["Late"]}}})
    await api.ok("PUT", one, {"data": {"entry_values": {"stage": ["New"]}}})
    await api.ok("PUT", path, {"data": pipeline})
    await api.ok("GET", f"{one}/attributes/stage/values")
    await api.query("pipeline", on="lists", limit=5, offset=0)
    record = f"/objects/companies/records/{pipeline['parent_record_id']}"
    await api.ok("GET", f"{record}/entries")
    await api.ok("GET", record)
    await api.ok("PATCH", record, {"data": {"values": {"name": ["A"]}}})
    await api.ok("PUT", record, {"data": {"values": {"name": ["B"]}}})
    await api.ok(
        "PUT",
        "/objects/companies/records?matching_attribute=domains",
        {"data": {"values": {"domains": ["acme.com"]}}},
    )
    await api.ok("GET", f"{record}/attributes/name/values")
    await api.query("companies", sorts=[{"attribute": "created_at", "direction": "asc"}])
    search = {"query": "acme", "objects": ["companies"], "request_as": {"type": "workspace"}}
    assert len(await api.ok("POST", "/objects/records/search", search)) == 1
    await api.ok("DELETE", one)
    await api.ok("DELETE", record)
    members = await api.ok("GET", "/workspace_members")
    await api.ok("GET", f"/workspace_members/{members[0]['id']['workspace_member_id']}")
    await api.ok("GET", "/lists")
    await api.ok("PATCH", "/lists/pipeline", {"data": {"name": "N"}})
    await api.ok("GET", "/lists/pipeline")
    await api.ok("POST", "/lists", {"data": {**LIST, "api_slug": "another"}})
