"""`/v2/webhooks`."""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from attio_console.attio.configuration import Group, given
from attio_console.attio.things import Webhook
from attio_console.attio.wire import walk_offset
from attio_console.net import Lane

WEBHOOKS_PAGE = 100
Subscription = Mapping[str, Any]


class Webhooks(Group):
    """Webhooks of the workspace; only workspace tokens may manage them."""

    async def list(
        self, *, limit: int = WEBHOOKS_PAGE, offset: int = 0, lane: Lane = Lane.INTERACTIVE
    ) -> builtins.list[Webhook]:
        """List a page of webhooks (10 to 100)."""
        params = {"limit": limit, "offset": offset}
        return await self._wire.many(Webhook, "GET", ("webhooks",), params=params, lane=lane)

    def iterate(self, *, lane: Lane = Lane.INTERACTIVE) -> AsyncIterator[Webhook]:
        """Iterate over all webhooks."""
        return walk_offset(
            lambda offset: self.list(offset=offset, lane=lane), lambda hook: hook.id.webhook_id, WEBHOOKS_PAGE
        )

    async def get(self, webhook_id: str, *, lane: Lane = Lane.INTERACTIVE) -> Webhook:
        """Get one webhook."""
        return await self._wire.one(Webhook, "GET", ("webhooks", webhook_id), lane=lane)

    async def create(
        self, target_url: str, subscriptions: Sequence[Subscription], *, lane: Lane = Lane.INTERACTIVE
    ) -> Webhook:
        """Create a webhook. Its `secret` is told in this answer and never again."""
        data = {"target_url": target_url, "subscriptions": [_subscription(one) for one in subscriptions]}
        return await self._wire.one(Webhook, "POST", ("webhooks",), json={"data": data}, lane=lane)

    async def update(
        self,
        webhook_id: str,
        *,
        target_url: str | None = None,
        subscriptions: Sequence[Subscription] | None = None,
        lane: Lane = Lane.INTERACTIVE,
    ) -> Webhook:
        """Replace the address, or all subscriptions."""
        data = given(target_url=target_url)
        if subscriptions is not None:
            data["subscriptions"] = [_subscription(one) for one in subscriptions]
        return await self._wire.one(
            Webhook, "PATCH", ("webhooks", webhook_id), json={"data": data}, lane=lane
        )

    async def delete(self, webhook_id: str, *, lane: Lane = Lane.INTERACTIVE) -> None:
        """Delete a webhook."""
        await self._wire.delete(("webhooks", webhook_id), lane=lane)


def _subscription(given_one: Subscription) -> dict[str, Any]:
    # The key `filter` has to be there even when everything is wanted.
    return {"filter": None, **given_one}
