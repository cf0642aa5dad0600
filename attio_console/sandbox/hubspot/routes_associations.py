"""Associations: version 4 and its dated successors."""

from __future__ import annotations

from typing import Any

from attio_console.sandbox.hubspot.asking import after_of, end_of, inputs_of, kinds_of, limit_of
from attio_console.sandbox.hubspot.associations import HUBSPOT, Kind, labels, plain_kind
from attio_console.sandbox.hubspot.errors import not_found
from attio_console.sandbox.hubspot.gate import require_object
from attio_console.sandbox.hubspot.model import Record
from attio_console.sandbox.hubspot.routes_objects import complete
from attio_console.sandbox.hubspot.state import TYPE_IDS, HubSpot, ObjectStore
from attio_console.sandbox.hubspot.writes import Writes
from attio_console.sandbox.server import Request, Response, Router

READ, WRITE, REMOVE = 1_000, 2_000, 100


class AssociationRoutes:
    """The handlers of one account."""

    def __init__(self, account: HubSpot, writes: Writes) -> None:
        self.account = account
        self.writes = writes

    def add(self, router: Router, pairs: str, objects: str) -> None:
        """Serve under two prefixes: `/crm/v4/associations` for batches, `/crm/v4/objects` for one record."""
        base = f"{pairs}/{{from}}/{{to}}"
        router.add("POST", f"{base}/batch/read", self.read)
        router.add("POST", f"{base}/batch/create", self.create)
        router.add("POST", f"{base}/batch/associate/default", self.create)
        router.add("POST", f"{base}/batch/archive", self.archive)
        router.add("POST", f"{base}/batch/labels/archive", self.archive_labels)
        router.add("GET", f"{base}/labels", self.labels)
        one = f"{objects}/{{from}}/{{id}}/associations"
        router.add("GET", f"{one}/{{to}}", self.of_record)
        router.add("PUT", f"{one}/{{to}}/{{other}}", self.put)
        router.add("PUT", f"{one}/default/{{to}}/{{other}}", self.put)
        router.add("DELETE", f"{one}/{{to}}/{{other}}", self.remove)

    def _stores(self, request: Request, what: str) -> tuple[ObjectStore, ObjectStore]:
        source, to = self.account.store(request.params["from"]), self.account.store(request.params["to"])
        require_object(request, source.name, what)
        require_object(request, to.name, what)
        plain_kind(source.name, to.name)
        return source, to

    def read(self, request: Request) -> Response:
        """Answer what many records hang together with."""
        source, to = self._stores(request, "read")
        started = self.account.now()
        results, errors = [], []
        for one in inputs_of(request, READ):
            key = str(one.get("id"))
            record = source.find(int(key)) if key.isdigit() else None
            rows = self._rows(source, record, to) if record else []
            if rows:
                results.append({"from": {"id": key}, "to": rows})
            else:
                errors.append(nothing_associated(key, source, to))
        frame = complete(started, self.account.now(), results=results)
        if errors:
            return Response.json({**frame, "numErrors": len(errors), "errors": errors}, 207)
        return Response.json(frame)

    def _rows(self, source: ObjectStore, record: Record, to: ObjectStore) -> list[dict[str, Any]]:
        held = self.account.associations.of(source.name, record.id, to.name)
        named = {row["typeId"]: row["label"] for row in labels(source.name, to.name)}
        return [
            {
                "toObjectId": str(other),
                "associationTypes": [
                    {"category": category, "typeId": number, "label": named.get(number)}
                    for category, number in sorted(kinds)
                ],
            }
            for other, kinds in sorted(held.items())
            if (target := to.records.get(other)) is not None and target.archived_at is None
        ]

    def create(self, request: Request) -> Response:
        """Associate many pairs."""
        source, to = self._stores(request, "write")
        started = self.account.now()
        results = []
        for one in inputs_of(request, WRITE):
            first = self.account.get(source, end_of(one, "from"))
            second = self.account.get(to, end_of(one, "to"))
            self._associate(request, source, first, to, second, kinds_of(one.get("types") or []))
            results.append(_made(source, first, to, second))
        return Response.json(complete(started, self.account.now(), results=results), 201)

    def _associate(
        self,
        request: Request,
        source: ObjectStore,
        first: Record,
        to: ObjectStore,
        second: Record,
        kinds: list[Kind],
    ) -> None:
        self.account.associations.add(source.name, first.id, to.name, second.id, kinds)
        self.writes.logged(source, to, second)
        self.writes.logged(to, source, first)
        self.writes.note(request, source, first.id, {"to": to.name, "id": str(second.id), "types": kinds})

    def archive(self, request: Request) -> Response:
        """Separate many pairs."""
        source, to = self._stores(request, "write")
        for one in inputs_of(request, REMOVE):
            first = self.account.get(source, end_of(one, "from"))
            targets = one.get("to") or []
            for target in targets if isinstance(targets, list) else [targets]:
                second = self.account.get(to, end_of(target))
                self.account.associations.remove(source.name, first.id, to.name, second.id)
                self.writes.note(request, source, first.id, {"to": to.name, "id": str(second.id)})
        return Response(204)

    def archive_labels(self, request: Request) -> Response:
        """Take kinds of association away from many pairs."""
        source, to = self._stores(request, "write")
        for one in inputs_of(request, REMOVE):
            first = self.account.get(source, end_of(one, "from"))
            second = self.account.get(to, end_of(one, "to"))
            kinds = kinds_of(one.get("types") or [])
            self.account.associations.remove(source.name, first.id, to.name, second.id, kinds)
            self.writes.note(request, source, first.id, {"to": to.name, "id": str(second.id), "types": kinds})
        return Response(204)

    def labels(self, request: Request) -> Response:
        """Answer the kinds of association between two types."""
        source, to = self._stores(request, "read")
        return Response.json({"results": labels(source.name, to.name)})

    def of_record(self, request: Request) -> Response:
        """Answer what one record hangs together with."""
        source, to = self._stores(request, "read")
        record = self.account.get(source, request.params["id"])
        limit = limit_of(request, 500, 500)
        rows = self._rows(source, record, to)
        start = after_of(request)
        body: dict[str, Any] = {"results": rows[start : start + limit]}
        if start + limit < len(rows):
            body["paging"] = {"next": {"after": str(start + limit)}}
        return Response.json(body)

    def put(self, request: Request) -> Response:
        """Associate one pair; without kinds in the body by the default one."""
        source, to = self._stores(request, "write")
        first = self.account.get(source, request.params["id"])
        second = self.account.get(to, request.params["other"])
        sent = request.json()
        self._associate(request, source, first, to, second, kinds_of(sent) if isinstance(sent, list) else [])
        now = self.account.now()
        if "/default/" in request.path:
            return Response.json(complete(now, now, results=[_made(source, first, to, second)]))
        return Response.json({**_made(source, first, to, second), "labels": []}, 201)

    def remove(self, request: Request) -> Response:
        """Separate one pair."""
        source, to = self._stores(request, "write")
        first = self.account.get(source, request.params["id"])
        second = self.account.get(to, request.params["other"])
        self.account.associations.remove(source.name, first.id, to.name, second.id)
        self.writes.note(request, source, first.id, {"to": to.name, "id": str(second.id)})
        return Response(204)


def _made(source: ObjectStore, first: Record, to: ObjectStore, second: Record) -> dict[str, Any]:
    return {
        "fromObjectTypeId": TYPE_IDS[source.name],
        "fromObjectId": first.id,
        "toObjectTypeId": TYPE_IDS[to.name],
        "toObjectId": second.id,
        "from": {"id": str(first.id)},
        "to": {"id": str(second.id)},
        "associationSpec": {
            "associationCategory": HUBSPOT,
            "associationTypeId": plain_kind(source.name, to.name)[1],
        },
    }


def nothing_associated(key: str, source: ObjectStore, to: ObjectStore) -> dict[str, Any]:
    """Say, as a row of a batch's errors, that a record hangs together with nothing of the other type."""
    message = f"No {to.name} is associated with {source.name} {key}."
    error = not_found(message).row()
    return {
        **error,
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "context": {"fromObjectId": [key]},
    }
