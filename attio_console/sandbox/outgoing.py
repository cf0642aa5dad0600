"""A small HTTP/1.1 client for webhook deliveries: POST, keep-alive connections, http and https."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import defaultdict
from collections.abc import Iterable
from urllib.parse import urlsplit

_HEAD_CAP = 64 * 1024
_BODY_CAP = 1024 * 1024
_IDLE_CAP = 64
_IDLE_S = 3.0
"""Servers drop a quiet connection after some seconds; an older one is not trusted with a delivery."""


class DeliveryFailed(Exception):
    """No complete answer came back: not reachable, too slow, or not HTTP."""


class _Connection:
    __slots__ = ("idle_since", "reader", "writer")

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.idle_since = 0.0

    def usable(self, now: float) -> bool:
        return not self.reader.at_eof() and not self.writer.is_closing() and now - self.idle_since < _IDLE_S


class Poster:
    """Connections to webhook targets, kept alive between deliveries."""

    def __init__(self) -> None:
        self._idle: dict[tuple[str, str, int], list[_Connection]] = defaultdict(list)
        self._tls: ssl.SSLContext | None = None

    async def post(
        self, url: str, headers: Iterable[tuple[str, str]], body: bytes, *, timeout_s: float = 5.0
    ) -> int:
        """Send one POST and return the status of its answer, or raise `DeliveryFailed`."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise DeliveryFailed(f"not a URL to deliver to: {url}")
        try:
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError as error:
            raise DeliveryFailed(f"not a URL to deliver to: {url}") from error
        key = (parts.scheme, parts.hostname, port)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        host = parts.netloc.rpartition("@")[2]
        lines = [f"POST {target} HTTP/1.1", f"host: {host}", f"content-length: {len(body)}"]
        lines.extend(f"{name}: {value}" for name, value in headers)
        request = "\r\n".join([*lines, "", ""]).encode("latin-1") + body
        try:
            async with asyncio.timeout(timeout_s):
                return await self._exchange(key, request)
        except TimeoutError as error:
            raise DeliveryFailed(f"no answer within {timeout_s:g} s") from error
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise DeliveryFailed(str(error) or type(error).__name__) from error

    async def close(self) -> None:
        """Close the kept connections."""
        connections = [connection for idle in self._idle.values() for connection in idle]
        self._idle.clear()
        for connection in connections:
            connection.writer.close()
        for connection in connections:
            with contextlib.suppress(OSError):
                await connection.writer.wait_closed()

    async def _exchange(self, key: tuple[str, str, int], request: bytes) -> int:
        connection = self._kept(key)
        if connection is None:
            scheme, host, port = key
            tls = self._context() if scheme == "https" else None
            connection = _Connection(*await asyncio.open_connection(host, port, ssl=tls, limit=_HEAD_CAP))
        keep = False
        try:
            status, keep = await _ask(connection, request)
        finally:
            if keep and len(self._idle[key]) < _IDLE_CAP:
                connection.idle_since = asyncio.get_running_loop().time()
                self._idle[key].append(connection)
            else:
                connection.writer.close()
        return status

    def _kept(self, key: tuple[str, str, int]) -> _Connection | None:
        idle = self._idle[key]
        now = asyncio.get_running_loop().time()
        while idle:
            connection = idle.pop()
            if connection.usable(now):
                return connection
            connection.writer.close()
        return None

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls


async def _ask(connection: _Connection, request: bytes) -> tuple[int, bool]:
    """Send a request over one connection; return the status and whether the connection can be used again."""
    connection.writer.write(request)
    await connection.writer.drain()
    head = await connection.reader.readuntil(b"\r\n\r\n")
    status_line, *rest = head.decode("latin-1").split("\r\n")
    words = status_line.split(" ", 2)
    if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdigit():
        raise ValueError("the answer is not HTTP/1.1")
    status = int(words[1])
    headers = dict(_header(line) for line in rest if line)
    keep = words[0] == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
    return status, await _skip_body(connection.reader, status, headers) and keep


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()


async def _skip_body(reader: asyncio.StreamReader, status: int, headers: dict[str, str]) -> bool:
    """Read past the body; False when the connection cannot be used again."""
    if status in {204, 304}:
        return True
    if "chunked" in headers.get("transfer-encoding", "").lower():
        total = 0
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            total += size
            if total > _BODY_CAP:
                return False
            await reader.readexactly(size + 2)
        while (await reader.readuntil(b"\r\n")) != b"\r\n":
            continue
        return True
    length = headers.get("content-length")
    if length is None or not length.isdigit() or int(length) > _BODY_CAP:
        return False
    await reader.readexactly(int(length))
    return True
