"""Identity written down: the other side's record names the Attio record that it stands for.

A stamp is no field of a pair: it has no base, no rule and no conflict of values, counts for no guard and goes out by
itself. It is a pure function of the pair, so that a crash or a lost answer costs another look and nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from attio_console import errors
from attio_console.crm.protocol import CrmClient, CrmResult, CrmWrite
from attio_console.store import Store
from attio_console.store.pairs import STAMP
from attio_console.store.types import AuditEntry, ConflictFilter, NewConflict, Pair
from attio_console.sync import kinds
from attio_console.sync.bus import Bus
from attio_console.sync.contact import Contact
from attio_console.sync.examine import Examined
from attio_console.sync.mapping import ObjectMapping


def missing(one: Examined) -> bool:
    """Return whether the other side of this pair does not name the record here, and should."""
    mapping, external = one.mapping, one.external
    if not mapping.stamp or not mapping.key_field or external is None or one.attio is None:
        return False
    return str(external.get(mapping.key_field) or "") != one.pair.record_id


def may_write(store: Store, pair: Pair, held: str) -> bool:
    """Return whether a stamp may be put where `held` stands: in a blank, or over what is known to be out of date."""
    if not held:
        return True
    earlier = store.pairs.bases(pair.id).get(STAMP)
    if earlier is not None and held in earlier.items:
        # The record here was merged into another one and took its pair along.
        return True
    # A person said that these two are not the same.
    return any(
        other.record_id == held and other.state == "rejected"
        for other in store.pairs.by_external(pair.system, pair.external_type, pair.external_id)
    )


def _kept_apart(store: Store, pair: Pair, external_id: str) -> bool:
    others = store.pairs.by_external(pair.system, pair.external_type, external_id)
    return any(other.record_id == pair.record_id and other.state == "rejected" for other in others)


class Stamping:
    """Writes what is missing in batches, and asks where a stamp names somebody else."""

    def __init__(self, system: str, client: CrmClient, store: Store, bus: Bus, contact: Contact) -> None:
        self._system = system
        self._client = client
        self._store = store
        self._bus = bus
        self._contact = contact
        self._writing = 0
        self._due: dict[int, ObjectMapping] = {}
        self._settled: dict[int, str] = {}
        """pair id -> the record id that its other side was seen, or made, to hold: its row here may not say so yet"""
        self._asked: dict[int, str] = {}
        """pair id -> the foreign stamp that a person was asked about"""
        self._refused: set[int] = set()
        """pairs whose stamp the other side does not take"""

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being written."""
        return not self._writing

    def note(self, one: Examined) -> None:
        """Take up a pair that was just compared."""
        pair = one.pair
        if not missing(one):
            self._due.pop(pair.id, None)
            self._settled.pop(pair.id, None)
        elif self._settled.get(pair.id) != pair.record_id and not self._is_asked(one):
            self._due[pair.id] = one.mapping

    def _is_asked(self, one: Examined) -> bool:
        if one.pair.id in self._refused:
            return True
        asked = self._asked.get(one.pair.id)
        if asked is None or one.external is None:
            return False
        held = str(one.external.get(one.mapping.key_field) or "")
        return asked == held and not may_write(self._store, one.pair, held)

    async def write(self) -> int:
        """Write what is due, unless a stopped run waits for a person; return how many records were written."""
        if not self._due or self._store.conflicts.count("open", ConflictFilter(self._system, kinds.GUARD)):
            return 0
        waiting: dict[str, dict[int, tuple[Pair, ObjectMapping]]] = defaultdict(dict)
        for pair_id, mapping in self._due.items():
            pair = self._store.pairs.get(pair_id)
            if pair is not None and pair.state == "confirmed":
                waiting[pair.external_type][pair_id] = (pair, mapping)
        self._due = {}
        self._writing += 1
        try:
            return sum([await self._every(name, list(pairs.values())) for name, pairs in waiting.items()])
        finally:
            self._writing -= 1

    async def _every(self, external_type: str, every: Sequence[tuple[Pair, ObjectMapping]]) -> int:
        written, size = 0, self._client.batch_size
        for start in range(0, len(every), size):
            try:
                written += await self._batch(external_type, every[start : start + size])
            except errors.ConsoleError:
                self._due |= {pair.id: mapping for pair, mapping in every[start:]}
                raise
        return written

    async def _batch(self, external_type: str, batch: Sequence[tuple[Pair, ObjectMapping]]) -> int:
        keys = {mapping.key_field for _, mapping in batch}
        found = await self._client.get_many(external_type, [p.external_id for p, _ in batch], sorted(keys))
        present = {record.id: record.values for record in found if not record.asked_id}
        writes: list[CrmWrite] = []
        before: dict[str, tuple[Pair, ObjectMapping, str]] = {}
        for pair, mapping in batch:
            values = present.get(pair.external_id)
            if values is None:
                continue
            held = str(values.get(mapping.key_field) or "")
            if held == pair.record_id:
                self._settled[pair.id] = held
            elif may_write(self._store, pair, held):
                before[str(pair.id)] = (pair, mapping, held)
                writes.append(CrmWrite(str(pair.id), {mapping.key_field: pair.record_id}, pair.external_id))
            else:
                await self._ask(pair, held, _names(self._store, pair, held))
        if not writes:
            return 0
        results = await self._client.update_many(external_type, writes)
        return await self._settle(results, before)

    async def _settle(
        self, results: Sequence[CrmResult], before: Mapping[str, tuple[Pair, ObjectMapping, str]]
    ) -> int:
        lines: list[AuditEntry] = []
        for result in results:
            pair, mapping, held = before[result.key]
            error = result.error
            if error is None:
                self._settled[pair.id] = pair.record_id
                lines.append(
                    AuditEntry(
                        "sync",
                        "stamped",
                        pair.system,
                        pair.external_id,
                        mapping.key_field,
                        held,
                        pair.record_id,
                    )
                )
            elif isinstance(error, errors.ConcurrentWrite | errors.ServerFailed):
                self._due[pair.id] = mapping
            elif not isinstance(error, errors.NotFound | errors.Gone):
                await self._taken(pair, mapping, error)
        if lines:
            await self._store.audit.append(*lines)
        return len(lines)

    async def _taken(self, pair: Pair, mapping: ObjectMapping, error: errors.ConsoleError) -> None:
        """Ask about a stamp that was refused: most likely another record there holds it."""
        self._refused.add(pair.id)
        key = mapping.key_field
        others = await self._client.find(pair.external_type, key, [pair.record_id], (key,))
        holder = next((record.id for record in others if record.id != pair.external_id), "")
        if not holder:
            self._contact.remember(error)
            return
        if _kept_apart(self._store, pair, holder):
            return
        why = f"{holder} there says that it stands for this record, which has a counterpart already"
        await self._ask(pair, "", why, (pair.record_id, holder))

    async def _ask(self, pair: Pair, held: str, why: str, other: tuple[str, str] | None = None) -> None:
        self._asked[pair.id] = held
        question = _question(self._store, pair, why, other or (held, pair.external_id))
        known = self._store.conflicts.for_record(question.record_id)
        if any(
            row.kind == question.kind
            and row.external_id == question.external_id
            and row.state in {"open", "snoozed"}
            for row in known
        ):
            return
        await self._store.conflicts.open(question)
        self._bus.changed("conflicts")


def _names(store: Store, pair: Pair, held: str) -> str:
    if store.mirror.raw(pair.collection, held) is None:
        return f"it says there that it stands for {held}, which is no record of this workspace"
    label = store.mirror.label(held) or held
    return f"it says there that it stands for another record here: {label}"


def _question(store: Store, pair: Pair, why: str, other: tuple[str, str]) -> NewConflict:
    record_id, external_id = other
    label = store.mirror.label(pair.record_id) or pair.record_id
    there = store.mirror.label(external_id) or external_id
    document: dict[str, Any] = {
        "slug": kinds.RECORD,
        "field": kinds.RECORD,
        "title": "Record",
        "type": "text",
        "multi": False,
        "base": [],
        "has_base": False,
        "attio": [f"{label} ({pair.record_id[:8]})"],
        "external": [f"{there} ({external_id})"],
        "external_field": pair.external_type,
        "suggestion": "attio",
        "why": why,
    }
    candidate = {
        "object_key": pair.object_key,
        "collection": pair.collection,
        "record_id": record_id,
        "external_type": pair.external_type,
        "external_id": external_id,
        "score": 1.0,
        "label": store.mirror.label(record_id) or there,
    }
    return NewConflict(
        kinds.DUPLICATE,
        pair.system,
        pair.collection,
        pair.record_id,
        label,
        [document],
        None,
        pair.external_type,
        external_id,
        "stamp",
        {"candidates": [candidate], "current": pair.external_id},
    )
