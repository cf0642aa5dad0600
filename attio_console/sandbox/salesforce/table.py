"""The rows of one object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attio_console.sandbox.salesforce.fields import SObject
from attio_console.sandbox.salesforce.ids import full_id, make_id

Row = dict[str, Any]
INDEXED = ("Email", "Attio_Id__c", "Username")


class Table:
    """Rows by id, the deleted ones too until the recycle bin lets go of them."""

    def __init__(self, sobject: SObject, first: int) -> None:
        self.sobject = sobject
        self.rows: dict[str, Row] = {}
        self.deleted: dict[str, str] = {}
        """Id -> when it was deleted."""
        self.next_number = first
        self.index: dict[str, dict[str, set[str]]] = {name: {} for name in INDEXED if name in sobject.fields}

    def new_id(self) -> str:
        """Give out the next id."""
        self.next_number += 1
        return make_id(self.sobject.prefix, self.next_number)

    def find(self, row_id: str) -> Row | None:
        """Return a row that is not deleted, by either form of its id."""
        key = full_id(row_id)
        return self.rows.get(key) if key is not None and key not in self.deleted else None

    def any(self, row_id: str) -> Row | None:
        """Return a row, deleted or not, by either form of its id."""
        key = full_id(row_id)
        return self.rows.get(key) if key is not None else None

    def live(self) -> Iterator[Row]:
        """Return the rows that are not deleted."""
        if not self.deleted:
            return iter(self.rows.values())
        return (row for row in self.rows.values() if row["Id"] not in self.deleted)

    def by_key(self, field: str, value: str) -> list[Row]:
        """Return the rows, not deleted, that have that value of an indexed field; case does not matter."""
        ids = self.index.get(field, {}).get(value.casefold(), set())
        return [self.rows[row_id] for row_id in sorted(ids) if row_id not in self.deleted]

    def put(self, row: Row, changes: Row) -> None:
        """Set values of a row that is or will be in the table."""
        for name, values in self.index.items():
            if name in changes and changes[name] != row.get(name):
                before = row.get(name)
                if before:
                    values.get(before.casefold(), set()).discard(row["Id"])
                if changes[name]:
                    values.setdefault(changes[name].casefold(), set()).add(row["Id"])
        row.update(changes)
        self.rows[row["Id"]] = row
