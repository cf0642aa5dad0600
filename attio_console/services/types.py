"""What the two faces see: plain values, ready to be shown, every text of a CRM already harmless.

Nothing here knows a widget, a database or the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from attio_console.model.schema import Attribute

EditState = Literal["", "pending", "sending", "refused"]
"""How far an edit of ours is: nothing open, waits in the outbox, on its way, or refused with a reason."""


@dataclass(frozen=True, slots=True)
class Tab:
    """One object (or list) a person can open as a table. `count` is None until it is known."""

    collection: str
    slug: str
    title: str
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. `width` in terminal cells; a lower `priority` number stays longer on a narrow screen."""

    slug: str
    title: str
    type: str
    width: int
    priority: int
    numeric: bool = False
    editable: bool = True
    shown: bool = True
    """Whether the column is there before anybody chose columns."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One shown value, and whether an edit of ours on it is still open."""

    text: str
    state: EditState = ""


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row of a table window; `cells` are in the order of the columns asked for."""

    record_id: str
    label: str
    cells: tuple[Cell, ...]
    paired: bool = False
    conflict: bool = False
    edit: EditState = ""


@dataclass(frozen=True, slots=True)
class TableQuery:
    """What a table shows: a collection, the filter box as typed, and the sort keys (slug, descending)."""

    collection: str
    filter: str = ""
    sorts: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class FieldLine:
    """One field of a record in the detail. `was` is the confirmed value under an open edit of ours."""

    slug: str
    title: str
    type: str
    text: str
    items: tuple[Any, ...]
    editable: bool
    why_not: str = ""
    state: EditState = ""
    was: str = ""
    error: str = ""
    by: str = ""
    at: datetime | None = None
    attribute: Attribute | None = None


@dataclass(frozen=True, slots=True)
class NoteLine:
    """A note on a record."""

    note_id: str
    title: str
    content: str
    by: str
    at: datetime | None
    state: EditState = ""


@dataclass(frozen=True, slots=True)
class TaskLine:
    """A task linked to a record."""

    task_id: str
    content: str
    done: bool
    deadline: datetime | None
    assignees: str
    state: EditState = ""


@dataclass(frozen=True, slots=True)
class MembershipLine:
    """One entry of a record in a list."""

    entry_id: str
    list_id: str
    list_name: str
    stage: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One change of one field: by whom, when, from where."""

    at: datetime | None
    field: str
    before: str
    after: str
    by: str
    source: str
    group_id: int | None = None


@dataclass(frozen=True, slots=True)
class PairLine:
    """The copy of a record in another system."""

    pair_id: int
    system: str
    external_type: str
    external_id: str
    state: str
    conflicts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordDetail:
    """Everything known here about one record."""

    collection: str
    object_slug: str
    record_id: str
    label: str
    web_url: str
    fields: tuple[FieldLine, ...]
    notes: tuple[NoteLine, ...]
    tasks: tuple[TaskLine, ...]
    lists: tuple[MembershipLine, ...]
    pairs: tuple[PairLine, ...]
    raw: str
    edit: EditState = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing an editor may pick: its value to send and its title. `archived` ones are shown, not offered."""

    value: str
    title: str
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A list that can be shown as a board."""

    list_id: str
    slug: str
    name: str
    parent_object: str
    status_slug: str
    value_slug: str | None


@dataclass(frozen=True, slots=True)
class BoardColumn:
    """One stage. `total` is the formatted sum of the value attribute, or empty."""

    status_id: str
    title: str
    count: int
    total: str
    target_days: float | None = None


@dataclass(frozen=True, slots=True)
class Board:
    """A list as stages, in Attio's order, with what all of them add up to."""

    pipeline: Pipeline
    columns: tuple[BoardColumn, ...]
    count: int
    total: str


@dataclass(frozen=True, slots=True)
class Card:
    """One entry on a board. `age_days` is how long it has been in this stage."""

    entry_id: str
    record_id: str
    label: str
    value: str
    owner: str
    age_days: float | None
    overdue: bool
    edit: EditState = ""
    conflict: bool = False


Side = Literal["attio", "external", "base", "both", "empty"]


@dataclass(frozen=True, slots=True)
class ConflictSide:
    """One side of a clashing field: as shown, and who changed it when."""

    text: str
    items: tuple[Any, ...]
    by: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ConflictField:
    """One field two sides disagree on."""

    slug: str
    title: str
    type: str
    multi: bool
    base: ConflictSide
    attio: ConflictSide
    external: ConflictSide
    external_field: str
    suggestion: Side | None
    why: str
    compared: bool = True
    """Whether both sides ever agreed on a value: without that there is no base to take."""
    whole: bool = False
    """Whether this is about the record itself and not about one of its fields."""


@dataclass(frozen=True, slots=True)
class ConflictLine:
    """One conflict in the queue."""

    conflict_id: int
    kind: str
    system: str
    label: str
    what: str
    suggestion: str
    state: str
    detected_at: datetime
    fields: tuple[str, ...]
    record_id: str
    collection: str
    assignee: str = ""
    """Whose it is, by name."""
    comments: int = 0


@dataclass(frozen=True, slots=True)
class TimelineLine:
    """One thing that happened to a field of a conflict, on either side."""

    at: datetime | None
    where: str
    before: str
    after: str
    by: str
    how: str


@dataclass(frozen=True, slots=True)
class ConflictDetail:
    """One conflict, field by field. `revision` moves when a side moves; choices made on an old one are refused."""

    line: ConflictLine
    sentence: str
    external_type: str
    external_id: str
    detected_by: str
    fields: tuple[ConflictField, ...]
    merged: tuple[str, ...]
    revision: int


@dataclass(frozen=True, slots=True)
class PlannedWrite:
    """One field that an action would write, where, from what, to what."""

    system: str
    object: str
    record_id: str
    label: str
    field: str
    before: str
    after: str
    deletes: bool = False
    """Whether the whole record goes; nothing brings it back."""


@dataclass(frozen=True, slots=True)
class Done:
    """What an action did, in a sentence, and the undo group it made."""

    message: str
    group_id: int | None = None
    count: int = 0


@dataclass(frozen=True, slots=True)
class OutboxLine:
    """One write that waits, is on its way, or was refused."""

    item_id: int
    group_id: int
    system: str
    label: str
    what: str
    state: str
    attempts: int
    age_s: float
    next_in_s: float | None
    error: str
    origin: str
    record_id: str
    collection: str


@dataclass(frozen=True, slots=True)
class GroupLine:
    """One action of the past: everything it wrote is undone together."""

    group_id: int
    title: str
    at: datetime
    count: int
    state: str
    undone: bool
    origin: str


@dataclass(frozen=True, slots=True)
class Headline:
    """What the status line always says."""

    profile: str
    workspace: str
    colour: str
    read_only: bool
    liveness: str
    """live, stale, offline, paused, starting, not authorised or read elsewhere"""
    sentence: str
    """the cause and the remedy, where liveness is not live; else the lag"""
    outbox: int
    conflicts: int
    dead_letters: int
    refused: int


@dataclass(frozen=True, slots=True)
class PartitionLine:
    """One unit of sync: (system, object)."""

    system: str
    object: str
    label: str
    state: str
    records: int
    pairs: int
    agreed: int
    conflicts: int
    scanned_at: datetime | None
    progress: float | None
    rate: float | None
    eta_s: float | None
    lag_s: float | None
    error: str


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    """One webhook delivery, newest first."""

    at: datetime
    event_types: str
    state: str


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests a second to one system, oldest first, against its limit."""

    system: str
    reads: tuple[int, ...]
    writes: tuple[int, ...]
    read_limit: int
    write_limit: int
    quota: str = ""


@dataclass(frozen=True, slots=True)
class SyncBoard:
    """The health of everything, in one look."""

    headline: Headline
    partitions: tuple[PartitionLine, ...]
    traffic: tuple[Traffic, ...]
    listener: str
    listener_ok: bool
    deliveries: tuple[DeliveryLine, ...]
    inbox: int
    inbox_dead: int
    outbox_dead: int
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """One result of a search across everything."""

    collection: str
    record_id: str
    kind: str
    label: str
    detail: str


@dataclass(frozen=True, slots=True)
class Changed:
    """What moved in the store since the last one: what to read again."""

    what: frozenset[str]
    """any of records, outbox, conflicts, status, schema, inbox"""
    collections: frozenset[str] = frozenset()
    record_ids: frozenset[str] = frozenset()
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an accepted edit by the time a script returns."""

    sentence: str
    group_id: int | None
    confirmed: int = 0
    waiting: int = 0
    refused: int = 0
    record_ids: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()

    @property
    def needs_person(self) -> bool:
        """Whether something was refused."""
        return self.refused > 0
