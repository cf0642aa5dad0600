"""Published HubSpot and Salesforce clients, unmodified, against the stand-ins."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from attio_console.sandbox import SandboxOptions, running

pytestmark = pytest.mark.compat


@pytest.fixture(scope="module")
def sandbox():
    """A sandbox on a loop in another thread, because most of these clients block."""
    started: Future = Future()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def live():
        async with running(SandboxOptions(records=300, limits=False)) as it:
            started.set_result(it)
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(live(),))
    thread.start()
    yield started.result(timeout=60)
    loop.call_soon_threadsafe(stop.set)
    thread.join(timeout=30)
    loop.close()


@pytest.fixture(scope="module")
def hubspot(sandbox):
    client = pytest.importorskip("hubspot", reason="pip install -e '.[compat]'")
    return client.HubSpot(access_token=sandbox.tokens["hubspot"], host=sandbox.hubspot)


def test_hubspot_api_client_walks_every_contact(hubspot):
    contacts = hubspot.crm.contacts.get_all(properties=["email", "attio_record_id"])
    assert len(contacts) > 100
    assert len({c.id for c in contacts}) == len(contacts)


def test_hubspot_api_client_writes_searches_and_reads_history(hubspot):
    from hubspot.crm.contacts import (
        PublicObjectSearchRequest,
        SimplePublicObjectInput,
        SimplePublicObjectInputForCreate,
    )
    from hubspot.crm.contacts.exceptions import ApiException

    api = hubspot.crm.contacts.basic_api
    new = SimplePublicObjectInputForCreate(
        properties={"email": "sdk@x.example", "phone": "1"}, associations=[]
    )
    made = api.create(new)
    with pytest.raises(ApiException) as refused:
        api.create(new)
    assert refused.value.status == 409
    api.update(made.id, SimplePublicObjectInput(properties={"phone": "2"}))
    read = api.get_by_id(made.id, properties_with_history=["phone"])
    assert [v.value for v in read.properties_with_history["phone"]] == ["2", "1"]
    query = PublicObjectSearchRequest(
        filter_groups=[{"filters": [{"propertyName": "email", "operator": "EQ", "value": "sdk@x.example"}]}],
        properties=["email"], limit=10, after="0", sorts=[],
    )  # fmt: skip
    assert [r.id for r in hubspot.crm.contacts.search_api.do_search(query).results] == [made.id]
    api.archive(made.id)
    assert made.id in {c.id for c in api.get_page(archived=True).results}


def test_hubspot_api_client_upserts_with_rows_that_fail_alone(hubspot):
    from hubspot.crm.deals import BatchInputSimplePublicObjectBatchInputUpsert

    def one(key, **properties):
        sent = {"attio_record_id": key, **properties}
        return {"id": key, "idProperty": "attio_record_id", "properties": sent, "objectWriteTraceId": key}

    inputs = BatchInputSimplePublicObjectBatchInputUpsert(
        inputs=[one("s1", dealname="D"), one("s2", amount="much")]
    )
    answer = hubspot.crm.deals.batch_api.upsert(inputs)
    assert [(r.new, r.object_write_trace_id) for r in answer.results] == [(True, "s1")]
    assert answer.num_errors == 1


def test_hubspot_api_client_associates_and_describes(hubspot):
    from hubspot.crm.associations.v4 import BatchInputPublicFetchAssociationsBatchRequest

    contact = hubspot.crm.contacts.get_all()[0]
    company = hubspot.crm.companies.get_all()[0]
    hubspot.crm.associations.v4.basic_api.create_default("contacts", contact.id, "companies", company.id)
    asked = BatchInputPublicFetchAssociationsBatchRequest(inputs=[{"id": contact.id}])
    rows = hubspot.crm.associations.v4.batch_api.get_page("contacts", "companies", asked).results
    assert company.id in {to.to_object_id for to in rows[0].to}
    names = {p.name for p in hubspot.crm.properties.core_api.get_all("deals").results}
    assert {"dealname", "dealstage", "attio_record_id"} <= names
    stages = hubspot.crm.pipelines.pipelines_api.get_all("deals").results[0].stages
    assert [s.label for s in stages] == ["Lead", "In Progress", "Won 🎉", "Lost"]
    assert len(hubspot.crm.owners.owners_api.get_page().results) == 7


def test_hubspot_api_client_associates_the_old_way(hubspot):
    from hubspot.crm import associations

    api = hubspot.crm.associations.batch_api
    contact = hubspot.crm.contacts.basic_api.get_page(limit=1).results[0].id
    company = hubspot.crm.companies.basic_api.get_page(limit=1).results[0].id
    pair = {"from": {"id": contact}, "to": {"id": company}, "type": "contact_to_company"}
    body = associations.BatchInputPublicAssociation(inputs=[pair])
    assert len(api.create("contacts", "companies", batch_input_public_association=body).results) == 1
    asked = associations.BatchInputPublicObjectId(inputs=[{"id": contact}])
    seen = api.read("contacts", "companies", batch_input_public_object_id=asked).results[0]
    assert (company, "contact_to_company") in {(to.id, to.type) for to in seen.to}
    assert hubspot.crm.schemas.core_api.get_all().results == []


def test_hubspot_sdk_speaks_the_dated_paths(sandbox):
    sdk = pytest.importorskip("hubspot_sdk", reason="pip install -e '.[compat]'")
    with sdk.HubSpot(access_token=sandbox.tokens["hubspot"], base_url=sandbox.hubspot) as client:
        contacts = list(client.crm.objects.contacts.list(limit=100))
        assert len(contacts) > 100
        owners = client.crm.owners.list()
        assert {o.email for o in owners.results} >= {"ada@northwind.example"}


@pytest.fixture(scope="module")
def loopback(sandbox):
    """A session that takes what simple-salesforce sends to https and carries it to this machine."""
    requests = pytest.importorskip("requests")
    from requests.adapters import HTTPAdapter

    class ToLoopback(HTTPAdapter):
        def send(self, request, **options):
            parts = urlsplit(request.url)
            request.url = sandbox.salesforce + parts.path + (f"?{parts.query}" if parts.query else "")
            return super().send(request, **options)

    session = requests.Session()
    session.mount("https://", ToLoopback())
    yield session
    session.close()


@pytest.fixture(scope="module")
def salesforce(sandbox, loopback):
    client = pytest.importorskip("simple_salesforce", reason="pip install -e '.[compat]'")
    token = sandbox.tokens["salesforce"]["access_token"]
    return client.Salesforce(instance="acme.my.salesforce.com", session_id=token, session=loopback)


def test_simple_salesforce_queries_and_iterates(salesforce):
    rows = salesforce.query_all("SELECT Id, Name, Account.Name FROM Contact WHERE Email != null ORDER BY Id")
    assert rows["totalSize"] == len(rows["records"]) > 50
    assert any(row["Account"] for row in rows["records"])
    ids = [row["Id"] for row in salesforce.query_all_iter("SELECT Id FROM Account")]
    assert len(ids) == len(set(ids)) > 20
    assert salesforce.api_usage["api-usage"].total == 106_200


def test_simple_salesforce_writes(salesforce):
    made = salesforce.Contact.create({"LastName": "Döe", "Email": "sf@x.example"})
    assert salesforce.Contact.update(made["id"], {"Phone": "1"}) == 204
    assert salesforce.Contact.get(made["id"])["Phone"] == "1"
    assert salesforce.Contact.upsert("Attio_Id__c/sf-1", {"LastName": "U"}) == 201
    assert salesforce.Contact.upsert("Attio_Id__c/sf-1", {"LastName": "V"}) == 200
    assert salesforce.Contact.get_by_custom_id("Attio_Id__c", "sf-1")["LastName"] == "V"
    now = datetime.now(UTC)
    assert salesforce.Contact.delete(made["id"]) == 204
    span = (now - timedelta(hours=1), now + timedelta(hours=1))
    assert made["id"] in {r["id"] for r in salesforce.Contact.deleted(*span)["deletedRecords"]}


def test_simple_salesforce_knows_the_errors(salesforce):
    from simple_salesforce import SalesforceMalformedRequest, SalesforceResourceNotFound

    with pytest.raises(SalesforceMalformedRequest, match="REQUIRED_FIELD_MISSING"):
        salesforce.Contact.create({})
    with pytest.raises(SalesforceMalformedRequest, match="MALFORMED_QUERY"):
        salesforce.query("SELECT Id FROM Contact WHERE")
    with pytest.raises(SalesforceResourceNotFound):
        salesforce.Contact.get("003000000000001")


def test_simple_salesforce_loads_and_reads_in_bulk_and_groups(salesforce):
    made = salesforce.bulk2.Contact.insert(records=[{"LastName": f"Bulk {n}"} for n in range(20)], wait=0)
    assert [(job["numberRecordsProcessed"], job["numberRecordsFailed"]) for job in made] == [(20, 0)]
    found = salesforce.search("FIND {Bulk} IN NAME FIELDS RETURNING Contact(Id, LastName)")["searchRecords"]
    assert len(found) == 20
    pages = list(salesforce.bulk2.Contact.query("SELECT Id, LastName FROM Contact", max_records=50))
    rows = sum(page.count("\n") - 1 for page in pages)
    counted = salesforce.query("SELECT COUNT(Id) n, MAX(SystemModstamp) FROM Contact")["records"][0]["n"]
    assert len(pages) > 1 and rows == counted
    accounts = salesforce.query("SELECT Name, (SELECT LastName FROM Contacts) FROM Account LIMIT 5")
    assert any(account["Contacts"] for account in accounts["records"])


@pytest.mark.parametrize("way", ["jwt", "client credentials"])
def test_simple_salesforce_logs_in(sandbox, loopback, way):
    from simple_salesforce import Salesforce

    tokens = sandbox.tokens["salesforce"]
    if way == "jwt":
        more = {"username": tokens["username"], "privatekey_file": tokens["private_key_path"]}
    else:
        more = {"consumer_secret": tokens["client_secret"], "domain": "acme.my"}
    client = Salesforce(consumer_key=tokens["client_id"], session=loopback, **more)
    assert client.query("SELECT COUNT() FROM User")["totalSize"] > 5


def test_aiosalesforce_reads_and_upserts(sandbox):
    aio = pytest.importorskip("aiosalesforce", reason="pip install -e '.[compat]'")
    import httpx
    from aiosalesforce.auth import JwtBearerFlow

    target = httpx.URL(sandbox.salesforce)

    class ToLoopback(httpx.AsyncHTTPTransport):
        async def handle_async_request(self, request):
            request.url = request.url.copy_with(scheme="http", host=target.host, port=target.port)
            return await super().handle_async_request(request)

    async def work():
        tokens = sandbox.tokens["salesforce"]
        auth = JwtBearerFlow(tokens["client_id"], tokens["username"], tokens["private_key_path"])
        async with httpx.AsyncClient(transport=ToLoopback()) as http:
            client = aio.Salesforce(http, base_url="https://acme.my.salesforce.com", auth=auth)
            count = 0
            async for _ in client.query("SELECT Id, Name FROM Contact"):
                count += 1
            made = await client.sobject.upsert(
                "Contact", "aio-1", external_id_field="Attio_Id__c", data={"LastName": "A"}
            )
            read = await client.sobject.get("Contact", made.id, fields=["LastName"])
            return count, made.created, read["LastName"]

    count, created, name = asyncio.run(work())
    assert count > 50
    assert (created, name) == (True, "A")
