"""What verdicts do to the store: bases, writes in the outbox, conflicts in the queue; what must agree commits together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from attio_console.model.items import Items
from attio_console.model.values import same
from attio_console.store import Store
from attio_console.store.tx import Tx
from attio_console.store.types import AuditEntry, ConflictRow, FieldEdit, NewConflict, NewItem, Pair
from attio_console.sync import kinds
from attio_console.sync.breath import Breath
from attio_console.sync.compare import Times, Verdict
from attio_console.sync.examine import Examined
from attio_console.sync.mapping import collection_of
from attio_console.sync.outcome import AGREED

_CHUNK = 200


@dataclass
class Applied:
    """What one run did."""

    pairs: int = 0
    agreed: int = 0
    """pairs whose every compared field is equal"""
    bases: int = 0
    items: int = 0
    conflicts: int = 0
    waiting: int = 0
    held: int = 0
    """writes that were not queued because the run was stopped or not accepted"""
    touched: set[tuple[str, str]] = field(default_factory=set)
    """(collection, record id) of what shows a difference now"""

    def add(self, other: Applied) -> None:
        """Count another run in."""
        self.pairs += other.pairs
        self.agreed += other.agreed
        self.bases += other.bases
        self.items += other.items
        self.conflicts += other.conflicts
        self.waiting += other.waiting
        self.held += other.held
        self.touched |= other.touched


@dataclass
class _Work:
    """Everything to commit for one pair."""

    pair: Pair
    bases: dict[str, Items] = field(default_factory=dict)
    items: list[NewItem] = field(default_factory=list)
    opened: list[NewConflict] = field(default_factory=list)
    closed: list[tuple[int, str]] = field(default_factory=list)
    audit: list[AuditEntry] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.bases or self.items or self.opened or self.closed)


class Applier:
    """Turns examined pairs into what the store keeps."""

    def __init__(self, store: Store, system: str) -> None:
        self._store = store
        self._system = system

    async def apply(
        self, examined: Sequence[Examined], *, hold: bool = False, detected_by: str = "poll", title: str = ""
    ) -> Applied:
        """Commit what the verdicts say. With `hold` nothing is queued for sending."""
        done = Applied(pairs=len(examined))
        works: list[_Work] = []
        breath = Breath()
        for one in examined:
            await breath.take()
            work = self._work(one, hold, detected_by, done)
            works += [work] if work else []
        for start in range(0, len(works), _CHUNK):
            await self._commit(works[start : start + _CHUNK], title or f"Sync with {self._system}")
        return done

    async def _commit(self, works: Sequence[_Work], title: str) -> None:
        store = self._store

        def job(tx: Tx) -> None:
            items = [item for work in works for item in work.items]
            if items:
                store.outbox.add_in(tx, items, title)
            for work in works:
                if work.bases:
                    store.pairs.set_bases_in(tx, work.pair.id, work.bases)
                for conflict in work.opened:
                    store.conflicts.open_in(tx, conflict)
                for conflict_id, why in work.closed:
                    store.conflicts.close_in(tx, conflict_id, why)
            lines = [line for work in works for line in work.audit]
            if lines:
                store.audit.append_in(tx, *lines)

        await store.queue.run(job)

    def _work(self, one: Examined, hold: bool, detected_by: str, done: Applied) -> _Work | None:
        work = _Work(one.pair)
        if one.attio is None or one.external is None:
            self._gone(one, work, detected_by)
        else:
            self._agree(one, work)
            if hold:
                done.held += sum(v.writes for v in one.verdicts)
            else:
                self._write(one, work)
            self._queue(one, work, detected_by, hold)
        done.waiting += sum(bool(v.waits) for v in one.verdicts)
        done.agreed += all(v.is_agreed or v.waits for v in one.verdicts) and not one.skipped
        done.bases += len(work.bases)
        done.items += len(work.items)
        done.conflicts += len(work.opened)
        if work.items or work.opened or work.closed:
            done.touched.add((one.pair.collection, one.pair.record_id))
            done.touched.add((collection_of(one.pair.system, one.pair.external_type), one.pair.external_id))
        return work or None

    def _agree(self, one: Examined, work: _Work) -> None:
        for verdict in one.verdicts:
            # A base in another spelling of the same value stays: it says the same, and costs no write.
            if verdict.is_agreed and (verdict.base is None or not _same(verdict, verdict.base)):
                work.bases[verdict.slug] = verdict.attio

    def _write(self, one: Examined, work: _Work) -> None:
        pair = one.pair
        ours: dict[str, FieldEdit] = {}
        theirs: dict[str, FieldEdit] = {}
        payload: dict[str, Any] = {"pair_id": pair.id}
        ours_payload: dict[str, Any] = {"pair_id": pair.id}
        for verdict in one.verdicts:
            if not verdict.writes:
                continue
            if verdict.new_attio is None or not verdict.new_external:
                arrives = payload if verdict.new_attio is None else ours_payload
                arrives[AGREED + verdict.slug] = verdict.decision.value
            rule = f"{verdict.codec.field.rule}: {verdict.decision.why}"
            if verdict.new_attio is not None:
                ours[verdict.slug] = FieldEdit(verdict.attio_full, verdict.new_attio)
                work.audit.append(
                    AuditEntry(
                        "sync",
                        "write",
                        "attio",
                        pair.record_id,
                        verdict.slug,
                        verdict.attio,
                        verdict.decision.value,
                        rule,
                    )
                )
            for name, value in verdict.new_external.items():
                before = verdict.old_external.get(name)
                theirs[name] = FieldEdit(_native(before), _native(value))
                payload[f"means:{verdict.slug}"] = verdict.decision.value
                work.audit.append(
                    AuditEntry("sync", "write", pair.system, pair.external_id, name, before, value, rule)
                )
        if ours:
            work.items.append(
                NewItem(
                    "attio",
                    pair.collection,
                    pair.record_id,
                    "set",
                    ours,
                    ours_payload,
                    "sync",
                    "sync",
                )
            )
        if theirs:
            collection = collection_of(pair.system, pair.external_type)
            work.items.append(
                NewItem(pair.system, collection, pair.external_id, "set", theirs, payload, "sync", "sync")
            )

    def _queue(self, one: Examined, work: _Work, detected_by: str, hold: bool) -> None:
        manual = [v for v in one.verdicts if v.is_manual]
        settled = [v for v in one.verdicts if v.decision.settled and v.writes and not hold]
        present = self._store.conflicts.for_pair(one.pair.id)
        if manual:
            work.opened.append(self._conflict(one, kinds.FIELD, manual, detected_by, present))
        if settled:
            work.opened.append(self._conflict(one, kinds.SETTLED, settled, detected_by, present))
        for row in present:
            if row.kind == kinds.DELETE:
                work.closed.append((row.id, "both records are there again"))
            elif row.kind in {kinds.FIELD, kinds.REFUSED} and not manual:
                fields = {str(f.get("slug")) for f in row.fields}
                if not fields & one.skipped:
                    work.closed.append((row.id, "both sides became equal"))

    def _conflict(
        self,
        one: Examined,
        kind: str,
        verdicts: Sequence[Verdict],
        detected_by: str,
        present: Sequence[ConflictRow],
    ) -> NewConflict:
        earlier = {str(f.get("slug")): f for row in present if row.kind == kind for f in row.fields}
        fields = [conflict_field(v, (one.times or {}).get(v.slug), earlier.get(v.slug)) for v in verdicts]
        merged = [
            v.codec.attribute.title
            for v in one.verdicts
            if v.writes and not v.decision.settled and v not in verdicts
        ]
        return self._new(one, kind, fields, detected_by, {"merged": merged} if merged else None)

    def _new(
        self,
        one: Examined,
        kind: str,
        fields: list[dict[str, Any]],
        detected_by: str,
        suggestion: dict[str, Any] | None = None,
    ) -> NewConflict:
        pair = one.pair
        label = self._store.mirror.label(pair.record_id) or self._store.mirror.label(pair.external_id)
        return NewConflict(
            kind,
            pair.system,
            pair.collection,
            pair.record_id,
            label or pair.record_id,
            fields,
            pair.id,
            pair.external_type,
            pair.external_id,
            detected_by,
            suggestion,
        )

    def _gone(self, one: Examined, work: _Work, detected_by: str) -> None:
        if one.attio is None and one.external is None:
            work.closed += [
                (row.id, "both records are gone") for row in self._store.conflicts.for_pair(one.pair.id)
            ]
            return
        other = "Attio" if one.attio is None else one.pair.system.title().replace("Hubspot", "HubSpot")
        label = (
            self._store.mirror.label(one.pair.record_id)
            or self._store.mirror.label(one.pair.external_id)
            or ""
        )
        document = {
            "slug": kinds.RECORD,
            "field": kinds.RECORD,
            "title": "Record",
            "type": "text",
            "multi": False,
            "base": [label],
            "has_base": True,
            "attio": [] if one.attio is None else [label],
            "external": [] if one.external is None else [label],
            "attio_by": "",
            "attio_at": None,
            "external_by": "",
            "external_at": None,
            "external_field": one.pair.external_type,
            "suggestion": "external" if one.attio is None else "attio",
            "why": f"deleted in {other}; the other side is kept unless you say otherwise",
        }
        work.opened.append(self._new(one, kinds.DELETE, [document], detected_by))
        # What was asked about its fields cannot be answered any more, and is asked again should it come back.
        work.closed += [
            (row.id, f"deleted in {other}")
            for row in self._store.conflicts.for_pair(one.pair.id)
            if row.kind != kinds.DELETE
        ]


def conflict_field(
    verdict: Verdict, times: Times | None, earlier: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return one field of a conflict as the queue keeps it."""
    attribute = verdict.codec.attribute
    document: dict[str, Any] = {
        "slug": verdict.slug,
        "field": verdict.slug,
        "title": attribute.title,
        "type": attribute.type,
        "multi": verdict.codec.is_set,
        "base": verdict.base or [],
        "has_base": verdict.base is not None,
        "attio": verdict.attio,
        "external": verdict.external,
        "attio_by": times.attio_by if times else "",
        "attio_at": times.attio_at.isoformat() if times and times.attio_at else None,
        "external_by": times.external_by if times else "",
        "external_at": times.external_at.isoformat() if times and times.external_at else None,
        "suggestion": verdict.decision.suggestion,
        "why": verdict.decision.why,
        "external_field": verdict.codec.field.shown,
    }
    if (
        times is None
        and earlier
        and all(earlier.get(k) == document[k] for k in ("base", "attio", "external"))
    ):
        # Who and when are asked once: a value that did not move has the same author.
        kept = ("attio_by", "attio_at", "external_by", "external_at", "suggestion", "why")
        document |= {name: earlier[name] for name in kept if name in earlier}
    return document


def _same(verdict: Verdict, base: Items) -> bool:
    return same(verdict.codec.attribute.type, verdict.attio, base)


def _native(value: Any) -> Items:
    return [] if value is None or value == "" else [value]
