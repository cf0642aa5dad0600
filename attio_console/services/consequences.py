"""What deciding about a whole record means, in sentences: such a decision is more than a value written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attio_console.model.text import plain
from attio_console.store.types import ConflictRow
from attio_console.sync import kinds

_PAIRING = {kinds.AMBIGUOUS, kinds.DUPLICATE, kinds.MERGE}


def consequence(row: ConflictRow, choice: object, system: str) -> str:
    """Return what that choice does with the records of a conflict; nothing where it is about fields.

    `system` is what people call the other side.
    """
    if row.kind == kinds.DELETE:
        return _deletion(row, choice, system)
    if row.kind in _PAIRING:
        return _pairing(row, choice, system)
    if row.kind == kinds.GUARD:
        return f"Lets {system} go on: what was held back is read and compared. Writes nothing by itself."
    return ""


def _deletion(row: ConflictRow, choice: object, system: str) -> str:
    label = plain(row.label)
    document: Mapping[str, Any] = row.fields[0] if row.fields else {}
    left, gone = (system, "Attio") if not document.get("attio") else ("Attio", system)
    wanted = "external" if gone == system else "attio"
    if choice == wanted:
        return f"Deletes {label} in {left}, too. This cannot be undone."
    return f"Keeps {label} in {left}; it has no counterpart in {gone} any more."


def _pairing(row: ConflictRow, choice: object, system: str) -> str:
    suggestion = row.suggestion or {}
    candidates: Sequence[Mapping[str, Any]] = suggestion.get("candidates") or ()
    current = str(suggestion.get("current") or "")
    label = plain(row.label)
    nothing = "No value is written by this."
    if choice == "external" or (choice == "attio" and not current):
        if not candidates:
            return nothing
        first = candidates[0]
        there = plain(f"{first.get('label') or label} ({first.get('external_id')})")
        instead = f", in place of {plain(current)}" if current else ""
        others = len(candidates) - 1
        apart = f" The other {'one' if others == 1 else others} stays apart." if others else ""
        return f"Links {label} with {system} {there}{instead}.{apart} {nothing}"
    if current:
        return f"Leaves {label} linked with {system} {plain(current)}; the other one stays apart. {nothing}"
    return f"Links {label} with none of them: they are not the same. {nothing}"
