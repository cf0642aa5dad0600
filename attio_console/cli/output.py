"""Where words go: data to stdout, everything else to stderr, and nothing that could steer a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from attio_console.errors import ConsoleError
from attio_console.model.text import plain


def say(text: str) -> None:
    """Tell the person at the terminal something; scripts that read stdout never see it."""
    print(plain(text), file=sys.stderr, flush=True)


def complain(error: ConsoleError) -> None:
    """Tell what happened and what to do next."""
    print(f"{plain(error.title)}: {plain(error.message)}", file=sys.stderr)
    if error.hint:
        print(f"  {plain(error.hint)}", file=sys.stderr)


def _jsonable(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, frozenset | set):
        return sorted(value)
    if hasattr(value, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in value.__dataclass_fields__}
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def emit_json(document: Any) -> None:
    """Write one JSON document on one line."""
    print(json.dumps(document, default=_jsonable, ensure_ascii=False, separators=(",", ":")), flush=True)


def emit_lines(documents: Iterable[Any]) -> None:
    """Write one JSON object a line."""
    for document in documents:
        emit_json(document)


def emit_table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], *, right: frozenset[int] = frozenset()
) -> None:
    """Write aligned columns for a person; `right` names the columns to align at the right."""
    cells = [[plain(cell) for cell in row] for row in rows]
    widths = [
        max([_width(heading), *(_width(row[i]) for row in cells)], default=0)
        for i, heading in enumerate(headings)
    ]

    def line(row: Sequence[str]) -> str:
        parts = []
        for i, cell in enumerate(row):
            padding = " " * (widths[i] - _width(cell))
            parts.append(padding + cell if i in right else cell + padding)
        return "  ".join(parts).rstrip()

    if sys.stdout.isatty() or cells:
        print(line(list(headings)))
    for row in cells:
        print(line(row))


def emit_fields(pairs: Mapping[str, str]) -> None:
    """Write name and value, one a line, names aligned."""
    width = max((_width(name) for name in pairs), default=0)
    for name, value in pairs.items():
        print(f"{plain(name)}{' ' * (width - _width(name))}  {plain(value)}".rstrip())


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)
