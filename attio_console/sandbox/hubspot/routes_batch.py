"""Up to 100 records in a call, with an outcome for each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attio_console.sandbox.hubspot.asking import body_of, inputs_of, texts, values_of
from attio_console.sandbox.hubspot.errors import HubSpotError, invalid
from attio_console.sandbox.hubspot.gate import Limits, require_object
from attio_console.sandbox.hubspot.model import Record
from attio_console.sandbox.hubspot.routes_objects import complete, wanted
from attio_console.sandbox.hubspot.state import SINGULAR, HubSpot, ObjectStore
from attio_console.sandbox.hubspot.writes import Writes
from attio_console.sandbox.server import Request, Response, Router

SIZE = 100
Input = Mapping[str, Any]


class BatchRoutes:
    """The handlers of one account."""

    def __init__(self, account: HubSpot, writes: Writes, limits: Limits) -> None:
        self.account = account
        self.writes = writes
        self.limits = limits

    def add(self, router: Router, base: str) -> None:
        """Serve under a versioned prefix, e.g. `/crm/v3/objects/{type}`."""
        for verb in ("read", "create", "update", "upsert", "archive"):
            router.add("POST", f"{base}/batch/{verb}", getattr(self, verb))

    def _begin(self, request: Request, what: str) -> tuple[ObjectStore, list[Input]]:
        store = self.account.store(request.params["type"])
        require_object(request, store.name, what)
        inputs: list[Input] = list(inputs_of(request, SIZE))
        return store, inputs

    def read(self, request: Request) -> Response:
        """Answer many records by id or by a unique property."""
        store, inputs = self._begin(request, "read")
        started = self.account.now()
        body = body_of(request)
        key = body.get("idProperty")
        if key and key != "hs_object_id" and key not in store.unique:
            raise invalid(f"{key} is not a unique property of {store.name}")
        history = [
            n
            for n in texts(body.get("propertiesWithHistory"), "propertiesWithHistory")
            if n in store.properties
        ]
        shown = wanted(store, [*texts(body.get("properties"), "properties"), *history])
        archived = request.query.get("archived", "false").lower() == "true"
        results, lost = [], []
        seen: set[int] = set()
        for one in inputs:
            try:
                record = self.account.get(store, str(one.get("id")), key)
            except HubSpotError:
                lost.append(str(one.get("id")))
                continue
            if (record.archived_at is not None) != archived:
                lost.append(str(one.get("id")))
            elif record.id not in seen:
                seen.add(record.id)
                results.append(record.json(shown, history))
        frame = complete(started, self.account.now(), results=results)
        if not lost:
            return Response.json(frame)
        return Response.json({**frame, "numErrors": 1, "errors": [_lost(store, lost)]}, 207)

    def create(self, request: Request) -> Response:
        """Make many records."""
        store, inputs = self._begin(request, "write")
        return self._each(
            request, store, inputs, lambda one: (self.writes.create(request, store, one), None), 201
        )

    def update(self, request: Request) -> Response:
        """Change many records."""
        store, inputs = self._begin(request, "write")
        _refuse_duplicates([(str(one.get("id")), one.get("idProperty")) for one in inputs])

        def change(one: Input) -> tuple[Record, bool | None]:
            return self.writes.update(request, store, str(one.get("id")), one.get("idProperty"), one), None

        return self._each(request, store, inputs, change, 200)

    def upsert(self, request: Request) -> Response:
        """Change or make many records by a unique property."""
        store, inputs = self._begin(request, "write")
        if store.name == "companies" and self.account.world.settings.limits:
            self.limits.lock_on_burst(len(inputs))
        _refuse_duplicates([(str(one.get("id")).casefold(), one.get("idProperty")) for one in inputs])

        def put(one: Input) -> tuple[Record, bool | None]:
            return self._upsert(request, store, one)

        return self._each(request, store, inputs, put, 200)

    def archive(self, request: Request) -> Response:
        """Put many records into the recycle bin."""
        store, inputs = self._begin(request, "write")
        for one in inputs:
            self.writes.archive(request, store, str(one.get("id")))
        return Response(204)

    def _upsert(self, request: Request, store: ObjectStore, one: Input) -> tuple[Record, bool]:
        key, value = one.get("idProperty"), str(one.get("id") or "")
        if not key or key == "hs_object_id":
            return self.writes.update(request, store, value, None, one), False
        if key not in store.unique:
            raise invalid(f"Property {key} is not a unique identifier property")
        properties = values_of(one)
        held = store.unique[key].get(value.strip().casefold())
        if held is None:
            made = {**one, "properties": {key: value, **properties}}
            return self.writes.create(request, store, made), True
        body = {**one, "properties": properties if properties.get(key) else {**properties, key: value}}
        return self.writes.update(request, store, str(held), None, body), False

    def _each(
        self,
        request: Request,
        store: ObjectStore,
        inputs: list[Input],
        act: Callable[[Input], tuple[Record, bool | None]],
        status: int,
    ) -> Response:
        started = self.account.now()
        results: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        # Without a trace id on every input one bad row refuses the whole batch, so it is tried on a copy first.
        if not all(one.get("objectWriteTraceId") for one in inputs):
            self._rehearse(store, inputs, request)
        for one in inputs:
            trace = one.get("objectWriteTraceId")
            try:
                record, new = act(one)
            except HubSpotError as error:
                errors.append(error.row(str(trace) if trace else None))
                continue
            row = record.json(self.writes.shown(store, record))
            if new is not None:
                row["new"] = new
            if trace:
                row["objectWriteTraceId"] = str(trace)
            results.append(row)
        frame = complete(started, self.account.now(), results=results)
        if errors:
            return Response.json({**frame, "numErrors": len(errors), "errors": errors}, 207)
        return Response.json(frame, status)

    def _rehearse(self, store: ObjectStore, inputs: list[Input], request: Request) -> None:
        creates = request.path.endswith("/create")
        taken: set[tuple[str, str]] = set()
        for one in inputs:
            properties = values_of(one)
            key, record = one.get("idProperty"), None
            if not creates:
                try:
                    record = self.account.get(store, str(one.get("id")), key)
                except HubSpotError as error:
                    if request.path.endswith("/update"):
                        # Ids that are not there are reported beside the rest even without traces.
                        continue
                    if error.status != 404:
                        raise
            ready = self.account.check(store, properties, record)
            for name in store.unique:
                value = ready.get(name)
                if value and (name, value.casefold()) in taken:
                    raise HubSpotError(409, "CONFLICT", f"Duplicate {name} in the batch: {value}")
                if value:
                    taken.add((name, value.casefold()))


def _refuse_duplicates(keys: list[tuple[str, Any]]) -> None:
    doubled = sorted({key for key, _ in keys if sum(1 for other, _ in keys if other == key) > 1})
    if doubled:
        raise invalid(f"Duplicate IDs found in batch input: [{', '.join(doubled)}]. Each ID must be unique")


def _lost(store: ObjectStore, ids: list[str]) -> dict[str, Any]:
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "message": f"Could not get some {SINGULAR[store.name].upper()} objects, they may be deleted or not exist. "
        "Check that ids are valid.",
        "context": {"ids": ids},
    }
