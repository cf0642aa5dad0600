"""Reading what was logged on the other side."""

from __future__ import annotations

from collections.abc import Sequence

from attio_console.crm.protocol import CrmClient
from attio_console.model.clock import Clock
from attio_console.store import Store
from attio_console.sync.bus import Bus
from attio_console.sync.crm_context import CrmContext
from attio_console.sync.crm_pull import CrmPull, Pulled


class ActivityPull(CrmPull):
    """Reads one type of activity; none of them is mapped, paired or merged."""

    def __init__(
        self,
        client: CrmClient,
        store: Store,
        bus: Bus,
        context: CrmContext,
        clock: Clock,
        external_type: str,
        fields: Sequence[str],
    ) -> None:
        super().__init__(client, store, bus, context, clock, external_type)
        self._names = tuple(fields)

    def _fields(self) -> tuple[str, ...]:
        return self._names

    async def _sweep(self, pulled: Pulled) -> Pulled:
        # What was deleted there stays here: a copy is its owner's.
        return pulled
