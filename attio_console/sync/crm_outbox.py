"""Writes on their way to HubSpot or Salesforce."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

from attio_console import errors
from attio_console.store.types import OutboxClaim
from attio_console.sync.crm_send_records import RecordSending

LEASE_S = 120.0
_IDLE_S = 30.0


class CrmSender(RecordSending):
    """Sends the outbox items of one other system."""

    async def run(self) -> None:
        """Send until cancelled."""
        with self._bus.subscribe() as changes:
            while True:
                if self._gate is not None and self._gate.paused:
                    await self._gate.open()
                sent = await self.send_due()
                if not sent:
                    await self._rest(changes)

    async def _rest(self, changes: Any) -> None:
        pause = _IDLE_S
        due = self._store.outbox.next_due(self._context.system)
        if due is not None:
            pause = min(pause, max(0.02, (due - self._clock.now()).total_seconds()))
        try:
            async with asyncio.timeout(pause):
                async for change in changes:
                    if change.what == "outbox":
                        return
        except TimeoutError:
            return

    async def send_due(self) -> int:
        """Send what is due now; return how many writes were taken up."""
        system = self._context.system
        claims = await self._store.outbox.claim(system, self._client.batch_size, LEASE_S)
        batches: dict[tuple[str, str, bool], list[OutboxClaim]] = defaultdict(list)
        for claim in claims:
            # A person's decision goes alone where the write can be bound to the version that was compared.
            alone = self._client.conditional_writes and claim.item.origin.startswith("resolution:")
            batches[claim.item.collection, claim.item.kind, alone].append(claim)
        for (collection, kind, alone), batch in batches.items():
            external_type = collection.partition(":")[2]
            for part in [[one] for one in batch] if alone else [batch]:
                await self._guarded(external_type, kind, part)
        return len(claims)

    async def _guarded(self, external_type: str, kind: str, claims: list[OutboxClaim]) -> None:
        try:
            if kind == "set":
                await self._update(external_type, claims)
            elif kind == "create":
                await self._create(external_type, claims)
            elif kind == "delete":
                await self._delete(external_type, claims)
            else:
                for claim in claims:
                    await self._store.outbox.refuse(claim, f"{self._context.system} cannot do {kind}")
        except errors.LeaseLost as error:
            self._contact.remember(error)
        except errors.ConsoleError as error:
            await self._later(claims, error)
