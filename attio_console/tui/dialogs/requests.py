"""The log of requests, as it grows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from attio_console.services.requests import RequestLine
from attio_console.services.types import Column
from attio_console.tui.dialogs.base import Dialog, words
from attio_console.tui.prose import counted
from attio_console.tui.record_view import system_name
from attio_console.tui.rows import Line, ListSource, Slot
from attio_console.tui.table import VirtualTable

if TYPE_CHECKING:
    from attio_console.services.console import Console
    from attio_console.tui.app import ConsoleApp

_COLUMNS = (
    Column("at", "At", "text", 8, 2),
    Column("system", "System", "text", 10, 3),
    Column("what", "Request", "text", 36, 0),
    Column("outcome", "Answer", "text", 12, 1),
    Column("ms", "ms", "text", 7, 1, numeric=True),
    Column("waited", "Waited", "text", 7, 5, numeric=True),
    Column("id", "Request id", "text", 14, 4),
)


class RequestsDialog(Dialog[bool]):
    """Newest first, without query, header or body; the cursor stays on its request while others arrive."""

    def __init__(self) -> None:
        super().__init__()
        self._table = VirtualTable(cells=False)
        self._lines: Sequence[RequestLine] = ()
        self._total = -1

    @property
    def face(self) -> ConsoleApp:
        """The app, by its own type."""
        from attio_console.tui.app import ConsoleApp

        assert isinstance(self.app, ConsoleApp)
        return self.app

    @property
    def verbs(self) -> Console:
        """What the operator can do."""
        return self.face.verbs

    def contexts(self) -> tuple[str, ...]:
        """Return the contexts of the keys that work here."""
        return ("requests", "dialog")

    def compose(self) -> ComposeResult:
        """Make the table."""
        with Vertical(classes="box -full"):
            yield words("Requests", "heading")
            yield words("", "dim")
            yield self._table
            keys = self.face.keys
            copies, moves = keys.key("copy-request"), f"{keys.key('down')} {keys.key('up')}"
            yield words(
                f"{copies} copies the request id, which support asks for · {moves} move · Esc closes", "hint"
            )

    def on_mount(self) -> None:
        """Show what there is, and what comes."""
        self._table.set_columns(_COLUMNS)
        self._table.styles.height = max(6, self.app.size.height - 12)
        self._table.focus()
        self._read()
        self.set_interval(0.5, self._read)

    def _read(self) -> None:
        total = self.verbs.requests_total()
        if total == self._total:
            return
        self._total = total
        self._lines = self.verbs.requests()
        elsewhere = self.verbs.asked_elsewhere()
        if elsewhere is not None:
            note = f"The engine runs in process {elsewhere}: most requests are made there."
        elif total > len(self._lines):
            note = f"The newest {len(self._lines):,} of {counted(total, 'request')} of this session."
        else:
            note = f"{counted(total, 'request')} in this session."
        self.query(".dim").first(Static).update(note)
        self._table.notice = ("No request was made yet.",)
        first = total - len(self._lines)
        self._table.show(
            ListSource(
                _row(first + len(self._lines) - number, line) for number, line in enumerate(self._lines)
            )
        )

    def act_copy_request(self) -> None:
        """Copy the request id of this line, or its address where there is none."""
        key = self._table.cursor_key
        number = self._total - int(key) if key is not None else -1
        if 0 <= number < len(self._lines):
            line = self._lines[number]
            self.face.copy([line.request_id or f"{line.method} {line.path}"])

    def act_down(self) -> None:
        """Go one row down."""
        self._table.move(self._table.cursor + 1)

    def act_up(self) -> None:
        """Go one row up."""
        self._table.move(self._table.cursor - 1)

    def act_page_down(self) -> None:
        """Go a screenful down."""
        self._table.move(self._table.cursor + self._table.page_size)

    def act_page_up(self) -> None:
        """Go a screenful up."""
        self._table.move(self._table.cursor - self._table.page_size)

    def act_top(self) -> None:
        """Go to the newest request."""
        self._table.move(0)

    def act_bottom(self) -> None:
        """Go to the oldest request."""
        self._table.move(self._table.total - 1)


# Which object it was is what one looks for; which of a million records, hardly.
_LONG_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


def _shortened(match: re.Match[str]) -> str:
    return f"{match[0][:8]}…"


def _row(number: int, line: RequestLine) -> Line:
    again = f" ×{line.attempt}" if line.attempt > 1 else ""
    return Line(
        str(number),
        (
            Slot(line.at.strftime("%H:%M:%S"), "", "dim"),
            Slot(system_name(line.system)),
            Slot(f"{line.method} {_LONG_ID.sub(_shortened, line.path)}"),
            Slot(f"{line.outcome}{again}", "" if line.ok else "✕", "" if line.ok else "danger"),
            Slot(f"{line.elapsed_ms:,.0f}"),
            Slot(f"{line.waited_ms:,.0f}" if line.waited_ms >= 1 else "", "", "dim"),
            Slot(line.request_id or "—", "", "dim"),
        ),
    )
