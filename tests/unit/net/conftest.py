"""A server that answers what it is told, over a real socket, and remembers what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest


@dataclass
class Asked:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Reply:
    """`action` instead of an answer: "reset" after reading the request, "hang" until the client gives up."""

    status: int = 200
    body: bytes = b'{"data":{}}'
    headers: dict[str, str] = field(default_factory=dict)
    action: str = ""


@dataclass
class Scripted:
    replies: list[Reply] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    answer: Callable[[Asked], Reply] | None = None
    url: str = ""

    def then(self, *replies: Reply) -> None:
        self.replies += replies

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                method, target, _ = head[0].split(" ")
                headers = {
                    k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)
                }
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                asked = Asked(method, target, headers, body)
                self.asked.append(asked)
                reply = (
                    self.answer(asked) if self.answer else self.replies.pop(0) if self.replies else Reply()
                )
                if reply.action == "hang":
                    await reader.read()
                    return
                if reply.action == "reset":
                    writer.transport.abort()
                    return
                lines = [f"HTTP/1.1 {reply.status} X", f"content-length: {len(reply.body)}"]
                lines += [f"{name}: {value}" for name, value in reply.headers.items()]
                writer.write("\r\n".join([*lines, "", ""]).encode() + reply.body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@pytest.fixture
async def scripted() -> AsyncIterator[Scripted]:
    server = Scripted()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    host, port = listening.sockets[0].getsockname()[:2]
    server.url = f"http://{host}:{port}"
    yield server
    listening.close()


@pytest.fixture
def reply() -> type[Reply]:
    return Reply
