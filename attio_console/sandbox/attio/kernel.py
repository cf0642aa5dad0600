"""The kernel's face for whoever writes without HTTP: seeding, the control surface, other people's life.

Values are in write form, as the API takes them. Everything emits events, but for `bulk_load`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from attio_console.sandbox.attio import records
from attio_console.sandbox.attio.callers import entry_of, list_of, object_of, record_of
from attio_console.sandbox.attio.coerce import Data
from attio_console.sandbox.attio.enrichment import watch
from attio_console.sandbox.attio.merge import merge_records as _merge
from attio_console.sandbox.attio.records import Author, Mode
from attio_console.sandbox.attio.rows import new_row
from attio_console.sandbox.attio.standard import install_standard_objects
from attio_console.sandbox.attio.state import Container, Crm, List, Object, Row, Value
from attio_console.sandbox.attio.transaction import Transaction
from attio_console.sandbox.attio.values import record_json
from attio_console.sandbox.world import SYSTEM, Actor, Workspace, stamp

Values = Mapping[str, Any]


def open_workspace(
    workspace: Workspace, enabled: tuple[str, ...] = ("people", "companies", "deals", "users", "workspaces")
) -> Crm:
    """Give a fresh workspace its standard objects, and let Attio enrich what is created in it."""
    crm = install_standard_objects(workspace, enabled)
    watch(crm)
    return crm


def create_record(workspace: Workspace, key: str, values: Values, actor: Actor) -> Row:
    """Make a record."""
    crm = workspace.part(Crm)
    target = object_of(crm, key)
    return records.create_row(crm, target, records.read_values(crm, target, values), _author(actor))


def update_record(
    workspace: Workspace, key: str, record_id: str, values: Values, actor: Actor, mode: Mode = "overwrite"
) -> Row:
    """Change a record."""
    crm = workspace.part(Crm)
    target = object_of(crm, key)
    row = record_of(target, record_id)
    return records.update_row(
        crm, target, row, records.read_values(crm, target, values), _author(actor), mode
    )


def delete_record(workspace: Workspace, key: str, record_id: str, actor: Actor) -> None:
    """Delete a record with its entries."""
    crm = workspace.part(Crm)
    target = object_of(crm, key)
    records.delete_row(crm, target, record_of(target, record_id).id, _author(actor))


def merge_records(workspace: Workspace, key: str, primary_id: str, secondary_id: str, actor: Actor) -> Row:
    """Merge two records into a new one."""
    crm = workspace.part(Crm)
    target = object_of(crm, key)
    return _merge(crm, target, record_of(target, primary_id), record_of(target, secondary_id), _author(actor))


def create_entry(workspace: Workspace, key: str, record_id: str, values: Values, actor: Actor) -> Row:
    """Put a record on a list."""
    crm = workspace.part(Crm)
    target = list_of(crm, key)
    parent = record_of(target.parent, record_id)
    written = records.read_values(crm, target, values, "entry_values")
    return records.create_row(crm, target, written, _author(actor), (target.parent.id, parent.id))


def update_entry(
    workspace: Workspace, key: str, entry_id: str, values: Values, actor: Actor, mode: Mode = "overwrite"
) -> Row:
    """Change an entry."""
    crm = workspace.part(Crm)
    target = list_of(crm, key)
    written = records.read_values(crm, target, values, "entry_values")
    return records.update_row(crm, target, entry_of(target, entry_id), written, _author(actor), mode)


def delete_entry(workspace: Workspace, key: str, entry_id: str, actor: Actor) -> None:
    """Take an entry out of its list."""
    crm = workspace.part(Crm)
    target = list_of(crm, key)
    records.delete_row(crm, target, entry_of(target, entry_id).id, _author(actor))


def load_row(
    workspace: Workspace,
    container: Container,
    values: Values,
    *,
    created_at: datetime,
    actor: Actor = SYSTEM,
    parent_id: str | None = None,
    row_id: str | None = None,
) -> Row:
    """Load one row of the past: no events, no enrichment, no company made, its values as old as itself."""
    crm = workspace.part(Crm)
    at = stamp(created_at)
    key = "entry_values" if isinstance(container, List) else "values"
    written = records.read_values(crm, container, values, key)
    transaction = Transaction(crm, actor, at=at, quiet=True)
    parent = (container.parent.id, parent_id) if isinstance(container, List) and parent_id else None
    row = new_row(crm, container, actor, at, parent, row_id)
    _date_back(crm, container, row, created_at, actor)
    transaction.add(container, row)
    for attribute_id, data in written.items():
        transaction.assign(container, row, container.attributes[attribute_id], data)
    transaction.commit()
    return row


def load_system_values(
    container: Container,
    row_id: str,
    values: Mapping[str, Data | list[Data]],
    at: datetime,
) -> None:
    """Load what only Attio writes (interactions, enriched and read-only attributes) into a row, in stored form."""
    row = container.table.get(row_id)
    assert row is not None
    changed = row.clone()
    for slug, data in values.items():
        attribute = container.attribute(slug)
        if attribute is not None:
            items = data if isinstance(data, list) else [data]
            changed.values[attribute.id] = tuple(Value(stamp(at), SYSTEM, item) for item in items)
    container.table.put(changed)


def bulk_load(workspace: Workspace, key: str, rows: Iterable[tuple[Values, datetime, Actor]]) -> list[str]:
    """Load many records of the past and return their ids."""
    target = object_of(workspace.part(Crm), key)
    return [load_row(workspace, target, values, created_at=at, actor=actor).id for values, at, actor in rows]


def dump(workspace: Workspace, target: Object) -> Iterable[dict[str, Any]]:
    """Return every record of an object as the API shows it, oldest first."""
    crm = workspace.part(Crm)
    return (record_json(crm, target, target.table.row(ref)) for ref in target.table.refs())


def _author(actor: Actor) -> Author:
    return Author(actor, actor.id if actor.type == "workspace-member" else None)


def _date_back(crm: Crm, container: Container, row: Row, created_at: datetime, actor: Actor) -> None:
    attribute = container.attribute("created_at")
    if attribute is not None:
        # Live, the attribute is some seconds older than the record's own stamp.
        earlier = created_at - timedelta(milliseconds=crm.world.random.randint(0, 12_000))
        row.values[attribute.id] = (Value(row.created_at, actor, {"value": stamp(earlier)}),)
