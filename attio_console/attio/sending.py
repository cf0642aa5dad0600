"""What is known of the values about to be written: are they acceptable, and may they be written twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attio_console.model.schema import Attribute, Schema
from attio_console.net import Resend


class Written:
    """Checks values against the schema before a request is spent on them, where the schema is known."""

    def __init__(self) -> None:
        self.schema: Schema | None = None

    def attributes(self, target: str, identifier: str) -> Mapping[str, Attribute]:
        """Return the known attributes of an object or list by slug and id; empty where it is not known."""
        if self.schema is None:
            return {}
        shape = self.schema.object(identifier) if target == "objects" else self.schema.list(identifier)
        if shape is None:
            return {}
        return {a.slug: a for a in shape.attributes} | {a.id: a for a in shape.attributes}

    async def checked(
        self,
        target: str,  # noqa: ARG002
        identifier: str,  # noqa: ARG002
        values: Mapping[str, Any],
        *,
        creating: bool,  # noqa: ARG002
    ) -> dict[str, Any]:
        """Return the values to send."""
        return dict(values)


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
