"""The sorts of a query: several keys, a property of a value, a path through references; empty comes last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from attio_console.sandbox.attio.filters import PROPERTIES, filter_error, find_attribute, read_steps
from attio_console.sandbox.attio.matching import Lookup
from attio_console.sandbox.attio.state import Attribute, Container, Crm, Row


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key: the attributes on the way (the last one is compared), the property, the direction."""

    steps: tuple[Attribute, ...]
    field: str
    descending: bool


def read_sorts(crm: Crm, container: Container, raw: Any) -> tuple[SortKey, ...]:
    """Read the sorts of a query, or refuse them."""
    if raw is None:
        return ()
    if not isinstance(raw, list):
        raise filter_error("sorts is an array.")
    return tuple(_read(crm, container, each) for each in raw)


def sort_rows(keys: Sequence[SortKey], rows: list[Row], lookup: Lookup) -> list[Row]:
    """Sort rows; equal ones keep the order they came in."""
    for key in reversed(keys):
        valued = [(value, row) for row in rows if (value := sort_value(key, row, lookup)) is not None]
        empty = [row for row in rows if sort_value(key, row, lookup) is None]
        valued.sort(key=lambda pair: pair[0], reverse=key.descending)
        rows = [row for _, row in valued] + empty
    return rows


def sort_value(key: SortKey, row: Row, lookup: Lookup) -> Any:
    """Return what a row is compared by: a property of its first value, or None."""
    here = row
    for step in key.steps[:-1]:
        values = here.get(step.id)
        target = (
            lookup(values[0].data["target_object_id"], values[0].data["target_record_id"]) if values else None
        )
        if target is None:
            return None
        here = target
    last = key.steps[-1]
    values = here.get(last.id)
    if not values:
        return None
    if key.field == "active_from":
        return values[0].active_from
    value = values[0].data.get(key.field)
    if last.type == "select":
        return last.options[value].title.casefold() if value in last.options else None
    if last.type == "status":
        return list(last.statuses).index(value) if value in last.statuses else None
    return value.casefold() if isinstance(value, str) else value


def only_created_at(keys: Sequence[SortKey]) -> bool | None:
    """Tell whether the rows are wanted in order of creation alone: True newest first, False oldest first, None no."""
    if len(keys) == 1 and len(keys[0].steps) == 1:
        step = keys[0].steps[0]
        if step.slug == "created_at" and step.is_system and keys[0].field == "value":
            return keys[0].descending
    return None


def _read(crm: Crm, container: Container, raw: Any) -> SortKey:
    if not isinstance(raw, dict):
        raise filter_error("Each sort is an object.")
    direction = raw.get("direction")
    if direction not in {"asc", "desc"}:
        raise filter_error('The direction of a sort is "asc" or "desc".')
    if ("attribute" in raw) == ("path" in raw):
        raise filter_error('A sort has either "attribute" or "path".')
    if "path" in raw:
        steps = tuple(read_steps(crm, container, raw["path"]))
    elif isinstance(raw["attribute"], str):
        steps = (find_attribute(container, raw["attribute"]),)
    else:
        raise filter_error("The attribute of a sort is a slug or an id.")
    properties = PROPERTIES[steps[-1].type]
    field = raw.get("field") or next(iter(properties))
    if field not in properties:
        known = ", ".join(properties)
        raise filter_error(f'"{steps[-1].slug}" cannot be sorted by "{field}"; use {known}.')
    return SortKey(steps, {"target_object": "target_object_id"}.get(field, field), direction == "desc")
