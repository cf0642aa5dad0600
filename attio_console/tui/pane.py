"""What every pane is: a place with contexts, reasons, and a way to read the store again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual import events
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from attio_console.services.actions import Action
from attio_console.services.types import Changed
from attio_console.tui.prose import Toned

if TYPE_CHECKING:
    from attio_console.services.console import Console
    from attio_console.tui.app import ConsoleApp


class Pane(Widget):
    """One of the five. It re-reads the store when told that it changed, and never sees the network.

    A key becomes an action, and the action a call of `act_<its id>` on the nearest widget that has it. A pane that
    cannot do something now says why in `why_not`.
    """

    NAME = ""
    ABOUT = ""

    @property
    def verbs(self) -> Console:
        """What the operator can do."""
        return self.face.verbs

    @property
    def face(self) -> ConsoleApp:
        """The app, by its own type."""
        from attio_console.tui.app import ConsoleApp

        assert isinstance(self.app, ConsoleApp)
        return self.app

    def contexts(self) -> tuple[str, ...]:
        """Return the contexts that hold here now, narrowest first."""
        return (self.NAME, "global")

    def why_not(self, action: str) -> str | None:  # noqa: ARG002 - the panes look at it
        """Return why an action cannot be done now, or None."""
        return None

    def shown(self) -> None:
        """Read what is needed: the pane has just come to the front."""

    def store_changed(self, changed: Changed) -> None:
        """Read again what may be different; only the pane in front is told."""

    def take_focus(self) -> None:
        """Put the focus where the keys of this pane work."""

    def tick(self) -> None:
        """Bring times up to date; called about once a second while the pane is in front."""

    def footer_left(self) -> str:
        """Return what to say before the keys: how many are marked, what is frozen."""
        return ""

    def other_side(self) -> str:
        """Return what the other side of a conflict is called, where one is open."""
        return ""


def focus_now(widget: Widget) -> None:
    """Give a widget the focus before the next key is looked at; Textual's own `focus` comes after it."""
    # A pane may be on its way to the front while the program ends.
    if widget.is_attached:
        widget.screen.set_focus(widget, scroll_visible=False)


class TabStrip(Toned):
    """Names side by side, one of them chosen."""

    class Chosen(Message):
        """A name was clicked."""

        def __init__(self, strip: TabStrip, number: int) -> None:
            super().__init__()
            self.strip = strip
            self.number = number

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.names: tuple[str, ...] = ()
        self.active = 0
        self._spots: list[tuple[int, int, int]] = []

    def show(self, names: tuple[str, ...], active: int) -> None:
        """Show these names, with one of them chosen."""
        if (names, active) != (self.names, self.active):
            self.names, self.active = names, active
            self.refresh()

    def render(self) -> Text:
        """Draw the names; where not all fit, those around the chosen one."""
        width = self.size.width
        first = 0
        while (
            first < self.active and sum(len(name) + 3 for name in self.names[first : self.active + 1]) > width
        ):
            first += 1
        text = self.line("‹" if first else " ")
        self._spots = []
        for number in range(first, len(self.names)):
            name = self.names[number]
            if text.cell_len + len(name) + 3 > width and number != self.active:
                text.append("›", self.tone("dim"))
                break
            start = text.cell_len
            chosen = number == self.active
            text.append(name, self.tone("strong") if chosen else self.tone("dim"))
            self._spots.append((start, text.cell_len, number))
            text.append("   ")
        return text

    def on_click(self, event: events.Click) -> None:
        """Choose the name that was clicked."""
        for start, stop, number in self._spots:
            if start <= event.x < stop:
                self.post_message(self.Chosen(self, number))


class CountLabel(Toned):
    """A few words at the right end of a line."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._parts: tuple[str | tuple[str, str], ...] = ()

    def show(self, *parts: str | tuple[str, str]) -> None:
        """Show these words."""
        if parts != self._parts:
            self._parts = parts
            self.refresh(layout=True)

    def render(self) -> Text:
        """Draw the words."""
        return self.line(*self._parts)


class FilterBox(Input):
    """The `/` box: what is typed narrows at once."""

    class Asked(Message):
        """A key that is not text was pressed, after all that was typed before it."""

        def __init__(self, action: Action) -> None:
            super().__init__()
            self.action = action

    def __init__(self) -> None:
        super().__init__(placeholder="words, or owner=@me value>=1000 updated>-2w", select_on_focus=False)
        self.cursor_blink = False

    def contexts(self) -> tuple[str, ...]:
        """Return the contexts of keys that are not text here."""
        return ("input",)

    def open(self) -> None:
        """Show the box and type into it."""
        self.add_class("-active")
        focus_now(self)

    def settle(self) -> None:
        """Leave typing; the box stays on screen while it filters."""
        self.set_class(bool(self.value), "-active")


class Rule(Toned):
    """A thin line across."""

    def __init__(self, classes: str = "") -> None:
        super().__init__(classes=f"rule {classes}".strip())

    def render(self) -> Text:
        """Draw it."""
        return Text(" " + "─" * max(self.size.width - 2, 0), self.tone("rule"), no_wrap=True, end="")


class TabLine(Horizontal):
    """The second line of a pane: names, the filter, and how much is shown."""

    def __init__(self, strip: TabStrip, filter_box: FilterBox | None, count: CountLabel) -> None:
        children: list[Widget] = [strip]
        if filter_box is not None:
            children.append(filter_box)
        super().__init__(*children, count, classes="tabline")
