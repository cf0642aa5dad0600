"""Where the n-th row of an order is, without counting from its beginning.

An order is cut into buckets of a few hundred rows; in memory are the first key of each bucket and how many rows it holds.
A row that comes or goes changes one number, so the order stays true while a pull writes into it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from attio_console.store.axes import Key, OrderChange

BUCKET = 400
_TOO_FULL = 4000

Place = tuple[int, str | float, int]


def place(key: Key, row: int) -> Place:
    """Return a key that compares in Python as SQLite compares: numbers before text, then by row id."""
    return (1, key, row) if isinstance(key, str) else (0, key or 0.0, row)


@dataclass(slots=True)
class Order:
    """The filled rows of one axis, in ascending order, and how many rows have no value at all."""

    version: int
    starts: list[Place]
    counts: list[int]
    blanks: int

    @property
    def filled(self) -> int:
        """Return how many rows have a value."""
        return sum(self.counts)

    def seek(self, position: int) -> tuple[Place | None, int]:
        """Return the start of the bucket that holds that position, and how many rows of it to skip."""
        if not self.starts:
            return None, position
        ends = list(accumulate(self.counts))
        bucket = min(bisect_right(ends, position), len(self.starts) - 1)
        before = ends[bucket] - self.counts[bucket]
        return (None if bucket == 0 else self.starts[bucket]), position - before

    def before(self, wanted: Place) -> tuple[Place | None, int]:
        """Return the start of the bucket a row falls into, and how many rows stand before that bucket."""
        bucket = max(bisect_right(self.starts, wanted) - 1, 0)
        return (None if bucket == 0 else self.starts[bucket]), sum(self.counts[:bucket])

    def change(self, change: OrderChange, *, blank: bool) -> bool:
        """Follow one row; False says that a bucket became too large for quick seeking."""
        if blank:
            self.blanks += change.step
            return True
        if not self.starts:
            self.starts.append(place(change.key, change.row))
            self.counts.append(0)
        bucket = max(bisect_right(self.starts, place(change.key, change.row)) - 1, 0)
        self.counts[bucket] += change.step
        return self.counts[bucket] <= _TOO_FULL


class Orders:
    """The orders in memory, by collection and axis. Lives on the event loop."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], Order] = {}
        self._versions: dict[int, int] = {}

    def get(self, coll: int, axis: int) -> Order | None:
        """Return the order, if it is known."""
        return self._known.get((coll, axis))

    def put(self, coll: int, axis: int, order: Order) -> None:
        """Keep an order that was just read; one that is older than the last commit of its collection is no use."""
        if order.version >= self._versions.get(coll, 0):
            self._known[coll, axis] = order

    def clear(self) -> None:
        """Forget every order: another process wrote."""
        self._known.clear()

    def follow(self, versions: dict[int, int], changes: Sequence[OrderChange]) -> None:
        """Apply what one commit did; an order that missed a commit is forgotten."""
        for coll, version in versions.items():
            self._versions[coll] = version
            for (known_coll, axis), order in list(self._known.items()):
                if known_coll != coll or order.version >= version:
                    continue
                if order.version != version - 1:
                    del self._known[known_coll, axis]
                    continue
                order.version = version
                for change in changes:
                    if (
                        change.coll == coll
                        and change.axis == axis
                        and not order.change(change, blank=change.key is None or change.key == "")
                    ):
                        self._known.pop((coll, axis), None)
