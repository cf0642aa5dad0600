"""What the sandbox's tests share: sandboxes on free ports, clients for them, and a webhook receiver."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from attio_console.sandbox import Sandbox


@dataclass
class Received:
    """One delivery as it arrived."""

    headers: dict[str, str]
    body: bytes
    at: float


@dataclass
class Receiver:
    """A little webhook target over a real socket."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answer: Callable[[Received], int | None] = lambda _: 200
    """Status to answer with; None drops the line."""
    connections: int = 0
    serving: set[Any] = field(default_factory=set)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.serving.add(asyncio.current_task())
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[1:]
                headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in head if line)}
                body = await reader.readexactly(int(headers["content-length"]))
                delivery = Received(headers, body, asyncio.get_running_loop().time())
                async with self._news:
                    self.received.append(delivery)
                    self._news.notify_all()
                status = self.answer(delivery)
                if status is None:
                    break
                writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: 2\r\n\r\nok".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def wait_for(self, count: int, seconds: float = 10) -> list[Received]:
        async with asyncio.timeout(seconds), self._news:
            await self._news.wait_for(lambda: len(self.received) >= count)
        return self.received


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    target = Receiver()
    server = await asyncio.start_server(target.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    target.url = f"http://{host}:{port}/hook"
    yield target
    server.close()
    for task in target.serving:
        task.cancel()
    await asyncio.gather(*target.serving, return_exceptions=True)


@dataclass
class Lab:
    """A running sandbox and clients for its parts."""

    sandbox: Sandbox
    attio: httpx.AsyncClient
    control: httpx.AsyncClient

    async def post_control(self, path: str, **body: Any) -> Any:
        answer = await self.control.post(f"/_sandbox/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def first_record(self, slug: str) -> str:
        query = {"limit": 1, "sorts": [{"attribute": "created_at", "direction": "asc"}]}
        answer = await self.attio.post(f"/v2/objects/{slug}/records/query", json=query)
        return str(answer.json()["data"][0]["id"]["record_id"])


@pytest.fixture
def lab() -> Callable[..., contextlib.AbstractAsyncContextManager[Lab]]:
    """Start a sandbox: `async with lab(records=0, limits=False) as it`."""

    from attio_console.sandbox import SandboxOptions, running

    @contextlib.asynccontextmanager
    async def start(**options: Any) -> AsyncIterator[Lab]:
        options = {"records": 0, "webhook_http": True, "enrichment": False, **options}
        async with running(SandboxOptions(**options)) as sandbox:
            headers = {"authorization": f"Bearer {sandbox.token}"}
            async with (
                httpx.AsyncClient(base_url=sandbox.attio, headers=headers, timeout=20) as attio,
                httpx.AsyncClient(base_url=sandbox.attio, timeout=20) as control,
            ):
                yield Lab(sandbox, attio, control)

    return start
