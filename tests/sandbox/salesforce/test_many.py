from __future__ import annotations

import pytest

CONTACT = {"attributes": {"type": "Contact"}}


async def test_a_collection_answers_in_order_with_an_outcome_for_each(org):
    records = [{**CONTACT, "LastName": "A"}, {**CONTACT}, {**CONTACT, "LastName": "C"}]
    outcomes = await org.ask(200, "POST", "/composite/sobjects", {"allOrNone": False, "records": records})
    assert [o["success"] for o in outcomes] == [True, False, True]
    assert outcomes[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert outcomes[1]["errors"][0]["fields"] == ["LastName"]
    assert await org.names("ORDER BY LastName") == ["A", "C"]


async def test_all_or_none_leaves_nothing_behind(org):
    records = [{**CONTACT, "LastName": "A"}, {**CONTACT}]
    outcomes = await org.ask(200, "POST", "/composite/sobjects", {"allOrNone": True, "records": records})
    codes = [o["errors"][0]["statusCode"] for o in outcomes]
    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]
    assert await org.names("") == []
    assert org.writes() == []


async def test_collections_upsert_update_read_and_delete(org):
    records = [{**CONTACT, "Attio_Id__c": f"r{n}", "LastName": f"L{n}"} for n in range(3)]
    path = "/composite/sobjects/Contact/Attio_Id__c"
    first = await org.ask(200, "PATCH", path, {"records": records})
    assert [o["created"] for o in first] == [True] * 3
    second = await org.ask(200, "PATCH", path, {"records": [*records[:1], {**CONTACT, "LastName": "no key"}]})
    assert [o.get("created") for o in second] == [False, None]
    ids = [o["id"] for o in first]
    changes = [{**CONTACT, "Id": ids[0], "Phone": "1"}, {**CONTACT, "Id": "003000000000001", "Phone": "1"}]
    outcomes = await org.ask(200, "PATCH", "/composite/sobjects", {"records": changes})
    assert [o["success"] for o in outcomes] == [True, False]
    read = await org.ask(
        200,
        "POST",
        "/composite/sobjects/Contact",
        {"ids": [ids[2], "003000000000001", ids[0]], "fields": ["Id", "Phone"]},
    )
    assert [row and row["Id"] for row in read] == [ids[2], None, ids[0]]
    gone = await org.ask(200, "DELETE", f"/composite/sobjects?ids={ids[1]},{ids[1]}")
    assert [o["success"] for o in gone] == [True, False]
    assert gone[1]["errors"][0]["statusCode"] == "ENTITY_IS_DELETED"


async def test_no_more_than_two_hundred_and_no_key_twice(org):
    many = [{**CONTACT, "LastName": str(n)} for n in range(201)]
    await org.refused(400, "EXCEEDED_ID_LIMIT", "POST", "/composite/sobjects", {"records": many})
    twice = [{**CONTACT, "Attio_Id__c": "r", "LastName": "A"}] * 2
    outcomes = await org.ask(200, "PATCH", "/composite/sobjects/Contact/Attio_Id__c", {"records": twice})
    assert {o["errors"][0]["statusCode"] for o in outcomes} == {"DUPLICATE_VALUE"}


def sub(name, method, path, body=None):
    one = {"method": method, "url": f"/services/data/v67.0{path}", "referenceId": name}
    return one | ({"body": body} if body is not None else {})


async def test_composite_calls_refer_to_earlier_answers(org):
    calls = [
        sub("acc", "POST", "/sobjects/Account", {"Name": "A"}),
        sub("con", "POST", "/sobjects/Contact", {"LastName": "L", "AccountId": "@{acc.id}"}),
        sub("all", "GET", "/query?q=SELECT+Id+FROM+Contact+WHERE+AccountId='@{acc.id}'"),
        sub("one", "GET", "/sobjects/Contact/@{all.records[0].Id}?fields=LastName"),
    ]
    body = await org.ask(200, "POST", "/composite", {"allOrNone": True, "compositeRequest": calls})
    answers = {r["referenceId"]: r for r in body["compositeResponse"]}
    assert [r["httpStatusCode"] for r in answers.values()] == [201, 201, 200, 200]
    assert answers["acc"]["httpHeaders"]["Location"].endswith(answers["acc"]["body"]["id"])
    assert answers["one"]["body"]["LastName"] == "L"
    assert len(org.writes()) == 2


@pytest.mark.parametrize("strict", [True, False])
async def test_a_failed_call_halts_what_depends_on_it(org, strict):
    calls = [
        sub("ok", "POST", "/sobjects/Account", {"Name": "Kept?"}),
        sub("bad", "POST", "/sobjects/Account", {}),
        sub("dep", "POST", "/sobjects/Contact", {"LastName": "L", "AccountId": "@{bad.id}"}),
    ]
    body = await org.ask(200, "POST", "/composite", {"allOrNone": strict, "compositeRequest": calls})
    rows = body["compositeResponse"]
    assert [r["httpStatusCode"] for r in rows] == [400 if strict else 201, 400, 400]
    assert rows[2]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert await org.names("", "Name", "Account") == ([] if strict else ["Kept?"])
    assert len(org.writes()) == (0 if strict else 1)


async def test_a_batch_runs_what_it_is_given(org):
    requests = [
        {"method": "POST", "url": "v67.0/sobjects/Account", "richInput": {"Name": "A"}},
        {"method": "GET", "url": "v67.0/sobjects/Account/nope"},
        {"method": "GET", "url": "v67.0/limits"},
    ]
    body = await org.ask(200, "POST", "/composite/batch", {"batchRequests": requests})
    assert body["hasErrors"] is True
    assert [r["statusCode"] for r in body["results"]] == [201, 404, 200]
    halted = await org.ask(200, "POST", "/composite/batch", {"batchRequests": requests, "haltOnError": True})
    assert halted["results"][2]["result"][0]["errorCode"] == "BATCH_PROCESSING_HALTED"


async def test_pages_of_a_query_follow_a_cursor_until_it_goes_cold(org):
    table, me = org.org.tables["Contact"], org.org.integration_user["Id"]
    for n in range(450):
        org.org.create(table, {"LastName": f"L{n:03d}"}, me)
    size = {"Sforce-Query-Options": "batchSize=200"}
    query = {"q": "SELECT Id, LastName FROM Contact ORDER BY LastName"}
    page = await org.ask(200, "GET", "/query", params=query, headers=size)
    assert (page["totalSize"], page["done"], len(page["records"])) == (450, False, 200)
    seen = [r["LastName"] for r in page["records"]]
    first_next = page["nextRecordsUrl"]
    while not page["done"]:
        page = await org.ask(200, "GET", page["nextRecordsUrl"])
        seen += [r["LastName"] for r in page["records"]]
    assert "nextRecordsUrl" not in page
    assert seen == [f"L{n:03d}" for n in range(450)]
    org.sandbox.world.clock.advance(15 * 60 + 1)
    await org.refused(400, "INVALID_QUERY_LOCATOR", "GET", first_next)


async def test_counts(org):
    await org.make("Contact", LastName="A", Phone="1")
    await org.make("Contact", LastName="B")
    assert (await org.ask(200, "GET", "/query?q=SELECT+COUNT()+FROM+Contact"))["totalSize"] == 2
    rows = await org.query("SELECT COUNT(Phone) phones FROM Contact")
    assert rows[0]["phones"] == 1


async def test_a_locked_account_keeps_its_contacts_from_being_written(org):
    from attio_console.sandbox.salesforce import control

    account = await org.make("Account", Name="A")
    inside, outside = await org.make("Contact", LastName="I", AccountId=account), await org.make()
    control.lock(org.sandbox.world, "Account", account, 5)
    records = [{**CONTACT, "Id": key, "Phone": "1"} for key in (inside, outside)]
    outcomes = await org.ask(200, "PATCH", "/composite/sobjects", {"records": records})
    assert [o["success"] for o in outcomes] == [False, True]
    assert outcomes[0]["errors"][0]["statusCode"] == "UNABLE_TO_LOCK_ROW"
    await org.refused(400, "UNABLE_TO_LOCK_ROW", "DELETE", f"/sobjects/Account/{account}")
    org.sandbox.world.clock.advance(6)
    await org.ask(204, "PATCH", f"/sobjects/Contact/{inside}", {"Phone": "2"})
