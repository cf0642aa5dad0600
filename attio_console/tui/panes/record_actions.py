"""What the keys do with records: change, create, note, task, list, delete, sort, columns, export."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from textual import on

from attio_console.errors import UsageError
from attio_console.model.schema import Attribute
from attio_console.services.types import Column, Done, FieldLine
from attio_console.tui import exporting
from attio_console.tui.dialogs.columns import ColumnsDialog
from attio_console.tui.dialogs.confirm import Confirm, PlanDialog
from attio_console.tui.dialogs.form import Form, FormField
from attio_console.tui.dialogs.pick import Pick, PickDialog, among
from attio_console.tui.editors import edit_field, hint_for
from attio_console.tui.prose import counted
from attio_console.tui.rows import ListSource
from attio_console.tui.table import VirtualTable
from attio_console.tui.table_actions import TableActions

if TYPE_CHECKING:
    from attio_console.services.types import Tab, TableQuery
    from attio_console.tui.record_view import RecordView

_NEEDS_RECORD = {
    "open", "edit", "note", "task", "delete", "add-to-list", "copy", "copy-value", "browser",
    "mark", "edit-field", "mark-same", "mark-range",
}  # fmt: skip


class RecordActions(TableActions):
    """The actions of the Records pane; the pane itself holds the parts."""

    view: RecordView
    collection: str

    @property
    def records_table(self) -> VirtualTable:
        """The table of records, whatever is open."""
        raise LookupError

    @property
    def opened(self) -> bool:
        """Whether a record is open in full."""
        raise LookupError

    @property
    def table_query(self) -> TableQuery:
        """What the table shows."""
        raise LookupError

    @property
    def sorts(self) -> tuple[tuple[str, bool], ...]:
        """The order of the present object."""
        raise LookupError

    def sort_by(self, sorts: tuple[tuple[str, bool], ...]) -> None:
        """Show the present object in this order from now on."""
        raise LookupError(sorts)

    def choose_columns(self, columns: tuple[Column, ...]) -> None:
        """Show these columns from now on."""
        raise LookupError(columns)

    def step_tab(self, step: int) -> None:
        """Show the next object."""
        raise LookupError(step)

    def tab(self) -> Tab | None:
        """Return the object that is shown."""
        raise LookupError

    def open_record(self, record_id: str) -> None:
        """Show a record in full."""
        raise LookupError(record_id)

    def toggle_preview(self) -> None:
        """Show or hide the preview."""
        raise LookupError

    # -- what it is about -------------------------------------------------------------------------------------

    def record_ids(self) -> list[str]:
        """Return the records an action is for: the open one, the marked ones, or the one under the cursor."""
        if self.opened and self.view.detail is not None:
            return [self.view.detail.record_id]
        return self.targets()

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
        attributes = [a for a in shape.attributes if a.is_writable and not a.is_archived and not a.is_system]
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

    # -- looking ----------------------------------------------------------------------------------------------

    def act_open(self) -> None:
        """Open the record under the cursor."""
        if self.records_table.cursor_key is not None:
            self.open_record(self.records_table.cursor_key)

    @on(VirtualTable.Opened)
    def _double_clicked(self, event: VirtualTable.Opened) -> None:
        if event.table is self.records_table:
            self.open_record(event.key)

    def act_next_record(self) -> None:
        """Go to the next record without leaving the detail."""
        self._step_record(1)

    def act_previous_record(self) -> None:
        """Go to the previous record."""
        self._step_record(-1)

    def _step_record(self, step: int) -> None:
        table = self.records_table
        table.move(table.cursor + step)
        if table.cursor_key is not None:
            self.open_record(table.cursor_key)

    def act_tab_next(self) -> None:
        """Show the next tab of the record."""
        self._step_view(1)

    def act_tab_previous(self) -> None:
        """Show the previous tab of the record."""
        self._step_view(-1)

    def _step_view(self, step: int) -> None:
        if not self.view.has_class("-shown"):
            self.toggle_preview()
        self.view.choose(self.view.tab + step)

    def act_preview(self) -> None:
        """Show or hide the preview."""
        self.toggle_preview()

    def act_object_next(self) -> None:
        """Show the next object."""
        self.step_tab(1)

    def act_object_previous(self) -> None:
        """Show the previous object."""
        self.step_tab(-1)

    def act_browser(self) -> None:
        """Open the record in the browser."""
        self.run_worker(self._open_browser(self.record_ids()[0]), group="action")

    async def _open_browser(self, record_id: str) -> None:
        detail = await self.verbs.detail(self.collection, record_id)
        self.face.main.open_in_browser(detail.web_url if detail else "")

    def act_copy(self) -> None:
        """Copy the ids of the records."""
        self.face.copy(self.record_ids())

    def act_copy_value(self) -> None:
        """Copy the value under the cursor."""
        current, number = self.table.current, self.table.cursor_column
        if self.opened and self.view.field is not None:
            self.face.copy([self.view.field.text])
        elif current is not None and number < len(current.slots):
            self.face.copy([current.slots[number].text])

    def act_zoom(self) -> None:
        """Give the record the whole screen, or give it back."""
        if self.opened:
            self.clear_layer()
        else:
            self.act_open()

    def act_back(self) -> None:
        """Close or clear the innermost thing."""
        self.clear_layer()

    def act_leave(self) -> None:
        """Close or clear the innermost thing, or quit."""
        if not self.clear_layer():
            self.face.act_quit()

    # -- order and columns ------------------------------------------------------------------------------------

    async def act_sort(self) -> None:
        """Choose the field to sort by."""
        now = self.sorts[0][0] if self.sorts else ""
        picks = [Pick("", "The order of Attio")]
        for column in self.verbs.columns(self.collection):
            picks.append(Pick(f"{column.slug}+", f"{column.title} ▲", "smallest first"))
            picks.append(Pick(f"{column.slug}-", f"{column.title} ▼", "largest first"))
        answer = await self.face.push_screen_wait(PickDialog("Sort by", among(picks), chosen=(f"{now}+",)))
        if answer is not None:
            slug = answer[0]
            self.sort_by(((slug[:-1], slug.endswith("-")),) if slug else ())

    def act_sort_ascending(self) -> None:
        """Sort by this column, smallest first."""
        self._sort_column(descending=False)

    def act_sort_descending(self) -> None:
        """Sort by this column, largest first."""
        self._sort_column(descending=True)

    def _sort_column(self, *, descending: bool) -> None:
        column = self.records_table.current_column
        if column is not None:
            wanted = ((column.slug, descending),)
            self.sort_by(() if self.sorts == wanted else wanted)

    @on(VirtualTable.HeaderClicked)
    def _title_clicked(self, event: VirtualTable.HeaderClicked) -> None:
        if event.table is self.records_table:
            ascending = ((event.column.slug, False),)
            self.sort_by(((event.column.slug, True),) if self.sorts == ascending else ascending)

    async def act_columns(self) -> None:
        """Choose which columns are shown."""
        answer = await self.face.push_screen_wait(
            ColumnsDialog(self.verbs.columns(self.collection), [c.slug for c in self.records_table.columns])
        )
        if answer:
            known = {column.slug: column for column in self.verbs.columns(self.collection)}
            self.choose_columns(tuple(known[slug] for slug in answer))

    async def act_export(self) -> Done | None:
        """Save what the table shows, or what is marked."""
        tab = self.tab()
        marked = sorted(self.records_table.marks)
        picks = [Pick(kind, title) for kind, title in exporting.FORMATS]
        what = f"{len(marked):,} marked" if marked else f"{self.records_table.total:,}"
        answer = await self.face.push_screen_wait(PickDialog(f"Export {what} records as", among(picks)))
        if not answer or tab is None:
            return None
        kind = answer[0]
        columns = list(self.records_table.columns)

        async def save(values: Mapping[str, str]) -> Done:
            path = values["path"].strip()
            return await exporting.export(self.verbs, self.table_query, columns, marked, kind, path)

        form = Form("Export", [FormField("path", "File", f"{tab.slug}.{exporting.SUFFIXES[kind]}")], save)
        return await self.face.push_screen_wait(form)

    @staticmethod
    def _source_of_nothing() -> ListSource:
        return ListSource()


_NEEDS_ACTION = _NEEDS_RECORD | {
    "add",
    "sort",
    "columns",
    "export",
    "filter",
    "sort-ascending",
    "sort-descending",
}
