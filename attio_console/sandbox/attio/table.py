"""Rows at rest: by id, by unique value, and in order of creation."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from typing import Any, Protocol

from attio_console.sandbox.attio.state import Container, Row
from attio_console.sandbox.attio.values import identity

Ref = Any
"""A row, or a table's cheaper name for one; only the table that gave it can read it."""


class Table(Protocol):
    """What the kernel asks of a place for rows. `MemoryTable` keeps them, a population computes most of them."""

    def __len__(self) -> int:
        """How many rows there are."""

    def get(self, row_id: str) -> Row | None:
        """Return a row by id."""

    def put(self, row: Row) -> None:
        """Add a row, or replace the one of the same id."""

    def remove(self, row_id: str) -> None:
        """Forget a row."""

    def holders(self, attribute_id: str, key: Any) -> list[str]:
        """Return the ids of rows that hold a value (by identity) of a unique attribute."""

    def refs(
        self, since: str | None = None, until: str | None = None, *, newest_first: bool = False
    ) -> Iterator[Ref]:
        """Return rows in order of their `created_at` value, within bounds that are both inclusive."""

    def slice(self, start: int, count: int) -> list[Ref]:
        """Return rows by position in order of creation."""

    def row(self, ref: Ref) -> Row:
        """Return the row a ref names."""

    def ref(self, row_id: str) -> Ref | None:
        """Return what names a row, where that is cheaper than reading it."""

    def body(self, ref: Ref) -> bytes | None:
        """Return a row's JSON where that is cheaper than reading it, else None."""

    def reindex(self) -> None:
        """Learn anew which attributes are unique."""


class MemoryTable:
    """Rows in a dict, with an index per unique attribute and an order of creation."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._rows: dict[str, Row] = {}
        self._order: list[tuple[str, str]] = []
        self._unique: dict[str, dict[Any, list[str]]] = {}

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self._rows)

    def get(self, row_id: str) -> Row | None:
        """Return a row by id."""
        return self._rows.get(row_id)

    def put(self, row: Row) -> None:
        """Add a row, or replace the one of the same id."""
        old = self._rows.get(row.id)
        if old is None:
            insort(self._order, (self._created(row), row.id))
        self._rows[row.id] = row
        for attribute in self._container.unique():
            before = old.get(attribute.id) if old else ()
            after = row.get(attribute.id)
            if before is after:
                continue
            index = self._unique.setdefault(attribute.id, {})
            for value in before:
                _drop(index, identity(attribute.type, value.data), row.id)
            for value in after:
                index.setdefault(identity(attribute.type, value.data), []).append(row.id)

    def remove(self, row_id: str) -> None:
        """Forget a row."""
        row = self._rows.pop(row_id)
        position = bisect_left(self._order, (self._created(row), row_id))
        del self._order[position]
        for attribute in self._container.unique():
            index = self._unique.get(attribute.id, {})
            for value in row.get(attribute.id):
                _drop(index, identity(attribute.type, value.data), row_id)

    def holders(self, attribute_id: str, key: Any) -> list[str]:
        """Return the ids of rows that hold a value (by identity) of a unique attribute."""
        return list(self._unique.get(attribute_id, {}).get(key, ()))

    def refs(
        self, since: str | None = None, until: str | None = None, *, newest_first: bool = False
    ) -> Iterator[Ref]:
        """Return rows in order of their `created_at` value, within bounds that are both inclusive."""
        start = 0 if since is None else bisect_left(self._order, (since, ""))
        stop = len(self._order) if until is None else bisect_right(self._order, (until, "\uffff"))
        chosen = self._order[start:stop]
        if newest_first:
            chosen.reverse()
        # A long walk lets others work in between, and they may delete what comes next.
        return (row for _, row_id in chosen if (row := self._rows.get(row_id)) is not None)

    def slice(self, start: int, count: int) -> list[Ref]:
        """Return rows by position in order of creation."""
        return [self._rows[row_id] for _, row_id in self._order[start : start + count]]

    def row(self, ref: Ref) -> Row:
        """Return the row a ref names."""
        row: Row = ref
        return row

    def ref(self, row_id: str) -> Ref | None:
        """Return what names a row: here, the row."""
        return self._rows.get(row_id)

    def body(self, ref: Ref) -> bytes | None:  # noqa: ARG002
        """Return None: these rows are rendered from their values."""
        return None

    def reindex(self) -> None:
        """Learn anew which attributes are unique."""
        self._unique = {}
        for attribute in self._container.unique():
            index = self._unique.setdefault(attribute.id, {})
            for row in self._rows.values():
                for value in row.get(attribute.id):
                    index.setdefault(identity(attribute.type, value.data), []).append(row.id)

    def _created(self, row: Row) -> str:
        attribute = self._container.attribute("created_at")
        values = row.get(attribute.id) if attribute else ()
        return values[0].data["value"] if values else row.created_at


def _drop(index: dict[Any, list[str]], key: Any, row_id: str) -> None:
    holders = index.get(key)
    if holders and row_id in holders:
        holders.remove(row_id)
        if not holders:
            del index[key]
