"""The values of one attribute over time: reading them, and replacing the whole of them."""

from __future__ import annotations

from typing import Any

from attio_console.sandbox.attio.bodies import Body, data, query_flag, query_number
from attio_console.sandbox.attio.callers import attribute_of, author_of
from attio_console.sandbox.attio.coerce import coerce, read_only
from attio_console.sandbox.attio.errors import ApiError, bad_request
from attio_console.sandbox.attio.journaling import journal
from attio_console.sandbox.attio.records import check_unique
from attio_console.sandbox.attio.state import Attribute, Container, Crm, Row, Value
from attio_console.sandbox.attio.transaction import Transaction
from attio_console.sandbox.attio.values import identity, value_json
from attio_console.sandbox.attio.words import instant_of
from attio_console.sandbox.server import Request, Response
from attio_console.sandbox.world import Actor

_MANY = 10_000
_MOST = 400
"""How many values one request may write."""


def read_history(request: Request, crm: Crm, container: Container, row: Row) -> Response:
    """Answer GET .../attributes/{attribute}/values."""
    attribute = attribute_of(container, request.params["attribute"])
    values: list[Value] = list(row.get(attribute.id))
    if query_flag(request, "show_historic"):
        if attribute.type == "interaction" or attribute.slug.startswith("strongest_connection"):
            raise ApiError(
                400,
                "validation_type",
                "Cannot set show_historic param to true when querying a COMINT attribute.",
            )
        if attribute.is_enriched:
            raise ApiError(
                400,
                "validation_type",
                "Cannot set show_historic param to true when querying an enriched attribute.",
            )
        values = sorted([*row.history.get(attribute.id, ()), *values], key=lambda value: value.active_from)
    limit = query_number(request, "limit", _MANY, minimum=1)
    offset = query_number(request, "offset", 0)
    return Response.json(
        {"data": [value_json(crm, attribute, value) for value in values[offset : offset + limit]]}
    )


def replace_history(request: Request, crm: Crm, container: Container, row: Row, kind: str) -> Response:
    """Answer PUT .../attributes/{attribute}/values: the whole history becomes what was sent; no webhook fires."""
    attribute = attribute_of(container, request.params["attribute"])
    _may_be_replaced(attribute)
    body = data(request)
    if body.any("replace_history") is not True:
        raise body.refuse("replace_history", "Invalid literal value, expected true", "invalid_literal")
    sent = body.bodies("values")
    if not 1 <= len(sent) <= _MOST:
        raise body.refuse(
            "values", f"Array must contain 1 to {_MOST} element(s)", "too_small" if not sent else "too_big"
        )
    author = author_of(request)
    values = [_value(crm, attribute, each, author.actor) for each in sent]
    values.sort(key=lambda value: value.active_from)
    _check_intervals(attribute, values)
    active = [value for value in values if value.active_until is None]
    if attribute.is_required and not active:
        raise bad_request(
            "missing_value", f'Required value for attribute with ID "{attribute.id}" was not provided.'
        )
    check_unique(container, {attribute.id: [value.data for value in active]}, row.id)
    transaction = Transaction(crm, author.actor, quiet=True)
    own = transaction.row(container, row.id)
    assert own is not None
    transaction.assign(container, own, attribute, [value.data for value in active])
    # The assignment kept the indexes right; times and authors are those that were sent.
    own.values[attribute.id] = tuple(active)
    own.history[attribute.id] = tuple(value for value in values if value.active_until is not None)
    transaction.touch(container, own)
    transaction.commit()
    journal(request, kind, row.id)
    return Response.json({"data": [value_json(crm, attribute, value) for value in values]})


def _may_be_replaced(attribute: Attribute) -> None:
    if not attribute.is_writable or attribute.type == "interaction":
        raise read_only(attribute)
    for forbidden, what in (
        (attribute.relationship is not None, "relationship"),
        (attribute.is_enriched, "enriched"),
    ):
        if forbidden:
            raise ApiError(400, "validation_type", f"Value history cannot be written for {what} attributes.")


def _value(crm: Crm, attribute: Attribute, body: Body, actor: Actor) -> Value:
    begun = _instant(crm, body, "active_from")
    ended = None if body.any("active_until") is None else _instant(crm, body, "active_until")
    if ended is not None and ended <= begun:
        raise body.refuse("active_until", "active_until must be after active_from", "custom")
    read = coerce(crm, attribute, [body.any("value")], (*body.path, "value"))
    if not read:
        raise body.refuse("value", "Expected a value")
    return Value(begun, actor, read[0], ended)


def _instant(crm: Crm, body: Body, name: str) -> str:
    found = instant_of(body.text(name))
    if found is None:
        raise body.refuse(name, "Invalid datetime", "invalid_string")
    if found > crm.now():
        raise body.refuse(name, f"{name} may not be in the future", "custom")
    return found


def _check_intervals(attribute: Attribute, values: list[Value]) -> None:
    """Refuse two values at a time where one is allowed, and the same value twice at a time anywhere."""
    ends: dict[Any, str] = {}
    for value in values:
        key = identity(attribute.type, value.data) if attribute.is_multiselect else None
        if key in ends and value.active_from < ends[key]:
            if attribute.is_multiselect:
                raise bad_request(
                    "duplicate_values", f'Attribute "{attribute.slug}" has the same value twice at a time.'
                )
            raise bad_request(
                "multiple_values_for_single_value_attribute",
                f'Attribute with slug "{attribute.slug}" takes a single value at a time, but intervals overlap.',
            )
        ends[key] = value.active_until or "\uffff"
