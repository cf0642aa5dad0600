"""Bulk API 2.0: what a job is, how its CSV is read, carried out and written."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from attio_console.sandbox.salesforce.calls import Call
from attio_console.sandbox.salesforce.errors import SalesforceError, bad
from attio_console.sandbox.salesforce.soql_run import Plan
from attio_console.sandbox.salesforce.table import Row, Table

DELIMITERS = {"COMMA": ",", "TAB": "\t", "SEMICOLON": ";", "PIPE": "|", "CARET": "^", "BACKQUOTE": "`"}
LINE_ENDS = {"LF": "\n", "CRLF": "\r\n"}
_CLEARS = "#N/A"
_BREATH = 200
"""After so many rows, the loop serves somebody else."""


@dataclass(slots=True)
class Job:
    """One job, of either kind."""

    id: str
    operation: str
    sobject: str
    author: str
    created: str
    version: str
    delimiter: str
    line_end: str
    external_id: str | None = None
    state: str = "Open"
    error: str | None = None
    stamped: str = ""
    uploaded: bytes | None = None
    columns: list[str] = field(default_factory=list)
    succeeded: list[tuple[str, bool, dict[str, str]]] = field(default_factory=list)
    failed: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    waiting: list[dict[str, str]] = field(default_factory=list)
    plan: Plan | None = None
    rows: list[Row] = field(default_factory=list)

    @property
    def is_query(self) -> bool:
        """Whether it reads."""
        return self.plan is not None

    @property
    def over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in {"JobComplete", "Aborted", "Failed"}

    def json(self, *, whole: bool = False) -> dict[str, Any]:
        """Return the job as answers show it; `whole` with what has been done."""
        shown: dict[str, Any] = {
            "id": self.id,
            "operation": self.operation,
            "object": self.sobject,
            "createdById": self.author,
            "createdDate": self.created,
            "systemModstamp": self.stamped or self.created,
            "state": self.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.version),
            "lineEnding": self.line_end,
            "columnDelimiter": self.delimiter,
        }
        if self.external_id is not None:
            shown["externalIdFieldName"] = self.external_id
        if not self.is_query and self.state == "Open":
            shown["contentUrl"] = f"services/data/v{self.version}/jobs/ingest/{self.id}/batches"
        if not whole:
            return shown
        done = len(self.rows) if self.is_query else len(self.succeeded) + len(self.failed)
        shown |= {
            "jobType": "V2Query" if self.is_query else "V2Ingest",
            "numberRecordsProcessed": done if self.state == "JobComplete" or not self.is_query else 0,
            "retries": 0,
            "totalProcessingTime": done,
        }
        if not self.is_query:
            shown |= {
                "numberRecordsFailed": len(self.failed),
                "apiActiveProcessingTime": done,
                "apexProcessingTime": 0,
            }
        return shown | ({"errorMessage": self.error} if self.error else {})

    def fail(self, why: str) -> None:
        """End without having done anything."""
        self.state, self.error = "Failed", why


def read_rows(job: Job) -> Iterator[dict[str, str]]:
    """Read the uploaded rows, and keep the names of their columns."""
    text = (job.uploaded or b"").decode("utf-8-sig")
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=DELIMITERS[job.delimiter], strict=True)
    job.columns = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = job.columns
    for row in reader:
        if None in row or None in row.values():
            raise csv.Error(f"line {reader.line_num} has another number of columns than the header")
        yield row


async def carry_out(job: Job, call: Call) -> None:
    """Do what an ingest job asks, row by row; each has its own outcome."""
    job.state = "InProgress"
    try:
        job.waiting = list(read_rows(job))
    except (csv.Error, UnicodeDecodeError) as error:
        job.fail(f"InvalidBatch : Failed to parse CSV: {error}")
        return
    table = call.org.table(job.sobject)
    unknown = [name for name in job.columns if table.sobject.field(name) is None]
    if unknown:
        job.fail(f"InvalidBatch : Field name not found : {unknown[0]}")
        return
    if job.operation == "delete" and [name.lower() for name in job.columns] != ["id"]:
        job.fail("InvalidBatch : The 'delete' batch must contain only ids")
        return
    for number, row in enumerate(list(job.waiting), start=1):
        if job.state == "Aborted":
            return
        job.waiting.pop(0)
        try:
            row_id, made = _one(job, call, table, row)
            job.succeeded.append((row_id, made, row))
        except SalesforceError as error:
            names = ",".join(error.fields)
            job.failed.append((row.get("Id", ""), f"{error.code}:{error.message}:{names} --", row))
        if number % _BREATH == 0:
            await asyncio.sleep(0)
    job.state = "JobComplete"


def _one(job: Job, call: Call, table: Table, row: Mapping[str, str]) -> tuple[str, bool]:
    # An empty cell leaves a field alone; only #N/A clears it.
    values: dict[str, Any] = {
        name: None if value == _CLEARS else value for name, value in row.items() if value != ""
    }
    key = next((values.pop(name) for name in list(values) if name.lower() == "id"), None)
    match job.operation:
        case "insert":
            return call.create(table, values)["Id"], True
        case "upsert":
            name = job.external_id or "Id"
            if name == "Id":
                if key is None:
                    return call.create(table, values)["Id"], True
                values["Id"] = key
            value = next((values[each] for each in values if each.lower() == name.lower()), None)
            if not value:
                raise bad("MISSING_ARGUMENT", f"{name} not specified")
            found, made = call.upsert(table, name, value, values)
            return found["Id"], made
    if not key:
        raise bad("MISSING_ARGUMENT", f"Id not specified in {job.operation} call")
    held = call.find(table, key)
    if job.operation == "delete":
        call.delete(table, held)
    else:
        call.update(table, held, values)
    return held["Id"], False


def write_csv(job: Job, header: Iterable[str], rows: Iterable[Iterable[str]]) -> bytes:
    """Write an answer of a job, every cell in quotes as Salesforce does."""
    out = io.StringIO(newline="")
    writer = csv.writer(
        out,
        delimiter=DELIMITERS[job.delimiter],
        lineterminator=LINE_ENDS[job.line_end],
        quoting=csv.QUOTE_ALL,
    )
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode()


def cell(value: Any) -> str:
    """Write a value of a query as a cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return f"{text[:-5]}Z" if text.endswith(".000+0000") else text
