"""A person's decision on a conflict: exactly what it writes where, carried out on both sides, and taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from attio_console.errors import InvalidValue, NoSuchThing, UsageError
from attio_console.model.canonical import canonical_item
from attio_console.model.clock import Clock
from attio_console.model.items import Items
from attio_console.model.values import same
from attio_console.store import Store
from attio_console.store.tx import Tx
from attio_console.store.types import AuditEntry, ConflictRow, FieldEdit, NewItem, OutboxItem
from attio_console.sync import kinds
from attio_console.sync.bus import Bus
from attio_console.sync.codec import FieldCodec
from attio_console.sync.compare import SHADOW, external_change, same_native
from attio_console.sync.crm_context import StoredLinks, external_values, load_context
from attio_console.sync.mapping import collection_of
from attio_console.sync.outcome import AGREED
from attio_console.sync.resolve_records import record_decision

Choice: TypeAlias = str | dict[str, Any]
"""attio, external, base, both, or {"set": items}."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One field that a decision would write. `before` and `after` are in Attio's terms."""

    system: str
    object: str
    record_id: str
    field: str
    slug: str
    before: Items
    after: Items


@dataclass(frozen=True, slots=True)
class UndoReport:
    """What taking back a decision wrote, and the fields it left because somebody changed them since."""

    group_id: int | None
    restored: tuple[str, ...]
    left: tuple[str, ...]


@dataclass(frozen=True)
class _Decided:
    """What a decision comes to: the fields it shows and the writes it makes."""

    planned: list[Planned]
    items: list[NewItem]
    drop: tuple[int, ...] = ()
    bases: Mapping[str, Items] | None = None


class Resolver:
    """Works from the store alone, so that any console on the data directory can decide, online or not."""

    def __init__(self, store: Store, bus: Bus, clock: Clock) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock

    def preview(self, row: ConflictRow, choices: Mapping[str, Choice]) -> list[Planned]:
        """Return exactly what applying these choices would write, and where."""
        return self._decide(row, choices).planned

    async def apply(
        self, row: ConflictRow, choices: Mapping[str, Choice], *, actor: str = "operator"
    ) -> int | None:
        """Carry out a decision; return the outbox group that does it, or None where nothing needs writing."""
        decided = self._decide(row, choices)
        store = self._store
        group: list[int] = []
        kept = self._kept_bases(row, choices)

        def job(tx: Tx) -> None:
            if decided.items:
                group.append(store.outbox.add_in(tx, decided.items, f"Resolve {row.label}"))
            group_id = group[0] if group else None
            resolution = store.conflicts.resolve_in(tx, row.id, dict(choices), group_id, actor=actor)
            if row.pair_id is not None and kept is not None:
                store.state.put_in(tx, _bases_key(resolution), {"pair": row.pair_id, "bases": kept})
                store.pairs.agree_in(tx, row.pair_id, decided.bases or {})
            store.audit.append_in(tx, *_audit(row, decided, choices, actor, group_id))

        await store.queue.run(job)
        if decided.drop:
            await store.outbox.discard(decided.drop)
        if row.kind not in {kinds.FIELD, kinds.SETTLED, kinds.REFUSED, kinds.EDIT}:
            await record_decision(store, row, choices)
        self._tell(row)
        return group[0] if group else None

    def _kept_bases(self, row: ConflictRow, choices: Mapping[str, Choice]) -> dict[str, Items | None] | None:
        """Return the bases to take back with a decision: only of what is decided; None says that there was none."""
        if row.pair_id is None or self._store.pairs.get(row.pair_id) is None:
            return None
        bases = self._store.pairs.bases(row.pair_id)
        names = [name for slug in choices for name in (slug, slug + SHADOW)]
        return {name: bases[name].items if name in bases else None for name in names}

    def _tell(self, row: ConflictRow) -> None:
        self._bus.changed("outbox")
        self._bus.changed("conflicts")
        self._bus.records(row.collection, [row.record_id])

    # --------------------------------------------------------------------------------------------- what it comes to

    def _decide(self, row: ConflictRow, choices: Mapping[str, Choice]) -> _Decided:
        if row.system == "attio":
            return self._decide_edit(row, choices)
        if row.kind in {kinds.FIELD, kinds.SETTLED, kinds.REFUSED}:
            return self._decide_fields(row, choices)
        return self._decide_record(row, choices)

    def _decide_fields(self, row: ConflictRow, choices: Mapping[str, Choice]) -> _Decided:
        codecs = self._codecs(row)
        attio = self._attio_values(row)
        external = self._external_values(row)
        if attio is None or external is None:
            raise UsageError(
                f"{row.label} is gone on one side.", hint="It comes up as a conflict about the whole record."
            )
        planned: list[Planned] = []
        ours: dict[str, FieldEdit] = {}
        theirs: dict[str, FieldEdit] = {}
        payload: dict[str, Any] = {"pair_id": row.pair_id}
        for document in row.fields:
            slug = _slug(document)
            if slug not in choices or slug not in codecs:
                continue
            codec = codecs[slug]
            value = chosen(document, choices[slug], codec.attribute.type)
            full = attio.get(slug, [])
            base = list(document.get("base") or []) if document.get("has_base", True) else None
            now = codec.compared(full, base, codec.read(external, full).items)
            there = codec.read(external, full).items
            if not same(codec.attribute.type, now, value):
                ours[slug] = FieldEdit(full, codec.embedded(full, now, value))
                planned.append(
                    Planned("attio", row.collection, row.record_id, codec.attribute.title, slug, now, value)
                )
            new, old = external_change(codec, value, external)
            if new and not same(codec.attribute.type, there, value):
                theirs |= {name: FieldEdit(_native(old[name]), _native(new[name])) for name in new}
                payload[f"means:{slug}"] = value
                if slug not in ours:
                    payload[AGREED + slug] = value
                name = f"{row.external_type}.{codec.field.shown}"
                planned.append(
                    Planned(row.system, row.external_type, row.external_id, name, slug, there, value)
                )
        origin = f"resolution:{row.id}"
        items = [NewItem("attio", row.collection, row.record_id, "set", ours, origin=origin)] if ours else []
        if theirs:
            collection = collection_of(row.system, row.external_type)
            items.append(NewItem(row.system, collection, row.external_id, "set", theirs, payload, origin))
        return _Decided(planned, items, self._superseded(row, set(choices)))

    def _superseded(self, row: ConflictRow, slugs: set[str]) -> tuple[int, ...]:
        """Return the refused and dead writes of these fields: the decision stands in their place."""
        items = self._store.outbox.items(("refused", "dead"), 10_000)
        rows = {
            (row.collection, row.record_id),
            (collection_of(row.system, row.external_type), row.external_id),
        }
        mine = (item for item in items if (item.collection, item.record_id) in rows and item.kind == "set")
        return tuple(
            item.id
            for item in mine
            if slugs & set(item.fields) or any(f"means:{slug}" in item.payload for slug in slugs)
        )

    def _decide_edit(self, row: ConflictRow, choices: Mapping[str, Choice]) -> _Decided:
        """An edit of ours that met a change in Attio: the other side is what was meant."""
        attio = self._attio_values(row)
        planned: list[Planned] = []
        edits: dict[str, FieldEdit] = {}
        for document in row.fields:
            slug = _slug(document)
            if slug not in choices:
                continue
            kind = str(document.get("type") or "text")
            value = chosen(document, choices[slug], kind)
            now = list(document.get("attio") or []) if attio is None else attio.get(slug, [])
            if not same(kind, now, value):
                if attio is None:
                    raise UsageError(
                        f"{row.label} is not there any more.", hint="Choose Attio, or create it anew."
                    )
                edits[slug] = FieldEdit(now, value)
                title = str(document.get("title") or slug)
                planned.append(Planned("attio", row.collection, row.record_id, title, slug, now, value))
        origin = f"resolution:{row.id}"
        items = (
            [NewItem("attio", row.collection, row.record_id, "set", edits, origin=origin)] if edits else []
        )
        return _Decided(planned, items, self._superseded(row, set(choices)))

    def _decide_record(self, row: ConflictRow, choices: Mapping[str, Choice]) -> _Decided:
        """A conflict about whole records: only a deletion that is to be followed writes anything."""
        choice = choices.get(kinds.RECORD)
        document = row.fields[0] if row.fields else {}
        origin = f"resolution:{row.id}"
        if row.kind != kinds.DELETE or not isinstance(choice, str):
            return _Decided([], [])
        gone_in_attio = not document.get("attio")
        label = [row.label]
        if choice == "attio" and gone_in_attio:
            collection = collection_of(row.system, row.external_type)
            item = NewItem(row.system, collection, row.external_id, "delete", origin=origin)
            return _Decided(
                [Planned(row.system, row.external_type, row.external_id, "record", kinds.RECORD, label, [])],
                [item],
            )
        if choice == "external" and not gone_in_attio:
            item = NewItem("attio", row.collection, row.record_id, "delete", origin=origin)
            return _Decided(
                [Planned("attio", row.collection, row.record_id, "record", kinds.RECORD, label, [])], [item]
            )
        return _Decided([], [])

    def _codecs(self, row: ConflictRow) -> dict[str, FieldCodec]:
        context = load_context(self._store, row.system)
        schema = self._store.mirror.schema
        known = schema.object(row.collection)
        mapping = context.mapping.object(known.slug, row.external_type) if known else None
        if mapping is None:
            raise NoSuchThing(f"{row.label} is not mapped to {row.system} {row.external_type} any more.")
        return {
            codec.field.attio: codec
            for codec in context.codecs(mapping, schema, StoredLinks(self._store, row.system))
        }

    def _attio_values(self, row: ConflictRow) -> dict[str, Items] | None:
        found = self._store.mirror.row(row.collection, row.record_id)
        return None if found is None else found.values()

    def _external_values(self, row: ConflictRow) -> dict[str, Any] | None:
        raw = self._store.mirror.raw(collection_of(row.system, row.external_type), row.external_id)
        return None if raw is None else external_values(raw)

    # --------------------------------------------------------------------------------------------- taking it back

    async def undo(self, row: ConflictRow, *, actor: str = "operator") -> UndoReport:
        """Take back the last decision: write back where nobody changed the value since, and say what was left."""
        store = self._store
        resolutions = [r for r in store.conflicts.resolutions(row.id) if r.undone_at is None]
        if not resolutions:
            raise NoSuchThing(f"Conflict {row.id} has no decision to take back.")
        group_id = resolutions[0].group_id
        sent = store.outbox.group(group_id).items if group_id is not None else ()
        unsent = [i.id for i in sent if i.state in {"pending", "refused", "dead"} and not i.uncertain]
        back: list[NewItem] = []
        restored: list[str] = []
        left: list[str] = []
        for item in sent:
            if item.id not in unsent and item.state != "discarded":
                self._take_back(item, group_id, back, restored, left)
        kept = store.state.get(_bases_key(resolutions[0].id))
        group: list[int] = []

        def job(tx: Tx) -> None:
            if back:
                group.append(store.outbox.add_in(tx, back, f"Undo: Resolve {row.label}"))
            store.conflicts.undo_in(tx, row.id)
            if kept:
                store.pairs.agree_in(tx, kept["pair"], kept["bases"])
            store.audit.append_in(
                tx,
                AuditEntry(
                    actor, "undo", row.system, row.record_id, ", ".join(restored), rule=f"conflict {row.id}"
                ),
            )

        if unsent:
            await store.outbox.discard(unsent)
        await store.queue.run(job)
        self._tell(row)
        return UndoReport(group[0] if group else group_id, tuple(restored), tuple(left))

    def _take_back(
        self,
        item: OutboxItem,
        group_id: int | None,
        back: list[NewItem],
        restored: list[str],
        left: list[str],
    ) -> None:
        if item.kind != "set":
            left.append(f"{item.kind} in {item.system}")
            return
        now = self._present(item)
        fields: dict[str, FieldEdit] = {}
        for name, edit in item.fields.items():
            if now is not None and self._is_ours(item, name, now.get(name, []), edit):
                fields[name] = FieldEdit(now.get(name, []), edit.base)
                restored.append(f"{item.system} {name}")
            else:
                left.append(f"{item.system} {name}")
        if fields:
            pair_id = item.payload.get("pair_id")
            payload = {"pair_id": pair_id} if pair_id is not None else {}
            back.append(
                NewItem(
                    item.system, item.collection, item.record_id, "set", fields, payload, f"undo:{group_id}"
                )
            )

    def _present(self, item: OutboxItem) -> dict[str, Items] | None:
        if item.system == "attio":
            found = self._store.mirror.row(item.collection, item.record_id)
            return None if found is None else found.values()
        raw = self._store.mirror.raw(item.collection, item.record_id)
        return None if raw is None else {name: _native(value) for name, value in external_values(raw).items()}

    def _is_ours(self, item: OutboxItem, name: str, now: Items, edit: FieldEdit) -> bool:
        written = (item.written or {}).get(name)
        if item.system != "attio":
            return any(
                same_native(_one(now), _one(value)) for value in (edit.new, written) if value is not None
            )
        known = self._store.mirror.schema.object(item.collection)
        attribute = known.attribute(name) if known else None
        kind = attribute.type if attribute else "text"
        return same(kind, now, edit.new) or (written is not None and same(kind, now, written))


def chosen(document: Mapping[str, Any], choice: Choice, kind: str) -> Items:
    """Return the value that a choice means for one field of a conflict."""
    if isinstance(choice, dict):
        return list(choice["set"])
    if choice == "base" and not document.get("has_base", True):
        # Nobody ever saw a value there: taking "it" would empty both sides.
        raise InvalidValue(
            f"Both sides of {document.get('title')} were never compared: there is no base",
            hint="Choose a side, or edit it.",
        )
    if choice in {"attio", "external", "base"}:
        return list(document.get(choice) or [])
    if choice == "both":
        return _both(document, kind)
    raise InvalidValue(f"“{choice}” is no choice", hint="attio, external, base, both, or a value")


def _both(document: Mapping[str, Any], kind: str) -> Items:
    if not document.get("multi"):
        raise InvalidValue(
            f"{document.get('title')} holds one value, not both", hint="Choose a side, or edit it."
        )
    merged: dict[str, Any] = {}
    for side in ("attio", "external"):
        for item in document.get(side) or []:
            merged.setdefault(canonical_item(kind, item), item)
    return list(merged.values())


def _audit(
    row: ConflictRow, decided: _Decided, choices: Mapping[str, Choice], actor: str, group_id: int | None
) -> Sequence[AuditEntry]:
    rule = f"conflict {row.id}" + (f", group {group_id}" if group_id is not None else "")
    lines = [
        AuditEntry(actor, "resolve", p.system, p.record_id, p.field, p.before, p.after, rule)
        for p in decided.planned
    ]
    return lines or [AuditEntry(actor, "resolve", row.system, row.record_id, after=dict(choices), rule=rule)]


def _slug(document: Mapping[str, Any]) -> str:
    return str(document.get("slug") or document.get("field") or "")


def _native(value: Any) -> Items:
    return [] if value is None or value == "" else [value]


def _one(items: Items) -> Any:
    return items[0] if items else None


def _bases_key(resolution_id: int) -> str:
    return f"resolution:{resolution_id}:bases"


__all__ = ["Choice", "Planned", "Resolver", "UndoReport", "chosen"]
