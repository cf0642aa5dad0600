"""One write: rows are cloned, changed together with the other sides of relationships, and put back at once.

Nothing is visible before `commit`, so a refusal anywhere leaves no trace. `commit` emits the events: what was created,
then `record.updated` / `list-entry.updated` once per changed attribute of rows that were there before.
"""

from __future__ import annotations

from collections.abc import Sequence

from attio_console.sandbox.attio.coerce import Data
from attio_console.sandbox.attio.state import Attribute, Container, Crm, List, Object, Row, Snapshot, Value
from attio_console.sandbox.attio.values import identity
from attio_console.sandbox.world import Actor

Key = tuple[str, str]


class Transaction:
    """A write in the making."""

    def __init__(self, crm: Crm, actor: Actor, *, at: str | None = None, quiet: bool = False) -> None:
        self.crm = crm
        self.actor = actor
        self.at = at or crm.now()
        self.quiet = quiet
        """Emit nothing (bulk loading)."""
        self._rows: dict[Key, Row] = {}
        self._before: dict[Key, Row | None] = {}
        self._created: list[Key] = []
        self._changed: dict[Key, dict[str, None]] = {}
        self._removed: dict[Key, bool] = {}
        self._silent: set[Key] = set()

    def row(self, container: Container, row_id: str) -> Row | None:
        """Return this write's own copy of a row."""
        key = (container.id, row_id)
        if key in self._removed:
            return None
        if key not in self._rows:
            found = container.table.get(row_id)
            if found is None:
                return None
            self._before[key] = found
            self._rows[key] = found.clone()
        return self._rows[key]

    def add(self, container: Container, row: Row, *, tell: bool = True) -> None:
        """Let a new row in."""
        key = (container.id, row.id)
        if not tell:
            self._silent.add(key)
        self._rows[key] = row
        self._before[key] = None
        self._created.append(key)

    def assign(
        self,
        container: Container,
        row: Row,
        attribute: Attribute,
        final: Sequence[Data],
        *,
        linked: bool = True,
    ) -> bool:
        """Make `final` the attribute's active values; values that stay keep their time and author."""
        current = row.get(attribute.id)
        kept = {identity(attribute.type, value.data): value for value in current}
        keys = [identity(attribute.type, data) for data in final]
        if len(keys) == len(kept) and all(key in kept for key in keys):
            return False
        values = tuple(
            kept.get(key) or Value(self.at, self.actor, data) for key, data in zip(keys, final, strict=True)
        )
        ended = tuple(value.closed(self.at) for key, value in kept.items() if key not in keys)
        if ended:
            row.history[attribute.id] = row.history.get(attribute.id, ()) + ended
        row.values[attribute.id] = values
        self._changed.setdefault((container.id, row.id), {})[attribute.id] = None
        if attribute.type == "record-reference" and linked:
            # Lists, not sets: the order of events must not depend on how Python hashes text.
            added = [key for key in keys if key not in kept]
            gone = [key for key in kept if key not in keys]
            self._link(container, row, attribute, added, gone)
        return True

    def remove(self, container: Container, row_id: str, *, cut: bool = True, tell: bool = True) -> Row | None:
        """Take a row out, and with `cut` also out of everything that points to it."""
        row = self.row(container, row_id)
        if row is None:
            return None
        key = (container.id, row_id)
        if cut:
            self._cut(container, row)
            for list_id, entry_id in list(self.crm.entries_of.get(row_id, ())):
                # Attio documents no list-entry.deleted for the entries of a deleted record.
                self.remove(self.crm.lists[list_id], entry_id, tell=False)
        self._removed[key] = tell
        self._changed.pop(key, None)
        return row

    def touch(self, container: Container, row: Row) -> None:
        """Put a row back although no value of it changed by `assign`."""
        self._changed.setdefault((container.id, row.id), {})

    def commit(self) -> None:
        """Put everything back and tell the world."""
        crm = self.crm
        for key in self._removed:
            self._remember(key)
            self._unindex(key)
            crm.container(key[0]).table.remove(key[1])
            self._rows.pop(key, None)
        for key, row in self._rows.items():
            if key not in self._changed and key not in self._created:
                continue
            self._remember(key)
            self._index(key, row)
            crm.container(key[0]).table.put(row)
        if not self.quiet:
            self._emit()

    def _emit(self) -> None:
        for key in self._created:
            if key not in self._silent:
                self._event(key, "created")
        for key, attributes in self._changed.items():
            if key in self._created or key in self._removed:
                continue
            for attribute_id in attributes:
                self._event(key, "updated", attribute_id)
        for key, tell in self._removed.items():
            if tell:
                self._event(key, "deleted")

    def _event(self, key: Key, what: str, attribute_id: str | None = None) -> None:
        container_id, row_id = key
        more = {"attribute_id": attribute_id} if attribute_id else {}
        events = self.crm.workspace.events
        if container_id in self.crm.objects:
            events.emit(
                f"record.{what}", {"object_id": container_id, "record_id": row_id, **more}, self.actor
            )
            return
        row = self._rows.get(key) or self._before[key]
        object_id, record_id = row.parent if row and row.parent else ("", "")
        events.emit(
            f"list-entry.{what}",
            {"list_id": container_id, "entry_id": row_id, **more},
            self.actor,
            parent_object_id=object_id,
            parent_record_id=record_id,
        )

    def _link(
        self,
        container: Container,
        row: Row,
        attribute: Attribute,
        added: list[str],
        gone: list[str],
    ) -> None:
        other_side = self.crm.other_side(attribute)
        if other_side is None:
            return
        other, reverse = other_side
        assert isinstance(container, Object)
        for target_id in gone:
            target = self.row(other, target_id)
            if target is not None:
                self._drop_target(other, target, reverse, row.id)
        for target_id in added:
            target = self.row(other, target_id)
            if target is None:
                continue
            back = {"target_object_id": container.id, "target_record_id": row.id}
            present = [value.data for value in target.get(reverse.id)]
            if reverse.is_multiselect:
                self.assign(other, target, reverse, [*present, back], linked=False)
                continue
            for displaced in present:
                holder = self.row(container, displaced["target_record_id"])
                if holder is not None and holder.id != row.id:
                    self._drop_target(container, holder, attribute, target_id)
            self.assign(other, target, reverse, [back], linked=False)

    def _drop_target(self, container: Container, row: Row, attribute: Attribute, target_id: str) -> None:
        left = [v.data for v in row.get(attribute.id) if v.data["target_record_id"] != target_id]
        self.assign(container, row, attribute, left, linked=False)

    def _cut(self, container: Container, row: Row) -> None:
        """Take a row out of the other sides of its relationships and out of plain references to it."""
        for attribute in container.attributes.values():
            if attribute.relationship is not None and row.get(attribute.id):
                gone = [value.data["target_record_id"] for value in row.get(attribute.id)]
                self._link(container, row, attribute, [], gone)
        for container_id, row_id, attribute_id in sorted(self.crm.referrers.get(row.id, ())):
            holder = self.crm.container(container_id)
            referrer = self.row(holder, row_id)
            if referrer is not None:
                self._drop_target(holder, referrer, holder.attributes[attribute_id], row.id)

    def _remember(self, key: Key) -> None:
        lag = self.crm.world.settings.lag_s
        if lag > 0:
            until = self.crm.world.clock.monotonic() + lag
            self.crm.lagging.append(Snapshot(key[0], key[1], self._before[key], until))

    def _index(self, key: Key, row: Row) -> None:
        container = self.crm.container(key[0])
        if isinstance(container, List) and key in self._created and row.parent:
            self.crm.entries_of.setdefault(row.parent[1], []).append(key)
        for attribute in container.attributes.values():
            if attribute.type != "record-reference" or attribute.relationship is not None:
                continue
            place = (*key, attribute.id)
            before = self._before[key]
            old = {v.data["target_record_id"] for v in before.get(attribute.id)} if before else set()
            new = {v.data["target_record_id"] for v in row.get(attribute.id)}
            for target in old - new:
                self.crm.referrers.get(target, set()).discard(place)
            for target in new - old:
                self.crm.referrers.setdefault(target, set()).add(place)

    def _unindex(self, key: Key) -> None:
        row = self._before[key]
        if row is None:
            return
        if row.parent is not None and key in (entries := self.crm.entries_of.get(row.parent[1], [])):
            entries.remove(key)
        for attribute in self.crm.container(key[0]).attributes.values():
            if attribute.type == "record-reference" and attribute.relationship is None:
                for value in row.get(attribute.id):
                    self.crm.referrers.get(value.data["target_record_id"], set()).discard(
                        (*key, attribute.id)
                    )
        self.crm.referrers.pop(key[1], None)
        self.crm.entries_of.pop(key[1], None)
