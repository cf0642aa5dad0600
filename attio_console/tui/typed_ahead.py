"""Keys typed faster than the screen can ask: they wait for the question they were meant for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events
from textual.message import Message

if TYPE_CHECKING:
    from attio_console.tui.app import ConsoleApp

# Something that takes longer than this has no question to ask; keys go on meaning what they mean.
_PATIENCE_S = 0.6


class TypedAhead:
    """Holds keys between the one that asks for something and the dialog (or pane) that comes of it.

    Without it, `e` and a quickly typed `Dy` would delete a record instead of editing a field.
    """

    class Released(Message):
        """What was held may be looked at now."""

    def __init__(self, app: ConsoleApp) -> None:
        self._app = app
        self._open = 0
        self._turn = 0
        self._releasing = False
        self._held: list[events.Key] = []

    def begin(self) -> None:
        """Hold keys from now on: something was asked for."""
        self._open += 1
        self._turn += 1
        turn = self._turn
        self._app.set_timer(_PATIENCE_S, lambda: self._give_up(turn))

    def asked(self) -> None:
        """Let keys go: the question is on screen."""
        self._open = 0
        self._release()

    def end(self) -> None:
        """Let keys go where nothing else is under way."""
        self._open = max(self._open - 1, 0)
        if not self._open:
            self._release()

    def hold(self, key: events.Key) -> bool:
        """Hold a key where something is under way; return whether it was held."""
        if not self._open and not self._releasing:
            return False
        self._held.append(key)
        return True

    def take(self) -> list[events.Key]:
        """Return what may be looked at now, in the order it was typed."""
        self._releasing = False
        held, self._held = self._held, []
        return held

    def _give_up(self, turn: int) -> None:
        if turn == self._turn and self._open:
            self.asked()

    def _release(self) -> None:
        if self._held and not self._releasing:
            self._releasing = True
            self._app.post_message(self.Released())
