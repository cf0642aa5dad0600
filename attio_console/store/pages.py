"""How raw records become rows of the mirror: in the writer thread, a few dozen at a time."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from attio_console.model.schema import Schema
from attio_console.model.text import fold
from attio_console.store.axes import BY_LABEL, Axes, OrderChange
from attio_console.store.bodies import Compressor
from attio_console.store.database import Work
from attio_console.store.extract import Extract, Extractor
from attio_console.store.mirror_schema import SHIFT
from attio_console.store.prepare import Prepared
from attio_console.store.words import searchable

_INDEX_AT = 3000
"""So many rows without full-text entries make the next page index some of them first."""
_INDEX_ROWS = 2000
_IDLE_ROWS = 250
_MERGE_PAGES = 64
_MASK = (1 << SHIFT) - 1

_INSERT_REC = (
    "INSERT INTO rec (id, coll, record_id, label, sort, created_at, updated_at, detail, search, hash)"
    " SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,"
    " value ->> 8, unhex(value ->> 9) FROM jsonb_each(?)"
)
_INSERT_BODY = (
    "INSERT INTO body (id, dict, data)"
    " SELECT value ->> 0, value ->> 1, substr(?1, value ->> 2, value ->> 3) FROM jsonb_each(?2)"
)


@dataclass(slots=True)
class Batch:
    """What one batch did."""

    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: int = 0
    orders: list[OrderChange] = field(default_factory=list)
    touched: set[int] = field(default_factory=set)
    versions: dict[int, int] = field(default_factory=dict)


class NewRows:
    """Rows that are about to be written, as the tables want them."""

    def __init__(self, no: int) -> None:
        self.no = no
        self.rec: list[tuple[int, int, str, str, str, str, str, str, str, str]] = []
        self.bodies: list[bytes] = []
        self.cuts: list[tuple[int, int, int, int]] = []
        """Row, dictionary, and where in all bodies joined its own begins and how long it is."""
        self._joined = 1
        self.links: list[tuple[str, int]] = []
        self.labels: dict[str, str] = {}

    def add(self, row: int, digest: bytes, extract: Extract, body: tuple[int, bytes]) -> None:
        """Take a row."""
        self.rec.append(
            (
                row,
                self.no,
                extract.record_id,
                extract.label,
                fold(extract.label),
                extract.created_at,
                extract.updated_at,
                extract.detail,
                extract.search,
                digest.hex(),
            )
        )
        dictionary, data = body
        self.cuts.append((row, dictionary, self._joined, len(data)))
        self.bodies.append(data)
        self._joined += len(data)
        self.links += [(parent, row) for parent in extract.parents]
        self.labels[extract.record_id] = extract.label

    def label(self, record_id: str) -> str | None:
        """Return how a record among them is called."""
        return self.labels.get(record_id)

    def clear(self) -> None:
        """They are written."""
        self.rec.clear()
        self.bodies.clear()
        self.cuts.clear()
        self._joined = 1
        self.links.clear()
        self.labels.clear()


class PageWriter:
    """Writes batches. Lives in the writer thread; everything it remembers can be read again."""

    def __init__(self) -> None:
        self.schema = Schema()
        self.axes = Axes()
        self._compressor = Compressor()
        self._extractors: dict[str, Extractor] = {}

    def use(self, schema: Schema) -> None:
        """Look into records as this schema says."""
        self.schema = schema
        self._extractors.clear()
        self.axes.forget()

    def forget(self) -> None:
        """Drop what was remembered in a transaction that failed."""
        self._compressor.forget()
        self.axes.forget()

    def apply(
        self,
        work: Work,
        collection: str,
        rows: Sequence[Prepared],
        *,
        scan: int | None,
        cursor: bytes | None,
    ) -> Batch:
        """Compare and store some records; note them as seen, and the cursor, in the same transaction."""
        try:
            return self._apply(work, collection, rows, scan, cursor)
        except BaseException:
            self.forget()
            raise

    def _apply(
        self, work: Work, collection: str, rows: Sequence[Prepared], scan: int | None, cursor: bytes | None
    ) -> Batch:
        batch = Batch()
        no, next_seq = self._collection(work, collection)
        first_seq = next_seq
        extractor = self._extractors.get(collection)
        if extractor is None:
            extractor = self._extractors[collection] = Extractor(self.schema.collection(collection))
        self._compressor.prepare(work, no, [row.raw for row in rows])
        axes = self.axes.of(work, no, collection, self.schema)
        seen = array("q")
        known = self._known(work, no, rows)
        new = NewRows(no)

        def label_of(record_id: str) -> str | None:
            found = new.label(record_id)
            if found is None:
                labels = work.execute("SELECT label FROM rec WHERE record_id = ? LIMIT 1", (record_id,))
                found = labels[0][0] if labels else None
            return found

        for row in rows:
            if row.row is not None:
                batch.unchanged += 1
                seen.append(row.row & _MASK)
                continue
            row.identify()
            found = None if row.record_id is None else known.get(row.record_id)
            if found is not None and found[1] == row.digest:
                batch.unchanged += 1
                seen.append(found[0] & _MASK)
                continue
            extract = row.extract or extractor.extract(row.raw, label_of)
            record_id = extract.record_id
            if record_id != row.record_id:
                # Its id was not where Attio writes it, so it was not looked up with the others.
                found = known.get(record_id) or self._find(work, no, record_id)
                if found is not None and found[1] == row.digest:
                    batch.unchanged += 1
                    seen.append(found[0] & _MASK)
                    continue
            body = row.body() or self._compressor.compress(no, row.raw)
            if found is not None:
                row_id = found[0]
                # It may be among those that came a moment ago.
                self._store(work, new, batch)
                self._update(work, no, row_id, row.digest, extract, body, batch)
                batch.changed.append(record_id)
            else:
                row_id = (no << SHIFT) | next_seq
                next_seq += 1
                new.add(row_id, row.digest, extract, body)
                batch.created.append(record_id)
            known[record_id] = (row_id, row.digest)
            seen.append(row_id & _MASK)
            if axes:
                if extract.values is None:
                    extract.values = extractor.values_of(row.raw).values
                for axis in axes:
                    batch.orders += axis.put(work, row_id, extract, label_of)
        self._store(work, new, batch)
        created = next_seq - first_seq
        if created:
            work.execute(
                "UPDATE collection SET size = size + ?, next_seq = ? WHERE no = ?", (created, next_seq, no)
            )
        if scan is not None:
            work.execute("INSERT INTO scan_page (scan, seqs) VALUES (?, ?)", (scan, seen.tobytes()))
            work.execute(
                "UPDATE scan SET seen = seen + ?, cursor = coalesce(?, cursor) WHERE scan = ?",
                (len(rows), cursor, scan),
            )
        if batch.created or batch.changed:
            batch.touched.add(no)
            note_versions(work, batch)
            waiting = work.execute("SELECT count(*) FROM unindexed")[0][0]
            if waiting > _INDEX_AT:
                index_some(work, _INDEX_ROWS)
        return batch

    def _collection(self, work: Work, name: str) -> tuple[int, int]:
        rows = work.execute("SELECT no, next_seq FROM collection WHERE name = ?", (name,))
        if rows:
            return rows[0]  # type: ignore[no-any-return]  # a row of SQLite is Any
        work.execute("INSERT INTO collection (name) VALUES (?)", (name,))
        return work.last_id(), 1

    def _known(self, work: Work, no: int, rows: Sequence[Prepared]) -> dict[str, tuple[int, bytes]]:
        """Return row and hash of those records that are here already."""
        for row in rows:
            if row.row is None:
                row.identify()
        ids = [row.record_id for row in rows if row.row is None and row.record_id is not None]
        if not ids:
            return {}
        found = work.execute(
            "SELECT r.record_id, r.id, r.hash FROM json_each(?) j"
            " CROSS JOIN rec r ON r.record_id = j.value AND r.coll = ?",
            (msgspec.json.encode(ids).decode(), no),
        )
        return {record_id: (row_id, digest) for record_id, row_id, digest in found}

    def _find(self, work: Work, no: int, record_id: str) -> tuple[int, bytes] | None:
        rows = work.execute("SELECT id, hash FROM rec WHERE record_id = ? AND coll = ?", (record_id, no))
        return rows[0] if rows else None

    def _store(self, work: Work, new: NewRows, batch: Batch) -> None:
        """Write the rows that are new, table by table."""
        if not new.labels:
            return
        # A statement for many rows, not one for each: with every step the interpreter is handed over and has to be waited for.
        work.execute(_INSERT_REC, (msgspec.json.encode(new.rec).decode(),))
        work.execute(_INSERT_BODY, (b"".join(new.bodies), msgspec.json.encode(new.cuts).decode()))
        work.execute(
            "INSERT INTO unindexed (id) SELECT id FROM rec WHERE id BETWEEN ? AND ?",
            (new.rec[0][0], new.rec[-1][0]),
        )
        if new.links:
            work.connection.executemany("INSERT OR IGNORE INTO link (record_id, id) VALUES (?, ?)", new.links)
        batch.orders += [OrderChange(new.no, BY_LABEL, rec[4], rec[0], 1) for rec in new.rec]
        self._relabel_children(work, new.labels, batch)
        new.clear()

    def _update(
        self,
        work: Work,
        no: int,
        row: int,
        digest: bytes,
        extract: Extract,
        body: tuple[int, bytes],
        batch: Batch,
    ) -> None:
        old_label, old_sort, old_search = work.execute(
            "SELECT label, sort, search FROM rec WHERE id = ?", (row,)
        )[0]
        sort = fold(extract.label)
        if (old_label, old_search) == (extract.label, extract.search):
            work.execute(
                "UPDATE rec SET updated_at = ?, detail = ?, hash = ? WHERE id = ?",
                (extract.updated_at, extract.detail, digest, row),
            )
        else:
            work.execute(
                "UPDATE rec SET label = ?, sort = ?, created_at = ?, updated_at = ?, detail = ?, search = ?, hash = ?"
                " WHERE id = ?",
                (
                    extract.label,
                    sort,
                    extract.created_at,
                    extract.updated_at,
                    extract.detail,
                    extract.search,
                    digest,
                    row,
                ),
            )
        if old_search != extract.search:
            work.execute("INSERT OR IGNORE INTO unindexed (id) VALUES (?)", (row,))
        if old_sort != sort:
            batch.orders.append(OrderChange(no, BY_LABEL, old_sort, row, -1))
            batch.orders.append(OrderChange(no, BY_LABEL, sort, row, 1))
        work.execute("UPDATE body SET dict = ?, data = ? WHERE id = ?", (*body, row))
        parents = {p for (p,) in work.execute("SELECT record_id FROM link WHERE id = ?", (row,))}
        if parents != set(extract.parents):
            work.execute("DELETE FROM link WHERE id = ?", (row,))
            for parent in extract.parents:
                work.execute("INSERT OR IGNORE INTO link (record_id, id) VALUES (?, ?)", (parent, row))
        if old_label != extract.label:
            self._relabel_children(work, {extract.record_id: extract.label}, batch)

    def _relabel_children(self, work: Work, labels: Mapping[str, str], batch: Batch) -> None:
        """Let list entries, which are called like their parents, follow their names."""
        children = work.execute(
            "SELECT l.record_id, r.id, r.coll, r.label, r.sort, r.search, c.name FROM json_each(?) j"
            " CROSS JOIN link l ON l.record_id = j.value CROSS JOIN rec r ON r.id = l.id"
            " CROSS JOIN collection c ON c.no = r.coll",
            (msgspec.json.encode(list(labels)).decode(),),
        )
        for parent, row, no, old_label, old_sort, search, name in children:
            label = labels[parent]
            if self.schema.list(name) is None or old_label == label:
                continue
            sort = fold(label)
            # The parent's name stands first in an entry's search text, then the entry's own words.
            own = search.removeprefix(searchable(old_label)).strip()
            work.execute(
                "UPDATE rec SET label = ?, sort = ?, search = ? WHERE id = ?",
                (label, sort, f"{searchable(label)} {own}".strip(), row),
            )
            work.execute("INSERT OR IGNORE INTO unindexed (id) VALUES (?)", (row,))
            batch.orders.append(OrderChange(no, BY_LABEL, old_sort, row, -1))
            batch.orders.append(OrderChange(no, BY_LABEL, sort, row, 1))
            batch.touched.add(no)

    # ------------------------------------------------------------------------------------------- removing

    def delete(self, work: Work, collection: str, ids: Sequence[str]) -> Batch:
        """Remove rows and everything that was made of them."""
        batch = Batch()
        rows = work.execute("SELECT no FROM collection WHERE name = ?", (collection,))
        if not rows:
            return batch
        no = rows[0][0]
        axes = self.axes.of(work, no, collection, self.schema)
        for record_id in ids:
            for row, sort in work.execute(
                "SELECT id, sort FROM rec WHERE record_id = ? AND coll = ?", (record_id, no)
            ):
                for table in ("rec", "body", "link"):
                    work.execute(f"DELETE FROM {table} WHERE id = ?", (row,))
                work.execute("INSERT OR IGNORE INTO unindexed (id) VALUES (?)", (row,))
                for axis in axes:
                    batch.orders += axis.remove(work, row)
                batch.orders.append(OrderChange(no, BY_LABEL, sort, row, -1))
                batch.changed.append(record_id)
        if batch.changed:
            work.execute("UPDATE collection SET size = size - ? WHERE no = ?", (len(batch.changed), no))
            batch.touched.add(no)
            note_versions(work, batch)
        return batch


def note_versions(work: Work, batch: Batch) -> None:
    """Count the collections a batch touched one version up, so that orders and views made of the older are noticed."""
    for no in batch.touched:
        rows = work.execute(
            "UPDATE collection SET version = version + 1 WHERE no = ? RETURNING version", (no,)
        )
        batch.versions[no] = rows[0][0]


def index_some(work: Work, limit: int) -> int:
    """Bring the full-text indexes up to date for some rows; return how many."""
    count, last = work.execute(
        "SELECT count(*), max(id) FROM (SELECT id FROM unindexed ORDER BY id LIMIT ?)", (limit,)
    )[0]
    if not count:
        return 0
    for table in ("words", "infix"):
        work.execute(
            f"DELETE FROM {table} WHERE rowid IN"
            " (SELECT u.id FROM unindexed u WHERE u.id <= ? AND NOT EXISTS (SELECT 1 FROM rec r WHERE r.id = u.id))",
            (last,),
        )
        work.execute(
            f"INSERT OR REPLACE INTO {table} (rowid, search)"
            " SELECT r.id, r.search FROM unindexed u JOIN rec r ON r.id = u.id WHERE u.id <= ?",
            (last,),
        )
    work.execute("DELETE FROM unindexed WHERE id <= ?", (last,))
    return int(count)


def index_when_idle(work: Work) -> bool:
    """Index a few rows while nobody waits; return whether more are left."""
    return index_some(work, _IDLE_ROWS) == _IDLE_ROWS


def merge_when_idle(work: Work) -> bool:
    """Join some of the small pieces that the full-text indexes are written in; return whether it is worth going on."""
    more = False
    for table in ("words", "infix"):
        before = work.connection.total_changes()
        work.execute(f"INSERT INTO {table} ({table}, rank) VALUES ('merge', ?)", (_MERGE_PAGES,))
        # One change is the command itself.
        more = more or work.connection.total_changes() - before > 1
    return more
