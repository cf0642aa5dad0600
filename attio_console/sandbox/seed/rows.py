"""What the generators make: plain rows in Attio's write form, with references still by key."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Options:
    """How much is made, from which seed, and up to which moment."""

    now: datetime
    seed: int = 1
    people: int = 2_000
    copied: int = 20_000
    """Of each object no more than these, the oldest, are looked at for copies in the other systems."""

    @property
    def companies(self) -> int:
        """How many companies go with that many people."""
        return max(1, self.people // 4)

    @property
    def deals(self) -> int:
        """How many deals go with that many people."""
        return max(1, self.people * 3 // 20)


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A colleague in the workspace."""

    first_name: str
    last_name: str
    email: str
    access_level: str = "member"


@dataclass(slots=True)
class Row:
    """A record to be: `values` are write forms; whoever loads it fills in the ids behind `links`."""

    key: str
    created_at: datetime
    author: int
    """Index of the member who made it."""
    values: dict[str, Any]
    links: dict[str, list[str]] = field(default_factory=dict)
    """Attribute slug -> keys of the rows it refers to."""


@dataclass(slots=True)
class EntryRow:
    """A row on a list."""

    list: str
    parent: str
    created_at: datetime
    author: int
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class NoteRow:
    """A note on a record."""

    parent: str
    created_at: datetime
    author: int
    title: str
    content: str


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task, linked to records."""

    content: str
    deadline_at: datetime | None
    is_completed: bool
    linked: tuple[str, ...]
    assignee: int
    created_at: datetime
    author: int


@dataclass(slots=True)
class SeedData:
    """A whole workspace's worth of rows; a key is `people:7`, `companies:3`, `deals:12`."""

    options: Options
    members: list[MemberRow]
    people: list[Row]
    companies: list[Row]
    deals: list[Row]
    entries: list[EntryRow]
    notes: list[NoteRow]
    tasks: list[TaskRow]

    def row(self, key: str) -> Row:
        """Return the record behind a key."""
        kind, _, number = key.partition(":")
        rows: list[Row] = getattr(self, kind)
        return rows[int(number)]
