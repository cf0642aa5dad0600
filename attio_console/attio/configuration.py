"""Objects, attributes, options, statuses, views and members: what a workspace is made of."""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal

from attio_console.attio.things import AttributeInfo, MemberInfo, ObjectInfo, OptionInfo, StatusInfo, View
from attio_console.attio.wire import Wire, walk_cursor
from attio_console.net import Lane

Target = Literal["objects", "lists"]


class Group:
    """A group of operations on one wire."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire


def given(**fields: Any) -> dict[str, Any]:
    """Return the fields that were given: None means "not said", so a body never carries it by accident."""
    return {name: value for name, value in fields.items() if value is not None}


class Objects(Group):
    """`/v2/objects`."""

    async def list(self, *, lane: Lane = Lane.INTERACTIVE) -> builtins.list[ObjectInfo]:
        """List the objects, standard and custom."""
        return await self._wire.many(ObjectInfo, "GET", ("objects",), lane=lane)

    async def get(self, object_id: str, *, lane: Lane = Lane.INTERACTIVE) -> ObjectInfo:
        """Get one object by slug or id."""
        return await self._wire.one(ObjectInfo, "GET", ("objects", object_id), lane=lane)

    async def create(
        self, *, api_slug: str, singular_noun: str, plural_noun: str, lane: Lane = Lane.INTERACTIVE
    ) -> ObjectInfo:
        """Create a custom object."""
        data = {"api_slug": api_slug, "singular_noun": singular_noun, "plural_noun": plural_noun}
        return await self._wire.one(ObjectInfo, "POST", ("objects",), json={"data": data}, lane=lane)

    async def update(
        self,
        object_id: str,
        *,
        api_slug: str | None = None,
        singular_noun: str | None = None,
        plural_noun: str | None = None,
        lane: Lane = Lane.INTERACTIVE,
    ) -> ObjectInfo:
        """Rename an object."""
        data = given(api_slug=api_slug, singular_noun=singular_noun, plural_noun=plural_noun)
        return await self._wire.one(
            ObjectInfo, "PATCH", ("objects", object_id), json={"data": data}, lane=lane
        )

    async def delete(self, object_id: str, *, lane: Lane = Lane.INTERACTIVE) -> None:
        """Delete a custom object with all its records."""
        await self._wire.delete(("objects", object_id), lane=lane)

    def views(
        self,
        object_id: str,
        *,
        show_archived: bool | None = None,
        lane: Lane = Lane.INTERACTIVE,
    ) -> AsyncIterator[View]:
        """Iterate over the saved views of an object."""
        return _views(self._wire, ("objects", object_id, "views"), show_archived, lane)


def _views(wire: Wire, path: tuple[str, ...], show_archived: bool | None, lane: Lane) -> AsyncIterator[View]:
    return walk_cursor(
        lambda cursor: wire.page(
            View,
            "GET",
            path,
            params={"show_archived": show_archived, "limit": 500, "cursor": cursor},
            lane=lane,
        )
    )


def list_views(wire: Wire, list_id: str, show_archived: bool | None, lane: Lane) -> AsyncIterator[View]:
    """Iterate over the saved views of a list."""
    return _views(wire, ("lists", list_id, "views"), show_archived, lane)


class Attributes(Group):
    """`/v2/{objects|lists}/{identifier}/attributes`. `target` says which of the two."""

    async def list(
        self,
        identifier: str,
        *,
        target: Target = "objects",
        show_archived: bool | None = None,
        limit: int | None = None,
        offset: int | None = None,
        lane: Lane = Lane.INTERACTIVE,
    ) -> builtins.list[AttributeInfo]:
        """List the attributes of an object or a list, in the order Attio shows them; all of them unless limited."""
        params = {"show_archived": show_archived, "limit": limit, "offset": offset}
        return await self._wire.many(
            AttributeInfo, "GET", (target, identifier, "attributes"), params=params, lane=lane
        )

    async def get(
        self, identifier: str, attribute: str, *, target: Target = "objects", lane: Lane = Lane.INTERACTIVE
    ) -> AttributeInfo:
        """Get one attribute by slug or id."""
        return await self._wire.one(
            AttributeInfo, "GET", (target, identifier, "attributes", attribute), lane=lane
        )

    async def create(
        self,
        identifier: str,
        *,
        title: str,
        api_slug: str,
        type: str,
        target: Target = "objects",
        description: str | None = None,
        is_required: bool = False,
        is_unique: bool = False,
        is_multiselect: bool = False,
        default_value: Mapping[str, Any] | None = None,
        relationship: Mapping[str, Any] | None = None,
        config: Mapping[str, Any] | None = None,
        lane: Lane = Lane.INTERACTIVE,
    ) -> AttributeInfo:
        """Create an attribute."""
        data = {
            "title": title,
            "description": description,
            "api_slug": api_slug,
            "type": type,
            "is_required": is_required,
            "is_unique": is_unique,
            "is_multiselect": is_multiselect,
            "config": dict(config or {}),
            **given(default_value=default_value, relationship=relationship),
        }
        return await self._wire.one(
            AttributeInfo, "POST", (target, identifier, "attributes"), json={"data": data}, lane=lane
        )

    async def update(
        self,
        identifier: str,
        attribute: str,
        changes: Mapping[str, Any],
        *,
        target: Target = "objects",
        lane: Lane = Lane.INTERACTIVE,
    ) -> AttributeInfo:
        """Change what is named in `changes` (`title`, `description`, `api_slug`, `is_required`, `is_archived`, ...).

        Attributes are never deleted, only archived.
        """
        path = (target, identifier, "attributes", attribute)
        return await self._wire.one(AttributeInfo, "PATCH", path, json={"data": dict(changes)}, lane=lane)


class Options(Group):
    """`/v2/{target}/{identifier}/attributes/{attribute}/options`: the choices of a select attribute."""

    async def list(
        self,
        identifier: str,
        attribute: str,
        *,
        target: Target = "objects",
        show_archived: bool | None = None,
        lane: Lane = Lane.INTERACTIVE,
    ) -> builtins.list[OptionInfo]:
        """List the options."""
        path = (target, identifier, "attributes", attribute, "options")
        return await self._wire.many(
            OptionInfo, "GET", path, params={"show_archived": show_archived}, lane=lane
        )

    async def create(
        self,
        identifier: str,
        attribute: str,
        title: str,
        *,
        target: Target = "objects",
        lane: Lane = Lane.INTERACTIVE,
    ) -> OptionInfo:
        """Add an option."""
        path = (target, identifier, "attributes", attribute, "options")
        return await self._wire.one(OptionInfo, "POST", path, json={"data": {"title": title}}, lane=lane)

    async def update(
        self,
        identifier: str,
        attribute: str,
        option: str,
        *,
        title: str | None = None,
        is_archived: bool | None = None,
        target: Target = "objects",
        lane: Lane = Lane.INTERACTIVE,
    ) -> OptionInfo:
        """Rename or archive an option, named by id or title."""
        path = (target, identifier, "attributes", attribute, "options", option)
        data = given(title=title, is_archived=is_archived)
        return await self._wire.one(OptionInfo, "PATCH", path, json={"data": data}, lane=lane)


class Statuses(Group):
    """`/v2/{target}/{identifier}/attributes/{attribute}/statuses`: the stages of a status attribute."""

    async def list(
        self,
        identifier: str,
        attribute: str,
        *,
        target: Target = "objects",
        show_archived: bool | None = None,
        lane: Lane = Lane.INTERACTIVE,
    ) -> builtins.list[StatusInfo]:
        """List the statuses."""
        path = (target, identifier, "attributes", attribute, "statuses")
        return await self._wire.many(
            StatusInfo, "GET", path, params={"show_archived": show_archived}, lane=lane
        )

    async def create(
        self,
        identifier: str,
        attribute: str,
        title: str,
        *,
        celebration_enabled: bool | None = None,
        target_time_in_status: str | None = None,
        target: Target = "objects",
        lane: Lane = Lane.INTERACTIVE,
    ) -> StatusInfo:
        """Add a status; `target_time_in_status` is an ISO 8601 duration."""
        path = (target, identifier, "attributes", attribute, "statuses")
        data = {
            "title": title,
            **given(celebration_enabled=celebration_enabled, target_time_in_status=target_time_in_status),
        }
        return await self._wire.one(StatusInfo, "POST", path, json={"data": data}, lane=lane)

    async def update(
        self,
        identifier: str,
        attribute: str,
        status: str,
        changes: Mapping[str, Any],
        *,
        target: Target = "objects",
        lane: Lane = Lane.INTERACTIVE,
    ) -> StatusInfo:
        """Change what is named in `changes` (`title`, `celebration_enabled`, `target_time_in_status`, `is_archived`)."""
        path = (target, identifier, "attributes", attribute, "statuses", status)
        return await self._wire.one(StatusInfo, "PATCH", path, json={"data": dict(changes)}, lane=lane)


class Views(Group):
    """`/v2/{objects|lists}/{identifier}/views`."""

    def list(
        self,
        identifier: str,
        *,
        target: Target = "objects",
        show_archived: bool | None = None,
        lane: Lane = Lane.INTERACTIVE,
    ) -> AsyncIterator[View]:
        """Iterate over the saved views of an object or a list."""
        return _views(self._wire, (target, identifier, "views"), show_archived, lane)


class Members(Group):
    """`/v2/workspace_members`."""

    async def list(self, *, lane: Lane = Lane.INTERACTIVE) -> builtins.list[MemberInfo]:
        """List the members, the suspended ones too."""
        return await self._wire.many(MemberInfo, "GET", ("workspace_members",), lane=lane)

    async def get(self, workspace_member_id: str, *, lane: Lane = Lane.INTERACTIVE) -> MemberInfo:
        """Get one member."""
        return await self._wire.one(MemberInfo, "GET", ("workspace_members", workspace_member_id), lane=lane)
