"""What a SOQL query says, once read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Comparison:
    """`path operator value`; the value is a plain one, a `DateLiteral`, a list of them or a sub-query."""

    path: str
    operator: str
    value: Any
    column: int


@dataclass(frozen=True, slots=True)
class Logic:
    """AND, OR or NOT over conditions."""

    operator: str
    parts: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class DateLiteral:
    """TODAY, LAST_N_DAYS:30 and the like."""

    name: str
    number: int = 0


@dataclass(frozen=True, slots=True)
class Moment:
    """A date or an instant written out, which stands without quotes."""

    text: str


@dataclass(frozen=True, slots=True)
class Order:
    """One key of an ORDER BY."""

    path: str
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`COUNT(Id) people`: what is worked out over a group of rows, and the name it gets."""

    function: str
    path: str
    alias: str


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query. `fields` holds paths; `counted` is COUNT() alone; `children` read a child relationship each."""

    fields: tuple[str, ...]
    sobject: str
    counted: bool = False
    aggregates: tuple[Aggregate, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
    """Path and alias of each field that was given one; only groups have them."""
    children: tuple[Query, ...] = ()
    where: Comparison | Logic | None = None
    group: tuple[str, ...] = ()
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0
    all_rows: bool = False
    text: str = ""
