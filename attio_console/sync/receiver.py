"""The listener in the engine's loop and its registration at Attio, watched: what was missed is caught up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Protocol
from urllib.parse import urlsplit

from attio_console import errors
from attio_console.model.clock import Clock
from attio_console.store import Store
from attio_console.store.types import Delivery
from attio_console.sync.bus import Bus
from attio_console.sync.gate import Gate
from attio_console.sync.status import ListenerState, ListenerStatus
from attio_console.webhook import Address, Listener, serve
from attio_console.webhook.listener import DEFAULT_PATH
from attio_console.webhook.subscription import Secrets, Subscription, Webhooks

WATCH_EVERY_S = 60.0
AGAIN_S = 5.0
_DOCUMENT = "webhook"

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class WebhookSettings(Protocol):
    """What the profile says about webhooks."""

    @property
    def mode(self) -> str:
        """`listen` or `off`."""

    @property
    def host(self) -> str:
        """The address to listen on."""

    @property
    def port(self) -> int:
        """The port to listen on; 0 for any."""

    @property
    def public_url(self) -> str | None:
        """Where Attio reaches the listener, through a tunnel."""


def subscription_of(
    webhooks: Webhooks, secrets: Secrets, profile: str, store: Store, clock: Clock
) -> Subscription:
    """Return a profile's registration, kept where every console on its data directory finds it."""
    return Subscription(
        webhooks,
        secrets,
        profile,
        clock,
        recall=lambda: store.state.get(_DOCUMENT),
        remember=lambda document: store.state.put(_DOCUMENT, document),
    )


class Receiver:
    """Listens, registers, and watches the registration's health."""

    def __init__(
        self,
        settings: WebhookSettings,
        *,
        profile: str,
        base_url: str,
        webhooks: Webhooks,
        secrets: Secrets,
        store: Store,
        bus: Bus,
        gate: Gate,
        clock: Clock,
        wake: Callable[[], None],
        missed: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._base_url = base_url
        self._store = store
        self._bus = bus
        self._gate = gate
        self._clock = clock
        self._missed = missed
        self.subscription = subscription_of(webhooks, secrets, profile, store, clock)
        path = urlsplit(settings.public_url or "").path
        self.listener = Listener(
            self._keep, self.subscription.valid_secrets, clock, wake=wake, paths=[path] if path else []
        )
        self._state: ListenerState = "off" if settings.mode == "off" else "starting"
        self._address = ""
        self._target = ""
        self._webhook_id = ""
        self._error = ""
        self._check = asyncio.Event()
        self._was_degraded = False

    @property
    def healthy(self) -> bool:
        """Whether changes can be expected to be told."""
        return self._state == "listening"

    @property
    def decided(self) -> bool:
        """Whether it is known by now if changes will be told."""
        return self._state != "starting"

    def check(self) -> None:
        """Look at the registration now."""
        self._check.set()

    def status(self) -> ListenerStatus:
        """Return what the listener and its registration are doing."""
        counts = self.listener.counts
        return ListenerStatus(
            state=self._state,
            address=self._address,
            target_url=self._target,
            webhook_id=self._webhook_id,
            accepted=counts.accepted,
            duplicates=counts.duplicates,
            refused=dict(counts.refused),
            last_at=counts.last_at,
            error=self._error,
        )

    async def run(self) -> None:
        """Listen and stay registered until cancelled."""
        if self._settings.mode == "off":
            return
        await self.subscription.load()
        while True:
            try:
                async with serve(self.listener, self._settings.host, self._settings.port) as address:
                    self._address = str(address)
                    await self._stay_registered(address)
            except errors.ConfigError as error:
                self._become("failed", error)
                await self._clock.sleep(AGAIN_S)

    async def _stay_registered(self, address: Address) -> None:
        target = self._target_url(address)
        if target is None:
            self._error = "Attio cannot reach this machine: set webhook.public_url to where a tunnel is."
            self._become("unregistered")
            await asyncio.Event().wait()
            return
        self._target = target
        while True:
            await self._gate.contact.online()
            pause = WATCH_EVERY_S
            try:
                await self._ensure(target)
            except (errors.Forbidden, errors.Refused) as error:
                # A missing scope or an address Attio does not accept: said, and asked again now and then.
                self._become("unregistered", error)
            except errors.ConsoleError as error:
                self._gate.contact.failed(error)
                self._error = str(error)
                pause = AGAIN_S
            self._bus.changed("status")
            try:
                async with asyncio.timeout(pause):
                    await self._check.wait()
            except TimeoutError:
                continue
            finally:
                self._check.clear()

    async def _ensure(self, target: str) -> None:
        registration = await self.subscription.ensure(target)
        self._gate.contact.ok()
        self._webhook_id = registration.webhook_id
        degraded = registration.status == "degraded"
        self._become("degraded" if degraded else "listening")
        if registration.renewed:
            self._missed("the webhook was registered anew")
        elif degraded and not self._was_degraded:
            self._missed("deliveries have been failing")
        elif self._was_degraded and not degraded:
            self._missed("deliveries have failed for a while")
        self._was_degraded = degraded

    def _target_url(self, address: Address) -> str | None:
        if self._settings.public_url:
            return self._settings.public_url
        if urlsplit(self._base_url).hostname in _LOOPBACK:
            return f"{address.url}{DEFAULT_PATH}"
        return None

    def _become(self, state: ListenerState, error: errors.ConsoleError | None = None) -> None:
        if error is not None:
            self._error = f"{error} {error.hint}".strip()
            self._gate.contact.remember(error)
        elif state in {"listening", "degraded"}:
            self._error = ""
        if state != self._state:
            self._state = state
            self._bus.changed("status")

    async def _keep(self, key: str, webhook_id: str, body: bytes, received_at: datetime) -> bool:
        return await self._store.inbox.put(Delivery(key, webhook_id, body, received_at))
