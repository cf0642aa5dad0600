"""Fields to fill in: a value, a note, a task, a new record."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.suggester import SuggestFromList
from textual.widgets import Input, TextArea

from attio_console.errors import ConsoleError
from attio_console.services.types import Done
from attio_console.tui.background import replacing
from attio_console.tui.dialogs.base import Dialog, words


@dataclass(frozen=True, slots=True)
class FormField:
    """One thing to fill in. `suggestions` complete what is typed; `long` takes several lines."""

    key: str
    title: str
    value: str = ""
    hint: str = ""
    long: bool = False
    suggestions: tuple[str, ...] = ()
    required: bool = False


Submit = Callable[[Mapping[str, str]], Awaitable[Done | None]]


class Form(Dialog[Done]):
    """Asks for one or several values; what is not accepted is said inside, and nothing typed is lost."""

    BINDINGS = [("ctrl+s", "submit", "Save"), ("ctrl+enter", "submit", "Save")]  # noqa: RUF012 - Textual reads it off the class

    def __init__(self, title: str, fields: Sequence[FormField], submit: Submit, *, note: str = "") -> None:
        super().__init__()
        self._title = title
        self._fields = fields
        self._submit = submit
        self._note = note
        self._submitting = False

    def compose(self) -> ComposeResult:
        """Make the fields."""
        several = len(self._fields) > 1
        with Vertical(classes="box"):
            yield words(self._title, "heading")
            if self._note:
                yield words(self._note, "dim")
            with VerticalScroll(classes="fields") as scroll:
                scroll.can_focus = False
                for field in self._fields:
                    if several:
                        mark = " *" if field.required else ""
                        yield words(f"{field.title}{mark}  {field.hint}", "hint")
                    if field.long:
                        yield TextArea(field.value, id=f"field-{_safe(field.key)}", tab_behavior="focus")
                    else:
                        yield Input(
                            field.value,
                            id=f"field-{_safe(field.key)}",
                            select_on_focus=False,
                            suggester=SuggestFromList(field.suggestions, case_sensitive=False)
                            if field.suggestions
                            else None,
                        )
                    if not several and field.hint:
                        yield words(field.hint, "dim")
            yield words("", "error")
            yield words(self._keys(several), "hint")

    def _keys(self, several: bool) -> str:
        save = "Ctrl+S saves" if any(field.long for field in self._fields) else "Enter saves"
        tab = " · Tab next field" if several else ""
        complete = " · → completes" if any(field.suggestions for field in self._fields) else ""
        return f"{save}{tab}{complete} · Esc leaves everything as it is"

    def on_mount(self) -> None:
        """Type into the first field."""
        for box in self.query(Input):
            box.cursor_blink = False
        for area in self.query(TextArea):
            area.cursor_blink = False
        first = self.query("Input, TextArea").first()
        first.focus()

    def values(self) -> dict[str, str]:
        """Return what has been typed so far."""
        found: dict[str, str] = {}
        for field in self._fields:
            widget = self.query_one(f"#field-{_safe(field.key)}")
            found[field.key] = widget.text if isinstance(widget, TextArea) else getattr(widget, "value", "")
        return found

    @on(Input.Changed)
    def _changed(self) -> None:
        self.accept_again()

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.action_submit()

    def action_submit(self) -> None:
        """Hand the values in; once, however often the key is pressed."""
        if not self._submitting:
            self._submitting = True
            replacing(self, "submit", self._try)

    async def _try(self) -> None:
        try:
            done = await self._submit(self.values())
        except ConsoleError as error:
            self.complain(error)
            return
        finally:
            self._submitting = False
        self.dismiss(done or Done(""))


def _safe(key: str) -> str:
    return "".join(char if char.isalnum() or char in "-_" else "-" for char in key)
