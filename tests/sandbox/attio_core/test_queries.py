"""Filters, sorts, pages and search over HTTP, and what Attio refuses of them."""

from __future__ import annotations

import pytest


@pytest.fixture
async def crowd(api):
    for domain, name, categories in (
        ("acme.com", "Acme", ["B2B"]),
        ("beta.io", "Beta Works", ["SAAS", "B2B"]),
        ("gamma.co.uk", "gamma", []),
    ):
        await api.create("companies", domains=[domain], name=[name], categories=categories)
    for last, first, email in (("Lovelace", "Ada", "ada@acme.com"), ("Hopper", "Grace", "grace@beta.io")):
        name = {"first_name": first, "last_name": last, "full_name": f"{first} {last}"}
        await api.create("people", name=[name], email_addresses=[email])
    return api


def names(records):
    return sorted(r["values"]["name"][0].get("value") or r["values"]["name"][0]["full_name"] for r in records)


FOUND = [
    ("companies", {"name": "Acme"}, ["Acme"]),
    ("companies", {"name": {"$contains": "WORKS"}}, ["Beta Works"]),
    ("companies", {"name": {"value": {"$starts_with": "Be"}}}, ["Beta Works"]),
    ("companies", {"name": {"$ends_with": "a"}}, ["gamma"]),
    ("companies", {"domains": {"root_domain": "beta.io"}}, ["Beta Works"]),
    ("companies", {"domains": {"domain": {"$in": ["acme.com", "gamma.co.uk"]}}}, ["Acme", "gamma"]),
    ("companies", {"categories": "B2B"}, ["Acme", "Beta Works"]),
    ("companies", {"categories": {"option": {"$eq": "SAAS"}}}, ["Beta Works"]),
    ("companies", {"$not": {"categories": {"$not_empty": True}}}, ["gamma"]),
    ("companies", {"$or": [{"name": "Acme"}, {"name": "gamma"}]}, ["Acme", "gamma"]),
    ("companies", {"$and": [{"categories": "B2B"}, {"$not": {"name": "Acme"}}]}, ["Beta Works"]),
    ("companies", {"created_at": {"$gte": "2020-01-01T00:00:00.000Z"}, "name": "Acme"}, ["Acme"]),
    ("companies", {"created_at": {"$lt": "2020-01-01T00:00:00.000Z"}}, []),
    (
        "companies",
        {"categories": {"active_from": {"$gte": "2020-01-01T00:00:00Z"}}},
        ["Acme", "Beta Works"],
    ),
    ("companies", {}, ["Acme", "Beta Works", "gamma"]),
    ("people", {"name": {"first_name": "Ada"}}, ["Ada Lovelace"]),
    ("people", {"name": {"full_name": {"$contains": "hop"}}}, ["Grace Hopper"]),
    ("people", {"email_addresses": "ADA@acme.com"}, ["Ada Lovelace"]),
    ("people", {"email_addresses": {"email_domain": {"$ends_with": ".io"}}}, ["Grace Hopper"]),
    (
        "people",
        {"path": [["people", "company"], ["companies", "name"]], "constraints": {"value": "Acme"}},
        ["Ada Lovelace"],
    ),
    (
        "people",
        {
            "$and": [
                {
                    "path": [["people", "company"], ["companies", "categories"]],
                    "constraints": {"option": "B2B"},
                },
                {"name": {"last_name": "Hopper"}},
            ]
        },
        ["Grace Hopper"],
    ),
    ("companies", {"team": {"target_object": "people"}}, ["Acme", "Beta Works"]),
]


async def test_filters_find_what_they_say(crowd):
    for key, asked, expected in FOUND:
        assert names(await crowd.query(key, filter=asked)) == expected, asked


REFUSED = [
    {"nope": "x"},
    {"name": {"$neq": "x"}},
    {"name": {"$gt": "x"}},
    {"name": {"value": {"$exists": True}}},
    {"name": {"first_name": "x"}},
    {"name": 5},
    {"name": {}},
    {"$nor": []},
    {"$and": {"name": "x"}},
    {"categories": "No such option"},
    {"categories": {"$contains": "B"}},
    {"twitter_follower_count": "12"},
    {"twitter_follower_count": {"$in": [1]}},
    {"created_at": {"$gte": "2026-01-01"}},
    {"primary_location": "London"},
    {"domains": {"$in": "acme.com"}},
    {"path": [["people", "company"]], "constraints": {}},
    {"path": [["companies", "name"], ["people", "name"]], "constraints": {"full_name": "x"}},
    {"path": [["companies", "team"], ["deals", "name"]], "constraints": {"value": "x"}},
    {"path": [["companies", "team"]]},
]


async def test_other_filters_are_refused_with_a_reason(api):
    for asked in REFUSED:
        refusal = await api.refused("POST", "/objects/companies/records/query", {"filter": asked})
        shown = (refusal["status_code"], refusal["type"], refusal["code"])
        assert shown == (400, "invalid_request_error", "filter_error"), asked
        assert len(refusal["message"]) > len("Error in filter. ")


async def test_references_and_ids_can_be_asked_for(crowd):
    acme = (await crowd.query("companies", filter={"name": "Acme"}))[0]["id"]["record_id"]
    for asked in (
        {"company": {"target_record_id": acme}},
        {"company": {"target_object": "companies", "target_record_id": {"$in": [acme]}}},
        {"company": acme},
    ):
        assert names(await crowd.query("people", filter=asked)) == ["Ada Lovelace"]
    by_id = {"record_id": {"$in": [acme, "00000000-0000-4000-8000-000000000000"]}}
    assert names(await crowd.query("companies", filter=by_id)) == ["Acme"]


async def test_sorts_go_by_several_keys_fields_and_paths(crowd):
    async def order(key, *sorts):
        records = await crowd.query(key, sorts=list(sorts))
        return [r["values"]["name"][0].get("value") or r["values"]["name"][0]["last_name"] for r in records]

    assert await order("companies", {"attribute": "name", "direction": "asc"}) == [
        "Acme",
        "Beta Works",
        "gamma",
    ]
    assert await order("companies", {"attribute": "created_at", "direction": "desc"}) == [
        "gamma",
        "Beta Works",
        "Acme",
    ]
    by_category = (
        {"attribute": "categories", "direction": "asc"},
        {"attribute": "name", "direction": "desc"},
    )
    assert await order("companies", *by_category) == ["Acme", "Beta Works", "gamma"]
    assert await order("people", {"attribute": "name", "field": "last_name", "direction": "asc"}) == [
        "Hopper",
        "Lovelace",
    ]
    path = {"path": [["people", "company"], ["companies", "name"]], "direction": "asc", "field": "value"}
    assert await order("people", path) == ["Lovelace", "Hopper"]
    for bad in (
        {"attribute": "nope", "direction": "asc"},
        {"attribute": "name", "direction": "up"},
        {"direction": "asc"},
    ):
        assert (await crowd.refused("POST", "/objects/people/records/query", {"sorts": [bad]}))[
            "code"
        ] == "filter_error"


async def test_pages_have_maxima_and_no_order_unless_one_is_asked_for(api):
    await api.things()
    await api.custom("number", "n")
    for n in range(30):
        await api.create("things", n=[n])
    # Two records may be made in the same millisecond: the second key settles those.
    sorts = [{"attribute": slug, "direction": "asc"} for slug in ("created_at", "n")]
    pages = [await api.query("things", sorts=sorts, limit=8, offset=offset) for offset in (0, 8, 16, 24, 32)]
    assert [r["values"]["n"][0]["value"] for page in pages for r in page] == list(range(30))
    orders = {tuple(r["id"]["record_id"] for r in await api.query("things")) for _ in range(6)}
    assert len(orders) > 1 and all(len(set(order)) == 30 for order in orders)
    for body, path in (
        ({"limit": 1001}, "limit"),
        ({"limit": 0}, "limit"),
        ({"offset": -1}, "offset"),
        ({"limit": "5"}, "limit"),
    ):
        refusal = await api.refused("POST", "/objects/things/records/query", body)
        assert (refusal["code"], refusal["validation_errors"][0]["path"]) == ("validation_type", [path])


async def test_connectors_that_take_a_short_page_for_the_last_one_get_every_row(api):
    await api.things()
    for _ in range(620):
        await api.create("things")
    assert len(await api.query("things")) == 500
    assert len(await api.query("things", limit=1000)) == 620
    tasks = await api.client.get("/v2/tasks?limit=1000")
    assert tasks.status_code == 200


async def test_a_query_asked_for_with_another_verb_is_no_endpoint(api):
    await api.things()
    for method in ("GET", "PUT", "DELETE"):
        refusal = await api.refused(method, "/objects/things/records/query")
        assert refusal["status_code"] == 404
        assert refusal["message"] == f'Could not find endpoint "{method} /v2/objects/things/records/query".'


async def test_a_saved_views_filter_is_used(crowd):
    from attio_console.sandbox.attio.views import Views

    companies = crowd.crm.object("companies")
    view = crowd.workspace.part(Views).add(companies.id, "B2B", {"categories": "B2B"})
    assert names(await crowd.query("companies", filter_view_id=view.id)) == ["Acme", "Beta Works"]
    both = {"filter_view_id": view.id, "filter": {"name": "Acme"}}
    assert (await crowd.refused("POST", "/objects/companies/records/query", both))[
        "code"
    ] == "validation_type"


async def test_search_finds_names_addresses_and_domains(crowd):
    async def search(query, *objects, **more):
        body = {"query": query, "objects": list(objects), "request_as": {"type": "workspace"}, **more}
        return await crowd.ok("POST", "/objects/records/search", body)

    (hit,) = await search("lovel", "people")
    assert hit["record_text"] == "Ada Lovelace" and hit["email_addresses"] == ["ada@acme.com"]
    assert [h["object_slug"] for h in await search("acme", "people", "companies")] == ["companies", "people"]
    assert len(await search("", "people", "companies")) == 5
    assert len(await search("", "people", limit=1)) == 1
    as_member = {"request_as": {"type": "workspace-member", "email_address": "ada@northwind.example"}}
    assert len(await search("grace", "people", **as_member)) == 1
    post = "/objects/records/search"
    missing = await crowd.refused("POST", post, {"query": "x", "objects": ["people"]})
    assert missing["message"] == "Body payload validation error."
    assert missing["validation_errors"][0]["path"] == ["request_as"]
    nobody = {"query": "x", "objects": ["nope"], "request_as": {"type": "workspace"}}
    assert (await crowd.refused("POST", post, nobody))["message"] == 'Object with slug/ID "nope" not found.'
    for change in ({"query": "x" * 257}, {"objects": []}, {"limit": 26}):
        assert (await crowd.refused("POST", post, {**nobody, **change}))["code"] == "validation_type"
