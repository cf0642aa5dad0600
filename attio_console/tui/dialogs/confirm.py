"""Yes or no, where a thing cannot be taken back."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from attio_console.errors import UsageError
from attio_console.services.types import Column, PlannedWrite
from attio_console.tui.dialogs.base import Dialog, words
from attio_console.tui.prose import counted
from attio_console.tui.record_view import system_name
from attio_console.tui.rows import Line, ListSource, Slot
from attio_console.tui.table import VirtualTable

TYPE_THE_COUNT_FROM = 10
"""So many things at once are only done after their number was typed."""


class Confirm(Dialog[bool]):
    """Asks before something that cannot be undone. The answer is no unless `y` is pressed."""

    def __init__(self, question: str, detail: str = "", *, count: int = 1) -> None:
        super().__init__()
        self._question = question
        self._detail = detail
        self._count = count

    @property
    def _typed(self) -> bool:
        return self._count >= TYPE_THE_COUNT_FROM

    def contexts(self) -> tuple[str, ...]:
        """Return the contexts of the keys that work here."""
        return ("dialog",) if self._typed else ("confirm", "dialog")

    def compose(self) -> ComposeResult:
        """Make the question."""
        with Vertical(classes="box"):
            yield words(self._question, "heading")
            yield words(self._detail, "dim")
            if self._typed:
                yield Input(placeholder=f"type {self._count} to go on", restrict=r"[0-9,]*")
                yield words("", "error")
                yield words("Enter goes on once the number is right · Esc leaves everything as it is", "hint")
            else:
                yield words("y yes · n no (also Enter and Esc)", "hint")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if event.value.replace(",", "") == str(self._count):
            self.dismiss(True)
        else:
            self.complain(UsageError(f"That is not {self._count}."))

    def act_yes(self) -> None:
        """Do it."""
        self.dismiss(True)

    def act_no(self) -> None:
        """Leave everything as it is."""
        self.dismiss(False)


_PLAN_COLUMNS = (
    Column("label", "Record", "text", 24, 0),
    Column("where", "Where", "text", 20, 1),
    Column("field", "Field", "text", 16, 2),
    Column("before", "From", "text", 18, 4),
    Column("after", "To", "text", 18, 3),
)


class PlanDialog(Dialog[bool]):
    """Shows every write before it is queued. `y` queues them."""

    def __init__(self, title: str, writes: Sequence[PlannedWrite], note: str = "") -> None:
        super().__init__()
        self._title = title
        self._writes = writes
        self._note = note
        self._table = VirtualTable()

    def contexts(self) -> tuple[str, ...]:
        """Return the contexts of the keys that work here."""
        return ("confirm", "dialog")

    def compose(self) -> ComposeResult:
        """Make the plan."""
        with Vertical(classes="box -wide"):
            yield words(self._title, "heading")
            yield words(self._note or plan_sentence(self._writes), "dim")
            yield self._table
            yield words("y do it, as one step that u takes back · n or Esc leave everything as it is", "hint")

    def on_mount(self) -> None:
        """Show the writes."""
        self._table.set_columns(_PLAN_COLUMNS)
        self._table.show(ListSource(plan_lines(self._writes)))
        self._table.styles.height = min(len(self._writes) + 1, 18)
        self._table.focus()

    def on_key(self, event: object) -> None:
        """Scroll with the arrows."""
        key = getattr(event, "key", "")
        step = {"down": 1, "up": -1, "j": 1, "k": -1, "pagedown": 10, "pageup": -10}.get(key)
        if step:
            self._table.move(self._table.cursor + step)

    def act_yes(self) -> None:
        """Do it."""
        self.dismiss(True)

    def act_no(self) -> None:
        """Leave everything as it is."""
        self.dismiss(False)


def plan_lines(writes: Sequence[PlannedWrite]) -> list[Line]:
    """Return planned writes as rows."""
    return [
        Line(
            str(number),
            (
                Slot(write.label),
                Slot(f"{system_name(write.system)} {write.object}", "", "dim"),
                Slot(write.field),
                Slot(write.before or "(empty)", "", "dim"),
                Slot(write.after or "(empty)", "", "accent"),
            ),
        )
        for number, write in enumerate(writes)
    ]


def plan_sentence(writes: Sequence[PlannedWrite]) -> str:
    """Return what a plan costs: requests, and seconds at the limit of 25 writes a second."""
    requests = len({(write.system, write.record_id) for write in writes})
    seconds = max(requests / 25, 1)
    what = f"{counted(len(writes), 'field')} of {counted(requests, 'record')}"
    return f"{what} · {counted(requests, 'request')}, about {seconds:,.0f} s"
