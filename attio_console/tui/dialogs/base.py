"""What every question has in common: a box over the screen, Esc to leave it, errors said inside it."""

from __future__ import annotations

from typing import Protocol, TypeVar, runtime_checkable

from textual.screen import ModalScreen
from textual.widgets import Static

from attio_console.errors import ConsoleError
from attio_console.model.text import plain

Answer = TypeVar("Answer")


class Ahead(Protocol):
    """What holds keys until a question is on screen."""

    def asked(self) -> None:
        """Let keys go."""


@runtime_checkable
class TakesAhead(Protocol):
    """An app that holds keys until a question is on screen."""

    ahead: Ahead


class Dialog(ModalScreen[Answer | None]):
    """A question; None is the answer of somebody who closed it."""

    def on_screen_resume(self) -> None:
        """Let what was typed ahead come here."""
        app = self.app
        if isinstance(app, TakesAhead):
            self.call_after_refresh(app.ahead.asked)

    def contexts(self) -> tuple[str, ...]:
        """Return the contexts of the keys that work here."""
        return ("dialog",)

    def complain(self, error: ConsoleError) -> None:
        """Say inside the dialog why the answer is not accepted."""
        words = self.query_one(".error", Static)
        words.update(plain(f"✕ {error.advice}"))
        words.add_class("-shown")

    def accept_again(self) -> None:
        """Take the complaint away."""
        self.query_one(".error", Static).remove_class("-shown")


def words(text: str, classes: str) -> Static:
    """Return a piece of prose; what it says is never markup."""
    return Static(text, classes=classes, markup=False)
