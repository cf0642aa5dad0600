"""query, queryAll, queryMore, limits and versions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from attio_console.sandbox.salesforce.errors import SalesforceError, bad
from attio_console.sandbox.salesforce.gate import CURRENT, VERSIONS, DailyLimit
from attio_console.sandbox.salesforce.soql_groups import groups
from attio_console.sandbox.salesforce.soql_parse import parse
from attio_console.sandbox.salesforce.soql_run import Plan
from attio_console.sandbox.salesforce.state import Salesforce
from attio_console.sandbox.salesforce.table import Row
from attio_console.sandbox.server import Request, Response, Router

PAGE, SMALLEST = 2_000, 200
IDLE_S = 15 * 60
_CURSORS = 50
URL_BYTES = 16_384


@dataclass(slots=True)
class Cursor:
    """A query that has more to give."""

    plan: Plan
    rows: list[Row]
    size: int
    used_at: float


class QueryRoutes:
    """The handlers of one org."""

    def __init__(self, org: Salesforce, limit: DailyLimit) -> None:
        self.org = org
        self.limit = limit
        self.cursors: dict[str, Cursor] = {}
        self._made = 0

    def add(self, router: Router, base: str) -> None:
        """Serve under `/services/data/{version}`."""
        router.add("GET", "/services/data", self.versions)
        router.add("GET", base, self.resources)
        router.add("GET", f"{base}/query", self.query)
        router.add("GET", f"{base}/query/{{locator}}", self.more)
        router.add("GET", f"{base}/queryAll", self.query_all)
        router.add("GET", f"{base}/queryAll/{{locator}}", self.more)
        router.add("GET", f"{base}/limits", self.limits)

    def query(self, request: Request) -> Response:
        """Answer the first page of a query."""
        return self._begin(request, deleted=False)

    def query_all(self, request: Request) -> Response:
        """Answer the first page of a query that sees the recycle bin."""
        return self._begin(request, deleted=True)

    def _begin(self, request: Request, *, deleted: bool) -> Response:
        text = request.query.get("q")
        if text is None:
            raise bad("MALFORMED_QUERY", "A query string has to be specified")
        if len(text) > 100_000 or sum(len(k) + len(v) for k, v in request.query_all) > URL_BYTES:
            raise SalesforceError(414, "URI_TOO_LONG", "The URI is longer than 16384 bytes")
        query = parse(text)
        plan = Plan(self.org, query, deleted=deleted)
        if query.counted:
            return Response.json({"totalSize": len(plan.rows()), "done": True, "records": []})
        if query.aggregates or query.group:
            found = groups(plan)
            return Response.json({"totalSize": len(found), "done": True, "records": found})
        rows = plan.rows()
        return Response.json(self._page(request, plan, rows, 0, _batch_size(request), None))

    def more(self, request: Request) -> Response:
        """Answer the next page of a query."""
        locator, _, start = request.params["locator"].rpartition("-")
        now = self.org.world.clock.monotonic()
        cursor = self.cursors.get(locator)
        if cursor is None or now - cursor.used_at > IDLE_S or not start.isdigit():
            self.cursors.pop(locator, None)
            raise bad("INVALID_QUERY_LOCATOR", "invalid query locator")
        cursor.used_at = now
        return Response.json(self._page(request, cursor.plan, cursor.rows, int(start), cursor.size, locator))

    def _page(
        self, request: Request, plan: Plan, rows: list[Row], start: int, size: int, locator: str | None
    ) -> dict[str, Any]:
        version = request.state["version"]
        end = start + size
        body: dict[str, Any] = {"totalSize": len(rows), "done": end >= len(rows)}
        if end < len(rows):
            if locator is None:
                locator = self._keep(plan, rows, size)
            body["nextRecordsUrl"] = f"/services/data/v{version}/query/{locator}-{end}"
        body["records"] = [plan.show(row, version) for row in rows[start:end]]
        return body

    def _keep(self, plan: Plan, rows: list[Row], size: int) -> str:
        self._made += 1
        locator = f"01gRO{self._made:010d}YA2"
        # The page is a list of rows as they were found; a row shows what it holds when its page is asked for.
        self.cursors[locator] = Cursor(plan, rows, size, self.org.world.clock.monotonic())
        while len(self.cursors) > _CURSORS:
            del self.cursors[next(iter(self.cursors))]
        return locator

    def limits(self, request: Request) -> Response:  # noqa: ARG002
        """Answer how much is left of what is limited."""
        left = self.limit.most - self.limit.used
        rows = {
            "DailyApiRequests": {"Max": self.limit.most, "Remaining": max(0, left)},
            "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 10_000},
            "DataStorageMB": {"Max": 10_240, "Remaining": 9_876},
            "FileStorageMB": {"Max": 10_240, "Remaining": 10_001},
            "DailyAsyncApexExecutions": {"Max": 250_000, "Remaining": 250_000},
        }
        return Response.json(rows)

    def versions(self, request: Request) -> Response:  # noqa: ARG002
        """Answer which versions there are; nobody has to log in for this."""
        rows = [{"label": _label(v), "url": f"/services/data/v{v}", "version": v} for v in VERSIONS]
        return Response.json(rows)

    def resources(self, request: Request) -> Response:
        """Answer what a version offers."""
        base = f"/services/data/v{request.state['version']}"
        names = ("sobjects", "query", "queryAll", "search", "composite", "jobs", "limits")
        session = request.state["session"]
        # Clients ask who they are at this address, so it is one of this machine.
        host = request.headers.get("host", "127.0.0.1")
        return Response.json(
            {name: f"{base}/{name}" for name in names}
            | {
                "identity": f"http://{host}/id/{self.org.org_id}/{session.user_id}",
                "current": f"/services/data/v{CURRENT}",
            }
        )


def _batch_size(request: Request) -> int:
    asked = re.search(r"batchSize\s*=\s*(\d+)", request.headers.get("sforce-query-options", ""))
    return min(PAGE, max(SMALLEST, int(asked[1]))) if asked else PAGE


def _label(version: str) -> str:
    # v67 is Summer '26; three a year.
    years, season = divmod(int(float(version)) - 67 + 2, 3)
    return f"{('Winter', 'Spring', 'Summer')[season]} '{26 + years}"
