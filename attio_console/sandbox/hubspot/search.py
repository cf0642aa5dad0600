"""The search endpoint: filter groups, one sort, a text query, and its hard limits."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from attio_console.sandbox.hubspot.errors import invalid
from attio_console.sandbox.hubspot.model import Record, epoch_ms
from attio_console.sandbox.hubspot.properties import PropertyDef
from attio_console.sandbox.hubspot.state import HubSpot, ObjectStore
from attio_console.sandbox.hubspot.values import parse_time

DEPTH = 10_000
PAGE = 200
BODY_CHARACTERS = 3_000
GROUPS, FILTERS, FILTERS_IN_ALL = 5, 6, 18
_SEARCHED = {
    "contacts": ("firstname", "lastname", "email", "phone", "company", "hs_additional_emails"),
    "companies": ("name", "domain", "website", "phone"),
    "deals": ("dealname",),
    "notes": ("hs_note_body",),
    "tasks": ("hs_task_subject", "hs_task_body"),
}
_UNARY = {"HAS_PROPERTY", "NOT_HAS_PROPERTY"}
_LISTS = {"IN", "NOT_IN"}
_SINGLE = {"EQ", "NEQ", "LT", "LTE", "GT", "GTE", "BETWEEN", "CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"}

Properties = Mapping[str, str]
Test = Callable[[Properties], bool]


def run(
    account: HubSpot, store: ObjectStore, query: Mapping[str, Any]
) -> tuple[int, list[Record], int | None]:
    """Return how many records match, the page that was asked for, and where the next one starts."""
    limit = _whole(query.get("limit", 10), "limit")
    start = _whole(query.get("after") or 0, "after")
    if not 1 <= limit <= PAGE:
        raise invalid(f"limit must be between 1 and {PAGE}")
    if start + limit > DEPTH:
        raise invalid(f"Paging past {DEPTH} results is not supported: use filters to narrow the search")
    tests = _tests(store, query.get("filterGroups") or [])
    text = str(query.get("query") or "").casefold().split()
    found = [
        (properties, record)
        for properties, record in _rows(account, store)
        if (not tests or any(all(test(properties) for test in group) for group in tests))
        and (not text or _mentions(store, properties, text))
    ]
    _sort(store, found, query.get("sorts") or [])
    page = [record for _, record in found[start : start + limit]]
    following = start + limit
    return len(found), page, following if following < len(found) else None


def _rows(account: HubSpot, store: ObjectStore) -> list[tuple[Properties, Record]]:
    if not account.search_lag_s:
        return [(record.properties, record) for record in store.live()]
    seen = account.now() - timedelta(seconds=account.search_lag_s)
    rows: list[tuple[Properties, Record]] = []
    for record in store.live():
        if record.updated_at <= seen:
            rows.append((record.properties, record))
        elif record.created_at <= seen:
            rows.append((record.as_of(seen), record))
    return rows


def _whole(value: Any, name: str) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise invalid(f"{name} must be an integer") from None


def _tests(store: ObjectStore, groups: Any) -> list[list[Test]]:
    if not isinstance(groups, list) or not all(isinstance(group, dict) for group in groups):
        raise invalid("filterGroups must be a list")
    filters = [_objects(group.get("filters") or []) for group in groups]
    if len(groups) > GROUPS:
        raise invalid(f"A maximum of {GROUPS} filterGroups is allowed")
    if any(len(group) > FILTERS for group in filters) or sum(map(len, filters)) > FILTERS_IN_ALL:
        raise invalid(f"A maximum of {FILTERS} filters in a group and {FILTERS_IN_ALL} in all is allowed")
    return [[_test(store, one) for one in group] for group in filters]


def _objects(filters: Any) -> list[Mapping[str, Any]]:
    if not isinstance(filters, list) or not all(isinstance(one, dict) for one in filters):
        raise invalid("filters must be a list of objects")
    return filters


def _test(store: ObjectStore, one: Mapping[str, Any]) -> Test:
    name, operator = str(one.get("propertyName", "")), str(one.get("operator", ""))
    definition = store.properties.get(name)
    if definition is None:
        raise invalid(f"There was a problem with the request: property '{name}' does not exist")
    if operator not in _UNARY | _LISTS | _SINGLE:
        raise invalid(f"'{operator}' is not a valid operator")
    if operator in _UNARY:
        wanted = operator == "HAS_PROPERTY"
        return lambda properties: bool(properties.get(name)) is wanted
    if operator in _LISTS:
        return _membership(definition, one, inside=operator == "IN")
    if not isinstance(one.get("value"), (str, int, float)) or one["value"] == "":
        raise invalid(f"operator {operator} requires a value for {name}")
    if operator.endswith("CONTAINS_TOKEN"):
        return _token(name, str(one["value"]), wanted=operator == "CONTAINS_TOKEN")
    return _comparison(definition, operator, str(one["value"]), one.get("highValue"))


def _membership(definition: PropertyDef, one: Mapping[str, Any], *, inside: bool) -> Test:
    values = one.get("values")
    if not isinstance(values, list) or not values:
        raise invalid(f"operator {one['operator']} requires values for {definition.name}")
    wanted = {_operand(definition, str(value)) for value in values}

    def test(properties: Properties) -> bool:
        held = properties.get(definition.name)
        parts = held.split(";") if held and definition.field_type == "checkbox" else [held]
        hit = any(part is not None and _comparable(definition, part) in wanted for part in parts)
        return hit is inside

    return test


def _comparison(definition: PropertyDef, operator: str, value: str, high: Any) -> Test:
    low = _operand(definition, value)
    top = _operand(definition, str(high)) if high is not None else None
    if operator == "BETWEEN" and top is None:
        raise invalid("operator BETWEEN requires highValue")
    name = definition.name

    def test(properties: Properties) -> bool:
        text = properties.get(name)
        if text is None:
            return operator == "NEQ"
        held = _comparable(definition, text)
        if operator in {"EQ", "NEQ"}:
            same = held == low
            if definition.field_type == "checkbox":
                same = low in {_comparable(definition, part) for part in text.split(";")}
            return same is (operator == "EQ")
        if not isinstance(held, type(low)):
            return False
        match operator:
            case "LT":
                return held < low  # type: ignore[operator]  # both are of one type, checked above
            case "LTE":
                return held <= low  # type: ignore[operator]
            case "GT":
                return held > low  # type: ignore[operator]
            case "GTE":
                return held >= low  # type: ignore[operator]
        return top is not None and low <= held <= top  # type: ignore[operator]

    return test


def _operand(definition: PropertyDef, text: str) -> float | str:
    """Read what a filter compares with; a date or number that is none would silently match nothing."""
    operand = _comparable(definition, text)
    if definition.type in {"number", "date", "datetime"} and not isinstance(operand, float):
        raise invalid(f"{text} was not a valid {definition.type} for property '{definition.name}'")
    return operand


def _comparable(definition: PropertyDef, text: str) -> float | str:
    if definition.type == "number" or definition.name == "hs_object_id":
        try:
            return float(text)
        except ValueError:
            return text.casefold()
    if definition.type in {"date", "datetime"}:
        moment = parse_time(text)
        return float(epoch_ms(moment)) if moment else text
    return text.casefold()


def _token(name: str, value: str, *, wanted: bool) -> Test:
    pattern = re.compile(
        "".join(".*" if part == "*" else re.escape(part) for part in re.split(r"(\*)", value.casefold()))
    )

    def test(properties: Properties) -> bool:
        text = properties.get(name, "").casefold()
        hit = any(pattern.fullmatch(token) for token in [text, *re.split(r"[\s@.,;/()\-]+", text)] if token)
        return hit is wanted

    return test


def _mentions(store: ObjectStore, properties: Properties, words: list[str]) -> bool:
    text = " ".join(properties.get(name, "") for name in _SEARCHED[store.name]).casefold()
    return all(word in text for word in words)


def _sort(store: ObjectStore, found: list[tuple[Properties, Record]], sorts: Any) -> None:
    if not isinstance(sorts, list) or len(sorts) > 1:
        raise invalid("Only one sort is allowed")
    if not sorts:
        found.sort(key=lambda row: row[1].id)
        return
    sort = sorts[0]
    if not isinstance(sort, (str, dict)):
        raise invalid("A sort is a property name or an object")
    if isinstance(sort, str):
        descending, name = sort.startswith("-"), sort.lstrip("-")
    else:
        descending, name = sort.get("direction") == "DESCENDING", str(sort.get("propertyName", ""))
    definition = store.properties.get(name)
    if definition is None:
        raise invalid(f"property '{name}' does not exist")
    keyed = [(_comparable(definition, row[0][name]) if name in row[0] else None, row) for row in found]
    filled = [pair for pair in keyed if pair[0] is not None]
    # Equal values keep the order of ids; records without a value come last, whichever way it goes.
    filled.sort(key=lambda pair: pair[1][1].id)
    filled.sort(key=lambda pair: (isinstance(pair[0], str), pair[0]), reverse=descending)
    found[:] = [row for _, row in filled] + [row for value, row in keyed if value is None]
