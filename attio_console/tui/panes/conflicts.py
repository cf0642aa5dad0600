"""Conflicts: the queue of what a machine must not decide alone, and one of them field by field."""

from __future__ import annotations

from textual import events, on
from textual.app import ComposeResult
from textual.timer import Timer
from textual.widgets import Input

from attio_console.errors import InvalidFilter
from attio_console.services.types import Changed, Column, ConflictLine
from attio_console.tui import times
from attio_console.tui.conflict_grid import side_title
from attio_console.tui.conflict_view import ConflictView
from attio_console.tui.lines import LinesView
from attio_console.tui.pane import CountLabel, FilterBox, Rule, TabLine, TabStrip, focus_now
from attio_console.tui.panes.conflict_actions import ConflictActions
from attio_console.tui.prose import counted
from attio_console.tui.record_view import system_name
from attio_console.tui.rows import Line, Slot
from attio_console.tui.sources import ConflictSource
from attio_console.tui.table import VirtualTable

_COLUMNS = (
    Column("age", "Age", "text", 7, 3, numeric=True),
    Column("label", "Record", "text", 24, 0),
    Column("system", "With", "text", 11, 2),
    Column("what", "What", "text", 28, 1),
    Column("suggestion", "Suggestion", "text", 36, 4),
)
_PREVIEW_AFTER_S = 0.08


class ConflictsPane(ConflictActions):
    """The fourth pane."""

    NAME = "conflicts"
    ABOUT = (
        "What the rules leave to a person. Enter opens a conflict: ← takes Attio's value, → the other side's, 0 the one "
        "both last agreed on, e your own, Space the suggestion; Enter applies once no ? is left. u takes a choice back, "
        "and after applying the whole decision, on both sides.\n\n"
        "With marks, H and L take one side for all of them, after a look at the plan; ! makes a choice a rule. w puts a "
        "conflict away, a hands it over, c says something, t shows a field's past. Other records go on syncing.\n\n"
        "The filter takes words and terms: system=hubspot object=people field=phone kind=merge age>2d assigned=jane."
    )

    def __init__(self) -> None:
        super().__init__(id="conflicts")
        self._strip = TabStrip()
        self._filter = FilterBox()
        self._count = CountLabel()
        self._table = VirtualTable(classes="main", cells=False)
        self.view = ConflictView()
        self._ids: list[int] = []
        self._skipped: list[int] = []
        self._source: ConflictSource
        self._timer: Timer | None = None
        self._deciding = False

    def compose(self) -> ComposeResult:
        """Make the parts."""
        self._filter.placeholder = "words, or system=hubspot object=people field=phone age>2d assigned=jane"
        yield TabLine(self._strip, self._filter, self._count)
        yield Rule()
        yield self._table
        yield self.view

    @property
    def table(self) -> VirtualTable:
        """The queue."""
        return self._table

    @property
    def opened(self) -> bool:
        """Whether the keys work on one conflict."""
        return self._deciding

    def contexts(self) -> tuple[str, ...]:
        """Return the contexts that hold here now, narrowest first."""
        return ("conflict", "global") if self.opened else ("conflicts", "list", "global")

    # -- the queue --------------------------------------------------------------------------------------------

    def shown(self) -> None:
        """Read the queue."""
        if not self._table.columns:
            self._table.set_columns(_COLUMNS)
        self._strip.show(("Waiting for a decision",), 0)
        self._lay_out()
        self.read_queue()

    def read_queue(self) -> None:
        """Read the queue again, with the cursor where it was."""
        text = self._filter.value.strip()
        try:
            ids = self.verbs.conflict_ids(text)
        except InvalidFilter as error:
            self._filter.add_class("-wrong")
            self._count.show((f"✕ {error.advice}", "danger"))
            return
        self._filter.remove_class("-wrong")
        there = set(ids)
        self._skipped = [number for number in self._skipped if number in there] if not text else self._skipped
        last = [number for number in self._skipped if number in there]
        self._ids = [number for number in ids if number not in set(last)] + last
        total = self.verbs.conflict_count()
        self._count.show((f"{len(ids):,} of {total:,}" if text else f"{total:,}" if total else "", "dim"))
        self._table.notice = self._notice()
        # The queue takes what it needs, and never more than leaves room for the fields.
        self._table.styles.height = max(4, min(len(ids) + 2, self.app.size.height * 2 // 5)) if ids else "1fr"
        self._draw_queue()
        if not ids:
            self._show(None)

    def _draw_queue(self) -> None:
        # A conflict that was just decided makes room for the one after it.
        self._source = ConflictSource(self.verbs, self._ids, self._row)
        self._table.show(self._source, same=True)

    def _notice(self) -> tuple[str, ...]:
        if self._filter.value.strip():
            return ("No conflict matches.", f"{self.face.keys.key('filter-clear')} clears the filter.")
        parts = self.verbs.sync_board().partitions
        pairs = sum(part.agreed for part in parts if part.system != "attio")
        agreed = f"{counted(pairs, 'pair')} agreed." if pairs else "What differs comes up here."
        return ("No conflicts.", agreed)

    def _row(self, line: ConflictLine) -> Line:
        age = times.span((self.face.clock.now() - line.detected_at).total_seconds())
        settled = line.suggestion if line.suggestion != "?" else "? for you to decide"
        return Line(
            str(line.conflict_id),
            (
                Slot(age, "", "dim"),
                Slot(line.label),
                Slot("your edit" if line.system == "attio" else system_name(line.system)),
                Slot(line.what),
                Slot(f"for {line.assignee} · {settled}" if line.assignee else settled, "", "dim"),
            ),
            (("“", "accent"),) if line.comments else (),
        )

    def line(self) -> ConflictLine | None:
        """Return the conflict under the cursor."""
        key = self._table.cursor_key
        if key is None:
            return None
        return self._source.lines.get(key) or next(iter(self.lines_of([key])), None)

    def lines_of(self, keys: list[str]) -> list[ConflictLine]:
        """Return conflicts by their keys in the queue."""
        return self.verbs.conflict_lines([int(key) for key in keys])

    @property
    def queue_ids(self) -> list[int]:
        """The conflicts of the queue, in its order."""
        return self._ids

    def skip_current(self) -> None:
        """Move the conflict under the cursor to the end of the queue."""
        if self._table.cursor_key is None:
            return
        number = int(self._table.cursor_key)
        place = self._ids.index(number)
        following = self._ids[place + 1] if place + 1 < len(self._ids) else self._ids[0]
        self._skipped = [other for other in self._skipped if other != number] + [number]
        self._table.cursor_key = str(following)
        self.read_queue()

    def store_changed(self, changed: Changed) -> None:
        """Read again what may be different."""
        if self._table.frozen:
            self._table.reload(live=True)
            return
        if "conflicts" in changed.what or "schema" in changed.what:
            self.read_queue()
            self._preview()

    def tick(self) -> None:
        """Bring ages up to date, while nothing is being decided."""
        if not self.opened and self._ids and not self._table.frozen:
            self._draw_queue()

    def take_focus(self) -> None:
        """Put the focus where the keys of this pane work."""
        focus_now(self.view.grid if self.opened else self._table)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Let the keys follow a click into the queue or into the fields."""
        if event.widget in {self._table, self.view.grid}:
            self._deciding = event.widget is self.view.grid

    def other_side(self) -> str:
        """Return what the other side of the open conflict is called."""
        line = self.line()
        return side_title(line.system) if line is not None else ""

    # -- one conflict -----------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        roomy = self.app.size.height >= 34
        self.set_class(not roomy and self.opened, "-opened")
        self.view.set_class(roomy or self.opened, "-shown")

    def on_resize(self) -> None:
        """Show queue and conflict together where there is room."""
        self._lay_out()
        self._preview()

    @on(VirtualTable.CursorMoved)
    def _moved(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(_PREVIEW_AFTER_S, self._preview)

    @on(VirtualTable.Loaded)
    def _loaded(self) -> None:
        self._preview()

    def _preview(self) -> None:
        if self.view.has_class("-shown"):
            self._show(self.line())

    def _show(self, line: ConflictLine | None) -> None:
        if line is None:
            self.view.show(None, "")
            if self.opened:
                self.close_conflict()
            return
        number = line.conflict_id
        place = f"{self._ids.index(number) + 1:,} of {len(self._ids):,}" if number in self._ids else ""
        self.view.show(self.verbs.conflict(number), place)

    def open_conflict(self) -> None:
        """Let the keys work on the conflict under the cursor."""
        self._deciding = True
        self._lay_out()
        self._show(self.line())
        focus_now(self.view.grid)
        self.call_after_refresh(self.view.redraw)
        self.face.main.refresh_footer()

    def close_conflict(self) -> None:
        """Go back to the queue."""
        self._deciding = False
        focus_now(self._table)
        self._lay_out()
        self.face.main.refresh_footer()

    def step_conflict(self, step: int) -> None:
        """Go to a neighbouring conflict without leaving the screen."""
        self._table.move(self._table.cursor + step)
        self._show(self.line())

    @on(VirtualTable.Opened)
    def _double_clicked(self) -> None:
        self.open_conflict()

    @on(LinesView.Opened)
    def _field_clicked(self) -> None:
        self.open_conflict()

    # -- the filter -------------------------------------------------------------------------------------------

    @on(Input.Changed)
    def _typed(self) -> None:
        self.read_queue()

    def act_filter(self) -> None:
        """Type a filter."""
        self._filter.open()

    async def act_filter_keep(self) -> None:
        """Go to the queue and keep the filter."""
        self.read_queue()
        self._filter.settle()
        focus_now(self._table)
        await self._table.settled()

    def act_filter_clear(self) -> None:
        """Clear the filter and go to the queue."""
        self._filter.value = ""
        self._filter.settle()
        focus_now(self._table)

    def clear_layer(self) -> bool:
        """Close or clear the innermost thing."""
        if self.opened:
            self.close_conflict()
        elif super().clear_layer():
            pass
        elif self._filter.value:
            self.act_filter_clear()
        else:
            return False
        return True
