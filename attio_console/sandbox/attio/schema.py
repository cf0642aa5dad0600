"""Making and changing objects, lists, attributes, options and statuses, and their JSON."""

from __future__ import annotations

from typing import Any

from attio_console.sandbox.attio.state import Attribute, Container, Crm, List, Object, Option, Status
from attio_console.sandbox.attio.table import MemoryTable
from attio_console.sandbox.attio.values import option_json, status_json
from attio_console.sandbox.world import SYSTEM, Actor

SYSTEM_TAIL = ("created_at", "created_by")


def new_object(crm: Crm, slug: str, singular: str, plural: str, *, standard: bool = False) -> Object:
    """Make an object with the three attributes every object has."""
    target = Object(crm.new_id(), slug, singular, plural, crm.now(), standard=standard)
    target.table = MemoryTable(target)
    crm.objects[target.id] = target
    _own_attributes(crm, target, "Record ID")
    return target


def new_list(crm: Crm, slug: str, name: str, parent: Object, actor: Actor = SYSTEM) -> List:
    """Make a list with the attributes every list has."""
    target = List(crm.new_id(), slug, name, parent, crm.now(), actor)
    target.table = MemoryTable(target)
    crm.lists[target.id] = target
    _own_attributes(crm, target, "Entry ID")
    link = new_attribute(
        crm, target, slug="parent_record", title="Record", type="record-reference", is_system=True
    )
    link.allowed_object_ids = (parent.id,)
    link.is_writable = False
    link.is_hidden = True
    crm.workspace.events.emit("list.created", {"list_id": target.id}, actor)
    return target


def new_attribute(
    crm: Crm,
    container: Container,
    *,
    slug: str,
    title: str,
    type: str,
    description: str | None = None,
    is_system: bool = False,
    is_writable: bool = True,
    is_required: bool = False,
    is_unique: bool = False,
    is_multiselect: bool = False,
) -> Attribute:
    """Add an attribute; created_at and created_by stay last."""
    attribute = Attribute(
        crm.new_id(),
        container.id,
        slug,
        title,
        type,
        crm.now(),
        description=description,
        is_system=is_system,
        is_writable=is_writable,
        is_required=is_required,
        is_unique=is_unique,
        is_multiselect=is_multiselect,
    )
    # A live object lists its system attributes up to created_by, then the workspace's own ones.
    tail = [a for a in container.attributes.values() if a.slug in SYSTEM_TAIL] if is_system else []
    if slug in SYSTEM_TAIL:
        tail = []
    for each in tail:
        del container.attributes[each.id]
    container.put_attribute(attribute)
    for each in tail:
        container.put_attribute(each)
    return attribute


def relate(one: Object, here: Attribute, other: Object, there: Attribute) -> None:
    """Entangle two record-reference attributes."""
    here.relationship, there.relationship = there.id, here.id
    here.allowed_object_ids, there.allowed_object_ids = (other.id,), (one.id,)
    one.version += 1
    other.version += 1


def new_option(crm: Crm, container: Container, attribute: Attribute, title: str) -> Option:
    """Add a choice to a select attribute."""
    option = Option(crm.new_id(), title)
    attribute.options[option.id] = option
    container.version += 1
    return option


def new_status(
    crm: Crm,
    container: Container,
    attribute: Attribute,
    title: str,
    *,
    celebration_enabled: bool = False,
    target_time_in_status: str | None = None,
) -> Status:
    """Add a column to a status attribute."""
    status = Status(
        crm.new_id(),
        title,
        celebration_enabled=celebration_enabled,
        target_time_in_status=target_time_in_status,
    )
    attribute.statuses[status.id] = status
    container.version += 1
    return status


def attribute_event(crm: Crm, container: Container, attribute: Attribute, actor: Actor, what: str) -> None:
    """Tell that an attribute was `created` or `updated`."""
    kind, key = ("list", "list_id") if isinstance(container, List) else ("object", "object_id")
    ids = {key: container.id, "attribute_id": attribute.id}
    crm.workspace.events.emit(f"{kind}-attribute.{what}", ids, actor)


def object_json(crm: Crm, target: Object) -> dict[str, Any]:
    """Return an object as responses show it."""
    return {
        "id": {"workspace_id": crm.workspace.id, "object_id": target.id},
        "api_slug": target.slug,
        "singular_noun": target.singular,
        "plural_noun": target.plural,
        "created_at": target.created_at,
    }


def list_json(crm: Crm, target: List) -> dict[str, Any]:
    """Return a list as responses show it."""
    return {
        "id": {"workspace_id": crm.workspace.id, "list_id": target.id},
        "api_slug": target.slug,
        "name": target.name,
        "parent_object": [target.parent.slug],
        "workspace_access": target.workspace_access,
        "workspace_member_access": target.member_access,
        "created_by_actor": target.created_by.json(),
        "created_at": target.created_at,
    }


def attribute_json(crm: Crm, attribute: Attribute) -> dict[str, Any]:
    """Return an attribute as responses show it; of a list's attribute, too, the key is `object_id`."""
    relationship = None
    other = crm.other_side(attribute)
    if other is not None:
        target, reverse = other
        relationship = {
            "id": {"workspace_id": crm.workspace.id, "object_id": target.id, "attribute_id": reverse.id},
            "object_slug": target.slug,
            "title": reverse.title,
            "api_slug": reverse.slug,
            "is_multiselect": reverse.is_multiselect,
        }
    allowed = attribute.allowed_object_ids
    return {
        "id": {
            "workspace_id": crm.workspace.id,
            "object_id": attribute.container_id,
            "attribute_id": attribute.id,
        },
        "title": attribute.title,
        "description": attribute.description,
        "api_slug": attribute.slug,
        "type": attribute.type,
        "is_system_attribute": attribute.is_system,
        "is_writable": attribute.is_writable,
        "is_required": attribute.is_required,
        "is_unique": attribute.is_unique,
        "is_multiselect": attribute.is_multiselect,
        "is_default_value_enabled": attribute.is_default_value_enabled,
        "is_archived": attribute.is_archived,
        "default_value": attribute.default_value,
        "relationship": relationship,
        "created_at": attribute.created_at,
        "config": {
            "currency": {
                "default_currency_code": attribute.default_currency_code,
                "display_type": attribute.display_type,
            },
            "record_reference": {"allowed_object_ids": list(allowed) if allowed is not None else None},
        },
    }


def options_json(crm: Crm, attribute: Attribute, *, archived: bool) -> list[Any]:
    """Return the options of a select attribute."""
    return [
        option_json(crm, attribute, o.id) for o in attribute.options.values() if archived or not o.is_archived
    ]


def statuses_json(crm: Crm, attribute: Attribute, *, archived: bool) -> list[Any]:
    """Return the statuses of a status attribute."""
    return [
        status_json(crm, attribute, s.id)
        for s in attribute.statuses.values()
        if archived or not s.is_archived
    ]


def _own_attributes(crm: Crm, container: Container, title: str) -> None:
    for slug, name, kind in (
        (container.id_slug, title, "text"),
        ("created_at", "Created at", "timestamp"),
        ("created_by", "Created by", "actor-reference"),
    ):
        new_attribute(
            crm,
            container,
            slug=slug,
            title=name,
            type=kind,
            is_system=True,
            is_writable=False,
            is_unique=slug == container.id_slug,
        )
