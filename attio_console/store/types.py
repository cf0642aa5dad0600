"""What the store takes and returns: small frozen values without behaviour of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal

import msgspec

Items = list[Any]
"""The plain form of a field's value: a list of JSON scalars or dicts; [] is empty."""

# --------------------------------------------------------------------------------------------------- the mirror


@dataclass(frozen=True, slots=True)
class SchemaDiff:
    """What a fresh schema says that the stored one did not: ids of objects and lists."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    members_changed: bool = False

    def __bool__(self) -> bool:
        """Return whether anything differs at all."""
        return bool(self.added or self.removed or self.changed or self.members_changed)


@dataclass(frozen=True, slots=True)
class PageResult:
    """What one page of raw records did to the mirror."""

    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class ScanState:
    """A full scan of one collection: where it stands, and whether it goes on from an earlier run."""

    scan: int
    cursor: bytes | None
    seen: int
    started_at: datetime
    finished_at: datetime | None = None
    resumed: bool = False


class TermKind(StrEnum):
    """What a filter term compares."""

    TEXT = "text"
    NUMBER = "number"
    TIME = "time"
    REF = "ref"
    SET = "set"


@dataclass(frozen=True, slots=True)
class Term:
    """One parsed filter term: `slug op value`, possibly negated.

    `op` is one of = ~ > >= < <= ? ; `values` are alternatives: any of them may hold. A term of kind SET has none.
    """

    slug: str
    op: str
    kind: TermKind
    values: tuple[str | float, ...] = ()
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Sort:
    """One sort key: an attribute slug, or created_at, updated_at, label."""

    slug: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """A question about one collection: as-you-type text, filter terms, sort keys (by label where none is given)."""

    collection: str
    text: str = ""
    terms: tuple[Term, ...] = ()
    sorts: tuple[Sort, ...] = ()


@dataclass(frozen=True)
class Row:
    """One mirrored row: its label and the bytes as its CRM sent them, decoded when somebody asks."""

    record_id: str
    label: str
    raw: bytes
    collection: str = ""

    @cached_property
    def document(self) -> dict[str, Any]:
        """Return the decoded JSON document."""
        decoded: dict[str, Any] = msgspec.json.decode(self.raw)
        return decoded

    @cached_property
    def _values(self) -> dict[str, Items]:
        from attio_console.model.values import from_attio

        fields = self.document.get("values") or self.document.get("entry_values") or {}
        if not isinstance(fields, dict):
            return {}
        return {slug: from_attio(values) for slug, values in fields.items() if isinstance(values, list)}

    def values(self) -> dict[str, Items]:
        """Return the fields in plain form, by slug."""
        return self._values


@dataclass(frozen=True, slots=True)
class Window:
    """Some consecutive rows of a view.

    `building` is None where the order is the one asked for; while the index of a sort key or filter is still being
    made it is the share that is done, and the rows come in the order of their labels.
    """

    rows: list[Row]
    start: int
    building: float | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """One answer of the finder; `detail` tells people of the same name apart."""

    collection: str
    record_id: str
    label: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class BoardColumn:
    """One status of a board: how many rows, and the sum of the value attribute over them."""

    status_id: str
    count: int
    total: float | None = None


@dataclass(frozen=True, slots=True)
class Board:
    """The columns of a pipeline in the order of its statuses; rows without a status come under the id ''."""

    list_id: str
    status_slug: str
    columns: tuple[BoardColumn, ...]

    def column(self, status_id: str) -> BoardColumn:
        """Return the column of that status; an empty one where no row has it."""
        return next((c for c in self.columns if c.status_id == status_id), BoardColumn(status_id, 0))


# --------------------------------------------------------------------------------------------------- the inbox


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook POST as it came. `key` is its Idempotency-Key."""

    key: str
    webhook_id: str
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery on lease. `token` fences: whoever holds an older one cannot settle it."""

    id: int
    token: int
    delivery: Delivery
    attempts: int


DeliveryState = Literal["pending", "leased", "done", "dead"]


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery as the screen lists it."""

    id: int
    key: str
    webhook_id: str
    body: bytes
    received_at: datetime
    state: DeliveryState
    attempts: int
    error: str = ""
    settled_at: datetime | None = None


# --------------------------------------------------------------------------------------------------- the outbox

ItemKind = Literal["set", "create", "delete", "entry_create", "note_create", "task_create", "task_update"]
ItemState = Literal["pending", "sending", "confirmed", "refused", "dead", "discarded"]


@dataclass(frozen=True, slots=True)
class FieldEdit:
    """A field going from the value its editor saw to the one meant."""

    base: Items
    new: Items


@dataclass(frozen=True, slots=True)
class NewItem:
    """A write somebody wants. `origin`: operator, undo:<group>, resolution:<id>, sync, automation:<rule>.

    A row that does not exist yet has a provisional `record_id` (see `provisional_id`); later edits of it wait for its
    creation and then follow it to its real id.
    """

    system: str
    collection: str
    record_id: str
    kind: ItemKind
    fields: Mapping[str, FieldEdit] = field(default_factory=dict)
    payload: Mapping[str, Any] = field(default_factory=dict)
    origin: str = "operator"
    actor: str = ""


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """One write, waiting or done. `uncertain`: an earlier attempt may have reached the other side."""

    id: int
    group_id: int
    system: str
    collection: str
    record_id: str
    kind: ItemKind
    fields: dict[str, FieldEdit]
    payload: dict[str, Any]
    state: ItemState
    attempts: int
    next_at: datetime
    error: str
    created_at: datetime
    sent_at: datetime | None
    origin: str
    actor: str
    uncertain: bool = False
    written: dict[str, Items] | None = None


@dataclass(frozen=True, slots=True)
class OutboxClaim:
    """A write on lease: what to send now, made of the items `ids` (ten edits of one field are one write)."""

    token: int
    item: OutboxItem
    ids: tuple[int, ...]
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class Pending:
    """A value that is not in the mirror yet, as a cell shows it."""

    new: Items
    state: ItemState
    item_id: int = 0


@dataclass(frozen=True, slots=True)
class OutboxDepth:
    """How many writes wait, were refused, or ran out of attempts."""

    pending: int = 0
    refused: int = 0
    dead: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """One undo group: what was done in one go. `items` is filled by `group`, not by `groups`."""

    id: int
    title: str
    origin: str
    actor: str
    created_at: datetime
    size: int
    states: dict[ItemState, int]
    undone_by: int | None = None
    items: tuple[OutboxItem, ...] = ()


# --------------------------------------------------------------------------------------------------- pairs

PairState = Literal["confirmed", "proposed", "rejected", "broken"]


@dataclass(frozen=True, slots=True)
class NewPair:
    """Two records that stand for the same thing, or that a person said do not."""

    system: str
    object_key: str
    collection: str
    record_id: str
    external_type: str
    external_id: str
    state: PairState = "proposed"
    created_by: str = ""
    score: float | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """A stored pair."""

    id: int
    system: str
    object_key: str
    collection: str
    record_id: str
    external_type: str
    external_id: str
    state: PairState
    created_by: str
    score: float | None
    why: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Base:
    """The value both sides of a pair last agreed on, and when."""

    items: Items
    at: datetime


# --------------------------------------------------------------------------------------------------- conflicts

ConflictState = Literal["open", "snoozed", "resolved", "closed"]


@dataclass(frozen=True, slots=True)
class NewConflict:
    """A difference for a person. `fields` holds one document per field: slug, base, both sides, who, when."""

    kind: str
    system: str
    collection: str
    record_id: str
    label: str
    fields: list[dict[str, Any]]
    pair_id: int | None = None
    external_type: str = ""
    external_id: str = ""
    detected_by: str = ""
    suggestion: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ConflictRow:
    """A stored conflict. `revision` grows with every update, so that a screen notices that it is looking at an old one."""

    id: int
    kind: str
    system: str
    pair_id: int | None
    collection: str
    record_id: str
    external_type: str
    external_id: str
    label: str
    fields: list[dict[str, Any]]
    state: ConflictState
    detected_at: datetime
    detected_by: str
    suggestion: dict[str, Any] | None
    revision: int
    updated_at: datetime
    snoozed_until: datetime | None = None
    closed_why: str = ""


@dataclass(frozen=True, slots=True)
class ConflictFilter:
    """Which conflicts to list; empty fields do not narrow."""

    system: str = ""
    kind: str = ""
    collection: str = ""
    external_type: str = ""
    field: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Resolution:
    """A decision on a conflict: the choice per field, the outbox group it wrote, and whether it was taken back."""

    id: int
    conflict_id: int
    choices: dict[str, Any]
    group_id: int | None
    actor: str
    at: datetime
    undone_at: datetime | None = None


# --------------------------------------------------------------------------------------------------- audit, state


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the audit: who did what to which field, from what to what, and why."""

    actor: str
    action: str
    system: str = ""
    record: str = ""
    field: str = ""
    before: Any = None
    after: Any = None
    rule: str = ""
    request_id: str = ""
    at: datetime | None = None
    id: int = 0


@dataclass(frozen=True, slots=True)
class AuditCheck:
    """Whether the chain of the audit is whole; `broken_at` is the first line that does not fit."""

    entries: int
    broken_at: int | None = None


@dataclass(frozen=True, slots=True)
class PartitionState:
    """What must outlive a process about one (system, object)."""

    system: str
    object: str
    cursor: str = ""
    state: str = ""
    scanned_at: datetime | None = None
    error: str = ""
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What `doctor` says of one database."""

    name: str
    ok: bool
    detail: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class SalvageReport:
    """What a salvage kept, table by table, and where the damaged file is now."""

    kept: dict[str, int]
    lost: dict[str, int]
    damaged_path: str
