"""The filter language, read: JSON to a small tree, or a `filter_error` that says what is wrong.

What may be asked of which type is the table `PROPERTIES`; the first property of a type is the one that shorthand means.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from attio_console.sandbox.attio.errors import ApiError, bad_request
from attio_console.sandbox.attio.matching import All, AnyOf, Holds, Negated, Node, NotEmpty, Test, Through
from attio_console.sandbox.attio.state import Attribute, Container, Crm, Object
from attio_console.sandbox.attio.words import date_of, instant_of

_EQUAL = frozenset({"$eq", "$in"})
_TEXT = frozenset({"$eq", "$in", "$contains", "$starts_with", "$ends_with", "$not_empty"})
_RANGE = frozenset({"$lt", "$lte", "$gt", "$gte"})
_ORDERED = _RANGE | {"$eq"}
OPERATORS = _TEXT | _RANGE

PROPERTIES: dict[str, dict[str, frozenset[str]]] = {
    "text": {"value": _TEXT},
    "number": {"value": _ORDERED},
    "rating": {"value": _ORDERED},
    "checkbox": {"value": frozenset({"$eq"})},
    "currency": {"currency_value": _ORDERED, "currency_code": _EQUAL},
    "date": {"value": _ORDERED},
    "timestamp": {"value": _ORDERED},
    "status": {"status": _EQUAL, "active_from": _RANGE},
    "select": {"option": _EQUAL, "active_from": _RANGE},
    "record-reference": {"target_record_id": _EQUAL, "target_object": _EQUAL},
    "actor-reference": {"referenced_actor_id": _EQUAL, "referenced_actor_type": _EQUAL},
    "location": dict.fromkeys(
        ("locality", "line_1", "line_2", "line_3", "line_4", "region", "postcode", "country_code"), _TEXT
    ),
    "domain": {"domain": _TEXT, "root_domain": _TEXT},
    "email-address": dict.fromkeys(
        (
            "email_address",
            "original_email_address",
            "email_domain",
            "email_root_domain",
            "email_local_specifier",
        ),
        _TEXT,
    ),
    "phone-number": {"phone_number": _TEXT, "original_phone_number": _TEXT, "country_code": _TEXT},
    "personal-name": {"full_name": _TEXT, "first_name": _TEXT, "last_name": _TEXT},
    "interaction": {"interacted_at": _ORDERED, "interaction_type": _EQUAL},
}
DEEPEST = 40
_NO_SHORTHAND = frozenset({"location"})
_ALIASES = {"normalized_phone_number": "phone_number", "normalized_email_address": "email_address"}
_STORED = {"target_object": "target_object_id"}
_LOWER = frozenset(
    {"email_address", "email_domain", "email_root_domain", "email_local_specifier", "domain", "root_domain"}
)
_HAS_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")


def filter_error(why: str) -> ApiError:
    """Refuse a filter or a sort."""
    return bad_request("filter_error", f"Error in filter. {why}")


def read_filter(crm: Crm, container: Container, raw: Any, depth: int = 0) -> Node:
    """Read a filter of rows of `container`."""
    if depth > DEEPEST:
        raise filter_error(f"A filter may be nested {DEEPEST} levels deep.")
    if not isinstance(raw, dict):
        raise filter_error("A filter is an object.")
    children: list[Node] = []
    if "path" in raw or "constraints" in raw:
        return _read_path(crm, container, raw)
    for key, inner in raw.items():
        if key in {"$and", "$or"}:
            if not isinstance(inner, list):
                raise filter_error(f"{key} takes an array of filters.")
            nodes = tuple(read_filter(crm, container, each, depth + 1) for each in inner)
            children.append(All(nodes) if key == "$and" else AnyOf(nodes))
        elif key == "$not":
            children.append(Negated(read_filter(crm, container, inner, depth + 1)))
        elif key.startswith("$"):
            raise filter_error(f'Unknown operator "{key}".')
        else:
            children.append(_read_attribute(crm, find_attribute(container, key), inner))
    return children[0] if len(children) == 1 else All(tuple(children))


def find_attribute(container: Container, key: str) -> Attribute:
    """Find an attribute that a filter or sort names."""
    attribute = container.attribute(key)
    if attribute is None or attribute.is_archived:
        raise filter_error(f'Unknown attribute slug/ID "{key}" on "{container.slug}".')
    return attribute


def read_steps(crm: Crm, container: Container, raw: Any) -> list[Attribute]:
    """Read a path: `[[object or list, attribute], ...]`, each step leading into the next one's object."""
    if not isinstance(raw, list) or not raw:
        raise filter_error("A path is an array of [object or list, attribute] pairs.")
    steps: list[Attribute] = []
    expected: Container = container
    for index, step in enumerate(raw):
        if not isinstance(step, list) or len(step) != 2 or not all(isinstance(part, str) for part in step):
            raise filter_error("Each step of a path is a pair: [object or list, attribute].")
        where = crm.object(step[0]) or crm.list(step[0])
        if where is None:
            raise filter_error(f'Unknown object or list "{step[0]}" in path.')
        if index == 0:
            if where is not expected:
                raise filter_error(f'The path must start at "{container.slug}", not at "{step[0]}".')
        else:
            allowed = steps[-1].allowed_object_ids
            if not isinstance(where, Object) or (allowed is not None and where.id not in allowed):
                raise filter_error(f'"{steps[-1].slug}" does not lead to "{step[0]}".')
        attribute = find_attribute(where, step[1])
        if index < len(raw) - 1 and attribute.type != "record-reference":
            raise filter_error(f'"{attribute.slug}" is not a record reference and cannot be followed.')
        steps.append(attribute)
    return steps


def _read_path(crm: Crm, container: Container, raw: dict[str, Any]) -> Node:
    unknown = set(raw) - {"path", "constraints"}
    if unknown or "path" not in raw or "constraints" not in raw:
        raise filter_error('A path filter has exactly "path" and "constraints".')
    steps = read_steps(crm, container, raw["path"])
    last = steps[-1]
    constraints = raw["constraints"]
    node: Node
    if last.type == "record-reference" and _names_target_attributes(constraints):
        targets = [crm.objects[each] for each in last.allowed_object_ids or crm.objects]
        # A reference without a limit may lead to several objects; each is asked in its own words.
        inner = tuple((target.id, read_filter(crm, target, constraints)) for target in targets)
        node = Through(last.id, inner)
    else:
        node = _read_attribute(crm, last, constraints)
    for index in range(len(steps) - 2, -1, -1):
        node = Through(steps[index].id, ((steps[index + 1].container_id, node),))
    return node


def _names_target_attributes(constraints: Any) -> bool:
    return isinstance(constraints, dict) and any(
        key not in PROPERTIES["record-reference"] and not key.startswith("$") for key in constraints
    )


def _read_attribute(crm: Crm, attribute: Attribute, raw: Any) -> Node:
    properties = PROPERTIES[attribute.type]
    default = next(iter(properties))
    if not isinstance(raw, dict):
        if attribute.type in _NO_SHORTHAND:
            raise filter_error(
                f'Attribute "{attribute.slug}" has no shorthand; name a property such as "{default}".'
            )
        return Holds(attribute.id, (_test(crm, attribute, default, "$eq", raw),))
    if not raw:
        raise filter_error(f'The condition on "{attribute.slug}" is empty.')
    tests: list[Test] = []
    nodes: list[Node] = []
    for key, inner in raw.items():
        name = _ALIASES.get(key, key)
        if key == "$not_empty":
            if not isinstance(inner, bool):
                raise filter_error("$not_empty takes true.")
            nodes.append(NotEmpty(attribute.id) if inner else Negated(NotEmpty(attribute.id)))
        elif key in OPERATORS:
            if attribute.type in _NO_SHORTHAND:
                raise filter_error(f'Name a property of "{attribute.slug}", such as "{default}".')
            tests.append(_test(crm, attribute, default, key, inner))
        elif key.startswith("$"):
            raise filter_error(f'Unknown operator "{key}".')
        elif name not in properties:
            known = ", ".join(properties)
            raise filter_error(
                f'Attribute "{attribute.slug}" ({attribute.type}) has no property "{key}"; it has {known}.'
            )
        elif isinstance(inner, dict):
            if not inner:
                raise filter_error(f'The condition on "{attribute.slug}.{key}" is empty.')
            tests += [_test(crm, attribute, name, operator, operand) for operator, operand in inner.items()]
        else:
            tests.append(_test(crm, attribute, name, "$eq", inner))
    if tests:
        nodes.append(Holds(attribute.id, tuple(tests)))
    return nodes[0] if len(nodes) == 1 else All(tuple(nodes))


def _test(crm: Crm, attribute: Attribute, name: str, operator: str, operand: Any) -> Test:
    allowed = PROPERTIES[attribute.type][name]
    if operator not in OPERATORS:
        raise filter_error(f'Unknown operator "{operator}".')
    if operator not in allowed:
        choice = ", ".join(sorted(allowed))
        raise filter_error(
            f'Operator "{operator}" is not supported on "{attribute.slug}.{name}"; use {choice}.'
        )
    read = _operand_reader(crm, attribute, name)
    if operator == "$in":
        if not isinstance(operand, list):
            raise filter_error("$in takes an array.")
        return Test(_STORED.get(name, name), operator, frozenset(read(each) for each in operand))
    if operator == "$not_empty":
        if not isinstance(operand, bool):
            raise filter_error("$not_empty takes true.")
        return Test(name, operator, operand)
    return Test(_STORED.get(name, name), operator, read(operand))


def _operand_reader(crm: Crm, attribute: Attribute, name: str) -> Callable[[Any], Any]:
    where = f'"{attribute.slug}.{name}"'

    def text(operand: Any) -> Any:
        if not isinstance(operand, str):
            raise filter_error(f"{where} is compared with a string.")
        return operand.lower() if name in _LOWER else operand

    def number(operand: Any) -> Any:
        if isinstance(operand, bool) or not isinstance(operand, int | float):
            raise filter_error(f"{where} is compared with a number.")
        return operand

    def boolean(operand: Any) -> Any:
        if not isinstance(operand, bool):
            raise filter_error(f"{where} is compared with true or false.")
        return operand

    def day(operand: Any) -> Any:
        found = date_of(text(operand))
        if found is None:
            raise filter_error(f"{where} is compared with a date such as 2026-11-23.")
        return found

    def instant(operand: Any) -> Any:
        found = instant_of(text(operand)) if _HAS_TIME.match(text(operand)) else None
        if found is None:
            raise filter_error(f"{where} is compared with a date and time such as 2026-11-23T09:00:00.000Z.")
        return found

    def choice(operand: Any) -> Any:
        choices = attribute.options if attribute.type == "select" else attribute.statuses
        wanted = text(operand)
        found = (
            wanted if wanted in choices else next((c.id for c in choices.values() if c.title == wanted), None)
        )
        if found is None:
            raise filter_error(f'"{wanted}" is no {name} of "{attribute.slug}".')
        return found

    def target(operand: Any) -> Any:
        found = crm.object(text(operand))
        if found is None:
            raise filter_error(f'Unknown object "{operand}".')
        return found.id

    if name in {"active_from", "interacted_at"} or attribute.type == "timestamp":
        return instant
    if name == "target_object":
        return target
    by_type: dict[str, Callable[[Any], Any]] = {
        "number": number,
        "rating": number,
        "checkbox": boolean,
        "date": day,
        "status": choice,
        "select": choice,
    }
    if name == "currency_value":
        return number
    return by_type.get(attribute.type, text)
