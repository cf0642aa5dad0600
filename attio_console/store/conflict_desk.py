"""What people do with a conflict before they decide it: who looks at it, what they say, and until when it is put away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from attio_console.store.tx import Queue, Tx, decode, encode


@dataclass(frozen=True, slots=True)
class DeskNote:
    """What is kept beside a conflict."""

    assignee: str = ""
    """The member it is for."""
    comments: tuple[Mapping[str, Any], ...] = ()
    """Each with at (seconds), by and text; oldest first."""
    waits_for_change: bool = False
    """Whether it was put away until a side changes."""


class FieldName(msgspec.Struct, frozen=True):
    """What a field of a conflict is called."""

    slug: str = ""
    field: str = ""
    title: str = ""


# Of each field only its names: ten thousand conflicts are read at once.
_names = msgspec.json.Decoder(tuple[FieldName, ...]).decode


class IndexLine(NamedTuple):
    """What a conflict is found by."""

    id: int
    revision: int
    kind: str
    system: str
    collection: str
    external_type: str
    label: str
    detected_at: float
    fields: tuple[FieldName, ...]


class ConflictDesk:
    """Notes beside conflicts, and quick ways through a long queue."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    # ------------------------------------------------------------------------------------------- the queue

    def order(self, state: str = "open") -> list[tuple[int, int]]:
        """Return (id, revision) of every conflict in that state, oldest first."""
        rows = self._queue.rows(
            "SELECT id, revision FROM conflict WHERE state = ? ORDER BY detected_at, id", (state,)
        )
        return [(row_id, revision) for row_id, revision in rows]

    def index(self, ids: Sequence[int]) -> list[IndexLine]:
        """Return what these conflicts are found by."""
        rows = self._queue.rows(
            "SELECT id, revision, kind, system, collection, external_type, label, detected_at, fields FROM conflict"
            " WHERE id IN (SELECT value FROM json_each(?))",
            (encode(list(ids)),),
        )
        return [
            IndexLine(row_id, revision, kind, system, collection, external_type, label, at, _names(fields))
            for row_id, revision, kind, system, collection, external_type, label, at, fields in rows
        ]

    # ------------------------------------------------------------------------------------------- notes

    def notes(self, ids: Iterable[int]) -> dict[int, DeskNote]:
        """Return what is kept beside these conflicts, for those beside which something is."""
        rows = self._queue.rows(
            "SELECT conflict_id, assignee, comments, waits_for FROM conflict_desk"
            " WHERE conflict_id IN (SELECT value FROM json_each(?))",
            (encode(list(ids)),),
        )
        return {row[0]: DeskNote(row[1], tuple(decode(row[2])), row[3] is not None) for row in rows}

    def note(self, conflict_id: int) -> DeskNote:
        """Return what is kept beside one conflict."""
        return self.notes([conflict_id]).get(conflict_id, DeskNote())

    def assigned(self) -> dict[int, str]:
        """Return the member of every conflict that is for somebody."""
        return dict(self._queue.rows("SELECT conflict_id, assignee FROM conflict_desk WHERE assignee <> ''"))

    async def assign(self, ids: Sequence[int], member_id: str) -> None:
        """Make conflicts somebody's; an empty id makes them nobody's."""

        def job(tx: Tx) -> None:
            for conflict_id in ids:
                tx.execute(
                    "INSERT INTO conflict_desk (conflict_id, assignee) VALUES (?1, ?2)"
                    " ON CONFLICT (conflict_id) DO UPDATE SET assignee = ?2",
                    (conflict_id, member_id),
                )

        await self._queue.run(job)

    async def comment(self, conflict_id: int, by: str, text: str) -> None:
        """Add a comment."""

        def job(tx: Tx) -> None:
            line = encode({"at": tx.now, "by": by, "text": text})
            tx.execute(
                "INSERT INTO conflict_desk (conflict_id, comments) VALUES (?1, json_array(json(?2)))"
                " ON CONFLICT (conflict_id) DO UPDATE SET comments = json_insert(comments, '$[#]', json(?2))",
                (conflict_id, line),
            )

        await self._queue.run(job)

    # ------------------------------------------------------------------------------------------- putting away

    async def put_away(self, ids: Sequence[int], until: float | None) -> int:
        """Hide open conflicts until a time, or until a side changes; return how many."""

        def job(tx: Tx) -> int:
            done = 0
            for conflict_id in ids:
                tx.execute(
                    "UPDATE conflict SET state = 'snoozed', snoozed_until = ?, revision = revision + 1, updated_at = ?"
                    " WHERE id = ? AND state IN ('open', 'snoozed')",
                    (until, tx.now, conflict_id),
                )
                if not tx.changes():
                    continue
                done += 1
                waits_for = _sides_in(tx, conflict_id) if until is None else None
                tx.execute(
                    "INSERT INTO conflict_desk (conflict_id, waits_for) VALUES (?1, ?2)"
                    " ON CONFLICT (conflict_id) DO UPDATE SET waits_for = ?2",
                    (conflict_id, waits_for),
                )
            return done

        return await self._queue.run(job)

    def sleepers_due(self) -> bool:
        """Return whether anything that was put away may be due; costs microseconds."""
        row = self._queue.one(
            "SELECT EXISTS (SELECT 1 FROM conflict WHERE state = 'snoozed' AND snoozed_until <= ?)"
            " OR EXISTS (SELECT 1 FROM conflict_desk WHERE waits_for IS NOT NULL)",
            (self._queue.now(),),
        )
        return bool(row[0])

    async def wake(self) -> int:
        """Open what was put away and is due: its time has come, or a side changed. Return how many."""
        return await self._queue.run(self._wake_in) if self.sleepers_due() else 0

    def _wake_in(self, tx: Tx) -> int:
        due = [
            row[0]
            for row in tx.execute(
                "SELECT id FROM conflict WHERE state = 'snoozed' AND snoozed_until <= ?", (tx.now,)
            )
        ]
        waiting = tx.execute(
            "SELECT conflict_id, waits_for, state FROM conflict_desk JOIN conflict ON id = conflict_id"
            " WHERE waits_for IS NOT NULL"
        )
        for conflict_id, waits_for, state in waiting:
            if state != "snoozed" or _sides_in(tx, conflict_id) != waits_for:
                tx.execute("UPDATE conflict_desk SET waits_for = NULL WHERE conflict_id = ?", (conflict_id,))
                due += [conflict_id] if state == "snoozed" else []
        for conflict_id in due:
            tx.execute(
                "UPDATE conflict SET state = 'open', snoozed_until = NULL, revision = revision + 1, updated_at = ?"
                " WHERE id = ?",
                (tx.now, conflict_id),
            )
        return len(due)


def _sides_in(tx: Tx, conflict_id: int) -> str:
    """Return what both sides of every field hold, as one text: it changes when a side does."""
    rows = tx.execute("SELECT fields FROM conflict WHERE id = ?", (conflict_id,))
    fields = decode(rows[0][0]) if rows else []
    return encode([[f.get("slug") or f.get("field"), f.get("attio"), f.get("external")] for f in fields])
