"""What waits, what was sent, and taking it back."""

from __future__ import annotations

from collections.abc import Sequence

from attio_console.errors import NoSuchThing
from attio_console.model.text import plain
from attio_console.model.values import display, provenance, same
from attio_console.services.pipelines import PipelineVerbs
from attio_console.services.types import Done, GroupLine, OutboxLine, PlannedWrite
from attio_console.store.tx import Tx
from attio_console.store.types import FieldEdit, Group, ItemState, NewItem, OutboxItem

_UNDO, _REDO = "Undo: ", "Redo: "
_LOOK_BACK = 500
_OPEN: tuple[ItemState, ...] = ("pending", "sending", "refused", "dead")
_CREATIONS = {"create": "Create", "entry_create": "Add to list", "note_create": "Note", "task_create": "Task"}


class OutboxVerbs(PipelineVerbs):
    """Everything about writes that wait and writes of the past."""

    def outbox(self) -> list[OutboxLine]:
        """Return every write that is not confirmed, newest first."""
        now = self.clock.now()
        return [
            OutboxLine(
                item_id=item.id,
                group_id=item.group_id,
                system=item.system,
                label=self._label_of(item),
                what=self._what(item),
                state=item.state,
                attempts=item.attempts,
                age_s=max(0.0, (now - item.created_at).total_seconds()),
                next_in_s=max(0.0, (item.next_at - now).total_seconds()) if item.state == "pending" else None,
                error=plain(item.error),
                origin=item.origin,
                record_id=item.record_id,
                collection=item.collection,
            )
            for item in self.store.outbox.items(_OPEN, 10_000)
        ]

    def groups(self, limit: int = 200) -> list[GroupLine]:
        """Return the actions of the past, newest first."""
        return [
            GroupLine(
                group_id=group.id,
                title=plain(group.title),
                at=group.created_at,
                count=group.size,
                state=_state_of(group),
                undone=self._tip(group)[1],
                origin=group.origin,
            )
            for group in self.store.outbox.groups(limit)
        ]

    def group_writes(self, group_id: int) -> list[PlannedWrite]:
        """Return what one action wrote, field by field."""
        return [write for item in self.store.outbox.group(group_id).items for write in self._writes(item)]

    def _writes(self, item: OutboxItem) -> list[PlannedWrite]:
        shape = self.schema.collection(item.collection)
        slug = shape.slug if shape else item.collection
        label = self._label_of(item)
        if not item.fields:
            return [PlannedWrite(item.system, slug, item.record_id, label, self._what(item), "", "")]
        return [
            PlannedWrite(
                item.system,
                slug,
                item.record_id,
                label,
                name,
                self._shown(item.collection, name, edit.base),
                self._shown(item.collection, name, edit.new),
            )
            for name, edit in item.fields.items()
        ]

    def _shown(self, collection: str, slug: str, items: Sequence[object]) -> str:
        attribute = self.attribute(collection, slug)
        if attribute is None:
            return plain(", ".join(str(item) for item in items if item is not None))
        return display(attribute, list(items), self.names)

    def _label_of(self, item: OutboxItem) -> str:
        if item.kind in {"note_create", "entry_create"}:
            return self.label(str(item.payload.get("parent_record_id") or ""))
        if item.kind == "task_create":
            links = item.payload.get("linked_records") or []
            return self.label(str(links[0].get("target_record_id"))) if links else "a task"
        if item.kind == "create":
            shape = self.schema.object(item.collection)
            if shape is not None:
                return self._label_of_new(shape, {slug: edit.new for slug, edit in item.fields.items()})
        return self.label(item.record_id)

    def _what(self, item: OutboxItem) -> str:
        if item.kind in _CREATIONS:
            title = item.payload.get("title") or item.payload.get("content") or ""
            return plain(f"{_CREATIONS[item.kind]} {str(title)[:60]}".strip())
        if item.kind == "delete":
            return "Delete"
        parts = []
        for slug, edit in item.fields.items():
            attribute = self.attribute(item.collection, slug)
            title = plain(attribute.title) if attribute else slug
            before = self._shown(item.collection, slug, edit.base) or "(empty)"
            after = self._shown(item.collection, slug, edit.new) or "(empty)"
            parts.append(f"{title}: {before} → {after}")
        return ", ".join(parts)

    # ------------------------------------------------------------------------------------------ a person decides

    async def retry(self, item_ids: Sequence[int] | None = None) -> Done:
        """Put refused and dead writes back in line; without ids, all of them."""
        self.refuse_when_read_only("Sending")
        chosen = self.store.outbox.items(("refused", "dead"), 100_000)
        wanted = [item for item in chosen if item_ids is None or item.id in set(item_ids)]
        count = await self.store.outbox.revive([item.id for item in wanted])
        self.tell_outbox_changed({(item.collection, item.record_id) for item in wanted})
        return Done(f"{count} back in line." if count else "Nothing to retry.", count=count)

    async def discard(self, item_ids: Sequence[int]) -> Done:
        """Give up writes that wait or were refused; one that is on its way stays."""
        self.refuse_when_read_only("Discarding")
        wanted = [item for item_id in item_ids if (item := self.store.outbox.item(item_id)) is not None]
        count = await self.store.outbox.discard([item.id for item in wanted])
        self.tell_outbox_changed({(item.collection, item.record_id) for item in wanted})
        left = len(item_ids) - count
        return Done(
            f"{count} discarded." + (f" {left} on the way or done already." if left else ""), count=count
        )

    async def undo(self, group_id: int | None = None) -> Done:
        """Take back an action: what was not sent is dropped, what was sent is written back.

        Without an id, the newest that was not taken back yet. Where somebody changed a value since, it is left
        as it is and the answer says so.
        """
        self.refuse_when_read_only("Undo")
        group = self._undoable(group_id)
        resolution = self.store.conflicts.resolution_of_group(group.id)
        if resolution is not None and resolution.undone_at is None:
            return await self.undo_decision(group.id, resolution.conflict_id)
        return await self._take_back(self.store.outbox.group(group.id))

    async def redo(self) -> Done:
        """Do again what was last taken back; once something new was done, nothing is."""
        self.refuse_when_read_only("Redo")
        for group in self.store.outbox.groups(_LOOK_BACK, origins=("operator", "undo:", "resolution:")):
            if not group.origin.startswith("undo:"):
                break
            if group.undone_by is None and self._takes_back(group):
                return await self._take_back(self.store.outbox.group(group.id))
        return Done("Nothing to redo.")

    def _undoable(self, group_id: int | None) -> Group:
        """Return what has to be taken back so that an action is undone: itself, or the last time it was done again."""
        if group_id is not None:
            chosen = self.store.outbox.group(group_id)
            tip, undone = self._tip(chosen)
            if undone:
                raise NoSuchThing(f"{plain(chosen.title)}: taken back already.")
            return tip
        for group in self.store.outbox.groups(_LOOK_BACK):
            given_up = group.size > 0 and group.states.get("discarded", 0) == group.size
            if group.origin.startswith("undo:") or (given_up and group.undone_by is None):
                continue
            tip, undone = self._tip(group)
            if not undone:
                return tip
        raise NoSuchThing("Nothing to undo.")

    def _tip(self, group: Group) -> tuple[Group, bool]:
        """Return the last of the undos and redos of an action, and whether it leaves the action undone."""
        undone = False
        while group.undone_by is not None:
            group, undone = self.store.outbox.group(group.undone_by), not undone
        return group, undone

    def _takes_back(self, group: Group) -> bool:
        """Return whether a group is an undo, and not the redo of one."""
        turns = 0
        while group.origin.startswith("undo:"):
            group, turns = self.store.outbox.group(int(group.origin.removeprefix("undo:"))), turns + 1
        return turns % 2 == 1

    async def _take_back(self, group: Group) -> Done:
        again = self._takes_back(group)
        dropped = await self.store.outbox.drop(
            [
                item.id
                for item in group.items
                if item.state in {"pending", "refused", "dead"} and not item.uncertain
            ]
        )
        back: list[NewItem] = []
        left: list[str] = []
        for item in group.items:
            if item.id in dropped or item.state == "discarded":
                continue
            compensation, why_left = self._compensation(item, group.id)
            if compensation is not None:
                back.append(compensation)
            if why_left:
                left.append(why_left)
        written = len(back)
        back += self._dropped_by(group)
        if dropped or back:
            await self._keep_turn(group, back, dropped, again)
        touched = {(item.collection, item.record_id) for item in group.items}
        self.tell_outbox_changed(touched | {(item.collection, item.record_id) for item in back})
        title = plain(group.title.removeprefix(_UNDO).removeprefix(_REDO))
        done = (
            ("Done again" if again else "Undone")
            if dropped or back
            else "Not done again"
            if again
            else "Not undone"
        )
        parts = [f"{done}: {title}."]
        if written:
            parts.append(f"{written} written {'again' if again else 'back'}.")
        if not dropped and not back:
            left.append("Older actions can be undone from the history.")
        return Done(" ".join(parts + left), group.id, len(dropped) + len(back))

    async def _keep_turn(self, group: Group, back: Sequence[NewItem], dropped: set[int], again: bool) -> None:
        """Keep an undo or redo as an action of its own, with what it dropped, so that it can be turned round, too."""
        title = group.title.removeprefix(_UNDO).removeprefix(_REDO)
        origin = f"undo:{group.id}"

        def job(tx: Tx) -> None:
            turn = self.store.outbox.add_in(tx, back, f"{_REDO if again else _UNDO}{title}", origin=origin)
            if dropped:
                self.store.state.put_in(tx, _dropped_key(turn), sorted(dropped))

        await self.store.queue.run(job)

    def _dropped_by(self, group: Group) -> list[NewItem]:
        """Return the writes that an undo dropped before they were sent, to be sent after all."""
        found = (
            self.store.outbox.item(item_id) for item_id in self.store.state.get(_dropped_key(group.id), [])
        )
        return [
            NewItem(
                item.system,
                item.collection,
                item.record_id,
                item.kind,
                item.fields,
                item.payload,
                f"undo:{group.id}",
                item.actor,
            )
            for item in found
            if item is not None and item.state == "discarded"
        ]

    def _compensation(self, item: OutboxItem, group_id: int) -> tuple[NewItem | None, str]:
        origin = f"undo:{group_id}"
        label = self._label_of(item)
        if item.kind in _CREATIONS:
            others = self._others_at(item)
            if others:
                return None, f"{label} stays: {others} worked on it since. D deletes it."
            # One that is on its way has no id yet; the deletion waits for it and follows it to its id.
            return NewItem(item.system, item.collection, item.record_id, "delete", origin=origin), ""
        if item.kind in {"set", "task_update"}:
            fields = {}
            changed = []
            for slug, edit in item.fields.items():
                attribute = self.attribute(item.collection, slug)
                now = (
                    self.current(item.collection, item.record_id, slug)
                    if item.system == "attio" and attribute is not None
                    else edit.new
                )
                if attribute is not None and not same(attribute.type, now, edit.new):
                    changed.append(plain(attribute.title))
                else:
                    fields[slug] = FieldEdit(edit.new, edit.base)
            why = f"{', '.join(changed)} of {label} changed since and was left." if changed else ""
            if not fields:
                return None, why
            return NewItem(
                item.system, item.collection, item.record_id, item.kind, fields, origin=origin
            ), why
        if item.kind == "delete":
            return None, f"{label} was deleted in Attio; that cannot be undone."
        return None, f"It was sent for {label} and stays."

    def _others_at(self, item: OutboxItem) -> str:
        """Return the name of somebody else who changed or noted something on a row we created, or nothing."""
        row = self.store.mirror.row(item.collection, item.record_id)
        if row is None:
            return ""
        values = row.document.get("values") or row.document.get("entry_values") or {}
        stamps = [provenance(found) for found in values.values() if isinstance(found, list)]
        people = {stamp.actor_id for stamp in stamps if stamp.actor_type == "workspace-member"}
        names = [self.actor_name("workspace-member", actor_id) for actor_id in people]
        names += [note.by for note in self._notes(item.record_id) if not note.state]
        ours = self.actor_name("api-token", self.own_token_id)
        return next((name for name in names if name and name != ours), "")

    async def undo_decision(self, group_id: int, conflict_id: int) -> Done:
        """Take a resolution back; defined with the conflicts."""
        raise NoSuchThing(f"There is no conflict {conflict_id} that group {group_id} resolved.")


def _dropped_key(group_id: int) -> str:
    return f"undo:{group_id}:dropped"


def _state_of(group: Group) -> str:
    """Return the state that says most about a group: what is wrong first, then what waits, then what is done."""
    order: tuple[ItemState, ...] = ("dead", "refused", "sending", "pending", "confirmed", "discarded")
    for state in order:
        if group.states.get(state):
            return state
    # It only took back what had not been sent.
    return "discarded"
