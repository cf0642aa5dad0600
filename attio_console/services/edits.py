"""Changing records: every verb writes an intent to the outbox and returns; the engine sends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attio_console.errors import InvalidValue, NoSuchThing, UsageError
from attio_console.model.schema import Attribute, ObjectSchema
from attio_console.model.text import plain
from attio_console.model.times import instant, stamp
from attio_console.model.values import Items, display, parse, same
from attio_console.services.base import NOTES, TASKS, edit_state
from attio_console.services.records import RecordVerbs, editable
from attio_console.services.types import Done, PlannedWrite
from attio_console.store.outbox import provisional_id
from attio_console.store.types import FieldEdit, NewItem


class EditVerbs(RecordVerbs):
    """Everything that changes a record, a note, a task or what is in a list."""

    async def edit(
        self,
        collection: str,
        record_ids: Sequence[str],
        slug: str,
        text: str,
        *,
        seen: Items | None = None,
    ) -> Done:
        """Set one field of some records to what was typed, as one undo group.

        `seen` is the value that its author was looking at. Raises UsageError where it is another one by now,
        InvalidValue where the text does not fit, ReadOnlyProfile, NoSuchThing. On disk when it returns.
        """
        attribute, items = await self._read_typed(collection, slug, text)
        wanted = {}
        for record_id in record_ids:
            now = self.current(collection, record_id, slug)
            if (
                seen is not None
                and not same(attribute.type, now, seen)
                and not same(attribute.type, now, items)
            ):
                shown = display(attribute, now, self.names) or "(empty)"
                raise UsageError(
                    f"Somebody set it to “{shown}” while you typed.",
                    hint="Saving again puts yours in its place.",
                )
            # What was not touched is not read back: a name may hold more than its text can say.
            wanted[record_id] = {slug: now if text == editable(attribute, now) else items}
        return await self._set(collection, wanted, attribute.title)

    async def edit_fields(self, collection: str, record_id: str, values: Mapping[str, str]) -> Done:
        """Set several fields of one record, as one undo group."""
        if self.store.mirror.row(collection, record_id) is None:
            slug = self.shape(collection).slug
            raise NoSuchThing(
                f"The mirror has no {slug} record {record_id}.", hint=f"attio-console pull --object {slug}"
            )
        read = {slug: (await self._read_typed(collection, slug, text))[1] for slug, text in values.items()}
        titles = ", ".join(self.required_attribute(collection, slug).title for slug in values)
        return await self._set(collection, {record_id: read}, titles)

    async def preview_edit(
        self, collection: str, record_ids: Sequence[str], slug: str, text: str
    ) -> list[PlannedWrite]:
        """Return what `edit` would write, without writing it; records that have the value already are left out."""
        attribute, items = await self._read_typed(collection, slug, text)
        return [
            PlannedWrite(
                system="attio",
                object=self.shape(collection).slug,
                record_id=record_id,
                label=self.label(record_id),
                field=plain(attribute.title),
                before=display(attribute, before, self.names),
                after=display(attribute, items, self.names),
            )
            for record_id in record_ids
            if not same(attribute.type, before := self.current(collection, record_id, slug), items)
        ]

    async def _read_typed(self, collection: str, slug: str, text: str) -> tuple[Attribute, Items]:
        self.refuse_when_read_only("An edit")
        attribute = self.required_attribute(collection, slug)
        if attribute.type == "record-reference" and text.strip():
            text = await self._resolve_references(attribute, text)
        return attribute, parse(attribute, text, self.schema)

    async def _resolve_references(self, attribute: Attribute, text: str) -> str:
        """Return the text with each name of a record replaced by the id of the one record that has that name."""
        parts = [part.strip() for part in text.replace(";", ",").split(",") if part.strip()]
        resolved = []
        for part in parts:
            if self.store.mirror.locate(part) is not None or "@" in part:
                resolved.append(part)
                continue
            targets = [self.schema.object(object_id) for object_id in attribute.target_object_ids]
            exact = [
                hit.record_id
                for target in targets
                if target is not None
                for hit in await self.find(part, target.id, 20)
                if hit.label.casefold() == part.casefold()
            ]
            if len(exact) > 1:
                raise InvalidValue(
                    f"{len(exact)} records are called {part!r}.", hint="Pick one from the list."
                )
            resolved.append(exact[0] if exact else part)
        return ", ".join(resolved)

    async def _set(
        self, collection: str, wanted: Mapping[str, Mapping[str, Items]], what: str, title: str | None = None
    ) -> Done:
        items = []
        replaced: list[int] = []
        for record_id, values in wanted.items():
            overlay = self.store.outbox.overlay(collection, record_id)
            fields = {}
            for slug, new in values.items():
                attribute = self.required_attribute(collection, slug)
                pending = overlay.get(slug)
                if pending is not None and edit_state(pending) == "refused":
                    replaced.append(pending.item_id)
                    pending = None
                base = pending.new if pending else self.confirmed(collection, record_id, slug)
                if not same(attribute.type, base, new):
                    fields[slug] = FieldEdit(base, new)
            if fields:
                items.append(NewItem("attio", collection, record_id, "set", fields))
        # A refused edit that is typed anew is over: it must not come back as what the cell shows.
        await self.store.outbox.discard(replaced)
        if not items:
            return Done("Nothing to change: the value is that already.")
        name = self.label(items[0].record_id) if len(items) == 1 else f"{len(items)} records"
        group = await self._enqueue(items, title or f"{what} of {name}")
        return Done(f"{what} of {name} set. u undoes.", group, len(items))

    async def _enqueue(self, items: Sequence[NewItem], title: str) -> int:
        group = await self.store.outbox.add(items, plain(title))
        self.tell_outbox_changed({(item.collection, item.record_id) for item in items})
        return group

    async def create(self, object_slug: str, values: Mapping[str, str]) -> Done:
        """Create a record; where a unique value exists already, that record gets the other values instead."""
        self.refuse_when_read_only("Creating a record")
        shape = self.schema.object(object_slug)
        if shape is None:
            raise NoSuchThing(f"The workspace has no object called {object_slug!r}.")
        fields = {}
        for slug, text in values.items():
            if text.strip():
                fields[slug] = FieldEdit([], (await self._read_typed(shape.id, slug, text))[1])
        missing = [
            a.title for a in shape.attributes if a.is_required and a.is_writable and a.slug not in fields
        ]
        if missing or not fields:
            raise InvalidValue(f"{', '.join(missing) or 'A value'} is needed for a new record.")
        label = self._label_of_new(shape, {slug: edit.new for slug, edit in fields.items()})
        item = NewItem("attio", shape.id, provisional_id(), "create", fields)
        group = await self._enqueue([item], f"New {shape.singular}: {label}")
        return Done(f"{label} created. u undoes.", group, 1)

    def _label_of_new(self, shape: ObjectSchema, values: Mapping[str, Items]) -> str:
        for slug in ("name", *values):
            attribute = shape.attribute(slug)
            if attribute is not None and values.get(slug):
                return display(attribute, values[slug], self.names)
        return shape.singular

    async def delete(self, collection: str, record_ids: Sequence[str]) -> Done:
        """Delete records in Attio; a face asks first, since this cannot be undone."""
        self.refuse_when_read_only("Deleting")
        shape = self.shape(collection)
        items = [NewItem("attio", collection, record_id, "delete") for record_id in record_ids]
        name = self.label(record_ids[0]) if len(record_ids) == 1 else f"{len(record_ids)} of {shape.slug}"
        group = await self._enqueue(items, f"Delete {name}")
        return Done(f"{name} will be deleted.", group, len(items))

    async def add_note(self, collection: str, record_id: str, title: str, content: str) -> Done:
        """Add a note to a record."""
        self.refuse_when_read_only("Adding a note")
        if not title.strip() and not content.strip():
            raise InvalidValue("A note needs a title or a text.")
        payload = {
            "parent_object": self.shape(collection).slug,
            "parent_record_id": record_id,
            "title": title.strip() or content.strip().splitlines()[0][:80],
            "format": "plaintext",
            "content": content,
        }
        item = NewItem("attio", NOTES, provisional_id(), "note_create", payload=payload)
        group = await self._enqueue([item], f"Note on {self.label(record_id)}")
        return Done(f"Note on {self.label(record_id)} added. u undoes.", group, 1)

    async def add_task(
        self, collection: str, record_id: str, content: str, deadline: str = "", assignee: str = ""
    ) -> Done:
        """Add a task linked to a record. `deadline` is an ISO date or time, `assignee` a member's e-mail or id."""
        self.refuse_when_read_only("Adding a task")
        if not content.strip():
            raise InvalidValue("A task needs a text.")
        if len(content) > 2000:
            raise InvalidValue("A task holds 2,000 characters.", hint="Put the rest into a note.")
        due = instant(deadline) if deadline.strip() else None
        if deadline.strip() and due is None:
            raise InvalidValue(f"{deadline!r} is not a date.", hint="For example 2026-12-24")
        assignees = []
        if assignee.strip():
            member = self.schema.member(assignee.strip())
            if member is None:
                raise InvalidValue(
                    f"No member is called {assignee!r}.", hint="Type the member's e-mail address."
                )
            assignees.append({"referenced_actor_type": "workspace-member", "referenced_actor_id": member.id})
        payload: dict[str, Any] = {
            "content": content,
            "format": "plaintext",
            "deadline_at": stamp(due) if due else None,
            "is_completed": False,
            "linked_records": [{"target_object": self.shape(collection).slug, "target_record_id": record_id}],
            "assignees": assignees,
        }
        item = NewItem("attio", TASKS, provisional_id(), "task_create", payload=payload)
        group = await self._enqueue([item], f"Task on {self.label(record_id)}")
        return Done(f"Task on {self.label(record_id)} added. u undoes.", group, 1)

    async def set_task_done(self, task_id: str, done: bool) -> Done:
        """Tick a task off, or open it again."""
        self.refuse_when_read_only("Changing a task")
        item = NewItem(
            "attio", TASKS, task_id, "task_update", {"is_completed": FieldEdit([not done], [done])}
        )
        group = await self._enqueue([item], "Task done" if done else "Task reopened")
        return Done("Task done. u undoes." if done else "Task open again. u undoes.", group, 1)

    async def add_to_list(self, list_id: str, record_ids: Sequence[str], stage: str | None = None) -> Done:
        """Add records to a list, in a stage where the list has stages."""
        self.refuse_when_read_only("Adding to a list")
        shape = self.schema.list(list_id)
        if shape is None:
            raise NoSuchThing("That list is not in the workspace any more.")
        fields = {}
        if stage and shape.status_attribute is not None:
            fields[shape.status_attribute.slug] = FieldEdit(
                [], parse(shape.status_attribute, stage, self.schema)
            )
        items = [
            NewItem(
                "attio",
                shape.id,
                provisional_id(),
                "entry_create",
                fields,
                payload={"parent_object": shape.parent_object, "parent_record_id": record_id},
            )
            for record_id in record_ids
        ]
        name = self.label(record_ids[0]) if len(record_ids) == 1 else f"{len(record_ids)} records"
        group = await self._enqueue(items, f"{name} to {shape.name}")
        return Done(f"{name} added to {plain(shape.name)}. u undoes.", group, len(items))
