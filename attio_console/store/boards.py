"""The columns of a pipeline: counts and sums by status, from two axes and no body."""

from __future__ import annotations

import apsw

from attio_console.model.schema import Attribute, Option, Status
from attio_console.store.sql import ask
from attio_console.store.types import BoardColumn


def board_columns(
    connection: apsw.Connection, status_axis: int, value_axis: int | None, attribute: Attribute | None
) -> tuple[BoardColumn, ...]:
    """Return one column for every status that is in use or not archived, in the order of the schema."""
    if value_axis is None:
        sql = f"SELECT coalesce(ref, ''), count(*), NULL FROM ax_{status_axis} WHERE pos = 0 GROUP BY 1"
    else:
        sql = (
            f"SELECT coalesce(s.ref, ''), count(*), sum(v.key) FROM ax_{status_axis} s"
            f" LEFT JOIN ax_{value_axis} v ON v.id = s.id AND v.pos = 0 WHERE s.pos = 0 GROUP BY 1"
        )
    found = {ref: BoardColumn(ref, number, total) for ref, number, total in ask(connection, sql)}
    columns = []
    statuses: tuple[Option | Status, ...] = ()
    if attribute is not None:
        statuses = (*attribute.statuses, *attribute.options)
    for status in statuses:
        column = found.pop(status.id, None)
        if column is not None or not status.is_archived:
            columns.append(column or BoardColumn(status.id, 0, 0.0 if value_axis is not None else None))
    # A status the schema does not know yet still has its rows; those without any come last.
    columns += [found[ref] for ref in sorted(found, key=lambda ref: (ref == "", ref))]
    return tuple(columns)
