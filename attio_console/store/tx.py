"""The queue database: what must never be lost, and the transactions in which it changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from attio_console.model.clock import Clock
from attio_console.store.database import Database, Work

T = TypeVar("T")


class Tx(Work):
    """One transaction on the queue database; every `*_in(tx, …)` operation may take part in it."""

    def __init__(self, work: Work, now: float) -> None:
        super().__init__(work.connection)
        self.after = work.after
        self.undone = work.undone
        self.now = now
        """The time of the transaction, in seconds since 1970."""

    def next_token(self) -> int:
        """Return a fencing token: a number larger than every one given out before, by any process."""
        row = self.execute("UPDATE fence SET token = token + 1 RETURNING token")
        return int(row[0][0])


class Queue:
    """Runs functions in transactions on the queue database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock

    async def run(self, fn: Callable[[Tx], T]) -> T:
        """Run `fn` in one transaction: all of it is on disk when this returns, or none of it."""
        return await self.database.run(lambda work: fn(Tx(work, self.now())))

    def now(self) -> float:
        """Return the wall clock in seconds since 1970, as the database keeps it."""
        return self.clock.now().timestamp()

    def rows(self, sql: str, bindings: Any = ()) -> list[Any]:
        """Answer from an index, at once."""
        return self.database.rows(sql, bindings)

    def one(self, sql: str, bindings: Any = ()) -> Any:
        """Return the first row, or None."""
        return self.database.one(sql, bindings)


def encode(value: Any) -> str:
    """Return the JSON text of a small document."""
    return msgspec.json.encode(value).decode()


def decode(text: str | bytes | None) -> Any:
    """Return the document of a JSON text; None for none."""
    return None if text is None else msgspec.json.decode(text)


def moment(seconds: float) -> datetime:
    """Return the stored time as an aware datetime."""
    return datetime.fromtimestamp(seconds, UTC)


def maybe_moment(seconds: float | None) -> datetime | None:
    """Return the stored time, or None where there is none."""
    return None if seconds is None else moment(seconds)
