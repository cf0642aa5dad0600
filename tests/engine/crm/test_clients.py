from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from attio_console import errors
from attio_console.crm import (
    ClientCredentials,
    CrmWrite,
    HubSpot,
    JwtBearer,
    RefreshToken,
    Salesforce,
    TokenAtHand,
)
from attio_console.crm.protocol import Cursor
from attio_console.crm.salesforce_wire import id18
from attio_console.net import HttpClient
from tests.engine.conftest import Control

if TYPE_CHECKING:
    from attio_console.sandbox import Sandbox

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
async def hubspot(sandbox: Sandbox) -> AsyncIterator[HubSpot]:
    async with HubSpot(sandbox.tokens["hubspot"], base_url=sandbox.hubspot, burst_per_10_s=1000) as client:
        yield client


@pytest.fixture
async def salesforce(sandbox: Sandbox) -> AsyncIterator[Salesforce]:
    token = sandbox.tokens["salesforce"]["access_token"]
    async with Salesforce(TokenAtHand(token, sandbox.salesforce)) as client:
        yield client


async def everything(client: Any, kind: str, fields: list[str]) -> dict[str, Any]:
    return {record.id: record async for page in client.scan(kind, fields) for record in page.records}


@pytest.mark.parametrize("version", ["v3", "2026-03", "2026-09"])
async def test_hubspot_speaks_every_version(sandbox: Sandbox, version: Any) -> None:
    async with HubSpot(sandbox.tokens["hubspot"], base_url=sandbox.hubspot, version=version) as client:
        contacts = await client.describe("contacts")
        email = contacts.field("email")
        assert email is not None and email.is_unique
        stage = (await client.describe("deals")).field("dealstage")
        assert stage is not None and [o.label for o in stage.options if o.is_active]
        assert (await client.identity()).account_id
        assert (await client.owners())[0].email
        found = await everything(client, "contacts", ["email", "association:companies"])
        assert any(record.values["association:companies"] for record in found.values())


async def test_a_scan_and_a_search_find_the_same_hubspot_records(hubspot: HubSpot) -> None:
    scanned = await everything(hubspot, "contacts", ["email"])
    searched = {
        r.id
        async for page in hubspot.changed("contacts", ["email"], Cursor("2000-01-01T00:00:00Z"))
        for r in page.records
    }
    assert searched == set(scanned)


async def test_more_equal_timestamps_than_a_search_is_deep_lose_nothing(
    sandbox: Sandbox, hubspot: HubSpot
) -> None:
    from attio_console.sandbox.hubspot import HubSpot as Account

    account = sandbox.world.part(Account)
    store = account.store("contacts")
    source = account.source_of("system")
    instant = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
    made = set()
    for number in range(10_300):
        record = account.create(store, {"email": f"bulk{number}@equal.example"}, source)
        record.updated_at = instant
        record.properties["lastmodifieddate"] = "2026-11-01T12:00:00.000Z"
        made.add(str(record.id))
    found = {
        r.id
        async for page in hubspot.changed("contacts", ["email"], Cursor("2026-11-01T12:00:00Z"))
        for r in page.records
    }
    assert made <= found


async def test_a_bad_row_fails_alone(hubspot: HubSpot) -> None:
    ids = list(await everything(hubspot, "contacts", ["email"]))[:3]
    writes = [CrmWrite(str(n), {"jobtitle": f"Row {n}"}, one) for n, one in enumerate(ids)]
    writes[1] = CrmWrite("1", {"no_such_property": "x"}, ids[1])
    results = {r.key: r for r in await hubspot.update_many("contacts", writes)}
    assert results["0"].error is None and results["2"].error is None
    assert isinstance(results["1"].error, errors.Refused)
    assert results["0"].record is not None and results["0"].record.values["jobtitle"] == "Row 0"


async def test_an_upsert_by_key_never_makes_a_second_record(hubspot: HubSpot, salesforce: Salesforce) -> None:
    for client, kind, key, name in (
        (hubspot, "companies", "attio_record_id", "name"),
        (salesforce, "Account", "Attio_Id__c", "Name"),
    ):
        write = CrmWrite("k", {key: "rec-once", name: "Once Ltd"})
        [first] = await client.upsert_many(kind, key, [write])
        [second] = await client.upsert_many(kind, key, [write])
        assert first.id == second.id
        assert (first.is_new, second.is_new) == (True, False)
        [found] = await client.find(kind, key, ["rec-once"], [name])
        assert found.id == first.id


async def test_hubspot_links_are_set_replaced_and_removed(hubspot: HubSpot) -> None:
    person = next(iter(await everything(hubspot, "contacts", ["email"])))
    first, second = list(await everything(hubspot, "companies", ["name"]))[:2]
    fields = ["association:companies"]
    for target in (first, second, None):
        [result] = await hubspot.update_many("contacts", [CrmWrite("k", {}, person, {"companies": target})])
        assert result.error is None
        [record] = await hubspot.get_many("contacts", [person], fields)
        if target is not None:
            assert record.values["association:companies"] == target


async def test_a_merged_hubspot_record_is_found_under_its_old_id(hubspot: HubSpot, control: Control) -> None:
    one, two = list(await everything(hubspot, "contacts", ["email"]))[:2]
    done = await control.post("/merge", system="hubspot", object="contacts", id=one, other_id=two)
    [record] = await hubspot.get_many("contacts", [two], ["email"])
    assert (record.id, record.asked_id) == (str(done["id"]), two)
    assert two in record.absorbed


async def test_a_hubspot_rate_limit_is_waited_out(hubspot: HubSpot, control: Control) -> None:
    rule = {"system": "hubspot", "count": 2, "action": "status", "status": 429}
    await control.post("/faults", rules=[rule])
    assert (await hubspot.identity()).account_id


async def test_every_way_into_salesforce_opens_the_same_org(sandbox: Sandbox, tmp_path: Path) -> None:
    tokens = sandbox.tokens["salesforce"]
    key = Path(tokens["private_key_path"]).read_bytes()
    ways = [
        ClientCredentials(sandbox.salesforce, tokens["client_id"], tokens["client_secret"]),
        JwtBearer(sandbox.salesforce, tokens["client_id"], tokens["username"], key),
        RefreshToken(
            sandbox.salesforce, tokens["client_id"], tokens["refresh_token"], tokens["client_secret"]
        ),
    ]
    orgs = set()
    for way in ways:
        async with Salesforce(way) as client:
            orgs.add((await client.identity()).account_id)
            assert (await client.describe("Contact")).field("LastName")
    assert len(orgs) == 1
    async with HttpClient() as http:
        with pytest.raises(errors.NotAuthorised):
            await ClientCredentials(sandbox.salesforce, tokens["client_id"], "wrong").open(http)


async def test_an_expired_session_is_opened_again_once(sandbox: Sandbox) -> None:
    tokens = sandbox.tokens["salesforce"]
    way = ClientCredentials(sandbox.salesforce, tokens["client_id"], tokens["client_secret"])
    opened = 0

    class Counting:
        async def open(self, http: HttpClient) -> Any:
            nonlocal opened
            opened += 1
            session = await way.open(http)
            return type(session)("00Dexpired!token", session.instance_url) if opened == 1 else session

    async with Salesforce(Counting()) as client:
        assert (await client.describe("Account")).field("Name")
    assert opened == 2


async def test_another_org_than_the_known_one_is_refused(sandbox: Sandbox) -> None:
    tokens = sandbox.tokens["salesforce"]
    way = ClientCredentials(sandbox.salesforce, tokens["client_id"], tokens["client_secret"])
    async with Salesforce(way, org_id="00Danother") as client:
        with pytest.raises(errors.NotAuthorised):
            await client.describe("Account")


async def test_a_write_bound_to_an_old_version_is_not_made(salesforce: Salesforce, control: Control) -> None:
    record = next(iter((await everything(salesforce, "Contact", ["Title"])).values()))
    await control.post(
        "/edit", system="salesforce", object="Contact", id=record.id, values={"Title": "Newer"}
    )
    stale = "2020-01-01T00:00:00.000+0000"
    [result] = await salesforce.update_many(
        "Contact", [CrmWrite("k", {"Title": "Mine"}, record.id, unmodified_since=stale)]
    )
    assert isinstance(result.error, errors.Changed)
    [now] = await salesforce.get_many("Contact", [record.id], ["Title"])
    assert now.values["Title"] == "Newer"
    [result] = await salesforce.update_many(
        "Contact", [CrmWrite("k", {"Title": "Mine"}, record.id, unmodified_since=now.modified_at)]
    )
    assert result.error is None


async def test_salesforce_rows_fail_alone_with_their_reason(salesforce: Salesforce) -> None:
    ids = list(await everything(salesforce, "Contact", ["Title"]))[:2]
    writes = [CrmWrite("good", {"Title": "Fine"}, ids[0]), CrmWrite("bad", {"No_Such__c": "x"}, ids[1])]
    results = {r.key: r for r in await salesforce.update_many("Contact", writes)}
    assert results["good"].error is None
    assert isinstance(results["bad"].error, errors.Refused)


async def test_a_busy_row_is_said_and_waits_for_another_look(
    salesforce: Salesforce, control: Control
) -> None:
    one = next(iter(await everything(salesforce, "Contact", ["Title"])))
    body = [{"message": "unable to obtain exclusive access", "errorCode": "UNABLE_TO_LOCK_ROW"}]
    rule = {
        "system": "salesforce",
        "method": "PATCH",
        "count": 1,
        "action": "status",
        "status": 400,
        "body": body,
    }
    await control.post("/faults", rules=[rule])
    before = await salesforce.get_many("Contact", [one], ["Title"])
    # What was right for what was read may not be right a moment later: whoever writes looks again first.
    with pytest.raises(errors.ConcurrentWrite) as busy:
        await salesforce.update_many("Contact", [CrmWrite("k", {"Title": "Patient"}, one)])
    assert busy.value.retryable
    assert await salesforce.get_many("Contact", [one], ["Title"]) == before
    [result] = await salesforce.update_many("Contact", [CrmWrite("k", {"Title": "Patient"}, one)])
    assert result.error is None


async def test_salesforce_tells_of_deletions_merges_and_changes(
    salesforce: Salesforce, control: Control
) -> None:
    kept, lost, gone = list(await everything(salesforce, "Contact", ["Title"]))[:3]
    since = datetime.now(UTC) - timedelta(minutes=5)
    await control.post("/merge", system="salesforce", object="Contact", id=kept, other_id=lost)
    await control.post("/delete", system="salesforce", object="Contact", id=gone)
    assert gone in await salesforce.archived_since("Contact", since)
    assert [(m.lost_id, m.kept_id) for m in await salesforce.merges_since("Contact", LONG_AGO)] == [
        (lost, kept)
    ]
    [record] = await salesforce.get_many("Contact", [lost], ["Title"])
    assert (record.id, record.asked_id) == (kept, lost)
    assert await salesforce.get_many("Contact", [gone], ["Title"]) == []


async def test_a_salesforce_change_says_who_and_when(salesforce: Salesforce, control: Control) -> None:
    one = next(iter(await everything(salesforce, "Contact", ["Title"])))
    await control.post("/edit", system="salesforce", object="Contact", id=one, values={"Title": "Changed"})
    history = await salesforce.history("Contact", [one], ["Title"])
    newest = history[one]["Title"][0]
    assert newest.value == "Changed"
    assert newest.by and newest.at is not None


def test_short_and_long_salesforce_ids_are_one() -> None:
    assert id18("001RO00000WeoVY") == "001RO00000WeoVYYAZ"
    assert id18("001RO00000WeoVYYAZ") == "001RO00000WeoVYYAZ"
