"""Writes that wait to be sent, and the history of those that were: the source of every undo.

Every edit stays a row of its own, as its author made it, so that each can be undone. What is sent is put together when it is
claimed: consecutive edits of one row by the same hand become one write, from the first base to the last value.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from attio_console.errors import LeaseLost, NoSuchThing
from attio_console.store.outbox_rows import ITEM_COLUMNS, read_item
from attio_console.store.overlay import Overlay
from attio_console.store.tx import Queue, Tx, encode, maybe_moment, moment
from attio_console.store.types import (
    FieldEdit,
    Group,
    Items,
    ItemState,
    NewItem,
    OutboxClaim,
    OutboxDepth,
    OutboxItem,
    Pending,
)

_GROUP_COLUMNS = "id, title, origin, actor, created_at"
# What was sent and not answered may still be on its way.
_MOMENT_S = 3.0
_BY_HAND = ("operator", "undo:", "resolution:")


def provisional_id() -> str:
    """Return the id of a row that its CRM has not created yet."""
    return f"new:{uuid.uuid4()}"


def is_provisional(record_id: str) -> bool:
    """Return whether the row exists only in the outbox so far."""
    return record_id.startswith("new:")


class Outbox:
    """A durable queue of field-level writes, ordered per row, with leases, undo groups and dead letters."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._overlay = Overlay(queue)

    # ------------------------------------------------------------------------------------------- adding

    async def add(self, items: Sequence[NewItem], group_title: str) -> int:
        """Keep writes as one undo group; return its id."""
        return await self._queue.run(lambda tx: self.add_in(tx, items, group_title))

    def add_in(self, tx: Tx, items: Sequence[NewItem], group_title: str, *, origin: str = "") -> int:
        """Keep writes as one undo group, as part of a transaction; a group without writes names its origin."""
        origin = origin or (items[0].origin if items else "operator")
        actor = items[0].actor if items else ""
        tx.execute(
            "INSERT INTO outgroup (title, origin, actor, created_at) VALUES (?, ?, ?, ?)",
            (group_title, origin, actor, tx.now),
        )
        group_id = tx.last_id()
        for item in items:
            by_hand = item.origin.startswith(_BY_HAND)
            fields = {slug: {"base": edit.base, "new": edit.new} for slug, edit in item.fields.items()}
            tx.execute(
                "INSERT INTO outbox (group_id, system, collection, record_id, kind, lane, priority, fields, payload,"
                " next_at, created_at, origin, actor) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    group_id,
                    item.system,
                    item.collection,
                    item.record_id,
                    item.kind,
                    "hand" if by_hand else item.origin,
                    0 if by_hand else 1 if item.origin.startswith("automation:") else 2,
                    encode(fields),
                    encode(dict(item.payload)),
                    tx.now,
                    tx.now,
                    item.origin,
                    item.actor,
                ),
            )
        self._refresh(tx, ((item.collection, item.record_id) for item in items))
        return group_id

    # ------------------------------------------------------------------------------------------- sending

    async def claim(self, system: str, limit: int, lease_s: float) -> list[OutboxClaim]:
        """Take up to `limit` writes that are due: people's edits first, never two of one row, never out of order."""

        def job(tx: Tx) -> list[OutboxClaim]:
            heads = tx.execute(_DUE + " ORDER BY o.priority, o.id LIMIT ?3", (system, tx.now, limit))
            return [self._lease(tx, row_id, lease_s) for (row_id,) in heads]

        if not self._queue.one(_DUE + " LIMIT 1", (system, self._queue.now())):
            return []
        return await self._queue.run(job)

    def _lease(self, tx: Tx, head_id: int, lease_s: float) -> OutboxClaim:
        head = read_item(tx.execute(f"SELECT {ITEM_COLUMNS} FROM outbox WHERE id = ?", (head_id,))[0])
        members = [head]
        if head.kind == "set":
            following = tx.execute(
                f"SELECT {ITEM_COLUMNS} FROM outbox WHERE system = ?1 AND collection = ?2 AND record_id = ?3 AND id > ?4"
                " AND state IN ('pending', 'sending') ORDER BY id",
                (head.system, head.collection, head.record_id, head.id),
            )
            for row in following:
                item = read_item(row)
                if item.kind != "set" or _lane(item.origin) != _lane(head.origin):
                    break
                members.append(item)
        token = tx.next_token()
        until = tx.now + lease_s
        # A lease that ran out means that its holder may have sent the write and died before it could say so.
        uncertain = any(m.uncertain or m.state == "sending" for m in members)
        for member in members:
            tx.execute(
                "UPDATE outbox SET state = 'sending', attempts = attempts + 1, token = ?, lease_until = ?, uncertain = ?"
                " WHERE id = ?",
                (token, until, uncertain, member.id),
            )
        self._refresh(tx, [(head.collection, head.record_id)])
        merged = OutboxItem(
            id=head.id,
            group_id=head.group_id,
            system=head.system,
            collection=head.collection,
            record_id=head.record_id,
            kind=head.kind,
            fields=_coalesce(members),
            payload={key: value for member in members for key, value in member.payload.items()},
            state="sending",
            attempts=max(m.attempts for m in members) + 1,
            next_at=head.next_at,
            error=head.error,
            created_at=head.created_at,
            sent_at=None,
            origin=members[-1].origin,
            actor=members[-1].actor,
            uncertain=uncertain,
        )
        return OutboxClaim(token, merged, tuple(m.id for m in members), moment(until))

    async def extend(self, claim: OutboxClaim, lease_s: float) -> None:
        """Hold a claim for longer."""
        await self._queue.run(lambda tx: self._settle(tx, claim, "lease_until = ?", (tx.now + lease_s,)))

    async def confirm(
        self, claim: OutboxClaim, written: dict[str, Items] | None = None, *, record_id: str | None = None
    ) -> None:
        """Mark a write as arrived; `record_id` is the real id of a row that it created."""
        await self._queue.run(lambda tx: self.confirm_in(tx, claim, written, record_id=record_id))

    def confirm_in(
        self,
        tx: Tx,
        claim: OutboxClaim,
        written: dict[str, Items] | None = None,
        *,
        record_id: str | None = None,
    ) -> None:
        """Mark a write as arrived, as part of a transaction."""
        self._settle(
            tx,
            claim,
            "state = 'confirmed', sent_at = ?, error = '', uncertain = 0, written = ?, token = NULL, lease_until = NULL",
            (tx.now, encode(written or {})),
        )
        if record_id is not None and record_id != claim.item.record_id:
            self.move_in(tx, claim.item.collection, claim.item.record_id, record_id)

    async def refuse(self, claim: OutboxClaim, error: str) -> None:
        """The other side said no: the edit stays, with the reason, for a person."""
        await self._queue.run(lambda tx: self.refuse_in(tx, claim, error))

    def refuse_in(self, tx: Tx, claim: OutboxClaim, error: str) -> None:
        """Mark a write refused, as part of a transaction."""
        self._settle(
            tx,
            claim,
            "state = 'refused', error = ?, uncertain = 0, token = NULL, lease_until = NULL",
            (error,),
        )

    async def retry(self, claim: OutboxClaim, error: str, at: datetime, *, uncertain: bool = False) -> None:
        """Try again at that time; `uncertain` says that this attempt may have arrived."""
        await self._queue.run(
            lambda tx: self._settle(
                tx,
                claim,
                "state = 'pending', error = ?, next_at = ?, uncertain = max(uncertain, ?), token = NULL, lease_until = NULL",
                (error, at.timestamp(), uncertain),
            )
        )

    async def dead(self, claim: OutboxClaim, error: str) -> None:
        """Give up until a person says otherwise."""
        await self._queue.run(
            lambda tx: self._settle(
                tx, claim, "state = 'dead', error = ?, token = NULL, lease_until = NULL", (error,)
            )
        )

    def _settle(self, tx: Tx, claim: OutboxClaim, change: str, values: tuple[Any, ...]) -> None:
        touched = []
        for row_id in claim.ids:
            settled = tx.execute(
                f"UPDATE outbox SET {change} WHERE id = ? AND token = ? AND state = 'sending'"
                " RETURNING collection, record_id",
                (*values, row_id, claim.token),
            )
            if not settled:
                raise LeaseLost(f"Outbox item {row_id} was taken over by another worker.")
            touched += settled
        # Where the row stands now: its record may have been merged into another while it was being sent.
        self._refresh(tx, touched)

    # ------------------------------------------------------------------------------------------- a person decides

    async def discard(self, ids: Sequence[int]) -> int:
        """Drop writes that were not sent; return how many. One that is on its way stays."""
        return len(await self.drop(ids))

    async def drop(self, ids: Sequence[int]) -> set[int]:
        """Drop writes that were not sent; return which. One that went on its way meanwhile is not among them."""
        return await self._change(ids, "state = 'discarded'", ("pending", "refused", "dead"))

    async def revive(self, ids: Sequence[int]) -> int:
        """Send refused and dead writes again; return how many."""
        revived = await self._change(
            ids, "state = 'pending', attempts = 0, next_at = :now", ("refused", "dead")
        )
        return len(revived)

    async def _change(self, ids: Sequence[int], change: str, states: tuple[ItemState, ...]) -> set[int]:
        def job(tx: Tx) -> set[int]:
            touched = []
            for row_id in ids:
                touched += tx.execute(
                    f"UPDATE outbox SET {change} WHERE id = :id AND state IN {states}"
                    " RETURNING id, collection, record_id",
                    {"id": row_id, "now": tx.now},
                )
            self._refresh(tx, (row[1:] for row in touched))
            return {row[0] for row in touched}

        return await self._queue.run(job)

    async def recover(self) -> int:
        """Free every lease at once: for the one engine at its start, when no other worker can be alive."""

        def job(tx: Tx) -> int:
            touched = tx.execute(
                "UPDATE outbox SET state = 'pending', uncertain = 1, token = NULL, lease_until = NULL"
                " WHERE state = 'sending' RETURNING collection, record_id"
            )
            self._refresh(tx, touched)
            return len(touched)

        return await self._queue.run(job)

    async def hasten(self, longest_s: float = 0.0) -> None:
        """Let nothing wait for longer than that and a moment: a clock that was set back would hold it for ever."""
        await self._queue.run(
            lambda tx: tx.execute(
                "UPDATE outbox SET next_at = ?1 WHERE state IN ('pending', 'sending') AND next_at > ?1 + ?2",
                (tx.now + _MOMENT_S, longest_s),
            )
        )

    async def move(self, collection: str, old_id: str, new_id: str) -> int:
        """Let every write and all history of a row follow it to its new id."""
        return await self._queue.run(lambda tx: self.move_in(tx, collection, old_id, new_id))

    def move_in(self, tx: Tx, collection: str, old_id: str, new_id: str) -> int:
        """Move a row's writes to its new id, as part of a transaction; also where payloads name it."""
        touched = tx.execute(
            "UPDATE outbox SET record_id = ?1 WHERE record_id = ?2 AND (collection = ?3 OR ?4) RETURNING collection",
            (new_id, old_id, collection, _unique_everywhere(old_id)),
        )
        moved = len(touched)
        if _unique_everywhere(old_id):
            # Values can refer to the row, too: a note to its parent, a field to a record.
            for row_id, fields, payload in tx.execute(
                "SELECT id, fields, payload FROM outbox WHERE state IN ('pending', 'sending', 'refused', 'dead')"
                " AND (instr(fields, ?1) OR instr(payload, ?1))",
                (old_id,),
            ):
                touched += tx.execute(
                    "UPDATE outbox SET fields = ?, payload = ? WHERE id = ? RETURNING collection",
                    (fields.replace(old_id, new_id), payload.replace(old_id, new_id), row_id),
                )
        tx.after.append(self._overlay.load)
        return moved

    # ------------------------------------------------------------------------------------------- reading

    def overlay(self, collection: str, record_id: str) -> dict[str, Pending]:
        """Return the values that wait for that row, by slug; the last edit wins."""
        return self._overlay.fields(collection, record_id)

    def pending_rows(self, collection: str, slug: str) -> dict[str, Items]:
        """Return the values that wait for one field of that collection, by row id."""
        return self._overlay.field(collection, slug)

    def created(self, collection: str) -> list[OutboxItem]:
        """Return the creations in that collection that have not arrived, oldest first."""
        return self._overlay.created(collection)

    def deleting(self, collection: str, record_id: str) -> bool:
        """Return whether a deletion of that row waits."""
        return self._overlay.deleting(collection, record_id)

    def refresh(self) -> None:
        """Read the overlay again: another process may have written."""
        self._overlay.load()

    def depth(self, system: str | None = None) -> OutboxDepth:
        """Return how many writes wait and how many need a person; edits that will be sent as one count as one."""
        rows = self._queue.rows(
            "SELECT CASE state WHEN 'sending' THEN 'pending' ELSE state END AS s,"
            " count(DISTINCT CASE kind WHEN 'set' THEN system || char(0) || collection || char(0) || record_id ELSE id END)"
            " FROM outbox WHERE state IN ('pending', 'sending', 'refused', 'dead') AND (?1 IS NULL OR system = ?1) GROUP BY s",
            (system,),
        )
        counts = dict(rows)
        return OutboxDepth(counts.get("pending", 0), counts.get("refused", 0), counts.get("dead", 0))

    def next_due(self, system: str) -> datetime | None:
        """Return when the next write of that system may be sent, or None where none waits."""
        row = self._queue.one(
            "SELECT min(CASE state WHEN 'sending' THEN lease_until ELSE next_at END) FROM outbox"
            " WHERE system = ? AND state IN ('pending', 'sending')",
            (system,),
        )
        return maybe_moment(row[0])

    def items(
        self, states: Iterable[ItemState] = ("pending", "sending", "refused", "dead"), limit: int = 200
    ) -> list[OutboxItem]:
        """Return items in those states, newest first."""
        wanted = tuple(states)
        marks = ",".join("?" * len(wanted))
        rows = self._queue.rows(
            f"SELECT {ITEM_COLUMNS} FROM outbox WHERE state IN ({marks}) ORDER BY id DESC LIMIT ?",
            (*wanted, limit),
        )
        return [read_item(row) for row in rows]

    def item(self, item_id: int) -> OutboxItem | None:
        """Return one item."""
        row = self._queue.one(f"SELECT {ITEM_COLUMNS} FROM outbox WHERE id = ?", (item_id,))
        return None if row is None else read_item(row)

    def of_record(self, collection: str, record_id: str, limit: int = 100) -> list[OutboxItem]:
        """Return what this console wrote or means to write to that row, newest first."""
        rows = self._queue.rows(
            f"SELECT {ITEM_COLUMNS} FROM outbox WHERE record_id = ? AND collection = ? ORDER BY id DESC LIMIT ?",
            (record_id, collection, limit),
        )
        return [read_item(row) for row in rows]

    def groups(
        self,
        limit: int = 100,
        *,
        origins: Sequence[str] = ("operator", "undo:", "resolution:", "automation:"),
    ) -> list[Group]:
        """Return the history, newest first; what the sync itself wrote only where `origins` names it."""
        wanted = " OR ".join("origin LIKE ? || '%'" for _ in origins)
        rows = self._queue.rows(
            f"SELECT {_GROUP_COLUMNS} FROM outgroup WHERE {wanted} ORDER BY id DESC LIMIT ?",
            (*origins, limit),
        )
        return [self._group(row) for row in rows]

    def group(self, group_id: int) -> Group:
        """Return one undo group with its items."""
        row = self._queue.one(f"SELECT {_GROUP_COLUMNS} FROM outgroup WHERE id = ?", (group_id,))
        if row is None:
            raise NoSuchThing(f"There is no history group {group_id}.")
        items = self._queue.rows(
            f"SELECT {ITEM_COLUMNS} FROM outbox WHERE group_id = ? ORDER BY id", (group_id,)
        )
        return self._group(row, tuple(read_item(item) for item in items))

    def _group(self, row: Any, items: tuple[OutboxItem, ...] = ()) -> Group:
        states: dict[ItemState, int] = dict(
            self._queue.rows(
                "SELECT state, count(*) FROM outbox WHERE group_id = ? GROUP BY state", (row[0],)
            )
        )
        undone = self._queue.one("SELECT max(id) FROM outgroup WHERE origin = ?", (f"undo:{row[0]}",))
        return Group(
            row[0], row[1], row[2], row[3], moment(row[4]), sum(states.values()), states, undone[0], items
        )

    def tidy_in(self, tx: Tx, keep_days: float = 30) -> None:
        """Drop what the sync itself wrote long ago; what people did stays as history."""
        tx.execute(
            "DELETE FROM outbox WHERE state IN ('confirmed', 'discarded') AND lane = 'sync' AND created_at < ?",
            (tx.now - keep_days * 86_400,),
        )
        tx.execute("DELETE FROM outgroup WHERE origin = 'sync' AND id NOT IN (SELECT group_id FROM outbox)")

    def _refresh(self, tx: Tx, rows: Iterable[tuple[str, str]]) -> None:
        touched = set(rows)
        tx.after.append(lambda: self._overlay.reload(touched))


_DUE = (
    "SELECT o.id FROM outbox o WHERE o.system = ?1 AND o.state IN ('pending', 'sending') AND o.next_at <= ?2"
    " AND (o.state = 'pending' OR o.lease_until <= ?2)"
    " AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.system = o.system AND e.collection = o.collection"
    " AND e.record_id = o.record_id AND e.id < o.id AND e.state IN ('pending', 'sending'))"
)


def _unique_everywhere(record_id: str) -> bool:
    """Return whether no other system or collection can have the same id: UUIDs and our own provisional ids."""
    return len(record_id) >= 36


def _lane(origin: str) -> str:
    return "hand" if origin.startswith(_BY_HAND) else origin


def _coalesce(members: Sequence[OutboxItem]) -> dict[str, FieldEdit]:
    fields: dict[str, FieldEdit] = {}
    for member in members:
        for slug, edit in member.fields.items():
            earlier = fields.get(slug)
            fields[slug] = edit if earlier is None else FieldEdit(earlier.base, edit.new)
    return fields
