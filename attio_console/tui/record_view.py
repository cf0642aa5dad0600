"""One record: a title, tabs, and the lines of the chosen tab. The same widget is preview and detail."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from rich.text import Text
from textual.app import ComposeResult
from textual.widget import Widget

from attio_console.errors import ConsoleError
from attio_console.model.text import plain_lines
from attio_console.services.types import Column, FieldLine, HistoryLine, RecordDetail
from attio_console.tui import times
from attio_console.tui.background import replacing
from attio_console.tui.cells import wrap
from attio_console.tui.pane import Rule, TabStrip
from attio_console.tui.prose import CONFLICT, EDIT_SIGNS, PAIRED, Toned
from attio_console.tui.rows import Line, ListSource, Slot
from attio_console.tui.table import VirtualTable

if TYPE_CHECKING:
    from attio_console.tui.app import ConsoleApp

TABS = ("Fields", "Notes", "Tasks", "Lists", "History", "Sources", "Raw")

_COLUMNS: dict[str, tuple[Column, ...]] = {
    "Fields": (
        Column("field", "Field", "text", 20, 0),
        Column("value", "Value", "text", 40, 1),
        Column("who", "Last changed", "text", 26, 2),
    ),
    "Notes": (Column("note", "", "text", 60, 0),),
    "Tasks": (
        Column("task", "Task", "text", 40, 0),
        Column("due", "Due", "text", 12, 1),
        Column("who", "Assigned to", "text", 20, 2),
    ),
    "Lists": (
        Column("list", "List", "text", 24, 0),
        Column("stage", "Stage", "text", 18, 1),
        Column("since", "Since", "text", 12, 2),
    ),
    "History": (
        Column("at", "When", "text", 12, 0),
        Column("field", "Field", "text", 18, 1),
        Column("change", "Change", "text", 40, 2),
        Column("by", "By", "text", 22, 3),
    ),
    "Sources": (
        Column("system", "System", "text", 14, 0),
        Column("id", "Its record", "text", 30, 1),
        Column("state", "State", "text", 34, 2),
    ),
    "Raw": (Column("raw", "", "text", 76, 0),),
}


class RecordTitle(Toned):
    """The name of the record, and how it stands with the other systems."""

    def __init__(self) -> None:
        super().__init__(classes="title")
        self._parts: tuple[str | tuple[str, str], ...] = ()

    def show(self, *parts: str | tuple[str, str]) -> None:
        """Show these words."""
        if parts != self._parts:
            self._parts = parts
            self.refresh()

    def render(self) -> Text:
        """Draw them."""
        return self.line(*self._parts)


class RecordView(Widget):
    """Shows a `RecordDetail`, tab by tab; the cursor stays on its field through updates."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.detail: RecordDetail | None = None
        self.history: tuple[HistoryLine, ...] | None = None
        self.tab = 0
        self.whole = False
        self._title = RecordTitle()
        self._strip = TabStrip()
        self.table = VirtualTable(id="record-lines", cells=False)

    def compose(self) -> ComposeResult:
        """Make the parts."""
        yield Rule()
        yield self._title
        yield self._strip
        yield self.table

    @property
    def face(self) -> ConsoleApp:
        """The app, by its own type."""
        from attio_console.tui.app import ConsoleApp

        assert isinstance(self.app, ConsoleApp)
        return self.app

    @property
    def tab_name(self) -> str:
        """The name of the chosen tab."""
        return TABS[self.tab]

    @property
    def field(self) -> FieldLine | None:
        """The field under the cursor, where fields are shown."""
        if self.detail is None or self.tab_name != "Fields":
            return None
        return next((line for line in self.detail.fields if line.slug == self.table.cursor_key), None)

    def show(self, detail: RecordDetail | None) -> None:
        """Show this record as it is now."""
        same = detail is not None and self.detail is not None and detail.record_id == self.detail.record_id
        if not same:
            self.history = None
        self.detail = detail
        self._draw(keep=same)

    def choose(self, number: int) -> None:
        """Show another tab."""
        self.tab = number % len(TABS)
        self._draw(keep=False)

    def _draw(self, *, keep: bool) -> None:
        detail = self.detail
        if detail is None:
            self._title.show(("Nothing is under the cursor.", "dim"))
            self._strip.show((), 0)
            self.table.show(ListSource(), forget=True)
            return
        self._title.show(*self._headline(detail))
        self._strip.show(self._tab_names(detail), self.tab)
        name = self.tab_name
        if self.table.columns != _COLUMNS[name]:
            self.table.set_columns(_COLUMNS[name])
            keep = False
        self.table.notice = self._notice(name)
        self.table.show(ListSource(self._lines(name, detail)), forget=not keep, same=keep)
        if name == "History" and self.history is None:
            replacing(self, "history", partial(self._read_history, detail))

    async def _read_history(self, detail: RecordDetail) -> None:
        try:
            lines = await self.face.verbs.history(detail.collection, detail.record_id)
        except ConsoleError as error:
            self.face.say_error(error)
            return
        if self.detail is not None and self.detail.record_id == detail.record_id:
            self.history = tuple(lines)
            self._draw(keep=True)

    def _headline(self, detail: RecordDetail) -> list[str | tuple[str, str]]:
        parts: list[str | tuple[str, str]] = [" ", (detail.label, "strong")]
        if detail.edit:
            sign, tone = EDIT_SIGNS[detail.edit]
            parts += [
                "  ",
                (f"{sign} edit {'refused' if detail.edit == 'refused' else 'waiting to be sent'}", tone),
            ]
        for pair in detail.pairs:
            name = system_name(pair.system)
            if pair.conflicts:
                parts += ["  ", (f"{CONFLICT} {name}: {', '.join(pair.conflicts)}", "conflict")]
            elif pair.state == "confirmed":
                parts += ["  ", (f"{PAIRED} {name}", "dim")]
            else:
                parts += ["  ", (f"{PAIRED} {name} {pair.state}", "pending")]
        return parts

    def _tab_names(self, detail: RecordDetail) -> tuple[str, ...]:
        counts = {"Notes": len(detail.notes), "Tasks": len(detail.tasks), "Lists": len(detail.lists)}
        return tuple(f"{name} {counts[name]}" if counts.get(name) else name for name in TABS)

    def _notice(self, name: str) -> tuple[str, ...]:
        keys = self.face.keys
        return {
            "Notes": ("No notes.", f"{keys.key('note')} writes one."),
            "Tasks": ("No tasks.", f"{keys.key('task')} adds one."),
            "Lists": ("In no list.", f"{keys.key('add-to-list')} adds it to one."),
            "History": ("No change is known.",) if self.history is not None else ("Reading …",),
            "Sources": (
                "Only in Attio.",
                "A record that stands for the same thing elsewhere shows here once paired.",
            ),
        }.get(name, ("Nothing here.",))

    # -- lines ------------------------------------------------------------------------------------------------

    def _lines(self, name: str, detail: RecordDetail) -> list[Line]:
        now = self.face.clock.now()
        width = max(self.table.size.width - 8, 40)
        if name == "Fields":
            # The preview has few lines: what is empty shows once the record is open.
            return [
                _field_line(field, now) for field in detail.fields if self.whole or field.text or field.state
            ]
        if name == "Notes":
            return _note_lines(detail, now, width)
        if name == "Tasks":
            return [
                Line(
                    task.task_id,
                    (
                        Slot(
                            f"{'✔' if task.done else '○'} {task.content}",
                            EDIT_SIGNS.get(task.state, ("", ""))[0],
                        ),
                        Slot(times.day(task.deadline, now) if task.deadline else "–"),
                        Slot(task.assignees, "", "dim"),
                    ),
                    tone="dim" if task.done else "",
                )
                for task in detail.tasks
            ]
        if name == "Lists":
            return [
                Line(
                    entry.entry_id,
                    (
                        Slot(entry.list_name),
                        Slot(entry.stage or "–"),
                        Slot(times.ago(entry.since, now), "", "dim"),
                    ),
                )
                for entry in detail.lists
            ]
        if name == "History":
            return [_history_line(number, change, now) for number, change in enumerate(self.history or ())]
        if name == "Sources":
            return _source_lines(detail)
        return [Line(str(number), (Slot(text),)) for number, text in enumerate(plain_lines(detail.raw))]


def _field_line(field: FieldLine, now: datetime) -> Line:
    who = " · ".join(part for part in (field.by, times.ago(field.at, now) if field.at else "") if part)
    if field.state:
        sign, tone = EDIT_SIGNS[field.state]
        note = field.error or f"was {field.was or 'empty'}, waiting to be sent"
        return Line(
            field.slug,
            (Slot(field.title, "", "dim"), Slot(field.text or "(empty)", sign, tone), Slot(note, "", tone)),
        )
    value = Slot(field.text) if field.text else Slot("—", "", "dim")
    return Line(field.slug, (Slot(field.title, "", "dim"), value, Slot(who, "", "dim")))


def _note_lines(detail: RecordDetail, now: datetime, width: int) -> list[Line]:
    lines: list[Line] = []
    for note in detail.notes:
        sign = f"{EDIT_SIGNS[note.state][0]} " if note.state else ""
        heading = " · ".join(
            part for part in (note.title or "Note", note.by, times.ago(note.at, now)) if part
        )
        lines.append(Line(note.note_id, (Slot(sign + heading, "", "strong"),)))
        number = 0
        for paragraph in plain_lines(note.content):
            for text in wrap(paragraph, width, 40):
                lines.append(Line(f"{note.note_id}:{number}", (Slot(f"  {text}"),)))
                number += 1
        lines.append(Line(f"{note.note_id}:end", (Slot(""),)))
    return lines


def _history_line(number: int, change: HistoryLine, now: datetime) -> Line:
    text = f"{change.before or '(empty)'} → {change.after or '(empty)'}" if change.before else change.after
    by = " · ".join(part for part in (change.by, change.source) if part)
    return Line(
        f"{number}",
        (Slot(times.ago(change.at, now), "", "dim"), Slot(change.field), Slot(text), Slot(by, "", "dim")),
    )


def _source_lines(detail: RecordDetail) -> list[Line]:
    lines = (
        [Line("attio", (Slot("Attio"), Slot(detail.record_id), Slot("this record", "", "dim")))]
        if detail.pairs
        else []
    )
    for pair in detail.pairs:
        if pair.conflicts:
            state = Slot(f"differs: {', '.join(pair.conflicts)}", CONFLICT, "conflict")
        elif pair.state == "confirmed":
            state = Slot("in agreement", PAIRED, "good")
        else:
            state = Slot(pair.state, PAIRED, "pending")
        lines.append(
            Line(
                f"pair:{pair.pair_id}",
                (Slot(system_name(pair.system)), Slot(f"{pair.external_type} {pair.external_id}"), state),
            )
        )
    return lines


def system_name(system: str) -> str:
    """Return what people call a system."""
    return {"attio": "Attio", "hubspot": "HubSpot", "salesforce": "Salesforce"}.get(system, system)
