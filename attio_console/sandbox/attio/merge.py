"""Merging two records: a third, new one takes their place, and everything that pointed to them points to it."""

from __future__ import annotations

from attio_console.sandbox.attio.coerce import Data
from attio_console.sandbox.attio.errors import bad_request
from attio_console.sandbox.attio.records import Author
from attio_console.sandbox.attio.state import Attribute, Container, Crm, Object, Row, Value
from attio_console.sandbox.attio.transaction import Transaction
from attio_console.sandbox.attio.values import identity


def merge_records(crm: Crm, target: Object, primary: Row, secondary: Row, author: Author) -> Row:
    """Merge two records of an object: the primary's single values win, multi values are joined."""
    if primary.id == secondary.id:
        raise bad_request("self_merge", "A record cannot be merged with itself.")
    referrers = sorted(crm.referrers.get(primary.id, set()) | crm.referrers.get(secondary.id, set()))
    entries = [*crm.entries_of.get(primary.id, ()), *crm.entries_of.get(secondary.id, ())]
    transaction = Transaction(crm, author.actor)
    merged = Row(crm.new_id(), primary.created_at, {}, None)
    own = target.attribute(target.id_slug)
    for attribute in target.attributes.values():
        values = _join(attribute, primary, secondary)
        if attribute is own:
            values = (Value(transaction.at, author.actor, {"value": merged.id}),)
        if values:
            merged.values[attribute.id] = values
        ended = (*primary.history.get(attribute.id, ()), *secondary.history.get(attribute.id, ()))
        if ended:
            merged.history[attribute.id] = tuple(sorted(ended, key=lambda value: value.active_from))
    holders = _relationship_holders(crm, transaction, target, merged)
    transaction.add(target, merged, tell=False)
    old = {primary.id, secondary.id}
    for container, row, attribute in holders:
        _repoint(transaction, container, row, attribute, old, target, merged.id)
    for container_id, row_id, attribute_id in referrers:
        container = crm.container(container_id)
        found = transaction.row(container, row_id)
        if found is not None:
            _repoint(
                transaction, container, found, container.attributes[attribute_id], old, target, merged.id
            )
    for each in (primary, secondary):
        transaction.remove(target, each.id, cut=False, tell=False)
    transaction.commit()
    _move_entries(crm, target, entries, merged)
    for each in (primary, secondary):
        crm.workspace.events.emit(
            "record.merged",
            {"object_id": target.id, "record_id": merged.id},
            author.actor,
            duplicate_object_id=target.id,
            duplicate_record_id=each.id,
        )
    return merged


def _join(attribute: Attribute, primary: Row, secondary: Row) -> tuple[Value, ...]:
    mine, theirs = primary.get(attribute.id), secondary.get(attribute.id)
    if not attribute.is_multiselect:
        return mine or theirs
    present = {identity(attribute.type, value.data) for value in mine}
    return (*mine, *(value for value in theirs if identity(attribute.type, value.data) not in present))


def _relationship_holders(
    crm: Crm, transaction: Transaction, target: Object, merged: Row
) -> list[tuple[Container, Row, Attribute]]:
    """Return the other sides of what the merged record is related to."""
    holders: list[tuple[Container, Row, Attribute]] = []
    for attribute in target.attributes.values():
        other_side = crm.other_side(attribute)
        if other_side is None:
            continue
        other, reverse = other_side
        for value in merged.get(attribute.id):
            row = transaction.row(other, value.data["target_record_id"])
            if row is not None and row.id != merged.id:
                holders.append((other, row, reverse))
    return holders


def _repoint(
    transaction: Transaction,
    container: Container,
    row: Row,
    attribute: Attribute,
    old: set[str],
    target: Object,
    merged_id: str,
) -> None:
    final: list[Data] = []
    for value in row.get(attribute.id):
        if value.data["target_record_id"] not in old:
            final.append(value.data)
        elif all(data["target_record_id"] != merged_id for data in final):
            final.append({"target_object_id": target.id, "target_record_id": merged_id})
    transaction.assign(container, row, attribute, final, linked=False)


def _move_entries(crm: Crm, target: Object, entries: list[tuple[str, str]], merged: Row) -> None:
    """Give the entries of both records to the merged one; the rows of an entry's parent are no value, so no event."""
    for list_id, entry_id in entries:
        container = crm.lists[list_id]
        row = container.table.get(entry_id)
        if row is None:
            continue
        moved = row.clone()
        moved.parent = (target.id, merged.id)
        container.table.put(moved)
        crm.entries_of.setdefault(merged.id, []).append((list_id, entry_id))
