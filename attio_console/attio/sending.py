"""What is known of the values about to be written: are they acceptable, and may they be written twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from attio_console import errors
from attio_console.attio.configuration import Target
from attio_console.attio.writing import check_matching, check_values
from attio_console.model.clock import Clock
from attio_console.model.schema import Attribute, ListSchema, ObjectSchema, Schema
from attio_console.net import Resend

Refresh = Callable[[Target, str], Awaitable[tuple[Attribute, ...]]]

# A name the schema does not know is looked up afresh before it is refused, but not more often than this.
_REFRESH_EVERY_S = 10.0


class Written:
    """Checks values against the schema before a request is spent on them, where the schema is known."""

    def __init__(self, refresh: Refresh, clock: Clock) -> None:
        self.schema: Schema | None = None
        self._refresh = refresh
        self._clock = clock
        self._refreshed: dict[str, float] = {}

    def attributes(self, target: Target, identifier: str) -> Mapping[str, Attribute]:
        """Return the known attributes of an object or list by slug and id; empty where it is not known."""
        shape = self._shape(target, identifier)
        if shape is None:
            return {}
        return {a.slug: a for a in shape.attributes} | {a.id: a for a in shape.attributes}

    async def checked(self, target: Target, identifier: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values to send, or raise the refusal they would meet."""
        container = "values" if target == "objects" else "entry_values"
        shape = self._shape(target, identifier)
        if shape is None or self.schema is None:
            return dict(values)
        try:
            return check_values(shape, values, self.schema, container=container)
        except errors.UnknownReference:
            last = self._refreshed.get(shape.id)
            now = self._clock.monotonic()
            if last is not None and now - last < _REFRESH_EVERY_S:
                raise
            self._refreshed[shape.id] = now
        # Somebody may have added the attribute or the option since the schema was read.
        shape = self._replace(shape, await self._refresh(target, shape.id))
        return check_values(shape, values, self.schema, container=container)

    def check_matching(self, identifier: str, matching_attribute: str) -> None:
        """Raise the refusal an upsert would meet for what it matches on."""
        shape = self._shape("objects", identifier)
        if isinstance(shape, ObjectSchema) and shape.attribute(matching_attribute) is not None:
            check_matching(shape, matching_attribute)

    def _shape(self, target: Target, identifier: str) -> ObjectSchema | ListSchema | None:
        if self.schema is None:
            return None
        return self.schema.object(identifier) if target == "objects" else self.schema.list(identifier)

    def _replace(
        self, shape: ObjectSchema | ListSchema, attributes: tuple[Attribute, ...]
    ) -> ObjectSchema | ListSchema:
        fresh = replace(shape, attributes=attributes)
        if self.schema is not None and isinstance(fresh, ObjectSchema):
            others = tuple(fresh if one.id == fresh.id else one for one in self.schema.objects)
            self.schema = replace(self.schema, objects=others)
        elif self.schema is not None and isinstance(fresh, ListSchema):
            lists = tuple(fresh if one.id == fresh.id else one for one in self.schema.lists)
            self.schema = replace(self.schema, lists=lists)
        return fresh


def patch_resend(values: Mapping[str, Any], attributes: Mapping[str, Attribute]) -> Resend:
    """Return whether a PATCH of these values leaves the same state however often it arrives.

    A single value does, and so does clearing. Values of a multi-value attribute are added in front of what is there
    by then: somebody may have removed or reordered them in between, and a second arrival would undo that.
    """
    for slug, value in values.items():
        attribute = attributes.get(slug)
        adds = (
            isinstance(value, list) and bool(value)
            if attribute is None
            else attribute.is_multi and value != []
        )
        if adds:
            return Resend.NEVER
    return Resend.FREELY
