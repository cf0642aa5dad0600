from __future__ import annotations

import pytest


def rule(name, operator, value=None, **more):
    return {
        "propertyName": name,
        "operator": operator,
        **({"value": value} if value is not None else {}),
        **more,
    }


@pytest.fixture
async def three(portal):
    return [
        await portal.make(email="ann@alpha.example", firstname="Ann", phone="1", jobtitle="CTO"),
        await portal.make(email="bob@beta.example", firstname="Bob", jobtitle="CEO"),
        await portal.make(email="cid@alpha.example", firstname="Cid"),
    ]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([rule("firstname", "EQ", "ann")], [0]),
        ([rule("firstname", "NEQ", "Ann")], [1, 2]),
        ([rule("jobtitle", "NEQ", "CTO")], [1, 2]),
        ([rule("firstname", "GT", "Ann"), rule("firstname", "LTE", "Bob")], [1]),
        ([rule("firstname", "IN", values=["ann", "cid"])], [0, 2]),
        ([rule("firstname", "NOT_IN", values=["ann", "cid"])], [1]),
        ([rule("phone", "HAS_PROPERTY")], [0]),
        ([rule("phone", "NOT_HAS_PROPERTY")], [1, 2]),
        ([rule("email", "CONTAINS_TOKEN", "alpha")], [0, 2]),
        ([rule("email", "CONTAINS_TOKEN", "al*")], [0, 2]),
        ([rule("email", "NOT_CONTAINS_TOKEN", "alpha")], [1]),
        ([rule("firstname", "BETWEEN", "Ann", highValue="Bob")], [0, 1]),
    ],
)
async def test_operators(portal, three, filters, expected):
    assert await portal.found(*filters) == [three[n] for n in expected]


async def test_groups_are_alternatives_and_the_text_query_reads_several_properties(portal, three):
    groups = [{"filters": [rule("firstname", "EQ", "Ann")]}, {"filters": [rule("jobtitle", "EQ", "CEO")]}]
    assert await portal.found(filterGroups=groups) == three[:2]
    assert await portal.found(query="beta") == [three[1]]


async def test_ids_inside_a_closed_window_break_ties_of_time(portal, three):
    record = portal.account.store("contacts").records[int(three[0])]
    moment = int(record.updated_at.timestamp() * 1000)
    found = await portal.found(
        rule("lastmodifieddate", "GTE", str(moment - 60_000)),
        rule("hs_object_id", "GT", three[0]),
        sorts=[{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
    )
    assert found == three[1:]
    assert await portal.found(rule("lastmodifieddate", "GT", str(moment + 3_600_000))) == []


async def test_sorts_go_both_ways_and_blanks_come_last(portal, three):
    down = [{"propertyName": "jobtitle", "direction": "DESCENDING"}]
    assert await portal.found(sorts=down) == [three[0], three[1], three[2]]
    assert await portal.found(sorts=["jobtitle"]) == [three[1], three[0], three[2]]


async def test_pages_say_the_total_and_where_to_go_on(portal, three):
    body = {"limit": 2}
    first = await portal.ask(200, "POST", "/crm/v3/objects/contacts/search", body)
    assert (first["total"], first["paging"]["next"]["after"]) == (3, "2")
    rest = await portal.ask(200, "POST", "/crm/v3/objects/contacts/search", {**body, "after": "2"})
    assert [row["id"] for row in rest["results"]] == three[2:]
    assert "paging" not in rest


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 201},
        {"limit": 100, "after": "9950"},
        {"filterGroups": [{"filters": []}] * 6},
        {"filterGroups": [{"filters": [rule("email", "HAS_PROPERTY")] * 7}]},
        {"filterGroups": [{"filters": [rule("nonsense", "HAS_PROPERTY")]}]},
        {"filterGroups": [{"filters": [rule("email", "LIKE", "x")]}]},
        {"filterGroups": [{"filters": [rule("email", "EQ")]}]},
        {"sorts": ["email", "phone"]},
        {"query": "x" * 3_001},
    ],
)
async def test_hard_limits_are_refused(portal, query):
    body = await portal.ask(400, "POST", "/crm/v3/objects/contacts/search", query)
    assert body["category"] == "VALIDATION_ERROR"


async def test_archived_records_are_never_found(portal, three):
    await portal.ask(204, "DELETE", f"/crm/v3/objects/contacts/{three[0]}")
    assert await portal.found() == three[1:]


async def test_search_may_lag_behind(portal, three):
    portal.account.search_lag_s = 30
    portal.sandbox.world.clock.advance(60)
    await portal.ask(
        200, "PATCH", f"/crm/v3/objects/contacts/{three[0]}", {"properties": {"jobtitle": "Founder"}}
    )
    assert await portal.found(rule("jobtitle", "EQ", "Founder")) == []
    assert await portal.found(rule("jobtitle", "EQ", "CTO")) == [three[0]]
    portal.sandbox.world.clock.advance(31)
    assert await portal.found(rule("jobtitle", "EQ", "Founder")) == [three[0]]


async def test_times_are_compared_from_the_first_millisecond_on_and_what_is_no_time_is_refused(portal, three):
    assert await portal.found(rule("createdate", "GTE", "0")) == three
    assert await portal.found(rule("createdate", "LT", 1000)) == []
    for name, value in (("createdate", "yesterday"), ("num_associated_deals", "many")):
        if name in portal.account.store("contacts").properties:
            body = {"filterGroups": [{"filters": [rule(name, "GTE", value)]}]}
            refusal = await portal.ask(400, "POST", "/crm/v3/objects/contacts/search", body)
            assert refusal["category"] == "VALIDATION_ERROR"
