"""Where in the workspace something hangs: finding objects, records and entries that requests name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from attio_console.sandbox.attio.callers import list_of, object_of
from attio_console.sandbox.attio.coerce import Path, coerce
from attio_console.sandbox.attio.errors import bad_request, not_found
from attio_console.sandbox.attio.records import match, matching_attribute
from attio_console.sandbox.attio.state import Crm, List, Object
from attio_console.sandbox.world import Workspace


@dataclass(frozen=True, slots=True)
class RecordPlace:
    """A record and the object it belongs to."""

    object_id: str
    record_id: str


@dataclass(frozen=True, slots=True)
class EntryPlace:
    """A list entry, its list, and the record it stands for."""

    list_id: str
    entry_id: str
    record: RecordPlace


def find_object(workspace: Workspace, key: str) -> Object:
    """Return the object of that slug or id, or refuse with 404."""
    return object_of(workspace.part(Crm), key)


def find_list(workspace: Workspace, key: str) -> List:
    """Return the list of that slug or id, or refuse with 404."""
    return list_of(workspace.part(Crm), key)


def find_record(workspace: Workspace, key: str, record_id: str) -> RecordPlace:
    """Return the place of a record, or refuse with 404."""
    target = find_object(workspace, key)
    if target.table.get(record_id) is None:
        raise not_found(f'Record with ID "{record_id}" was not found in object "{key}".')
    return RecordPlace(target.id, record_id)


def find_entry(workspace: Workspace, key: str, entry_id: str) -> EntryPlace:
    """Return the place of a list entry, or refuse with 404."""
    target = find_list(workspace, key)
    row = target.table.get(entry_id)
    if row is None or row.parent is None:
        raise not_found(f'Entry with ID "{entry_id}" was not found in list "{key}".')
    return EntryPlace(target.id, entry_id, RecordPlace(*row.parent))


def slug_of(workspace: Workspace, object_id: str) -> str:
    """Return the slug an object has now."""
    found = workspace.part(Crm).objects.get(object_id)
    return found.slug if found is not None else object_id


def match_record(workspace: Workspace, key: str, attribute_key: str, value: Any, path: Path) -> RecordPlace:
    """Return the one record whose unique attribute has that value, or refuse with 400."""
    target = find_object(workspace, key)
    attribute = matching_attribute(target, attribute_key)
    data = coerce(workspace.part(Crm), attribute, value, path)
    row = match(target, attribute, data or ())
    if row is None:
        raise bad_request("value_not_found", f'No record of "{key}" matches the given values.')
    return RecordPlace(target.id, row.id)
