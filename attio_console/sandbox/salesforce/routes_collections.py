"""Up to 200 rows in a call, with an outcome for each of them in the order they came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from attio_console.sandbox.salesforce.calls import MultipleChoices, clean, saved
from attio_console.sandbox.salesforce.errors import SalesforceError, bad
from attio_console.sandbox.salesforce.routes_rows import call_of, names_of, object_of
from attio_console.sandbox.salesforce.state import Salesforce
from attio_console.sandbox.salesforce.table import Row, Table
from attio_console.sandbox.server import Request, Response, Router

SIZE, READ, CHUNKS = 200, 2_000, 10
Outcome = dict[str, Any]
Input = dict[str, Any]
Act = Callable[[Any], Outcome]
Check = Callable[[Any], object]


class CollectionRoutes:
    """The handlers of one org."""

    def __init__(self, org: Salesforce) -> None:
        self.org = org

    def add(self, router: Router, base: str) -> None:
        """Serve under `/services/data/{version}/composite/sobjects`."""
        router.add("POST", base, self.create)
        router.add("PATCH", base, self.update)
        router.add("DELETE", base, self.delete)
        router.add("GET", f"{base}/{{object}}", self.read)
        router.add("POST", f"{base}/{{object}}", self.read)
        router.add("PATCH", f"{base}/{{object}}/{{field}}", self.upsert)

    def _records(self, request: Request) -> tuple[list[dict[str, Any]], bool]:
        body = object_of(request)
        records = body.get("records")
        if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
            raise bad("JSON_PARSER_ERROR", "records must be a list of objects")
        if len(records) > SIZE:
            raise _too_many(SIZE)
        kinds = [_type(one) for one in records]
        if sum(a != b for a, b in pairwise(kinds)) >= CHUNKS:
            raise bad("INVALID_INPUT", f"Cannot have more than {CHUNKS} chunks in a single operation")
        return records, body.get("allOrNone") is True

    def create(self, request: Request) -> Response:
        """Make rows."""
        call = call_of(self.org, request)
        records, strict = self._records(request)

        def check(one: Input) -> object:
            return self.org.check(self.org.table(_type(one)), clean(one), None)

        def act(one: Input) -> Outcome:
            return saved(call.create(self.org.table(_type(one)), one)["Id"])

        return _each(records, act, check if strict else None)

    def update(self, request: Request) -> Response:
        """Change rows; each says its Id."""
        call = call_of(self.org, request)
        records, strict = self._records(request)
        ids = [str(_id(one)) for one in records]
        doubled = {key for key in ids if ids.count(key) > 1}

        def target(one: Input) -> tuple[Table, Row, Input]:
            key = _id(one)
            if not key:
                raise bad("MISSING_ARGUMENT", "Id not specified in an update call")
            if str(key) in doubled:
                message = f"duplicate value found: <unknown> duplicates value on record with id: {key}"
                raise bad("DUPLICATE_VALUE", message)
            table = self.org.table(_type(one))
            values = {name: value for name, value in one.items() if name.lower() != "id"}
            return table, call.find(table, str(key)), values

        def check(one: Input) -> object:
            table, row, values = target(one)
            return self.org.check(table, clean(values), row)

        def act(one: Input) -> Outcome:
            table, row, values = target(one)
            call.update(table, row, values)
            return saved(row["Id"])

        return _each(records, act, check if strict else None)

    def upsert(self, request: Request) -> Response:
        """Change or make rows by an external id."""
        call = call_of(self.org, request)
        records, strict = self._records(request)
        table, field = self.org.table(request.params["object"]), request.params["field"]
        name, _ = call.keyed(table, field, "")
        keys = [str(one.get(name, "")).casefold() for one in records]

        def key_of(one: Input) -> str:
            value = one.get(name)
            if not value:
                raise bad("MISSING_ARGUMENT", f"{name} not specified")
            if keys.count(str(value).casefold()) > 1:
                raise bad("DUPLICATE_VALUE", f"Duplicate external id specified: {value}", name)
            if _type(one).lower() != table.sobject.name.lower():
                raise bad("INVALID_TYPE", f"sObject type {_type(one)} does not match {table.sobject.name}")
            return str(value)

        def check(one: Input) -> object:
            _, rows = call.keyed(table, name, key_of(one))
            values = {k: v for k, v in clean(one).items() if k.lower() not in {"id", name.lower()}}
            return self.org.check(table, values, rows[0] if rows else None)

        def act(one: Input) -> Outcome:
            row, created = call.upsert(table, name, key_of(one), one)
            return saved(row["Id"], created=created)

        return _each(records, act, check if strict else None)

    def delete(self, request: Request) -> Response:
        """Put rows into the recycle bin."""
        call = call_of(self.org, request)
        ids = [key for key in request.query.get("ids", "").split(",") if key]
        if len(ids) > SIZE:
            raise _too_many(SIZE)

        def target(key: str) -> tuple[Table, Row]:
            table = self.org.table_of(key)
            if table is None:
                raise bad("MALFORMED_ID", f"malformed id {key}")
            row = table.any(key)
            if row is None:
                raise bad("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
            if row["Id"] in table.deleted:
                raise bad("ENTITY_IS_DELETED", "entity is deleted")
            return table, row

        def act(key: str) -> Outcome:
            table, row = target(key)
            call.delete(table, row)
            return saved(row["Id"])

        strict = request.query.get("allOrNone", "false").lower() == "true"
        return _each(ids, act, target if strict else None)

    def read(self, request: Request) -> Response:
        """Answer rows by id, in the order asked; null where there is none."""
        call, table = call_of(self.org, request), self.org.table(request.params["object"])
        if request.method == "GET":
            ids, names, most = (
                [k for k in request.query.get("ids", "").split(",") if k],
                names_of(request),
                800,
            )
        else:
            body = object_of(request)
            ids, names, most = _strings(body, "ids"), _strings(body, "fields") or None, READ
        if len(ids) > most:
            raise _too_many(most)
        if not names:
            raise bad("MISSING_ARGUMENT", "fields must be specified")
        found = [table.find(key) for key in ids]
        return Response.json([call.show(table, row, names) if row else None for row in found])


def _each(inputs: Sequence[Any], act: Act, check: Check | None) -> Response:
    """Act on every input; with a check, on none unless all of them pass it."""
    if check is not None:
        refused = [_refusal(check, one) for one in inputs]
        if any(refused):
            message = "Record rolled back because not all records were valid and the request was using AllOrNone header"
            rolled_back = bad("ALL_OR_NONE_OPERATION_ROLLED_BACK", message).row()
            return Response.json([row or rolled_back for row in refused])
    outcomes = []
    for one in inputs:
        try:
            outcomes.append(act(one))
        except MultipleChoices as error:
            outcomes.append(bad("DUPLICATE_VALUE", error.message).row())
        except SalesforceError as error:
            outcomes.append(error.row())
    return Response.json(outcomes)


def _refusal(check: Check, one: Any) -> Outcome | None:
    try:
        check(one)
    except SalesforceError as error:
        return error.row()
    return None


def _too_many(most: int) -> SalesforceError:
    message = f"record limit reached. cannot submit more than {most} records into this call"
    return bad("EXCEEDED_ID_LIMIT", message)


def _strings(body: dict[str, Any], name: str) -> list[str]:
    value = body.get(name) or []
    if not isinstance(value, list):
        raise bad("JSON_PARSER_ERROR", f"{name} must be a list of strings")
    return [str(one) for one in value]


def _type(one: dict[str, Any]) -> str:
    about = one.get("attributes")
    name = about.get("type") if isinstance(about, dict) else None
    if not isinstance(name, str):
        raise bad("INVALID_TYPE", "attributes.type is missing")
    return name


def _id(one: dict[str, Any]) -> Any:
    return next((value for name, value in one.items() if name.lower() == "id"), None)
