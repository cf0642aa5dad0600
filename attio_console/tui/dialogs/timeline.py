"""What happened to one field, on both sides."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical

from attio_console.services.types import Column, TimelineLine
from attio_console.tui import times
from attio_console.tui.dialogs.base import Dialog, words
from attio_console.tui.rows import Line, ListSource, Slot
from attio_console.tui.table import VirtualTable

_COLUMNS = (
    Column("at", "When", "text", 17, 0),
    Column("where", "Where", "text", 13, 1),
    Column("before", "From", "text", 22, 3),
    Column("after", "To", "text", 22, 2),
    Column("by", "Who", "text", 16, 4),
    Column("how", "How", "text", 24, 5),
)


class TimelineDialog(Dialog[bool]):
    """Newest first. Only looks."""

    def __init__(self, title: str, lines: Sequence[TimelineLine]) -> None:
        super().__init__()
        self._title = title
        self._lines = lines
        self._table = VirtualTable(cells=False)

    def compose(self) -> ComposeResult:
        """Make the table."""
        with Vertical(classes="box -full"):
            yield words(self._title, "heading")
            yield words("Both sides, their base, and what was written from here; newest first.", "dim")
            yield self._table
            yield words("j k move · Esc closes", "hint")

    def on_mount(self) -> None:
        """Show the lines."""
        self._table.set_columns(_COLUMNS)
        self._table.show(ListSource(_row(number, line) for number, line in enumerate(self._lines)))
        self._table.styles.height = min(len(self._lines) + 1, 18)
        self._table.focus()

    def on_key(self, event: object) -> None:
        """Scroll with the arrows."""
        step = {"down": 1, "up": -1, "j": 1, "k": -1, "pagedown": 10, "pageup": -10}.get(
            getattr(event, "key", "")
        )
        if step:
            self._table.move(self._table.cursor + step)


def _row(number: int, line: TimelineLine) -> Line:
    when = times.exact(line.at).removesuffix(" UTC")[:16]
    return Line(
        str(number),
        (
            Slot(when, "", "dim"),
            Slot(line.where),
            Slot(line.before or "—", "", "dim"),
            Slot(line.after or "(empty)"),
            Slot(line.by or "—"),
            Slot(line.how, "", "dim"),
        ),
    )
