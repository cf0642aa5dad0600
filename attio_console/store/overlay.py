"""What waits in the outbox, in memory, as it lies over the mirror when a row is shown."""

from __future__ import annotations

from collections.abc import Iterable

from attio_console.store.outbox_rows import ITEM_COLUMNS, read_item
from attio_console.store.tx import Queue
from attio_console.store.types import Items, OutboxItem, Pending

_ACTIVE = "state IN ('pending', 'sending', 'refused', 'dead')"
_CREATIONS = ("create", "entry_create", "note_create", "task_create")


class Overlay:
    """The active items by row. Lives on the event loop; whoever changes the outbox asks it to read those rows again."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._items: dict[tuple[str, str], list[OutboxItem]] = {}
        self.load()

    def load(self) -> None:
        """Read every active item."""
        self._items.clear()
        for row in self._queue.rows(f"SELECT {ITEM_COLUMNS} FROM outbox WHERE {_ACTIVE} ORDER BY id"):
            item = read_item(row)
            self._items.setdefault((item.collection, item.record_id), []).append(item)

    def reload(self, rows: Iterable[tuple[str, str]]) -> None:
        """Read the active items of those rows."""
        for key in rows:
            found = self._queue.rows(
                f"SELECT {ITEM_COLUMNS} FROM outbox WHERE collection = ? AND record_id = ? AND {_ACTIVE} ORDER BY id",
                key,
            )
            if found:
                self._items[key] = [read_item(row) for row in found]
            else:
                self._items.pop(key, None)

    def fields(self, collection: str, record_id: str) -> dict[str, Pending]:
        """Return the pending values of a row, the last edit of each field."""
        items = self._items.get((collection, record_id))
        if not items:
            return {}
        return {
            slug: Pending(edit.new, item.state, item.id)
            for item in items
            for slug, edit in item.fields.items()
            if item.kind not in ("delete", "note_create", "task_create")
        }

    def field(self, collection: str, slug: str) -> dict[str, Items]:
        """Return the pending values of one field of a collection, by row id."""
        found = {}
        for (name, record_id), items in self._items.items():
            if name == collection:
                for item in items:
                    if slug in item.fields:
                        found[record_id] = item.fields[slug].new
        return found

    def created(self, collection: str) -> list[OutboxItem]:
        """Return the creations of a collection, oldest first."""
        found = [
            item
            for (name, _), items in self._items.items()
            if name == collection
            for item in items
            if item.kind in _CREATIONS
        ]
        return sorted(found, key=lambda item: item.id)

    def deleting(self, collection: str, record_id: str) -> bool:
        """Return whether a deletion of the row waits."""
        return any(item.kind == "delete" for item in self._items.get((collection, record_id), ()))
