"""A small HTTP/1.1 client for webhook deliveries: POST, keep-alive connections, http and https."""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict
from collections.abc import Iterable
from urllib.parse import urlsplit

_HEAD_CAP = 64 * 1024
_BODY_CAP = 1024 * 1024
_IDLE_CAP = 64


class DeliveryFailed(Exception):
    """No complete answer came back: not reachable, too slow, or not HTTP."""


class _Stale(Exception):
    """A kept connection turned out to be closed before a byte of the answer came."""


class _Connection:
    __slots__ = ("reader", "used", "writer")

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.used = False

    def close(self) -> None:
        self.writer.close()


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
            connection.close()

    async def _exchange(self, key: tuple[str, str, int], request: bytes) -> int:
        idle = self._idle[key]
        while idle:
            try:
                return await self._over(idle.pop(), key, request)
            except _Stale:
                continue
        scheme, host, port = key
        reader, writer = await asyncio.open_connection(
            host, port, ssl=self._context() if scheme == "https" else None, limit=_HEAD_CAP
        )
        return await self._over(_Connection(reader, writer), key, request)

    async def _over(self, connection: _Connection, key: tuple[str, str, int], request: bytes) -> int:
        keep = False
        try:
            status, keep = await _ask(connection, request)
        finally:
            connection.used = True
            if keep and len(self._idle[key]) < _IDLE_CAP:
                self._idle[key].append(connection)
            else:
                connection.close()
        return status

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls


async def _ask(connection: _Connection, request: bytes) -> tuple[int, bool]:
    """Send a request over one connection; return the status and whether the connection can be used again."""
    try:
        connection.writer.write(request)
        await connection.writer.drain()
        head = await connection.reader.readuntil(b"\r\n\r\n")
    except (ConnectionError, asyncio.IncompleteReadError) as error:
        lost_before_answer = not (isinstance(error, asyncio.IncompleteReadError) and error.partial)
        if connection.used and lost_before_answer:
            raise _Stale from error
        raise
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
