"""uvicorn as the sandbox wants it: no signals of its own, ready when it says so, and safe from endless headers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Iterator

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from attio_console.errors import ConsoleError
from attio_console.sandbox.server import AsgiApp

_HEAD_CAP = 128 * 1024
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class CannotListen(ConsoleError):
    """A port is taken, or not allowed."""

    title = "Port not available"
    hint = "Choose another port, or 0 for any free one."


class _Protocol(HttpToolsProtocol):
    """The parser keeps a header of any size in memory; this drops the line once the head is out of proportion."""

    _head = 0
    _in_head = False

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._in_head:
            self._head = 0
            return
        self._head += len(data)
        if self._head > _HEAD_CAP and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()


class HttpServer(uvicorn.Server):
    """One uvicorn server on a socket of ours."""

    def __init__(self, app: AsgiApp, listening: socket.socket) -> None:
        super().__init__(
            uvicorn.Config(
                app=app,
                http=_Protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="error",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=1,
            )
        )
        self.ready = asyncio.Event()
        self._listening = listening

    @property
    def url(self) -> str:
        """Where the server answers."""
        host, port = self._listening.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever started the sandbox."""
        yield

    async def run_until_stopped(self) -> None:
        """Serve until `should_exit` is set."""
        await self.serve(sockets=[self._listening])


def listen(host: str, port: int) -> socket.socket:
    """Open a listening socket, or say which port could not be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise CannotListen(f"Cannot listen on {host}:{port}: {_reason(error)}") from error
    # asyncio does this only for sockets that name their protocol; without it every answer waits 40 ms for an ACK.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listening.setblocking(False)
    return listening


def _reason(error: OSError) -> str:
    # The text of the error itself repeats the address.
    return os.strerror(error.errno) if error.errno else str(error)
