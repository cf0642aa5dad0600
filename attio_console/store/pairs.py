"""Which Attio record and which external record stand for the same thing, and what they last agreed on."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from typing import Any

from attio_console.store.tx import Queue, Tx, decode, encode, moment
from attio_console.store.types import Base, Items, NewPair, Pair, PairState

STAMP = "#stamp"
"""Beside the bases of fields: the ids that the Attio record of a pair had before it was merged, as the other side may still
name it."""

_ROW = (
    "id, system, object_key, collection, record_id, external_type, external_id, state, created_by, score, why,"
    " created_at, updated_at"
)


class Pairs:
    """Pairs by either side, and the base of every mapped field."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    async def put(self, pairs: NewPair | Sequence[NewPair]) -> builtins.list[int]:
        """Keep pairs; one that exists already takes the new state, author and reason. Returns their ids."""
        return await self._queue.run(lambda tx: self.put_in(tx, pairs))

    def put_in(self, tx: Tx, pairs: NewPair | Sequence[NewPair]) -> builtins.list[int]:
        """Keep pairs as part of a transaction."""
        ids = []
        for pair in [pairs] if isinstance(pairs, NewPair) else pairs:
            row = tx.execute(
                "INSERT INTO pair (system, object_key, collection, record_id, external_type, external_id, state,"
                " created_by, score, why, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11)"
                " ON CONFLICT (system, record_id, external_type, external_id) DO UPDATE SET state = excluded.state,"
                " created_by = excluded.created_by, score = excluded.score, why = excluded.why,"
                " updated_at = excluded.updated_at RETURNING id",
                (
                    pair.system,
                    pair.object_key,
                    pair.collection,
                    pair.record_id,
                    pair.external_type,
                    pair.external_id,
                    pair.state,
                    pair.created_by,
                    pair.score,
                    pair.why,
                    tx.now,
                ),
            )
            ids.append(int(row[0][0]))
        return ids

    async def set_state(
        self, pair_id: int, state: PairState, *, by: str = "", why: str | None = None
    ) -> None:
        """Change what is thought of a pair."""
        await self._queue.run(lambda tx: self.set_state_in(tx, pair_id, state, by=by, why=why))

    def set_state_in(
        self, tx: Tx, pair_id: int, state: PairState, *, by: str = "", why: str | None = None
    ) -> None:
        """Change what is thought of a pair, as part of a transaction."""
        tx.execute(
            "UPDATE pair SET state = ?1, created_by = CASE ?2 WHEN '' THEN created_by ELSE ?2 END, why = coalesce(?3, why),"
            " updated_at = ?4 WHERE id = ?5",
            (state, by, why, tx.now, pair_id),
        )

    def get(self, pair_id: int) -> Pair | None:
        """Return one pair."""
        row = self._queue.one(f"SELECT {_ROW} FROM pair WHERE id = ?", (pair_id,))
        return None if row is None else _pair(row)

    def by_record(self, record_id: str, system: str | None = None) -> builtins.list[Pair]:
        """Return every pair of an Attio record, whatever its state."""
        rows = self._queue.rows(
            f"SELECT {_ROW} FROM pair WHERE record_id = ?1 AND (?2 IS NULL OR system = ?2) ORDER BY id",
            (record_id, system),
        )
        return [_pair(row) for row in rows]

    def by_external(self, system: str, external_type: str, external_id: str) -> builtins.list[Pair]:
        """Return every pair of an external record, whatever its state."""
        rows = self._queue.rows(
            f"SELECT {_ROW} FROM pair WHERE system = ? AND external_type = ? AND external_id = ? ORDER BY id",
            (system, external_type, external_id),
        )
        return [_pair(row) for row in rows]

    def list(
        self,
        system: str | None = None,
        *,
        object_key: str | None = None,
        state: PairState | None = None,
        after: int = 0,
        limit: int = 1000,
    ) -> builtins.list[Pair]:
        """Return pairs in the order of their ids, those above `after`."""
        rows = self._queue.rows(
            f"SELECT {_ROW} FROM pair WHERE (?1 IS NULL OR system = ?1) AND (?2 IS NULL OR object_key = ?2)"
            " AND (?3 IS NULL OR state = ?3) AND id > ?4 ORDER BY id LIMIT ?5",
            (system, object_key, state, after, limit),
        )
        return [_pair(row) for row in rows]

    def count(
        self,
        system: str | None = None,
        *,
        object_key: str | None = None,
        external_type: str | None = None,
        state: PairState | None = "confirmed",
    ) -> int:
        """Return how many pairs there are."""
        row = self._queue.one(
            "SELECT count(*) FROM pair WHERE (?1 IS NULL OR system = ?1) AND (?2 IS NULL OR object_key = ?2)"
            " AND (?3 IS NULL OR external_type = ?3) AND (?4 IS NULL OR state = ?4)",
            (system, object_key, external_type, state),
        )
        return int(row[0])

    async def forget(self, pair_id: int) -> None:
        """Drop a pair and its bases."""
        await self._queue.run(lambda tx: self.forget_in(tx, pair_id))

    def forget_in(self, tx: Tx, pair_id: int) -> None:
        """Drop a pair and its bases, as part of a transaction."""
        tx.execute("DELETE FROM base WHERE pair_id = ?", (pair_id,))
        tx.execute("DELETE FROM pair WHERE id = ?", (pair_id,))

    def move_in(self, tx: Tx, old_id: str, new_id: str) -> int:
        """Let pairs follow an Attio record to its new id. A pair that the new id has already wins."""
        moved = 0
        for (pair_id,) in tx.execute("SELECT id FROM pair WHERE record_id = ?", (old_id,)):
            tx.execute(
                "UPDATE OR IGNORE pair SET record_id = ?, updated_at = ? WHERE id = ?",
                (new_id, tx.now, pair_id),
            )
            if tx.changes():
                moved += 1
                earlier = tx.execute(
                    "SELECT items FROM base WHERE pair_id = ? AND field = ?", (pair_id, STAMP)
                )
                known = decode(earlier[0][0]) if earlier else []
                self.set_bases_in(tx, pair_id, {STAMP: [*known, old_id]})
            else:
                self.forget_in(tx, pair_id)
        return moved

    def follow_in(self, tx: Tx, pair_id: int, external_id: str, why: str) -> None:
        """Let a pair follow its external record to its new id; its bases and its history stay with it."""
        tx.execute(
            "DELETE FROM base WHERE pair_id IN (SELECT o.id FROM pair o JOIN pair p ON p.id = ?1 AND o.id != p.id"
            " AND o.system = p.system AND o.record_id = p.record_id AND o.external_type = p.external_type"
            " AND o.external_id = ?2)",
            (pair_id, external_id),
        )
        tx.execute(
            "DELETE FROM pair WHERE id != ?1 AND external_id = ?2 AND (system, record_id, external_type) ="
            " (SELECT system, record_id, external_type FROM pair WHERE id = ?1)",
            (pair_id, external_id),
        )
        tx.execute(
            "UPDATE pair SET external_id = ?, why = ?, updated_at = ? WHERE id = ?",
            (external_id, why, tx.now, pair_id),
        )

    # ------------------------------------------------------------------------------------------- bases

    async def set_bases(self, pair_id: int, bases: Mapping[str, Items | None]) -> None:
        """Keep what both sides now agree on; None says that they never did. Fields not named keep their base."""
        await self._queue.run(lambda tx: self.set_bases_in(tx, pair_id, bases))

    def set_bases_in(self, tx: Tx, pair_id: int, bases: Mapping[str, Items | None]) -> None:
        """Keep bases as part of a transaction."""
        for field, items in bases.items():
            if items is None:
                tx.execute("DELETE FROM base WHERE pair_id = ? AND field = ?", (pair_id, field))
                continue
            tx.execute(
                "INSERT INTO base (pair_id, field, items, at) VALUES (?, ?, ?, ?) ON CONFLICT (pair_id, field)"
                " DO UPDATE SET items = excluded.items, at = excluded.at",
                (pair_id, field, encode(items), tx.now),
            )

    def agree_in(self, tx: Tx, pair_id: object, bases: Mapping[str, Items | None]) -> None:
        """Keep bases of a pair that a write was made for; it may be gone by now."""
        if bases and tx.execute("SELECT 1 FROM pair WHERE id = ?", (pair_id,)):
            assert isinstance(pair_id, int)
            self.set_bases_in(tx, pair_id, bases)

    def bases(self, pair_id: int) -> dict[str, Base]:
        """Return the base of every field of a pair."""
        rows = self._queue.rows("SELECT field, items, at FROM base WHERE pair_id = ?", (pair_id,))
        return {field: Base(decode(items), moment(at)) for field, items, at in rows}


def _pair(row: Any) -> Pair:
    values = dict(zip(_ROW.split(", "), row, strict=True))
    values["created_at"] = moment(values["created_at"])
    values["updated_at"] = moment(values["updated_at"])
    return Pair(**values)
