"""What every question has in common: a box over the screen, Esc to leave it, errors said inside it."""

from __future__ import annotations

from typing import TypeVar

from textual.screen import ModalScreen
from textual.widgets import Static

from attio_console.errors import ConsoleError
from attio_console.model.text import plain

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer | None]):
    """A question; None is the answer of somebody who closed it."""

    def contexts(self) -> tuple[str, ...]:
        """Return the contexts of the keys that work here."""
        return ("dialog",)

    def complain(self, error: ConsoleError) -> None:
        """Say inside the dialog why the answer is not accepted."""
        words = self.query_one(".error", Static)
        words.update(plain(f"✕ {error.message} {error.hint}".strip()))
        words.add_class("-shown")

    def accept_again(self) -> None:
        """Take the complaint away."""
        self.query_one(".error", Static).remove_class("-shown")


def words(text: str, classes: str) -> Static:
    """Return a piece of prose; what it says is never markup."""
    return Static(text, classes=classes, markup=False)
