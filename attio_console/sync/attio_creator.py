"""Creations at Attio, which has no idempotency key: made once, and found again where the answer was lost.

A record with a unique value is upserted, after a look that nobody else holds the value. Everything else is created
plainly; where an earlier attempt may have arrived, what it would have made is looked for first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import msgspec

from attio_console import errors
from attio_console.attio import AsyncAttio
from attio_console.model.clock import Clock
from attio_console.model.schema import Attribute, ListSchema, ObjectSchema
from attio_console.model.times import instant, stamp
from attio_console.model.values import Items, from_attio, to_attio
from attio_console.net.limiter import Lane
from attio_console.store import Store
from attio_console.store.types import OutboxItem
from attio_console.sync.meaning import meaning
from attio_console.sync.outcome import Written
from attio_console.sync.own_writes import OwnWrites
from attio_console.sync.sources import id_of

# An answer that was lost may belong to a request still on its way, and queries are a second or two behind.
LOOK_AFTER_S = 3.0
# How far this machine's clock may be from Attio's.
_SKEW = timedelta(minutes=5)
_LOOK_BACK = 200


class AttioCreator:
    """Sends items that make something new."""

    def __init__(self, attio: AsyncAttio, store: Store, own: OwnWrites, clock: Clock) -> None:
        self._attio = attio
        self._store = store
        self._own = own
        self._clock = clock

    async def send(self, item: OutboxItem, lane: Lane) -> Written:
        """Create what the item says, or find what an earlier attempt created; the mirror has it on return."""
        if item.uncertain:
            await self._clock.sleep(LOOK_AFTER_S)
        match item.kind:
            case "create":
                raw = await self._record(item, lane)
            case "entry_create":
                raw = await self._entry(item, lane)
            case "note_create":
                raw = await self._note(item, lane)
            case "task_create":
                raw = await self._task(item, lane)
            case _:
                raise errors.UsageError(f"Attio has no write of the kind {item.kind}.")
        await self._store.mirror.apply_page(item.collection, [raw])
        document = msgspec.json.decode(raw)
        present = document.get("values") or document.get("entry_values") or {}
        return Written(id_of(raw), {slug: from_attio(present.get(slug, [])) for slug in item.fields})

    # ------------------------------------------------------------------------------------------------- records

    async def _record(self, item: OutboxItem, lane: Lane) -> bytes:
        schema = self._store.mirror.schema.object(item.collection)
        if schema is None:
            raise errors.NoSuchThing("The object of this record is not there any more.")
        attributes = _attributes(schema, item)
        values = {slug: to_attio(attribute, item.fields[slug].new) for slug, attribute in attributes.items()}
        unique = next((a for a in attributes.values() if a.is_unique and item.fields[a.slug].new), None)
        if unique is not None:
            holder = await self._holder(schema, unique, item.fields[unique.slug].new, lane)
            if holder is not None:
                if item.uncertain and self._made_by_us(msgspec.json.decode(holder), item):
                    return holder
                label = self._store.mirror.label(id_of(holder)) or id_of(holder)
                raise errors.UniquenessConflict(
                    f"{label} already has this {unique.title}.", code="uniqueness_conflict"
                )
            made = await self._attio.records.upsert(schema.id, unique.slug, values, once=True, lane=lane)
            return made.raw
        if item.uncertain:
            filters = {"created_at": {"$gte": stamp(item.created_at - _SKEW)}}
            rows = await self._attio.records.query_raw(
                schema.id,
                filter=filters,
                sorts=[{"attribute": "created_at", "direction": "desc"}],
                limit=_LOOK_BACK,
                lane=lane,
            )
            found = self._pick(rows, item, attributes)
            if found is not None:
                return found
        made = await self._attio.records.create(schema.id, values, lane=lane)
        self._own.wrote(made.id, ["record.created"])
        return made.raw

    async def _holder(
        self, schema: ObjectSchema, unique: Attribute, items: Items, lane: Lane
    ) -> bytes | None:
        conditions = [{unique.slug: item} for item in items]
        rows = await self._attio.records.query_raw(
            schema.id,
            filter=conditions[0] if len(conditions) == 1 else {"$or": conditions},
            limit=1,
            lane=lane,
        )
        return rows[0] if rows else None

    # ------------------------------------------------------------------------------------------------- entries

    async def _entry(self, item: OutboxItem, lane: Lane) -> bytes:
        schema = self._store.mirror.schema.list(item.collection)
        if schema is None:
            raise errors.NoSuchThing("The list of this entry is not there any more.")
        attributes = _attributes(schema, item)
        parent_object, parent = str(item.payload["parent_object"]), str(item.payload["parent_record_id"])
        if item.uncertain:
            rows = [
                await self._attio.lists.entries.get_raw(schema.id, ref.entry_id, lane=lane)
                async for ref in self._attio.records.entries(parent_object, parent, lane=lane)
                if ref.list_id == schema.id and _late_enough(ref.created_at, item)
            ]
            found = self._pick(rows, item, attributes)
            if found is not None:
                return found
        values = {slug: to_attio(attribute, item.fields[slug].new) for slug, attribute in attributes.items()}
        made = await self._attio.lists.entries.create(schema.id, parent_object, parent, values, lane=lane)
        self._own.wrote(made.id, ["list-entry.created"])
        return made.raw

    # ------------------------------------------------------------------------------------------------- notes, tasks

    async def _note(self, item: OutboxItem, lane: Lane) -> bytes:
        wanted = item.payload
        parent_object, parent = str(wanted["parent_object"]), str(wanted["parent_record_id"])
        if item.uncertain:
            known = self._known(item)
            async for note in self._attio.notes.iterate(
                parent_object=parent_object, parent_record_id=parent, lane=lane
            ):
                texts = {_text(note.content_plaintext), _text(note.content_markdown)}
                if (
                    _text(wanted.get("content")) in texts
                    and _text(note.title) == _text(wanted.get("title"))
                    and self._made_by_us(msgspec.json.decode(note.raw), item)
                    and note.id.note_id not in known
                ):
                    return note.raw
        made = await self._attio.notes.create(
            parent_object=parent_object,
            parent_record_id=parent,
            title=str(wanted.get("title", "")),
            content=str(wanted.get("content", "")),
            format=wanted.get("format", "plaintext"),
            created_at=wanted.get("created_at"),
            lane=lane,
        )
        self._own.wrote(made.id.note_id, ["note.created"])
        return made.raw

    async def _task(self, item: OutboxItem, lane: Lane) -> bytes:
        wanted = item.payload
        links = list(wanted.get("linked_records", ()))
        if item.uncertain:
            known = self._known(item)
            tasks = await self._attio.tasks.list(sort="created_at:desc", limit=_LOOK_BACK, lane=lane)
            for task in tasks:
                document = msgspec.json.decode(task.raw)
                if (
                    _text(task.content_plaintext) == _text(wanted.get("content"))
                    and self._made_by_us(document, item)
                    and {link["target_record_id"] for link in links}
                    == {link.get("target_record_id") for link in document.get("linked_records", ())}
                    and task.id.task_id not in known
                ):
                    return task.raw
        made = await self._attio.tasks.create(
            content=str(wanted.get("content", "")),
            deadline_at=wanted.get("deadline_at"),
            is_completed=bool(wanted.get("is_completed", False)),
            linked_records=[
                {"target_object": link.get("target_object"), "target_record_id": link["target_record_id"]}
                for link in links
            ],
            assignees=list(wanted.get("assignees", ())),
            lane=lane,
        )
        self._own.wrote(made.id.task_id, ["task.created"])
        return made.raw

    # ------------------------------------------------------------------------------------------------- recognising

    def _pick(
        self, rows: Iterable[bytes], item: OutboxItem, attributes: Mapping[str, Attribute]
    ) -> bytes | None:
        """Return the row that a lost attempt of this item made."""
        known = self._known(item)
        return next(
            (raw for raw in rows if id_of(raw) not in known and self._is_ours(raw, item, attributes)), None
        )

    def _is_ours(self, raw: bytes, item: OutboxItem, attributes: Mapping[str, Attribute]) -> bool:
        document = msgspec.json.decode(raw)
        present = document.get("values") or document.get("entry_values") or {}
        parent = item.payload.get("parent_record_id")
        if parent is not None and document.get("parent_record_id") != parent:
            return False
        return self._made_by_us(document, item) and all(
            meaning(attribute, from_attio(present.get(slug, []))) == meaning(attribute, item.fields[slug].new)
            for slug, attribute in attributes.items()
        )

    def _made_by_us(self, document: Mapping[str, Any], item: OutboxItem) -> bool:
        present = document.get("values") or document.get("entry_values") or {}
        by: Mapping[str, Any] = next(iter(present.get("created_by", ())), {})
        actor = document.get("created_by_actor") or {
            "type": by.get("referenced_actor_type"),
            "id": by.get("referenced_actor_id"),
        }
        mine = self._own.actor_id is None or actor.get("id") in {None, self._own.actor_id}
        # What is carried from another system keeps the time at which it was written there.
        dated = bool(item.payload.get("created_at"))
        return mine and (dated or _late_enough(document.get("created_at"), item))

    def _known(self, item: OutboxItem) -> set[str]:
        """Return what other items made: two equal notes on purpose are two notes."""
        confirmed = self._store.outbox.items(("confirmed",), 500)
        return {other.record_id for other in confirmed if other.kind == item.kind and other.id != item.id}


def _attributes(schema: ObjectSchema | ListSchema, item: OutboxItem) -> dict[str, Attribute]:
    found: dict[str, Attribute] = {}
    for slug, edit in item.fields.items():
        if not edit.new:
            continue
        attribute = schema.attribute(slug)
        if attribute is None or attribute.is_archived:
            raise errors.UnknownReference(f"There is no field {slug} any more.", code="value_not_found")
        found[slug] = attribute
    return found


def _late_enough(created_at: str | None, item: OutboxItem) -> bool:
    moment = instant(created_at) if created_at else None
    return moment is None or moment >= item.created_at - _SKEW


def _text(text: object) -> str:
    return " ".join(str(text or "").split())
