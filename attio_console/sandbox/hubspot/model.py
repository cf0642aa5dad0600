"""A record of any object type: its properties, and how each of them came to be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


def iso(moment: datetime) -> str:
    """Write an instant as HubSpot does: UTC, milliseconds."""
    text = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{moment.microsecond // 1000:03d}Z"


def epoch_ms(moment: datetime) -> int:
    """Return an instant in the milliseconds that search speaks."""
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


@dataclass(frozen=True, slots=True)
class Source:
    """Who changed a property, by HubSpot's words."""

    type: str = "INTEGRATION"
    id: str = "1160452"
    label: str | None = None
    user_id: int | None = None

    def json(self) -> dict[str, Any]:
        """Return the keys a version of a property carries."""
        body: dict[str, Any] = {"sourceType": self.type, "sourceId": self.id}
        if self.label is not None:
            body["sourceLabel"] = self.label
        if self.user_id is not None:
            body["updatedByUserId"] = self.user_id
        return body


@dataclass(frozen=True, slots=True)
class Version:
    """One value a property has had."""

    value: str
    at: datetime
    source: Source

    def json(self) -> dict[str, Any]:
        """Return the version as `propertiesWithHistory` shows it."""
        return {"value": self.value, "timestamp": iso(self.at), **self.source.json()}


@dataclass(slots=True)
class Record:
    """A contact, company, deal, note or task. A property that is not in `properties` has no value."""

    id: int
    properties: dict[str, str]
    created_at: datetime
    updated_at: datetime
    source: Source
    """Who made it: the author of every property without a history of its own."""
    archived_at: datetime | None = None
    versions: dict[str, list[Version]] = field(default_factory=dict)
    """Oldest first; only of properties that changed since the record was made."""
    merged: list[int] = field(default_factory=list)
    url: str = ""

    def history(self, name: str) -> list[Version]:
        """Return every value of a property, newest first."""
        if name in self.versions:
            return self.versions[name][::-1]
        value = self.properties.get(name)
        return [] if value is None else [Version(value, self.created_at, self.source)]

    def put(self, name: str, value: str | None, at: datetime, source: Source) -> bool:
        """Set or (with None) clear a property; return whether that changed it."""
        before = self.properties.get(name)
        if before == value:
            return False
        if name not in self.versions:
            self.versions[name] = [] if before is None else [Version(before, self.created_at, self.source)]
        self.versions[name].append(Version(value or "", at, source))
        if value is None:
            del self.properties[name]
        else:
            self.properties[name] = value
        return True

    def as_of(self, moment: datetime) -> dict[str, str]:
        """Return the properties as they were at an instant."""
        past = dict(self.properties)
        for name, versions in self.versions.items():
            known = [version for version in versions if version.at <= moment]
            if known and known[-1].value:
                past[name] = known[-1].value
            else:
                past.pop(name, None)
        return past

    def json(self, wanted: Iterable[str], history: Iterable[str] = ()) -> dict[str, Any]:
        """Return the record with the wanted properties (those without a value are null)."""
        body: dict[str, Any] = {
            "id": str(self.id),
            "properties": {name: self.properties.get(name) for name in wanted},
            "createdAt": iso(self.created_at),
            "updatedAt": iso(self.updated_at),
            "archived": self.archived_at is not None,
        }
        if self.archived_at is not None:
            body["archivedAt"] = iso(self.archived_at)
        if self.url:
            body["url"] = self.url
        versions = {name: [v.json() for v in self.history(name)] for name in history}
        if versions:
            body["propertiesWithHistory"] = versions
        return body
