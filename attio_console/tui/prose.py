"""Sentences with colour, built from parts, so that text of a CRM is never read as markup."""

from __future__ import annotations

from collections.abc import Mapping

from rich.style import Style
from rich.text import Text
from textual.widget import Widget

TONES = ("dim", "accent", "pending", "conflict", "danger", "good", "strong", "rule", "differs")

LIVENESS: Mapping[str, tuple[str, str]] = {
    "live": ("●", "good"),
    "stale": ("◐", "pending"),
    "offline": ("○", "danger"),
    "paused": ("‖", "pending"),
    "starting": ("◌", "dim"),
    "not authorised": ("✕", "danger"),
    "read elsewhere": ("◎", "accent"),
}
"""The sign and tone of each state of the connection: never the colour alone."""

PAIRED, CONFLICT, PENDING, REFUSED, OVERDUE = "⇄", "!", "✎", "✕", "▲"

EDIT_SIGNS: Mapping[str, tuple[str, str]] = {
    "pending": (PENDING, "pending"),
    "sending": (PENDING, "pending"),
    "refused": (REFUSED, "danger"),
}


class Toned(Widget):
    """A widget that can colour words by tone."""

    COMPONENT_CLASSES = {f"tone--{tone}" for tone in TONES}  # noqa: RUF012 - Textual reads it off the class

    def __init__(
        self,
        *children: Widget,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
        markup: bool = False,
    ) -> None:
        super().__init__(*children, name=name, id=id, classes=classes, disabled=disabled, markup=markup)
        self._tones: dict[str, Style] = {}

    def tone(self, name: str) -> Style:
        """Return the style of a tone in the present theme."""
        style = self._tones.get(name)
        if style is None:
            style = self.get_component_rich_style(f"tone--{name}", partial=True) if name else Style()
            self._tones[name] = style
        return style

    def notify_style_update(self) -> None:
        """Forget the colours of the old theme."""
        super().notify_style_update()
        self._tones.clear()

    def line(self, *parts: str | tuple[str, str]) -> Text:
        """Return one line of text from words and (words, tone) pairs."""
        text = Text(no_wrap=True, overflow="ellipsis", end="")
        for part in parts:
            if isinstance(part, str):
                text.append(part)
            else:
                text.append(part[0], self.tone(part[1]))
        return text


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun: `1 conflict`, `1,204 conflicts`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
