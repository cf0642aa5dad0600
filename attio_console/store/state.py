"""Small facts that must outlive a process: where each partition stands, and named documents."""

from __future__ import annotations

from typing import Any

from attio_console.store.tx import Queue, Tx, decode, encode, maybe_moment
from attio_console.store.types import PartitionState


class State:
    """Partition states and a key-value table of JSON documents."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def partition(self, system: str, object_key: str) -> PartitionState:
        """Return where a partition stands; a blank state for one that never ran."""
        row = self._queue.one(
            "SELECT system, object, cursor, state, scanned_at, error, data FROM partition WHERE system = ? AND object = ?",
            (system, object_key),
        )
        return PartitionState(system, object_key) if row is None else _partition(row)

    def partitions(self) -> list[PartitionState]:
        """Return every partition that ever ran."""
        rows = self._queue.rows(
            "SELECT system, object, cursor, state, scanned_at, error, data FROM partition ORDER BY system, object"
        )
        return [_partition(row) for row in rows]

    async def put_partition(self, state: PartitionState) -> None:
        """Keep where a partition stands."""
        await self._queue.run(lambda tx: self.put_partition_in(tx, state))

    def put_partition_in(self, tx: Tx, state: PartitionState) -> None:
        """Keep where a partition stands, as part of a transaction."""
        tx.execute(
            "INSERT OR REPLACE INTO partition (system, object, cursor, state, scanned_at, error, data)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                state.system,
                state.object,
                state.cursor,
                state.state,
                None if state.scanned_at is None else state.scanned_at.timestamp(),
                state.error,
                encode(state.data),
            ),
        )

    def get(self, key: str, default: Any = None) -> Any:
        """Return the document of that name."""
        row = self._queue.one("SELECT value FROM kv WHERE key = ?", (key,))
        return default if row is None else decode(row[0])

    def keys(self, prefix: str = "") -> list[str]:
        """Return the names that begin so."""
        return [
            key
            for (key,) in self._queue.rows(
                "SELECT key FROM kv WHERE key >= ?1 AND substr(key, 1, length(?1)) = ?1 ORDER BY key",
                (prefix,),
            )
        ]

    async def put(self, key: str, value: Any) -> None:
        """Keep a small JSON document under a name; None removes it."""
        await self._queue.run(lambda tx: self.put_in(tx, key, value))

    def put_in(self, tx: Tx, key: str, value: Any) -> None:
        """Keep a document as part of a transaction."""
        if value is None:
            tx.execute("DELETE FROM kv WHERE key = ?", (key,))
        else:
            tx.execute("INSERT OR REPLACE INTO kv (key, value) VALUES (?, ?)", (key, encode(value)))


def _partition(row: Any) -> PartitionState:
    return PartitionState(row[0], row[1], row[2], row[3], maybe_moment(row[4]), row[5], decode(row[6]))
