"""A view of the mirror as CSV, JSON, JSON lines or Markdown, window by window."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from attio_console.errors import NoSuchThing
from attio_console.services.types import TableQuery, TableRow

if TYPE_CHECKING:
    from attio_console.services.records import RecordVerbs

_WINDOW = 500
# A spreadsheet runs what begins like a formula; an apostrophe makes it text again.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Format(StrEnum):
    """What a view can be written as."""

    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    MARKDOWN = "markdown"


async def exported(
    console: RecordVerbs,
    name: str,
    form: Format,
    filter: str = "",
    columns: Sequence[str] = (),
) -> AsyncIterator[tuple[str, int]]:
    """Yield pieces of the file with the number of rows in each."""
    collection = console.collection_named(name)
    chosen = list(columns) or [column.slug for column in console.columns(collection) if column.shown]
    for slug in chosen:
        if console.attribute(collection, slug) is None:
            raise NoSuchThing(f"{name} has no attribute {slug!r}.")
    query = TableQuery(collection, filter)
    console.check_filter(collection, filter)
    yield opening(form, chosen), 0
    start = 0
    while rows := await console.window(query, start, _WINDOW, chosen):
        yield written(form, chosen, rows, first=start == 0), len(rows)
        start += len(rows)
    yield "\n]\n" if form is Format.JSON else "", 0


def opening(form: Format, columns: Sequence[str]) -> str:
    """Return what stands before the first row."""
    if form is Format.CSV:
        return _csv([[*columns, "record_id"]])
    if form is Format.MARKDOWN:
        heads = [*columns, "record_id"]
        return f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}\n"
    return "[" if form is Format.JSON else ""


def written(form: Format, columns: Sequence[str], rows: Sequence[TableRow], *, first: bool) -> str:
    """Return some rows; `first` tells JSON that no comma is needed before them."""
    if form is Format.CSV:
        return _csv([[*(harmless(cell.text) for cell in row.cells), row.record_id] for row in rows])
    if form is Format.MARKDOWN:
        return "".join(
            f"| {' | '.join([*(cell.text.replace('|', chr(92) + '|') for cell in row.cells), row.record_id])} |\n"
            for row in rows
        )
    documents = [
        json.dumps(
            {
                "record_id": row.record_id,
                **{slug: cell.text for slug, cell in zip(columns, row.cells, strict=True)},
            },
            ensure_ascii=False,
        )
        for row in rows
    ]
    if form is Format.JSONL:
        return "".join(f"{document}\n" for document in documents)
    return ("\n" if first else ",\n") + ",\n".join(documents)


def _csv(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def harmless(text: str) -> str:
    """Return a text that no spreadsheet runs as a formula; numbers stay numbers."""
    if not text.startswith(_FORMULA) or text.lstrip("+-").replace(" ", "").replace(".", "").isdigit():
        return text
    return f"'{text}"
