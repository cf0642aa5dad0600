"""What is shown where there is no room for the console."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen
from textual.widgets import Static

MIN_WIDTH, MIN_HEIGHT = 80, 24


class TooSmall(ModalScreen[None]):
    """A sentence over everything; what is under it stays as it was."""

    def compose(self) -> ComposeResult:
        """Make the sentence."""
        yield Static("", markup=False)

    def contexts(self) -> tuple[str, ...]:
        """Return the contexts of the keys that work here: only leaving."""
        return ("input",)

    def on_resize(self, event: events.Resize) -> None:
        """Say how much is missing."""
        self.query_one(Static).update(
            f"This terminal is {event.size.width} × {event.size.height}.\n"
            f"attio-console needs {MIN_WIDTH} × {MIN_HEIGHT}.\n"
            "Make it larger to go on where you were; Ctrl+Q quits."
        )
