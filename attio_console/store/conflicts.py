"""Differences that wait for a person, and the decisions on them."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from attio_console.errors import NoSuchThing
from attio_console.store.tx import Queue, Tx, decode, encode, maybe_moment, moment
from attio_console.store.types import ConflictFilter, ConflictRow, ConflictState, NewConflict, Resolution

_ROW = (
    "id, kind, system, pair_id, collection, record_id, external_type, external_id, label, fields, state, detected_at,"
    " detected_by, suggestion, revision, updated_at, snoozed_until, closed_why"
)
_RESOLUTION = "id, conflict_id, choices, group_id, actor, at, undone_at"


class Conflicts:
    """The queue of differences: one open conflict per pair (or record) and kind."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    async def open(self, conflict: NewConflict) -> int:
        """Queue a difference; the open one of the same pair and kind takes the new facts. Returns its id."""
        return await self._queue.run(lambda tx: self.open_in(tx, conflict))

    def open_in(self, tx: Tx, conflict: NewConflict) -> int:
        """Queue a difference as part of a transaction."""
        fields = encode(conflict.fields)
        suggestion = None if conflict.suggestion is None else encode(conflict.suggestion)
        identity = _identity(conflict)
        found = tx.execute(
            "SELECT id, fields, suggestion, label FROM conflict WHERE identity = ? AND state IN ('open', 'snoozed')",
            (identity,),
        )
        if found:
            row_id = int(found[0][0])
            if found[0][1:] != (fields, suggestion, conflict.label):
                tx.execute(
                    "UPDATE conflict SET fields = ?, suggestion = ?, label = ?, revision = revision + 1, updated_at = ?"
                    " WHERE id = ?",
                    (fields, suggestion, conflict.label, tx.now, row_id),
                )
            return row_id
        tx.execute(
            "INSERT INTO conflict (kind, system, pair_id, collection, record_id, external_type, external_id, identity,"
            " label, fields, state, detected_at, detected_by, suggestion, updated_at)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'open', ?11, ?12, ?13, ?11)",
            (
                conflict.kind,
                conflict.system,
                conflict.pair_id,
                conflict.collection,
                conflict.record_id,
                conflict.external_type,
                conflict.external_id,
                identity,
                conflict.label,
                fields,
                tx.now,
                conflict.detected_by,
                suggestion,
            ),
        )
        return tx.last_id()

    async def update(
        self,
        conflict_id: int,
        *,
        fields: builtins.list[dict[str, Any]] | None = None,
        suggestion: dict[str, Any] | None = None,
        state: ConflictState | None = None,
        snoozed_until: datetime | None = None,
    ) -> None:
        """Change what is known of a conflict; its revision grows."""

        def job(tx: Tx) -> None:
            tx.execute(
                "UPDATE conflict SET fields = coalesce(?1, fields), suggestion = coalesce(?2, suggestion),"
                " state = coalesce(?3, state), snoozed_until = coalesce(?4, snoozed_until), revision = revision + 1,"
                " updated_at = ?5 WHERE id = ?6",
                (
                    None if fields is None else encode(fields),
                    None if suggestion is None else encode(suggestion),
                    state,
                    None if snoozed_until is None else snoozed_until.timestamp(),
                    tx.now,
                    conflict_id,
                ),
            )
            _require(tx, conflict_id)

        await self._queue.run(job)

    async def snooze(self, conflict_id: int, until: datetime) -> None:
        """Hide a conflict until that time."""
        await self.update(conflict_id, state="snoozed", snoozed_until=until)

    async def wake(self) -> int:
        """Open the snoozed conflicts whose time has come; return how many."""

        def job(tx: Tx) -> int:
            tx.execute(
                "UPDATE conflict SET state = 'open', snoozed_until = NULL, revision = revision + 1, updated_at = ?1"
                " WHERE state = 'snoozed' AND snoozed_until <= ?1",
                (tx.now,),
            )
            return tx.changes()

        due = self._queue.one(
            "SELECT 1 FROM conflict WHERE state = 'snoozed' AND snoozed_until <= ? LIMIT 1",
            (self._queue.now(),),
        )
        return await self._queue.run(job) if due else 0

    async def close(self, conflict_id: int, why: str = "") -> None:
        """The difference went away by itself."""
        await self._queue.run(lambda tx: self.close_in(tx, conflict_id, why))

    def close_in(self, tx: Tx, conflict_id: int, why: str = "") -> None:
        """Close a conflict as part of a transaction."""
        tx.execute(
            "UPDATE conflict SET state = 'closed', closed_why = ?, revision = revision + 1, updated_at = ?"
            " WHERE id = ? AND state IN ('open', 'snoozed')",
            (why, tx.now, conflict_id),
        )

    async def resolve(
        self, conflict_id: int, choices: Mapping[str, Any], group_id: int | None, *, actor: str = ""
    ) -> int:
        """Keep the decision on a conflict and the outbox group that carries it out; return the resolution's id."""
        return await self._queue.run(
            lambda tx: self.resolve_in(tx, conflict_id, choices, group_id, actor=actor)
        )

    def resolve_in(
        self, tx: Tx, conflict_id: int, choices: Mapping[str, Any], group_id: int | None, *, actor: str = ""
    ) -> int:
        """Keep the decision on a conflict as part of a transaction, next to the writes that carry it out."""
        tx.execute(
            "UPDATE conflict SET state = 'resolved', revision = revision + 1, updated_at = ? WHERE id = ?",
            (tx.now, conflict_id),
        )
        _require(tx, conflict_id)
        tx.execute(
            "INSERT INTO resolution (conflict_id, choices, group_id, actor, at) VALUES (?, ?, ?, ?, ?)",
            (conflict_id, encode(dict(choices)), group_id, actor, tx.now),
        )
        return tx.last_id()

    async def undo(self, conflict_id: int) -> Resolution:
        """Take back the last decision on a conflict and open it again; the caller takes back what it wrote."""
        return await self._queue.run(lambda tx: self.undo_in(tx, conflict_id))

    def undo_in(self, tx: Tx, conflict_id: int) -> Resolution:
        """Take back the last decision as part of a transaction."""
        rows = tx.execute(
            f"SELECT {_RESOLUTION} FROM resolution WHERE conflict_id = ? AND undone_at IS NULL ORDER BY id DESC LIMIT 1",
            (conflict_id,),
        )
        if not rows:
            raise NoSuchThing(f"Conflict {conflict_id} has no decision to take back.")
        tx.execute("UPDATE resolution SET undone_at = ? WHERE id = ?", (tx.now, rows[0][0]))
        # Where the same difference was found anew meanwhile, that one stays the open one.
        tx.execute(
            "UPDATE OR IGNORE conflict SET state = 'open', revision = revision + 1, updated_at = ? WHERE id = ?",
            (tx.now, conflict_id),
        )
        return _resolution((*rows[0][:6], tx.now))

    def resolutions(self, conflict_id: int) -> builtins.list[Resolution]:
        """Return the decisions on a conflict, newest first."""
        rows = self._queue.rows(
            f"SELECT {_RESOLUTION} FROM resolution WHERE conflict_id = ? ORDER BY id DESC", (conflict_id,)
        )
        return [_resolution(row) for row in rows]

    def resolution_of_group(self, group_id: int) -> Resolution | None:
        """Return the decision that an outbox group carried out."""
        row = self._queue.one(f"SELECT {_RESOLUTION} FROM resolution WHERE group_id = ?", (group_id,))
        return None if row is None else _resolution(row)

    # ------------------------------------------------------------------------------------------- reading

    def get(self, conflict_id: int) -> ConflictRow | None:
        """Return one conflict."""
        row = self._queue.one(f"SELECT {_ROW} FROM conflict WHERE id = ?", (conflict_id,))
        return None if row is None else _conflict(row)

    def some(self, ids: Sequence[int]) -> builtins.list[ConflictRow]:
        """Return these conflicts, in that order; those that do not exist are left out."""
        rows = self._queue.rows(
            f"SELECT {_ROW} FROM conflict WHERE id IN (SELECT value FROM json_each(?))", (encode([*ids]),)
        )
        found = {row[0]: _conflict(row) for row in rows}
        return [found[conflict_id] for conflict_id in ids if conflict_id in found]

    def list(
        self,
        state: ConflictState = "open",
        offset: int = 0,
        limit: int = 100,
        filters: ConflictFilter | None = None,
    ) -> builtins.list[ConflictRow]:
        """Return conflicts in that state, oldest first."""
        where, values = _where(state, filters)
        rows = self._queue.rows(
            f"SELECT {_ROW} FROM conflict WHERE {where} ORDER BY detected_at, id LIMIT :limit OFFSET :offset",
            {**values, "limit": limit, "offset": offset},
        )
        return [_conflict(row) for row in rows]

    def count(self, state: ConflictState = "open", filters: ConflictFilter | None = None) -> int:
        """Return how many conflicts are in that state."""
        where, values = _where(state, filters)
        return int(self._queue.one(f"SELECT count(*) FROM conflict WHERE {where}", values)[0])

    def for_record(self, record_id: str) -> builtins.list[ConflictRow]:
        """Return the conflicts that wait for a record, on either side."""
        rows = self._queue.rows(
            f"SELECT {_ROW} FROM conflict WHERE (record_id = ?1 OR external_id = ?1) AND state IN ('open', 'snoozed')"
            " ORDER BY id",
            (record_id,),
        )
        return [_conflict(row) for row in rows]

    def for_pair(self, pair_id: int) -> builtins.list[ConflictRow]:
        """Return the conflicts that wait for a pair."""
        rows = self._queue.rows(
            f"SELECT {_ROW} FROM conflict WHERE identity >= ?1 AND identity < ?2 AND state IN ('open', 'snoozed') ORDER BY id",
            (f"pair {pair_id} ", f"pair {pair_id}!"),
        )
        return [_conflict(row) for row in rows]

    def follow_in(self, tx: Tx, pair_id: int, external_id: str) -> None:
        """Let the conflicts of a pair follow its external record to its new id."""
        tx.execute(
            "UPDATE conflict SET external_id = ?, updated_at = ? WHERE pair_id = ?",
            (external_id, tx.now, pair_id),
        )

    def close_pair_in(self, tx: Tx, pair_id: int, why: str) -> None:
        """Close what waits for a pair that is none any more."""
        tx.execute(
            "UPDATE conflict SET state = 'closed', closed_why = ?, revision = revision + 1, updated_at = ?"
            " WHERE pair_id = ? AND state IN ('open', 'snoozed')",
            (why, tx.now, pair_id),
        )

    def move_in(self, tx: Tx, old_id: str, new_id: str) -> None:
        """Let conflicts and their history follow a record to its new id."""
        tx.execute(
            "UPDATE conflict SET record_id = ?, updated_at = ? WHERE record_id = ?", (new_id, tx.now, old_id)
        )
        tx.execute(
            "UPDATE OR IGNORE conflict SET identity = replace(identity, ?1, ?2) WHERE instr(identity, ?1)",
            (old_id, new_id),
        )


def _identity(conflict: NewConflict) -> str:
    if conflict.pair_id is not None:
        return f"pair {conflict.pair_id} {conflict.kind}"
    row = f"row {conflict.system} {conflict.collection} {conflict.record_id}"
    return f"{row} {conflict.external_type} {conflict.external_id} {conflict.kind}"


def _require(tx: Tx, conflict_id: int) -> None:
    if not tx.changes():
        raise NoSuchThing(f"There is no conflict {conflict_id}.")


def _where(state: ConflictState, filters: ConflictFilter | None) -> tuple[str, dict[str, Any]]:
    clauses = ["state = :state"]
    values: dict[str, Any] = {"state": state}
    if filters is not None:
        for column in ("system", "kind", "collection", "external_type"):
            if wanted := getattr(filters, column):
                clauses.append(f"{column} = :{column}")
                values[column] = wanted
        if filters.field:
            clauses.append(
                "EXISTS (SELECT 1 FROM json_each(fields) f WHERE json_extract(f.value, '$.slug') = :field"
                " OR json_extract(f.value, '$.field') = :field)"
            )
            values["field"] = filters.field
        if filters.text:
            clauses.append("(instr(lower(label), :text) OR instr(lower(fields), :text))")
            values["text"] = filters.text.lower()
    return " AND ".join(clauses), values


def _conflict(row: Any) -> ConflictRow:
    values = dict(zip(_ROW.split(", "), row, strict=True))
    values["fields"] = decode(values["fields"])
    values["suggestion"] = decode(values["suggestion"])
    values["detected_at"] = moment(values["detected_at"])
    values["updated_at"] = moment(values["updated_at"])
    values["snoozed_until"] = maybe_moment(values["snoozed_until"])
    return ConflictRow(**values)


def _resolution(row: Any) -> Resolution:
    return Resolution(row[0], row[1], decode(row[2]), row[3], row[4], moment(row[5]), maybe_moment(row[6]))
