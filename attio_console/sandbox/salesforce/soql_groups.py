"""GROUP BY and the functions over groups of rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from attio_console.sandbox.salesforce.errors import bad
from attio_console.sandbox.salesforce.soql_ast import Aggregate
from attio_console.sandbox.salesforce.soql_run import Plan, plain
from attio_console.sandbox.salesforce.table import Row

_NUMBERS = {"int", "double", "currency", "percent"}
_Over = Callable[[Sequence[Any]], Any]
_FUNCTIONS: dict[str, _Over] = {
    "COUNT": len,
    "COUNT_DISTINCT": lambda values: len({plain(value) for value in values}),
    "MIN": lambda values: min(values, key=plain, default=None),
    "MAX": lambda values: max(values, key=plain, default=None),
    "SUM": lambda values: sum(values) if values else None,
    "AVG": lambda values: sum(values) / len(values) if values else None,
}


def groups(plan: Plan) -> list[dict[str, Any]]:
    """Return one row for each group, in order, after LIMIT and OFFSET."""
    query = plan.query
    grouped = {path.lower() for path in query.group}
    for path in plan.paths:
        if path.lower() not in grouped:
            raise bad("MALFORMED_QUERY", f"Field must be grouped or aggregated: {path}")
    keys = [plan.reader(path) for path in query.group]
    held: dict[tuple[Any, ...], list[Row]] = {} if query.group else {(): []}
    for row in plan.matching():
        held.setdefault(tuple(plain(read(row)) for read in keys), []).append(row)
    names = dict(query.aliases)
    functions = [(each, _function(plan, each)) for each in query.aggregates]
    shown = []
    for rows in held.values():
        one: dict[str, Any] = {"attributes": {"type": "AggregateResult"}}
        for path, (_, read) in zip(plan.paths, plan.columns, strict=True):
            one[names.get(path, path.rpartition(".")[2])] = read(rows[0])
        for each, over in functions:
            one[each.alias] = over(rows)
        order = [_order_key(plan, key.path)(rows) for key in query.order]
        shown.append((order, one))
    for place in reversed(range(len(query.order))):
        key = query.order[place]
        filled = [pair for pair in shown if pair[0][place] is not None]
        empty = [pair for pair in shown if pair[0][place] is None]
        filled.sort(key=lambda pair: plain(pair[0][place]), reverse=key.descending)
        shown = [*filled, *empty] if key.nulls_last else [*empty, *filled]
    rows_shown = [one for _, one in shown][query.offset :]
    return rows_shown if query.limit is None else rows_shown[: query.limit]


def _function(plan: Plan, aggregate: Aggregate) -> Callable[[list[Row]], Any]:
    read, field = plan.reader(aggregate.path), plan.field(aggregate.path)
    if aggregate.function in {"SUM", "AVG"} and field.type not in _NUMBERS:
        message = f"field {aggregate.path} does not support aggregate operator {aggregate.function}"
        raise bad("MALFORMED_QUERY", message)
    over = _FUNCTIONS[aggregate.function]
    return lambda rows: over([value for row in rows if (value := read(row)) is not None])


def _order_key(plan: Plan, path: str) -> Callable[[list[Row]], Any]:
    function, bracket, inner = path.partition("(")
    if bracket:
        return _function(plan, Aggregate(function, inner.rstrip(")"), ""))
    for each in plan.query.aggregates:
        if each.alias.lower() == path.lower():
            return _function(plan, each)
    if path.lower() not in {name.lower() for name in plan.query.group}:
        raise bad("MALFORMED_QUERY", f"Ordered field must be grouped or aggregated: {path}")
    read = plan.reader(path)
    return lambda rows: read(rows[0])
