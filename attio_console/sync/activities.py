"""Notes and tasks of paired records carried across, each once, with who wrote them when; and whether a task is done.

The ledger of the store says what was carried. What the ledger does not know yet, because another console or a process
that died carried it, is recognised by the reference that every copy ends with.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from attio_console.store.activities import NewActivity
from attio_console.store.types import Pair
from attio_console.sync import activity_forms as forms
from attio_console.sync.activity_done import Completing
from attio_console.sync.activity_here import CarryingHere
from attio_console.sync.activity_there import CarryingThere, Outgoing
from attio_console.sync.breath import Breath

# An answer that was lost may belong to a request that is still on its way.
LOOK_AFTER_S = 3.0


class ActivitySync(CarryingThere, CarryingHere, Completing):
    """Carries the activities of one other system."""

    def look_again(self) -> None:
        """Hear that notes, tasks or pairs changed."""
        self._is_new = True

    def heard_of(self, pairs: Sequence[Pair]) -> None:
        """Hear that pairs were compared: what hangs on a new one is new, too."""
        if any(self._carried_at is None or pair.updated_at >= self._carried_at for pair in pairs):
            self._is_new = True

    async def read(self) -> None:
        """Read what was logged there."""
        if self.system == "salesforce" and self.settings.is_on and self._key is None:
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
