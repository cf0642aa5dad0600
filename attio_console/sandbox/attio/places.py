"""Where in the workspace something hangs: finding objects, records and entries that requests name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from attio_console.sandbox.attio.errors import ApiError, bad_request, not_found
from attio_console.sandbox.attio.state import Attribute, Crm, List, Object
from attio_console.sandbox.attio.words import domain_of, email_of, phone_of
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
    found = workspace.part(Crm).object(key)
    if found is None:
        raise not_found(f'Object with slug/ID "{key}" was not found.')
    return found


def find_list(workspace: Workspace, key: str) -> List:
    """Return the list of that slug or id, or refuse with 404."""
    found = workspace.part(Crm).list(key)
    if found is None:
        raise not_found(f'List with slug/ID "{key}" was not found.')
    return found


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


def match_record(workspace: Workspace, key: str, attribute_key: str, value: Any) -> RecordPlace:
    """Return the one record whose unique attribute has that value, or refuse with 400."""
    target = find_object(workspace, key)
    attribute = target.attribute(attribute_key)
    if attribute is None:
        raise bad_request("value_not_found", f'Attribute with slug/ID "{attribute_key}" was not found.')
    if not attribute.is_unique:
        raise bad_request(
            "value_not_found", f'Attribute "{attribute_key}" is not unique and cannot be matched on.'
        )
    wanted = value if isinstance(value, list) else [value]
    holders = {
        record_id
        for item in wanted
        for record_id in target.table.holders(attribute.id, _identity(attribute, item))
    }
    if len(holders) > 1:
        raise bad_request("multiple_match_results", f'Several records of "{key}" match the given values.')
    if not holders:
        raise ApiError(400, "value_not_found", f'No record of "{key}" matches the given values.')
    return RecordPlace(target.id, holders.pop())


def _identity(attribute: Attribute, item: Any) -> Any:
    """Return what a table's index keeps of a written value."""
    fields = {"domain": "domain", "email-address": "email_address", "phone-number": "original_phone_number"}
    name = fields.get(attribute.type, "value")
    raw = item.get(name) if isinstance(item, dict) else item
    if attribute.type == "domain" and isinstance(raw, str):
        return domain_of(raw)
    if attribute.type == "email-address" and isinstance(raw, str):
        return (email_of(raw) or {}).get("email_address")
    if attribute.type == "phone-number" and isinstance(raw, str):
        country = item.get("country_code") if isinstance(item, dict) else None
        return (phone_of(raw, country) or {}).get("phone_number")
    return raw if isinstance(raw, (str, int, float, bool)) else None
