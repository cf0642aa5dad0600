"""What may come of sending one outbox item, beside the errors of Attio."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from attio_console.model.values import Items

AGREED: Final = "agreed:"
"""Before a slug in an item's payload: what both sides hold once the item has arrived."""


def agreed(payload: Mapping[str, Any]) -> dict[str, Items]:
    """Return the values that both sides hold once the item of this payload has arrived, by slug."""
    return {key.removeprefix(AGREED): value for key, value in payload.items() if key.startswith(AGREED)}


@dataclass(frozen=True, slots=True)
class Written:
    """What is on the other side now: the row's real id, and the values of the fields that were meant."""

    record_id: str
    values: dict[str, Items] = field(default_factory=dict)


class Moved(Exception):  # an outcome, told apart from the errors of Attio
    """A field is not what the author of the edit saw; nothing was sent."""

    def __init__(self, label: str, fields: list[dict[str, object]]) -> None:
        names = ", ".join(str(entry["title"]) for entry in fields)
        super().__init__(
            f"{names} changed in Attio after you looked; nothing was sent. Decide under Conflicts."
        )
        self.label = label
        self.fields = fields


class Vanished(Exception):
    """The row is not there any more; nothing was sent."""

    def __init__(self, label: str, fields: list[dict[str, object]]) -> None:
        super().__init__(
            "Deleted or merged in Attio after you looked; nothing was sent. Decide under Conflicts."
        )
        self.label = label
        self.fields = fields


class NotYet(Exception):
    """The item refers to a row whose own creation is still waiting."""
