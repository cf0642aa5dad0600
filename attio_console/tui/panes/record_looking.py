"""What the keys do with records that changes none of them: open, step, order, columns, copy, export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from textual import on

from attio_console.services.types import Column, Done
from attio_console.tui import exporting
from attio_console.tui.dialogs.columns import ColumnsDialog
from attio_console.tui.dialogs.form import Form, FormField
from attio_console.tui.dialogs.pick import Pick, PickDialog, among
from attio_console.tui.dialogs.views import DELETE, SAVE, ViewsDialog
from attio_console.tui.rows import ListSource
from attio_console.tui.table import VirtualTable
from attio_console.tui.table_actions import TableActions

if TYPE_CHECKING:
    from attio_console.services.preferences import SavedView
    from attio_console.services.types import Tab, TableQuery
    from attio_console.tui.record_view import RecordView

_NEEDS_RECORD = {
    "open", "edit", "note", "task", "delete", "add-to-list", "copy", "copy-value", "browser",
    "mark", "edit-field", "mark-same", "mark-range",
}  # fmt: skip


class RecordLooking(TableActions):
    """Everything in the Records pane that only looks; the pane itself holds the parts."""

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

    def show_view(self, view: SavedView) -> None:
        """Show a saved view."""
        raise LookupError(view)

    def view_now(self, name: str, slot: int = 0) -> SavedView:
        """Return what the table shows as a view to keep."""
        raise LookupError(name, slot)

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

    # -- saved views ------------------------------------------------------------------------------------------

    async def act_views(self) -> Done | None:
        """Show, keep or delete a saved view."""
        tab = self.tab()
        if tab is None:
            return None
        views = self.verbs.views(self.collection)
        answer = await self.face.push_screen_wait(ViewsDialog(f"Views of {tab.title}", views))
        if not answer:
            return None
        if answer[0] == SAVE:
            return await self._save_view()
        if answer[0] == DELETE:
            return await self._delete_view(views)
        self.show_view(next(view for view in views if str(view.slot) == answer[0]))
        return None

    async def _save_view(self) -> Done | None:
        async def save(values: Mapping[str, str]) -> Done:
            return await self.verbs.save_view(self.collection, self.view_now(values["name"]))

        note = "Its filter, order and columns are kept; a view of the same name is replaced."
        return await self.face.push_screen_wait(
            Form("Save view", [FormField("name", "Name")], save, note=note)
        )

    async def _delete_view(self, views: Sequence[SavedView]) -> Done | None:
        picks = [Pick(str(view.slot), f"{view.slot}  {view.name}", view.filter) for view in views]
        answer = await self.face.push_screen_wait(PickDialog("Delete a view", among(picks)))
        return await self.verbs.delete_view(self.collection, int(answer[0])) if answer else None

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
