"""The ASGI callable that takes deliveries: checked, on disk, and only then answered 200."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import msgspec

from attio_console import errors
from attio_console.model.clock import Clock
from attio_console.webhook.signature import verify

DEFAULT_PATH = "/webhooks/attio"
BODY_LIMIT = 1024 * 1024
BODY_TIMEOUT_S = 5.0
# A body over the limit is read on and thrown away up to here, so that its sender sees the 413 instead of a reset.
_DRAIN_LIMIT = 8 * BODY_LIMIT
_KEY_LIMIT = 200

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Keep(Protocol):
    """Makes a delivery durable; answers False where this key was kept before."""

    async def __call__(self, key: str, webhook_id: str, body: bytes, received_at: datetime) -> bool:
        """Return once the delivery is on disk."""


class _Event(msgspec.Struct):
    event_type: str
    id: dict[str, Any]


class _Envelope(msgspec.Struct):
    webhook_id: str
    events: list[_Event]


_DECODER = msgspec.json.Decoder(_Envelope)


@dataclass(slots=True)
class ListenerCounts:
    """What the listener has answered since it started."""

    accepted: int = 0
    duplicates: int = 0
    refused: Counter[int] = field(default_factory=Counter)
    last_at: datetime | None = None
    last_refusal: str = ""


class _Refusal(Exception):  # an answer, not an error
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Listener:
    """An ASGI application for one workspace's webhooks.

    `secrets` is asked at every delivery, so that a secret may be replaced while both the old and the new are valid.
    `wake` is called after a delivery that was not seen before is on disk.
    """

    def __init__(
        self,
        keep: Keep,
        secrets: Callable[[], Sequence[bytes]],
        clock: Clock,
        *,
        wake: Callable[[], None] = lambda: None,
        paths: Iterable[str] = (),
        body_limit: int = BODY_LIMIT,
        body_timeout_s: float = BODY_TIMEOUT_S,
    ) -> None:
        self._keep = keep
        self._secrets = secrets
        self._clock = clock
        self._wake = wake
        self._paths = {"/", DEFAULT_PATH, *paths}
        self._body_limit = body_limit
        self._body_timeout_s = body_timeout_s
        self.counts = ListenerCounts()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; anything that is not a signed delivery is refused and leaves nothing behind."""
        if scope["type"] != "http":
            return
        try:
            fresh = await self._accept(scope, receive)
        except _Refusal as refusal:
            self.counts.refused[refusal.status] += 1
            self.counts.last_refusal = refusal.reason
            await _answer(send, refusal.status, refusal.reason)
            return
        self.counts.last_at = self._clock.now()
        if fresh:
            self.counts.accepted += 1
            self._wake()
        else:
            self.counts.duplicates += 1
        await _answer(send, 200, "")

    async def _accept(self, scope: Scope, receive: Receive) -> bool:
        if scope["path"] not in self._paths:
            raise _Refusal(404, "Nothing here.")
        if scope["method"] != "POST":
            raise _Refusal(405, "Only POST.")
        headers: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name, value)
        try:
            async with asyncio.timeout(self._body_timeout_s):
                body = await self._read(headers, receive)
        except TimeoutError:
            raise _Refusal(408, "The body took too long.") from None
        signature = headers.get(b"attio-signature") or headers.get(b"x-attio-signature") or b""
        if not signature or not verify(self._secrets(), body, signature.decode("latin-1")):
            raise _Refusal(401, "The signature does not match.")
        try:
            envelope = _DECODER.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise _Refusal(400, "Not a webhook delivery.") from None
        key = _key(headers.get(b"idempotency-key", b""))
        try:
            return await self._keep(key, envelope.webhook_id, body, self._clock.now())
        except errors.StoreError as error:
            # Not on disk, so not 200: Attio will deliver it again.
            raise _Refusal(503, f"Could not keep the delivery: {error}") from error

    async def _read(self, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        declared = headers.get(b"content-length", b"")
        over = declared.isdigit() and int(declared[:20]) > self._body_limit
        parts: list[bytes] = []
        size = 0
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Refusal(400, "The sender went away.")
            part = message.get("body", b"")
            size += len(part)
            more = message.get("more_body", False)
            over = over or size > self._body_limit
            if not over:
                parts.append(part)
            elif size > _DRAIN_LIMIT:
                break
            else:
                parts.clear()
        if over:
            raise _Refusal(413, "The body is larger than a delivery can be.")
        return b"".join(parts)


def _key(header: bytes) -> str:
    if not header:
        # Two equal updates are byte-equal, so a body's hash would drop the second; events are only hints, so a
        # delivery without a key is simply processed.
        return f"none:{uuid.uuid4()}"
    if len(header) > _KEY_LIMIT:
        return f"sha256:{hashlib.sha256(header).hexdigest()}"
    return header.decode("latin-1")


async def _answer(send: Send, status: int, reason: str) -> None:
    body = reason.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    if status == 405:
        headers.append((b"allow", b"POST"))
    if status != 200:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
