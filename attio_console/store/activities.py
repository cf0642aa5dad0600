"""Which note or task here is which one there: what was carried across, each once."""

from __future__ import annotations

import builtins
from dataclasses import dataclass
from typing import Any, Literal

from attio_console.store.tx import Queue, Tx

ActivityKind = Literal["note", "task"]
ActivityState = Literal["paired", "sending", "refused"]

_ROW = "id, system, kind, attio_id, external_type, external_id, state, completed, group_id, error"


@dataclass(frozen=True, slots=True)
class NewActivity:
    """A note or task that is, or is about to be, on both sides."""

    system: str
    kind: ActivityKind
    attio_id: str
    external_type: str
    external_id: str
    state: ActivityState = "paired"
    completed: bool = False
    """whether both sides last agreed that it is done"""
    group_id: int = 0
    """the outbox group that makes the one here"""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Activity(NewActivity):
    """The same, as kept."""

    id: int = 0


class Activities:
    """The ledger of notes and tasks that were carried across."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def put_in(self, tx: Tx, new: NewActivity) -> None:
        """Keep a line; one that names the same activity of either side stays as it is."""
        tx.execute(
            "INSERT OR IGNORE INTO activity (system, kind, attio_id, external_type, external_id, state, completed,"
            " group_id, error, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                new.system,
                new.kind,
                new.attio_id,
                new.external_type,
                new.external_id,
                new.state,
                new.completed,
                new.group_id,
                new.error,
                tx.now,
            ),
        )

    async def put(self, new: builtins.list[NewActivity]) -> None:
        """Keep several lines."""

        def job(tx: Tx) -> None:
            for one in new:
                self.put_in(tx, one)

        await self._queue.run(job)

    def arrived_in(self, tx: Tx, activity_id: int, attio_id: str) -> None:
        """Note the id that Attio gave to what was carried here."""
        tx.execute(
            "UPDATE OR IGNORE activity SET attio_id = ?, state = 'paired' WHERE id = ?",
            (attio_id, activity_id),
        )

    def completed_in(self, tx: Tx, activity_id: int, completed: bool) -> None:
        """Note that both sides agree on whether it is done."""
        tx.execute("UPDATE activity SET completed = ? WHERE id = ?", (completed, activity_id))

    def list(
        self, system: str, *, state: ActivityState | None = None, after: int = 0, limit: int = 1000
    ) -> builtins.list[Activity]:
        """Return lines in the order in which they were made, those above `after`."""
        rows = self._queue.rows(
            f"SELECT {_ROW} FROM activity WHERE system = ?1 AND (?2 IS NULL OR state = ?2) AND id > ?3"
            " ORDER BY id LIMIT ?4",
            (system, state, after, limit),
        )
        return [_activity(row) for row in rows]

    def has_attio(self, system: str, attio_id: str) -> bool:
        """Return whether a note or task of Attio is in the ledger."""
        found = self._queue.one(
            "SELECT 1 FROM activity WHERE system = ? AND attio_id = ? AND attio_id <> ''", (system, attio_id)
        )
        return found is not None

    def has_external(self, system: str, external_type: str, external_id: str) -> bool:
        """Return whether a note or task of the other side is in the ledger."""
        found = self._queue.one(
            "SELECT 1 FROM activity WHERE system = ? AND external_type = ? AND external_id = ?"
            " AND external_id <> ''",
            (system, external_type, external_id),
        )
        return found is not None


def _activity(row: Any) -> Activity:
    values = dict(zip(_ROW.split(", "), row, strict=True))
    values["completed"] = bool(values["completed"])
    return Activity(**values)
