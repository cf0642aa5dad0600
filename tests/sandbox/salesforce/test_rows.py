from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attio_console.sandbox.salesforce.ids import checksum, full_id, make_id


def http_date(moment):
    return format_datetime(moment, usegmt=True)


def moment(row):
    return datetime.fromisoformat(row["SystemModstamp"])


@given(st.integers(0, 62**9))
def test_ids_survive_shortening_and_folding(number):
    made = make_id("003", number)
    assert len(made) == 18
    assert full_id(made[:15]) == full_id(made) == full_id(made.lower()) == full_id(made.upper()) == made


def test_the_published_example_of_a_checksum():
    assert checksum("0015000000Gv7qJ") == "AAR"
    assert full_id("0015000000Gv7qJ") == "0015000000Gv7qJAAR"
    assert full_id("not an id") is None


async def test_a_row_from_creation_to_the_recycle_bin(org):
    key = await org.make("Contact", LastName="Döe", FirstName="Jo", Email="j@x.example")
    row = await org.ask(200, "GET", f"/sobjects/Contact/{key[:15]}")
    assert row["attributes"] == {"type": "Contact", "url": f"/services/data/v67.0/sobjects/Contact/{key}"}
    assert (row["Name"], row["Phone"], row["IsDeleted"]) == ("Jo Döe", None, False)
    assert row["SystemModstamp"].endswith(".000+0000")
    assert await org.ask(204, "PATCH", f"/sobjects/Contact/{key}", {"Phone": "1", "FirstName": None}) is None
    some = await org.ask(200, "GET", f"/sobjects/Contact/{key}?fields=Name,Phone")
    assert set(some) == {"attributes", "Name", "Phone"}
    assert (some["Name"], some["Phone"]) == ("Döe", "1")
    await org.ask(204, "DELETE", f"/sobjects/Contact/{key}")
    await org.refused(404, "ENTITY_IS_DELETED", "GET", f"/sobjects/Contact/{key}")
    assert await org.query("SELECT Id FROM Contact") == []
    assert [r["IsDeleted"] for r in await org.query("SELECT Id, IsDeleted FROM Contact", deleted=True)] == [
        True
    ]


@pytest.mark.parametrize(
    ("kind", "values", "code"),
    [
        ("Contact", {"FirstName": "Jo"}, "REQUIRED_FIELD_MISSING"),
        ("Contact", {"LastName": "D", "Nope__c": 1}, "INVALID_FIELD"),
        ("Contact", {"LastName": "D", "SystemModstamp": "2026-01-01T00:00:00Z"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ("Contact", {"LastName": "D", "Email": "nobody"}, "INVALID_EMAIL_ADDRESS"),
        ("Contact", {"LastName": "D" * 81}, "STRING_TOO_LONG"),
        ("Contact", {"LastName": "D", "AccountId": "001RO00000zzzzzzzz"}, "MALFORMED_ID"),
        ("Contact", {"LastName": "D", "AccountId": make_id("001", 5)}, "INVALID_CROSS_REFERENCE_KEY"),
        ("Contact", {"LastName": "D", "AccountId": make_id("003", 5)}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Contact", {"LastName": ["D"]}, "JSON_PARSER_ERROR"),
        ("Opportunity", {"Name": "O", "CloseDate": "2026-12-01", "StageName": "Nowhere"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ("Opportunity", {"Name": "O", "CloseDate": "soon", "StageName": "Lead"}, "JSON_PARSER_ERROR"),
        ("User", {"LastName": "U"}, "INSUFFICIENT_ACCESS_OR_READONLY"),
    ],
)  # fmt: skip
async def test_bad_values_are_refused_by_their_codes(org, kind, values, code):
    error = await org.refused(400, code, "POST", f"/sobjects/{kind}", values)
    assert error["message"]
    assert org.writes() == []


async def test_upsert_by_external_id_creates_then_updates_then_asks(org):
    path = "/sobjects/Contact/Attio_Id__c/rec%2F1"
    made = await org.ask(201, "PATCH", path, {"LastName": "A"})
    assert (made["created"], made["success"], made["errors"]) == (True, True, [])
    again = await org.ask(200, "PATCH", path, {"LastName": "B"})
    assert (again["id"], again["created"]) == (made["id"], False)
    assert (await org.ask(200, "GET", path))["LastName"] == "B"
    await org.refused(
        404, "NOT_FOUND", "PATCH", "/sobjects/Contact/Attio_Id__c/new?updateOnly=true", {"LastName": "A"}
    )
    twin = await org.make("Contact", LastName="C", Attio_Id__c="rec/1")
    urls = await org.ask(300, "PATCH", path, {"LastName": "D"})
    assert {url.rpartition("/")[2] for url in urls} == {made["id"], twin}
    await org.ask(300, "GET", path)
    await org.refused(404, "NOT_FOUND", "PATCH", "/sobjects/Contact/Title/x", {"LastName": "D"})


async def test_a_write_on_an_older_sight_is_refused(org):
    key = await org.make()
    seen = moment(await org.ask(200, "GET", f"/sobjects/Contact/{key}"))
    path = f"/sobjects/Contact/{key}"
    await org.ask(204, "PATCH", path, {"Phone": "1"}, headers={"If-Unmodified-Since": http_date(seen)})
    org.sandbox.world.clock.advance(5)
    await org.ask(204, "PATCH", path, {"Phone": "2"})
    late = {"If-Unmodified-Since": http_date(seen)}
    await org.ask(412, "PATCH", path, {"Phone": "3"}, headers=late)
    await org.ask(412, "GET", path, headers=late)
    assert (await org.ask(200, "GET", path))["Phone"] == "2"
    # Deletes take no condition, as documented.
    await org.ask(204, "DELETE", path, headers=late)


async def test_unchanged_rows_and_descriptions_are_not_sent_again(org):
    key = await org.make()
    later = {"If-Modified-Since": http_date(datetime.now(UTC) + timedelta(hours=1))}
    assert (await org.raw("GET", f"/sobjects/Contact/{key}", headers=later)).status_code == 304
    assert (await org.raw("GET", "/sobjects/Contact/describe", headers=later)).status_code == 304
    earlier = {"If-Modified-Since": http_date(datetime.now(UTC) - timedelta(hours=1))}
    assert (await org.raw("GET", f"/sobjects/Contact/{key}", headers=earlier)).status_code == 200


async def test_entity_tags_are_for_accounts_alone(org):
    account, contact = await org.make("Account", Name="A"), await org.make()
    tag = (await org.raw("GET", f"/sobjects/Account/{account}")).headers["etag"]
    assert "etag" not in (await org.raw("GET", f"/sobjects/Contact/{contact}")).headers
    same = await org.raw("GET", f"/sobjects/Account/{account}", headers={"If-None-Match": tag})
    assert same.status_code == 304
    await org.ask(204, "PATCH", f"/sobjects/Account/{account}", {"Phone": "1"}, headers={"If-Match": tag})
    await org.ask(412, "PATCH", f"/sobjects/Account/{account}", {"Phone": "2"}, headers={"If-Match": tag})


async def test_describe_tells_what_may_be_written(org):
    body = await org.ask(200, "GET", "/sobjects/Opportunity/describe")
    fields = {f["name"]: f for f in body["fields"]}
    assert fields["StageName"]["picklistValues"][0] == {
        "value": "Lead", "label": "Lead", "active": True, "defaultValue": False, "validFor": None,
    }  # fmt: skip
    assert fields["StageName"]["nillable"] is False
    assert fields["AccountId"]["referenceTo"] == ["Account"]
    assert fields["AccountId"]["relationshipName"] == "Account"
    assert fields["Attio_Id__c"]["externalId"] is True
    assert (fields["SystemModstamp"]["createable"], fields["SystemModstamp"]["updateable"]) == (False, False)
    assert body["recordTypeInfos"][0]["master"] is True
    every = await org.ask(200, "GET", "/sobjects")
    assert {"Contact", "Lead", "Account", "Opportunity", "Task", "User"} <= {
        o["name"] for o in every["sobjects"]
    }


async def test_updated_and_deleted_ids_by_whole_minutes(org):
    clock = org.sandbox.world.clock
    clock.advance(120)
    kept, gone = await org.make(), await org.make()
    await org.ask(204, "DELETE", f"/sobjects/Contact/{gone}")
    clock.advance(120)
    now = clock.now()
    query = {"start": (now - timedelta(hours=1)).isoformat(), "end": (now + timedelta(minutes=1)).isoformat()}
    updated = await org.ask(200, "GET", "/sobjects/Contact/updated/", params=query)
    assert updated["ids"] == [kept]
    deleted = await org.ask(200, "GET", "/sobjects/Contact/deleted/", params=query)
    assert [row["id"] for row in deleted["deletedRecords"]] == [gone]
    assert deleted["latestDateCovered"] <= now.strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    old = {**query, "start": (now - timedelta(days=20)).isoformat()}
    await org.refused(400, "INVALID_REPLICATION_DATE", "GET", "/sobjects/Contact/deleted/", params=old)
    short = {"start": now.isoformat(), "end": now.isoformat()}
    await org.refused(400, "INVALID_REPLICATION_DATE", "GET", "/sobjects/Contact/updated/", params=short)


async def test_a_merge_leaves_word_of_the_loser_and_moves_its_children(org):
    one, two = await org.make("Account", Name="A"), await org.make("Account", Name="B")
    contact = await org.make("Contact", LastName="D", AccountId=two)
    body = {"system": "salesforce", "object": "Account", "id": one, "other_id": two, "actor": "system"}
    assert (await org.ask(200, "POST", f"{org.sandbox.control}/merge", body))["id"] == one
    rows = await org.query("SELECT Id, MasterRecordId FROM Account WHERE IsDeleted = true", deleted=True)
    assert [(r["Id"], r["MasterRecordId"]) for r in rows] == [(two, one)]
    assert (await org.ask(200, "GET", f"/sobjects/Contact/{contact}"))["AccountId"] == one


async def test_history_tells_who_changed_which_field(org):
    ada = org.org.add_user("Ada", "Okonkwo", "ada@x.example")
    key = await org.make()
    edit = {
        "system": "salesforce",
        "object": "Contact",
        "id": key,
        "values": {"Phone": "7"},
        "actor": "ada@x.example",
    }
    await org.ask(200, "POST", f"{org.sandbox.control}/edit", edit)
    row = await org.ask(200, "GET", f"/sobjects/Contact/{key}")
    assert row["LastModifiedById"] == ada["Id"]
    history = await org.query(
        f"SELECT Field, OldValue, NewValue, CreatedBy.Name FROM ContactHistory WHERE ContactId = '{key}'"
    )
    assert [(h["Field"], h["OldValue"], h["NewValue"]) for h in history] == [("Phone", None, "7")]
    assert history[0]["CreatedBy"]["Name"] == "Ada Okonkwo"


async def test_a_converted_lead_says_what_became_of_it(org):
    from attio_console.sandbox.salesforce import control

    lead = await org.make("Lead", LastName="L", Company="C", Email="l@x.example")
    contact = control.convert(org.sandbox.world, lead, "system")
    soql = "SELECT IsConverted, ConvertedContactId, ConvertedContact.Email FROM Lead"
    rows = await org.query(soql)
    assert rows[0]["IsConverted"] is True
    assert rows[0]["ConvertedContactId"] == contact
    assert rows[0]["ConvertedContact"]["Email"] == "l@x.example"
    await org.refused(400, "CANNOT_UPDATE_CONVERTED_LEAD", "PATCH", f"/sobjects/Lead/{lead}", {"Phone": "1"})
