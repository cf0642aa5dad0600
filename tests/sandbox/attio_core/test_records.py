"""Records over HTTP: creating, changing, matching, deleting, merging, and the events that tell of it."""

from __future__ import annotations

import re

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def plain(record, slug):
    key = "values" if "values" in record else "entry_values"
    found = []
    for value in record[key][slug]:
        found.append(
            {
                k: v
                for k, v in value.items()
                if k not in {"active_from", "active_until", "created_by_actor", "attribute_type"}
            }
        )
    return found


def titles(record, slug):
    key = "values" if "values" in record else "entry_values"
    return [value["option"]["title"] for value in record[key][slug]]


async def test_a_record_shows_every_attribute_in_the_live_shape(api):
    record = await api.create("companies", name="Acme", domains=["https://www.Acme.com/about?x=1"])
    attributes = await api.ok("GET", "/objects/companies/attributes")
    assert [a["api_slug"] for a in attributes] == list(record["values"])
    assert attributes[0]["api_slug"] == "record_id" and attributes[-1]["api_slug"] == "created_by"
    assert record["values"]["description"] == []
    assert plain(record, "domains") == [{"domain": "www.acme.com", "root_domain": "acme.com"}]
    name = record["values"]["name"][0]
    assert list(name) == ["active_from", "active_until", "created_by_actor", "value", "attribute_type"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}000000Z", name["active_from"])
    token = api.world.token_of(api.workspace)
    assert name["created_by_actor"] == {"type": "api-token", "id": token.id}
    assert record["web_url"] == f"https://app.attio.com/northwind/company/{record['id']['record_id']}"
    assert record["values"]["created_at"][0]["value"] != record["created_at"]


async def test_patch_puts_multi_values_in_front_and_put_replaces_them(api):
    made = await api.create("companies", domains=["a.com"], categories=["B2B"])
    path = f"/objects/companies/records/{made['id']['record_id']}"
    patched = await api.ok("PATCH", path, {"data": {"values": {"categories": ["SAAS", "B2B"]}}})
    assert titles(patched, "categories") == ["SAAS", "B2B"]
    assert patched["values"]["categories"][1] == made["values"]["categories"][0]
    put = await api.ok("PUT", path, {"data": {"values": {"categories": ["Finance"]}}})
    assert titles(put, "categories") == ["Finance"]
    cleared = await api.ok("PUT", path, {"data": {"values": {"categories": []}}})
    assert cleared["values"]["categories"] == []
    assert plain(cleared, "domains") == plain(made, "domains")


async def test_upsert_adds_to_the_matching_attribute_and_overwrites_the_others(api):
    made = await api.create("companies", domains=["a.com"], categories=["B2B"])
    path = "/objects/companies/records?matching_attribute=domains"
    body = {"data": {"values": {"domains": ["a.com", "b.com"], "categories": ["SAAS"]}}}
    again = await api.ok("PUT", path, body)
    assert again["id"] == made["id"]
    assert {d["domain"] for d in plain(again, "domains")} == {"a.com", "b.com"}
    assert titles(again, "categories") == ["SAAS"]
    other = await api.ok("PUT", path, {"data": {"values": {"domains": ["c.com"]}}})
    assert other["id"] != made["id"]
    both = {"data": {"values": {"domains": ["a.com", "c.com"]}}}
    assert (await api.refused("PUT", path, both))["code"] == "multiple_match_results"


async def test_upsert_needs_a_unique_matching_attribute(api):
    body = {"data": {"values": {"name": "X"}}}
    missing = await api.refused("PUT", "/objects/companies/records", body)
    assert missing["code"] == "validation_type"
    assert missing["validation_errors"][0]["path"] == ["matching_attribute"]
    unknown = await api.refused("PUT", "/objects/companies/records?matching_attribute=my-attribute", body)
    assert unknown["code"] == "value_not_found"
    assert unknown["message"] == 'No attribute was found for matching_attribute slug/ID "my-attribute".'
    plain_one = await api.refused("PUT", "/objects/companies/records?matching_attribute=name", body)
    assert plain_one["code"] == "matching_attribute_definition_not_unique"


async def test_refusals_carry_status_type_code_and_message(api):
    taken = await api.create("people", email_addresses=["ada@a.com"])
    attribute = (await api.ok("GET", "/objects/people/attributes/email_addresses"))["id"]["attribute_id"]
    post = "/objects/people/records"
    clash = await api.refused("POST", post, {"data": {"values": {"email_addresses": ["ADA@a.com"]}}})
    assert (clash["status_code"], clash["code"]) == (400, "uniqueness_conflict")
    assert clash["message"] == (
        f'The value "ada@a.com" provided for attribute with ID "{attribute}" conflicts with one already in the system.'
    )
    for values, code in (
        ({"nope": ["x"]}, "value_not_found"),
        ({"created_at": ["2026-01-01"]}, "system_edit_unauthorized"),
        ({"first_interaction": []}, "system_edit_unauthorized"),
        ({"description": ["a", "b"]}, "multiple_values_for_single_value_attribute"),
        ({"email_addresses": "x@y.zz"}, "validation_type"),
        ({"email_addresses": ["nonsense"]}, "validation_type"),
        ({"phone_numbers": ["020 7183 8750"]}, "validation_type"),
        ({"email_addresses": ["a@b.cc", "A@b.cc"]}, "duplicate_values"),
        ({"company": [{"target_object": "companies", "target_record_id": UNKNOWN}]}, "value_not_found"),
    ):
        assert (await api.refused("POST", post, {"data": {"values": values}}))["code"] == code, values
    required = await api.refused("POST", "/objects/deals/records", {"data": {"values": {"name": ["A"]}}})
    assert required["code"] == "missing_value"
    assert re.fullmatch(
        r'Required value for attribute with ID "[0-9a-f-]{36}" was not provided\.', required["message"]
    )
    gone = await api.refused("GET", f"{post}/{UNKNOWN}")
    assert gone == {
        "status_code": 404,
        "type": "invalid_request_error",
        "code": "not_found",
        "message": f'Record with ID "{UNKNOWN}" not found.',
    }
    assert (await api.refused("GET", f"{post}/x"))["code"] == "validation_type"
    assert (await api.refused("GET", "/objects/nope"))["message"] == 'Object with slug/ID "nope" not found.'
    verb = await api.refused("GET", f"{post}/query")
    assert verb["code"] == "validation_type" or verb["status_code"] == 404
    broken = await api.client.post(f"/v2{post}", content=b'{"data": ')
    assert broken.status_code == 400 and broken.json()["code"] == "validation_type"
    assert (await api.ok("GET", f"{post}/{taken['id']['record_id']}"))["id"] == taken["id"]


async def test_relationships_change_both_sides(api):
    company = await api.create("companies", domains=["one.com"])
    other = await api.create("companies", domains=["two.com"])
    person = await api.create("people", name=["Lovelace, Ada"], company=["one.com"])
    company_id, other_id = company["id"]["record_id"], other["id"]["record_id"]
    person_id = person["id"]["record_id"]
    seen = await api.ok("GET", f"/objects/companies/records/{company_id}")
    assert plain(seen, "team") == [{"target_object": "people", "target_record_id": person_id}]
    team = [{"target_object": "people", "target_record_id": person_id}]
    api.events.clear()
    await api.ok("PATCH", f"/objects/companies/records/{other_id}", {"data": {"values": {"team": team}}})
    assert (await api.ok("GET", f"/objects/companies/records/{company_id}"))["values"]["team"] == []
    moved = await api.ok("GET", f"/objects/people/records/{person_id}")
    assert plain(moved, "company") == [{"target_object": "companies", "target_record_id": other_id}]
    changed = {event["id"]["record_id"] for event in api.events if event["event_type"] == "record.updated"}
    assert changed == {company_id, other_id, person_id}
    await api.ok("DELETE", f"/objects/people/records/{person_id}")
    assert (await api.ok("GET", f"/objects/companies/records/{other_id}"))["values"]["team"] == []


async def test_history_keeps_what_was_and_when(api):
    await api.things()
    await api.custom("text", "note")
    made = await api.create("things", note=["one"])
    path = f"/objects/things/records/{made['id']['record_id']}"
    for text in ("two", "two", "three"):
        await api.ok("PATCH", path, {"data": {"values": {"note": [text]}}})
    values = await api.ok("GET", f"{path}/attributes/note/values?show_historic=true")
    assert [value["value"] for value in values] == ["one", "two", "three"]
    assert values[0]["active_until"] == values[1]["active_from"]
    assert values[2]["active_until"] is None
    now = await api.ok("GET", f"{path}/attributes/note/values")
    assert [value["value"] for value in now] == ["three"]
    person = await api.create("people", name=["Ada"])
    refused = await api.refused(
        "GET",
        f"/objects/people/records/{person['id']['record_id']}/attributes/last_interaction/values?show_historic=true",
    )
    assert refused["code"] == "validation_type"


async def test_the_whole_history_can_be_replaced_in_silence(api):
    await api.things()
    await api.custom("text", "note")
    made = await api.create("things", note=["one"])
    path = f"/objects/things/records/{made['id']['record_id']}"
    api.events.clear()
    old = {"value": "old", "active_from": "2025-01-01T00:00:00Z", "active_until": "2025-02-01T00:00:00Z"}
    new = {"value": "new", "active_from": "2025-02-01T00:00:00Z", "active_until": None}

    def body(*values, **more):
        return {"data": {"values": list(values), "replace_history": True, **more}}

    await api.ok("PUT", f"{path}/attributes/note/values", body(new, old))
    assert api.events == []
    values = await api.ok("GET", f"{path}/attributes/note/values?show_historic=true")
    assert [(v["value"], v["active_from"][:10]) for v in values] == [
        ("old", "2025-01-01"),
        ("new", "2025-02-01"),
    ]
    for refused, code in (
        (body(), "validation_type"),
        (body(new, replace_history=False), "validation_type"),
        (body({"value": "x", "active_from": "2025-02-01T00:00:00Z"}), "validation_type"),
        (body({**new, "active_from": "2999-01-01T00:00:00Z"}), "validation_type"),
        (body({**old, "active_until": "2024-01-01T00:00:00Z"}), "validation_type"),
        (
            body({**old, "active_until": "2025-03-01T00:00:00Z"}, new),
            "multiple_values_for_single_value_attribute",
        ),
    ):
        assert (await api.refused("PUT", f"{path}/attributes/note/values", refused))["code"] == code, refused
    person = await api.create("people", name=["Ada"])
    related = f"/objects/people/records/{person['id']['record_id']}/attributes/company/values"
    assert (await api.refused("PUT", related, body(new)))["code"] == "validation_type"
    assert plain(await api.ok("GET", path), "note") == [{"value": "new"}]


async def test_a_new_persons_mail_domain_makes_or_finds_the_company(api):
    first = await api.create("people", email_addresses=["ada@new-firm.com"])
    second = await api.create("people", email_addresses=["bo@mail.new-firm.com"])
    assert plain(first, "company") == plain(second, "company") != []
    firm = await api.query("companies", filter={"domains": "new-firm.com"})
    assert len(firm) == 1 and len(firm[0]["values"]["team"]) == 2
    free = await api.create("people", email_addresses=["x@gmail.com"])
    assert free["values"]["company"] == []
    api.workspace.company_from_email = False
    alone = await api.create("people", email_addresses=["y@third.com"])
    assert alone["values"]["company"] == []


async def test_attio_fills_in_details_a_moment_later(api):
    made = await api.create("companies", domains=["acme.com"], description=["Ours"])
    path = f"/objects/companies/records/{made['id']['record_id']}"
    assert made["values"]["linkedin"] == []
    api.events.clear()
    api.world.clock.advance(10)
    seen = await api.ok("GET", path)
    assert seen["values"]["linkedin"][0]["created_by_actor"] == {"type": "system", "id": None}
    assert plain(seen, "description") == [{"value": "Ours"}]
    assert {event["event_type"] for event in api.events} == {"record.updated"}
    assert all(event["actor"] == {"type": "system", "id": None} for event in api.events)


async def test_merging_gives_a_new_record_and_moves_what_pointed_to_the_old(api):
    one = await api.create("companies", domains=["one.com"], name=["One"])
    two = await api.create("companies", domains=["two.com"], name=["Two"], description=["Second"])
    person = await api.create("people", name=["Ada"], company=["two.com"])
    await api.ok(
        "POST",
        "/lists",
        {
            "data": {
                "name": "L",
                "api_slug": "l",
                "parent_object": "companies",
                "workspace_access": "full-access",
                "workspace_member_access": [],
            }
        },
    )
    parent = {"parent_record_id": two["id"]["record_id"], "parent_object": "companies", "entry_values": {}}
    entry = await api.ok("POST", "/lists/l/entries", {"data": parent})
    api.events.clear()
    ids = {"primary_record_id": one["id"]["record_id"], "secondary_record_id": two["id"]["record_id"]}
    new_id = (await api.ok("POST", "/objects/companies/records/merge", {"data": ids}))["new_record_id"]
    merged = await api.ok("GET", f"/objects/companies/records/{new_id}")
    assert plain(merged, "name") == [{"value": "One"}] and plain(merged, "description") == [
        {"value": "Second"}
    ]
    assert {d["domain"] for d in plain(merged, "domains")} == {"one.com", "two.com"}
    assert plain(merged, "record_id") == [{"value": new_id}]
    for old in ids.values():
        assert (await api.refused("GET", f"/objects/companies/records/{old}"))["status_code"] == 404
    moved = await api.ok("GET", f"/objects/people/records/{person['id']['record_id']}")
    assert plain(moved, "company")[0]["target_record_id"] == new_id
    shown = await api.ok("GET", f"/lists/l/entries/{entry['id']['entry_id']}")
    assert shown["parent_record_id"] == new_id
    assert [e["entry_id"] for e in await api.ok("GET", f"/objects/companies/records/{new_id}/entries")] == [
        entry["id"]["entry_id"]
    ]
    told = [event for event in api.events if event["event_type"] == "record.merged"]
    assert {event["duplicate_record_id"] for event in told} == set(ids.values())
    assert all(event["id"]["record_id"] == new_id for event in told)
    kinds = {event["event_type"] for event in api.events}
    assert not kinds & {"record.created", "record.deleted"}
    upserted = await api.ok(
        "PUT",
        "/objects/companies/records?matching_attribute=domains",
        {"data": {"values": {"domains": ["two.com"]}}},
    )
    assert upserted["id"]["record_id"] == new_id
    self_merge = {"data": {"primary_record_id": new_id, "secondary_record_id": new_id}}
    assert (await api.refused("POST", "/objects/companies/records/merge", self_merge))["code"] == "self_merge"


async def test_deleting_a_record_takes_its_entries_and_tells_of_the_record_alone(api):
    made = await api.create("companies", domains=["one.com"])
    record_id = made["id"]["record_id"]
    list_data = {
        "name": "L",
        "api_slug": "l",
        "parent_object": "companies",
        "workspace_access": "full-access",
        "workspace_member_access": [],
    }
    await api.ok("POST", "/lists", {"data": list_data})
    parent = {"parent_record_id": record_id, "parent_object": "companies", "entry_values": {}}
    entry = await api.ok("POST", "/lists/l/entries", {"data": parent})
    api.events.clear()
    await api.ok("DELETE", f"/objects/companies/records/{record_id}")
    assert [event["event_type"] for event in api.events] == ["record.deleted"]
    assert (await api.refused("GET", f"/lists/l/entries/{entry['id']['entry_id']}"))["status_code"] == 404
    again = await api.create("companies", domains=["one.com"])
    assert again["id"]["record_id"] != record_id


async def test_every_changed_attribute_is_told_once_and_unchanged_ones_never(api):
    made = await api.create("companies", domains=["one.com"], name=["One"], description=["D"])
    assert [event["event_type"] for event in api.events] == ["record.created"]
    api.events.clear()
    values = {"name": ["Uno"], "description": ["D"], "domains": ["one.com"]}
    await api.ok(
        "PATCH", f"/objects/companies/records/{made['id']['record_id']}", {"data": {"values": values}}
    )
    name = await api.ok("GET", "/objects/companies/attributes/name")
    assert [event["id"]["attribute_id"] for event in api.events] == [name["id"]["attribute_id"]]


async def test_queries_lag_when_told_to_and_get_does_not(api):
    api.world.settings.lag_s = 1.5
    made = await api.create("companies", domains=["late.com"])
    record_id = made["id"]["record_id"]
    ask = {"filter": {"domains": "late.com"}}
    assert await api.query("companies", **ask) == []
    assert (await api.ok("GET", f"/objects/companies/records/{record_id}"))["id"] == made["id"]
    answer = await api.client.post("/v2/objects/companies/records/query", json=ask)
    assert answer.headers["x-accurate-at"] < api.world.clock.now().isoformat()
    api.world.clock.advance(2)
    assert len(await api.query("companies", **ask)) == 1
    await api.ok("PATCH", f"/objects/companies/records/{record_id}", {"data": {"values": {"name": ["Now"]}}})
    assert (await api.query("companies", **ask))[0]["values"]["name"] == []
    api.world.clock.advance(2)
    assert plain((await api.query("companies", **ask))[0], "name") == [{"value": "Now"}]
    await api.ok("DELETE", f"/objects/companies/records/{record_id}")
    assert len(await api.query("companies", **ask)) == 1
    assert len(await api.query("companies")) == 1
    api.world.clock.advance(2)
    assert await api.query("companies", **ask) == []


async def test_answers_carry_the_house_headers(api):
    answer = await api.client.post("/v2/objects/people/records/query", json={})
    for name in (
        "content-type",
        "date",
        "x-attio-execution-id",
        "x-accurate-at",
        "x-attio-record-query-score",
    ):
        assert answer.headers[name], name
    assert answer.headers["content-type"].startswith("application/json")
