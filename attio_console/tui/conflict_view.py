"""One conflict: what is known, the clashing fields, and exactly what applying would write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.app import ComposeResult
from textual.widget import Widget

from attio_console.errors import ConsoleError
from attio_console.services.types import ConflictDetail, ConflictField, PlannedWrite
from attio_console.tui import times
from attio_console.tui.conflict_grid import grid_lines, side_title
from attio_console.tui.deciding import Decision
from attio_console.tui.lines import LinesView
from attio_console.tui.pane import Rule
from attio_console.tui.prose import Toned
from attio_console.tui.record_view import RecordTitle, system_name

if TYPE_CHECKING:
    from attio_console.tui.app import ConsoleApp

_WRITES_SHOWN = 4


class ConflictGrid(LinesView):
    """The fields; the cursor stands on one of them."""


class WritesLine(Toned):
    """Exactly what applying would write, or why it cannot be applied yet."""

    def __init__(self) -> None:
        super().__init__(id="conflict-writes")
        self._lines: tuple[Text, ...] = ()

    def show(self, lines: tuple[Text, ...]) -> None:
        """Show these lines."""
        self._lines = lines
        self.styles.height = max(len(lines), 1)
        self.refresh(layout=True)

    def render(self) -> Text:
        """Draw them."""
        return Text("\n").join(self._lines) if self._lines else Text("")


class ConflictView(Widget):
    """Shows a conflict and holds the decision while it is being made."""

    def __init__(self) -> None:
        super().__init__(id="conflict")
        self.decision: Decision | None = None
        self.show_merged = False
        self._place = ""
        self._moved = ""
        self._title = RecordTitle()
        self._banner = RecordTitle()
        self._banner.id = "conflict-banner"
        self._said = RecordTitle()
        self._said.id = "conflict-said"
        self.grid = ConflictGrid()
        self._writes = WritesLine()

    def compose(self) -> ComposeResult:
        """Make the parts."""
        yield Rule("first")
        yield self._title
        yield self._said
        yield self._banner
        yield Rule()
        yield self.grid
        yield Rule()
        yield self._writes

    @property
    def face(self) -> ConsoleApp:
        """The app, by its own type."""
        from attio_console.tui.app import ConsoleApp

        assert isinstance(self.app, ConsoleApp)
        return self.app

    @property
    def field(self) -> ConflictField | None:
        """The field under the cursor."""
        if self.decision is None:
            return None
        return next((f for f in self.decision.detail.fields if f.slug == self.grid.cursor_key), None)

    def show(self, detail: ConflictDetail | None, place: str) -> None:
        """Show a conflict; one that is shown already keeps its choices, but for the fields that moved."""
        self._place = place
        if detail is None:
            self.decision = None
        elif self.decision is None or self.decision.detail.line.conflict_id != detail.line.conflict_id:
            self.decision = Decision(detail)
            self._moved = ""
            self.show_merged = False
        elif self.decision.detail.revision != detail.revision or self.decision.detail.fields != detail.fields:
            moved = self.decision.moved(detail)
            if moved:
                self._moved = (
                    f"▲ A side changed just now: {', '.join(moved)}. Look again; other choices are kept."
                )
        self.redraw()

    def redraw(self) -> None:
        """Draw everything for the present decision and width."""
        decision = self.decision
        width = self.grid.size.width
        self._banner.set_class(bool(self._moved), "-shown")
        self._banner.show(" ", (self._moved, "conflict"))
        said = [] if decision is None else self._said_on(decision.detail.line.conflict_id)
        self._said.set_class(bool(said), "-shown")
        self._said.show(*said)
        if decision is None:
            self._title.show("")
            self.grid.show([])
            self._writes.show(())
            return
        self._title.show(*self._headline(decision.detail))
        if width:
            now = self.face.clock.now()
            self.grid.show(grid_lines(decision, now, width, self.grid.line, merged=self.show_merged))
        self._writes.show(self._write_lines(decision))

    def on_resize(self) -> None:
        """Draw for the new width."""
        self.call_after_refresh(self.redraw)

    def _headline(self, detail: ConflictDetail) -> list[str | tuple[str, str]]:
        line = detail.line
        where = f"{system_name(line.system)} {detail.external_id}" if line.system != "attio" else "your edit"
        found = f"found {times.ago(line.detected_at, self.face.clock.now())}"
        by = {
            "poll": " by polling",
            "webhook": " by a webhook",
            "outbox": " while sending",
            "verify": " by verifying",
        }
        parts: list[str | tuple[str, str]] = [" ", (line.label, "strong")]
        parts += [(f"  {self._place}", "accent"), (f"   {where}", "dim")]
        parts.append((f"   {found}{by.get(detail.detected_by, '')}", "dim"))
        return parts

    def _said_on(self, conflict_id: int) -> list[str | tuple[str, str]]:
        """Return whose it is and what was said last."""
        verbs = self.face.verbs
        note = verbs.desk_note(conflict_id)
        parts: list[str | tuple[str, str]] = []
        if note.assignee:
            parts.append((f" For {verbs.member_name(note.assignee)}", "accent"))
        if note.comments:
            last = verbs.comments(conflict_id)[-1]
            ago = times.ago(last.at, self.face.clock.now())
            more = f" · {len(note.comments)} comments" if len(note.comments) > 1 else ""
            parts += [(f"  {last.by}, {ago}{more}: ", "dim"), last.text]
        return parts

    def _write_lines(self, decision: Decision) -> tuple[Text, ...]:
        make = self._writes.line
        if decision.undecided:
            names = ", ".join(decision.undecided)
            return (make(" ", (f"Not ready: no choice yet for {names}.", "pending")),)
        number = decision.detail.line.conflict_id
        try:
            writes = self.face.verbs.preview_resolution(number, decision.choices)
            consequence = self.face.verbs.consequence(number, decision.choices)
        except ConsoleError as error:
            return (make(" ", (f"✕ {error.advice}", "danger")),)
        if consequence:
            deletes = any(write.deletes for write in writes)
            return (make(" ", (f"▲ {consequence}" if deletes else consequence, "danger" if deletes else "")),)
        return self._planned(writes, decision)

    def _target(self, write: PlannedWrite) -> str:
        shape = self.face.verbs.schema.collection(write.object)
        name = shape.slug if shape is not None else write.object
        return write.field if write.field.startswith(f"{name}.") else f"{name}.{write.field}"

    def _planned(self, writes: list[PlannedWrite], decision: Decision) -> tuple[Text, ...]:
        make = self._writes.line
        lines = [
            make(
                (" Applying writes  " if not number else "                  ", "dim"),
                f"{system_name(write.system)} {self._target(write)} = ",
                (write.after or "(empty)", "strong"),
            )
            for number, write in enumerate(writes[:_WRITES_SHOWN])
        ]
        if len(writes) > _WRITES_SHOWN:
            lines.append(make((f"                  and {len(writes) - _WRITES_SHOWN} more", "dim")))
        systems = {write.system for write in writes}
        quiet = [name for name in ("attio", decision.detail.line.system) if name not in systems]
        if not writes:
            return (make((" Applying writes nothing: both sides have these values already.", "dim")),)
        if quiet:
            lines[-1].append_text(
                make((f"   nothing to {side_title(quiet[0]) if quiet[0] != 'attio' else 'Attio'}", "dim"))
            )
        return tuple(lines)
