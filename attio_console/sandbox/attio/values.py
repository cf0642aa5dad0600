"""Values as they are read: the live JSON of a value, what makes two values the same, and text for a label."""

from __future__ import annotations

from typing import Any

from attio_console.sandbox.attio.state import Attribute, Container, Crm, List, Object, Row, Value

_IDENTITY: dict[str, tuple[str, ...]] = {
    "currency": ("currency_value", "currency_code"),
    "select": ("option",),
    "status": ("status",),
    "record-reference": ("target_record_id",),
    "actor-reference": ("referenced_actor_type", "referenced_actor_id"),
    "location": (
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
    ),
    "domain": ("domain",),
    "email-address": ("email_address",),
    "phone-number": ("phone_number",),
    "personal-name": ("first_name", "last_name", "full_name"),
    "interaction": ("interaction_type", "interacted_at"),
}


def identity(type: str, data: dict[str, Any]) -> Any:
    """Return what makes two values of a type the same value."""
    fields = _IDENTITY.get(type)
    if fields is None:
        # 1 == True == 1.0 in Python; a checkbox is never compared with a number here.
        return data["value"]
    if len(fields) == 1:
        return data[fields[0]]
    return tuple(data[name] for name in fields)


def option_json(crm: Crm, attribute: Attribute, option_id: str) -> Any:
    """Return a select option as responses show it."""
    option = attribute.options.get(option_id)
    if option is None:
        return option_id
    return {
        "id": _child_id(crm, attribute, "option_id", option.id),
        "title": option.title,
        "is_archived": option.is_archived,
    }


def status_json(crm: Crm, attribute: Attribute, status_id: str) -> Any:
    """Return a status as responses show it."""
    status = attribute.statuses.get(status_id)
    if status is None:
        return status_id
    return {
        "id": _child_id(crm, attribute, "status_id", status.id),
        "title": status.title,
        "is_archived": status.is_archived,
        "target_time_in_status": status.target_time_in_status,
        "celebration_enabled": status.celebration_enabled,
    }


def value_json(crm: Crm, attribute: Attribute, value: Value) -> dict[str, Any]:
    """Return one value in the live shape: envelope, the type's fields, the type."""
    data = value.data
    fields: dict[str, Any]
    match attribute.type:
        case "select":
            fields = {"option": option_json(crm, attribute, data["option"])}
        case "status":
            fields = {"status": status_json(crm, attribute, data["status"])}
        case "record-reference":
            target = crm.objects.get(data["target_object_id"])
            fields = {
                "target_object": target.slug if target else data["target_object_id"],
                "target_record_id": data["target_record_id"],
            }
        case _:
            fields = data
    return {
        "active_from": value.active_from,
        "active_until": value.active_until,
        "created_by_actor": value.actor.json(),
        **fields,
        "attribute_type": attribute.type,
    }


def values_json(crm: Crm, container: Container, row: Row) -> dict[str, list[dict[str, Any]]]:
    """Return every attribute of a row with its active values, the empty ones too."""
    return {
        attribute.slug: [value_json(crm, attribute, value) for value in row.get(attribute.id)]
        for attribute in container.visible()
    }


def record_json(crm: Crm, object: Object, row: Row) -> dict[str, Any]:
    """Return a record in the live shape."""
    return {
        "id": {"workspace_id": crm.workspace.id, "object_id": object.id, "record_id": row.id},
        "created_at": row.created_at,
        "web_url": crm.web_url(object, row.id),
        "values": values_json(crm, object, row),
    }


def entry_json(crm: Crm, list: List, row: Row) -> dict[str, Any]:
    """Return a list entry in the live shape."""
    object_id, record_id = row.parent or ("", "")
    parent = crm.objects.get(object_id)
    return {
        "id": {"workspace_id": crm.workspace.id, "list_id": list.id, "entry_id": row.id},
        "parent_record_id": record_id,
        "parent_object": parent.slug if parent else "",
        "created_at": row.created_at,
        "entry_values": values_json(crm, list, row),
    }


def row_json(crm: Crm, container: Container, row: Row) -> dict[str, Any]:
    """Return a record or an entry, whichever the container holds."""
    if isinstance(container, List):
        return entry_json(crm, container, row)
    assert isinstance(container, Object)
    return record_json(crm, container, row)


def first(container: Container, row: Row, slug: str) -> dict[str, Any] | None:
    """Return the data of the first active value of an attribute."""
    attribute = container.attribute(slug)
    values = row.get(attribute.id) if attribute else ()
    return values[0].data if values else None


def label(object: Object, row: Row) -> str:
    """Return what a person would call a record."""
    data = first(object, row, "name")
    if data is not None:
        return str(data.get("full_name") or data.get("value") or "")
    for slug in ("email_addresses", "domains", "user_id", "workspace_id"):
        data = first(object, row, slug)
        if data is not None:
            return str(data.get("email_address") or data.get("domain") or data.get("value") or "")
    for attribute in object.visible():
        if attribute.type == "text" and not attribute.is_system and (values := row.get(attribute.id)):
            return str(values[0].data["value"])
    return ""


def _child_id(crm: Crm, attribute: Attribute, name: str, id: str) -> dict[str, str]:
    return {
        "workspace_id": crm.workspace.id,
        "object_id": attribute.container_id,
        "attribute_id": attribute.id,
        name: id,
    }
