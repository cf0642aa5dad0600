"""Uvicorn inside the loop that is already running: no signal handlers, no task of its own, bounded connections."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from attio_console import errors
from attio_console.webhook.listener import Listener

MAX_CONNECTIONS = 64
HEADER_TIMEOUT_S = 5.0
HEADER_LIMIT = 32 * 1024

_BUSY = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Address:
    """Where the listener listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """Return the address as a URL without a path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def __str__(self) -> str:
        return self.url


class _Guarded(HttpToolsProtocol):
    """Uvicorn's protocol plus what it leaves open: a limit on connections, on headers, and on waiting for them."""

    _timer: asyncio.TimerHandle | None = None
    _header_bytes = 0
    _since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        if len(self.connections) >= MAX_CONNECTIONS and not self._make_room():
            transport.write(_BUSY)
            transport.close()
            return
        super().connection_made(transport)
        self._since = self.loop.time()
        self._arm()

    def _make_room(self) -> bool:
        """Hang up on whoever has been silent for longest: a crowd that only waits must not keep a delivery out."""
        idle = [one for one in self.connections if isinstance(one, _Guarded) and not one._is_answering]
        if not idle:
            return False
        oldest = min(idle, key=lambda one: one._since)
        # Not in a moment, when the transport tells of it, but for whoever asks next.
        self.connections.discard(oldest)
        oldest.transport.abort()
        return True

    @property
    def _is_answering(self) -> bool:
        """Whether a whole request has arrived and its answer is on the way."""
        cycle = self.cycle
        return cycle is not None and not cycle.more_body and not cycle.response_complete

    def data_received(self, data: bytes) -> None:
        # A refused connection has no transport here, and its bytes go nowhere.
        if self.transport is None or self.transport.is_closing():
            return
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        if self.transport is not None:
            super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._header_bytes = 0
        self._arm()
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._disarm()
        if not self.transport.is_closing():
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self.cycle is not None:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self.cycle is not None:
            super().on_message_complete()

    def _count(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > HEADER_LIMIT and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def _arm(self) -> None:
        self._disarm()
        self._timer = self.loop.call_later(HEADER_TIMEOUT_S, self._too_slow)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        if not self.transport.is_closing():
            self.transport.abort()


@asynccontextmanager
async def serve(listener: Listener, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Address]:
    """Serve the listener in the running loop; raises ConfigError where the address cannot be had."""
    listening = _bind(host, port)
    config = uvicorn.Config(
        cast("Any", listener),
        http=_Guarded,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        # What uvicorn would log (a stranger's malformed request) belongs in the status, not on the screen.
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=2,
    )
    config.load()
    server = uvicorn.Server(config)
    # Only start and stop are used, not serve(): that would take over SIGINT and poll ten times a second.
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listening])
    try:
        bound = listening.getsockname()
        yield Address(bound[0], bound[1])
    finally:
        await server.shutdown(sockets=[listening])


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, because asyncio switches Nagle's delay off only where it sees that this is TCP.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        reason = "the port is in use" if error.errno == errno.EADDRINUSE else (error.strerror or str(error))
        raise errors.ConfigError(
            f"Cannot listen for webhooks on {host}:{port}: {reason}.",
            hint="Choose another port with --listen or webhook.port, or 0 for any free one.",
        ) from error
    return listening
