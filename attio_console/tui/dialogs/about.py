"""What a pane is for, in a few sentences."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from attio_console.tui.dialogs.base import Dialog, words


class About(Dialog[bool]):
    """A title and some prose."""

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        """Make the prose."""
        with Vertical(classes="box"):
            yield words(self._title, "heading")
            yield words(self._text, "text")
            yield words("Esc closes", "hint")
