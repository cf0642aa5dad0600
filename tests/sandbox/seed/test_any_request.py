"""Whatever is sent to the stand-ins for HubSpot and Salesforce, they answer with a refusal and never with a crash."""

from __future__ import annotations

import json
import random
import re

import pytest

from attio_console.sandbox import hubspot, salesforce
from attio_console.sandbox.hubspot import HubSpot
from attio_console.sandbox.populate import populate
from attio_console.sandbox.salesforce import Salesforce
from attio_console.sandbox.salesforce.sessions import sessions_of
from attio_console.sandbox.server import Request
from attio_console.sandbox.world import Settings, World

KEYS = tuple(
    re.split(
        r"\s+",
        "inputs properties id idProperty filterGroups filters propertyName operator value values highValue sorts limit after "
        "associations to from types associationTypeId objectWriteTraceId name label type fieldType groupName options query "
        "primaryObjectId objectIdToMerge records attributes allOrNone Id LastName Name AccountId compositeRequest method url "
        "referenceId body batchRequests richInput ids fields Email email phone dealstage amount closedate StageName CloseDate",
    )
)
PLAIN = (
    None, True, False, 0, 1, -1, 3.5, 1e300, 10**30, "", "x", "contacts", "companies", "email", "EQ", "IN", "BETWEEN", "Contact",
    "Account", "2026-01-01", "a@b.example", "GET", "POST", "/services/data/v67.0/sobjects/Contact", "@{a.id}", "'", "\0", "9" * 400,
    "/services/data/v67.0/query?q=SELECT Id FROM Contact",
)  # fmt: skip
QUERY = (
    "1", "x", "", "true", "email", "phone,email", "companies", "9" * 30, "-1", "2026-11-20T00:00:00Z", "SELECT Id FROM Contact",
    "SELECT Name, Account.Name FROM Contact WHERE Email LIKE '%a%' ORDER BY Name", "SELECT FIELDS(ALL) FROM Lead LIMIT 5",
)  # fmt: skip
NAMES = (
    "limit", "after", "properties", "archived", "idProperty", "propertiesWithHistory", "associations", "fields", "q", "start", "end",
    "ids", "email", "allOrNone", "client_id", "redirect_uri",
)  # fmt: skip
HEADERS = ("if-unmodified-since", "if-modified-since", "if-match", "if-none-match", "sforce-query-options")
KINDS = ("contacts", "companies", "deals", "notes", "zzz")


class Sender:
    """Makes up requests for one system."""

    def __init__(self, world, system, seed):
        self.random = random.Random(seed)
        if system == "hubspot":
            self.app = hubspot.make_app(world)
            account = world.part(HubSpot)
            self.token = account.keyring.service_key.value
            self.ids = [str(key) for s in account.objects.values() for key in list(s.records)[:5]]
        else:
            self.app = salesforce.make_app(world)
            self.token = sessions_of(world).first.token
            self.ids = [key for t in world.part(Salesforce).tables.values() for key in list(t.rows)[:4]]

    def value(self, depth=0):
        draw = self.random.random()
        if depth > 4 or draw < 0.35:
            return self.random.choice((*PLAIN, *self.random.sample(self.ids, 3)))
        if draw < 0.6:
            return [self.value(depth + 1) for _ in range(self.random.randrange(3))]
        return {self.random.choice(KEYS): self.value(depth + 1) for _ in range(self.random.randrange(5))}

    def body(self):
        pick, value = self.random.choice, self.value
        shapes = (
            value,
            lambda: {"inputs": [{"id": pick(self.ids), "properties": value(3), "idProperty": pick((None, "email", 3))}]},
            lambda: {"properties": {pick(("email", "phone", "amount", "dealstage", "hubspot_owner_id")): value(4)}},
            lambda: {
                "filterGroups": [{"filters": [{"propertyName": pick(("email", "createdate")), "operator": "EQ", "value": value(4)}]}],
                "sorts": value(3), "limit": value(4), "after": value(4), "properties": value(3), "query": value(4),
            },
            lambda: {"inputs": [{"from": value(3), "to": value(3), "types": value(2)}]},
            lambda: {"associations": [{"to": value(3), "types": [{"associationTypeId": value(4)}]}], "properties": {}},
            lambda: {"records": [{"attributes": {"type": pick(("Contact", value(4)))}, "Id": pick(self.ids), "LastName": value(4)}]},
            lambda: {
                "compositeRequest": [
                    {"method": pick(("GET", "POST", "PATCH")), "url": pick(PLAIN), "referenceId": pick("abc"), "body": value(3)}
                    for _ in range(3)
                ],
                "allOrNone": pick((True, False)),
            },
            lambda: {pick(("LastName", "Email", "AccountId", "CloseDate", "Amount", "OwnerId")): value(4) for _ in range(3)},
        )  # fmt: skip
        return pick(shapes)()

    def segment(self, match):
        name = match[1]
        if name == "version":
            return "v67.0"
        if name in {"type", "from", "to"}:
            return self.random.choice(KINDS)
        if name == "object":
            return self.random.choice(("Contact", "Account", "Lead", "ContactHistory", "User", "zzz"))
        if name == "field":
            return self.random.choice(("Attio_Id__c", "Email", "Id", "zzz"))
        return self.random.choice((*self.ids, "email", "x"))

    async def send(self):
        random_ = self.random
        route = random_.choice(self.app.router.routes)
        path = re.sub(r"\{(\w+)\}", self.segment, route.template)
        query = {name: random_.choice(QUERY) for name in NAMES if random_.random() < 0.2}
        headers = {"authorization": f"Bearer {self.token}", "host": "h"}
        if random_.random() < 0.1:
            headers[random_.choice(HEADERS)] = random_.choice(
                ("x", "Tue, 10 Aug 2015 00:00:00 GMT", '"a"', "*", "batchSize=1")
            )
        body = json.dumps(self.body()).encode() if route.method != "GET" else b""
        request = Request(route.method, path, query, list(query.items()), headers, body, self.app.shape)
        request.route, request.params, allowed = self.app.router.find(route.method, path)
        request.state["allowed"] = allowed
        return request, await self.app.answer(request)


@pytest.mark.parametrize("system", ["hubspot", "salesforce"])
async def test_no_request_crashes_a_stand_in(system):
    world = World(1, settings=Settings(limits=False))
    populate(world, 60)
    sender = Sender(world, system, 7)
    for _ in range(3_000):
        request, response = await sender.send()
        # SOAP's own rules make a fault, which is a refusal, a 500.
        refused = request.path.startswith("/services/Soap/") and b"Fault>" in response.body
        assert response.status != 500 or refused, (request.method, request.path, request.query, request.body)
