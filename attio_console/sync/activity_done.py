"""That a task was done, or is open again, on both sides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from attio_console.crm.protocol import CrmWrite
from attio_console.store.activities import Activity
from attio_console.store.tx import Tx
from attio_console.store.types import FieldEdit, NewItem
from attio_console.sync import activity_forms as forms
from attio_console.sync.activity_base import ActivityBase
from attio_console.sync.crm_context import external_row, external_values
from attio_console.sync.mapping import collection_of
from attio_console.sync.sources import TASKS


class Completing(ActivityBase):
    """Carries across whether a task is done: the same on both sides, whoever said it."""

    async def _complete(self) -> None:
        """Carry across what changed on one side since both agreed."""
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
