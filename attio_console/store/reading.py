"""One record of the mirror at a time, from an index, on the event loop: microseconds."""

from __future__ import annotations

from collections.abc import Sequence

import apsw

from attio_console.store.bodies import Decompressor
from attio_console.store.database import Database
from attio_console.store.mirror_schema import span
from attio_console.store.types import Row


class Reading:
    """What is known of a record by its id."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._decompressor = Decompressor()
        self._numbers: dict[str, int] = {}

    def _number(self, collection: str) -> int | None:
        known = self._numbers.get(collection)
        if known is None:
            row = self._database.one("SELECT no FROM collection WHERE name = ?", (collection,))
            if row is None:
                return None
            known = self._numbers[collection] = int(row[0])
        return known

    def raw(self, collection: str, record_id: str) -> bytes | None:
        """Return the bytes of a record as they were sent."""
        row = self.row(collection, record_id)
        return None if row is None else row.raw

    def row(self, collection: str, record_id: str) -> Row | None:
        """Return a record."""
        no = self._number(collection)
        if no is None:
            return None
        found = self._database.one(
            "SELECT r.label, b.dict, b.data FROM rec r JOIN body b ON b.id = r.id WHERE r.record_id = ? AND r.coll = ?",
            (record_id, no),
        )
        if found is None:
            return None
        return Row(record_id, found[0], self._body(found[1], found[2]), collection)

    def raws(self, collection: str, ids: Sequence[str]) -> dict[str, bytes]:
        """Return the bytes of several records; one that is not here is left out."""
        rows = ((record_id, self.raw(collection, record_id)) for record_id in ids)
        return {record_id: raw for record_id, raw in rows if raw is not None}

    def ids(self, collection: str) -> list[str]:
        """Return the ids of every record of a collection, in the order they came."""
        no = self._number(collection)
        if no is None:
            return []
        rows = self._database.rows("SELECT record_id FROM rec WHERE id >= ? AND id < ?", span(no))
        return [record_id for (record_id,) in rows]

    def label(self, record_id: str) -> str | None:
        """Return how a record is called, whichever collection it is in."""
        row = self._database.one("SELECT label FROM rec WHERE record_id = ? LIMIT 1", (record_id,))
        return None if row is None else row[0]

    def locate(self, record_id: str) -> str | None:
        """Return the collection that holds a record."""
        row = self._database.one(
            "SELECT c.name FROM rec r JOIN collection c ON c.no = r.coll WHERE r.record_id = ? LIMIT 1",
            (record_id,),
        )
        return None if row is None else row[0]

    def linked(self, collection: str, record_id: str) -> list[bytes]:
        """Return the entries, notes or tasks in that collection that hang on a record."""
        no = self._number(collection)
        if no is None:
            return []
        low, high = span(no)
        rows = self._database.rows(
            "SELECT b.dict, b.data FROM link l JOIN body b ON b.id = l.id WHERE l.record_id = ? AND l.id >= ? AND l.id < ?"
            " ORDER BY l.id",
            (record_id, low, high),
        )
        return [self._body(dictionary, data) for dictionary, data in rows]

    def _body(self, dictionary: int, data: bytes) -> bytes:
        try:
            return self._decompressor.decompress(self._database.reads, dictionary, data)
        except apsw.Error as error:
            raise self._database.fail(error) from error

    def size(self, collection: str) -> int:
        """Return how many records a collection holds."""
        row = self._database.one("SELECT size FROM collection WHERE name = ?", (collection,))
        return 0 if row is None else int(row[0])

    def collections(self) -> dict[str, int]:
        """Return the size of every collection that has ever held a record."""
        return dict(self._database.rows("SELECT name, size FROM collection ORDER BY no"))
