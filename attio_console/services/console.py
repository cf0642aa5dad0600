"""One open profile and everything an operator can do with it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from attio_console.services.pulling import PullVerbs
from attio_console.services.requests import RequestVerbs
from attio_console.services.types import Changed


class Console(PullVerbs, RequestVerbs):
    """What a face holds while a profile is open. Every verb is one method; none of them awaits the network.

    The exceptions are the verbs of a script: `pull`, `sync` and `deliver`.
    """

    async def changes(self) -> AsyncIterator[Changed]:
        """Yield what moved in the store, coalesced: at most one of a kind waits, however much happened."""
        with self.bus.subscribe() as changes:
            async for change in changes:
                yield Changed(frozenset((change.what,)), change.collections, change.record_ids)
