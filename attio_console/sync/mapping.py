"""Which fields of which objects stand for each other, and by what rule."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from typing import Literal

from attio_console.model.merge import Blanks, Direction, Rule

Transform = Literal[
    "auto",
    "personal-name",
    "full-name",
    "location",
]
"""How one Attio field and its fields on the other side turn into each other; `auto` goes by their types."""

Creates = Literal["off", "on"]
FirstSync = Literal["plan", "go"]


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """One Attio attribute and the field, or fields, that hold the same thing on the other side."""

    attio: str
    external: tuple[str, ...]
    transform: Transform = "auto"
    rule: Rule = Rule.MANUAL
    direction: Direction = Direction.BOTH
    blanks: Blanks = Blanks.FILL
    values: MappingOf[str, str] = field(default_factory=dict)
    """Attio option or status title -> value of the other side, where the names differ."""

    @property
    def shown(self) -> str:
        """Return the other side's field as people see it named."""
        return " + ".join(self.external)


@dataclass(frozen=True, slots=True)
class MatchKey:
    """A unique key: the same value on both sides means the same thing."""

    attio: str
    external: str


@dataclass(frozen=True, slots=True)
class ObjectMapping:
    """An Attio object and the object type that stands for it on the other side."""

    attio: str
    external: str
    fields: tuple[FieldMapping, ...]
    match: tuple[MatchKey, ...] = ()
    key_field: str = ""
    """The unique field of the other side that holds the Attio record id; empty where there is none."""
    stamp: bool = True
    """Whether that field is written for every confirmed pair; where not, it is only read."""
    create_attio: Creates = "off"
    create_external: Creates = "off"
    where_attio: MappingOf[str, str] = field(default_factory=dict)
    """Only Attio records with these values (as shown) take part."""
    where_external: MappingOf[str, str] = field(default_factory=dict)
    """Only external records with these native values take part."""

    def field(self, attio: str) -> FieldMapping | None:
        """Return the mapping of that Attio attribute."""
        return next((f for f in self.fields if f.attio == attio), None)

    @property
    def external_fields(self) -> tuple[str, ...]:
        """Return every field of the other side that has to be read."""
        names = [name for f in self.fields for name in f.external]
        names += [key.external for key in self.match] + list(self.where_external)
        return tuple(dict.fromkeys((*names, *((self.key_field,) if self.key_field else ()))))


@dataclass(frozen=True, slots=True)
class Guards:
    """Where a run stops and asks."""

    max_share: float = 0.3
    """The share of a partition's pairs that one run may write to."""
    min_writes: int = 50
    """Runs with fewer writes than this are never stopped."""


Carried = Literal["off", "both", "to-external", "to-attio"]


@dataclass(frozen=True, slots=True)
class Activities:
    """Which way notes and tasks of paired records are carried."""

    notes: Carried = "off"
    tasks: Carried = "off"

    @property
    def is_on(self) -> bool:
        """Whether anything is carried at all."""
        return self.notes != "off" or self.tasks != "off"

    def carries(self, kind: str, way: Literal["to-external", "to-attio"]) -> bool:
        """Return whether notes or tasks go that way."""
        return (self.notes if kind == "note" else self.tasks) in {"both", way}


@dataclass(frozen=True, slots=True)
class Mapping:
    """Everything that is synced with one other system."""

    system: str
    objects: tuple[ObjectMapping, ...]
    first_sync: FirstSync = "plan"
    region: str = "US"
    """The country of phone numbers written without one, where nothing else tells."""
    guards: Guards = Guards()
    activities: Activities = Activities()

    def object(self, attio: str, external: str | None = None) -> ObjectMapping | None:
        """Return the mapping of that Attio object (and external type)."""
        return next(
            (o for o in self.objects if o.attio == attio and external in {None, o.external}),
            None,
        )

    def for_external(self, external: str) -> tuple[ObjectMapping, ...]:
        """Return the mappings of that external type."""
        return tuple(o for o in self.objects if o.external == external)

    @property
    def external_types(self) -> tuple[str, ...]:
        """Return the external types in use, each once, parents before children."""
        order = {"companies": 0, "Account": 0}
        types = dict.fromkeys(o.external for o in self.objects)
        return tuple(sorted(types, key=lambda name: order.get(name, 1)))

    def fields_of(self, external: str) -> tuple[str, ...]:
        """Return every field of an external type that has to be read."""
        return tuple(dict.fromkeys(name for o in self.for_external(external) for name in o.external_fields))


def collection_of(system: str, external_type: str) -> str:
    """Return the mirror's key for the rows of an external type."""
    return f"{system}:{external_type}"
