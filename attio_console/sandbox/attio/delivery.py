"""Webhook deliveries: signed, one event each, at most 25 a second per target, retried over three days.

Retries run on the sandbox's clock, so `advance` brings them forward. A delivery keeps its `Idempotency-Key` for ever.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

import msgspec

from attio_console.sandbox.attio.limits import DELIVERIES_PER_S, SlidingWindow
from attio_console.sandbox.attio.subscriptions import Webhook
from attio_console.sandbox.faults import FaultRule, Faults
from attio_console.sandbox.outgoing import DeliveryFailed, Poster
from attio_console.sandbox.world import Event, Ids, World, stamp

RETRIES = 10
_FIRST_RETRY_S = 9.0
_RETRY_FACTOR = 3.0
TIMEOUT_S = 5.0
_IN_FLIGHT_PER_TARGET = 16
_IN_FLIGHT_UNLIMITED = 64
_LOG_ROWS = 20_000
_REORDER_HOLD_S = 2.0


def retry_delay(attempt: int) -> float:
    """Return the seconds before retry number `attempt` (from 1): ten of them take 3.07 days."""
    return float(_FIRST_RETRY_S * _RETRY_FACTOR ** (attempt - 1))


def sign(secret: str, body: bytes) -> str:
    """Return the signature Attio puts on a delivery: lowercase hex HMAC-SHA256 of the raw body."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@dataclass(slots=True, eq=False)
class Delivery:
    """One event on its way to one webhook."""

    webhook: Webhook
    event_type: str
    key: str
    body: bytes
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """What became of one attempt, for the control surface."""

    seq: int
    key: str
    webhook_id: str
    event_type: str
    attempt: int
    outcome: str
    at: str

    def json(self) -> dict[str, Any]:
        """Return the row as the control surface shows it."""
        return {name: getattr(self, name) for name in self.__slots__}


class _Target:
    """The queue of one target URL."""

    def __init__(self, world: World) -> None:
        self.waiting: deque[Delivery] = deque()
        self.held: list[Delivery] = []
        self.wake = asyncio.Event()
        self.window = SlidingWindow(DELIVERIES_PER_S, 1.0, world.clock.monotonic)
        self.in_flight = 0

    def put(self, delivery: Delivery) -> None:
        self.waiting.append(delivery)
        # What was held back to be reordered goes right behind the one that overtook it.
        self.waiting.extend(self.held)
        self.held.clear()
        self.wake.set()


class Deliveries:
    """Every delivery of the world (`world.part(Deliveries)`); `run` sends them until it is cancelled."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._faults = world.part(Faults)
        self._ids = Ids(Random(f"deliveries {world.seed}"))
        self._poster = Poster()
        self._targets: dict[str, _Target] = {}
        self._new_targets: deque[_Target] = deque()
        self._news = asyncio.Event()
        self._seq = 0
        self._undone: dict[Delivery, None] = {}
        self.rows: deque[DeliveryRow] = deque(maxlen=_LOG_ROWS)

    @property
    def pending(self) -> int:
        """How many deliveries are queued, in flight or waiting for a retry."""
        return len(self._undone)

    @property
    def undone(self) -> list[Delivery]:
        """What is queued, in flight or waiting for a retry, oldest first."""
        return list(self._undone)

    def resume(self, undone: Iterable[Delivery]) -> None:
        """Queue what another run of the sandbox left undone; each keeps its key and its attempts."""
        for delivery in undone:
            self._open(delivery)
            self._put(delivery)

    def offer(self, webhook: Webhook, event: Event) -> None:
        """Queue an event for a webhook that wants it and is not switched off."""
        payload = event.payload()
        if webhook.status(self._world.clock.now()) == "inactive":
            return
        if any(subscription.wants(payload) for subscription in webhook.subscriptions):
            self._queue(webhook, payload, self._faults.for_delivery(event.event_type, webhook.target_url))

    def test(self, webhook: Webhook, event_type: str) -> str:
        """Queue a test event with made-up ids, whatever the webhook's filters say, and return its key."""
        ids = {name: self._ids.uuid() for name in ("object_id", "record_id", "attribute_id")}
        payload = {
            "event_type": event_type,
            "id": {"workspace_id": webhook.workspace_id, **ids},
            "actor": {"type": "system", "id": None},
        }
        return self._queue(webhook, payload, None)

    async def run(self) -> None:
        """Deliver until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    while self._new_targets:
                        group.create_task(self._serve(self._new_targets.popleft(), group))
                    self._news.clear()
                    await self._news.wait()
        finally:
            await self._poster.close()

    def _queue(self, webhook: Webhook, payload: Mapping[str, Any], rule: FaultRule | None) -> str:
        body = msgspec.json.encode({"webhook_id": webhook.id, "events": [payload]})
        delivery = Delivery(webhook, str(payload["event_type"]), self._ids.uuid(), body)
        if rule is None:
            self._put(self._open(delivery))
            return delivery.key
        self._world.stats.bump("attio", f"fault:{rule.action}")
        match rule.action:
            case "drop_delivery":
                self._note(delivery, "dropped")
            case "duplicate_delivery":
                self._put(self._open(delivery))
                self._put(self._open(Delivery(webhook, delivery.event_type, delivery.key, body)))
            case "delay_delivery":
                self._open(delivery)
                self._world.clock.later(rule.seconds, lambda: self._put(delivery))
            case _:
                self._hold(self._open(delivery))
        return delivery.key

    def _open(self, delivery: Delivery) -> Delivery:
        self._undone[delivery] = None
        return delivery

    def _put(self, delivery: Delivery) -> None:
        self._target(delivery.webhook.target_url).put(delivery)

    def _hold(self, delivery: Delivery) -> None:
        """Keep a delivery back until another one has overtaken it, or nobody came to do so."""
        target = self._target(delivery.webhook.target_url)
        target.held.append(delivery)

        def let_go() -> None:
            if delivery in target.held:
                target.held.remove(delivery)
                target.waiting.append(delivery)
                target.wake.set()

        self._world.clock.later(_REORDER_HOLD_S, let_go)

    def _target(self, url: str) -> _Target:
        target = self._targets.get(url)
        if target is None:
            target = self._targets[url] = _Target(self._world)
            self._new_targets.append(target)
            self._news.set()
        return target

    async def _serve(self, target: _Target, group: asyncio.TaskGroup) -> None:
        clock = self._world.clock
        while True:
            limited = self._world.settings.limits
            cap = _IN_FLIGHT_PER_TARGET if limited else _IN_FLIGHT_UNLIMITED
            if not target.waiting or target.in_flight >= cap:
                target.wake.clear()
                await target.wake.wait()
                continue
            if limited and (wait := target.window.take()):
                await clock.sleep(wait)
                continue
            target.in_flight += 1
            group.create_task(self._attempt(target, target.waiting.popleft()))

    async def _attempt(self, target: _Target, delivery: Delivery) -> None:
        try:
            await self._send(delivery)
        finally:
            target.in_flight -= 1
            target.wake.set()

    async def _send(self, delivery: Delivery) -> None:
        webhook = delivery.webhook
        now = self._world.clock.now()
        if webhook.deleted or webhook.status(now) == "inactive":
            self._finish(delivery, "discarded")
            return
        signature = sign(webhook.secret, delivery.body)
        headers = (
            ("Content-Type", "application/json"),
            ("Attio-Signature", signature),
            ("X-Attio-Signature", signature),
            ("Idempotency-Key", delivery.key),
            ("User-Agent", "Attio 2.0"),
        )
        delivery.attempt += 1
        try:
            status = await self._poster.post(webhook.target_url, headers, delivery.body, timeout_s=TIMEOUT_S)
        except DeliveryFailed as error:
            outcome = str(error)
        else:
            if 200 <= status < 300:
                webhook.degraded_since = None
                self._finish(delivery, str(status))
                return
            outcome = str(status)
        if delivery.attempt <= RETRIES:
            self._note(delivery, outcome)
            self._world.clock.later(retry_delay(delivery.attempt), lambda: self._put(delivery))
            return
        webhook.degraded_since = webhook.degraded_since or self._world.clock.now()
        self._finish(delivery, f"given up: {outcome}")

    def _finish(self, delivery: Delivery, outcome: str) -> None:
        self._undone.pop(delivery, None)
        self._note(delivery, outcome)

    def _note(self, delivery: Delivery, outcome: str) -> None:
        kind = "delivered" if outcome.isdigit() and outcome.startswith("2") else "failed"
        if outcome in {"dropped", "discarded"}:
            kind = outcome
        self._world.stats.bump("attio", f"delivery:{kind}")
        self._seq += 1
        at = stamp(self._world.clock.now())
        self.rows.append(
            DeliveryRow(
                self._seq,
                delivery.key,
                delivery.webhook.id,
                delivery.event_type,
                delivery.attempt,
                outcome,
                at,
            )
        )
