"""Values as they are written: refused here, with the reason Attio would give, before a request is spent.

Only what Attio is known to refuse is refused. What several forms can say is sent in the form that is safe.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from attio_console import errors
from attio_console.attio.values import LOCATION_PARTS
from attio_console.model.schema import Attribute, ListSchema, ObjectSchema, Schema

Path = tuple[str | int, ...]

_TEXT_BYTES = 10_000_000
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2}([T ].*)?)?)?")
_TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?(Z|z|[+-]\d{2}(:?\d{2})?)?)?")
_KEPT_BY_ATTIO = "interaction"


def check_values(
    shape: ObjectSchema | ListSchema,
    values: Mapping[str, Any],
    schema: Schema | None = None,
    *,
    container: str = "values",
) -> dict[str, Any]:
    """Return the values to send for an object or list, or raise the refusal they would meet."""
    return {
        slug: check_value(_attribute(shape, slug, container), value, schema, path=("data", container, slug))
        for slug, value in values.items()
    }


def check_value(attribute: Attribute, value: Any, schema: Schema | None = None, *, path: Path = ()) -> Any:
    """Return what to send for one attribute, or raise the refusal it would meet."""
    if attribute.is_archived:
        raise _unknown(f'The attribute "{attribute.title}" is archived.', path)
    if not attribute.is_writable or attribute.type == _KEPT_BY_ATTIO:
        raise _refused(
            "system_edit_unauthorized", f'Attio keeps the attribute "{attribute.title}" itself.', path
        )
    # null and [] both clear; [] is the form every type takes.
    items = value if isinstance(value, list) else [] if value is None else [value]
    if not items:
        if attribute.is_required:
            raise _refused("missing_value", f'"{attribute.title}" is required and cannot be cleared.', path)
        return []
    if len(items) > 1 and not attribute.is_multi:
        raise _refused(
            "multiple_values_for_single_value_attribute",
            f'"{attribute.title}" holds one value, {len(items)} were given.',
            path,
        )
    check = _CHECKS.get(attribute.type)
    if check is None:
        return value
    scope = schema or Schema()
    checked = [
        check(attribute, item, scope, (*path, index) if isinstance(value, list) else path)
        for index, item in enumerate(items)
    ]
    return checked if attribute.is_multi or isinstance(value, list) else checked[0]


def check_matching(
    shape: ObjectSchema, matching_attribute: str, path: Path = ("matching_attribute",)
) -> None:
    """Raise the refusal an upsert would meet for what it matches on."""
    attribute = shape.attribute(matching_attribute)
    if attribute is None:
        raise _unknown(f'There is no attribute "{matching_attribute}" to match on.', path)
    if not attribute.is_unique:
        raise _refused(
            "matching_attribute_definition_not_unique",
            f'"{attribute.title}" is not unique, so records cannot be matched on it.',
            path,
        )


def _attribute(shape: ObjectSchema | ListSchema, slug: str, container: str) -> Attribute:
    attribute = shape.attribute(slug)
    if attribute is None:
        name = shape.name if isinstance(shape, ListSchema) else shape.plural
        raise _unknown(f'{name} have no attribute "{slug}".', ("data", container, slug))
    return attribute


def _refused(
    code: str, message: str, path: Path, kind: type[errors.Refused] = errors.Refused
) -> errors.Refused:
    # Status 0: nothing was sent.
    return kind(message, code=code, issues=[errors.ValidationIssue(path, message, code)])


def _unknown(message: str, path: Path) -> errors.Refused:
    return _refused("value_not_found", message, path, errors.UnknownReference)


def _wrong(attribute: Attribute, expected: str, value: Any, path: Path) -> errors.Refused:
    return _refused(
        "validation_type", f'"{attribute.title}" takes {expected}, not {_described(value)}.', path
    )


def _described(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else value[:39] + "…")
    if isinstance(value, (bool, int, float)):
        return str(value).lower()
    return "a list" if isinstance(value, Sequence) else "an object" if isinstance(value, Mapping) else "this"


def _inner(attribute: Attribute, item: Any, name: str, path: Path) -> Any:
    """Return what `{name: value}` holds, or the bare value."""
    if not isinstance(item, Mapping):
        return item
    if name not in item:
        raise _wrong(attribute, f'a value or {{"{name}": ...}}', item, path)
    return item[name]


def _text(attribute: Attribute, item: Any, _: Schema, path: Path) -> Any:
    value = _inner(attribute, item, "value", path)
    if not isinstance(value, str):
        raise _wrong(attribute, "text", value, path)
    if len(value) > _TEXT_BYTES // 4 and len(value.encode("utf-8", "replace")) > _TEXT_BYTES:
        raise _refused("validation_type", f'"{attribute.title}" is longer than 10 MB.', path)
    return item


def _number(attribute: Attribute, item: Any, _: Schema, path: Path) -> Any:
    value = _inner(attribute, item, "value", path)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise _wrong(attribute, "a number", value, path)
    return item


def _currency(attribute: Attribute, item: Any, _: Schema, path: Path) -> Any:
    value = _inner(attribute, item, "currency_value", path)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise _wrong(attribute, "an amount", value, path)
    # The currency is the attribute's; sending one per value is at best ignored.
    return {"currency_value": value}


def _rating(attribute: Attribute, item: Any, _: Schema, path: Path) -> Any:
    value = _inner(attribute, item, "value", path)
    if isinstance(value, bool) or value not in (0, 1, 2, 3, 4, 5):
        raise _wrong(attribute, "a whole number from 0 to 5", value, path)
    return item


def _checkbox(attribute: Attribute, item: Any, _: Schema, path: Path) -> Any:
    value = _inner(attribute, item, "value", path)
    if not isinstance(value, bool) and value not in ("true", "false"):
        raise _wrong(attribute, "true or false", value, path)
    return item


def _date(attribute: Attribute, item: Any, _: Schema, path: Path) -> Any:
    value = _inner(attribute, item, "value", path)
    if not isinstance(value, str) or not _DATE.fullmatch(value.strip()):
        raise _wrong(attribute, "a date such as 2026-11-23", value, path)
    return item


def _timestamp(attribute: Attribute, item: Any, _: Schema, path: Path) -> Any:
    value = _inner(attribute, item, "value", path)
    if not isinstance(value, str) or not _TIMESTAMP.fullmatch(value.strip()):
        raise _wrong(attribute, "a time such as 2026-11-23T09:00:00Z", value, path)
    return item


def _choice(word: str) -> Callable[[Attribute, Any, Schema, Path], Any]:
    def check(attribute: Attribute, item: Any, _: Schema, path: Path) -> Any:
        value = _inner(attribute, item, word, path)
        if not isinstance(value, str):
            raise _wrong(attribute, "the title or id of a choice", value, path)
        choices = attribute.options if word == "option" else attribute.statuses
        named = [one for one in choices if value in (one.id, one.title)]
        found = next((one for one in named if not one.is_archived), None)
        if found is None:
            reason = "is archived in" if named else "is not a choice of"
            raise _unknown(f'"{value}" {reason} "{attribute.title}".', path)
        # A bare id is taken by Attio and then ignored, so an id always travels inside its object.
        return {word: value} if value == found.id else item

    return check


def _domain(attribute: Attribute, item: Any, _: Schema, path: Path) -> Any:
    value = _inner(attribute, item, "domain", path)
    if not isinstance(value, str) or "." not in value.strip(". ") or any(c.isspace() for c in value.strip()):
        raise _wrong(attribute, "a domain such as acme.com", value, path)
    return item


def _email(attribute: Attribute, item: Any, _: Schema, path: Path) -> Any:
    value = _inner(attribute, item, "email_address", path)
    if not isinstance(value, str) or not re.fullmatch(r"\s*[^\s@]+@[^\s@]+\.[^\s@]+\s*", value):
        raise _wrong(attribute, "an e-mail address", value, path)
    return item


def _phone(attribute: Attribute, item: Any, _: Schema, path: Path) -> Any:
    value = _inner(attribute, item, "original_phone_number", path)
    if not isinstance(value, str) or not any(c.isdigit() for c in value):
        raise _wrong(attribute, "a phone number", value, path)
    country = item.get("country_code") if isinstance(item, Mapping) else None
    if not value.strip().startswith("+") and not country:
        raise _refused(
            "validation_type",
            f'"{attribute.title}" needs a phone number that starts with + or comes with a country code.',
            path,
        )
    return item


def _name(attribute: Attribute, item: Any, _: Schema, path: Path) -> Any:
    if isinstance(item, str):
        return item
    parts = ("first_name", "last_name", "full_name")
    if not isinstance(item, Mapping) or not all(isinstance(item.get(part), str) for part in parts):
        raise _wrong(attribute, '"Last, First" or first_name, last_name and full_name together', item, path)
    return item


def _location(attribute: Attribute, item: Any, _: Schema, path: Path) -> Any:
    if isinstance(item, str):
        return item
    if not isinstance(item, Mapping):
        raise _wrong(attribute, "an address", item, path)
    missing = [part for part in LOCATION_PARTS if part not in item]
    if missing:
        raise _refused(
            "validation_type",
            f'"{attribute.title}" needs all ten parts of an address; missing: {", ".join(missing)}.',
            (*path, missing[0]),
        )
    for part in LOCATION_PARTS:
        if item[part] is not None and not isinstance(item[part], str):
            raise _wrong(attribute, f"text or null as {part}", item[part], (*path, part))
    return item


def _actor(attribute: Attribute, item: Any, schema: Schema, path: Path) -> Any:
    if isinstance(item, Mapping) and "workspace_member_email_address" in item:
        named = item["workspace_member_email_address"]
    elif isinstance(item, Mapping):
        if item.get("referenced_actor_type") != "workspace-member":
            raise _wrong(attribute, "a workspace member; no other actor can be written", item, path)
        named = item.get("referenced_actor_id")
    else:
        named = item
    if not isinstance(named, str):
        raise _wrong(attribute, "a member's e-mail address or id", named, path)
    if schema.members and schema.member(named) is None:
        raise _unknown(f'"{named}" is not a member of this workspace.', path)
    return item


def _reference(attribute: Attribute, item: Any, schema: Schema, path: Path) -> Any:
    if isinstance(item, str):
        if len(attribute.target_object_ids) != 1:
            raise _wrong(attribute, "target_object and target_record_id", item, path)
        return item
    if not isinstance(item, Mapping) or not isinstance(item.get("target_object"), str):
        raise _wrong(attribute, "target_object and target_record_id", item, path)
    target = schema.object(item["target_object"])
    if schema.objects and target is None:
        raise _unknown(f'There is no object "{item["target_object"]}".', (*path, "target_object"))
    if target is not None and attribute.target_object_ids and target.id not in attribute.target_object_ids:
        raise _refused(
            "validation_type",
            f'"{attribute.title}" does not refer to {target.plural}.',
            (*path, "target_object"),
        )
    others = [key for key in item if key != "target_object"]
    if len(others) != 1:
        raise _wrong(attribute, "target_record_id or exactly one attribute to match on", item, path)
    if others == ["target_record_id"]:
        if not _is_uuid(item["target_record_id"]):
            raise _wrong(attribute, "a record id", item["target_record_id"], (*path, "target_record_id"))
    elif target is not None:
        check_matching(target, others[0], (*path, others[0]))
    return item


def _is_uuid(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        return str(UUID(value)) == value.lower()
    except ValueError:
        return False


_CHECKS: dict[str, Callable[[Attribute, Any, Schema, Path], Any]] = {
    "text": _text,
    "number": _number,
    "checkbox": _checkbox,
    "currency": _currency,
    "date": _date,
    "timestamp": _timestamp,
    "rating": _rating,
    "status": _choice("status"),
    "select": _choice("option"),
    "record-reference": _reference,
    "actor-reference": _actor,
    "location": _location,
    "domain": _domain,
    "email-address": _email,
    "phone-number": _phone,
    "personal-name": _name,
}
