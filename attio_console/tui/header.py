"""The lines that are always there: status above, the banner where something is wrong, keys below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual import events
from textual.color import Color, ColorParseError
from textual.message import Message

from attio_console.services.actions import Action, Keymap
from attio_console.services.types import Headline
from attio_console.tui.cells import crop, fit, wrap
from attio_console.tui.prose import LIVENESS, Toned

PANES = (
    ("records", "Records"),
    ("pipelines", "Pipelines"),
    ("sync", "Sync"),
    ("conflicts", "Conflicts"),
    ("outbox", "Outbox"),
)
"""The panes, in the order of their keys."""


@dataclass
class PaneAsked(Message):
    """A pane's name was clicked."""

    pane: str


class StatusLine(Toned):
    """Profile, panes with what waits in them, and whether all of this is true right now."""

    def __init__(self) -> None:
        super().__init__(id="status")
        self.headline: Headline | None = None
        self.active = "records"
        self.extra = ""
        self._spots: list[tuple[int, int, str]] = []

    def show(self, headline: Headline, active: str, extra: str = "") -> None:
        """Show this; nothing is drawn where nothing changed."""
        if (headline, active, extra) != (self.headline, self.active, self.extra):
            self.headline, self.active, self.extra = headline, active, extra
            self.refresh()

    def render(self) -> Text:
        """Draw the line for the present width: what matters least goes first."""
        width = self.size.width
        headline = self.headline
        if headline is None:
            return self.line((" starting …", "dim"))
        text = Text(" ", no_wrap=True, end="")
        name = crop(headline.profile, 22 if width >= 110 else 12)
        text.append(name, self._profile_style(headline.colour))
        if headline.read_only:
            text.append(" read-only", self.tone("pending"))
        text.append(" ")
        self._spots = []
        counts = {
            "conflicts": headline.conflicts,
            "outbox": headline.outbox + headline.refused + headline.dead_letters,
        }
        roomy = width >= 76
        for pane, title in PANES:
            start = text.cell_len
            self._pane_name(
                text, pane, title if roomy or pane == self.active else title[:4], counts.get(pane, 0)
            )
            self._spots.append((start, text.cell_len, pane))
        right = self._right(headline, width - text.cell_len - 2)
        padding = width - text.cell_len - right.cell_len - 1
        text.append(" " * max(padding, 1))
        text.append_text(right)
        return text

    def _pane_name(self, text: Text, pane: str, title: str, count: int) -> None:
        if pane == self.active:
            text.append("▌", self.tone("accent"))
            text.append(title, self.tone("strong"))
        else:
            text.append(" ")
            text.append(title, self.tone("dim"))
        if count:
            text.append(f" {count:,}", self.tone("conflict" if pane == "conflicts" else "pending"))
        text.append(" ")

    def _right(self, headline: Headline, room: int) -> Text:
        sign, tone = LIVENESS.get(headline.liveness, ("?", "dim"))
        words = [headline.liveness]
        if headline.liveness == "live" and headline.sentence:
            words.append(headline.sentence)
        if self.extra:
            words.append(self.extra)
        while len(words) > 1 and cell_len(" · ".join(words)) + 2 > room:
            words.pop()
        right = self.line((sign, tone), " ")
        right.append(
            crop(" · ".join(words), max(room - 2, 0)), self.tone("" if headline.liveness == "live" else tone)
        )
        return right

    def _profile_style(self, colour: str) -> Style:
        if not colour:
            return self.tone("strong")
        try:
            parsed = Color.parse(colour)
        except ColorParseError:
            return self.tone("strong")
        return Style(bgcolor=parsed.rich_color, color=parsed.get_contrast_text(1.0).rich_color, bold=True)

    def on_click(self, event: events.Click) -> None:
        """Go to the pane whose name was clicked."""
        for start, stop, pane in self._spots:
            if start <= event.x < stop:
                self.post_message(PaneAsked(pane))


class Banner(Toned):
    """Cause and remedy in a line of their own (two where they need it), where the console is not live."""

    def __init__(self) -> None:
        super().__init__(id="banner")
        self._words: tuple[str, str] = ("", "")

    def show(self, words: str, tone: str = "pending") -> None:
        """Show a sentence, or nothing."""
        if (words, tone) != self._words:
            self._words = (words, tone)
            self.set_class(bool(words), "-shown")
            self._fit()

    def on_resize(self) -> None:
        """Take as many lines as the sentence needs now."""
        self._fit()

    def _fit(self) -> None:
        self.styles.height = max(len(self._lines()), 1)
        self.refresh()

    def _lines(self) -> list[str]:
        return wrap(self._words[0], max(self.app.size.width - 2, 20), 2)

    def render(self) -> Text:
        """Draw the sentence."""
        return Text("\n".join(self._lines()), self.tone(self._words[1]), end="")


class FooterLine(Toned):
    """The keys that work here and now, the most useful first; `?` for the rest is always there."""

    def __init__(self) -> None:
        super().__init__(id="footer")
        self._actions: tuple[tuple[str, str], ...] = ()
        self._left = ""

    def show(self, keymap: Keymap, actions: Sequence[Action], left: str = "", other: str = "") -> None:
        """Show these actions' keys; `left` is what the pane wants to say first, `other` the name of the other side."""
        ordered = sorted(actions, key=lambda action: action.id == "help")
        pairs = tuple(
            (keymap.key(action.id), other if action.id == "choose-other" and other else action.title)
            for action in ordered
        )
        if (pairs, left) != (self._actions, self._left):
            self._actions, self._left = pairs, left
            self.refresh()

    def render(self) -> Text:
        """Draw as many keys as fit."""
        width = self.size.width
        text = self.line(" ")
        if self._left:
            text.append(self._left, self.tone("accent"))
            text.append("  ")
        *first, last = self._actions or (("", ""),)
        end = cell_len(f"{last[0]} {last[1]}") + 1
        for key, title in first:
            if text.cell_len + cell_len(f"{key} {title}") + 2 + end > width:
                continue
            text.append(key, self.tone("strong"))
            text.append(f" {title}  ", self.tone("dim"))
        text.append(last[0], self.tone("strong"))
        text.append(f" {last[1]}", self.tone("dim"))
        text.append(fit("", width - text.cell_len))
        return text
