"""How raw records become rows of the mirror: in the writer thread, a few dozen at a time."""

from __future__ import annotations

import hashlib
import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

from attio_console.model.schema import Schema
from attio_console.model.text import fold
from attio_console.store.axes import BY_LABEL, Axes, OrderChange
from attio_console.store.bodies import Compressor
from attio_console.store.database import Work
from attio_console.store.extract import Extract, Extractor
from attio_console.store.mirror_schema import SHIFT
from attio_console.store.words import searchable

_INDEX_AT = 4000
"""So many rows without full-text entries make the next page index some of them first."""
_INDEX_ROWS = 1000
_IDLE_ROWS = 250
_MASK = (1 << SHIFT) - 1


@dataclass(slots=True)
class Batch:
    """What one batch did."""

    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: int = 0
    orders: list[OrderChange] = field(default_factory=list)
    touched: set[int] = field(default_factory=set)
    versions: dict[int, int] = field(default_factory=dict)


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
        raws: Sequence[bytes],
        *,
        scan: int | None,
        cursor: bytes | None,
    ) -> Batch:
        """Compare and store some records; note them as seen, and the cursor, in the same transaction."""
        try:
            return self._apply(work, collection, raws, scan, cursor)
        except BaseException:
            self.forget()
            raise

    def _apply(
        self, work: Work, collection: str, raws: Sequence[bytes], scan: int | None, cursor: bytes | None
    ) -> Batch:
        batch = Batch()
        no, next_seq = self._collection(work, collection)
        first_seq = next_seq
        extractor = self._extractors.get(collection)
        if extractor is None:
            extractor = self._extractors[collection] = Extractor(self.schema.collection(collection))
        self._compressor.prepare(work, no, raws)
        axes = self.axes.of(work, no, collection, self.schema)
        seen = array("q")

        def label_of(record_id: str) -> str | None:
            rows = work.execute("SELECT label FROM rec WHERE record_id = ? LIMIT 1", (record_id,))
            return rows[0][0] if rows else None

        for raw in raws:
            digest = hashlib.blake2b(raw, digest_size=16).digest()
            extract: Extract | None = None
            record_id = quick_id(raw)
            if record_id is None:
                extract = extractor.extract(raw, label_of)
                record_id = extract.record_id
            found = work.execute("SELECT id, hash FROM rec WHERE record_id = ? AND coll = ?", (record_id, no))
            if found and found[0][1] == digest:
                batch.unchanged += 1
                seen.append(found[0][0] & _MASK)
                continue
            if extract is None:
                extract = extractor.extract(raw, label_of)
                if extract.record_id != record_id:
                    record_id = extract.record_id
                    found = work.execute(
                        "SELECT id, hash FROM rec WHERE record_id = ? AND coll = ?", (record_id, no)
                    )
            if found:
                row = found[0][0]
                self._update(work, no, row, raw, digest, extract, batch)
                batch.changed.append(record_id)
            else:
                row = (no << SHIFT) | next_seq
                next_seq += 1
                self._insert(work, no, row, raw, digest, extract, batch)
                batch.created.append(record_id)
            seen.append(row & _MASK)
            for axis in axes:
                batch.orders += axis.put(work, row, extract, label_of)
        created = next_seq - first_seq
        if created:
            work.execute(
                "UPDATE collection SET size = size + ?, next_seq = ? WHERE no = ?", (created, next_seq, no)
            )
        if scan is not None:
            work.execute("INSERT INTO scan_page (scan, seqs) VALUES (?, ?)", (scan, seen.tobytes()))
            work.execute(
                "UPDATE scan SET seen = seen + ?, cursor = coalesce(?, cursor) WHERE scan = ?",
                (len(raws), cursor, scan),
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

    def _insert(
        self, work: Work, no: int, row: int, raw: bytes, digest: bytes, extract: Extract, batch: Batch
    ) -> None:
        sort = fold(extract.label)
        work.execute(
            "INSERT INTO rec (id, coll, record_id, label, sort, created_at, updated_at, detail, search, hash)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                row,
                no,
                extract.record_id,
                extract.label,
                sort,
                extract.created_at,
                extract.updated_at,
                extract.detail,
                extract.search,
                digest,
            ),
        )
        dictionary, data = self._compressor.compress(no, raw)
        work.execute("INSERT INTO body (id, dict, data) VALUES (?, ?, ?)", (row, dictionary, data))
        work.execute("INSERT INTO unindexed (id) VALUES (?)", (row,))
        for parent in extract.parents:
            work.execute("INSERT OR IGNORE INTO link (record_id, id) VALUES (?, ?)", (parent, row))
        batch.orders.append(OrderChange(no, BY_LABEL, sort, row, 1))
        self._relabel_children(work, extract.record_id, extract.label, batch)

    def _update(
        self, work: Work, no: int, row: int, raw: bytes, digest: bytes, extract: Extract, batch: Batch
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
        dictionary, data = self._compressor.compress(no, raw)
        work.execute("UPDATE body SET dict = ?, data = ? WHERE id = ?", (dictionary, data, row))
        parents = {p for (p,) in work.execute("SELECT record_id FROM link WHERE id = ?", (row,))}
        if parents != set(extract.parents):
            work.execute("DELETE FROM link WHERE id = ?", (row,))
            for parent in extract.parents:
                work.execute("INSERT OR IGNORE INTO link (record_id, id) VALUES (?, ?)", (parent, row))
        if old_label != extract.label:
            self._relabel_children(work, extract.record_id, extract.label, batch)

    def _relabel_children(self, work: Work, record_id: str, label: str, batch: Batch) -> None:
        """Let list entries, which are called like their parent, follow its name."""
        children = work.execute(
            "SELECT r.id, r.coll, r.label, r.sort, r.search, c.name FROM link l JOIN rec r ON r.id = l.id"
            " JOIN collection c ON c.no = r.coll WHERE l.record_id = ?",
            (record_id,),
        )
        for row, no, old_label, old_sort, search, name in children:
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
    rows = work.execute(
        "SELECT u.id, r.search FROM unindexed u LEFT JOIN rec r ON r.id = u.id ORDER BY u.id LIMIT ?",
        (limit,),
    )
    if not rows:
        return 0
    gone = [(row,) for row, search in rows if search is None]
    kept = [(row, search) for row, search in rows if search is not None]
    for table in ("words", "infix"):
        if gone:
            work.connection.executemany(f"DELETE FROM {table} WHERE rowid = ?", gone)
        work.connection.executemany(f"INSERT OR REPLACE INTO {table} (rowid, search) VALUES (?, ?)", kept)
    work.connection.executemany("DELETE FROM unindexed WHERE id = ?", [(row,) for row, _ in rows])
    return len(rows)


def index_when_idle(work: Work) -> bool:
    """Index a few rows while nobody waits; return whether more are left."""
    return index_some(work, _IDLE_ROWS) == _IDLE_ROWS


_LEADING_ID = re.compile(
    rb'\s*\{\s*"id"\s*:\s*\{[^{}\\]*?"(?:record_id|entry_id|note_id|task_id)"\s*:\s*"([^"\\]+)"'
)


def quick_id(raw: bytes) -> str | None:
    """Return the id of a record as Attio writes them, from its first bytes; None where it must be decoded.

    An unchanged record is recognised by its id and its hash: for that the rest need not be parsed.
    """
    found = _LEADING_ID.match(raw, 0, 400)
    return None if found is None else found.group(1).decode()
