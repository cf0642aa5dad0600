"""One call's context, and the writes that calls make: carried out, stamped with the user, noted in the journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from attio_console.sandbox.salesforce.errors import SalesforceError, bad, not_found
from attio_console.sandbox.salesforce.soql_run import attributes, value_of
from attio_console.sandbox.salesforce.state import Salesforce
from attio_console.sandbox.salesforce.table import Row, Table


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks, by which version, and where it is journalled."""

    org: Salesforce
    user_id: str
    version: str
    method: str
    path: str
    notes: list[tuple[Any, ...]] | None = None
    """Where notes wait while it is open whether the whole request stands; None writes them at once."""

    def note(self, table: Table, row_id: str, body: Any) -> None:
        """Write a change into the journal, or keep it until the whole request stands."""
        entry = (
            "salesforce",
            self.method,
            self.path,
            table.sobject.name,
            row_id,
            body,
            f"user:{self.user_id}",
        )
        if self.notes is None:
            self.org.world.journal.add(*entry)
        else:
            self.notes.append(entry)

    def find(self, table: Table, row_id: str) -> Row:
        """Return a row, or refuse: never there, or no longer."""
        row = table.find(row_id)
        if row is None:
            if table.any(row_id) is not None:
                raise SalesforceError(404, "ENTITY_IS_DELETED", "entity is deleted")
            raise not_found()
        return row

    def create(self, table: Table, values: Mapping[str, Any]) -> Row:
        """Make a row."""
        row = self.org.create(table, clean(values), self.user_id)
        self.note(table, row["Id"], dict(values))
        return row

    def update(self, table: Table, row: Row, values: Mapping[str, Any]) -> None:
        """Change a row."""
        sent = clean(values)
        if any(name.lower() == "id" for name in sent):
            message = "The Id field should not be specified in the sobject data."
            raise bad("INVALID_FIELD", message)
        self.org.update(table, row, sent, self.user_id)
        self.note(table, row["Id"], dict(values))

    def delete(self, table: Table, row: Row) -> None:
        """Put a row into the recycle bin."""
        self.org.delete(table, row, self.user_id)
        self.note(table, row["Id"], None)

    def keyed(self, table: Table, field_name: str, value: str) -> tuple[str, list[Row]]:
        """Return the external id field's own name and the rows that hold the value."""
        field = table.sobject.field(field_name)
        if field is None or not (field.external_id or field.id_lookup):
            raise not_found("Provided external ID field does not exist or is not accessible: " + field_name)
        if field.type == "id":
            row = table.find(value)
            return field.name, [row] if row else []
        return field.name, table.by_key(field.name, value)

    def upsert(
        self,
        table: Table,
        field_name: str,
        value: str,
        values: Mapping[str, Any],
        *,
        update_only: bool = False,
    ) -> tuple[Row, bool]:
        """Change the row with that external id, or make it; several are a question back."""
        name, rows = self.keyed(table, field_name, value)
        if len(rows) > 1:
            raise multiple(self, table, name, rows)
        sent = {key: held for key, held in clean(values).items() if key.lower() not in {name.lower(), "id"}}
        if rows:
            self.org.update(table, rows[0], sent, self.user_id)
            self.note(table, rows[0]["Id"], {**dict(values), name: value})
            return rows[0], False
        if update_only or name == "Id":
            raise not_found()
        row = self.org.create(table, {**sent, name: value}, self.user_id)
        self.note(table, row["Id"], {**dict(values), name: value})
        return row, True

    def show(self, table: Table, row: Row, names: list[str] | None = None) -> dict[str, Any]:
        """Return a row with all of its fields, or with the wanted ones."""
        shown = attributes(table.sobject, row, self.version)
        if names is None:
            fields = list(table.sobject.fields.values())
        else:
            fields = []
            for name in names:
                field = table.sobject.field(name)
                if field is None:
                    message = f"No such column '{name}' on sobject of type {table.sobject.name}"
                    raise bad("INVALID_FIELD", message)
                fields.append(field)
        return shown | {field.name: value_of(table, row, field) for field in fields}


class MultipleChoices(SalesforceError):
    """Several rows hold an external id: the answer is the list of their addresses."""


def multiple(call: Call, table: Table, name: str, rows: list[Row]) -> MultipleChoices:
    """Answer 300 with the rows to choose from."""
    message = (
        f"{name}: more than one record found for external id field: [{', '.join(r['Id'] for r in rows)}]"
    )
    error = MultipleChoices(300, "DUPLICATE_EXTERNAL_ID", message)
    error.response = error.response.json(
        [f"/services/data/v{call.version}/sobjects/{table.sobject.name}/{row['Id']}" for row in rows], 300
    )
    return error


def clean(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values without what only says of which object they are."""
    return {name: value for name, value in values.items() if name != "attributes"}


def saved(row_id: str, **more: Any) -> dict[str, Any]:
    """Build the answer to a write that worked."""
    return {"id": row_id, "success": True, "errors": [], **more}
