"""The webhook's registration at Attio, as a person manages it; the engine does the same by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from attio_console.attio import AsyncAttio
from attio_console.errors import SecretMissing, UsageError
from attio_console.services.desk import Desk
from attio_console.services.types import Done
from attio_console.sync.receiver import subscription_of
from attio_console.webhook.subscription import Subscription


@dataclass(frozen=True, slots=True)
class HookLine:
    """One webhook of this token at Attio. `ours` is the one this profile registered."""

    webhook_id: str
    target_url: str
    status: str
    events: int
    ours: bool


class HookVerbs(Desk):
    """Everything about the registration."""

    @asynccontextmanager
    async def _hooks(self) -> AsyncIterator[tuple[AsyncAttio, Subscription]]:
        engine = self.required_engine()
        token = await asyncio.to_thread(engine.secrets.get, self.profile.name, "attio")
        if not token:
            raise SecretMissing(f"No Attio token is known for the profile {self.profile.name}.")
        async with AsyncAttio(
            token, base_url=self.profile.base_url, clock=self.clock, rng=engine.rng
        ) as attio:
            yield (
                attio,
                subscription_of(attio.webhooks, engine.secrets, self.profile.name, self.store, self.clock),
            )

    async def hooks(self) -> list[HookLine]:
        """Ask Attio for the webhooks of this token."""
        async with self._hooks() as (attio, subscription):
            ours = subscription.kept_id
            return [
                HookLine(
                    webhook_id=str(hook.id.webhook_id),
                    target_url=hook.target_url or "",
                    status=hook.status or "",
                    events=len(hook.subscriptions),
                    ours=str(hook.id.webhook_id) == ours,
                )
                async for hook in attio.webhooks.iterate()
            ]

    async def register_hook(self) -> Done:
        """Register, or mend, the webhook at the profile's public address."""
        self.refuse_when_read_only("Registering a webhook")
        url = self.profile.webhook.public_url
        if not url:
            raise UsageError(
                "The profile names no address that Attio can reach.",
                hint=f"Set public_url under [profiles.{self.profile.name}.webhook]; a sandbox needs no registration.",
            )
        async with self._hooks() as (_, subscription):
            found = await subscription.ensure(url)
        return Done(f"Webhook {found.webhook_id} is {found.status} for {found.target_url}.")

    async def unregister_hook(self) -> Done:
        """Remove this profile's webhook at Attio and forget its secret."""
        self.refuse_when_read_only("Removing a webhook")
        async with self._hooks() as (_, subscription):
            await subscription.remove()
        return Done("No webhook is registered for this profile any more.")
