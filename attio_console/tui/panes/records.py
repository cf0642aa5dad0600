"""Records: a table per object, a filter that narrows as you type, and the record under the cursor in full."""

from __future__ import annotations

from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.timer import Timer
from textual.widgets import Input

from attio_console.errors import InvalidFilter
from attio_console.services.preferences import SavedView, TableLook
from attio_console.services.types import Changed, Column, Tab, TableQuery
from attio_console.tui.background import replacing
from attio_console.tui.pane import CountLabel, FilterBox, Rule, TabLine, TabStrip, focus_now
from attio_console.tui.panes.record_actions import RecordActions
from attio_console.tui.prose import counted
from attio_console.tui.record_view import RecordView
from attio_console.tui.sources import RecordSource
from attio_console.tui.table import VirtualTable

# A key held down crosses many rows: the preview follows once it rests.
_PREVIEW_AFTER_S = 0.08


class RecordsPane(RecordActions):
    """The first pane."""

    NAME = "records"
    ABOUT = (
        "Every record of the workspace, from this computer's own copy. J and K go through the objects, / narrows as "
        "you type, Enter opens a record. e changes the field under the cursor; nothing is sent before it is on disk "
        "here, and u takes it back.\n\n"
        "Signs: ⇄ the record has a copy in another system, ! it has a conflict, ✎ an edit of yours is not "
        "confirmed yet, ✕ it was refused. A cell glows for a second when somebody else changed it."
    )

    def __init__(self) -> None:
        super().__init__(id="records")
        self._strip = TabStrip()
        self._filter = FilterBox()
        self._count = CountLabel()
        self._hint = CountLabel(id="filter-hint")
        self._table = VirtualTable(classes="main")
        self.view = RecordView(id="record")
        self.collection = ""
        self.preview_wanted: bool | None = None
        self._wanted_record: str | None = None
        self._preview_timer: Timer | None = None
        self._unfiltered: int | None = None
        self._new_above = 0
        self._looks: dict[str, TableLook] = {}

    def compose(self) -> ComposeResult:
        """Make the parts."""
        yield TabLine(self._strip, self._filter, self._count)
        yield Rule()
        with Container(id="body"):
            yield self._table
            yield self.view

    @property
    def table(self) -> VirtualTable:
        """The table that the keys work on: the record's lines where it is open, else the records."""
        return self.view.table if self.opened else self._table

    @property
    def records_table(self) -> VirtualTable:
        """The table of records, whatever is open."""
        return self._table

    @property
    def opened(self) -> bool:
        """Whether a record is open in full."""
        return self.has_class("-opened")

    def contexts(self) -> tuple[str, ...]:
        """Return the contexts that hold here now, narrowest first."""
        return ("record", "global") if self.opened else ("records", "list", "global")

    # -- showing ----------------------------------------------------------------------------------------------

    def shown(self) -> None:
        """Read what the table shows."""
        tabs = self.verbs.tabs()
        if not tabs:
            self._table.notice = (
                "Nothing is mirrored yet.",
                "The first pull fetches the workspace; 3 shows how far it is.",
            )
            self._table.show(self._source_of_nothing(), forget=True)
            return
        if not any(tab.collection == self.collection for tab in tabs):
            kept = self.verbs.preference("object")
            if self.preview_wanted is None:
                self.preview_wanted = self.verbs.preference("preview")
            self.open_collection(
                next((t.collection for t in tabs if t.collection == kept), tabs[0].collection)
            )
        else:
            self._refresh_tabs()
            self._table.reload()
        self._apply_preview()

    def open_collection(self, collection: str, text: str = "") -> None:
        """Show an object, with a filter."""
        self.close_record()
        self.collection = collection
        self.face.prefer("object", collection)
        self._filter.value = text
        self._filter.settle()
        self._table.set_columns(self.columns_of(collection))
        self._table.loaded = False
        self._unfiltered = None
        self._refresh_tabs()
        self._query(forget=True)

    def columns_of(self, collection: str) -> tuple[Column, ...]:
        """Return the columns chosen for an object."""
        known = {column.slug: column for column in self.verbs.columns(collection)}
        kept = tuple(known[slug] for slug in self._look(collection).columns if slug in known)
        return kept or tuple(column for column in known.values() if column.shown)

    def choose_columns(self, columns: tuple[Column, ...]) -> None:
        """Show these columns of the present object from now on."""
        self._keep_look(TableLook(tuple(column.slug for column in columns), self.sorts))
        self._table.set_columns(columns)
        self._query()

    @property
    def sorts(self) -> tuple[tuple[str, bool], ...]:
        """The order of the present object."""
        return self._look(self.collection).sorts

    def sort_by(self, sorts: tuple[tuple[str, bool], ...]) -> None:
        """Show the present object in this order from now on."""
        self._keep_look(TableLook(self._look(self.collection).columns, sorts))
        self._query()

    def _look(self, collection: str) -> TableLook:
        if collection not in self._looks:
            self._looks[collection] = self.verbs.table_look(collection)
        return self._looks[collection]

    def _keep_look(self, look: TableLook) -> None:
        self._looks[self.collection] = look
        self.run_worker(
            self.verbs.keep_table_look(self.collection, look), group="preference", exit_on_error=True
        )

    def show_view(self, view: SavedView) -> None:
        """Show a saved view; its order and columns are the object's from now on."""
        self._keep_look(TableLook(view.columns, view.sorts))
        self.open_collection(self.collection, view.filter)

    def view_now(self, name: str, slot: int = 0) -> SavedView:
        """Return what the table shows as a view to keep."""
        columns = tuple(column.slug for column in self._table.columns)
        return SavedView(slot, name, self._filter.value.strip(), self.sorts, columns)

    @property
    def table_query(self) -> TableQuery:
        """What the table shows."""
        return TableQuery(self.collection, self._filter.value.strip(), self.sorts)

    def _query(self, *, forget: bool = False) -> None:
        query = self.table_query
        try:
            self.verbs.check_filter(query.collection, query.filter)
        except InvalidFilter as error:
            self._filter.add_class("-wrong")
            self._count.show((f"✕ {error.message}", "danger"))
            return
        self._filter.remove_class("-wrong")
        self._table.notice = self._notice(query)
        self._table.show(
            RecordSource(self.verbs, query, [column.slug for column in self._table.columns]),
            sorts=query.sorts,
            forget=forget,
        )

    def _notice(self, query: TableQuery) -> tuple[str, ...]:
        keys = self.face.keys
        if query.filter:
            return (f"Nothing matches “{query.filter}”.", f"{keys.key('filter-clear')} clears the filter.")
        if self.verbs.headline().liveness == "starting":
            return ("The first pull is on its way.", f"{keys.key('pane-sync')} shows how far it is.")
        return ("No records.", f"{keys.key('add')} creates one · {keys.key('sync-now')} asks Attio again.")

    def _refresh_tabs(self) -> None:
        tabs = self.verbs.tabs()
        active = next((n for n, tab in enumerate(tabs) if tab.collection == self.collection), 0)
        self._strip.show(tuple(tab.title for tab in tabs), active)
        self._unfiltered = tabs[active].count if tabs else None

    def tab(self) -> Tab | None:
        """Return the object that is shown."""
        return next((tab for tab in self.verbs.tabs() if tab.collection == self.collection), None)

    def step_tab(self, step: int) -> None:
        """Show the next object."""
        tabs = self.verbs.tabs()
        if tabs:
            now = next((n for n, tab in enumerate(tabs) if tab.collection == self.collection), 0)
            self.open_collection(tabs[(now + step) % len(tabs)].collection)

    @on(TabStrip.Chosen)
    def _tab_chosen(self, event: TabStrip.Chosen) -> None:
        if event.strip is self._strip:
            tabs = self.verbs.tabs()
            if event.number < len(tabs):
                self.open_collection(tabs[event.number].collection)
        else:
            self.view.choose(event.number)

    @on(VirtualTable.Loaded)
    def _loaded(self, event: VirtualTable.Loaded) -> None:
        if event.table is not self._table:
            return
        if event.arrived:
            self._new_above += event.arrived
        if event.total:
            self.face.settle_memory()
        self._show_count()

    def _show_count(self) -> None:
        total = self._table.total
        if self._filter.value.strip():
            whole = f" of {self._unfiltered:,}" if self._unfiltered is not None else ""
            self._count.show((f"{total:,}{whole}", "dim"))
        else:
            self._count.show((f"{total:,}", "dim"))

    @on(VirtualTable.LoadFailed)
    def _failed(self, event: VirtualTable.LoadFailed) -> None:
        event.table.notice = (
            event.error.message,
            event.error.hint or f"{self.face.keys.key('reload')} tries again.",
        )
        event.table.loaded = True
        event.table.refresh()

    # -- the store changed ------------------------------------------------------------------------------------

    def store_changed(self, changed: Changed) -> None:
        """Read again what may be different."""
        if not self.collection or "schema" in changed.what:
            self.shown()
            return
        records = "records" in changed.what and (
            not changed.collections or self.collection in changed.collections
        )
        if records or changed.what & {"outbox", "conflicts"}:
            self._refresh_tabs()
            self._table.filling = self.verbs.headline().liveness == "starting"
            self._table.reload(live=True)
        self._refresh_view(changed)

    def _refresh_view(self, changed: Changed) -> None:
        detail = self.view.detail
        if detail is None or not self.view.has_class("-shown"):
            return
        # Notes, tasks and entries change under ids of their own, so only records of this object are told apart.
        here = not changed.collections or self.collection in changed.collections
        if (
            "records" in changed.what
            and here
            and changed.record_ids
            and detail.record_id not in changed.record_ids
        ):
            return
        self._read_preview(detail.record_id)

    # -- preview and detail -----------------------------------------------------------------------------------

    def preview_is_on(self) -> bool:
        """Return whether the preview shows: by wish, or else where there is room."""
        if self.preview_wanted is not None:
            return self.preview_wanted
        return self.app.size.height >= 32 or self.app.size.width >= 160

    def _apply_preview(self) -> None:
        on_screen = self.opened or self.preview_is_on()
        self.view.set_class(on_screen, "-shown")
        if on_screen and self._table.cursor_key is not None:
            self._read_preview(self._table.cursor_key)

    def on_resize(self) -> None:
        """Show the preview where there is room for it now."""
        if self.collection:
            self._apply_preview()

    def toggle_preview(self) -> None:
        """Show or hide the preview."""
        self.preview_wanted = not self.preview_is_on()
        self.face.prefer("preview", self.preview_wanted)
        self._apply_preview()

    @on(VirtualTable.CursorMoved)
    def _cursor_moved(self, event: VirtualTable.CursorMoved) -> None:
        if event.table is not self._table or not self.view.has_class("-shown"):
            return
        if self._preview_timer is not None:
            self._preview_timer.stop()
        self._preview_timer = self.set_timer(_PREVIEW_AFTER_S, self._preview_cursor)

    def _preview_cursor(self) -> None:
        if self._table.cursor_key is None:
            self.view.show(None)
        else:
            self._read_preview(self._table.cursor_key)

    def _read_preview(self, record_id: str) -> None:
        self._wanted_record = record_id
        replacing(self, "preview", partial(self._preview, record_id))

    async def _preview(self, record_id: str) -> None:
        detail = await self.verbs.detail(self.collection, record_id)
        if record_id == self._wanted_record:
            self.view.show(detail)

    def open_record(self, record_id: str) -> None:
        """Show a record in full."""
        self.add_class("-opened")
        self.view.add_class("-shown")
        self.view.whole = True
        self._read_preview(record_id)
        focus_now(self.view.table)
        self.face.main.refresh_footer()

    def close_record(self) -> None:
        """Go back to the table."""
        if self.opened:
            self.remove_class("-opened")
            self.view.whole = False
            self._apply_preview()
            focus_now(self._table)
            self.face.main.refresh_footer()

    def show_record(self, collection: str, record_id: str) -> None:
        """Show one record in full, wherever it is."""
        if not self.verbs.schema.object(collection):
            self.face.refuse("That is not a record of its own; its record shows it.")
            return
        if collection != self.collection or self._filter.value:
            self.open_collection(collection)
        self._table.show(
            RecordSource(self.verbs, self.table_query, [column.slug for column in self._table.columns]),
            sorts=self.sorts,
            cursor=record_id,
        )
        self.open_record(record_id)

    def take_focus(self) -> None:
        """Put the focus where the keys of this pane work."""
        focus_now(self.table)

    def tick(self) -> None:
        """Nothing here tells the time by itself: what is shown is read again when the store changes."""

    def footer_left(self) -> str:
        """Return how many rows are marked, what is frozen, and what arrived above."""
        words = super().footer_left()
        if self._new_above and self._table.scroll_offset.y > 0:
            return " · ".join(
                part for part in (f"{counted(self._new_above, 'row')} arrived above", words) if part
            )
        self._new_above = 0
        return words

    # -- the filter -------------------------------------------------------------------------------------------

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        if event.input is self._filter and self.collection:
            self._query()

    def act_filter(self) -> None:
        """Type a filter."""
        self._filter.open()
        self.face.main.refresh_footer()

    async def act_filter_keep(self) -> None:
        """Go to the table and keep the filter."""
        self._query()
        self._filter.settle()
        focus_now(self._table)
        await self._table.settled()

    def act_filter_clear(self) -> None:
        """Clear the filter and go to the table."""
        self._filter.value = ""
        self._filter.settle()
        focus_now(self._table)

    def clear_layer(self) -> bool:
        """Close or clear the innermost thing: the record, a range, the marks, the filter."""
        if self.opened:
            self.close_record()
        elif super().clear_layer():
            pass
        elif self._filter.value:
            self.act_filter_clear()
        else:
            return False
        return True
