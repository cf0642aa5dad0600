"""Notes and tasks of the other side made in Attio, once each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from attio_console.store.activities import Activity, NewActivity
from attio_console.store.outbox import provisional_id
from attio_console.store.tx import Tx
from attio_console.store.types import NewItem
from attio_console.sync import activity_forms as forms
from attio_console.sync.activity_base import COLLECTIONS, ActivityBase
from attio_console.sync.activity_forms import Draft
from attio_console.sync.breath import Breath


@dataclass(frozen=True, slots=True)
class Incoming:
    """A note or task of the other side on its way here."""

    draft: Draft
    links: tuple[tuple[str, str], ...]
    member_id: str


class CarryingHere(ActivityBase):
    """Queues copies for Attio, and learns what became of them."""

    async def _settle(self) -> None:
        """Learn the ids that Attio gave to what was queued for it."""
        waiting = self._every("sending")
        if not waiting:
            return
        arrived: list[tuple[Activity, str]] = []
        for line in waiting:
            item = next(iter(self._store.outbox.group(line.group_id).items), None)
            if item is not None and item.state == "confirmed":
                arrived.append((line, item.record_id))

        def job(tx: Tx) -> None:
            for line, attio_id in arrived:
                self._store.activities.arrived_in(tx, line.id, attio_id)

        if arrived:
            await self._store.queue.run(job)

    async def incoming(self) -> list[Incoming]:
        """Return the notes and tasks there that have no copy here and should."""
        found: list[Incoming] = []
        breath = Breath()
        schema = self._store.mirror.schema
        for name in self._pulls:
            kind = forms.kind_of(self.system, name)
            if not self.settings.carries(kind, "to-attio"):
                continue
            for external_id, values in self._there(name):
                await breath.take()
                if forms.ref_in(forms.text_of(values), ("attio",)) is not None:
                    continue
                links = self._records(values)
                if not links:
                    continue
                draft = forms.from_external(self.system, name, external_id, values, self._names)
                member = schema.member(draft.owner) if draft.owner else None
                found.append(Incoming(draft, links, member.id if member else ""))
        return found

    def _records(self, values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        types = [mapping.external for mapping in self._context.mapping.objects]
        found: dict[str, str] = {}
        for kind, external_id in forms.parents_of(values):
            for name in [kind] if kind else dict.fromkeys(types):
                here = self._links.attio_of(name, external_id)
                if here is not None:
                    found.setdefault(here[1], here[0])
        return tuple((slug, record_id) for record_id, slug in found.items())

    async def _queue(self, incoming: Sequence[Incoming]) -> None:
        store = self._store

        def job(tx: Tx) -> None:
            for one in incoming:
                draft = one.draft
                kind = "note_create" if draft.kind == "note" else "task_create"
                payload = forms.to_attio(draft, one.links, one.member_id)
                item = NewItem(
                    "attio",
                    COLLECTIONS[draft.kind],
                    provisional_id(),
                    "note_create" if kind == "note_create" else "task_create",
                    payload=payload,
                    origin="sync",
                    actor="sync",
                )
                group = store.outbox.add_in(
                    tx, [item], f"{draft.kind.title()} from {forms.SYSTEMS[self.system]}"
                )
                # In one transaction with the item: queued once, whatever happens next.
                line = NewActivity(
                    self.system,
                    draft.kind,
                    "",
                    draft.ref.type,
                    draft.ref.id,
                    "sending",
                    draft.completed,
                    group,
                )
                store.activities.put_in(tx, line)

        await store.queue.run(job)
        self._bus.changed("outbox")
