"""What the keys change: fields, records, notes, tasks, lists; and why something cannot be done now."""

from __future__ import annotations

from collections.abc import Mapping

from attio_console.errors import UsageError
from attio_console.model.schema import Attribute
from attio_console.services.types import Done, FieldLine
from attio_console.tui.dialogs.confirm import Confirm, PlanDialog
from attio_console.tui.dialogs.form import Form, FormField
from attio_console.tui.dialogs.pick import Pick, PickDialog, among
from attio_console.tui.editors import edit_field, hint_for
from attio_console.tui.panes.record_looking import RecordLooking
from attio_console.tui.prose import counted

_NEEDS_RECORD = {
    "open", "edit", "note", "task", "delete", "add-to-list", "copy", "copy-value", "browser",
    "mark", "edit-field", "mark-same", "mark-range",
}  # fmt: skip


class RecordActions(RecordLooking):
    """Everything in the Records pane that changes records, and why it cannot be done now."""

    def why_not(self, action: str) -> str | None:
        """Return why an action cannot be done now, or None."""
        if not self.collection:
            return (
                "Nothing is mirrored yet; 3 shows how far the first pull is."
                if action in _NEEDS_ACTION
                else None
            )
        if action in _NEEDS_RECORD and not self.record_ids():
            return "No record is under the cursor."
        if action in {"note", "task", "browser"} and len(self.record_ids()) > 1:
            return "This works on one record; Esc takes the marks away."
        if action == "edit-field":
            return self._why_not_field(self.view.field)
        if action == "edit":
            column = self.records_table.current_column
            if column is not None and not column.editable:
                return f"{column.title} is kept by Attio itself."
        if action == "add-to-list" and not self._lists():
            return "No list takes records of this object."
        if action in {"next-record", "previous-record"} and self.records_table.total < 2:
            return "There is no other record in the table."
        if action == "copy-value" and self.table.current is None:
            return "Nothing is under the cursor."
        return None

    def _why_not_field(self, field: FieldLine | None) -> str | None:
        name = self.view.tab_name
        if name == "Tasks":
            return None if self.view.table.cursor_key else "No task is under the cursor."
        if name != "Fields":
            return f"{name} cannot be changed here; [ and ] go to the fields."
        if field is None:
            return "No field is under the cursor."
        return None if field.editable else (field.why_not or f"{field.title} is kept by Attio itself.")

    def _attribute(self, slug: str) -> Attribute:
        attribute = self.verbs.attribute(self.collection, slug)
        if attribute is None:
            raise UsageError(f"There is no field {slug} any more.")
        return attribute

    # -- changing ---------------------------------------------------------------------------------------------

    async def act_edit(self) -> Done | None:
        """Edit the field under the cursor, of one record or of all marked ones."""
        column = self.records_table.current_column
        if column is None:
            return None
        attribute = self._attribute(column.slug)
        ids = self.record_ids()
        if len(ids) > 1:
            return await self._edit_many(attribute, ids)
        return await self._edit_one(attribute, ids[0])

    async def act_edit_field(self) -> Done | None:
        """Edit the field under the cursor of the open record, or tick its task off."""
        detail = self.view.detail
        if detail is None:
            return None
        if self.view.tab_name == "Tasks":
            task = next((task for task in detail.tasks if task.task_id == self.view.table.cursor_key), None)
            return await self.verbs.set_task_done(task.task_id, not task.done) if task is not None else None
        field = self.view.field
        return (
            await self._edit_one(self._attribute(field.slug), detail.record_id) if field is not None else None
        )

    async def _edit_one(self, attribute: Attribute, record_id: str) -> Done | None:
        collection = self.collection
        text = self.verbs.editable_text(collection, record_id, attribute.slug)
        seen = self.verbs.current(collection, record_id, attribute.slug)

        async def save(typed: str) -> Done | None:
            nonlocal seen
            looked_at, seen = seen, self.verbs.current(collection, record_id, attribute.slug)
            return await self.verbs.edit(collection, [record_id], attribute.slug, typed, seen=looked_at)

        title = f"{attribute.title} of {self.verbs.label(record_id)}"
        return await edit_field(self.face, collection, attribute, title, text, save)

    async def _edit_many(self, attribute: Attribute, ids: list[str]) -> Done | None:
        collection = self.collection
        title = f"{attribute.title} of {counted(len(ids), 'record')}"

        async def plan(typed: str) -> Done | None:
            await self.verbs.preview_edit(collection, ids, attribute.slug, typed)
            return Done(typed)

        typed = await edit_field(
            self.face, collection, attribute, title, "", plan, "You see every change before it is made."
        )
        if typed is None:
            return None
        writes = await self.verbs.preview_edit(collection, ids, attribute.slug, typed.message)
        while True:
            if not writes:
                return Done("Nothing to change: all of them have that value already.")
            if not await self.face.push_screen_wait(PlanDialog(title, writes)):
                return None
            looked_at = writes
            writes = await self.verbs.preview_edit(collection, ids, attribute.slug, typed.message)
            if writes == looked_at:
                break
            self.face.refuse("Some of them were changed while you looked. This is the plan now.")
        return await self.verbs.edit(collection, ids, attribute.slug, typed.message)

    async def act_add(self) -> Done | None:
        """Create a record."""
        shape = self.verbs.schema.object(self.collection)
        if shape is None:
            return None
        shown = {column.slug for column in self.records_table.columns}
        # Attio's own attributes are among them: a name is one.
        attributes = [a for a in shape.attributes if a.is_writable and not a.is_archived]
        attributes.sort(key=lambda a: (not a.is_required, a.slug != "name", a.slug not in shown))
        fields = [self._form_field(attribute) for attribute in attributes[:12]]

        async def save(values: Mapping[str, str]) -> Done:
            return await self.verbs.create(shape.slug, values)

        return await self.face.push_screen_wait(Form(f"New {shape.singular or shape.slug}", fields, save))

    def _form_field(self, attribute: Attribute) -> FormField:
        suggestions = tuple(
            choice.title
            for choice in self.verbs.choices(self.collection, attribute.slug)
            if not choice.archived
        )
        return FormField(
            attribute.slug,
            attribute.title,
            hint=hint_for(attribute).removesuffix(" · empty clears it").removesuffix("empty clears it"),
            suggestions=suggestions,
            required=attribute.is_required,
        )

    async def act_note(self) -> Done | None:
        """Write a note."""
        record_id = self.record_ids()[0]
        fields = [FormField("title", "Title"), FormField("content", "Text", long=True)]

        async def save(values: Mapping[str, str]) -> Done:
            return await self.verbs.add_note(self.collection, record_id, values["title"], values["content"])

        return await self.face.push_screen_wait(Form(f"Note on {self.verbs.label(record_id)}", fields, save))

    async def act_task(self) -> Done | None:
        """Add a task."""
        record_id = self.record_ids()[0]
        members = tuple(
            member.email for member in self.verbs.schema.members if member.access_level != "suspended"
        )
        fields = [
            FormField("content", "What is to be done", required=True),
            FormField("deadline", "Due", hint="such as 2026-12-24"),
            FormField("assignee", "Assigned to", hint="a member's e-mail address", suggestions=members),
        ]

        async def save(values: Mapping[str, str]) -> Done:
            return await self.verbs.add_task(
                self.collection, record_id, values["content"], values["deadline"], values["assignee"]
            )

        return await self.face.push_screen_wait(Form(f"Task for {self.verbs.label(record_id)}", fields, save))

    def _lists(self) -> list[Pick]:
        tab = self.tab()
        return [
            Pick(
                known.id,
                known.name,
                counted(len(known.status_attribute.statuses), "stage") if known.status_attribute else "",
            )
            for known in self.verbs.schema.lists
            if tab is not None and known.parent_object == tab.slug
        ]

    async def act_add_to_list(self) -> Done | None:
        """Add to a list, in a stage where it has stages."""
        ids = self.record_ids()
        answer = await self.face.push_screen_wait(
            PickDialog(f"Add {counted(len(ids), 'record')} to a list", among(self._lists()))
        )
        if not answer:
            return None
        known = self.verbs.schema.list(answer[0])
        stage = None
        if known is not None and known.status_attribute is not None:
            stages = [Pick(s.id, s.title) for s in known.status_attribute.statuses if not s.is_archived]
            chosen = await self.face.push_screen_wait(
                PickDialog(f"{known.name}: in which stage?", among(stages))
            )
            if not chosen:
                return None
            stage = chosen[0]
        return await self.verbs.add_to_list(answer[0], ids, stage)

    async def act_delete(self) -> Done | None:
        """Delete, after asking."""
        ids = self.record_ids()
        shape = self.verbs.shape(self.collection)
        what = self.verbs.label(ids[0]) if len(ids) == 1 else f"{len(ids):,} records of {shape.slug}"
        question = f"Delete {what} in Attio?"
        if not await self.face.push_screen_wait(
            Confirm(
                question,
                "Their notes, tasks and list entries go with them. This cannot be undone.",
                count=len(ids),
            )
        ):
            return None
        done = await self.verbs.delete(self.collection, ids)
        self.records_table.set_marks(self.records_table.marks - set(ids))
        return done


_NEEDS_ACTION = _NEEDS_RECORD | {
    "add",
    "sort",
    "columns",
    "export",
    "filter",
    "sort-ascending",
    "sort-descending",
}
