"""One open profile to look at and to edit, without the engine: what a quick command needs."""

from __future__ import annotations

from attio_console.services.letters import LetterVerbs


class Desk(LetterVerbs):
    """Everything that works on this disk alone. `Console` adds what talks to the other systems."""
