"""One open profile to look at and to edit, without the engine: what a quick command needs."""

from __future__ import annotations

from attio_console.services.conflict_export import ConflictExportVerbs
from attio_console.services.letters import LetterVerbs
from attio_console.services.preferences import PreferenceVerbs
from attio_console.services.rules import RuleVerbs
from attio_console.services.timeline import TimelineVerbs


class Desk(LetterVerbs, ConflictExportVerbs, TimelineVerbs, RuleVerbs, PreferenceVerbs):
    """Everything that works on this disk alone. `Console` adds what talks to the other systems."""
