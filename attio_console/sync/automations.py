"""When an entry enters a stage, do something: rules of the profile, each entering answered once, loops stopped.

An entering is known by the instant Attio gives the stage's value, so that duplicates, restarts and scans cannot make
two of one. Only what happened after a rule was first seen counts: a first pull sets nothing off.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from attio_console import errors
from attio_console.model.clock import Clock
from attio_console.model.schema import Attribute, ListSchema, Option, Status
from attio_console.model.times import instant
from attio_console.model.values import from_attio, parse
from attio_console.store import Store
from attio_console.store import filter as filter_language
from attio_console.store.outbox import provisional_id
from attio_console.store.tx import Tx
from attio_console.store.types import AuditEntry, FieldEdit, NewItem, Row, View
from attio_console.sync.bus import Bus, Change
from attio_console.sync.sources import NOTES, TASKS

if TYPE_CHECKING:
    from attio_console.config.profiles import Automation

# So often may one rule answer the same entry within an hour; more is two rules chasing each other.
LOOP_LIMIT = 3
LOOP_WINDOW = timedelta(hours=1)
_MANY = 500


@dataclass(frozen=True, slots=True)
class _Bound:
    """A rule with the names in it found in the schema."""

    rule: Automation
    list: ListSchema
    status: Attribute
    stage: Option | Status


class Automations:
    """Watches the bus for list entries and keeps what the rules ask for in the outbox."""

    def __init__(self, rules: Sequence[Automation], store: Store, bus: Bus, clock: Clock) -> None:
        self._rules = rules
        self._store = store
        self._bus = bus
        self._clock = clock
        self.problems: dict[str, str] = {}
        """Why a rule cannot work, by its name"""

    async def run(self) -> None:
        """Answer changes until cancelled."""
        if not self._rules:
            return
        with self._bus.subscribe() as changes:
            for rule in self._rules:
                await self._arm(rule)
            async for change in changes:
                if change.what == "records":
                    await self._look(change)

    async def _arm(self, rule: Automation) -> None:
        if self._store.state.get(_armed_key(rule)) is None:
            await self._store.state.put(_armed_key(rule), self._clock.now().isoformat())

    async def _look(self, change: Change) -> None:
        for rule in self._rules:
            bound = self._bind(rule)
            if bound is None or not change.touches(bound.list.id):
                continue
            for entry in await self._candidates(bound, change):
                await self._answer(bound, entry)

    def _bind(self, rule: Automation) -> _Bound | None:
        schema = self._store.mirror.schema
        found = schema.list(rule.list)
        status = found.status_attribute if found else None
        stage = status.option(rule.stage) if status else None
        if found is None or status is None or stage is None:
            missing = "list" if found is None else "stages" if status is None else f"stage {rule.stage}"
            if schema.lists:
                self.problems[rule.name] = f"The automation {rule.name} finds no {missing} in {rule.list}."
            return None
        self.problems.pop(rule.name, None)
        return _Bound(rule, found, status, stage)

    async def _candidates(self, bound: _Bound, change: Change) -> list[Row]:
        mirror = self._store.mirror
        if change.record_ids:
            rows = (mirror.row(bound.list.id, row_id) for row_id in change.record_ids)
            return [row for row in rows if row is not None]
        found: list[Row] = []
        while True:
            page = await mirror.column(bound.list.id, bound.status.slug, bound.stage.id, len(found), _MANY)
            found += page
            if len(page) < _MANY:
                return found

    async def _answer(self, bound: _Bound, entry: Row) -> None:
        entered = _entered(entry, bound)
        armed = instant(str(self._store.state.get(_armed_key(bound.rule)) or ""))
        if entered is None or armed is None or entered < armed:
            return
        key = f"automation:{bound.rule.name}:{entry.record_id}"
        stamps = [str(stamp) for stamp in self._store.state.get(key) or ()]
        if entered.isoformat() in stamps or not await self._passes(bound, entry):
            return
        try:
            items = self._items(bound, entry)
        except errors.UsageError as error:
            self.problems[bound.rule.name] = f"The automation {bound.rule.name} cannot be done: {error}"
            return
        recent = [stamp for stamp in stamps if entered - (instant(stamp) or entered) < LOOP_WINDOW]
        looping = len(recent) >= LOOP_LIMIT
        action = "automation"
        if looping:
            action = "automation stopped: it answered this entry too often"
            self.problems[bound.rule.name] = (
                f"The automation {bound.rule.name} answered one entry too often and was held."
            )
        elif bound.rule.dry_run:
            action = "automation (dry run)"

        def job(tx: Tx) -> bool:
            # That it was answered, and what the answer writes, stand or fall together.
            self._store.state.put_in(tx, key, [*stamps, entered.isoformat()][-2 * LOOP_LIMIT :])
            self._store.audit.append_in(tx, *_audit(bound, entry, items, action))
            if items and not looping and not bound.rule.dry_run:
                self._store.outbox.add_in(tx, items, f"{bound.rule.name}: {entry.label}")
                return True
            return False

        if await self._store.queue.run(job):
            self._bus.changed("outbox")
        self._bus.changed("status")

    async def _passes(self, bound: _Bound, entry: Row) -> bool:
        if not bound.rule.filter:
            return True
        try:
            text, terms = filter_language.parse(bound.rule.filter, self._store.mirror.schema, bound.list.id)
        except errors.InvalidFilter as error:
            self.problems[bound.rule.name] = f"The automation {bound.rule.name} has no usable filter: {error}"
            return False
        view = View(bound.list.id, text=text, terms=terms)
        return await self._store.mirror.index_of(view, entry.record_id) is not None

    # ------------------------------------------------------------------------------------------------- what to write

    def _items(self, bound: _Bound, entry: Row) -> list[NewItem]:
        rule, schema = bound.rule, self._store.mirror.schema
        origin = f"automation:{rule.name}"
        parent = str(entry.document.get("parent_record_id") or "")
        parent_object = str(entry.document.get("parent_object") or bound.list.parent_object)
        items: list[NewItem] = []
        fields = self._fields(bound, entry)
        if fields:
            items.append(NewItem("attio", bound.list.id, entry.record_id, "set", fields, origin=origin))
        if rule.add_to:
            target = schema.list(rule.add_to)
            if target is None:
                raise errors.NoSuchThing(f"there is no list {rule.add_to}")
            if not self._store.mirror.linked(target.id, parent):
                place = {"parent_object": parent_object, "parent_record_id": parent}
                items.append(
                    NewItem(
                        "attio", target.id, provisional_id(), "entry_create", payload=place, origin=origin
                    )
                )
        if rule.task:
            link = {"target_object": parent_object, "target_record_id": parent}
            task = {
                "content": rule.task,
                "deadline_at": None,
                "is_completed": False,
                "linked_records": [link],
            }
            items.append(
                NewItem(
                    "attio",
                    TASKS,
                    provisional_id(),
                    "task_create",
                    payload={**task, "assignees": []},
                    origin=origin,
                )
            )
        if rule.note:
            note = {"parent_object": parent_object, "parent_record_id": parent, "title": rule.name}
            items.append(
                NewItem(
                    "attio",
                    NOTES,
                    provisional_id(),
                    "note_create",
                    payload={**note, "content": rule.note, "format": "plaintext"},
                    origin=origin,
                )
            )
        return items

    def _fields(self, bound: _Bound, entry: Row) -> dict[str, FieldEdit]:
        fields: dict[str, FieldEdit] = {}
        for slug, wanted in bound.rule.set.items():
            attribute = bound.list.attribute(slug)
            if attribute is None:
                raise errors.NoSuchThing(f"{bound.list.name} has no attribute {slug}")
            new = parse(attribute, str(wanted), self._store.mirror.schema)
            base = entry.values().get(attribute.slug, [])
            if new != base:
                fields[attribute.slug] = FieldEdit(base, new)
        return fields


def _entered(entry: Row, bound: _Bound) -> datetime | None:
    """Return when the entry came into the rule's stage, or None where it is in another."""
    values: Iterable[dict[str, Any]] = entry.document.get("entry_values", {}).get(bound.status.slug, ())
    for value in values:
        now = from_attio([value])
        if now and now[0].get("id") == bound.stage.id:
            return instant(str(value.get("active_from") or ""))
    return None


def _audit(bound: _Bound, entry: Row, items: Sequence[NewItem], action: str) -> list[AuditEntry]:
    def line(field: str, before: Any = None, after: Any = None) -> AuditEntry:
        return AuditEntry(
            actor=f"automation:{bound.rule.name}",
            action=action,
            system="attio",
            record=entry.record_id,
            field=field,
            before=before,
            after=after,
            rule=f"{bound.list.name}: {bound.stage.title}",
        )

    lines = []
    for item in items:
        if item.fields:
            lines += [line(slug, edit.base, edit.new) for slug, edit in item.fields.items()]
        else:
            lines.append(line(item.kind, after=dict(item.payload)))
    return lines or [line("")]


def _armed_key(rule: Automation) -> str:
    return f"automation armed:{rule.name}"
