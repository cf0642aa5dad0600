from __future__ import annotations

import pytest


@pytest.fixture
async def filled(org):
    account = await org.make("Account", Name="Acme Rockets", Website="https://rockets.example")
    await org.make(LastName="O'Néil", FirstName="Ana", Email="ana@acme.example", AccountId=account)
    await org.make(LastName="Brown", Phone="+1 555 010")
    return org


async def found(org, text):
    rows = (await org.ask(200, "GET", "/search", params={"q": text}))["searchRecords"]
    return sorted((r["attributes"]["type"], r.get("LastName") or r.get("Name")) for r in rows)


async def test_what_is_found_and_where(filled):
    org = filled
    both = "FIND {acme} RETURNING Contact(Id, LastName), Account(Name)"
    assert await found(org, both) == [("Account", "Acme Rockets"), ("Contact", "O'Néil")]
    names = "FIND {ACME} IN NAME FIELDS RETURNING Contact(LastName), Account(Name)"
    assert await found(org, names) == [("Account", "Acme Rockets")]
    assert await found(org, "FIND {roc*} IN ALL FIELDS RETURNING Account(Name LIMIT 1) LIMIT 5") == [
        ("Account", "Acme Rockets")
    ]
    assert await found(
        org, r"FIND {o\'n?il} RETURNING Contact(LastName WHERE Email != null ORDER BY LastName)"
    ) == [("Contact", "O'Néil")]
    assert await found(org, "FIND {brown acme} RETURNING Contact(LastName)") == []
    assert [kind for kind, _ in await found(org, 'FIND {"ana"}')] == ["Contact"]


async def test_a_search_in_parameters(filled):
    params = {"q": "acme", "sobject": "Contact", "Contact.fields": "Id,LastName"}
    rows = (await filled.ask(200, "GET", "/parameterizedSearch", params=params))["searchRecords"]
    assert [row["LastName"] for row in rows] == ["O'Néil"]


@pytest.mark.parametrize(
    "text", ["", "FIND acme", "FIND {a}", "FIND {acme} IN SOME FIELDS", "FIND {acme} RETURNING Contact("]
)
async def test_searches_that_cannot_be_read_are_refused(org, text):
    await org.refused(400, "MALFORMED_SEARCH", "GET", "/search", params={"q": text})
    await org.refused(400, "INVALID_TYPE", "GET", "/search", params={"q": "FIND {acme} RETURNING Nope(Id)"})
