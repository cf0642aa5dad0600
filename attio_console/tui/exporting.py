"""Saving what a table shows to a file: a person's own copy, in the shape other programs read."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from attio_console.errors import UsageError
from attio_console.services.types import Column, Done, TableQuery, TableRow

if TYPE_CHECKING:
    from attio_console.services.console import Console

FORMATS = (
    ("csv", "CSV, for spreadsheets"),
    ("jsonl", "JSON, one record a line"),
    ("json", "JSON, one list"),
    ("markdown", "Markdown table"),
)
SUFFIXES = {"csv": "csv", "json": "json", "jsonl": "jsonl", "markdown": "md"}
_AT_ONCE = 500


async def export(
    verbs: Console, query: TableQuery, columns: Sequence[Column], marked: Sequence[str], kind: str, path: str
) -> Done:
    """Write the marked rows, or all rows of the query, to a new file."""
    if not path:
        raise UsageError("A file needs a name.")
    slugs = [column.slug for column in columns]
    rows: list[TableRow] = []
    if marked:
        found = (verbs.row(query.collection, record_id, slugs) for record_id in marked)
        rows = [row for row in found if row is not None]
    else:
        while window := await verbs.window(query, len(rows), _AT_ONCE, slugs):
            rows.extend(window)
            if len(window) < _AT_ONCE:
                break
    text = _WRITERS[kind](columns, rows)
    try:
        await asyncio.to_thread(_write, path, text)
    except FileExistsError as error:
        raise UsageError(f"{path} exists already.", hint="Type another name.") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}.") from error
    return Done(f"Saved {len(rows):,} records to {path}.", count=len(rows))


def _write(path: str, text: str) -> None:
    with Path(path).expanduser().open("x", encoding="utf-8", newline="") as file:
        file.write(text)


def _csv(columns: Sequence[Column], rows: Sequence[TableRow]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["record_id", *(column.slug for column in columns)])
    writer.writerows([row.record_id, *(_harmless(cell.text) for cell in row.cells)] for row in rows)
    return out.getvalue()


def _harmless(text: str) -> str:
    # A spreadsheet runs what starts like a formula.
    return (
        f"'{text}"
        if text[:1] in {"=", "@", "\t"} or (text[:1] in {"+", "-"} and not _is_number(text))
        else text
    )


def _is_number(text: str) -> bool:
    return text[1:].replace(" ", "").replace(".", "").replace(",", "").isdigit()


def _documents(columns: Sequence[Column], rows: Sequence[TableRow]) -> list[dict[str, str]]:
    return [
        {"record_id": row.record_id}
        | {column.slug: cell.text for column, cell in zip(columns, row.cells, strict=True)}
        for row in rows
    ]


def _json(columns: Sequence[Column], rows: Sequence[TableRow]) -> str:
    return json.dumps(_documents(columns, rows), ensure_ascii=False, indent=2) + "\n"


def _jsonl(columns: Sequence[Column], rows: Sequence[TableRow]) -> str:
    return "".join(json.dumps(document, ensure_ascii=False) + "\n" for document in _documents(columns, rows))


def _markdown(columns: Sequence[Column], rows: Sequence[TableRow]) -> str:
    lines = [_markdown_row([column.title for column in columns]), _markdown_row(["---"] * len(columns))]
    lines += [_markdown_row([cell.text for cell in row.cells]) for row in rows]
    return "\n".join(lines) + "\n"


def _markdown_row(texts: Sequence[str]) -> str:
    return "| " + " | ".join(text.replace("\\", "\\\\").replace("|", "\\|") for text in texts) + " |"


_WRITERS: dict[str, Callable[[Sequence[Column], Sequence[TableRow]], str]] = {
    "csv": _csv,
    "json": _json,
    "jsonl": _jsonl,
    "markdown": _markdown,
}
