"""What somebody else does in HubSpot: the control surface's way in, past keys and limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attio_console.sandbox.hubspot.errors import invalid
from attio_console.sandbox.hubspot.state import HubSpot
from attio_console.sandbox.world import World


def objects(world: World) -> list[str]:
    """Return the names of the object types."""
    return list(world.part(HubSpot).objects)


def tokens(world: World) -> str:
    """Return the service key that opens the account."""
    return world.part(HubSpot).keyring.service_key.value


def dump(world: World, name: str) -> Iterator[dict[str, Any]]:
    """Return every record, archived ones too, with all that has a value and what it hangs together with."""
    account = world.part(HubSpot)
    store = account.store(name)
    for record in store.records.values():
        body = record.json(sorted(record.properties))
        linked = {
            to: sorted(str(other) for other in account.associations.of(store.name, record.id, to))
            for to in account.objects
        }
        body["associations"] = {to: ids for to, ids in linked.items() if ids}
        if record.merged:
            body["mergedObjectIds"] = [str(i) for i in record.merged]
        yield body


def edit(world: World, name: str, record_id: str | None, values: Mapping[str, Any], actor: str) -> str:
    """Change a record (or make one, without an id) as somebody at the screen, or as a workflow."""
    account = world.part(HubSpot)
    store = account.store(name)
    source = account.source_of(actor)
    if record_id is None:
        record = account.create(store, values, source)
    else:
        record = account.get(store, record_id)
        account.update(store, record, values, source)
    _note(world, "EDIT", store.name, record.id, dict(values), actor)
    return str(record.id)


def delete(world: World, name: str, record_id: str, actor: str) -> None:
    """Put a record into the recycle bin."""
    account = world.part(HubSpot)
    store = account.store(name)
    record = account.get(store, record_id)
    account.archive(store, record)
    _note(world, "DELETE", store.name, record.id, None, actor)


def merge(world: World, name: str, primary: str, other: str, actor: str) -> str:
    """Make one record of two and return its new id."""
    account = world.part(HubSpot)
    store = account.store(name)
    first, second = account.get(store, primary), account.get(store, other)
    if first.archived_at or second.archived_at:
        raise invalid("Archived records cannot be merged")
    merged = account.merge(store, first, second, account.source_of(actor))
    _note(world, "MERGE", store.name, merged.id, {"primary": primary, "other": other}, actor)
    return str(merged.id)


def _note(world: World, method: str, name: str, record_id: int, body: Any, actor: str) -> None:
    world.journal.add("hubspot", method, "/_sandbox", name, str(record_id), body, actor)
