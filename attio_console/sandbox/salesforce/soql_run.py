"""SOQL carried out over the org's tables."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from attio_console.sandbox.salesforce.errors import bad
from attio_console.sandbox.salesforce.fields import Field, SObject
from attio_console.sandbox.salesforce.ids import full_id
from attio_console.sandbox.salesforce.soql_ast import Comparison, DateLiteral, Logic, Moment, Order, Query
from attio_console.sandbox.salesforce.soql_dates import span
from attio_console.sandbox.salesforce.state import Salesforce
from attio_console.sandbox.salesforce.table import Row, Table
from attio_console.sandbox.salesforce.values import parse_stamp, stamp

Read = Callable[[Row], Any]
Test = Callable[[Row], bool]
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_FIELDS_CAP = 200


class Plan:
    """A query made ready: which rows, and how each of them is shown."""

    def __init__(self, org: Salesforce, query: Query, *, deleted: bool = False) -> None:
        self.org = org
        self.query = query
        self.table = _table(org, query.sobject)
        self.deleted = deleted or query.all_rows
        self.paths = self._expand(query)
        self.columns = [(self._steps(path), self.reader(path)) for path in self.paths]
        self.children = [Children(self, child) for child in query.children]

    def matching(self) -> list[Row]:
        """Return the rows that match, in no order."""
        test = self._test(self.query.where)
        source: Iterable[Row] = self.table.rows.values() if self.deleted else self.table.live()
        return [row for row in source if test(row)]

    def rows(self) -> list[Row]:
        """Return the rows that match, in order, after LIMIT and OFFSET."""
        found = self.ordered()
        found = found[self.query.offset :]
        return found if self.query.limit is None else found[: self.query.limit]

    def ordered(self) -> list[Row]:
        """Return the rows that match, in order."""
        found = self.matching()
        for order in reversed(self.query.order):
            self._sort(found, order)
        return found

    def show(self, row: Row, version: str) -> dict[str, Any]:
        """Return a row as the answer carries it, with what its lookups lead to inside it."""
        shown = attributes(self.table.sobject, row, version)
        for steps, _ in self.columns:
            self._place(shown, row, steps, version)
        for child in self.children:
            shown[child.name] = child.show(row["Id"], version)
        return shown

    def _steps(self, path: str) -> list[str]:
        steps = path.split(".")
        named = len(steps) > 1 and steps[0].lower() == self.table.sobject.name.lower()
        return steps[1:] if named else steps

    def _place(self, into: dict[str, Any], row: Row, steps: list[str], version: str) -> None:
        table = self.table
        for step in steps[:-1]:
            field = _relationship(table.sobject, step)
            name = field.relationship or step
            target = self._follow(field, row)
            if target is None:
                into.setdefault(name, None)
                return
            table, row = target
            into = into.setdefault(name, attributes(table.sobject, row, version))
        leaf = table.sobject.field(steps[-1])
        # A lookup that may lead to several objects shows only what that object has.
        into[leaf.name if leaf else steps[-1]] = value_of(table, row, leaf) if leaf else None

    def _follow(self, field: Field, row: Row) -> tuple[Table, Row] | None:
        key = row.get(field.name)
        for target in field.refers_to if key else ():
            table = self.org.tables[target]
            if key in table.rows:
                return table, table.rows[key]
        return None

    def _expand(self, query: Query) -> list[str]:
        paths: list[str] = []
        for path in query.fields:
            if path.startswith("FIELDS("):
                which = path[7:-1]
                if which not in {"ALL", "STANDARD", "CUSTOM"}:
                    raise bad(
                        "MALFORMED_QUERY",
                        f"FIELDS function must specify ALL, STANDARD or CUSTOM, not {which}",
                    )
                if which != "STANDARD" and (query.limit is None or query.limit > _FIELDS_CAP):
                    raise bad(
                        "MALFORMED_QUERY",
                        f"The SOQL FIELDS function must have a LIMIT of at most {_FIELDS_CAP}",
                    )
                every = self.table.sobject.fields.values()
                paths += [f.name for f in every if which == "ALL" or f.custom is (which == "CUSTOM")]
            else:
                paths.append(path)
        if len({p.lower() for p in paths}) != len(paths):
            raise bad("MALFORMED_QUERY", "duplicate field selected")
        return paths

    def reader(self, path: str) -> Read:
        """Return a function that reads a path of a row, and refuse a path that leads nowhere."""
        steps, field = self._steps(path), self.field(path)
        if len(steps) == 1:
            table = self.table
            if field.name == "IsDeleted":
                return lambda row: row["Id"] in table.deleted
            if field.type == "boolean":
                return lambda row: bool(row.get(field.name))
            return lambda row: row.get(field.name)

        def read(row: Row) -> Any:
            table = self.table
            for step in steps[:-1]:
                target = self._follow(_relationship(table.sobject, step), row)
                if target is None:
                    return None
                table, row = target
            leaf = table.sobject.field(steps[-1])
            return value_of(table, row, leaf) if leaf else None

        return read

    def field(self, path: str) -> Field:
        """Return the field a path leads to."""
        return _resolve(self.org, self.table, self._steps(path), path, self.query.text)

    def _test(self, condition: Comparison | Logic | None) -> Test:
        if condition is None:
            return lambda _: True
        if isinstance(condition, Comparison):
            return self._comparison(condition)
        tests = [self._test(part) for part in condition.parts]
        match condition.operator:
            case "NOT":
                return lambda row: not tests[0](row)
            case "OR":
                return lambda row: any(test(row) for test in tests)
        return lambda row: all(test(row) for test in tests)

    def _comparison(self, comparison: Comparison) -> Test:
        field, read = self.field(comparison.path), self.reader(comparison.path)
        match comparison.operator:
            case "IN" | "NOT IN":
                return self._membership(field, read, comparison)
            case "INCLUDES" | "EXCLUDES":
                wanted = {str(value).casefold() for value in comparison.value}
                hit = comparison.operator == "INCLUDES"
                return lambda row: bool(wanted & set(str(read(row) or "").casefold().split(";"))) is hit
            case "LIKE":
                if not isinstance(comparison.value, str):
                    raise bad("INVALID_FIELD", f"LIKE needs a text for {field.name}")
                pattern = _like(comparison.value)
                return lambda row: pattern.fullmatch(str(read(row) or "")) is not None
        if isinstance(comparison.value, DateLiteral):
            return self._in_span(field, read, comparison.operator, comparison.value)
        value = _literal(field, comparison.value)
        if comparison.operator == "=":
            return lambda row: plain(read(row)) == value
        if comparison.operator == "!=":
            return lambda row: plain(read(row)) != value
        compare = _COMPARE[comparison.operator]

        def test(row: Row) -> bool:
            held = plain(read(row))
            return held is not None and value is not None and compare(held, value)

        return test

    def _membership(self, field: Field, read: Read, comparison: Comparison) -> Test:
        values = comparison.value
        if isinstance(values, Query):
            inner = Plan(self.org, values)
            if len(inner.paths) != 1:
                raise bad("MALFORMED_QUERY", "a semi join sub-select can only have one field")
            wanted = {plain(inner.columns[0][1](row)) for row in inner.rows()}
        else:
            wanted = {_literal(field, value) for value in values}
        hit = comparison.operator == "IN"
        return lambda row: (plain(read(row)) in wanted) is hit

    def _in_span(self, field: Field, read: Read, sign: str, literal: DateLiteral) -> Test:
        start, end = span(literal, self.org.now())
        if field.type == "date":
            low, high = start.date().isoformat(), end.date().isoformat()
        elif field.type == "datetime":
            low, high = stamp(start), stamp(end)
        else:
            raise bad(
                "INVALID_FIELD",
                f"value of filter criterion for field '{field.name}' must be of type {field.type} and should not be a date",
            )

        def test(row: Row) -> bool:
            held = read(row)
            if held is None:
                return sign == "!="
            match sign:
                case "=":
                    return bool(low <= held < high)
                case "!=":
                    return not low <= held < high
                case "<":
                    return bool(held < low)
                case "<=":
                    return bool(held < high)
                case ">":
                    return bool(held >= high)
            return bool(held >= low)

        return test

    def _sort(self, rows: list[Row], order: Order) -> None:
        read = self.reader(order.path)
        filled = [row for row in rows if read(row) is not None]
        empty = [row for row in rows if read(row) is None]
        filled.sort(key=lambda row: plain(read(row)), reverse=order.descending)
        rows[:] = [*filled, *empty] if order.nulls_last else [*empty, *filled]


class Children:
    """The rows of a child relationship, `(SELECT ... FROM Contacts)`, by the row they belong to."""

    def __init__(self, parent: Plan, query: Query) -> None:
        self.query = query
        table, field, self.name = _child(parent.org, parent.table, query.sobject)
        self.field = field.name
        self.plan = Plan(parent.org, replace(query, sobject=table.sobject.name))
        self._rows: dict[str, list[Row]] | None = None

    def show(self, parent_id: str, version: str) -> dict[str, Any] | None:
        """Return what one row holds, as an answer inside the answer; None for nothing."""
        if self._rows is None:
            self._rows = {}
            for row in self.plan.ordered():
                self._rows.setdefault(row.get(self.field) or "", []).append(row)
        rows = self._rows.get(parent_id, [])[self.query.offset :]
        rows = rows if self.query.limit is None else rows[: self.query.limit]
        if not rows:
            return None
        shown = [self.plan.show(row, version) for row in rows]
        return {"totalSize": len(rows), "done": True, "records": shown}


def _child(org: Salesforce, table: Table, name: str) -> tuple[Table, Field, str]:
    for other, field, called in org.children_of(table):
        if called is not None and called.lower() == name.lower():
            return other, field, called
    message = f"Didn't understand relationship '{name}' in FROM part of query call. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name."
    raise bad("INVALID_TYPE", message)


def attributes(sobject: SObject, row: Row, version: str) -> dict[str, Any]:
    """Return what stands first in every row of an answer."""
    url = f"/services/data/v{version}/sobjects/{sobject.name}/{row['Id']}"
    return {"attributes": {"type": sobject.name, "url": url}}


def value_of(table: Table, row: Row, field: Field) -> Any:
    """Return the value of a field of a row, the ones that are worked out included."""
    if field.name == "IsDeleted":
        return row["Id"] in table.deleted
    if field.type == "boolean":
        return bool(row.get(field.name))
    if field.type == "address":
        prefix = field.name.removesuffix("Address")
        keys = {
            "street": "Street",
            "city": "City",
            "state": "State",
            "postalCode": "PostalCode",
            "country": "Country",
        }
        parts = {key: row.get(prefix + name) for key, name in keys.items()}
        if not any(parts.values()):
            return None
        return {**parts, "geocodeAccuracy": None, "latitude": None, "longitude": None}
    return row.get(field.name)


def _table(org: Salesforce, name: str) -> Table:
    for table in org.tables.values():
        if table.sobject.name.lower() == name.lower():
            return table
    message = f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name."
    raise bad("INVALID_TYPE", message)


def _relationship(sobject: SObject, step: str) -> Field:
    for field in sobject.fields.values():
        if field.relationship and field.relationship.lower() == step.lower():
            return field
    message = f"Didn't understand relationship '{step}' in field path. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name."
    raise bad("INVALID_FIELD", message)


def _resolve(org: Salesforce, table: Table, steps: list[str], path: str, text: str) -> Field:
    sobject = table.sobject
    for step in steps[:-1]:
        sobject = org.tables[_relationship(sobject, step).refers_to[0]].sobject
    field = sobject.field(steps[-1])
    if field is None:
        at = max(0, text.find(path))
        message = (
            f"\n{text[max(0, at - 40) : at + 40]}\n{' ' * min(at, 40)}^\nERROR at Row:1:Column:{at + 1}\n"
            f"No such column '{steps[-1]}' on entity '{sobject.name}'. If you are attempting to use a custom field, be sure "
            "to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the "
            "appropriate names."
        )
        raise bad("INVALID_FIELD", message)
    return field


def _literal(field: Field, value: Any) -> Any:
    """Return a value of the query as `plain` would show one of a row, or refuse one of the wrong kind."""
    if value is None:
        return False if field.type == "boolean" else None
    if isinstance(value, Moment):
        if field.type == "datetime" and "T" in value.text:
            return stamp(parse_stamp(value.text)).casefold()
        if field.type == "date" and "T" not in value.text:
            return value.text
    elif field.type == "boolean":
        if isinstance(value, bool):
            return value
    elif field.type in {"int", "double", "currency", "percent"}:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return value
    elif isinstance(value, str) and field.type not in {"date", "datetime"}:
        if field.type in {"id", "reference"}:
            return (full_id(value) or value).casefold()
        return value.casefold()
    shown = value.text if isinstance(value, Moment) else value
    quotes = "and should not be enclosed in quotes" if isinstance(value, str) else f"but got {shown}"
    raise bad(
        "INVALID_FIELD",
        f"value of filter criterion for field '{field.name}' must be of type {field.type} {quotes}",
    )


def plain(value: Any) -> Any:
    """Return a value as it is compared."""
    # Case never matters; stamps are folded on both sides alike.
    return value.casefold() if isinstance(value, str) else value


def _like(pattern: str) -> re.Pattern[str]:
    parts = {"%": ".*", "_": "."}
    return re.compile("".join(parts.get(c, re.escape(c)) for c in pattern), re.IGNORECASE | re.DOTALL)
