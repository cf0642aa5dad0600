"""Accepted writes through the API: carried out, stamped with the application, noted in the journal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attio_console.sandbox.hubspot.account import Key
from attio_console.sandbox.hubspot.asking import end_of, kinds_of, values_of
from attio_console.sandbox.hubspot.associations import target_of
from attio_console.sandbox.hubspot.errors import HubSpotError, invalid, not_found
from attio_console.sandbox.hubspot.model import Record, Source, iso
from attio_console.sandbox.hubspot.state import HubSpot, ObjectStore
from attio_console.sandbox.server import Request

_MERGE_CAP = 250
_SHOWN_ALWAYS = ("hs_object_id", "createdate")


class Writes:
    """What a call may change."""

    def __init__(self, account: HubSpot) -> None:
        self.account = account

    @staticmethod
    def missing() -> HubSpotError:
        """Return the refusal for a record that is not there."""
        return not_found()

    @staticmethod
    def shown(store: ObjectStore, record: Record) -> list[str]:
        """Return the properties that the answer to a write shows: all that have a value."""
        return sorted({*record.properties, *_SHOWN_ALWAYS, store.modified})

    def source(self, request: Request) -> Source:
        """Return how the caller appears in property history."""
        key: Key = request.state["key"]
        return Source("INTEGRATION", str(key.app_id))

    def note(self, request: Request, store: ObjectStore, record_id: int | str, body: Any) -> None:
        """Write a call into the journal."""
        key: Key = request.state["key"]
        self.account.world.journal.add(
            "hubspot", request.method, request.path, store.name, str(record_id), body, f"app:{key.app_id}"
        )

    def create(self, request: Request, store: ObjectStore, body: Mapping[str, Any]) -> Record:
        """Make a record with its associations, or refuse both."""
        values = values_of(body)
        links = [self._link(store, link) for link in _links(body)]
        record = self.account.create(store, values, self.source(request))
        for to, other, kinds in links:
            self.account.associations.add(store.name, record.id, to.name, other.id, kinds)
            self.logged(store, to, other)
        self.note(request, store, record.id, dict(body))
        return record

    def update(
        self, request: Request, store: ObjectStore, record_id: str, key: str | None, body: Mapping[str, Any]
    ) -> Record:
        """Change a record."""
        record = self.account.get(store, record_id, key)
        self.account.update(store, record, values_of(body), self.source(request))
        self.note(request, store, record.id, dict(body))
        return record

    def archive(self, request: Request, store: ObjectStore, record_id: str) -> None:
        """Put a record into the recycle bin."""
        try:
            record = self.account.get(store, record_id)
        except HubSpotError:
            return
        if record.archived_at is None:
            self.account.archive(store, record)
            self.note(request, store, record.id, None)

    def merge(self, request: Request, store: ObjectStore, primary: str, other: str) -> Record:
        """Make one record of two."""
        first, second = self.account.get(store, primary), self.account.get(store, other)
        if len(first.merged) + len(second.merged) >= _MERGE_CAP:
            raise HubSpotError(
                414, "VALIDATION_ERROR", f"A record can take part in {_MERGE_CAP} merges at most"
            )
        record = self.account.merge(store, first, second, self.source(request))
        self.note(request, store, record.id, {"primaryObjectId": primary, "objectIdToMerge": other})
        return record

    def logged(self, store: ObjectStore, to: ObjectStore, other: Record) -> None:
        """Move the modification stamp of a record on which an activity was logged."""
        if store.name in {"notes", "tasks"}:
            now = self.account.now()
            if "notes_last_updated" in to.properties:
                other.properties["notes_last_updated"] = iso(now)
            self.account.touch(to, other, now)

    def _link(self, store: ObjectStore, link: Any) -> tuple[ObjectStore, Record, list[tuple[str, int]]]:
        kinds = kinds_of(link.get("types")) if isinstance(link, dict) else []
        if not kinds:
            raise invalid("associations need `to` and `types`")
        to = self._target(store, kinds[0][1])
        other = self.account.get(to, end_of(link, "to"))
        return to, other, kinds

    def _target(self, store: ObjectStore, number: int) -> ObjectStore:
        name = target_of(store.name, number)
        if name is None:
            raise invalid(f"Association type {number} does not start from {store.name}")
        return self.account.objects[name]


def _links(body: Mapping[str, Any]) -> list[Any]:
    links = body.get("associations") or []
    if not isinstance(links, list):
        raise invalid("associations must be a list")
    return links
