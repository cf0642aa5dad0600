"""What a CRM is to the sync: one small protocol, and the plain values that cross it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, Protocol, TypeAlias

from attio_console.errors import ConsoleError

FieldType = Literal[
    "text",
    "number",
    "currency",
    "bool",
    "date",
    "datetime",
    "choice",
    "choices",
    "reference",
    "owner",
    "email",
    "phone",
    "url",
    "other",
]


@dataclass(frozen=True, slots=True)
class CrmOption:
    """One value of a picklist: what is written, and what people see."""

    value: str
    label: str
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class CrmField:
    """A property (HubSpot) or field (Salesforce)."""

    name: str
    label: str
    type: FieldType
    is_writable: bool = True
    is_required: bool = False
    is_unique: bool = False
    options: tuple[CrmOption, ...] = ()
    reference_to: tuple[str, ...] = ()
    max_length: int | None = None

    def option(self, name: str) -> CrmOption | None:
        """Return the option with that value or, failing that, that label (case does not matter)."""
        for option in self.options:
            if option.value == name:
                return option
        folded = name.strip().casefold()
        return next((o for o in self.options if folded in {o.label.casefold(), o.value.casefold()}), None)


@dataclass(frozen=True)
class CrmObject:
    """An object type of the other system and its fields."""

    name: str
    label: str
    fields: tuple[CrmField, ...] = ()

    @cached_property
    def _by_name(self) -> dict[str, CrmField]:
        return {f.name.casefold(): f for f in self.fields}

    def field(self, name: str) -> CrmField | None:
        """Return the field of that name (case does not matter)."""
        return self._by_name.get(name.casefold())


@dataclass(frozen=True, slots=True)
class CrmOwner:
    """Somebody who can own records."""

    id: str
    email: str
    name: str
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class CrmRecord:
    """One record as the other system gave it. `values` holds its own native values by field name."""

    id: str
    values: Mapping[str, Any]
    modified_at: str = ""
    modified_by: str = ""
    is_archived: bool = False
    asked_id: str = ""
    """The id it was asked for by, where that is another one: it was merged away into `id`."""
    absorbed: tuple[str, ...] = ()
    """The ids of records that were merged into this one."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where an incremental read stands: everything before (`at`, `last_id`) has been seen."""

    at: str
    last_id: str = ""


@dataclass(frozen=True, slots=True)
class CrmPage:
    """One page of records and where the next read starts. `cursor` may be kept across runs."""

    records: list[CrmRecord]
    cursor: Cursor | None
    is_last: bool


@dataclass(frozen=True, slots=True)
class CrmWrite:
    """Fields to write to one record. `key` is the caller's own, and comes back with the outcome."""

    key: str
    values: Mapping[str, Any]
    id: str = ""
    links: Mapping[str, str | None] = field(default_factory=dict)
    """References that are not plain fields: other object type -> id, or None to remove."""
    unmodified_since: str = ""


@dataclass(frozen=True, slots=True)
class CrmResult:
    """What became of one write. `record` is the record as it is now, where the answer or a re-read told."""

    key: str
    id: str = ""
    is_new: bool = False
    record: CrmRecord | None = None
    error: ConsoleError | None = None


@dataclass(frozen=True, slots=True)
class CrmChange:
    """One value that a field had: from when, by whom, from where."""

    value: Any
    at: datetime | None
    by: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class CrmMerge:
    """A record that was absorbed by another."""

    lost_id: str
    kept_id: str


@dataclass(frozen=True, slots=True)
class CrmLimits:
    """How much of the daily allowance is gone. Zero `day_max` means: not known."""

    day_max: int = 0
    day_used: int = 0

    @property
    def share(self) -> float:
        """The used share of the day, from 0 to 1."""
        return self.day_used / self.day_max if self.day_max else 0.0


@dataclass(frozen=True, slots=True)
class CrmIdentity:
    """Which account a client talks to."""

    account_id: str
    name: str = ""


Known: TypeAlias = Callable[[str, str], bool]
"""Whether a record is held as it was at that time: (id, modified at) -> bool."""


class CrmClient(Protocol):
    """Everything the sync asks of another CRM."""

    @property
    def system(self) -> str:
        """Return "hubspot" or "salesforce"."""

    @property
    def page_size(self) -> int:
        """Return how many records one read call brings."""

    @property
    def batch_size(self) -> int:
        """Return how many records one write call takes."""

    @property
    def conditional_writes(self) -> bool:
        """Whether a single write may be bound to the version that was read."""

    async def identity(self) -> CrmIdentity:
        """Return the account."""

    async def describe(self, object_type: str) -> CrmObject:
        """Return the fields of an object type, pipelines' stages as options."""

    async def owners(self) -> list[CrmOwner]:
        """Return everybody who can own records."""

    def scan(self, object_type: str, fields: Sequence[str], after: str = "") -> AsyncIterator[CrmPage]:
        """Yield every record, in an order that change does not disturb, from after that id on."""

    def changed(
        self, object_type: str, fields: Sequence[str], since: Cursor, known: Known | None = None
    ) -> AsyncIterator[CrmPage]:
        """Yield the records that changed at or after the cursor, oldest change first.

        Where reading a record costs a call of its own, those that are `known` are left out.
        """

    async def get_many(self, object_type: str, ids: Sequence[str], fields: Sequence[str]) -> list[CrmRecord]:
        """Return those of the records that exist, whatever was asked for in their place named in `asked_id`."""

    async def find(
        self, object_type: str, by: str, values: Sequence[str], fields: Sequence[str]
    ) -> list[CrmRecord]:
        """Return the records whose field `by` holds one of the values."""

    async def logged(
        self, object_type: str, on: str, ids: Sequence[str], fields: Sequence[str]
    ) -> list[CrmRecord]:
        """Return the activities of a type that hang on records of another, as they are now."""

    async def create_many(self, object_type: str, writes: Sequence[CrmWrite]) -> list[CrmResult]:
        """Create records; nothing guards against a second creation, so the caller looked first."""

    async def update_many(self, object_type: str, writes: Sequence[CrmWrite]) -> list[CrmResult]:
        """Write only the named fields of existing records."""

    async def upsert_many(
        self, object_type: str, key_field: str, writes: Sequence[CrmWrite]
    ) -> list[CrmResult]:
        """Create or update by a unique field whose value is among the values of each write."""

    async def archive(self, object_type: str, ids: Sequence[str]) -> None:
        """Put records into the recycle bin."""

    async def archived_since(self, object_type: str, since: datetime) -> list[str]:
        """Return the ids of the records deleted since then."""

    async def archived_with(self, object_type: str, key_field: str) -> dict[str, str]:
        """Return the ids in the recycle bin whose key field holds something, and what it holds."""

    async def merges_since(self, object_type: str, since: datetime) -> list[CrmMerge]:
        """Return the merges since then that the system can still tell of."""

    async def history(
        self, object_type: str, ids: Sequence[str], fields: Sequence[str]
    ) -> dict[str, dict[str, list[CrmChange]]]:
        """Return record id -> field -> its values, newest first; fields without history are left out."""

    async def limits(self) -> CrmLimits:
        """Return the allowance as last heard, asking where nothing was heard yet."""

    async def close(self) -> None:
        """Give the connections back."""
