"""One outbox item onto Attio: read, compare with what its author saw, write only what is meant.

Nothing is ever sent blindly: an edit reads its row first, a create whose earlier attempt may have arrived looks for
the result of that attempt before it is made again.
"""

from __future__ import annotations

from typing import Any

import msgspec

from attio_console import errors
from attio_console.attio import AsyncAttio
from attio_console.model.clock import Clock
from attio_console.model.schema import Attribute, ListSchema, ObjectSchema, Schema
from attio_console.model.values import Items, from_attio, provenance, to_attio
from attio_console.net.limiter import Lane
from attio_console.store import Store
from attio_console.store.outbox import is_provisional
from attio_console.store.types import FieldEdit, OutboxItem
from attio_console.sync.attio_creator import AttioCreator
from attio_console.sync.meaning import meaning
from attio_console.sync.outcome import Moved, NotYet, Vanished, Written
from attio_console.sync.own_writes import OwnWrites
from attio_console.sync.sources import NOTES, TASKS, Sources

Container = ObjectSchema | ListSchema


class AttioWriter:
    """Sends items of the kinds that change an existing row; creations are in `AttioCreator`."""

    def __init__(
        self, attio: AsyncAttio, store: Store, sources: Sources, own: OwnWrites, clock: Clock
    ) -> None:
        self._attio = attio
        self._store = store
        self._sources = sources
        self._own = own
        self._creator = AttioCreator(attio, store, own, clock)

    @property
    def _schema(self) -> Schema:
        return self._store.mirror.schema

    async def send(self, item: OutboxItem) -> Written:
        """Bring one item to Attio and return what is there now; the mirror has it when this returns."""
        lane = Lane.CATCHUP if item.origin == "sync" else Lane.INTERACTIVE
        match item.kind:
            case "set":
                return await self._set(item, lane)
            case "task_update":
                return await self._task_update(item, lane)
            case "delete":
                return await self._delete(item, lane)
            case _:
                self._wait_for_parent(item)
                return await self._creator.send(item, lane)

    # ------------------------------------------------------------------------------------------------- fields

    async def _set(self, item: OutboxItem, lane: Lane) -> Written:
        container = self._container(item)
        self._refuse_orphan(item)
        source = self._sources.get(item.collection)
        if source is None:
            raise errors.NoSuchThing("The object or list of this edit is not there any more.")
        try:
            raw = await source.get(item.record_id, lane)
        except errors.NotFound as error:
            raise Vanished(*self._gone(item, container)) from error
        present = _fields(raw)
        await self._store.mirror.apply_page(item.collection, [raw])
        attributes = {slug: _attribute(container, slug) for slug in item.fields}
        meant: dict[str, Attribute] = {}
        moved: list[dict[str, object]] = []
        for slug, edit in item.fields.items():
            attribute = attributes[slug]
            now = meaning(attribute, from_attio(present.get(slug, [])))
            if now == meaning(attribute, edit.new):
                continue
            if now == meaning(attribute, edit.base):
                meant[slug] = attribute
            else:
                moved.append(conflict_field(attribute, edit, present.get(slug, [])))
        if moved:
            raise Moved(self._label(item), moved)
        if meant:
            raw = await self._write(item, container, meant, lane)
            await self._store.mirror.apply_page(item.collection, [raw])
            present = _fields(raw)
        values = {slug: from_attio(present.get(slug, [])) for slug in item.fields}
        ignored = [
            attribute.title
            for slug, attribute in meant.items()
            if meaning(attribute, values[slug]) == meaning(attribute, item.fields[slug].base)
        ]
        if ignored:
            raise errors.Refused(
                f"Attio accepted the write and left {', '.join(ignored)} as it was.", status=200
            )
        return Written(item.record_id, values)

    async def _write(
        self, item: OutboxItem, container: Container, meant: dict[str, Attribute], lane: Lane
    ) -> bytes:
        values = {slug: to_attio(attribute, item.fields[slug].new) for slug, attribute in meant.items()}
        self._own.wrote(item.record_id, [attribute.id for attribute in meant.values()])
        # PATCH puts values of a multi-value attribute beside those that are there; PUT sets exactly these, and
        # leaves every attribute alone that is not named.
        exact = any(attribute.is_multi for attribute in meant.values())
        if isinstance(container, ListSchema):
            entries = self._attio.lists.entries
            entry_call = entries.overwrite if exact else entries.update
            return (await entry_call(container.id, item.record_id, values, once=True, lane=lane)).raw
        records = self._attio.records
        record_call = records.overwrite if exact else records.update
        return (await record_call(container.id, item.record_id, values, once=True, lane=lane)).raw

    # ------------------------------------------------------------------------------------------------- tasks

    async def _task_update(self, item: OutboxItem, lane: Lane) -> Written:
        self._refuse_orphan(item)
        try:
            raw = (await self._attio.tasks.get(item.record_id, lane=lane)).raw
        except errors.NotFound as error:
            raise Vanished(*self._gone(item, None)) from error
        await self._store.mirror.apply_page(TASKS, [raw])
        present = msgspec.json.decode(raw)
        change: dict[str, Any] = {}
        moved: list[dict[str, object]] = []
        for slug, edit in item.fields.items():
            now = _plain_items(present.get(slug))
            if now == edit.new:
                continue
            if now == edit.base:
                change[slug] = _plain_value(slug, edit.new)
            else:
                moved.append(_plain_conflict(slug, edit, now))
        if moved:
            raise Moved(self._label(item), moved)
        if change:
            self._own.wrote(item.record_id, ["task.updated"])
            raw = (await self._attio.tasks.update(item.record_id, change, once=True, lane=lane)).raw
            await self._store.mirror.apply_page(TASKS, [raw])
            present = msgspec.json.decode(raw)
        return Written(item.record_id, {slug: _plain_items(present.get(slug)) for slug in item.fields})

    # ------------------------------------------------------------------------------------------------- deletes

    async def _delete(self, item: OutboxItem, lane: Lane) -> Written:
        self._refuse_orphan(item)
        try:
            if item.collection == NOTES:
                self._own.wrote(item.record_id, ["note.deleted"])
                await self._attio.notes.delete(item.record_id, lane=lane)
            elif item.collection == TASKS:
                self._own.wrote(item.record_id, ["task.deleted"])
                await self._attio.tasks.delete(item.record_id, lane=lane)
            elif self._schema.list(item.collection) is not None:
                self._own.wrote(item.record_id, ["list-entry.deleted"])
                await self._attio.lists.entries.delete(item.collection, item.record_id, lane=lane)
            else:
                await self._attio.records.delete(item.collection, item.record_id, lane=lane)
        except errors.NotFound:
            # Gone already: that is what was wanted.
            pass
        await self._store.mirror.delete(item.collection, [item.record_id])
        return Written(item.record_id)

    # ------------------------------------------------------------------------------------------------- helpers

    def _container(self, item: OutboxItem) -> Container:
        found = self._schema.collection(item.collection)
        if found is None:
            raise errors.NoSuchThing("The object or list of this edit is not there any more.")
        return found

    def _refuse_orphan(self, item: OutboxItem) -> None:
        if is_provisional(item.record_id):
            raise errors.NoSuchThing("What this edit belongs to was never created in Attio.")

    def _wait_for_parent(self, item: OutboxItem) -> None:
        """Hold an item back that names a row which Attio has not given an id yet."""
        text = msgspec.json.encode([item.payload, [edit.new for edit in item.fields.values()]]).decode()
        if '"new:' not in text:
            return
        open_ones = {other.record_id for other in self._store.outbox.items(("pending", "sending"), 1000)}
        if any(f'"{record_id}"' in text for record_id in open_ones if is_provisional(record_id)):
            raise NotYet("Waits until the record it belongs to is created.")
        raise errors.NoSuchThing("The record it belongs to was never created in Attio.")

    def _label(self, item: OutboxItem) -> str:
        label = self._store.mirror.label(item.record_id)
        if label:
            return label
        row = self._store.mirror.raw(item.collection, item.record_id)
        parent = msgspec.json.decode(row).get("parent_record_id") if row else None
        return (self._store.mirror.label(parent) if parent else None) or item.record_id

    def _gone(self, item: OutboxItem, container: Container | None) -> tuple[str, list[dict[str, object]]]:
        fields: list[dict[str, object]] = []
        for slug, edit in item.fields.items():
            attribute = container.attribute(slug) if container else None
            fields.append(
                conflict_field(attribute, edit, []) if attribute else _plain_conflict(slug, edit, [])
            )
        return self._label(item), fields


def conflict_field(attribute: Attribute, edit: FieldEdit, present: list[dict[str, Any]]) -> dict[str, object]:
    """Return the document of one field that moved: what its author saw, what Attio has, what was meant."""
    source = provenance(present)
    return {
        "slug": attribute.slug,
        "title": attribute.title,
        "type": attribute.type,
        "multi": attribute.is_multi,
        "base": edit.base,
        "attio": from_attio(present),
        "attio_at": source.at.isoformat() if source.at else None,
        "attio_by": {"type": source.actor_type, "id": source.actor_id},
        "external": edit.new,
        "external_at": None,
        "external_by": {"type": "operator", "id": None},
        "external_field": "",
        "suggestion": None,
        "why": "changed in Attio after the edit was made",
    }


def _plain_conflict(slug: str, edit: FieldEdit, now: Items) -> dict[str, object]:
    attribute = Attribute(id=slug, slug=slug, title=slug.replace("_", " ").capitalize(), type="text")
    return {**conflict_field(attribute, edit, []), "attio": now}


def _attribute(container: Container, slug: str) -> Attribute:
    attribute = container.attribute(slug)
    if attribute is None or attribute.is_archived:
        raise errors.UnknownReference(f"There is no field {slug} any more.", code="value_not_found")
    return attribute


def _fields(raw: bytes) -> dict[str, list[dict[str, Any]]]:
    document = msgspec.json.decode(raw)
    fields: dict[str, list[dict[str, Any]]] = document.get("values") or document.get("entry_values") or {}
    return fields


def _plain_items(value: Any) -> Items:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _plain_value(slug: str, items: Items) -> Any:
    if slug in {"assignees", "linked_records"}:
        return items
    return items[0] if items else None
