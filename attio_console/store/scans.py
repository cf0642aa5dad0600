"""Full scans: where they stand, and which rows they did not see, without a write for any row they did."""

from __future__ import annotations

from array import array
from typing import Any

import apsw

from attio_console.errors import NoSuchThing
from attio_console.model.clock import Clock
from attio_console.store.database import Database, Work
from attio_console.store.mirror_schema import SHIFT, span
from attio_console.store.sql import ask
from attio_console.store.tx import maybe_moment, moment
from attio_console.store.types import ScanState

_MASK = (1 << SHIFT) - 1
_COLUMNS = "s.scan, s.cursor, s.seen, s.started_at, s.finished_at"


class Scans:
    """A scan keeps, page by page, the sequence numbers of the rows it saw."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def begin(self, collection: str) -> ScanState:
        """Go on with the unfinished scan of a collection, or begin a new one."""

        def job(work: Work) -> ScanState:
            rows = work.execute("SELECT no, next_seq FROM collection WHERE name = ?", (collection,))
            if rows:
                no, next_seq = rows[0]
            else:
                work.execute("INSERT INTO collection (name) VALUES (?)", (collection,))
                no, next_seq = work.last_id(), 1
            found = work.execute(
                f"SELECT {_COLUMNS} FROM scan s WHERE s.coll = ? AND s.finished_at IS NULL ORDER BY s.scan DESC LIMIT 1",
                (no,),
            )
            if found:
                return _state(found[0], resumed=True)
            now = self._clock.now()
            work.execute(
                "INSERT INTO scan (coll, last_seq, started_at) VALUES (?, ?, ?)",
                (no, next_seq - 1, now.timestamp()),
            )
            return ScanState(work.last_id(), None, 0, now)

        return await self._database.run(job)

    async def abandon(self, collection: str) -> None:
        """Drop the unfinished scan of a collection with what it saw."""

        def job(work: Work) -> None:
            unfinished = (
                "SELECT s.scan FROM scan s JOIN collection c ON c.no = s.coll"
                " WHERE c.name = ? AND s.finished_at IS NULL"
            )
            work.execute(f"DELETE FROM scan_page WHERE scan IN ({unfinished})", (collection,))
            work.execute(f"DELETE FROM scan WHERE scan IN ({unfinished})", (collection,))

        await self._database.run(job)

    def state(self, collection: str) -> ScanState | None:
        """Return the last scan of a collection."""
        row = self._database.one(
            f"SELECT {_COLUMNS} FROM scan s JOIN collection c ON c.no = s.coll WHERE c.name = ?"
            " ORDER BY s.scan DESC LIMIT 1",
            (collection,),
        )
        return None if row is None else _state(row, resumed=False)

    async def unseen(self, collection: str, scan: int) -> list[str]:
        """Return the ids of rows older than the scan that none of its pages held."""
        row = self._database.one(
            "SELECT s.coll, s.last_seq FROM scan s JOIN collection c ON c.no = s.coll WHERE c.name = ? AND s.scan = ?",
            (collection, scan),
        )
        if row is None:
            raise NoSuchThing(f"There is no scan {scan} of {collection}.")
        low, _ = span(row[0])
        last_seq: int = row[1]

        def read(connection: apsw.Connection) -> list[str]:
            marks = bytearray(last_seq + 1)
            for (seqs,) in ask(connection, "SELECT seqs FROM scan_page WHERE scan = ?", (scan,)):
                for seq in array("q", seqs):
                    if seq <= last_seq:
                        marks[seq] = 1
            rows = ask(connection, "SELECT id FROM rec WHERE id > ? AND id <= ?", (low, low + last_seq))
            missing = [row_id for (row_id,) in rows if not marks[row_id & _MASK]]
            return [
                record_id
                for row_id in missing
                for (record_id,) in ask(connection, "SELECT record_id FROM rec WHERE id = ?", (row_id,))
            ]

        return await self._database.reader("scan").run(read)

    async def finish(self, collection: str, scan: int) -> None:
        """Mark a scan complete and drop what it remembered row by row."""
        now = self._clock.now().timestamp()

        def job(work: Work) -> None:
            work.execute("UPDATE scan SET finished_at = ? WHERE scan = ?", (now, scan))
            if not work.changes():
                raise NoSuchThing(f"There is no scan {scan} of {collection}.")
            work.execute("DELETE FROM scan_page WHERE scan = ?", (scan,))
            # The last finished scan stays for the screen.
            work.execute(
                "DELETE FROM scan WHERE coll = (SELECT coll FROM scan WHERE scan = ?1) AND scan < ?1", (scan,)
            )

        await self._database.run(job)


def _state(row: Any, *, resumed: bool) -> ScanState:
    return ScanState(row[0], row[1], row[2], moment(row[3]), maybe_moment(row[4]), resumed)
