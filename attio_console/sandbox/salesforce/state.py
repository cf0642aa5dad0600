"""The Salesforce org: its tables, and everything that can happen to a row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from random import Random
from typing import Any

from attio_console.sandbox.salesforce.errors import SalesforceError, bad
from attio_console.sandbox.salesforce.fields import Field
from attio_console.sandbox.salesforce.ids import full_id
from attio_console.sandbox.salesforce.schema import STAGES, make_schema
from attio_console.sandbox.salesforce.table import Row, Table
from attio_console.sandbox.salesforce.values import normal, parse_stamp, stamp
from attio_console.sandbox.world import World

PERSONS = ("Contact", "Lead", "User")
_BY_USER = {"CreatedById", "LastModifiedById", "OwnerId"}
_PARENTS = {
    # Whose children follow a merge, and by which of their fields.
    "Account": (("Contact", "AccountId"), ("Opportunity", "AccountId"), ("Task", "WhatId"), ("Account", "ParentId")),
    "Contact": (("Task", "WhoId"), ("Opportunity", "ContactId"), ("Contact", "ReportsToId")),
    "Lead": (("Task", "WhoId"),),
}  # fmt: skip


class Salesforce:
    """One org. `world.part(Salesforce)` is the world's."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.random = Random(f"{world.seed}:salesforce")
        first = self.random.randrange(62**4, 62**5)
        self.locks: dict[str, float] = {}
        """Id of a row -> until when nobody else may write it."""
        self.tables = {
            name: Table(one, first * (n + 1)) for n, (name, one) in enumerate(make_schema().items())
        }
        self._by_lower = {name.lower(): table for name, table in self.tables.items()}
        self.org_id = self._plain("Organization", {
            "Name": "Northwind", "InstanceName": "RO1", "IsSandbox": False, "OrganizationType": "Enterprise Edition",
            "DefaultLocaleSidKey": "en_US", "TimeZoneSidKey": "UTC",
        }, None)["Id"]  # fmt: skip
        self.integration_user = self.add_user("Integration", "User", "integration@northwind.example")
        self.automation_user = self.add_user("Automated", "Process", "autoproc@northwind.example")

    def lock(self, row_id: str, seconds: float) -> None:
        """Let somebody's long transaction hold a row, and with it the writing of its children, for a while."""
        self.locks[row_id] = self.world.clock.monotonic() + seconds

    def _check_locks(self, row_ids: Iterable[str]) -> None:
        now = self.world.clock.monotonic()
        for row_id in row_ids:
            if self.locks.get(row_id, 0.0) > now:
                message = f"unable to obtain exclusive access to this record or 1 records: {row_id}"
                raise bad("UNABLE_TO_LOCK_ROW", message)

    def now(self) -> datetime:
        """Return the time by the sandbox clock, in whole seconds, as every stamp has it."""
        return self.world.clock.now().replace(microsecond=0)

    def table(self, name: str) -> Table:
        """Return a table by the object's name, whose case does not matter."""
        table = self._by_lower.get(name.lower())
        if table is None:
            raise SalesforceError(404, "NOT_FOUND", "The requested resource does not exist")
        return table

    def children_of(self, table: Table) -> Iterator[tuple[Table, Field, str | None]]:
        """Yield who refers to an object, by which field, and the relationship's name as seen from the parent."""
        for other in self.tables.values():
            for field in other.sobject.fields.values():
                if table.sobject.name not in field.refers_to or field.name in _BY_USER:
                    continue
                if field.name == "MasterRecordId" or field.name.startswith("Converted"):
                    yield other, field, None
                elif other.sobject.name.endswith("History"):
                    yield other, field, "Histories"
                else:
                    plural = other.sobject.plural.replace(" ", "")
                    yield (
                        other,
                        field,
                        f"Child{plural}" if other is table and field.name == "ParentId" else plural,
                    )

    def table_of(self, row_id: str) -> Table | None:
        """Return the table that an id belongs to, by its prefix."""
        for table in self.tables.values():
            if row_id.startswith(table.sobject.prefix) and (
                table.sobject.prefix != "017" or full_id(row_id) in table.rows
            ):
                return table
        return None

    def add_user(self, first_name: str, last_name: str, email: str, *, active: bool = True) -> Row:
        """Give somebody a licence."""
        return self._plain(
            "User",
            {
                "Username": email, "Email": email, "FirstName": first_name, "LastName": last_name,
                "Name": f"{first_name} {last_name}".strip(), "IsActive": active, "UserType": "Standard",
            },
            None,
        )  # fmt: skip

    def user_of(self, actor: str) -> str:
        """Return the id of a user by id, name or e-mail; whoever is not known acts as automation."""
        users = self.tables["User"]
        for key in ("Username", "Email"):
            if found := users.by_key(key, actor):
                return str(found[0]["Id"])
        known = users.find(actor)
        return str((known or self.automation_user)["Id"])

    def _plain(self, name: str, values: Row, author: str | None, at: datetime | None = None) -> Row:
        """Put a row in without any rule, for what no API writes."""
        table = self.tables[name]
        now = stamp(at or self.now())
        row_id = table.new_id()
        by = author or row_id
        row = {"Id": row_id, "CreatedDate": now, "CreatedById": by}
        if "SystemModstamp" in table.sobject.fields:
            row |= {"LastModifiedDate": now, "LastModifiedById": by, "SystemModstamp": now}
        table.put(row, values)
        return row

    def create(
        self, table: Table, values: Mapping[str, Any], author: str, *, at: datetime | None = None
    ) -> Row:
        """Make a row, or refuse and leave nothing behind."""
        ready = self.check(table, values, None)
        now = stamp(at or self.now())
        row: Row = {
            "Id": table.new_id(), "CreatedDate": now, "CreatedById": author,
            "LastModifiedDate": now, "LastModifiedById": author, "SystemModstamp": now,
        }  # fmt: skip
        if "OwnerId" in table.sobject.fields:
            row["OwnerId"] = author
        defaults = {f.name: f.default for f in table.sobject.fields.values() if f.default is not None}
        table.put(row, {k: v for k, v in {**defaults, **ready}.items() if v is not None})
        self._derive(table, row)
        return row

    def update(
        self, table: Table, row: Row, values: Mapping[str, Any], author: str, *, at: datetime | None = None
    ) -> None:
        """Change values of a row; None clears."""
        ready = self.check(table, values, row)
        if row.get("IsConverted"):
            raise bad("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
        moment = at or self.now()
        changes = {name: value for name, value in ready.items() if row.get(name) != value}
        self._track(table, row, changes, author, moment)
        table.put(row, changes)
        for name in [name for name, value in changes.items() if value is None]:
            del row[name]
        self._derive(table, row)
        now = stamp(moment)
        row |= {"LastModifiedDate": now, "LastModifiedById": author, "SystemModstamp": now}

    def touch(self, row: Row) -> None:
        """Let automation move the system stamp, and nothing else."""
        row["SystemModstamp"] = stamp(self.now())

    def delete(self, table: Table, row: Row, author: str, *, at: datetime | None = None) -> None:
        """Put a row into the recycle bin."""
        if not table.sobject.deletable:
            raise bad(
                "INSUFFICIENT_ACCESS_OR_READONLY", f"entity type {table.sobject.name} cannot be deleted"
            )
        self._check_locks([row["Id"]])
        now = stamp(at or self.now())
        table.deleted[row["Id"]] = now
        row |= {"SystemModstamp": now, "LastModifiedDate": now, "LastModifiedById": author}
        for child, field in _PARENTS.get(table.sobject.name, ()):
            self._unlink(child, field, row["Id"])

    def undelete(self, table: Table, row: Row, author: str) -> None:
        """Take a row out of the recycle bin."""
        table.deleted.pop(row["Id"], None)
        row.pop("MasterRecordId", None)
        now = stamp(self.now())
        row |= {"SystemModstamp": now, "LastModifiedDate": now, "LastModifiedById": author}

    def merge(self, table: Table, master: Row, loser: Row, author: str) -> Row:
        """Keep the master; the loser is deleted and says who it became; its children follow."""
        if not table.sobject.mergeable:
            raise bad("INVALID_OPERATION", f"{table.sobject.name} records cannot be merged")
        if master["Id"] == loser["Id"]:
            raise bad("INVALID_OPERATION", "cannot merge with self")
        for child, field in _PARENTS[table.sobject.name]:
            for row in list(self.tables[child].live()):
                if row.get(field) == loser["Id"] and row["Id"] != master["Id"]:
                    self.update(self.tables[child], row, {field: master["Id"]}, author)
        self.delete(table, loser, author)
        loser["MasterRecordId"] = master["Id"]
        now = stamp(self.now())
        master |= {"LastModifiedDate": now, "LastModifiedById": author, "SystemModstamp": now}
        return master

    def convert(self, lead: Row, author: str) -> Row:
        """Make an account and a contact of a lead."""
        account = self.create(self.tables["Account"], {"Name": lead["Company"]}, author)
        person = {
            k: lead[k]
            for k in ("FirstName", "LastName", "Email", "Phone", "Title", "Attio_Id__c")
            if lead.get(k)
        }
        contact = self.create(self.tables["Contact"], {**person, "AccountId": account["Id"]}, author)
        now = stamp(self.now())
        self.tables["Lead"].put(lead, {
            "IsConverted": True, "ConvertedDate": now[:10], "ConvertedAccountId": account["Id"],
            "ConvertedContactId": contact["Id"], "Status": "Closed - Converted",
            "LastModifiedDate": now, "LastModifiedById": author, "SystemModstamp": now,
        })  # fmt: skip
        return contact

    def check(self, table: Table, values: Mapping[str, Any], row: Row | None) -> Row:
        """Return the values as they would be stored, or refuse."""
        sobject = table.sobject
        if not (sobject.createable if row is None else sobject.updateable):
            raise bad(
                "INSUFFICIENT_ACCESS_OR_READONLY",
                f"entity type {sobject.name} does not support this operation",
            )
        ready: Row = {}
        for name, value in values.items():
            field = sobject.field(name)
            if field is None:
                raise bad("INVALID_FIELD", f"No such column '{name}' on sobject of type {sobject.name}")
            if field.read_only or field.calculated or (field.create_only and row is not None):
                message = f"Unable to create/update fields: {field.name}. Please check the security settings of this field and verify that it is read/write for your profile or permission set."
                raise bad("INVALID_FIELD_FOR_INSERT_UPDATE", message, field.name)
            ready[field.name] = (
                self._reference(field, value) if field.type == "reference" else normal(field, value)
            )
        self._required(table, ready, row)
        if self.locks:
            # A child's write locks its account too: that is how parallel batches get into each other's way.
            self._check_locks(
                held for one in ((row or {}), ready) for held in (one.get("Id"), one.get("AccountId")) if held
            )
        return ready

    def _required(self, table: Table, ready: Row, row: Row | None) -> None:
        required = [f.name for f in table.sobject.fields.values() if f.required and f.type != "id"]
        if row is None:
            missing = [name for name in required if ready.get(name) is None]
        else:
            missing = [name for name in required if name in ready and ready[name] is None]
        if missing:
            raise bad(
                "REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", *missing
            )

    def _reference(self, field: Field, value: Any) -> str | None:
        if value is None or value == "":
            return None
        key = full_id(str(value))
        if key is None:
            raise bad("MALFORMED_ID", f"{field.label}: id value of incorrect type: {value}", field.name)
        for target in field.refers_to:
            table = self.tables[target]
            if key in table.rows:
                if key in table.deleted:
                    raise bad("ENTITY_IS_DELETED", "entity is deleted", field.name)
                return key
        if not any(key.startswith(self.tables[t].sobject.prefix) for t in field.refers_to):
            raise bad(
                "FIELD_INTEGRITY_EXCEPTION", f"{field.label}: id value of incorrect type: {value}", field.name
            )
        raise bad("INVALID_CROSS_REFERENCE_KEY", f"invalid cross reference id: {value}", field.name)

    def _unlink(self, child: str, field: str, parent: str) -> None:
        for row in self.tables[child].live():
            if row.get(field) == parent:
                del row[field]
                self.touch(row)

    def _derive(self, table: Table, row: Row) -> None:
        name = table.sobject.name
        if name in PERSONS:
            row["Name"] = " ".join(str(row[k]) for k in ("FirstName", "LastName") if row.get(k))
        elif name == "Opportunity":
            stage = next((s for s in STAGES if s[0] == row.get("StageName")), None)
            if stage is not None:
                row["IsClosed"], row["IsWon"] = stage[2], stage[3]
                row.setdefault("Probability", float(stage[1]))
        elif name == "Task":
            row["IsClosed"] = row.get("Status") == "Completed"
            if row["IsClosed"]:
                row.setdefault("CompletedDateTime", row["LastModifiedDate"])

    def _track(self, table: Table, row: Row, changes: Row, author: str, at: datetime) -> None:
        history = table.sobject.history
        if history is None:
            return
        for name, value in changes.items():
            if table.sobject.fields[name].tracked:
                entry = {
                    table.sobject.history_parent: row["Id"],
                    "Field": name,
                    "OldValue": row.get(name),
                    "NewValue": value,
                }
                self._plain(history, entry, author, at)


def moment_of(text: str) -> datetime:
    """Read one of the org's own stamps."""
    return parse_stamp(text)
