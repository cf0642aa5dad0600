"""One row at a time, by id or external id, with conditional headers; describe; deleted and updated ids."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from attio_console.sandbox.salesforce.calls import Call, multiple, saved
from attio_console.sandbox.salesforce.errors import SalesforceError, bad, not_found
from attio_console.sandbox.salesforce.state import Salesforce, moment_of
from attio_console.sandbox.salesforce.table import Row, Table
from attio_console.sandbox.salesforce.values import parse_stamp, stamp
from attio_console.sandbox.server import Request, Response, Router, http_date

BIN = timedelta(days=15)
WINDOW = timedelta(days=30)


def call_of(org: Salesforce, request: Request) -> Call:
    """Return the context of a call."""
    state = request.state
    return Call(
        org, state["session"].user_id, state["version"], request.method, request.path, state.get("notes")
    )


def object_of(request: Request) -> dict[str, Any]:
    """Return the JSON object of a request, or refuse."""
    body = request.json()
    if not isinstance(body, dict):
        raise bad(
            "JSON_PARSER_ERROR", "The HTTP entity body is required, but this request has no entity body."
        )
    return body


def names_of(request: Request) -> list[str] | None:
    """Read `fields`."""
    text = request.query.get("fields", "")
    return [name.strip() for name in text.split(",") if name.strip()] or None


class RowRoutes:
    """The handlers of one org."""

    def __init__(self, org: Salesforce) -> None:
        self.org = org
        self.described_at = org.now()

    def add(self, router: Router, base: str) -> None:
        """Serve under `/services/data/{version}/sobjects`."""
        router.add("GET", base, self.every)
        one = f"{base}/{{object}}"
        router.add("GET", one, self.about)
        router.add("POST", one, self.create)
        router.add("GET", f"{one}/describe", self.describe)
        router.add("GET", f"{one}/updated", self.updated)
        router.add("GET", f"{one}/deleted", self.deleted)
        router.add("GET", f"{one}/{{id}}", self.read)
        router.add("PATCH", f"{one}/{{id}}", self.update)
        router.add("DELETE", f"{one}/{{id}}", self.delete)
        router.add("GET", f"{one}/{{field}}/{{value}}", self.read_keyed)
        router.add("PATCH", f"{one}/{{field}}/{{value}}", self.upsert)
        router.add("DELETE", f"{one}/{{field}}/{{value}}", self.delete_keyed)

    def _table(self, request: Request) -> Table:
        return self.org.table(request.params["object"])

    def every(self, request: Request) -> Response:
        """Answer which objects there are."""
        version = request.state["version"]
        rows = [table.sobject.summary(version) for table in self.org.tables.values()]
        return Response.json({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": rows})

    def about(self, request: Request) -> Response:
        """Answer one object in short."""
        table = self._table(request)
        recent = [
            {"attributes": {"type": table.sobject.name}, "Id": row["Id"]} for row in list(table.live())[-5:]
        ]
        return Response.json(
            {"objectDescribe": table.sobject.summary(request.state["version"]), "recentItems": recent}
        )

    def describe(self, request: Request) -> Response:
        """Answer everything about an object, unless the caller has it already."""
        table = self._table(request)
        since = _http_time(request.headers.get("if-modified-since"))
        if since is not None and self.described_at <= since:
            return Response(304)
        children = [
            {
                "childSObject": other.sobject.name,
                "field": field.name,
                "cascadeDelete": False,
                "relationshipName": name,
                "deprecatedAndHidden": False,
                "restrictedDelete": False,
            }
            for other, field, name in self.org.children_of(table)
        ]
        body = table.sobject.describe(request.state["version"], children)
        return Response.json(body, headers=[("Last-Modified", http_date(self.described_at))])

    def create(self, request: Request) -> Response:
        """Make a row."""
        row = call_of(self.org, request).create(self._table(request), object_of(request))
        location = ("location", f"{request.path.rstrip('/')}/{row['Id']}")
        return Response.json(saved(row["Id"]), 201, [location])

    def read(self, request: Request) -> Response:
        """Answer a row."""
        call, table = call_of(self.org, request), self._table(request)
        return self._read(request, call, table, call.find(table, request.params["id"]))

    def read_keyed(self, request: Request) -> Response:
        """Answer a row by external id."""
        call, table = call_of(self.org, request), self._table(request)
        name, rows = call.keyed(table, request.params["field"], request.params["value"])
        if len(rows) > 1:
            raise multiple(call, table, name, rows)
        if not rows:
            raise not_found()
        return self._read(request, call, table, rows[0])

    def _read(self, request: Request, call: Call, table: Table, row: Row) -> Response:
        names = names_of(request)
        _precondition(request, row)
        headers = [("Last-Modified", http_date(moment_of(row.get("LastModifiedDate") or row["CreatedDate"])))]
        if table.sobject.name == "Account":
            tag = _tag(row)
            headers.append(("ETag", tag))
            if tag in _tags(request.headers.get("if-none-match")):
                return Response(304, headers=headers)
            _match(request, tag)
        since = _http_time(request.headers.get("if-modified-since"))
        if since is not None and _modified(row) <= since:
            return Response(304, headers=headers)
        return Response.json(call.show(table, row, names), headers=headers)

    def update(self, request: Request) -> Response:
        """Change a row, unless it changed since the caller saw it."""
        call, table = call_of(self.org, request), self._table(request)
        row = call.find(table, request.params["id"])
        _precondition(request, row)
        if table.sobject.name == "Account":
            _match(request, _tag(row))
        call.update(table, row, object_of(request))
        return Response(204)

    def upsert(self, request: Request) -> Response:
        """Change or make a row by external id."""
        call, table = call_of(self.org, request), self._table(request)
        field, value = request.params["field"], request.params["value"]
        _, rows = call.keyed(table, field, value)
        if len(rows) == 1:
            _precondition(request, rows[0])
        only = request.query.get("updateOnly", "false").lower() == "true"
        row, created = call.upsert(table, field, value, object_of(request), update_only=only)
        if not created and float(call.version) < 46:
            return Response(204)
        return Response.json(saved(row["Id"], created=created), 201 if created else 200)

    def delete(self, request: Request) -> Response:
        """Put a row into the recycle bin."""
        call, table = call_of(self.org, request), self._table(request)
        call.delete(table, call.find(table, request.params["id"]))
        return Response(204)

    def delete_keyed(self, request: Request) -> Response:
        """Put a row into the recycle bin, by external id."""
        call, table = call_of(self.org, request), self._table(request)
        name, rows = call.keyed(table, request.params["field"], request.params["value"])
        if len(rows) > 1:
            raise multiple(call, table, name, rows)
        if not rows:
            raise not_found()
        call.delete(table, rows[0])
        return Response(204)

    def _window(self, request: Request) -> tuple[datetime, datetime]:
        bounds = []
        for name in ("start", "end"):
            try:
                # A plus sign that was not escaped arrives as a space.
                bounds.append(
                    parse_stamp(request.query.get(name, "").replace(" ", "+")).replace(
                        second=0, microsecond=0
                    )
                )
            except ValueError:
                raise bad("INVALID_REPLICATION_DATE", f"{name} is not a date and time") from None
        start, end = bounds
        now = self.org.now()
        if end - start < timedelta(minutes=1):
            raise bad(
                "INVALID_REPLICATION_DATE", "endDate must be at least one minute greater than startDate"
            )
        if end - start > WINDOW or start < now - WINDOW:
            raise bad("INVALID_REPLICATION_DATE", "startDate before org replication enabled date")
        return start, end

    def updated(self, request: Request) -> Response:
        """Answer the ids of rows that were made or changed in a span, whole minutes only."""
        table = self._table(request)
        start, end = (stamp(moment) for moment in self._window(request))
        ids = [
            row["Id"]
            for row in table.live()
            if start <= (row.get("SystemModstamp") or row["CreatedDate"]) < end
        ]
        covered = min(end, stamp(self.org.now()))
        return Response.json({"ids": ids, "latestDateCovered": covered})

    def deleted(self, request: Request) -> Response:
        """Answer the ids of rows that were deleted in a span, whole minutes only."""
        table = self._table(request)
        now = self.org.now()
        earliest = now - BIN
        start, end = self._window(request)
        if start < earliest.replace(second=0):
            raise bad("INVALID_REPLICATION_DATE", f"startDate cannot be before {stamp(earliest)}")
        low, high = stamp(start), stamp(end)
        rows = [{"id": key, "deletedDate": at} for key, at in table.deleted.items() if low <= at < high]
        return Response.json(
            {
                "deletedRecords": rows,
                "earliestDateAvailable": stamp(earliest),
                "latestDateCovered": min(high, stamp(now)),
            }
        )


def _http_time(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _precondition(request: Request, row: Row) -> None:
    limit = _http_time(request.headers.get("if-unmodified-since"))
    if limit is not None and _modified(row) > limit:
        raise SalesforceError(412, "PRECONDITION_FAILED", "Precondition Failed: the record was modified")


def _modified(row: Row) -> datetime:
    # Rows of history were made once and never change.
    return moment_of(row.get("SystemModstamp") or row["CreatedDate"])


def _tag(row: Row) -> str:
    return f'"{hashlib.sha256(repr(sorted(row.items())).encode()).hexdigest()[:32]}"'


def _tags(text: str | None) -> list[str]:
    return [
        part.strip().removeprefix("W/").removesuffix('--gzip"')
        for part in (text or "").split(",")
        if part.strip()
    ]


def _match(request: Request, tag: str) -> None:
    wanted = _tags(request.headers.get("if-match"))
    if wanted and tag not in wanted and "*" not in wanted:
        raise SalesforceError(412, "PRECONDITION_FAILED", "Precondition Failed: ETag does not match")
