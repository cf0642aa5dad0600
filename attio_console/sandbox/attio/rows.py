"""A new row: what Attio itself knows of it."""

from __future__ import annotations

from datetime import timedelta

from attio_console.sandbox.attio.coerce import Data
from attio_console.sandbox.attio.state import Container, Crm, List, Row, Value
from attio_console.sandbox.world import Actor, stamp

BEFORE = timedelta(milliseconds=240)
"""Live, a record's own stamp is a little later than its created_at value."""


def new_row(
    crm: Crm,
    container: Container,
    actor: Actor,
    at: str,
    parent: tuple[str, str] | None = None,
    row_id: str | None = None,
) -> Row:
    """Make a row that holds what Attio itself knows: its id, when and by whom it was created."""
    row = Row(row_id or crm.new_id(), at, {}, parent)
    earlier = crm.world.clock.now() - BEFORE
    facts: dict[str, Data] = {
        container.id_slug: {"value": row.id},
        "created_at": {"value": stamp(earlier)},
        "created_by": {"referenced_actor_type": actor.type, "referenced_actor_id": actor.id},
    }
    if isinstance(container, List) and parent is not None:
        facts["parent_record"] = {"target_object_id": parent[0], "target_record_id": parent[1]}
    for slug, data in facts.items():
        attribute = container.attribute(slug)
        if attribute is not None:
            row.values[attribute.id] = (Value(at, actor, data),)
    return row
