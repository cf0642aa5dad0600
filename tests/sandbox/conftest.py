"""What the sandbox's tests share: sandboxes on free ports, clients for them, and a webhook receiver."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
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


def _contract() -> Any:
    path = Path(__file__).with_name("contract.py")
    spec = importlib.util.spec_from_file_location("attio_contract", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Contract.find()


@pytest.fixture(scope="session")
def contract() -> Any:
    """The published specification, or None where it is absent."""
    return _contract()


@dataclass
class Lab:
    """A running sandbox and clients for its parts."""

    sandbox: Sandbox
    attio: httpx.AsyncClient
    control: httpx.AsyncClient

    async def ok(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        answer = await self.attio.request(method, f"/v2{path}", json=body, **more)
        assert answer.status_code == 200, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json().get("data")

    async def refused(self, status: int, method: str, path: str, body: Any = None, **more: Any) -> Any:
        answer = await self.attio.request(method, f"/v2{path}", json=body, **more)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def steer(self, path: str, **body: Any) -> Any:
        answer = await self.control.post(f"/_sandbox/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def look(self, path: str) -> Any:
        answer = await self.control.get(f"/_sandbox/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def record(self, slug: str = "companies", **values: Any) -> str:
        made = await self.ok(
            "POST", f"/objects/{slug}/records", {"data": {"values": values or {"name": "Acme"}}}
        )
        return str(made["id"]["record_id"])

    async def member(self) -> str:
        members = await self.ok("GET", "/workspace_members")
        return str(members[0]["id"]["workspace_member_id"])

    async def pipeline(self, slug: str = "sales") -> str:
        """Make a list of companies with a stage of two statuses."""
        fields = {"name": slug.title(), "api_slug": slug, "parent_object": "companies"}
        access = {"workspace_access": "full-access", "workspace_member_access": []}
        made = await self.ok("POST", "/lists", {"data": fields | access})
        stage = {"title": "Stage", "description": None, "api_slug": "stage", "type": "status", "config": {}}
        marks = {"is_required": False, "is_unique": False, "is_multiselect": False}
        await self.ok("POST", f"/lists/{slug}/attributes", {"data": stage | marks})
        for title in ("Lead", "Won"):
            await self.ok("POST", f"/lists/{slug}/attributes/stage/statuses", {"data": {"title": title}})
        return str(made["id"]["list_id"])

    async def entry(self, company: str, slug: str = "sales") -> str:
        body = {"parent_record_id": company, "parent_object": "companies", "entry_values": {"stage": "Lead"}}
        made = await self.ok("POST", f"/lists/{slug}/entries", {"data": body})
        return str(made["id"]["entry_id"])


@pytest.fixture
def lab(contract: Any) -> Callable[..., contextlib.AbstractAsyncContextManager[Lab]]:
    """Start a sandbox: `async with lab(limits=False) as it`; its exchanges are held against the specification."""
    from attio_console.sandbox import SandboxOptions, running

    @contextlib.asynccontextmanager
    async def start(**options: Any) -> AsyncIterator[Lab]:
        options = {"records": 0, "webhook_http": True, "enrichment": False, "limits": False, **options}
        problems: list[str] = []

        async def check(response: httpx.Response) -> None:
            if contract is not None and response.headers.get("x-attio-execution-id"):
                sent, answer = response.request, await response.aread()
                is_form = sent.headers.get("content-type", "").startswith("multipart/")
                body = b"" if is_form else sent.content
                found = contract.check(sent.method, sent.url.path, body, response.status_code, answer)
                # Plain http to this machine is the sandbox's own addition.
                problems.extend(each for each in found if "does not match '^https" not in each)

        async with running(SandboxOptions(**options)) as sandbox:
            headers = {"authorization": f"Bearer {sandbox.token}"}
            hooks = {"response": [check]}
            async with (
                httpx.AsyncClient(
                    base_url=sandbox.attio, headers=headers, timeout=20, event_hooks=hooks
                ) as attio,
                httpx.AsyncClient(base_url=sandbox.attio, timeout=20) as control,
            ):
                yield Lab(sandbox, attio, control)
        assert not problems, "\n".join(problems)

    return start
