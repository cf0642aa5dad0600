"""The differences that were put between the workspace and its copies: what, where, and what each side says."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from attio_console.sandbox.world import World


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that the systems do not agree on."""

    number: int
    kind: str
    """value, blank, both_changed, deleted, duplicate or format."""
    system: str
    attio_object: str
    attio_record_id: str
    external_object: str
    external_id: str
    field: str
    attio_value: Any
    external_value: Any
    changed_in: str
    """Which side moved away: attio, external or both."""
    what: str
    counts: bool = True
    """False where only the form differs: a sync must find nothing to do."""
    other_external_ids: tuple[str, ...] = ()

    def json(self) -> dict[str, Any]:
        """Return the difference as the control surface shows it."""
        return asdict(self)


@dataclass(slots=True)
class Seeded:
    """What was seeded into a world. `world.part(Seeded)`."""

    world: World
    differences: list[Difference] = field(default_factory=list)


def differences(world: World) -> list[Difference]:
    """Return the differences of a world: twelve that count, and those of form alone; none in an empty world."""
    return world.part(Seeded).differences
