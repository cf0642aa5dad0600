"""The webhook's registration at Attio: made once, kept, renewed when its secret or its health is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from attio_console import errors
from attio_console.model.clock import Clock

EVENT_TYPES = (
    "record.created",
    "record.updated",
    "record.merged",
    "record.deleted",
    "list-entry.created",
    "list-entry.updated",
    "list-entry.deleted",
    "note.created",
    "note.updated",
    "note-content.updated",
    "note.deleted",
    "task.created",
    "task.updated",
    "task.deleted",
    "list.created",
    "list.updated",
    "list.deleted",
    "list-attribute.created",
    "list-attribute.updated",
    "object-attribute.created",
    "object-attribute.updated",
    "workspace-member.created",
)

# Deliveries signed with the secret of a replaced webhook may still be on their way, or wait for a retry.
GRACE = timedelta(days=4)


class Secrets(Protocol):
    """Where secrets are kept; may block (a keyring asks over D-Bus)."""

    def get(self, profile: str, name: str) -> str | None:
        """Return a secret or None."""

    def set(self, profile: str, name: str, value: str) -> None:
        """Keep a secret."""

    def delete(self, profile: str, name: str) -> None:
        """Forget a secret."""


class Hook(Protocol):
    """A webhook as Attio answers it."""

    @property
    def id(self) -> Any: ...
    @property
    def target_url(self) -> str | None: ...
    @property
    def subscriptions(self) -> Sequence[Any]: ...
    @property
    def status(self) -> str | None: ...
    @property
    def secret(self) -> str | None: ...


class Webhooks(Protocol):
    """The part of the Attio client that manages webhooks."""

    async def create(self, target_url: str, subscriptions: Sequence[Mapping[str, Any]]) -> Hook:
        """Make one; the answer holds the secret, once."""

    async def get(self, webhook_id: str) -> Hook:
        """Return one, without its secret."""

    async def update(
        self,
        webhook_id: str,
        *,
        target_url: str | None = None,
        subscriptions: Sequence[Mapping[str, Any]] | None = None,
    ) -> Hook:
        """Replace the address, or all subscriptions."""

    async def delete(self, webhook_id: str) -> None:
        """Remove one."""

    def iterate(self) -> AsyncIterator[Hook]:
        """Iterate over all of them."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What `ensure` found or made. `renewed`: deliveries of the time before may have been lost."""

    webhook_id: str
    target_url: str
    status: str
    renewed: bool


class Subscription:
    """One profile's webhook. Ids are kept through `remember`, secrets only in the secret store and in memory."""

    def __init__(
        self,
        webhooks: Webhooks,
        secrets: Secrets,
        profile: str,
        clock: Clock,
        *,
        recall: Callable[[], Mapping[str, Any] | None],
        remember: Callable[[Mapping[str, Any] | None], Awaitable[None]],
    ) -> None:
        self._webhooks = webhooks
        self._secrets = secrets
        self._profile = profile
        self._clock = clock
        self._recall = recall
        self._remember = remember
        self._valid: dict[str, bytes] = {}

    def valid_secrets(self) -> list[bytes]:
        """Return every secret that a delivery may be signed with now."""
        return list(self._valid.values())

    @property
    def kept_id(self) -> str | None:
        """Return the id of the webhook that this profile registered, or None."""
        return (self._recall() or {}).get("id")

    async def load(self) -> None:
        """Take the secrets kept by an earlier run, so that its deliveries are accepted before Attio is reached."""
        kept = dict(self._recall() or {})
        former = [old["id"] for old in kept.get("former", ()) if _still(old, self._clock.now())]
        for webhook_id in (*former, kept.get("id")):
            secret = await self._secret(webhook_id) if webhook_id else None
            if secret:
                self._valid[webhook_id] = secret.encode()

    async def ensure(self, target_url: str) -> Registration:
        """Return the registration for this address, made or mended where needed."""
        kept = dict(self._recall() or {})
        webhook_id = kept.get("id")
        if webhook_id:
            found = await self._kept(webhook_id, target_url)
            if found is not None:
                if kept.get("target_url") != target_url:
                    await self._remember({**kept, "target_url": target_url})
                return found
        return await self._register(kept, target_url)

    async def remove(self) -> None:
        """Unregister, and forget the secret."""
        kept = dict(self._recall() or {})
        if kept.get("id"):
            await self._delete(str(kept["id"]))
            await asyncio.to_thread(self._secrets.delete, self._profile, _name(str(kept["id"])))
        self._valid.clear()
        await self._remember(None)

    async def _kept(self, webhook_id: str, target_url: str) -> Registration | None:
        secret = await self._secret(webhook_id)
        try:
            hook = await self._webhooks.get(webhook_id)
        except errors.NotFound:
            return None
        if not secret or hook.status == "inactive":
            return None
        self._valid[webhook_id] = secret.encode()
        wanted = set(EVENT_TYPES)
        told = {str(one.get("event_type")) for one in hook.subscriptions if isinstance(one, Mapping)}
        moved = hook.target_url != target_url
        if moved or told != wanted:
            hook = await self._webhooks.update(
                webhook_id,
                target_url=target_url if moved else None,
                subscriptions=_subscriptions() if told != wanted else None,
            )
        return Registration(webhook_id, target_url, hook.status or "active", renewed=moved or told != wanted)

    async def _register(self, kept: dict[str, Any], target_url: str) -> Registration:
        stale = {target_url, kept.get("target_url")}
        former = [old for old in kept.get("former", ()) if _still(old, self._clock.now())]
        if kept.get("id"):
            former.append({"id": kept["id"], "until": (self._clock.now() + GRACE).isoformat()})
        # Said before it is made: should this process die in between, the next one knows which webhook is an orphan.
        await self._remember({"id": None, "target_url": target_url, "former": former})
        if kept.get("id"):
            await self._delete(str(kept["id"]))
        orphans = [hook.id.webhook_id async for hook in self._webhooks.iterate() if hook.target_url in stale]
        for orphan in orphans:
            await self._delete(orphan)
        hook = await self._webhooks.create(target_url, _subscriptions())
        webhook_id = str(hook.id.webhook_id)
        if not hook.secret:
            raise errors.ServerFailed("Attio made a webhook and told no secret.", code="malformed_answer")
        await asyncio.to_thread(self._secrets.set, self._profile, _name(webhook_id), hook.secret)
        self._valid[webhook_id] = hook.secret.encode()
        await self._remember({"id": webhook_id, "target_url": target_url, "former": former})
        return Registration(webhook_id, target_url, hook.status or "active", renewed=True)

    async def _delete(self, webhook_id: str) -> None:
        try:
            await self._webhooks.delete(webhook_id)
        except errors.NotFound:
            # Gone is what was wanted.
            return

    async def _secret(self, webhook_id: str) -> str | None:
        return await asyncio.to_thread(self._secrets.get, self._profile, _name(webhook_id))


def _name(webhook_id: str) -> str:
    return f"webhook:{webhook_id}"


def _still(old: Mapping[str, Any], now: datetime) -> bool:
    return datetime.fromisoformat(str(old["until"])) > now


def _subscriptions() -> list[dict[str, Any]]:
    return [{"event_type": kind, "filter": None} for kind in EVENT_TYPES]
