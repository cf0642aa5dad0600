"""Outbox and history: what waits, what was sent, what was undone."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult

from attio_console.errors import ConsoleError
from attio_console.services.types import Changed, Column, Done, GroupLine, OutboxLine
from attio_console.tui import times
from attio_console.tui.dialogs.confirm import Confirm, plan_lines
from attio_console.tui.pane import CountLabel, Rule, TabLine, TabStrip, focus_now
from attio_console.tui.prose import PENDING, REFUSED, counted
from attio_console.tui.record_view import RecordTitle, system_name
from attio_console.tui.rows import Line, ListSource, Slot
from attio_console.tui.table import VirtualTable
from attio_console.tui.table_actions import TableActions

_WAITING = (
    Column("label", "Record", "text", 24, 0),
    Column("what", "Write", "text", 36, 1),
    Column("system", "To", "text", 11, 3),
    Column("state", "State", "text", 28, 2),
    Column("age", "Age", "text", 7, 4, numeric=True),
)
_HISTORY = (
    Column("title", "What was done", "text", 44, 0),
    Column("count", "Writes", "number", 7, 3, numeric=True),
    Column("state", "State", "text", 16, 1),
    Column("by", "By", "text", 16, 4),
    Column("at", "When", "text", 12, 2),
)
_WRITES = (
    Column("label", "Record", "text", 24, 0),
    Column("where", "Where", "text", 18, 3),
    Column("field", "Field", "text", 16, 1),
    Column("before", "From", "text", 20, 4),
    Column("after", "To", "text", 20, 2),
)


class OutboxPane(TableActions):
    """The fifth pane."""

    NAME = "outbox"
    ABOUT = (
        "What waits to be sent, with its tries and the reason where it was refused; ] shows what was done, newest first. "
        "t sends again, D gives a write up after asking, U undoes the action under the cursor, u the newest.\n\n"
        "Everything here is on disk: quitting, a crash or a tunnel loses none of it."
    )

    def __init__(self) -> None:
        super().__init__(id="outbox")
        self._strip = TabStrip()
        self._count = CountLabel()
        self._table = VirtualTable(classes="main", cells=False)
        self._title = RecordTitle()
        self._writes = VirtualTable(id="writes")
        self.history = False
        self._lines: dict[str, OutboxLine] = {}
        self._groups: dict[str, GroupLine] = {}

    def compose(self) -> ComposeResult:
        """Make the parts."""
        yield TabLine(self._strip, None, self._count)
        yield Rule()
        yield self._table
        yield Rule()
        yield self._title
        yield self._writes

    def on_mount(self) -> None:
        """Lay the parts out."""
        self._writes.can_focus = False
        self._writes.set_columns(_WRITES)
        self._writes.styles.height = 8

    @property
    def table(self) -> VirtualTable:
        """The table that the keys work on."""
        return self._table

    def contexts(self) -> tuple[str, ...]:
        """Return the contexts that hold here now, narrowest first."""
        return ("outbox", "list", "global")

    def shown(self) -> None:
        """Read what waits and what was done."""
        self._read(forget=not self._table.columns)

    def store_changed(self, changed: Changed) -> None:
        """Read again what may be different."""
        if changed.what & {"outbox", "conflicts", "records"} and not self._table.frozen:
            self._read()

    def tick(self) -> None:
        """Bring ages up to date."""
        if not self.history and self._lines and not self._table.frozen:
            self._read()

    def take_focus(self) -> None:
        """Put the focus where the keys of this pane work."""
        focus_now(self._table)

    # -- reading ----------------------------------------------------------------------------------------------

    def _read(self, *, forget: bool = False) -> None:
        waiting = self.verbs.outbox()
        self._strip.show(
            (f"Waiting {len(waiting):,}" if waiting else "Waiting", "History"), int(self.history)
        )
        columns = _HISTORY if self.history else _WAITING
        if self._table.columns != columns:
            self._table.set_columns(columns)
        self._lines = {str(line.item_id): line for line in waiting}
        if self.history:
            groups = self.verbs.groups()
            self._groups = {str(group.group_id): group for group in groups}
            lines = [self._group_line(group) for group in groups]
            self._count.show((counted(len(groups), "action"), "dim"))
            self._table.notice = (
                "Nothing was done from here yet.",
                "Every edit, move and resolution shows here, and can be undone.",
            )
        else:
            lines = [self._waiting_line(line) for line in waiting]
            refused = sum(line.state in {"refused", "dead"} for line in waiting)
            self._count.show((f"{REFUSED} {refused:,} refused" if refused else "", "danger"))
            self._table.notice = ("Nothing waits: everything is sent.", "] shows what was done.")
        self._table.show(ListSource(lines), forget=forget, same=True)
        self._show_writes()

    def _waiting_line(self, line: OutboxLine) -> Line:
        state, sign, tone = _waiting_state(line)
        return Line(
            str(line.item_id),
            (
                Slot(line.label),
                Slot(line.what),
                Slot(system_name(line.system), "", "dim"),
                Slot(state, sign, tone),
                Slot(times.span(line.age_s), "", "dim"),
            ),
        )

    def _group_line(self, group: GroupLine) -> Line:
        state, tone = ("undone", "dim") if group.undone else _GROUP_STATES.get(group.state, (group.state, ""))
        by = group.origin.partition(":")[0]
        return Line(
            str(group.group_id),
            (
                Slot(group.title),
                Slot(f"{group.count:,}"),
                Slot(state, "", tone),
                Slot({"operator": "you"}.get(by, by), "", "dim"),
                Slot(times.ago(group.at, self.face.clock.now()), "", "dim"),
            ),
            tone="dim" if group.undone else "",
        )

    @on(VirtualTable.CursorMoved)
    def _moved(self, event: VirtualTable.CursorMoved) -> None:
        if event.table is self._table:
            self._show_writes()

    def _group_id(self) -> int | None:
        key = self._table.cursor_key
        if key is None:
            return None
        if self.history:
            group = self._groups.get(key)
            return int(group.group_id) if group else None
        line = self._lines.get(key)
        return int(line.group_id) if line else None

    def _show_writes(self) -> None:
        group_id = self._group_id()
        if group_id is None:
            self._title.show("")
            self._writes.show(ListSource(), forget=True)
            return
        try:
            writes = self.verbs.group_writes(group_id)
        except ConsoleError as error:
            self._title.show((error.message, "danger"))
            return
        line = self._lines.get(self._table.cursor_key or "") if not self.history else None
        if line is not None and line.error:
            self._title.show(" ", (f"{REFUSED} {line.error}", "danger"))
        else:
            self._title.show(" ", (f"{counted(len(writes), 'field')} in this step", "dim"))
        self._writes.show(ListSource(plan_lines(writes)), forget=True)

    # -- keys -------------------------------------------------------------------------------------------------

    def why_not(self, action: str) -> str | None:
        """Return why an action cannot be done now, or None."""
        if action in {"retry", "discard"} and self.history:
            return "This is history; [ goes back to what waits."
        if action in {"retry", "discard", "open", "copy", "undo-group", "mark"} and not self.targets():
            return "Nothing is under the cursor."
        if action == "retry" and not any(
            self._lines[key].state in {"refused", "dead"} for key in self.targets() if key in self._lines
        ):
            return "It is sent by itself as soon as it can be."
        if action == "undo-group" and self.history:
            group = self._groups.get(self._table.cursor_key or "")
            if group is not None and group.undone:
                return "This was undone already."
        if action == "filter":
            return "The outbox has no filter."
        return None

    @on(TabStrip.Chosen)
    def _chosen(self, event: TabStrip.Chosen) -> None:
        if bool(event.number) != self.history:
            self.act_outbox_other()

    def act_outbox_other(self) -> None:
        """Switch between what waits and what was done."""
        self.history = not self.history
        self._read(forget=True)

    async def act_retry(self) -> Done:
        """Send again."""
        return await self.verbs.retry([int(key) for key in self.targets()])

    async def act_discard(self) -> Done | None:
        """Give writes up, after asking."""
        ids = [int(key) for key in self.targets()]
        line = self._lines.get(str(ids[0]))
        what = f"“{line.what}” of {line.label}" if len(ids) == 1 and line else counted(len(ids), "write")
        if not await self.face.push_screen_wait(
            Confirm(
                f"Give up {what}?",
                "It will never be sent. The record stays as it is in the CRM.",
                count=len(ids),
            )
        ):
            return None
        self._table.set_marks(set())
        return await self.verbs.discard(ids)

    async def act_undo_group(self) -> Done | None:
        """Undo the action under the cursor."""
        group_id = self._group_id()
        return await self.verbs.undo(group_id) if group_id is not None else None

    async def act_open(self) -> None:
        """Show the record of this write."""
        line = self._lines.get(self._table.cursor_key or "") if not self.history else None
        if line is not None and self.verbs.schema.object(line.collection) is not None:
            await self.face.main.show_record(line.collection, line.record_id)
        elif self.history:
            writes = self.verbs.group_writes(self._group_id() or 0)
            shape = self.verbs.schema.object(writes[0].object) if writes else None
            if shape is None:
                self.face.refuse("These writes are not of one record.")
            else:
                await self.face.main.show_record(shape.id, writes[0].record_id)
        else:
            self.face.refuse("This write is not of a record of its own.")

    def act_back(self) -> None:
        """Take the marks away, or go back to what waits."""
        self._clear()

    def _clear(self) -> bool:
        if self.clear_layer():
            return True
        if self.history:
            self.act_outbox_other()
            return True
        return False

    def act_leave(self) -> None:
        """Close or clear one thing, or quit."""
        if not self._clear():
            self.face.act_quit()


_GROUP_STATES = {
    "confirmed": ("✔ sent", "good"),
    "pending": (f"{PENDING} waits", "pending"),
    "sending": (f"{PENDING} on its way", "pending"),
    "refused": (f"{REFUSED} refused", "danger"),
    "dead": (f"{REFUSED} out of attempts", "danger"),
    "discarded": ("given up", "dim"),
}


def _waiting_state(line: OutboxLine) -> tuple[str, str, str]:
    if line.state == "refused":
        return line.error or "refused", REFUSED, "danger"
    if line.state == "dead":
        return f"gave up after {counted(line.attempts, 'try', 'tries')}", REFUSED, "danger"
    if line.state == "sending":
        return "on its way", PENDING, "pending"
    if line.next_in_s and line.attempts:
        return f"try {line.attempts + 1} in {times.countdown(line.next_in_s)}", PENDING, "pending"
    return "waits", PENDING, "pending"
