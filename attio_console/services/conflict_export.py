"""The conflict queue as a file: one line a field in CSV, one document a conflict in JSON."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from attio_console.errors import UsageError
from attio_console.services.exporting import Format, harmless
from attio_console.services.triage import TriageVerbs
from attio_console.services.types import ConflictDetail, ConflictLine, ConflictSide, Done

FORMATS = (Format.CSV, Format.JSONL, Format.JSON)
_AT_ONCE = 500
_COLUMNS = (
    "id", "detected_at", "age_h", "kind", "system", "object", "record", "record_id", "external_type", "external_id",
    "assignee", "field", "base", "attio", "attio_by", "attio_at", "other", "other_by", "other_at", "suggestion", "why",
)  # fmt: skip


class ConflictExportVerbs(TriageVerbs):
    """The queue for other programs."""

    def conflict_documents(self, ids: Sequence[int]) -> Iterator[dict[str, Any]]:
        """Yield each conflict with its fields, both sides and base, as plain JSON values."""
        for start in range(0, len(ids), _AT_ONCE):
            lines = {line.conflict_id: line for line in self.conflict_lines(ids[start : start + _AT_ONCE])}
            for row in self.store.conflicts.some(list(lines)):
                detail = self.detail_of(row)
                yield self._document(lines[row.id], detail)

    def _document(self, line: ConflictLine, detail: ConflictDetail) -> dict[str, Any]:
        shape = self.schema.collection(line.collection)
        age = (self.clock.now() - line.detected_at).total_seconds() / 3600
        return {
            "conflict_id": line.conflict_id,
            "detected_at": line.detected_at.isoformat(),
            "age_h": round(age, 1),
            "kind": line.kind,
            "state": line.state,
            "system": line.system,
            "object": shape.slug if shape is not None else line.collection,
            "label": line.label,
            "what": line.what,
            "suggestion": line.suggestion,
            "record_id": line.record_id,
            "collection": line.collection,
            "external_type": detail.external_type,
            "external_id": detail.external_id,
            "assignee": line.assignee,
            "comments": [
                {"at": c.at.isoformat(), "by": c.by, "text": c.text} for c in self.comments(line.conflict_id)
            ]
            if line.comments
            else [],
            "fields": list(line.fields),
            "values": [
                {
                    "field": field.slug,
                    "title": field.title,
                    "external_field": field.external_field,
                    "base": field.base.text if field.compared else None,
                    "attio": _side(field.attio),
                    "external": _side(field.external),
                    "suggestion": field.suggestion,
                    "why": field.why,
                }
                for field in detail.fields
            ],
        }

    def conflict_table(self, ids: Sequence[int]) -> Iterator[str]:
        """Yield the lines of a CSV file, its heading first; what a spreadsheet would run is made text."""
        yield _csv(_COLUMNS)
        for document in self.conflict_documents(ids):
            for value in document["values"] or [_NO_FIELD]:
                yield _csv(_cells(document, value))

    async def export_conflicts(self, ids: Sequence[int], form: Format, path: str) -> Done:
        """Write conflicts to a new file."""
        if not path.strip():
            raise UsageError("A file needs a name.")
        text = "".join(self.written_conflicts(ids, form))
        try:
            await asyncio.to_thread(_write, path.strip(), text)
        except FileExistsError as error:
            raise UsageError(f"{path} exists already.", hint="Type another name.") from error
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror or error}.") from error
        return Done(
            f"Saved {len(ids):,} conflict{'s' if len(ids) != 1 else ''} to {path.strip()}.", count=len(ids)
        )

    def written_conflicts(self, ids: Sequence[int], form: Format) -> Iterator[str]:
        """Yield the pieces of the file."""
        if form is Format.CSV:
            yield from self.conflict_table(ids)
            return
        documents = (json.dumps(one, ensure_ascii=False) for one in self.conflict_documents(ids))
        if form is Format.JSON:
            yield "[\n" + ",\n".join(documents) + "\n]\n"
            return
        for document in documents:
            yield f"{document}\n"


_NO_FIELD = {
    "title": "", "base": "", "attio": {"text": "", "by": "", "at": None}, "external": {"text": "", "by": "", "at": None},
    "suggestion": "", "why": "",
}  # fmt: skip


def _side(side: ConflictSide) -> dict[str, Any]:
    return {"text": side.text, "by": side.by, "at": side.at.isoformat() if side.at else None}


def _cells(document: dict[str, Any], value: dict[str, Any]) -> list[str]:
    ours, theirs = value["attio"], value["external"]
    cells = [
        document["conflict_id"], document["detected_at"], document["age_h"], document["kind"], document["system"],
        document["object"], document["label"], document["record_id"], document["external_type"], document["external_id"],
        document["assignee"], value["title"], value["base"], ours["text"], ours["by"], ours["at"], theirs["text"],
        theirs["by"], theirs["at"], value["suggestion"], value["why"],
    ]  # fmt: skip
    return [harmless("" if cell is None else str(cell)) for cell in cells]


def _csv(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue()


def _write(path: str, text: str) -> None:
    with Path(path).expanduser().open("x", encoding="utf-8", newline="") as file:
        file.write(text)
