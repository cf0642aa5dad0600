"""Whether a row matches a filter: a pure function of the filter's tree, the row, and the rows it refers to."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from attio_console.sandbox.attio.state import Row, Value

Lookup = Callable[[str, str], Row | None]
"""Finds a row by the ids of its container and its own."""


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison of one property of a value."""

    name: str
    operator: str
    operand: Any


@dataclass(frozen=True, slots=True)
class Holds:
    """Some value of the attribute passes all tests."""

    attribute_id: str
    tests: tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class NotEmpty:
    """The attribute has a value."""

    attribute_id: str


@dataclass(frozen=True, slots=True)
class Through:
    """Some row that the attribute refers to matches; what is asked depends on the object it belongs to."""

    attribute_id: str
    inner: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class All:
    """Every child matches; none at all match everything."""

    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Some child matches; none at all match nothing."""

    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Negated:
    """The child does not match."""

    child: Node


Node: TypeAlias = Holds | NotEmpty | Through | All | AnyOf | Negated


def matches(node: Node, row: Row, lookup: Lookup) -> bool:
    """Tell whether a row matches."""
    match node:
        case Holds(attribute_id, tests):
            return any(all(passes(test, value) for test in tests) for value in row.get(attribute_id))
        case NotEmpty(attribute_id):
            return bool(row.get(attribute_id))
        case All(children):
            return all(matches(child, row, lookup) for child in children)
        case AnyOf(children):
            return any(matches(child, row, lookup) for child in children)
        case Negated(child):
            return not matches(child, row, lookup)
        case Through(attribute_id, inner):
            return any(_leads(value, inner, lookup) for value in row.get(attribute_id))


def passes(test: Test, value: Value) -> bool:
    """Tell whether one value passes one test; a null property passes none."""
    actual = value.active_from if test.name == "active_from" else value.data.get(test.name)
    if test.operator == "$not_empty":
        return (actual is not None and actual != "") is test.operand
    if actual is None:
        return False
    return _COMPARE[test.operator](actual, test.operand)


def _leads(value: Value, inner: tuple[tuple[str, Node], ...], lookup: Lookup) -> bool:
    container_id = value.data["target_object_id"]
    for wanted, node in inner:
        if wanted == container_id:
            target = lookup(container_id, value.data["target_record_id"])
            if target is not None and matches(node, target, lookup):
                return True
    return False


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": operator.eq,
    "$in": lambda actual, operand: actual in operand,
    # Attio documents $contains as case-insensitive, and says nothing of the kind about the other two.
    "$contains": lambda actual, operand: operand.casefold() in actual.casefold(),
    "$starts_with": lambda actual, operand: actual.startswith(operand),
    "$ends_with": lambda actual, operand: actual.endswith(operand),
    "$lt": operator.lt,
    "$lte": operator.le,
    "$gt": operator.gt,
    "$gte": operator.ge,
}
