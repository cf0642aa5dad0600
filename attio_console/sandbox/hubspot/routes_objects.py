"""Records one at a time: list, read, create, update, archive, merge, search."""

from __future__ import annotations

from typing import Any

from attio_console.sandbox.hubspot import search
from attio_console.sandbox.hubspot.asking import after_of, body_of, limit_of, names, texts
from attio_console.sandbox.hubspot.associations import legacy_name
from attio_console.sandbox.hubspot.errors import invalid
from attio_console.sandbox.hubspot.gate import require_object
from attio_console.sandbox.hubspot.model import Record, iso
from attio_console.sandbox.hubspot.state import HubSpot, ObjectStore
from attio_console.sandbox.hubspot.writes import Writes
from attio_console.sandbox.server import Request, Response, Router

DEFAULTS = {
    "contacts": ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"),
    "companies": ("createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"),
    "deals": ("amount", "closedate", "createdate", "dealname", "dealstage", "hs_lastmodifieddate", "hs_object_id", "pipeline"),
    "notes": ("hs_createdate", "hs_lastmodifieddate", "hs_object_id"),
    "tasks": ("hs_createdate", "hs_lastmodifieddate", "hs_object_id"),
}  # fmt: skip
_ALWAYS = {"contacts": ("createdate", "hs_object_id", "lastmodifieddate")}
PAGE = 100
PAGE_WITH_HISTORY = 50


def wanted(store: ObjectStore, asked: list[str] | None) -> list[str]:
    """Return the properties of an answer: those asked for that exist, with the few that always come."""
    if not asked:
        return list(DEFAULTS[store.name])
    always = _ALWAYS.get(store.name, ("createdate", store.modified, "hs_object_id"))
    return sorted({name.lower() for name in asked if name.lower() in store.properties} | set(always))


class ObjectRoutes:
    """The handlers of one account."""

    def __init__(self, account: HubSpot, writes: Writes) -> None:
        self.account = account
        self.writes = writes

    def add(self, router: Router, base: str) -> None:
        """Serve under a versioned prefix, e.g. `/crm/v3/objects/{type}`."""
        router.add("GET", base, self.page)
        router.add("POST", base, self.create)
        router.add("POST", f"{base}/search", self.search)
        router.add("POST", f"{base}/merge", self.merge)
        router.add("GET", f"{base}/{{id}}", self.read)
        router.add("PATCH", f"{base}/{{id}}", self.update)
        router.add("DELETE", f"{base}/{{id}}", self.archive)

    def _store(self, request: Request, what: str) -> ObjectStore:
        store = self.account.store(request.params["type"])
        require_object(request, store.name, what)
        return store

    def page(self, request: Request) -> Response:
        """Answer a page of records, by id."""
        store = self._store(request, "read")
        history = names(request, "propertiesWithHistory")
        limit = limit_of(request, PAGE_WITH_HISTORY if history else PAGE)
        after = after_of(request)
        archived = request.query.get("archived", "false").lower() == "true"
        found, following = store.page(after, limit, archived=archived)
        shown = wanted(store, [*names(request, "properties"), *history])
        results = [self._json(request, store, record, shown, history) for record in found]
        body: dict[str, Any] = {"results": results}
        if following is not None:
            host = request.headers.get("host", "api.hubapi.com")
            link = f"http://{host}{request.path}?limit={limit}&after={following}"
            body["paging"] = {"next": {"after": str(following), "link": link}}
        return Response.json(body)

    def read(self, request: Request) -> Response:
        """Answer one record, by id or by a unique property."""
        store = self._store(request, "read")
        record = self.account.get(store, request.params["id"], request.query.get("idProperty"))
        archived = request.query.get("archived", "false").lower() == "true"
        if (record.archived_at is not None) != archived:
            raise self.writes.missing()
        history = names(request, "propertiesWithHistory")
        shown = wanted(store, [*names(request, "properties"), *history])
        return Response.json(self._json(request, store, record, shown, history))

    def create(self, request: Request) -> Response:
        """Make a record."""
        store = self._store(request, "write")
        record = self.writes.create(request, store, body_of(request))
        return Response.json(record.json(self.writes.shown(store, record)), 201)

    def update(self, request: Request) -> Response:
        """Change a record."""
        store = self._store(request, "write")
        key = request.query.get("idProperty")
        record = self.writes.update(request, store, request.params["id"], key, body_of(request))
        return Response.json(record.json(self.writes.shown(store, record)))

    def archive(self, request: Request) -> Response:
        """Put a record into the recycle bin; one that is not there is no error."""
        store = self._store(request, "write")
        self.writes.archive(request, store, request.params["id"])
        return Response(204)

    def merge(self, request: Request) -> Response:
        """Make one record of two."""
        store = self._store(request, "write")
        body = body_of(request)
        record = self.writes.merge(
            request, store, str(body.get("primaryObjectId")), str(body.get("objectIdToMerge"))
        )
        return Response.json(record.json(self.writes.shown(store, record)))

    def search(self, request: Request) -> Response:
        """Answer a page of matching records."""
        store = self._store(request, "read")
        if len(request.body) > search.BODY_CHARACTERS:
            raise invalid(f"The request body is longer than {search.BODY_CHARACTERS} characters")
        query = body_of(request)
        total, found, following = search.run(self.account, store, query)
        shown = wanted(store, texts(query.get("properties"), "properties"))
        body: dict[str, Any] = {"total": total, "results": [record.json(shown) for record in found]}
        if following is not None:
            body["paging"] = {"next": {"after": str(following)}}
        return Response.json(body)

    def _json(
        self, request: Request, store: ObjectStore, record: Record, shown: list[str], history: list[str]
    ) -> dict[str, Any]:
        body = record.json(shown, [name for name in history if name in store.properties])
        kinds = [self.account.store(name).name for name in names(request, "associations")]
        linked: dict[str, Any] = {}
        for to in kinds:
            rows = [
                {"id": str(other), "type": legacy_name(store.name, to, kind)}
                for other, held in sorted(self.account.associations.of(store.name, record.id, to).items())
                for kind in sorted(held)
            ]
            if rows:
                linked[to] = {"results": rows}
        if linked:
            body["associations"] = linked
        return body


def complete(started: Any, now: Any, **fields: Any) -> dict[str, Any]:
    """Build the frame of a batch answer."""
    return {"status": "COMPLETE", **fields, "startedAt": iso(started), "completedAt": iso(now)}
