"""What a fresh schema says that the stored one did not."""

from __future__ import annotations

from collections.abc import Iterator

from attio_console.model.schema import ListSchema, ObjectSchema, Schema
from attio_console.store.types import SchemaDiff


def compare(before: Schema, after: Schema) -> SchemaDiff:
    """Return which objects and lists came, went or changed."""
    old, new = _collections(before), _collections(after)
    return SchemaDiff(
        added=tuple(key for key in new if key not in old),
        removed=tuple(key for key in old if key not in new),
        changed=tuple(key for key in new if key in old and new[key] != old[key]),
        members_changed=before.members != after.members,
    )


def changed_attributes(before: Schema, after: Schema) -> Iterator[tuple[str, str | None]]:
    """Return the collections and attributes whose axes no longer hold; None stands for all of a collection."""
    old, new = _collections(before), _collections(after)
    for key, shape in old.items():
        fresh = new.get(key)
        if fresh is None:
            yield key, None
            continue
        for attribute in shape.attributes:
            now = fresh.attribute(attribute.slug)
            # People's names are part of the keys of fields that point at them.
            named = attribute.type == "actor-reference" and before.members != after.members
            if now != attribute or named:
                yield key, attribute.slug


def _collections(schema: Schema) -> dict[str, ObjectSchema | ListSchema]:
    shapes: tuple[ObjectSchema | ListSchema, ...] = (*schema.objects, *schema.lists)
    return {shape.id: shape for shape in shapes}
