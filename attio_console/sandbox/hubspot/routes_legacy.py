"""What clients of the old paths still ask for: associations of version 3, and the list of custom object schemas."""

from __future__ import annotations

from typing import Any

from attio_console.sandbox.hubspot.asking import end_of, inputs_of
from attio_console.sandbox.hubspot.associations import HUBSPOT, Kind, labels, legacy_name, plain_kind
from attio_console.sandbox.hubspot.errors import invalid
from attio_console.sandbox.hubspot.gate import require_object
from attio_console.sandbox.hubspot.model import Record
from attio_console.sandbox.hubspot.routes_associations import REMOVE, WRITE, nothing_associated
from attio_console.sandbox.hubspot.routes_objects import complete
from attio_console.sandbox.hubspot.state import HubSpot, ObjectStore
from attio_console.sandbox.hubspot.writes import Writes
from attio_console.sandbox.server import Request, Response, Router

READ = 1_000


class LegacyRoutes:
    """The handlers of one account."""

    def __init__(self, account: HubSpot, writes: Writes) -> None:
        self.account = account
        self.writes = writes

    def add(self, router: Router) -> None:
        """Serve the paths that never changed with the dates."""
        base = "/crm/v3/associations/{from}/{to}"
        router.add("GET", f"{base}/types", self.types)
        router.add("POST", f"{base}/batch/read", self.read)
        router.add("POST", f"{base}/batch/create", self.create)
        router.add("POST", f"{base}/batch/archive", self.archive)
        for path in ("/crm/v3/schemas", "/crm-object-schemas/v3/schemas"):
            router.add("GET", path, self.schemas)

    def _stores(self, request: Request, what: str) -> tuple[ObjectStore, ObjectStore]:
        source, to = self.account.store(request.params["from"]), self.account.store(request.params["to"])
        require_object(request, source.name, what)
        require_object(request, to.name, what)
        plain_kind(source.name, to.name)
        return source, to

    def types(self, request: Request) -> Response:
        """Answer the names of the kinds of association between two types."""
        source, to = self._stores(request, "read")
        return Response.json({"results": [{"id": str(n), "name": name} for name, n in _names(source, to)]})

    def read(self, request: Request) -> Response:
        """Answer what many records hang together with."""
        source, to = self._stores(request, "read")
        started = self.account.now()
        results, errors = [], []
        for one in inputs_of(request, READ):
            key = end_of(one)
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
        return [
            {"id": str(other), "type": legacy_name(source.name, to.name, kind)}
            for other, kinds in sorted(held.items())
            if (target := to.records.get(other)) is not None and target.archived_at is None
            for kind in sorted(kinds)
            if kind[0] == HUBSPOT
        ]

    def create(self, request: Request) -> Response:
        """Associate many pairs, each by the name or number of a kind."""
        source, to = self._stores(request, "write")
        started = self.account.now()
        results = []
        for one in inputs_of(request, WRITE):
            first = self.account.get(source, end_of(one, "from"))
            second = self.account.get(to, end_of(one, "to"))
            kind = _kind(source, to, one.get("type"))
            self.account.associations.add(source.name, first.id, to.name, second.id, [kind])
            self.writes.logged(source, to, second)
            self.writes.logged(to, source, first)
            self.writes.note(
                request, source, first.id, {"to": to.name, "id": str(second.id), "types": [kind]}
            )
            results.append(
                {"from": {"id": str(first.id)}, "to": {"id": str(second.id)}, "type": one.get("type")}
            )
        return Response.json(complete(started, self.account.now(), results=results), 201)

    def archive(self, request: Request) -> Response:
        """Take one kind of association away from many pairs."""
        source, to = self._stores(request, "write")
        for one in inputs_of(request, REMOVE):
            first = self.account.get(source, end_of(one, "from"))
            second = self.account.get(to, end_of(one, "to"))
            _kind(source, to, one.get("type"))
            # The old paths know one association between two records: whatever its name, all of it goes.
            self.account.associations.remove(source.name, first.id, to.name, second.id)
            self.writes.note(request, source, first.id, {"to": to.name, "id": str(second.id)})
        return Response(204)

    def schemas(self, request: Request) -> Response:  # noqa: ARG002
        """Answer the custom objects' schemas; this account has no custom object."""
        return Response.json({"results": []})


def _names(source: ObjectStore, to: ObjectStore) -> list[tuple[str, int]]:
    numbers = [int(row["typeId"]) for row in labels(source.name, to.name)]
    return [(legacy_name(source.name, to.name, (HUBSPOT, number)), number) for number in numbers]


def _kind(source: ObjectStore, to: ObjectStore, sent: Any) -> Kind:
    for name, number in _names(source, to):
        if str(sent) in {name, str(number)}:
            return HUBSPOT, number
    raise invalid(f"{sent} is not a valid association type between {source.name} and {to.name}")
