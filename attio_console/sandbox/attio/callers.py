"""What a handler begins with: the caller's workspace, the author of what is written, and what the path names."""

from __future__ import annotations

from attio_console.sandbox.attio.auth import token_of
from attio_console.sandbox.attio.coerce import is_uuid
from attio_console.sandbox.attio.errors import ApiError, invalid, not_found
from attio_console.sandbox.attio.records import Author
from attio_console.sandbox.attio.state import Attribute, Container, Crm, List, Object, Row
from attio_console.sandbox.server import Request


def crm_of(request: Request) -> Crm:
    """Return the kernel of the caller's workspace."""
    return token_of(request).workspace.part(Crm)


def author_of(request: Request) -> Author:
    """Return whom the kernel writes down for a request."""
    token = token_of(request)
    return Author(token.actor, token.member_id)


def object_of(crm: Crm, key: str) -> Object:
    """Return the object of that slug or id."""
    found = crm.object(key)
    if found is None:
        raise not_found(f'Object with slug/ID "{key}" not found.')
    if not found.enabled:
        raise ApiError(400, "standard_object_disabled", f'Standard object "{found.slug}" is not enabled.')
    return found


def list_of(crm: Crm, key: str) -> List:
    """Return the list of that slug or id."""
    found = crm.list(key)
    if found is None:
        raise not_found(f'List with slug/ID "{key}" not found.')
    return found


def record_of(target: Object, record_id: str) -> Row:
    """Return the record of that id."""
    return _row(target, record_id, f'Record with ID "{record_id}" not found.')


def entry_of(target: List, entry_id: str) -> Row:
    """Return the entry of that id."""
    return _row(target, entry_id, f'Entry with ID "{entry_id}" not found.')


def attribute_of(container: Container, key: str) -> Attribute:
    """Return the attribute of that slug or id."""
    found = container.attribute(key)
    if found is None or found.is_hidden:
        raise not_found(f'Attribute with slug/ID "{key}" not found.')
    return found


def _row(container: Container, row_id: str, message: str) -> Row:
    if not is_uuid(row_id):
        raise invalid(
            [container.id_slug],
            "Invalid uuid",
            code="invalid_string",
            summary="Path parameter validation error.",
        )
    row = container.table.get(row_id.lower())
    if row is None:
        raise not_found(message)
    return row
