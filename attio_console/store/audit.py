"""Who changed what, when and why: a log whose lines are chained by their hashes, so that a hole or an edit shows."""

from __future__ import annotations

import hashlib
from typing import Any

from attio_console.store.sql import ask
from attio_console.store.tx import Queue, Tx, decode, encode, moment
from attio_console.store.types import AuditCheck, AuditEntry

_START = bytes(16)


class Audit:
    """An append-only log."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    async def append(self, *entries: AuditEntry) -> None:
        """Write lines at the end of the log."""
        await self._queue.run(lambda tx: self.append_in(tx, *entries))

    def append_in(self, tx: Tx, *entries: AuditEntry) -> None:
        """Write lines at the end of the log, as part of the transaction they tell of."""
        last = tx.execute("SELECT hash FROM audit ORDER BY id DESC LIMIT 1")
        previous: bytes = last[0][0] if last else _START
        for entry in entries:
            at = tx.now if entry.at is None else entry.at.timestamp()
            text = encode(
                {
                    "actor": entry.actor,
                    "action": entry.action,
                    "system": entry.system,
                    "record": entry.record,
                    "field": entry.field,
                    "before": entry.before,
                    "after": entry.after,
                    "rule": entry.rule,
                    "request_id": entry.request_id,
                }
            )
            previous = _chain(previous, at, text)
            tx.execute(
                "INSERT INTO audit (at, entry, record, hash) VALUES (?, ?, ?, ?)",
                (at, text, entry.record, previous),
            )

    def recent(self, limit: int = 100, *, record: str | None = None) -> list[AuditEntry]:
        """Return the newest lines, of one record where it is named."""
        if record is None:
            rows = self._queue.rows("SELECT id, at, entry FROM audit ORDER BY id DESC LIMIT ?", (limit,))
        else:
            rows = self._queue.rows(
                "SELECT id, at, entry FROM audit WHERE record = ? ORDER BY id DESC LIMIT ?", (record, limit)
            )
        return [_entry(row) for row in rows]

    def count(self) -> int:
        """Return how many lines there are."""
        return int(self._queue.one("SELECT count(*) FROM audit")[0])

    async def verify(self) -> AuditCheck:
        """Recompute the whole chain, off the loop."""

        def check(connection: Any) -> AuditCheck:
            previous = _START
            entries = 0
            for row_id, at, text, record, kept in ask(
                connection, "SELECT id, at, entry, record, hash FROM audit ORDER BY id"
            ):
                previous = _chain(previous, at, text)
                if previous != kept or decode(text)["record"] != record:
                    return AuditCheck(entries, row_id)
                entries += 1
            return AuditCheck(entries)

        return await self._queue.database.reader("scan").run(check)


def _chain(previous: bytes, at: float, text: str) -> bytes:
    return hashlib.blake2b(previous + repr(at).encode() + b"\0" + text.encode(), digest_size=16).digest()


def _entry(row: Any) -> AuditEntry:
    return AuditEntry(**decode(row[2]), at=moment(row[1]), id=row[0])
