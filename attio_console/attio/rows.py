"""Records and entries as they came: an id and bytes, decoded when somebody asks for a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from attio_console.attio.values import Value, read_values


class _Ids(msgspec.Struct):
    workspace_id: str = ""
    object_id: str = ""
    list_id: str = ""
    record_id: str = ""
    entry_id: str = ""


class _Stamp(msgspec.Struct):
    value: str | None = None


class _Stamps(msgspec.Struct):
    created_at: list[_Stamp] = []


class Head(msgspec.Struct):
    """The few parts of a row that paging needs; the rest is skipped, not decoded."""

    id: _Ids
    values: _Stamps | None = None
    entry_values: _Stamps | None = None

    @property
    def row_id(self) -> str:
        """Return the id of the record or of the entry."""
        return self.id.entry_id or self.id.record_id

    @property
    def created_at(self) -> str | None:
        """Return the value of the attribute `created_at`, which is not the row's own top-level `created_at`."""
        stamps = self.values or self.entry_values
        return stamps.created_at[0].value if stamps and stamps.created_at else None


_HEAD = msgspec.json.Decoder(Head)


def head(raw: bytes) -> Head:
    """Read a row's id and creation stamp."""
    return _HEAD.decode(raw)


class _Record(msgspec.Struct):
    id: _Ids
    created_at: str | None = None
    web_url: str | None = None
    values: dict[str, Any] = {}


class _Entry(msgspec.Struct):
    id: _Ids
    parent_record_id: str | None = None
    parent_object: str | None = None
    created_at: str | None = None
    entry_values: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Record:
    """A record, decoded for people. `values` has every attribute of the object, the empty ones too."""

    record_id: str
    object_id: str
    created_at: str | None
    web_url: str | None
    values: dict[str, list[Value]]


@dataclass(frozen=True, slots=True)
class Entry:
    """A list entry, decoded for people."""

    entry_id: str
    list_id: str
    parent_record_id: str | None
    parent_object: str | None
    created_at: str | None
    values: dict[str, list[Value]]


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A record as it came."""

    id: str
    raw: bytes

    def decode(self) -> Record:
        """Return the record with typed values."""
        record = msgspec.json.decode(self.raw, type=_Record)
        return Record(
            record.id.record_id,
            record.id.object_id,
            record.created_at,
            record.web_url,
            read_values(record.values),
        )


@dataclass(frozen=True, slots=True)
class RawEntry:
    """A list entry as it came."""

    id: str
    raw: bytes

    def decode(self) -> Entry:
        """Return the entry with typed values."""
        entry = msgspec.json.decode(self.raw, type=_Entry)
        return Entry(
            entry.id.entry_id,
            entry.id.list_id,
            entry.parent_record_id,
            entry.parent_object,
            entry.created_at,
            read_values(entry.entry_values),
        )
