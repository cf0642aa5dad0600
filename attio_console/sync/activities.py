"""Notes and tasks of paired records carried across, each once, with who wrote them when; and whether a task is done.

The ledger of the store says what was carried. What the ledger does not know yet, because another console or a process
that died carried it, is recognised by the reference that every copy ends with.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from attio_console import errors
from attio_console.crm.protocol import CrmClient, CrmRecord, CrmResult, CrmWrite
from attio_console.model.clock import Clock
from attio_console.store import Store
from attio_console.store.activities import Activity, ActivityKind, NewActivity
from attio_console.store.outbox import provisional_id
from attio_console.store.tx import Tx
from attio_console.store.types import AuditEntry, FieldEdit, NewItem, Pair
from attio_console.sync import activity_forms as forms
from attio_console.sync.activity_forms import Draft, Ref
from attio_console.sync.activity_pull import ActivityPull
from attio_console.sync.breath import Breath
from attio_console.sync.bus import Bus
from attio_console.sync.contact import Contact
from attio_console.sync.crm_context import CrmContext, external_row, external_values
from attio_console.sync.mapping import Activities, collection_of
from attio_console.sync.sources import NOTES, TASKS

# An answer that was lost may belong to a request that is still on its way.
LOOK_AFTER_S = 3.0
_COLLECTIONS: dict[ActivityKind, str] = {"note": NOTES, "task": TASKS}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A note or task of Attio on its way there: on which records it hangs."""

    draft: Draft
    type: str
    parents: tuple[tuple[str, str], ...]
    owner_id: str


@dataclass(frozen=True, slots=True)
class Incoming:
    """A note or task of the other side on its way here."""

    draft: Draft
    links: tuple[tuple[str, str], ...]
    member_id: str


class ActivitySync:
    """Carries the activities of one other system."""

    def __init__(
        self, client: CrmClient, store: Store, bus: Bus, context: CrmContext, clock: Clock, contact: Contact
    ) -> None:
        self._client = client
        self._store = store
        self._bus = bus
        self._context = context
        self._clock = clock
        self._contact = contact
        self.system = context.system
        self._busy = asyncio.Lock()
        self._is_new = True
        self._is_uncertain = False
        self._key = ""
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

    def look_again(self) -> None:
        """Hear that notes, tasks or pairs changed."""
        self._is_new = True

    def heard_of(self, pairs: Sequence[Pair]) -> None:
        """Hear that pairs were compared: what hangs on a new one is new, too."""
        if any(self._carried_at is None or pair.updated_at >= self._carried_at for pair in pairs):
            self._is_new = True

    async def read(self) -> None:
        """Read what was logged there."""
        if self.system == "salesforce" and self._pulls and not self._key:
            described = await self._client.describe("Task")
            field = described.field(forms.SALESFORCE_KEY)
            self._key = field.name if field is not None and field.is_unique else ""
        for pull in self._pulls.values():
            if (await pull.pull()).touched:
                self._is_new = True

    async def carry(self) -> int:
        """Carry what is new, if anything is; return how many copies were made or queued."""
        if not self._is_new:
            return 0
        async with self._busy:
            self._is_new = False
            self._carried_at = self._clock.now()
            try:
                return await self._carry()
            except BaseException:
                self._is_new = True
                raise

    async def _carry(self) -> int:
        if self._is_uncertain:
            await self._clock.sleep(LOOK_AFTER_S)
            self._is_uncertain = False
        await self._settle()
        await self._recognise()
        made = 0
        by_type: dict[str, list[Outgoing]] = defaultdict(list)
        for one in await self.outgoing():
            by_type[one.type].append(one)
        for name, every in by_type.items():
            for start in range(0, len(every), self._client.batch_size):
                made += await self._send(name, every[start : start + self._client.batch_size])
        incoming = await self.incoming()
        if incoming:
            await self._queue(incoming)
        await self._complete()
        return made + len(incoming)

    # ------------------------------------------------------------------------------------------------- the ledger

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

    def _every(self, state: Any = None) -> list[Activity]:
        found: list[Activity] = []
        after = 0
        while lines := self._store.activities.list(self.system, state=state, after=after):
            after = lines[-1].id
            found += lines
        return found

    async def _recognise(self) -> None:
        """Note in the ledger what is a copy already, by the reference that it ends with."""
        found: list[NewActivity] = []
        breath = Breath()
        for kind in self._kinds():
            for attio_id, document in self._here(kind):
                await breath.take()
                text = str(document.get("content_plaintext") or "")
                ref = forms.ref_in(text, (self.system,))
                if ref is not None and not self._store.activities.has_external(self.system, ref.type, ref.id):
                    done = bool(document.get("is_completed"))
                    found.append(NewActivity(self.system, kind, attio_id, ref.type, ref.id, completed=done))
        for name in self._pulls:
            for external_id, values in self._there(name):
                await breath.take()
                ref = forms.ref_in(forms.text_of(values), ("attio",))
                if ref is not None and ref.type in {"note", "task"}:
                    found.append(self._line(ref, name, external_id, values))
        if found:
            await self._store.activities.put(found)

    def _line(self, ref: Ref, name: str, external_id: str, values: Mapping[str, Any]) -> NewActivity:
        kind: ActivityKind = "note" if ref.type == "note" else "task"
        return NewActivity(self.system, kind, ref.id, name, external_id, completed=forms.is_completed(values))

    def _here(self, kind: ActivityKind) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the notes or tasks of Attio that the ledger does not know."""
        collection = _COLLECTIONS[kind]
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

    # ------------------------------------------------------------------------------------------------- to there

    async def outgoing(self) -> list[Outgoing]:
        """Return the notes and tasks here that have no copy there and should."""
        found: list[Outgoing] = []
        breath = Breath()
        for kind in self._kinds():
            if not self.settings.carries(kind, "to-external"):
                continue
            for attio_id, document in self._here(kind):
                await breath.take()
                text = str(document.get("content_plaintext") or "")
                if forms.ref_in(text, (self.system,)) is not None:
                    continue
                parents = self._counterparts(kind, document)
                if parents:
                    found.append(self._outgoing(kind, attio_id, document, parents))
        return found

    def _counterparts(self, kind: ActivityKind, document: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        ids = (
            [document.get("parent_record_id")]
            if kind == "note"
            else [link.get("target_record_id") for link in document.get("linked_records") or ()]
        )
        types = {mapping.external: at for at, mapping in enumerate(self._context.mapping.objects)}
        found: dict[str, str] = {}
        for record_id in ids:
            pairs = self._store.pairs.by_record(str(record_id), self.system)
            usual = sorted(
                (p for p in pairs if p.state == "confirmed" and p.external_type in types),
                key=lambda p: types[p.external_type],
            )
            for pair in usual[:1]:
                found.setdefault(pair.external_type, pair.external_id)
        return tuple(found.items())

    def _outgoing(
        self,
        kind: ActivityKind,
        attio_id: str,
        document: Mapping[str, Any],
        parents: tuple[tuple[str, str], ...],
    ) -> Outgoing:
        schema = self._store.mirror.schema
        actor = document.get("created_by_actor") or {}
        author = schema.member(str(actor.get("id"))) if actor.get("type") == "workspace-member" else None
        assignees = document.get("assignees") or ()
        assigned = next((schema.member(str(one.get("referenced_actor_id"))) for one in assignees), None)
        owner = author if kind == "note" else assigned
        draft = Draft(
            kind,
            Ref("attio", kind, attio_id),
            str(document.get("title") or ""),
            str(document.get("content_plaintext") or ""),
            author.name if author else "",
            owner.email if owner else "",
            forms.moment(document.get("created_at")),
            forms.moment(document.get("deadline_at")),
            bool(document.get("is_completed")),
        )
        owner_id = self._context.owner_table.by_email.get(draft.owner.casefold(), "") if draft.owner else ""
        return Outgoing(draft, forms.external_type(self.system, kind), parents, owner_id)

    async def _send(self, name: str, batch: Sequence[Outgoing]) -> int:
        """Make copies there; those that an earlier attempt or another console made are found instead."""
        waiting = {one.draft.ref.id: one for one in batch}
        if not self._key:
            for ref, record in await self._copies(name, batch):
                if waiting.pop(ref.id, None) is not None:
                    await self._store.activities.put([self._line(ref, name, record.id, record.values)])
        writes: list[CrmWrite] = []
        for one in waiting.values():
            values, links = forms.native(self.system, one.draft, one.owner_id, one.parents)
            if self._key:
                values[self._key] = f"{one.draft.kind}:{one.draft.ref.id}"
            writes.append(CrmWrite(one.draft.ref.id, values, links=links))
        if not writes:
            return 0
        try:
            if self._key:
                results = await self._client.upsert_many(name, self._key, writes)
            else:
                results = await self._client.create_many(name, writes)
        except errors.NetworkError as error:
            self._is_uncertain = error.unknown_outcome
            raise
        except errors.ServerFailed:
            self._is_uncertain = True
            raise
        return await self._sent(name, results, waiting)

    async def _copies(self, name: str, batch: Sequence[Outgoing]) -> list[tuple[Ref, CrmRecord]]:
        on: dict[str, list[str]] = defaultdict(list)
        for one in batch:
            kind, record_id = one.parents[0]
            on[kind].append(record_id)
        found: list[tuple[Ref, CrmRecord]] = []
        for kind, ids in on.items():
            for record in await self._client.logged(name, kind, ids, forms.fields_of(name)):
                ref = forms.ref_in(forms.text_of(record.values), ("attio",))
                if ref is not None:
                    found.append((ref, record))
        return found

    async def _sent(self, name: str, results: Sequence[CrmResult], waiting: Mapping[str, Outgoing]) -> int:
        lines: list[NewActivity] = []
        audits: list[AuditEntry] = []
        again = False
        for result in results:
            one, error = waiting[result.key], result.error
            draft = one.draft
            if error is None:
                done = draft.completed or (self.system == "salesforce" and draft.kind == "note")
                lines.append(
                    NewActivity(self.system, draft.kind, draft.ref.id, name, result.id, completed=done)
                )
                audits.append(
                    AuditEntry("sync", f"{draft.kind} carried", self.system, result.id, after=str(draft.ref))
                )
            elif isinstance(error, errors.ConcurrentWrite | errors.ServerFailed):
                again = True
            else:
                self._contact.remember(error)
                lines.append(
                    NewActivity(self.system, draft.kind, draft.ref.id, name, "", "refused", error=str(error))
                )
                audits.append(
                    AuditEntry("sync", f"{draft.kind} refused", self.system, draft.ref.id, after=str(error))
                )

        def job(tx: Tx) -> None:
            for line in lines:
                self._store.activities.put_in(tx, line)
            self._store.audit.append_in(tx, *audits)

        await self._store.queue.run(job)
        if again:
            self._is_new = self._is_uncertain = True
        return len(audits)

    # ------------------------------------------------------------------------------------------------- to here

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
                for pair in self._store.pairs.by_external(self.system, name, external_id):
                    if pair.state == "confirmed":
                        found.setdefault(pair.record_id, pair.object_key)
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
                    _COLLECTIONS[draft.kind],
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

    # ------------------------------------------------------------------------------------------------- completion

    async def _complete(self) -> None:
        """Carry across that a task was done, or is open again; that is the same on both sides whoever said it."""
        if self.settings.tasks == "off":
            return
        there: dict[str, list[tuple[Activity, bool]]] = defaultdict(list)
        here: list[tuple[Activity, bool]] = []
        same: list[tuple[Activity, bool]] = []
        for line in self._every("paired"):
            sides = self._done(line) if line.kind == "task" else None
            if sides is None:
                continue
            ours, theirs = sides
            if ours == theirs:
                if ours != line.completed:
                    same.append((line, ours))
            elif ours != line.completed and self.settings.carries("task", "to-external"):
                there[line.external_type].append((line, ours))
            elif theirs != line.completed and self.settings.carries("task", "to-attio"):
                here.append((line, theirs))
        for name, changes in there.items():
            same += await self._complete_there(name, changes)
        if here or same:
            await self._complete_here(here, same)

    def _done(self, line: Activity) -> tuple[bool, bool] | None:
        """Return whether a task is done here and there; None where a side is gone, or a change is on its way."""
        raw = self._store.mirror.raw(TASKS, line.attio_id)
        other = self._store.mirror.raw(collection_of(self.system, line.external_type), line.external_id)
        if raw is None or other is None or self._store.outbox.overlay(TASKS, line.attio_id):
            return None
        return bool(msgspec.json.decode(raw).get("is_completed")), forms.is_completed(external_values(other))

    async def _complete_there(
        self, name: str, changes: Sequence[tuple[Activity, bool]]
    ) -> list[tuple[Activity, bool]]:
        done: list[tuple[Activity, bool]] = []
        size, field = self._client.batch_size, forms.status_field(self.system)
        for start in range(0, len(changes), size):
            chunk = {line.external_id: (line, value) for line, value in changes[start : start + size]}
            writes = [
                CrmWrite(key, {field: forms.status(self.system, completed=value)}, key)
                for key, (_, value) in chunk.items()
            ]
            results = await self._client.update_many(name, writes)
            good = [result.key for result in results if result.error is None]
            for result in results:
                if result.error is not None:
                    self._contact.remember(result.error)
            # The mirror follows at once: what it still remembers would look like a change made there.
            records = await self._client.get_many(name, good, forms.fields_of(name))
            await self._store.mirror.apply_page(
                collection_of(self.system, name), [external_row(record) for record in records]
            )
            done += [chunk[key] for key in good]
        return done

    async def _complete_here(
        self, here: Sequence[tuple[Activity, bool]], same: Sequence[tuple[Activity, bool]]
    ) -> None:
        store = self._store
        items = [
            NewItem(
                "attio",
                TASKS,
                line.attio_id,
                "task_update",
                {"is_completed": FieldEdit([not value], [value])},
                origin="sync",
                actor="sync",
            )
            for line, value in here
        ]

        def job(tx: Tx) -> None:
            if items:
                store.outbox.add_in(tx, items, f"Tasks done in {forms.SYSTEMS[self.system]}")
            for line, value in (*here, *same):
                store.activities.completed_in(tx, line.id, value)

        await store.queue.run(job)
        if items:
            self._bus.changed("outbox")
