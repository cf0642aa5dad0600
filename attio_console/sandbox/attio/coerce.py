"""Values as they are written: every documented form of each type is read, everything else is refused as Attio refuses it."""

from __future__ import annotations

import uuid
from typing import Any

from attio_console.sandbox.attio import words
from attio_console.sandbox.attio.errors import ApiError, bad_request, invalid
from attio_console.sandbox.attio.plain_values import READERS, Data, Path, Reader, expected, field_of, kind_of
from attio_console.sandbox.attio.state import Attribute, Crm, Object, Option
from attio_console.sandbox.attio.values import identity

__all__ = ["Data", "Path", "coerce", "default_values", "find_option", "is_uuid", "read_only"]

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
        raise invalid(path, "Expected array, received " + kind_of(raw))
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


def _inner(attribute: Attribute, shown: Data) -> Data:
    """Turn a default's template, kept as responses show it, back into stored data."""
    data = {k: v for k, v in shown.items() if k != "attribute_type"}
    if attribute.type == "select":
        return {"option": data["option"]["id"]["option_id"]}
    if attribute.type == "status":
        return {"status": data["status"]["id"]["status_id"]}
    return data


def _select(_: Crm, attribute: Attribute, item: Any, path: Path) -> Data:
    value, path = field_of(attribute, item, "option", path)
    if not isinstance(value, str):
        raise expected(path, "string", value)
    option = find_option(attribute.options, value)
    if option is None:
        raise bad_request(
            "value_not_found", f'Cannot find select attribute with select option title "{value}".'
        )
    return {"option": option.id}


def _status(_: Crm, attribute: Attribute, item: Any, path: Path) -> Data:
    value, path = field_of(attribute, item, "status", path)
    if not isinstance(value, str):
        raise expected(path, "string", value)
    status = find_option(attribute.statuses, value)
    if status is None:
        raise bad_request(
            "value_not_found", f'Cannot find status attribute with status option title "{value}".'
        )
    return {"status": status.id}


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
        raise expected(path, "string", key)
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
        raise expected(path, "string or object", item)
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


_READERS: dict[str, Reader] = {
    **READERS,
    "status": _status,
    "select": _select,
    "record-reference": _reference,
    "actor-reference": _actor,
}
