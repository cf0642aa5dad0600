"""Creating, changing and deleting rows: what records and list entries have in common.

The mode of a change says what happens to multi-value attributes: `add` (PATCH) puts the given values in front of those
that are there, `overwrite` (PUT) replaces them, `upsert` adds to the matching attribute and overwrites the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from attio_console.sandbox.attio import company_link
from attio_console.sandbox.attio.coerce import Data, coerce, default_values
from attio_console.sandbox.attio.errors import ApiError, bad_request
from attio_console.sandbox.attio.rows import new_row
from attio_console.sandbox.attio.state import Attribute, Container, Crm, Object, Row, Values
from attio_console.sandbox.attio.transaction import Transaction
from attio_console.sandbox.attio.values import identity
from attio_console.sandbox.world import Actor

Mode = Literal["add", "overwrite", "upsert"]
Written = dict[str, list[Data]]
"""What was sent, read: attribute id -> values."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes, and which member stands behind the token, if one does."""

    actor: Actor
    member_id: str | None = None


def read_values(crm: Crm, container: Container, sent: Mapping[str, Any], key: str = "values") -> Written:
    """Read a body's values by attribute, or refuse the first that cannot be."""
    written: Written = {}
    for slug, raw in sent.items():
        attribute = container.attribute(slug)
        if attribute is None or attribute.is_archived or attribute.is_hidden:
            raise bad_request("value_not_found", f'Cannot find attribute with slug/ID "{slug}".')
        if attribute.id in written:
            raise bad_request(
                "duplicate_values", f'Attribute with slug "{attribute.slug}" was provided more than once.'
            )
        data = coerce(crm, attribute, raw, ["data", key, slug])
        if data is not None:
            written[attribute.id] = data
    return written


def create_row(
    crm: Crm, container: Container, written: Written, author: Author, parent: tuple[str, str] | None = None
) -> Row:
    """Make a record or an entry."""
    for attribute in container.attributes.values():
        if attribute.id not in written and (
            data := default_values(crm, attribute, author.member_id, author.actor.json())
        ):
            written[attribute.id] = data
        if attribute.is_required and not attribute.is_archived and not written.get(attribute.id):
            raise _missing(attribute)
    check_unique(container, written, None)
    transaction = Transaction(crm, author.actor)
    row = new_row(crm, container, author.actor, transaction.at, parent)
    transaction.add(container, row)
    for attribute_id, data in written.items():
        transaction.assign(container, row, container.attributes[attribute_id], data)
    if isinstance(container, Object) and container.kind == "people":
        company_link.link(crm, transaction, container, row)
    transaction.commit()
    return row


def update_row(
    crm: Crm,
    container: Container,
    row: Row,
    written: Written,
    author: Author,
    mode: Mode,
    matching: str | None = None,
) -> Row:
    """Change a record or an entry; attributes that were not sent stay as they are."""
    final: Written = {}
    for attribute_id, data in written.items():
        attribute = container.attributes[attribute_id]
        if attribute.is_required and not data and not (mode == "add" and attribute.is_multiselect):
            raise _missing(attribute)
        adds = mode == "add" or (mode == "upsert" and attribute_id == matching)
        final[attribute_id] = _in_front(attribute, data, row.get(attribute_id)) if adds else data
    check_unique(container, final, row.id)
    transaction = Transaction(crm, author.actor)
    own = transaction.row(container, row.id)
    assert own is not None
    for attribute_id, data in final.items():
        transaction.assign(container, own, container.attributes[attribute_id], data)
    transaction.commit()
    return container.table.get(row.id) or own


def delete_row(crm: Crm, container: Container, row_id: str, author: Author) -> None:
    """Delete a record with its entries, or take an entry out of its list."""
    transaction = Transaction(crm, author.actor)
    transaction.remove(container, row_id)
    transaction.commit()


def matching_attribute(container: Container, key: str) -> Attribute:
    """Return the unique attribute that an upsert matches on."""
    attribute = container.attribute(key)
    if attribute is None or attribute.is_archived or attribute.is_hidden:
        raise bad_request(
            "value_not_found", f'No attribute was found for matching_attribute slug/ID "{key}".'
        )
    if not attribute.is_unique:
        raise bad_request(
            "matching_attribute_definition_not_unique",
            f'Attribute with slug "{attribute.slug}" is not unique and cannot be used as matching_attribute.',
        )
    return attribute


def match(container: Container, attribute: Attribute, data: Sequence[Data]) -> Row | None:
    """Return the one row that holds any of the values; more than one is refused."""
    found: dict[str, None] = {}
    for each in data:
        for row_id in container.table.holders(attribute.id, identity(attribute.type, each)):
            found[row_id] = None
    if len(found) > 1:
        raise bad_request(
            "multiple_match_results",
            f'Multiple records were found for the values of matching attribute "{attribute.slug}".',
        )
    return container.table.get(next(iter(found))) if found else None


def check_unique(container: Container, written: Written, own_id: str | None) -> None:
    """Refuse a unique value that another row holds already."""
    for attribute_id, data in written.items():
        attribute = container.attributes[attribute_id]
        if not attribute.is_unique:
            continue
        for each in data:
            key = identity(attribute.type, each)
            if any(row_id != own_id for row_id in container.table.holders(attribute_id, key)):
                raise conflict(attribute, key)


def conflict(attribute: Attribute, key: Any) -> ApiError:
    """Refuse for uniqueness."""
    return bad_request(
        "uniqueness_conflict",
        f'The value "{key}" provided for attribute with ID "{attribute.id}" conflicts with one already in the system.',
    )


def _in_front(attribute: Attribute, data: list[Data], current: Values) -> list[Data]:
    if not attribute.is_multiselect:
        return data
    present = {identity(attribute.type, value.data) for value in current}
    added = [each for each in data if identity(attribute.type, each) not in present]
    return [*added, *(value.data for value in current)]


def _missing(attribute: Attribute) -> ApiError:
    return bad_request(
        "missing_value", f'Required value for attribute with ID "{attribute.id}" was not provided.'
    )
