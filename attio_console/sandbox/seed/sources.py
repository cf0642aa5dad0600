"""The workspace read back as plain facts, for the copies in the other systems to be made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from typing import Any

from attio_console.sandbox.attio.state import Crm, Object, Row
from attio_console.sandbox.world import Workspace


@dataclass(frozen=True, slots=True)
class Source:
    """A record: its id, its time of creation, and what the other systems would know of it."""

    id: str
    created_at: datetime
    facts: dict[str, Any]

    def get(self, name: str) -> Any:
        """Return a fact, None where there is none."""
        return self.facts.get(name)


class Sources:
    """The oldest people, companies and deals of a workspace, each kind read when it is first asked for."""

    def __init__(self, workspace: Workspace, most: int) -> None:
        self.workspace = workspace
        self._most = most
        self._crm = workspace.part(Crm)

    @cached_property
    def companies(self) -> list[Source]:
        """Return companies, oldest first."""
        return list(self._read("companies", _company))

    @cached_property
    def people(self) -> list[Source]:
        """Return people, oldest first."""
        return list(self._read("people", _person))

    @cached_property
    def deals(self) -> list[Source]:
        """Return deals, oldest first."""
        return list(self._read("deals", _deal))

    def _read(self, slug: str, facts: Any) -> Iterator[Source]:
        target = self._crm.object(slug)
        if target is None:
            return
        for ref in islice(target.table.refs(), self._most):
            row = target.table.row(ref)
            yield Source(row.id, _moment(row.created_at), facts(_Reader(target, row), self.workspace))


class _Reader:
    """Values of a row by slug, as they are stored."""

    def __init__(self, target: Object, row: Row) -> None:
        self.target = target
        self.row = row

    def first(self, slug: str, key: str) -> Any:
        attribute = self.target.attribute(slug)
        values = self.row.get(attribute.id) if attribute else ()
        return values[0].data.get(key) if values else None

    def every(self, slug: str, key: str) -> list[Any]:
        attribute = self.target.attribute(slug)
        return [value.data.get(key) for value in self.row.get(attribute.id)] if attribute else []

    def status(self, slug: str) -> str | None:
        attribute = self.target.attribute(slug)
        chosen = self.first(slug, "status")
        return attribute.statuses[chosen].title if attribute and chosen in attribute.statuses else None


def _person(row: _Reader, workspace: Workspace) -> dict[str, Any]:
    del workspace
    return {
        "first": row.first("name", "first_name"),
        "last": row.first("name", "last_name"),
        "emails": row.every("email_addresses", "email_address"),
        "phone": row.first("phone_numbers", "phone_number"),
        "title": row.first("job_title", "value"),
        "company": row.first("company", "target_record_id"),
        "city": row.first("primary_location", "locality"),
        "country": row.first("primary_location", "country_code"),
    }


def _company(row: _Reader, workspace: Workspace) -> dict[str, Any]:
    del workspace
    return {
        "name": row.first("name", "value"),
        "domain": row.first("domains", "domain"),
        "description": row.first("description", "value"),
        "city": row.first("primary_location", "locality"),
        "country": row.first("primary_location", "country_code"),
    }


def _deal(row: _Reader, workspace: Workspace) -> dict[str, Any]:
    owner = workspace.members.get(row.first("owner", "referenced_actor_id") or "")
    return {
        "name": row.first("name", "value"),
        "value": row.first("value", "currency_value"),
        "stage": row.status("stage"),
        "owner": owner.email_address if owner else None,
        "close_date": row.first("close_date", "value"),
        "company": row.first("associated_company", "target_record_id"),
        "people": row.every("associated_people", "target_record_id"),
    }


def _moment(text: str) -> datetime:
    # Nine digits of a second are three more than Python reads.
    return datetime.fromisoformat(f"{text[:23]}+00:00").astimezone(UTC)
