"""The values of one attribute over time: reading them, and replacing the whole of them."""

from __future__ import annotations

from typing import Any

from attio_console.sandbox.attio.bodies import Body, data, query_flag, query_number
from attio_console.sandbox.attio.callers import attribute_of, author_of
from attio_console.sandbox.attio.coerce import coerce, read_only
from attio_console.sandbox.attio.errors import ApiError, bad_request
from attio_console.sandbox.attio.journaling import journal
from attio_console.sandbox.attio.state import Attribute, Container, Crm, Row, Value
from attio_console.sandbox.attio.transaction import Transaction
from attio_console.sandbox.attio.values import value_json
from attio_console.sandbox.attio.words import instant_of
from attio_console.sandbox.server import Request, Response

_MANY = 10_000


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
    if not attribute.is_writable or attribute.type == "interaction":
        raise read_only(attribute)
    sent = Body(request.json()).any("data")
    items = sent if isinstance(sent, list) else data(request).list("values")
    author = author_of(request)
    values = [_value(crm, attribute, item, place, author.actor) for place, item in enumerate(items)]
    values.sort(key=lambda value: value.active_from)
    active = [value for value in values if value.active_until is None]
    if len(active) > 1 and not attribute.is_multiselect:
        raise bad_request(
            "multiple_values_for_single_value_attribute",
            f'Attribute with slug "{attribute.slug}" takes a single active value, but {len(active)} were provided.',
        )
    transaction = Transaction(crm, author.actor, quiet=True)
    own = transaction.row(container, row.id)
    assert own is not None
    transaction.assign(container, own, attribute, [value.data for value in active])
    # The assignment moved relationships and indexes; times and authors are those that were sent.
    own.values[attribute.id] = tuple(active)
    own.history[attribute.id] = tuple(value for value in values if value.active_until is not None)
    transaction.touch(container, own)
    transaction.commit()
    journal(request, kind, row.id)
    return Response.json({"data": [value_json(crm, attribute, value) for value in values]})


def _value(crm: Crm, attribute: Attribute, item: Any, place: int, actor: Any) -> Value:
    body = Body(item, ("data", place))
    times: dict[str, str | None] = {}
    for name in ("active_from", "active_until"):
        raw = body.values.get(name)
        times[name] = None if raw is None else instant_of(body.text(name))
        if raw is not None and times[name] is None:
            raise body.refuse(name, "Invalid datetime", "invalid_string")
    fields = {
        k: v
        for k, v in body.values.items()
        if k not in {"active_from", "active_until", "created_by_actor", "attribute_type"}
    }
    read = coerce(crm, attribute, [fields], body.path)
    if not read:
        raise body.refuse("active_from", "Expected a value")
    return Value(times["active_from"] or crm.now(), actor, read[0], times["active_until"])
