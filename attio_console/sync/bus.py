"""What changed, told to whoever looks: ids only, coalesced, never a queue that grows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

What = Literal["records", "outbox", "conflicts", "status", "schema", "inbox"]

# More ids than anybody shows at once: from here on a change means "any of them".
_MANY = 5_000


@dataclass(frozen=True, slots=True)
class Change:
    """Something in the store is different. Empty `collections` or `record_ids` mean: any of them."""

    what: What
    collections: frozenset[str] = frozenset()
    record_ids: frozenset[str] = frozenset()

    def merged(self, other: Change) -> Change:
        """Return one change that covers both."""
        collections = (
            self.collections | other.collections if self.collections and other.collections else frozenset()
        )
        record_ids = (
            self.record_ids | other.record_ids if self.record_ids and other.record_ids else frozenset()
        )
        return Change(self.what, collections, record_ids if len(record_ids) <= _MANY else frozenset())

    def touches(self, collection: str, record_id: str | None = None) -> bool:
        """Return whether this change may concern that collection (and that record)."""
        if self.collections and collection not in self.collections:
            return False
        return record_id is None or not self.record_ids or record_id in self.record_ids


class Subscription:
    """One reader of the bus. What it has not yet read is one change per kind, however much happened."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._pending: dict[What, Change] = {}
        self._wake = asyncio.Event()
        self._closed = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Change:
        while not self._pending:
            if self._closed:
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()
        return self._pending.pop(next(iter(self._pending)))

    def holds(self, *kinds: What) -> bool:
        """Return whether a change of these kinds waits to be read."""
        return any(what in self._pending for what in kinds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening; the iterator ends after what is already pending."""
        self._closed = True
        self._bus._subscriptions.discard(self)
        self._wake.set()

    def _offer(self, change: Change) -> None:
        held = self._pending.get(change.what)
        self._pending[change.what] = change if held is None else held.merged(change)
        self._wake.set()


class Bus:
    """Tells every subscriber of a loop what changed. Publish from that loop only."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()

    def subscribe(self) -> Subscription:
        """Return an async iterator of the changes from now on."""
        subscription = Subscription(self)
        self._subscriptions.add(subscription)
        return subscription

    def publish(self, change: Change) -> None:
        """Hand a change to every subscriber."""
        for subscription in self._subscriptions:
            subscription._offer(change)

    def records(self, collection: str, record_ids: Iterable[str]) -> None:
        """Publish that these records of a collection are different."""
        ids = frozenset(record_ids)
        if ids:
            self.publish(
                Change("records", frozenset((collection,)), ids if len(ids) <= _MANY else frozenset())
            )

    def changed(self, what: What) -> None:
        """Publish that anything of this kind may be different."""
        self.publish(Change(what))
