"""Values as they are written: every documented form of each type is read, everything else is refused as Attio refuses it."""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from attio_console.sandbox.attio import words
from attio_console.sandbox.attio.errors import ApiError, bad_request, invalid
from attio_console.sandbox.attio.state import Attribute, Crm, Object, Option, Values
from attio_console.sandbox.attio.values import identity

Data = dict[str, Any]
Path = Sequence[str | int]

MAX_TEXT = 10 * 1024 * 1024
LOCATION_FIELDS = (
    "line_1",
    "line_2",
    "line_3",
    "line_4",
    "locality",
    "region",
    "postcode",
    "country_code",
    "latitude",
    "longitude",
)
_LATITUDE = re.compile(r"[-+]?([1-8]?\d(\.\d+)?|90(\.0+)?)")
_LONGITUDE = re.compile(r"[-+]?(180(\.0+)?|((1[0-7]\d)|([1-9]?\d))(\.\d+)?)")
_BARE_REFERENCE = {
    "companies": "domains",
    "people": "email_addresses",
    "users": "user_id",
    "workspaces": "workspace_id",
}


def coerce(crm: Crm, attribute: Attribute, raw: Any, path: Path) -> list[Data] | None:
    """Read what was sent for one attribute; [] clears it, None means that Attio takes it and does nothing."""
    if attribute.type == "interaction" or not attribute.is_writable:
        raise read_only(attribute)
    if raw is None:
        if attribute.type in {"checkbox", "currency"}:
            raise invalid(path, f"Attribute {attribute.slug!r} does not support null; send an empty array.")
        return []
    if isinstance(raw, list):
        items = raw
    elif attribute.is_multiselect:
        raise invalid(path, "Expected array, received " + _kind(raw))
    else:
        items = [raw]
    if len(items) > 1 and not attribute.is_multiselect:
        raise bad_request(
            "multiple_values_for_single_value_attribute",
            f'Attribute with slug "{attribute.slug}" takes a single value, but {len(items)} were provided.',
        )
    if attribute.type == "select" and items and all(isinstance(i, str) and is_uuid(i) for i in items):
        # Bare option ids answer 200 and change nothing in the live API; {"option": id} is the form that works.
        return None
    read = _READERS[attribute.type]
    found: list[Data] = []
    seen = set()
    for index, item in enumerate(items):
        data = read(crm, attribute, item, [*path, index] if isinstance(raw, list) else path)
        key = identity(attribute.type, data)
        if key in seen:
            raise bad_request(
                "duplicate_values",
                f'The same value was provided twice for attribute with slug "{attribute.slug}".',
            )
        seen.add(key)
        found.append(data)
    return found


def read_only(attribute: Attribute) -> ApiError:
    """Refuse to write what only Attio writes."""
    return bad_request(
        "system_edit_unauthorized", f'Cannot edit system attribute with slug "{attribute.slug}".'
    )


def is_uuid(text: Any) -> bool:
    """Tell whether a value is a UUID in its usual form."""
    if not isinstance(text, str) or len(text) != 36:
        return False
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def default_values(crm: Crm, attribute: Attribute, member_id: str | None, actor: Data) -> list[Data]:
    """Return what a new row gets in an attribute that was not sent."""
    default = attribute.default_value
    if not attribute.is_default_value_enabled or default is None:
        return []
    if default["type"] == "static":
        return [_inner(attribute, value) for value in default["template"]]
    template = default["template"]
    if template == "current-user":
        if member_id is not None:
            return [{"referenced_actor_type": "workspace-member", "referenced_actor_id": member_id}]
        return [{"referenced_actor_type": actor["type"], "referenced_actor_id": actor["id"]}]
    moment = words.after(crm.world.clock.now(), template)
    text = words.instant_of(moment.isoformat()) or ""
    return [{"value": text[:10] if attribute.type == "date" else text}]


def find_option(options: dict[str, Any], key: str) -> Option | None:
    """Find a live option or status by id or exact title."""
    found = options.get(key) or next(
        (o for o in options.values() if o.title == key and not o.is_archived), None
    )
    return None if found is None or found.is_archived else found


def active_data(values: Values) -> list[Data]:
    """Return the data of some values."""
    return [value.data for value in values]


def _inner(attribute: Attribute, shown: Data) -> Data:
    """Turn a default's template, kept as responses show it, back into stored data."""
    data = {k: v for k, v in shown.items() if k != "attribute_type"}
    if attribute.type == "select":
        return {"option": data["option"]["id"]["option_id"]}
    if attribute.type == "status":
        return {"status": data["status"]["id"]["status_id"]}
    return data


def _kind(raw: Any) -> str:
    if raw is None:
        return "null"
    for kinds, name in ((bool, "boolean"), ((int, float), "number"), (str, "string"), (list, "array")):
        if isinstance(raw, kinds):
            return name
    return "object"


def _expected(path: Path, what: str, raw: Any) -> ApiError:
    return invalid(path, f"Expected {what}, received {_kind(raw)}")


def _field(attribute: Attribute, item: Any, name: str, path: Path) -> tuple[Any, Path]:
    """Take `{name: x}` apart; a bare x stays as it is."""
    if not isinstance(item, dict):
        return item, path
    if name not in item:
        raise invalid([*path, name], f'Required field "{name}" of attribute "{attribute.slug}" is missing.')
    return item[name], [*path, name]


def _text(_: Crm, attribute: Attribute, item: Any, path: Path) -> Data:
    value, path = _field(attribute, item, "value", path)
    if not isinstance(value, str):
        raise _expected(path, "string", value)
    if len(value.encode()) > MAX_TEXT:
        raise invalid(path, "Text values are limited to 10MB.", code="too_big")
    return {"value": value}


def _finite(value: Any, path: Path) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _expected(path, "number", value)
    if isinstance(value, int):
        # Numbers are kept as 64 bit floats.
        return value if abs(value) <= 2**53 else float(value) if abs(value) < 10**308 else _too_big(path)
    rounded = round(value, 4)
    return int(rounded) if rounded.is_integer() and abs(rounded) <= 2**53 else rounded


def _too_big(path: Path) -> float:
    raise invalid(path, "Number is out of range.", code="too_big")


def _number(_: Crm, attribute: Attribute, item: Any, path: Path) -> Data:
    value, path = _field(attribute, item, "value", path)
    return {"value": _finite(value, path)}


def _rating(_: Crm, attribute: Attribute, item: Any, path: Path) -> Data:
    value, path = _field(attribute, item, "value", path)
    number = _finite(value, path)
    if number not in {0, 1, 2, 3, 4, 5}:
        raise invalid(path, "A rating is a whole number from 0 to 5.", code="custom")
    return {"value": int(number)}


def _currency(_: Crm, attribute: Attribute, item: Any, path: Path) -> Data:
    value, path = _field(attribute, item, "currency_value", path)
    return {"currency_code": attribute.default_currency_code, "currency_value": _finite(value, path)}


def _checkbox(_: Crm, attribute: Attribute, item: Any, path: Path) -> Data:
    value, path = _field(attribute, item, "value", path)
    if isinstance(value, str) and value in {"true", "false"}:
        value = value == "true"
    if not isinstance(value, bool):
        raise _expected(path, "boolean", value)
    return {"value": value}


def _date(_: Crm, attribute: Attribute, item: Any, path: Path) -> Data:
    return _moment(attribute, item, path, words.date_of, "date")


def _timestamp(_: Crm, attribute: Attribute, item: Any, path: Path) -> Data:
    return _moment(attribute, item, path, words.instant_of, "ISO 8601 timestamp")


def _moment(
    attribute: Attribute, item: Any, path: Path, read: Callable[[str], str | None], what: str
) -> Data:
    value, path = _field(attribute, item, "value", path)
    if not isinstance(value, str):
        raise _expected(path, "string", value)
    found = read(value)
    if found is None:
        raise invalid(path, f'"{value}" is not a valid {what}.', code="invalid_date")
    return {"value": found}


def _select(_: Crm, attribute: Attribute, item: Any, path: Path) -> Data:
    value, path = _field(attribute, item, "option", path)
    if not isinstance(value, str):
        raise _expected(path, "string", value)
    option = find_option(attribute.options, value)
    if option is None:
        raise bad_request(
            "value_not_found", f'Cannot find select attribute with select option title "{value}".'
        )
    return {"option": option.id}


def _status(_: Crm, attribute: Attribute, item: Any, path: Path) -> Data:
    value, path = _field(attribute, item, "status", path)
    if not isinstance(value, str):
        raise _expected(path, "string", value)
    status = find_option(attribute.statuses, value)
    if status is None:
        raise bad_request(
            "value_not_found", f'Cannot find status attribute with status option title "{value}".'
        )
    return {"status": status.id}


def _domain(_: Crm, attribute: Attribute, item: Any, path: Path) -> Data:
    value, path = _field(attribute, item, "domain", path)
    if not isinstance(value, str):
        raise _expected(path, "string", value)
    domain = words.domain_of(value)
    if domain is None:
        raise invalid(path, f'"{value}" is not a valid domain.', code="custom")
    return {"domain": domain, "root_domain": words.root_domain(domain)}


def _email(_: Crm, attribute: Attribute, item: Any, path: Path) -> Data:
    value, path = _field(attribute, item, "email_address", path)
    if not isinstance(value, str):
        raise _expected(path, "string", value)
    found = words.email_of(value)
    if found is None:
        raise invalid(path, f'"{value}" is not a valid email address.', code="custom")
    return dict(found)


def _phone(_: Crm, attribute: Attribute, item: Any, path: Path) -> Data:
    value, inner = _field(attribute, item, "original_phone_number", path)
    country = item.get("country_code") if isinstance(item, dict) else None
    if not isinstance(value, str):
        raise _expected(inner, "string", value)
    if country is not None and country not in words.COUNTRY_CODES:
        raise invalid([*path, "country_code"], f'"{country}" is not an ISO 3166-1 alpha-2 country code.')
    found = words.phone_of(value, country)
    if found is None:
        raise invalid(
            inner,
            f'"{value}" is not a valid phone number; prefix it with + or give a country_code.',
            code="custom",
        )
    return dict(found)


def _name(_: Crm, attribute: Attribute, item: Any, path: Path) -> Data:
    if isinstance(item, str):
        last, comma, first = item.partition(",")
        first, last = (first.strip(), last.strip()) if comma else (item.strip(), "")
        return {"first_name": first, "last_name": last, "full_name": f"{first} {last}".strip()}
    if not isinstance(item, dict):
        raise _expected(path, "string or object", item)
    for key in ("first_name", "last_name", "full_name"):
        if not isinstance(item.get(key), str):
            raise invalid(
                [*path, key],
                f'Attribute "{attribute.slug}" needs first_name, last_name and full_name, all strings.',
            )
    return {key: item[key] for key in ("first_name", "last_name", "full_name")}


def _location(_: Crm, attribute: Attribute, item: Any, path: Path) -> Data:
    if isinstance(item, str):
        return dict(words.place_of(item))
    if not isinstance(item, dict):
        raise _expected(path, "string or object", item)
    for key in LOCATION_FIELDS:
        if key not in item:
            raise invalid(
                [*path, key],
                f'Attribute "{attribute.slug}" needs all ten location fields; "{key}" is missing.',
            )
        value = item[key]
        if value is not None and not isinstance(value, str):
            raise _expected([*path, key], "string or null", value)
    country = item["country_code"]
    if country is not None and country not in words.COUNTRY_CODES:
        raise invalid([*path, "country_code"], f'"{country}" is not an ISO 3166-1 alpha-2 country code.')
    for key, pattern in (("latitude", _LATITUDE), ("longitude", _LONGITUDE)):
        if item[key] is not None and not pattern.fullmatch(item[key]):
            raise invalid([*path, key], f'"{item[key]}" is not a valid {key}.')
    return {key: item[key] for key in LOCATION_FIELDS}


def _actor(crm: Crm, _: Attribute, item: Any, path: Path) -> Data:
    if isinstance(item, dict) and "workspace_member_email_address" in item:
        key = item["workspace_member_email_address"]
    elif isinstance(item, dict):
        kind = item.get("referenced_actor_type")
        if kind != "workspace-member":
            raise invalid([*path, "referenced_actor_type"], "Only workspace-member actors can be written.")
        key = item.get("referenced_actor_id")
        if not is_uuid(key):
            raise invalid([*path, "referenced_actor_id"], "Invalid uuid")
    else:
        key = item
        if not isinstance(key, str) or "@" not in key:
            raise invalid(path, "Expected a workspace member's email address or an actor reference.")
    if not isinstance(key, str):
        raise _expected(path, "string", key)
    member = crm.workspace.member(key)
    if member is None:
        raise bad_request("value_not_found", f'Workspace member with ID "{key}" not found.')
    return {"referenced_actor_type": "workspace-member", "referenced_actor_id": member.id}


def _reference(crm: Crm, attribute: Attribute, item: Any, path: Path) -> Data:
    if isinstance(item, str):
        allowed = attribute.allowed_object_ids or ()
        target = crm.objects.get(allowed[0]) if len(allowed) == 1 else None
        slug = _BARE_REFERENCE.get(target.kind) if target else None
        if target is None or slug is None:
            raise invalid(path, f'Attribute "{attribute.slug}" needs target_object and target_record_id.')
        return _target(target, _match(crm, target, slug, item, path))
    if not isinstance(item, dict):
        raise _expected(path, "string or object", item)
    name = item.get("target_object")
    if not isinstance(name, str):
        raise invalid([*path, "target_object"], "Required")
    target = crm.object(name)
    if target is None or not target.enabled:
        raise bad_request("value_not_found", f'Object with slug/ID "{name}" not found.')
    if attribute.allowed_object_ids is not None and target.id not in attribute.allowed_object_ids:
        raise invalid(
            [*path, "target_object"],
            f'Attribute "{attribute.slug}" does not allow records of object "{target.slug}".',
        )
    others = [key for key in item if key != "target_object"]
    if len(others) != 1:
        raise invalid(path, "Expected target_record_id, or exactly one matching attribute.")
    if others[0] == "target_record_id":
        record_id = item["target_record_id"]
        if not is_uuid(record_id):
            raise invalid([*path, "target_record_id"], "Invalid uuid")
        if target.table.get(record_id.lower()) is None:
            raise bad_request("value_not_found", f'Record with ID "{record_id}" not found.')
        return _target(target, record_id.lower())
    return _target(target, _match(crm, target, others[0], item[others[0]], [*path, others[0]]))


def _target(target: Object, record_id: str) -> Data:
    return {"target_object_id": target.id, "target_record_id": record_id}


def _match(crm: Crm, target: Object, slug: str, raw: Any, path: Path) -> str:
    """Find the record of `target` that holds a unique value."""
    matching = target.attribute(slug)
    if matching is None or matching.is_archived:
        raise bad_request(
            "value_not_found", f'No attribute was found for matching_attribute slug/ID "{slug}".'
        )
    if not matching.is_unique:
        raise bad_request(
            "matching_attribute_definition_not_unique",
            f'Attribute with slug "{matching.slug}" is not unique.',
        )
    if isinstance(raw, list) and len(raw) != 1:
        raise invalid(path, "Expected an array of exactly one value.")
    item = raw[0] if isinstance(raw, list) else raw
    data = _READERS[matching.type](crm, matching, item, path)
    holders = target.table.holders(matching.id, identity(matching.type, data))
    if not holders:
        raise bad_request("value_not_found", f'Record with {matching.slug} "{_shown(item)}" not found.')
    return holders[0]


def _shown(item: Any) -> Any:
    return next(iter(item.values()), "") if isinstance(item, dict) else item


_READERS: dict[str, Callable[[Crm, Attribute, Any, Path], Data]] = {
    "text": _text,
    "number": _number,
    "checkbox": _checkbox,
    "currency": _currency,
    "date": _date,
    "timestamp": _timestamp,
    "rating": _rating,
    "status": _status,
    "select": _select,
    "record-reference": _reference,
    "actor-reference": _actor,
    "location": _location,
    "domain": _domain,
    "email-address": _email,
    "phone-number": _phone,
    "personal-name": _name,
}
