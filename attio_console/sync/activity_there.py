"""Notes and tasks of Attio made on the other side, once each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from attio_console import errors
from attio_console.crm.protocol import CrmRecord, CrmResult, CrmWrite
from attio_console.store.activities import ActivityKind, NewActivity
from attio_console.store.tx import Tx
from attio_console.store.types import AuditEntry
from attio_console.sync import activity_forms as forms
from attio_console.sync.activity_base import ActivityBase
from attio_console.sync.activity_forms import Draft, Ref
from attio_console.sync.breath import Breath


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A note or task of Attio on its way there: on which records it hangs."""

    draft: Draft
    type: str
    parents: tuple[tuple[str, str], ...]
    owner_id: str


class CarryingThere(ActivityBase):
    """Makes copies there; those that an earlier attempt or another console made are found instead."""

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
        found: dict[str, str] = {}
        for record_id in ids:
            for mapping in self._context.mapping.objects:
                there = self._links.external_of(str(record_id), mapping.external)
                if there is not None:
                    found.setdefault(mapping.external, there)
                    break
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
