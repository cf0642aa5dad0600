"""The endpoints of Bulk API 2.0: `jobs/ingest` and `jobs/query`."""

from __future__ import annotations

from typing import Any

from attio_console.sandbox.salesforce.bulk import DELIMITERS, LINE_ENDS, Job, carry_out, cell, write_csv
from attio_console.sandbox.salesforce.errors import bad, not_found
from attio_console.sandbox.salesforce.ids import full_id, make_id
from attio_console.sandbox.salesforce.routes_rows import call_of, object_of
from attio_console.sandbox.salesforce.soql_parse import parse
from attio_console.sandbox.salesforce.soql_run import Plan
from attio_console.sandbox.salesforce.state import Salesforce
from attio_console.sandbox.salesforce.values import stamp
from attio_console.sandbox.server import Request, Response, Router

INGEST = ("insert", "update", "upsert", "delete")
PAGE = 50_000
_KEPT = 200


class BulkRoutes:
    """The handlers of one org. Jobs are not part of its data: they end with the sandbox."""

    def __init__(self, org: Salesforce) -> None:
        self.org = org
        self.jobs: dict[str, Job] = {}
        self._made = 0

    def add(self, router: Router, base: str) -> None:
        """Serve under `/services/data/{version}/jobs`."""
        router.add("POST", f"{base}/ingest", self.open)
        router.add("POST", f"{base}/query", self.query)
        router.add("PUT", f"{base}/ingest/{{job}}/batches", self.upload)
        router.add("GET", f"{base}/ingest/{{job}}/successfulResults", self.succeeded)
        router.add("GET", f"{base}/ingest/{{job}}/failedResults", self.failed)
        for name in ("unprocessedrecords", "unprocessedRecords"):
            router.add("GET", f"{base}/ingest/{{job}}/{name}", self.unprocessed)
        router.add("GET", f"{base}/query/{{job}}/results", self.results)
        for kind in ("ingest", "query"):
            router.add("GET", f"{base}/{kind}", self.list)
            router.add("GET", f"{base}/{kind}/{{job}}", self.get)
            router.add("PATCH", f"{base}/{kind}/{{job}}", self.change)
            router.add("DELETE", f"{base}/{kind}/{{job}}", self.delete)

    def _job(self, request: Request) -> Job:
        job = self.jobs.get(full_id(request.params["job"]) or "")
        if job is None or job.is_query is not _of_query(request):
            raise not_found()
        return job

    def _new(self, request: Request, body: dict[str, Any], operation: str, sobject: str) -> Job:
        delimiter, line_end = body.get("columnDelimiter", "COMMA"), body.get("lineEnding", "LF")
        if delimiter not in DELIMITERS or line_end not in LINE_ENDS:
            raise bad("INVALIDJOB", "columnDelimiter or lineEnding is not one that jobs know")
        if body.get("contentType", "CSV") != "CSV":
            raise bad("INVALIDJOB", f"contentType {body['contentType']} is not supported; use CSV")
        self._made += 1
        job = Job(
            make_id("750", self._made),
            operation,
            sobject,
            request.state["session"].user_id,
            stamp(self.org.now()),
            request.state["version"],
            delimiter,
            line_end,
        )
        self.jobs[job.id] = job
        while len(self.jobs) > _KEPT:
            del self.jobs[next(iter(self.jobs))]
        return job

    def open(self, request: Request) -> Response:
        """Begin an ingest job."""
        body = object_of(request)
        operation, sobject = body.get("operation"), body.get("object")
        if operation == "hardDelete":
            message = "hardDelete operation requires special user profile permission, please contact your system administrator"
            raise bad("FEATURENOTENABLED", message)
        if operation not in INGEST:
            raise bad("INVALIDJOB", f"Unknown operation: {operation}")
        if not isinstance(sobject, str):
            raise bad("INVALIDJOB", "InvalidJob : object is required")
        table = self.org.table(sobject)
        key = body.get("externalIdFieldName")
        if operation == "upsert":
            found = table.sobject.field(key) if isinstance(key, str) else None
            if found is None or not (found.external_id or found.id_lookup or found.type == "id"):
                raise bad("INVALIDJOB", f"InvalidJob : Field name not found or no external id : {key}")
        job = self._new(request, body, operation, table.sobject.name)
        job.external_id = key if operation == "upsert" else None
        return Response.json(job.json())

    def upload(self, request: Request) -> Response:
        """Take the rows of an ingest job, once."""
        job = self._job(request)
        if job.state != "Open" or job.uploaded is not None:
            raise bad("INVALIDJOBSTATE", f"Uploading data not allowed: the job {job.id} is {job.state}")
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        if kind != "text/csv":
            raise bad(
                "INVALID_CONTENT_TYPE", f"Content type {kind or 'of nothing'} not supported; use text/csv"
            )
        job.uploaded = request.body
        return Response(201)

    async def change(self, request: Request) -> Response:
        """Say that everything is uploaded, which begins the work, or give a job up."""
        job, state = self._job(request), object_of(request).get("state")
        if state not in {"UploadComplete", "Aborted"}:
            raise bad("INVALIDJOBSTATE", f"A job cannot be made {state}")
        if job.over or (state == "UploadComplete" and job.state != "Open"):
            raise bad("INVALIDJOBSTATE", f"Job state transition from {job.state} to {state} is not allowed")
        job.state = state
        job.stamped = stamp(self.org.now())
        answer = Response.json(job.json())
        if state == "UploadComplete":
            await carry_out(job, call_of(self.org, request))
        return answer

    def get(self, request: Request) -> Response:
        """Answer how far a job is."""
        job = self._job(request)
        if job.is_query and job.state == "UploadComplete":
            job.state = "JobComplete"
        return Response.json(job.json(whole=True))

    def list(self, request: Request) -> Response:
        """Answer every job of a kind, the newest first."""
        wanted = _of_query(request)
        rows = [job.json() for job in reversed(self.jobs.values()) if job.is_query is wanted]
        return Response.json({"done": True, "nextRecordsUrl": None, "records": rows})

    def delete(self, request: Request) -> Response:
        """Forget a job that is over."""
        job = self._job(request)
        if not job.over:
            raise bad("INVALIDJOBSTATE", f"Deleting a job that is {job.state} is not allowed")
        del self.jobs[job.id]
        return Response(204)

    def query(self, request: Request) -> Response:
        """Begin a query job."""
        body = object_of(request)
        operation, text = body.get("operation"), body.get("query")
        if operation not in {"query", "queryAll"} or not isinstance(text, str):
            raise bad("INVALIDJOB", "A query job has an operation, query or queryAll, and a query")
        query = parse(text)
        if query.counted or query.aggregates or query.group or query.children or query.offset:
            message = "Aggregate, nested and OFFSET queries are not supported by query jobs"
            raise bad("INVALID_QUERY", message)
        plan = Plan(self.org, query, deleted=operation == "queryAll")
        job = self._new(request, body, operation, plan.table.sobject.name)
        job.plan, job.rows, job.state = plan, plan.rows(), "UploadComplete"
        return Response.json(job.json())

    def results(self, request: Request) -> Response:
        """Answer a page of what a query job found."""
        job = self._job(request)
        plan = job.plan
        if plan is None or job.state != "JobComplete":
            raise bad("INVALIDJOBSTATE", f"The job is {job.state}: its results are not there yet")
        start, size = request.query.get("locator", "0"), request.query.get("maxRecords", str(PAGE))
        if not start.isdigit() or not size.isdigit() or int(size) < 1 or int(start) > len(job.rows):
            raise bad("INVALID_QUERY_LOCATOR", "invalid query locator")
        page = job.rows[int(start) : int(start) + int(size)]
        end = int(start) + len(page)
        rows = ([cell(read(row)) for _, read in plan.columns] for row in page)
        return _csv(
            write_csv(job, plan.paths, rows),
            ("Sforce-Locator", str(end) if end < len(job.rows) else "null"),
            ("Sforce-NumberOfRecords", str(len(page))),
        )

    def succeeded(self, request: Request) -> Response:
        """Answer the rows that worked, with the id of each."""
        job = self._job(request)
        rows = ([key, cell(made), *_cells(job, row)] for key, made, row in job.succeeded)
        return _csv(write_csv(job, ["sf__Id", "sf__Created", *job.columns], rows))

    def failed(self, request: Request) -> Response:
        """Answer the rows that did not, with why."""
        job = self._job(request)
        rows = ([key, why, *_cells(job, row)] for key, why, row in job.failed)
        return _csv(write_csv(job, ["sf__Id", "sf__Error", *job.columns], rows))

    def unprocessed(self, request: Request) -> Response:
        """Answer the rows that an ended job never came to."""
        job = self._job(request)
        return _csv(write_csv(job, job.columns, (_cells(job, row) for row in job.waiting)))


def _cells(job: Job, row: dict[str, str]) -> list[str]:
    return [row[name] for name in job.columns]


def _of_query(request: Request) -> bool:
    return request.path.split("/")[5:6] == ["query"]


def _csv(body: bytes, *headers: tuple[str, str]) -> Response:
    return Response(200, body, [("content-type", "text/csv; charset=UTF-8"), *headers])
