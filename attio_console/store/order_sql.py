"""Orders as they lie in their indexes: seeking a place, walking on from it, counting up to it.

Every statement has one bound below and at most one above, so that SQLite seeks to the place instead of walking there.
"""

from __future__ import annotations

from dataclasses import dataclass

import apsw

from attio_console.store.axes import BY_LABEL, Key
from attio_console.store.orders import BUCKET, Order, Place, place
from attio_console.store.sql import ask


@dataclass(frozen=True, slots=True)
class Lane:
    """One axis of one collection: its table, its key, and the conditions that name its rows."""

    no: int
    table: str
    key: str
    scope: str
    filled: str
    blank: str
    row_scope: str

    def ids(
        self, connection: apsw.Connection, condition: str, order: str, tail: str, *bindings: Key
    ) -> list[int]:
        """Return the row ids that a condition names, in that order."""
        sql = f"SELECT id FROM {self.table} WHERE {self.scope} AND {condition} ORDER BY {order} {tail}"
        return [row for (row,) in ask(connection, sql, bindings)]

    def count(self, connection: apsw.Connection, condition: str, *bindings: Key) -> int:
        """Return how many rows a condition names."""
        sql = f"SELECT count(*) FROM {self.table} WHERE {self.scope} AND {condition}"
        return int(ask(connection, sql, bindings)[0][0])


def lane(no: int, axis: int) -> Lane:
    """Return the axis of that number."""
    if axis == BY_LABEL:
        return Lane(no, "rec", "sort", f"coll = {no}", "sort > ''", "sort = ''", "")
    return Lane(no, f"ax_{axis}", "key", "pos = 0", "key >= -9e999", "key IS NULL", "AND pos = 0")


def walk(connection: apsw.Connection, at: Lane, start: int, count: int, *, descending: bool) -> list[int]:
    """Return ids from `start` on, counted from the beginning: for places that are near it."""
    way = " DESC" if descending else ""
    ids = at.ids(connection, at.filled, f"{at.key}{way}, id{way}", "LIMIT ? OFFSET ?", count, start)
    if len(ids) < count:
        skip = max(start - at.count(connection, at.filled), 0) if not ids and start else 0
        ids += blanks(connection, at, skip, count - len(ids), descending=descending)
    return ids


def blanks(connection: apsw.Connection, at: Lane, start: int, count: int, *, descending: bool) -> list[int]:
    """Return ids of rows without a value; they stand last whichever way the others are sorted."""
    way = " DESC" if descending else ""
    return at.ids(connection, at.blank, f"id{way}", "LIMIT ? OFFSET ?", count, start)


def from_place(
    connection: apsw.Connection, at: Lane, start: Place | None, skip: int, count: int
) -> list[int]:
    """Return ids in ascending order from `skip` rows behind a place on."""
    wanted = skip + count
    if start is None:
        return at.ids(connection, at.filled, f"{at.key}, id", "LIMIT ?", wanted)[skip:]
    _, value, row = start
    ids = at.ids(connection, f"{at.key} = ? AND id >= ?", "id", "LIMIT ?", value, row, wanted)
    if len(ids) < wanted:
        ids += at.ids(connection, f"{at.key} > ?", f"{at.key}, id", "LIMIT ?", value, wanted - len(ids))
    return ids[skip:]


def read_order(connection: apsw.Connection, no: int, axis: int) -> Order:
    """Return an order as it is at this instant."""
    at = lane(no, axis)
    ask(connection, "BEGIN")
    try:
        version = ask(connection, "SELECT version FROM collection WHERE no = ?", (no,))[0][0]
        total = at.count(connection, at.filled)
        starts = _bucket_starts(connection, at)
        blank = at.count(connection, at.blank)
    finally:
        ask(connection, "COMMIT")
    counts = [BUCKET] * len(starts)
    if counts:
        counts[-1] = total - BUCKET * (len(starts) - 1)
    return Order(version, starts, counts, blank)


def _bucket_starts(connection: apsw.Connection, at: Lane) -> list[Place]:
    """Return the first row of every bucket, skipping through the index without fetching what lies between."""
    select = f"SELECT {at.key}, id FROM {at.table} WHERE {at.scope} AND"
    found = ask(connection, f"{select} {at.filled} ORDER BY {at.key}, id LIMIT 1")
    starts: list[Place] = []
    while found:
        value, row = found[0]
        starts.append(place(value, row))
        found = ask(
            connection, f"{select} {at.key} = ? AND id >= ? ORDER BY id LIMIT 1 OFFSET {BUCKET}", (value, row)
        )
        if not found:
            passed = at.count(connection, f"{at.key} = ? AND id >= ?", value, row)
            found = ask(
                connection,
                f"{select} {at.key} > ? ORDER BY {at.key}, id LIMIT 1 OFFSET ?",
                (value, BUCKET - passed),
            )
    return starts


def position(
    connection: apsw.Connection, at: Lane, order: Order, row: int, *, descending: bool
) -> int | None:
    """Return where a row stands; None for one that was deleted."""
    found = ask(connection, f"SELECT {at.key} FROM {at.table} WHERE id = ? {at.row_scope}", (row,))
    if not found:
        return None
    value: Key = found[0][0]
    if value is None or value == "":
        way = ">" if descending else "<"
        return order.filled + at.count(connection, f"{at.blank} AND id {way} ?", row)
    start, before = order.before(place(value, row))
    if start is None:
        before += at.count(connection, f"{at.filled} AND {at.key} < ?", value)
        before += at.count(connection, f"{at.key} = ? AND id < ?", value, row)
    elif start[1] == value:
        before += at.count(connection, f"{at.key} = ? AND id >= ? AND id < ?", value, start[2], row)
    else:
        before += at.count(connection, f"{at.key} = ? AND id >= ?", start[1], start[2])
        before += at.count(connection, f"{at.key} > ? AND {at.key} < ?", start[1], value)
        before += at.count(connection, f"{at.key} = ? AND id < ?", value, row)
    return order.filled - 1 - before if descending else before
