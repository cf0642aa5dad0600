"""The one way a statement is run: to its end, so that no read transaction stays open behind it."""

from __future__ import annotations

from typing import Any

import apsw


def ask(connection: apsw.Connection, sql: str, bindings: Any = ()) -> list[Any]:
    """Run one statement and return its rows."""
    rows: list[Any] = connection.execute(sql, bindings).fetchall()
    return rows
