"""An axis: the values of one attribute of one collection, laid out for sorting, filtering and summing.

Made when somebody first asks for it, a few hundred rows at a time while the writer has nothing else to do; from its first
moment on, every page that is applied keeps it current.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from attio_console.model.schema import Attribute, ListSchema, ObjectSchema, Schema
from attio_console.store.axis_values import AxisValue, axis_values
from attio_console.store.bodies import Decompressor
from attio_console.store.database import Work
from attio_console.store.extract import Extract, Extractor
from attio_console.store.mirror_schema import SHIFT, span

BY_LABEL = 0
"""The number of the axis that every collection has: the folded label, kept in the slim row itself."""

COLUMNS = ("created_at", "updated_at")
"""Axes that are made of the slim row and not of the body."""

_CHUNK = 300

Key = str | float | None


@dataclass(slots=True)
class OrderChange:
    """A row that took (+1) or left (-1) a place in an order; orders kept in memory follow it."""

    coll: int
    axis: int
    key: Key
    row: int
    step: int


class Axis:
    """One axis, as the writer sees it."""

    def __init__(self, no: int, coll: int, slug: str, attribute: Attribute | None, schema: Schema) -> None:
        self.no = no
        self.coll = coll
        self.slug = slug
        self._attribute = attribute
        self._schema = schema

    def put(
        self, work: Work, row: int, extract: Extract, label_of: Callable[[str], str | None]
    ) -> list[OrderChange]:
        """Lay out the values of a row anew."""
        values = self._values(extract, label_of)
        old = work.execute(f"SELECT key, txt, ref FROM ax_{self.no} WHERE id = ? ORDER BY pos", (row,))
        if old == values:
            return []
        if old:
            work.execute(f"DELETE FROM ax_{self.no} WHERE id = ?", (row,))
        self._insert(work, row, values)
        changes = [OrderChange(self.coll, self.no, old[0][0], row, -1)] if old else []
        return [*changes, OrderChange(self.coll, self.no, values[0][0], row, 1)]

    def fill(self, work: Work, row: int, extract: Extract, label_of: Callable[[str], str | None]) -> None:
        """Lay out the values of a row that no page brought since the axis was begun."""
        if not work.execute(f"SELECT 1 FROM ax_{self.no} WHERE id = ?", (row,)):
            self._insert(work, row, self._values(extract, label_of))

    def remove(self, work: Work, row: int) -> list[OrderChange]:
        """Forget a row."""
        old = work.execute(f"DELETE FROM ax_{self.no} WHERE id = ? RETURNING pos, key", (row,))
        return [OrderChange(self.coll, self.no, key, row, -1) for pos, key in old if pos == 0]

    def _insert(self, work: Work, row: int, values: list[AxisValue]) -> None:
        for pos, (key, txt, ref) in enumerate(values):
            work.execute(
                f"INSERT INTO ax_{self.no} (id, pos, key, txt, ref) VALUES (?, ?, ?, ?, ?)",
                (row, pos, key, txt, ref),
            )

    def _values(self, extract: Extract, label_of: Callable[[str], str | None]) -> list[AxisValue]:
        if self.slug in COLUMNS:
            at = extract.created_at if self.slug == "created_at" else extract.updated_at
            return [(at or None, None, None)]
        raw = (extract.values or {}).get(self.slug)
        found = axis_values(self._attribute, raw, self._schema, label_of) if raw is not None else []
        return found or [(None, None, None)]


class Axes:
    """The axes of every collection, remembered in the writer thread."""

    def __init__(self) -> None:
        self._known: dict[int, list[Axis]] = {}
        self._decompressor = Decompressor()

    def forget(self) -> None:
        """Read them again next time."""
        self._known.clear()

    def of(self, work: Work, no: int, collection: str, schema: Schema) -> list[Axis]:
        """Return the axes of a collection."""
        known = self._known.get(no)
        if known is None:
            shape = schema.collection(collection)
            rows = work.execute("SELECT no, slug FROM ax WHERE coll = ?", (no,))
            known = self._known[no] = [
                Axis(axis_no, no, slug, shape.attribute(slug) if shape else None, schema)
                for axis_no, slug in rows
            ]
        return known

    def begin(self, work: Work, coll: int, slug: str) -> None:
        """Make the tables of an axis that nobody asked for before."""
        if work.execute("SELECT 1 FROM ax WHERE coll = ? AND slug = ?", (coll, slug)):
            return
        work.execute("INSERT INTO ax (coll, slug, done) VALUES (?, ?, ?)", (coll, slug, coll << SHIFT))
        no = work.last_id()
        work.execute(
            f"CREATE TABLE ax_{no} (id INTEGER NOT NULL, pos INTEGER NOT NULL, key, txt TEXT, ref TEXT,"
            " PRIMARY KEY (id, pos)) WITHOUT ROWID"
        )
        work.execute(f"CREATE INDEX ax_{no}_key ON ax_{no} (pos, key, id)")
        work.execute(f"CREATE INDEX ax_{no}_ref ON ax_{no} (ref, id) WHERE ref IS NOT NULL")
        self._known.pop(coll, None)

    def drop(self, work: Work, coll: int, slug: str | None = None) -> None:
        """Throw away axes: their attribute changed, or their collection is gone."""
        for (no,) in work.execute(
            "SELECT no FROM ax WHERE coll = ?1 AND (?2 IS NULL OR slug = ?2)", (coll, slug)
        ):
            work.execute(f"DROP TABLE ax_{no}")
            work.execute("DELETE FROM ax WHERE no = ?", (no,))
        self._known.pop(coll, None)

    def build_some(self, work: Work, schema: Schema, only: int | None = None) -> bool:
        """Lay out the next rows of an axis that is not ready; return whether there is more to do."""
        rows = work.execute(
            "SELECT a.no, a.coll, a.slug, a.done, c.name FROM ax a JOIN collection c ON c.no = a.coll"
            " WHERE NOT a.ready AND (?1 IS NULL OR a.no = ?1) LIMIT 1",
            (only,),
        )
        if not rows:
            return False
        no, coll, slug, done, name = rows[0]
        shape = schema.collection(name)
        axis = Axis(no, coll, slug, shape.attribute(slug) if shape else None, schema)
        last = self._fill(work, axis, done, shape)
        if last is None:
            work.execute("UPDATE ax SET ready = 1 WHERE no = ?", (no,))
        else:
            work.execute("UPDATE ax SET done = ? WHERE no = ?", (last, no))
        return True

    def _fill(self, work: Work, axis: Axis, done: int, shape: ObjectSchema | ListSchema | None) -> int | None:
        _, end = span(axis.coll)
        if axis.slug in COLUMNS:
            work.execute(
                f"INSERT OR IGNORE INTO ax_{axis.no} (id, pos, key)"
                f" SELECT id, 0, nullif({axis.slug}, '') FROM rec WHERE id > ? AND id < ?",
                (done, end),
            )
            return None
        rows = work.execute(
            "SELECT id, dict, data FROM body WHERE id > ? AND id < ? ORDER BY id LIMIT ?", (done, end, _CHUNK)
        )
        if not rows:
            return None
        extractor = Extractor(shape)

        def label_of(record_id: str) -> str | None:
            found = work.execute("SELECT label FROM rec WHERE record_id = ? LIMIT 1", (record_id,))
            return found[0][0] if found else None

        for row, dictionary, data in rows:
            raw = self._decompressor.decompress(work.connection, dictionary, data)
            axis.fill(work, row, extractor.values_of(raw), label_of)
        last: int = rows[-1][0]
        return last
