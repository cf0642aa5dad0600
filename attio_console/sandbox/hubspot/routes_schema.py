"""What the account looks like: properties, pipelines, owners, usage."""

from __future__ import annotations

import re
from typing import Any

from attio_console.sandbox.hubspot.account import Key, Pipeline
from attio_console.sandbox.hubspot.asking import after_of, body_of, inputs_of, limit_of
from attio_console.sandbox.hubspot.errors import HubSpotError, invalid, not_found
from attio_console.sandbox.hubspot.gate import Limits, require
from attio_console.sandbox.hubspot.model import iso
from attio_console.sandbox.hubspot.properties import FIELD_TYPES, TYPES, PropertyDef
from attio_console.sandbox.hubspot.routes_objects import complete
from attio_console.sandbox.hubspot.state import HubSpot, ObjectStore
from attio_console.sandbox.server import Request, Response, Router

UNIQUE_PROPERTIES = 10
CUSTOM_PROPERTIES = 1_000
SIZE = 100
_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")


class SchemaRoutes:
    """The handlers of one account."""

    def __init__(self, account: HubSpot, limits: Limits) -> None:
        self.account = account
        self.limits = limits

    def add(self, router: Router, properties: str, pipelines: str, owners: str) -> None:
        """Serve under versioned prefixes."""
        base = f"{properties}/{{type}}"
        router.add("GET", base, self.properties)
        router.add("POST", base, self.create)
        router.add("POST", f"{base}/batch/create", self.create_many)
        router.add("POST", f"{base}/batch/read", self.read_many)
        router.add("GET", f"{base}/groups", self.groups)
        router.add("GET", f"{base}/{{name}}", self.property)
        router.add("PATCH", f"{base}/{{name}}", self.update)
        router.add("DELETE", f"{base}/{{name}}", self.archive)
        router.add("GET", f"{pipelines}/{{type}}", self.pipelines)
        router.add("GET", f"{pipelines}/{{type}}/{{pipeline}}", self.pipeline)
        router.add("GET", f"{pipelines}/{{type}}/{{pipeline}}/stages", self.stages)
        router.add("GET", owners, self.owners)
        router.add("GET", f"{owners}/{{owner}}", self.owner)

    def add_account(self, router: Router) -> None:
        """Serve what has no versioned prefix of its own."""
        for path in (
            "/account-info/v3/details",
            "/account-info/2026-03/details",
            "/account-info/2026-09/details",
        ):
            router.add("GET", path, self.details)
        for path in (
            "/account-info/v3/api-usage/daily/private-apps",
            "/account-info/2026-03/api-usage/daily/private-apps",
        ):
            router.add("GET", path, self.usage)
        router.add("GET", "/crm/v3/limits/custom-properties", self.custom_limits)

    def _store(self, request: Request, what: str) -> ObjectStore:
        store = self.account.store(request.params["type"])
        owner = store.name if store.name in {"contacts", "companies", "deals"} else "contacts"
        require(request, f"crm.schemas.{owner}.{what}")
        return store

    def _definition(self, store: ObjectStore, name: str) -> PropertyDef:
        definition = store.properties.get(name)
        if definition is None or definition.archived:
            raise not_found(f"The property {name} does not exist")
        return definition

    def _json(self, definition: PropertyDef) -> dict[str, Any]:
        body = definition.json()
        if definition.name == "hubspot_owner_id":
            # The owners are this property's options, though they are kept elsewhere.
            owners = [o for o in self.account.owners.values() if not o.archived]
            body["options"] = [
                {
                    "label": f"{o.first_name} {o.last_name}".strip(),
                    "value": str(o.id),
                    "displayOrder": n,
                    "hidden": False,
                }
                for n, o in enumerate(owners)
            ]
        elif definition.name in {"pipeline", "dealstage"}:
            body["options"] = self._pipeline_options(definition.name)
        return body

    def _pipeline_options(self, name: str) -> list[dict[str, Any]]:
        rows: list[tuple[str, str]] = []
        for pipeline in self.account.pipelines["deals"].values():
            rows += (
                [(pipeline.id, pipeline.label)]
                if name == "pipeline"
                else [(s.id, s.label) for s in pipeline.stages]
            )
        return [
            {"label": label, "value": value, "displayOrder": n, "hidden": False}
            for n, (value, label) in enumerate(rows)
        ]

    def properties(self, request: Request) -> Response:
        """Answer every property of an object type."""
        store = self._store(request, "read")
        archived = request.query.get("archived", "false").lower() == "true"
        rows = [self._json(p) for p in store.properties.values() if p.archived is archived]
        return Response.json({"results": rows})

    def property(self, request: Request) -> Response:
        """Answer one property."""
        return Response.json(
            self._json(self._definition(self._store(request, "read"), request.params["name"]))
        )

    def read_many(self, request: Request) -> Response:
        """Answer some properties."""
        store = self._store(request, "read")
        now = self.account.now()
        rows = [self._json(self._definition(store, str(one.get("name")))) for one in inputs_of(request, SIZE)]
        return Response.json(complete(now, now, results=rows))

    def groups(self, request: Request) -> Response:
        """Answer the groups that properties are shown in."""
        store = self._store(request, "read")
        found = sorted({p.group for p in store.properties.values()})
        rows = [{"name": g, "label": g, "displayOrder": n, "archived": False} for n, g in enumerate(found)]
        return Response.json({"results": rows})

    def create(self, request: Request) -> Response:
        """Define a property."""
        store = self._store(request, "write")
        return Response.json(self._json(self._create(request, store, body_of(request))), 201)

    def create_many(self, request: Request) -> Response:
        """Define some properties."""
        store = self._store(request, "write")
        now = self.account.now()
        rows = [self._json(self._create(request, store, one)) for one in inputs_of(request, SIZE)]
        return Response.json(complete(now, now, results=rows), 201)

    def _create(self, request: Request, store: ObjectStore, body: Any) -> PropertyDef:
        missing = [k for k in ("name", "label", "type", "fieldType", "groupName") if not body.get(k)]
        if missing:
            raise invalid(f"Invalid input JSON: Some required fields were not set: [{', '.join(missing)}]")
        name = str(body["name"])
        if not _NAME.fullmatch(name):
            raise invalid(f"The name {name} may hold only lower-case letters, digits and underscores")
        if name in store.properties:
            raise HubSpotError(409, "OBJECT_ALREADY_EXISTS", f"A property named '{name}' already exists.")
        if body["type"] not in TYPES or body["fieldType"] not in FIELD_TYPES:
            raise invalid(f"Invalid combination of type {body['type']} and fieldType {body['fieldType']}")
        if body["groupName"] not in {p.group for p in store.properties.values()}:
            raise invalid(f"There is no property group named {body['groupName']}")
        unique = bool(body.get("hasUniqueValue"))
        if unique and sum(p.unique for p in store.properties.values()) >= UNIQUE_PROPERTIES:
            raise invalid(f"The limit of {UNIQUE_PROPERTIES} unique properties is reached")
        stamp = iso(self.account.now())
        definition = PropertyDef(
            name, str(body["label"]), body["type"], body["fieldType"], body["groupName"],
            list(body.get("options") or []), unique=unique, hubspot_defined=False,
            description=str(body.get("description") or ""), hidden=bool(body.get("hidden")),
            form_field=bool(body.get("formField")), created_at=stamp, updated_at=stamp,
        )  # fmt: skip
        store.properties[name] = definition
        if unique:
            store.unique[name] = {}
        self._note(request, store, name, body)
        return definition

    def update(self, request: Request) -> Response:
        """Change how a property of one's own is named, or which options it has."""
        store = self._store(request, "write")
        definition = self._definition(store, request.params["name"])
        if definition.hubspot_defined:
            raise invalid("HubSpot-defined properties cannot be changed", sub_category="READ_ONLY_DEFINITION")
        body = body_of(request)
        definition.label = str(body.get("label", definition.label))
        definition.description = str(body.get("description", definition.description))
        definition.options = list(body.get("options", definition.options))
        definition.updated_at = iso(self.account.now())
        self._note(request, store, definition.name, dict(body))
        return Response.json(self._json(definition))

    def archive(self, request: Request) -> Response:
        """Take a property of one's own away."""
        store = self._store(request, "write")
        definition = self._definition(store, request.params["name"])
        if definition.hubspot_defined:
            raise invalid("HubSpot-defined properties cannot be archived")
        definition.archived = True
        self._note(request, store, definition.name, None)
        return Response(204)

    def _note(self, request: Request, store: ObjectStore, name: str, body: Any) -> None:
        key: Key = request.state["key"]
        journal = self.account.world.journal
        journal.add(
            "hubspot",
            request.method,
            request.path,
            f"{store.name}/properties",
            name,
            body,
            f"app:{key.app_id}",
        )

    def _pipelines(self, request: Request) -> dict[str, Pipeline]:
        return self.account.pipelines.get(self._store(request, "read").name, {})

    def pipelines(self, request: Request) -> Response:
        """Answer the pipelines of an object type."""
        return Response.json({"results": [p.json() for p in self._pipelines(request).values()]})

    def pipeline(self, request: Request) -> Response:
        """Answer one pipeline."""
        found = self._pipelines(request).get(request.params["pipeline"])
        if found is None:
            raise not_found()
        return Response.json(found.json())

    def stages(self, request: Request) -> Response:
        """Answer the stages of a pipeline."""
        found = self._pipelines(request).get(request.params["pipeline"])
        if found is None:
            raise not_found()
        return Response.json({"results": [stage.json() for stage in found.stages]})

    def owners(self, request: Request) -> Response:
        """Answer who records can belong to."""
        require(request, "crm.objects.owners.read")
        archived = request.query.get("archived", "false").lower() == "true"
        email = request.query.get("email", "").casefold()
        after = after_of(request)
        limit = limit_of(request, 500, 100)
        rows = [
            o for o in self.account.owners.values()
            if o.archived is archived and o.id > after and (not email or o.email.casefold() == email)
        ]  # fmt: skip
        body: dict[str, Any] = {"results": [owner.json() for owner in rows[:limit]]}
        if len(rows) > limit:
            body["paging"] = {"next": {"after": str(rows[limit - 1].id)}}
        return Response.json(body)

    def owner(self, request: Request) -> Response:
        """Answer one owner, by id or (idProperty=userId) by user."""
        require(request, "crm.objects.owners.read")
        wanted, by_user = request.params["owner"], request.query.get("idProperty") == "userId"
        for owner in self.account.owners.values():
            if wanted == str(owner.user_id if by_user else owner.id):
                return Response.json(owner.json())
        raise not_found()

    def details(self, request: Request) -> Response:
        """Answer which account this is."""
        require(request, "oauth")
        return Response.json(
            {
                "portalId": self.account.portal_id,
                "accountType": "STANDARD",
                "timeZone": "UTC",
                "companyCurrency": "USD",
                "additionalCurrencies": [],
                "utcOffset": "+00:00",
                "utcOffsetMilliseconds": 0,
                "uiDomain": "app.hubspot.com",
                "dataHostingLocation": "na1",
            }
        )

    def usage(self, request: Request) -> Response:  # noqa: ARG002
        """Answer how much of the day's calls is used."""
        now = self.account.now()
        row = {
            "name": "private-apps-api-calls-daily",
            "usageLimit": self.limits.daily,
            "currentUsage": self.limits.used_today,
            "collectedAt": iso(now),
            "fetchStatus": "SUCCESS",
            "resetsAt": iso(self.limits.midnight()),
        }
        return Response.json({"results": [row]})

    def custom_limits(self, request: Request) -> Response:  # noqa: ARG002
        """Answer how many custom properties there are room for."""
        rows = [
            {
                "objectTypeId": store.name,
                "limit": CUSTOM_PROPERTIES,
                "usage": sum(not p.hubspot_defined for p in store.properties.values()),
            }
            for store in self.account.objects.values()
        ]
        return Response.json({"byObjectType": rows})
