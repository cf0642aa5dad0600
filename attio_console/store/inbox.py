"""Webhook deliveries that were answered 200 and wait to be processed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from attio_console.errors import LeaseLost
from attio_console.store.tx import Queue, Tx, maybe_moment, moment
from attio_console.store.types import Claim, Delivery, DeliveryRow

SEEN_DAYS = 4
"""Attio repeats a delivery for up to three days; its key is remembered a day longer."""

KEPT_DONE = 1000
"""How many processed deliveries stay for the screen."""

_ROW = "id, key, webhook_id, body, received_at, state, attempts, error, settled_at"


class Inbox:
    """A durable queue with leases: at least once to the worker, once per Idempotency-Key from outside."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    async def put(self, delivery: Delivery) -> bool:
        """Keep a delivery; False where its key was seen before, even if it was processed long ago."""
        return await self._queue.run(lambda tx: self.put_in(tx, delivery))

    def put_in(self, tx: Tx, delivery: Delivery) -> bool:
        """Keep a delivery as part of a transaction."""
        key = hashlib.blake2b(f"{delivery.webhook_id}\0{delivery.key}".encode(), digest_size=16).digest()
        tx.execute("INSERT OR IGNORE INTO seen (key, at) VALUES (?, ?)", (key, tx.now))
        if not tx.changes():
            return False
        received = delivery.received_at.timestamp()
        tx.execute(
            "INSERT INTO delivery (key, webhook_id, body, received_at, next_at) VALUES (?, ?, ?, ?, ?)",
            (delivery.key, delivery.webhook_id, delivery.body, received, tx.now),
        )
        return True

    async def claim(self, limit: int, lease_s: float) -> list[Claim]:
        """Take up to `limit` deliveries that are due, oldest first, including those whose lease ran out."""

        def job(tx: Tx) -> list[Claim]:
            due = tx.execute(
                "SELECT id FROM delivery WHERE state IN ('pending', 'leased') AND next_at <= ?1"
                " AND (state = 'pending' OR lease_until <= ?1) ORDER BY id LIMIT ?2",
                (tx.now, limit),
            )
            if not due:
                return []
            token = tx.next_token()
            claims = []
            for (row_id,) in due:
                row = tx.execute(
                    "UPDATE delivery SET state = 'leased', attempts = attempts + 1, token = ?, lease_until = ?"
                    " WHERE id = ? RETURNING key, webhook_id, body, received_at, attempts",
                    (token, tx.now + lease_s, row_id),
                )[0]
                claims.append(Claim(row_id, token, Delivery(row[0], row[1], row[2], moment(row[3])), row[4]))
            return claims

        # Looked up on the loop first: an idle inbox costs no write.
        now = self._queue.now()
        if not self._queue.one(
            "SELECT 1 FROM delivery WHERE state IN ('pending', 'leased') AND next_at <= ?1"
            " AND (state = 'pending' OR lease_until <= ?1) LIMIT 1",
            (now,),
        ):
            return []
        return await self._queue.run(job)

    async def ack(self, claims: Sequence[Claim]) -> None:
        """Mark deliveries processed. Raises LeaseLost after settling the others, where another worker took some over."""
        lost = await self._queue.run(lambda tx: self.ack_in(tx, claims))
        if lost:
            raise LeaseLost(f"{lost} of {len(claims)} deliveries were taken over by another worker.")

    def ack_in(self, tx: Tx, claims: Sequence[Claim]) -> int:
        """Mark deliveries processed as part of a transaction; return how many were no longer ours."""
        lost = 0
        for claim in claims:
            tx.execute(
                "UPDATE delivery SET state = 'done', error = '', token = NULL, lease_until = NULL, settled_at = ?"
                " WHERE id = ? AND token = ? AND state = 'leased'",
                (tx.now, claim.id, claim.token),
            )
            lost += not tx.changes()
        if claims:
            newest = max(claim.id for claim in claims)
            tx.execute("DELETE FROM delivery WHERE id <= ? AND state = 'done'", (newest - KEPT_DONE,))
        return lost

    async def fail(self, claim: Claim, error: str, retry_at: datetime | None) -> None:
        """Put a delivery back for `retry_at`, or among the dead letters where that is None."""

        def job(tx: Tx) -> None:
            state = "dead" if retry_at is None else "pending"
            next_at = tx.now if retry_at is None else retry_at.timestamp()
            tx.execute(
                "UPDATE delivery SET state = ?, next_at = ?, error = ?, token = NULL, lease_until = NULL, settled_at = ?"
                " WHERE id = ? AND token = ? AND state = 'leased'",
                (state, next_at, error, tx.now, claim.id, claim.token),
            )
            if not tx.changes():
                raise LeaseLost(f"Delivery {claim.id} was taken over by another worker.")

        await self._queue.run(job)

    async def recover(self) -> int:
        """Free every lease at once: for the one engine at its start, when no other worker can be alive."""

        def job(tx: Tx) -> int:
            tx.execute(
                "UPDATE delivery SET state = 'pending', token = NULL, lease_until = NULL WHERE state = 'leased'"
            )
            return tx.changes()

        return await self._queue.run(job)

    async def hasten(self, longest_s: float = 0.0) -> None:
        """Let nothing wait for longer than that: a clock that was set back would hold it for ever."""
        await self._queue.run(
            lambda tx: tx.execute(
                "UPDATE delivery SET next_at = ?1 WHERE state IN ('pending', 'leased') AND next_at > ?1 + ?2",
                (tx.now, longest_s),
            )
        )

    async def revive(self, ids: Sequence[int]) -> int:
        """Try dead letters again; return how many."""

        def job(tx: Tx) -> int:
            done = 0
            for row_id in ids:
                tx.execute(
                    "UPDATE delivery SET state = 'pending', attempts = 0, next_at = ? WHERE id = ? AND state = 'dead'",
                    (tx.now, row_id),
                )
                done += tx.changes()
            return done

        return await self._queue.run(job)

    async def discard(self, ids: Sequence[int]) -> int:
        """Drop dead letters for good; return how many. Their keys stay known."""

        def job(tx: Tx) -> int:
            done = 0
            for row_id in ids:
                tx.execute("DELETE FROM delivery WHERE id = ? AND state = 'dead'", (row_id,))
                done += tx.changes()
            return done

        return await self._queue.run(job)

    def depth(self) -> int:
        """Return how many deliveries wait or are being processed."""
        return int(self._queue.one("SELECT count(*) FROM delivery WHERE state IN ('pending', 'leased')")[0])

    def next_due(self) -> datetime | None:
        """Return when the next delivery is due, or None for an empty inbox."""
        row = self._queue.one(
            "SELECT min(CASE state WHEN 'leased' THEN lease_until ELSE next_at END) FROM delivery"
            " WHERE state IN ('pending', 'leased')"
        )
        return maybe_moment(row[0])

    def recent(self, limit: int) -> list[DeliveryRow]:
        """Return the newest deliveries, whatever became of them."""
        return [
            _row(r)
            for r in self._queue.rows(f"SELECT {_ROW} FROM delivery ORDER BY id DESC LIMIT ?", (limit,))
        ]

    def dead(self, limit: int = 100) -> list[DeliveryRow]:
        """Return the dead letters, newest first."""
        return [
            _row(r)
            for r in self._queue.rows(
                f"SELECT {_ROW} FROM delivery WHERE state = 'dead' ORDER BY id DESC LIMIT ?", (limit,)
            )
        ]

    def dead_count(self) -> int:
        """Return how many dead letters there are."""
        return int(self._queue.one("SELECT count(*) FROM delivery WHERE state = 'dead'")[0])

    def get(self, delivery_id: int) -> DeliveryRow | None:
        """Return one delivery."""
        row = self._queue.one(f"SELECT {_ROW} FROM delivery WHERE id = ?", (delivery_id,))
        return None if row is None else _row(row)

    def tidy_in(self, tx: Tx) -> None:
        """Forget keys that cannot come again."""
        tx.execute("DELETE FROM seen WHERE at < ?", (tx.now - SEEN_DAYS * 86_400,))


def _row(row: Any) -> DeliveryRow:
    return DeliveryRow(
        row[0], row[1], row[2], row[3], moment(row[4]), row[5], row[6], row[7], maybe_moment(row[8])
    )
