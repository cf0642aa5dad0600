"""Lines of prose that scroll, some of which the cursor can stand on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from attio_console.tui.prose import TONES, Toned


@dataclass(frozen=True, slots=True)
class ProseLine:
    """One line; with a key the cursor can stand on it, and the lines that are `part_of` that key light up with it."""

    text: Text
    key: str | None = None
    part_of: str | None = None


class LinesView(ScrollView, Toned, can_focus=True):
    """Scrolls over lines that were made beforehand; the cursor is known by key and stays through updates."""

    COMPONENT_CLASSES = {"table--cursor", *(f"tone--{tone}" for tone in TONES)}  # noqa: RUF012 - Textual reads it off the class

    @dataclass
    class Opened(Message):
        """A line with a key was double-clicked."""

        view: LinesView
        key: str

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: list[ProseLine] = []
        self._stops: list[int] = []
        self.cursor_key: str | None = None

    def show(self, lines: Sequence[ProseLine]) -> None:
        """Show these lines, with the cursor on the same key as before where it is still there."""
        self._lines = list(lines)
        self._stops = [number for number, line in enumerate(self._lines) if line.key is not None]
        keys = {self._lines[number].key for number in self._stops}
        if self.cursor_key not in keys:
            self.cursor_key = self._lines[self._stops[0]].key if self._stops else None
        self.virtual_size = Size(max(self.size.width, 1), len(self._lines))
        self.refresh()

    @property
    def page_size(self) -> int:
        """How many lines are seen at once."""
        return max(self.size.height, 1)

    def move(self, step: int) -> None:
        """Move the cursor to another line with a key, or scroll where there is none."""
        if not self._stops:
            self.scroll_to(y=max(self.scroll_offset.y + step, 0), animate=False)
            return
        place = self._place() + step
        place = max(0, min(place, len(self._stops) - 1))
        number = self._stops[place]
        self.cursor_key = self._lines[number].key
        top = self.scroll_offset.y
        if place == 0:
            self.scroll_to(y=0, animate=False)
        elif number < top:
            self.scroll_to(y=number, animate=False)
        elif number >= top + self.page_size:
            self.scroll_to(y=number - self.page_size + 1, animate=False)
        self.refresh()

    def _place(self) -> int:
        return next(
            (place for place, number in enumerate(self._stops) if self._lines[number].key == self.cursor_key),
            0,
        )

    def on_resize(self, _: events.Resize) -> None:
        """Take the new width."""
        self.virtual_size = Size(max(self.size.width, 1), len(self._lines))

    def on_focus(self) -> None:
        """Draw the cursor strongly."""
        self.refresh()

    def on_blur(self) -> None:
        """Draw the cursor quietly."""
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw one line of what is seen."""
        width = self.size.width
        number = self.scroll_offset.y + y
        if number >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        line = self._lines[number]
        base = self.rich_style
        at_cursor = line.key is not None and line.key == self.cursor_key
        if at_cursor or (line.part_of is not None and line.part_of == self.cursor_key):
            base += self.get_component_rich_style("table--cursor", partial=True)
        segments = [
            Segment(("▸" if self.has_focus else "›") if at_cursor else " ", base + self.tone("accent"))
        ]
        segments.extend(
            Segment(segment.text, base + (segment.style if isinstance(segment.style, Style) else Style()))
            for segment in line.text.render(self.app.console)
            if segment.text
        )
        return Strip(segments).adjust_cell_length(width, base)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the click was; open on a double click."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        number = self.scroll_offset.y + offset.y
        if number < len(self._lines) and (key := self._lines[number].key) is not None:
            self.cursor_key = key
            self.refresh()
            if event.chain == 2:
                self.post_message(self.Opened(self, key))
