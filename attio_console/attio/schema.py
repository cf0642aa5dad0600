"""The whole shape of a workspace, read in one go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attio_console import errors
from attio_console.attio.configuration import Target
from attio_console.attio.things import AttributeInfo, ListInfo, MemberInfo, ObjectInfo, OptionInfo, StatusInfo
from attio_console.attio.wire import together
from attio_console.model.clock import Clock
from attio_console.model.schema import Attribute, ListSchema, Member, ObjectSchema, Option, Schema, Status
from attio_console.net import Lane

if TYPE_CHECKING:
    from attio_console.attio.client import AsyncAttio


async def read_schema(attio: AsyncAttio, clock: Clock, lane: Lane) -> Schema:
    """Fetch objects, lists, their attributes with options and statuses, and the members.

    What the token's scopes do not cover is left out, except the objects: without them there is nothing to show.
    """
    identity = await attio.self_(lane=lane)
    if not identity.active:
        raise errors.NotAuthorised("Attio does not know this token, or it was revoked.", status=401)
    objects, lists, members = await together(
        attio.objects.list(lane=lane), _lists(attio, lane), _members(attio, lane)
    )
    shaped = await together(
        *(_object(attio, info, lane) for info in objects if isinstance(info, ObjectInfo)),
        *(_list(attio, info, lane) for info in lists if isinstance(info, ListInfo)),
    )
    return Schema(
        workspace_id=identity.workspace_id,
        workspace_name=identity.workspace_name,
        workspace_slug=identity.workspace_slug,
        objects=tuple(one for one in shaped if isinstance(one, ObjectSchema)),
        lists=tuple(one for one in shaped if isinstance(one, ListSchema)),
        members=tuple(member_of(info) for info in members if isinstance(info, MemberInfo)),
        fetched_at=clock.now().isoformat(),
    )


async def read_attributes(
    attio: AsyncAttio, target: Target, identifier: str, lane: Lane
) -> tuple[Attribute, ...]:
    """Fetch the attributes of one object or list, with the options and statuses of those that have them."""
    infos = await attio.attributes.list(identifier, target=target, show_archived=True, lane=lane)
    return tuple(await together(*(_attribute(attio, target, identifier, info, lane) for info in infos)))


async def _lists(attio: AsyncAttio, lane: Lane) -> Sequence[ListInfo]:
    try:
        return await attio.lists.list(lane=lane)
    except errors.Forbidden:
        return ()


async def _members(attio: AsyncAttio, lane: Lane) -> Sequence[MemberInfo]:
    try:
        return await attio.members.list(lane=lane)
    except errors.Forbidden:
        return ()


async def _object(attio: AsyncAttio, info: ObjectInfo, lane: Lane) -> ObjectSchema:
    try:
        attributes = await read_attributes(attio, "objects", info.id.object_id, lane)
    except errors.NotFound:
        # The live API also lists objects, such as workspace members, that answer to nothing else.
        attributes = ()
    slug = info.api_slug or info.id.object_id
    return ObjectSchema(
        id=info.id.object_id,
        slug=slug,
        singular=info.singular_noun or slug,
        plural=info.plural_noun or slug,
        attributes=attributes,
    )


async def _list(attio: AsyncAttio, info: ListInfo, lane: Lane) -> ListSchema:
    try:
        attributes = await read_attributes(attio, "lists", info.id.list_id, lane)
    except (errors.NotFound, errors.Forbidden):
        attributes = ()
    slug = info.api_slug or info.id.list_id
    return ListSchema(
        id=info.id.list_id,
        slug=slug,
        name=info.name or slug,
        parent_object=info.parent,
        attributes=attributes,
    )


async def _attribute(
    attio: AsyncAttio, target: Target, identifier: str, info: AttributeInfo, lane: Lane
) -> Attribute:
    options: Sequence[OptionInfo] = ()
    statuses: Sequence[StatusInfo] = ()
    name = info.id.attribute_id or info.api_slug or ""
    if info.type == "select":
        options = await attio.options.list(identifier, name, target=target, show_archived=True, lane=lane)
    elif info.type == "status":
        statuses = await attio.statuses.list(identifier, name, target=target, show_archived=True, lane=lane)
    return attribute_of(info, options, statuses)


def attribute_of(
    info: AttributeInfo, options: Sequence[OptionInfo] = (), statuses: Sequence[StatusInfo] = ()
) -> Attribute:
    """Return the plain form of an attribute's configuration."""
    config = info.config
    slug = info.api_slug or info.id.attribute_id
    return Attribute(
        id=info.id.attribute_id,
        slug=slug,
        title=info.title or slug,
        type=info.type or "",
        is_multi=info.is_multiselect,
        is_required=info.is_required,
        is_unique=info.is_unique,
        is_writable=info.is_writable,
        is_system=info.is_system_attribute,
        is_archived=info.is_archived,
        options=tuple(Option(one.id.option_id, one.title, one.is_archived) for one in options),
        statuses=tuple(
            Status(
                one.id.status_id,
                one.title,
                one.is_archived,
                one.target_time_in_status,
                one.celebration_enabled,
            )
            for one in statuses
        ),
        currency_code=config.currency.default_currency_code if config and config.currency else None,
        target_object_ids=tuple(
            (config.record_reference.allowed_object_ids or ()) if config and config.record_reference else ()
        ),
        relationship=info.relationship.api_slug if info.relationship else None,
    )


def member_of(info: MemberInfo) -> Member:
    """Return the plain form of a workspace member."""
    return Member(
        id=info.id.workspace_member_id,
        first_name=info.first_name or "",
        last_name=info.last_name or "",
        email=info.email_address or "",
        access_level=info.access_level or "member",
    )
