"""Looking at records: tables, one record in full, its history, and the finder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from attio_console.model.places import place_text
from attio_console.model.schema import Attribute, ListSchema, ObjectSchema, Option, Status
from attio_console.model.text import plain
from attio_console.model.times import instant
from attio_console.model.values import Items, display, from_attio, provenance
from attio_console.services.base import NOTES, TASKS, Bench, edit_state, strongest
from attio_console.services.columns import columns_of
from attio_console.services.types import (
    Cell,
    Choice,
    Column,
    FieldLine,
    HistoryLine,
    Hit,
    MembershipLine,
    NoteLine,
    PairLine,
    RecordDetail,
    Tab,
    TableQuery,
    TableRow,
    TaskLine,
)
from attio_console.store.filter import parse as parse_filter
from attio_console.store.types import Hit as StoredHit
from attio_console.store.types import Pending, Row, Sort, View


class RecordVerbs(Bench):
    """Everything that is only looked at."""

    # --------------------------------------------------------------------------------------------------- tables

    def tabs(self) -> list[Tab]:
        """Return the objects of the workspace, in Attio's order."""
        return [
            Tab(shape.id, shape.slug, plain(shape.plural or shape.slug), self.store.mirror.size(shape.id))
            for shape in self.schema.objects
        ]

    def columns(self, collection: str) -> list[Column]:
        """Return the columns of a table, best first."""
        return columns_of(self.shape(collection))

    def check_filter(self, collection: str, text: str) -> None:
        """Raise InvalidFilter where the filter box cannot be understood, with what would be."""
        self._view(TableQuery(collection, text))

    async def count(self, query: TableQuery) -> int:
        """Return how many rows a query has."""
        return await self.store.mirror.count(self._view(query))

    async def window(
        self, query: TableQuery, start: int, count: int, columns: Sequence[str]
    ) -> list[TableRow]:
        """Return consecutive rows of a query, with the named columns as cells.

        Raises Superseded where a newer question of the same kind came first.
        """
        window = await self.store.mirror.window(self._view(query), start, count)
        return [self._table_row(row, query.collection, columns) for row in window.rows]

    async def index_of(self, query: TableQuery, record_id: str) -> int | None:
        """Return where a record stands in a query, or None where it is not in it."""
        return await self.store.mirror.index_of(self._view(query), record_id)

    def row(self, collection: str, record_id: str, columns: Sequence[str]) -> TableRow | None:
        """Return one row as it is now, or None where the mirror no longer has it."""
        row = self.store.mirror.row(collection, record_id)
        return self._table_row(row, collection, columns) if row else None

    def _view(self, query: TableQuery) -> View:
        text, terms = parse_filter(query.filter, self.schema, query.collection)
        return View(
            query.collection, text, terms, tuple(Sort(slug, descending) for slug, descending in query.sorts)
        )

    def _table_row(self, row: Row, collection: str, columns: Sequence[str]) -> TableRow:
        overlay = self.store.outbox.overlay(collection, row.record_id)
        values = row.values()
        cells = []
        for slug in columns:
            attribute = self.attribute(collection, slug)
            pending = overlay.get(slug)
            items = pending.new if pending else values.get(slug, [])
            text = display(attribute, items, self.names) if attribute and items else ""
            cells.append(Cell(text, edit_state(pending)))
        return TableRow(
            record_id=row.record_id,
            label=plain(row.label),
            cells=tuple(cells),
            paired=any(pair.state == "confirmed" for pair in self.store.pairs.by_record(row.record_id)),
            conflict=bool(self.store.conflicts.for_record(row.record_id)),
            edit=strongest([edit_state(pending) for pending in overlay.values()]),
        )

    # ------------------------------------------------------------------------------------------------ one record

    async def detail(self, collection: str, record_id: str) -> RecordDetail | None:
        """Return everything known here about a record, with pending edits laid over it; None if it is unknown."""
        row = self.store.mirror.row(collection, record_id)
        if row is None:
            return None
        shape = self.shape(collection)
        overlay = self.store.outbox.overlay(collection, record_id)
        return RecordDetail(
            collection=collection,
            object_slug=shape.slug,
            record_id=record_id,
            label=plain(row.label),
            web_url=str(row.document.get("web_url") or ""),
            fields=tuple(self._field_lines(shape, row, overlay)),
            notes=tuple(self._notes(record_id)),
            tasks=tuple(self._tasks(record_id)),
            lists=tuple(self._memberships(record_id)),
            pairs=tuple(self._pairs(record_id)),
            raw=json.dumps(row.document, indent=2, ensure_ascii=False),
            edit=strongest([edit_state(pending) for pending in overlay.values()]),
        )

    def _field_lines(
        self, shape: ObjectSchema | ListSchema, row: Row, overlay: Mapping[str, Pending]
    ) -> list[FieldLine]:
        raw_values: Mapping[str, Any] = row.document.get("values") or row.document.get("entry_values") or {}
        values = row.values()
        lines = []
        for column in columns_of(shape):
            attribute = shape.attribute(column.slug)
            assert attribute is not None
            pending = overlay.get(attribute.slug)
            confirmed = values.get(attribute.slug, [])
            items = pending.new if pending else confirmed
            stamp = provenance(raw_values.get(attribute.slug) or [])
            item = self.store.outbox.item(pending.item_id) if pending and pending.item_id else None
            lines.append(
                FieldLine(
                    slug=attribute.slug,
                    title=plain(attribute.title),
                    type=attribute.type,
                    text=display(attribute, items, self.names),
                    items=tuple(items),
                    editable=attribute.is_writable,
                    why_not="" if attribute.is_writable else f"{attribute.title} is kept by Attio itself.",
                    state=edit_state(pending),
                    was=display(attribute, confirmed, self.names) if pending else "",
                    error=plain(item.error) if item else "",
                    by=self.actor_name(stamp.actor_type, stamp.actor_id),
                    at=stamp.at,
                    attribute=attribute,
                )
            )
        return lines

    def actor_name(self, actor_type: str | None, actor_id: str | None) -> str:
        """Return what people call an actor of Attio's."""
        if actor_type == "workspace-member" and actor_id:
            member = self.schema.member(actor_id)
            return plain(member.name) if member else "a former member"
        if actor_type == "api-token" and actor_id and actor_id == self.own_token_id:
            return "this console"
        return {"system": "Attio", "api-token": "an integration", "app": "an app"}.get(actor_type or "", "")

    def _notes(self, record_id: str) -> list[NoteLine]:
        lines = [
            NoteLine(
                note_id=note["id"]["note_id"],
                title=plain(note.get("title") or ""),
                content=str(note.get("content_plaintext") or ""),
                by=self._actor_of(note),
                at=_instant(note.get("created_at")),
            )
            for note in map(_decode, self.store.mirror.linked(NOTES, record_id))
        ]
        lines.sort(key=lambda line: line.at.timestamp() if line.at else 0.0, reverse=True)
        waiting = [
            NoteLine(
                note_id=item.record_id,
                title=plain(str(item.payload.get("title") or "")),
                content=str(item.payload.get("content") or ""),
                by="you",
                at=item.created_at,
                state="refused" if item.state in {"refused", "dead"} else "pending",
            )
            for item in self.store.outbox.items(("pending", "sending", "refused", "dead"), 1000)
            if item.kind == "note_create" and item.payload.get("parent_record_id") == record_id
        ]
        return waiting + lines

    def _tasks(self, record_id: str) -> list[TaskLine]:
        lines = []
        for task in map(_decode, self.store.mirror.linked(TASKS, record_id)):
            task_id = task["id"]["task_id"]
            pending = self.store.outbox.overlay(TASKS, task_id).get("is_completed")
            done = bool(pending.new and pending.new[0]) if pending else bool(task.get("is_completed"))
            lines.append(
                TaskLine(
                    task_id=task_id,
                    content=plain(task.get("content_plaintext") or ""),
                    done=done,
                    deadline=_instant(task.get("deadline_at")),
                    assignees=", ".join(
                        self.actor_name(a.get("referenced_actor_type"), a.get("referenced_actor_id"))
                        for a in task.get("assignees") or []
                    ),
                    state=edit_state(pending),
                )
            )
        return sorted(lines, key=lambda line: (line.done, line.content))

    def _memberships(self, record_id: str) -> list[MembershipLine]:
        lines = []
        for known in self.schema.lists:
            status = known.status_attribute
            for raw in self.store.mirror.linked(known.id, record_id):
                entry = _decode(raw)
                stage_values = (entry.get("entry_values") or {}).get(status.slug, []) if status else []
                lines.append(
                    MembershipLine(
                        entry_id=entry["id"]["entry_id"],
                        list_id=known.id,
                        list_name=plain(known.name),
                        stage=display(status, from_attio(stage_values), self.names) if status else "",
                        since=provenance(stage_values).at or _instant(entry.get("created_at")),
                    )
                )
        return lines

    def _pairs(self, record_id: str) -> list[PairLine]:
        lines = []
        open_here = self.store.conflicts.for_record(record_id)
        for pair in self.store.pairs.by_record(record_id):
            clashing = [
                plain(str(field.get("title") or field.get("field") or ""))
                for conflict in open_here
                if conflict.pair_id == pair.id
                for field in conflict.fields
            ]
            lines.append(
                PairLine(
                    pair.id, pair.system, pair.external_type, pair.external_id, pair.state, tuple(clashing)
                )
            )
        return lines

    def _actor_of(self, document: Mapping[str, Any]) -> str:
        actor = document.get("created_by_actor") or {}
        return self.actor_name(actor.get("type"), actor.get("id"))

    async def history(self, collection: str, record_id: str) -> list[HistoryLine]:
        """Return what changed on a record, newest first: this console's writes, and when Attio's values began."""
        row = self.store.mirror.row(collection, record_id)
        if row is None:
            return []
        shape = self.shape(collection)
        lines = [
            HistoryLine(
                at=item.sent_at or item.created_at,
                field=plain(attribute.title),
                before=display(attribute, edit.base, self.names),
                after=display(attribute, edit.new, self.names),
                by=item.actor or "you",
                source=_source(item.origin),
                group_id=item.group_id,
            )
            for item in self.store.outbox.of_record(collection, record_id, 200)
            for slug, edit in item.fields.items()
            if item.state == "confirmed" and (attribute := shape.attribute(slug)) is not None
        ]
        known = {(line.field, line.after) for line in lines}
        raw_values = row.document.get("values") or row.document.get("entry_values") or {}
        for slug, values in raw_values.items():
            attribute = shape.attribute(slug)
            if not values or attribute is None or slug in {"record_id", "entry_id"}:
                continue
            stamp = provenance(values)
            after = display(attribute, from_attio(values), self.names)
            if (plain(attribute.title), after) not in known:
                by = self.actor_name(stamp.actor_type, stamp.actor_id)
                lines.append(HistoryLine(stamp.at, plain(attribute.title), "", after, by, "Attio"))
        return sorted(lines, key=_when, reverse=True)

    # ---------------------------------------------------------------------------------------------------- finding

    async def find(self, text: str, collection: str | None = None, limit: int = 50) -> list[Hit]:
        """Search everything mirrored; a newer call interrupts an older one, which raises Superseded."""
        hits = await self.store.mirror.find(text, collection, limit) or self._by_id(text.strip(), collection)
        return [
            Hit(
                hit.collection,
                hit.record_id,
                self.title_of(hit.collection),
                plain(hit.label),
                plain(hit.detail),
            )
            for hit in hits
        ]

    def _by_id(self, record_id: str, collection: str | None) -> list[StoredHit]:
        where = self.store.mirror.locate(record_id) if record_id else None
        if where is None or collection not in (None, where):
            return []
        return [StoredHit(where, record_id, self.store.mirror.label(record_id) or record_id, "")]

    async def suggest_records(self, object_slug: str, text: str, limit: int = 20) -> list[Hit]:
        """Return records a reference may point to, best first."""
        shape = self.schema.object(object_slug)
        return await self.find(text, shape.id, limit) if shape else []

    def choices(self, collection: str, slug: str) -> list[Choice]:
        """Return what a select, status, member or yes-no field may be set to."""
        attribute = self.required_attribute(collection, slug)
        if attribute.type in {"select", "status"}:
            offered: tuple[Option | Status, ...] = (*attribute.options, *attribute.statuses)
            return [Choice(choice.id, plain(choice.title), choice.is_archived) for choice in offered]
        if attribute.type == "actor-reference":
            return [
                Choice(m.email, plain(m.name), m.access_level == "suspended") for m in self.schema.members
            ]
        if attribute.type == "checkbox":
            return [Choice("true", "Yes"), Choice("false", "No")]
        return []

    def editable_text(self, collection: str, record_id: str, slug: str) -> str:
        """Return a field as its editor starts with it: what `edit` reads back as the same value."""
        attribute = self.required_attribute(collection, slug)
        return editable(attribute, self.current(collection, record_id, slug))

    def current(self, collection: str, record_id: str, slug: str) -> Items:
        """Return a field in plain form, a pending edit laid over it."""
        pending = self.store.outbox.overlay(collection, record_id).get(slug)
        if pending is not None:
            return pending.new
        return self.confirmed(collection, record_id, slug)

    def confirmed(self, collection: str, record_id: str, slug: str) -> Items:
        """Return a field in plain form as Attio last sent it."""
        row = self.store.mirror.row(collection, record_id)
        return row.values().get(slug, []) if row else []


def editable(attribute: Attribute, items: Items) -> str:
    """Return the text that stands for these items in an editor; several values are separated by commas or semicolons."""
    parts = [_editable_item(attribute, item) for item in items]
    if attribute.is_multi and any("," in part for part in parts):
        # A value with a comma of its own: the semicolon separates then, also after a single one.
        return "; ".join(parts) + (";" if len(parts) == 1 else "")
    return ", ".join(parts)


def _editable_item(attribute: Attribute, item: Any) -> str:
    if not isinstance(item, Mapping):
        if isinstance(item, bool):
            return "true" if item else "false"
        return str(item)
    if attribute.type == "currency":
        return str(item.get("currency_value"))
    if attribute.type in {"select", "status"}:
        return str(item.get("title") or item.get("id") or "")
    if attribute.type == "personal-name":
        last, first = str(item.get("last_name") or ""), str(item.get("first_name") or "")
        return f"{last}, {first}" if last else first
    if attribute.type == "record-reference":
        return str(item.get("target_record_id") or "")
    if attribute.type == "actor-reference":
        return str(item.get("id") or "")
    if attribute.type == "location":
        return place_text(item)
    return ", ".join(str(part) for part in item.values() if part)


def _source(origin: str) -> str:
    kind, _, rest = origin.partition(":")
    names = {"operator": "this console", "sync": "sync", "undo": "undo", "resolution": "a resolution"}
    return f"automation {rest}" if kind == "automation" else names.get(kind, origin)


def _when(line: HistoryLine) -> float:
    return line.at.timestamp() if isinstance(line.at, datetime) else 0.0


def _instant(text: str | None) -> datetime | None:
    return instant(text) if text else None


def _decode(raw: bytes) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.json.decode(raw)
    return document
