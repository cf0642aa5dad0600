"""What was logged on either side, and what of it has a copy already."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from attio_console.crm.protocol import CrmClient
from attio_console.model.clock import Clock
from attio_console.store import Store
from attio_console.store.activities import Activity, ActivityKind, NewActivity
from attio_console.sync import activity_forms as forms
from attio_console.sync.activity_forms import Ref
from attio_console.sync.activity_pull import ActivityPull
from attio_console.sync.bus import Bus
from attio_console.sync.codec import Links
from attio_console.sync.contact import Contact
from attio_console.sync.crm_context import CrmContext, StoredLinks, external_values
from attio_console.sync.mapping import Activities, collection_of
from attio_console.sync.sources import NOTES, TASKS

COLLECTIONS: dict[ActivityKind, str] = {"note": NOTES, "task": TASKS}


class ActivityBase:
    """The activities of both sides, and those of them that the ledger does not know."""

    def __init__(
        self,
        client: CrmClient,
        store: Store,
        bus: Bus,
        context: CrmContext,
        clock: Clock,
        contact: Contact,
        links: Links | None = None,
    ) -> None:
        self._client = client
        self._store = store
        self._bus = bus
        self._context = context
        self._clock = clock
        self._contact = contact
        self._links = links or StoredLinks(store, context.system)
        self.system = context.system
        self._busy = asyncio.Lock()
        self._is_new = True
        self._is_uncertain = False
        self._key: str | None = None
        """the field there that holds the id of the activity here, where there is one"""
        self._carried_at: datetime | None = None
        # A task is read whichever way it goes, because somebody there may do it.
        types = {
            forms.external_type(self.system, kind)
            for kind in self._kinds()
            if kind == "task" or self.settings.carries(kind, "to-attio")
        }
        self._pulls = {
            name: ActivityPull(client, store, bus, context, clock, name, forms.fields_of(name))
            for name in sorted(types)
        }
        names = {owner.id: (owner.name or owner.email, owner.email) for owner in context.owners}
        self._names: Mapping[str, tuple[str, str]] = names

    @property
    def settings(self) -> Activities:
        """Return which way what is carried."""
        return self._context.mapping.activities

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being carried."""
        return not self._busy.locked()

    def _kinds(self) -> list[ActivityKind]:
        kinds: list[ActivityKind] = []
        if self.settings.notes != "off":
            kinds.append("note")
        if self.settings.tasks != "off":
            kinds.append("task")
        return kinds

    def _every(self, state: Any = None) -> list[Activity]:
        found: list[Activity] = []
        after = 0
        while lines := self._store.activities.list(self.system, state=state, after=after):
            after = lines[-1].id
            found += lines
        return found

    def _line(self, ref: Ref, name: str, external_id: str, values: Mapping[str, Any]) -> NewActivity:
        kind: ActivityKind = "note" if ref.type == "note" else "task"
        return NewActivity(self.system, kind, ref.id, name, external_id, completed=forms.is_completed(values))

    def _here(self, kind: ActivityKind) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the notes or tasks of Attio that the ledger does not know."""
        collection = COLLECTIONS[kind]
        for attio_id in self._store.mirror.ids(collection):
            if self._store.activities.has_attio(self.system, attio_id):
                continue
            raw = self._store.mirror.raw(collection, attio_id)
            if raw is not None:
                yield attio_id, msgspec.json.decode(raw)

    def _there(self, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the activities of the other side that the ledger does not know."""
        collection = collection_of(self.system, name)
        for external_id in self._store.mirror.ids(collection):
            if self._store.activities.has_external(self.system, name, external_id):
                continue
            raw = self._store.mirror.raw(collection, external_id)
            if raw is not None:
                yield external_id, external_values(raw)
