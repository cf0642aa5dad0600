from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from attio_console.sandbox import Sandbox, SandboxOptions, running
from attio_console.sandbox.hubspot import HubSpot


@dataclass
class Portal:
    """A HubSpot account behind a real socket, and a client with its service key."""

    sandbox: Sandbox
    http: httpx.AsyncClient

    @property
    def account(self) -> HubSpot:
        return self.sandbox.world.part(HubSpot)

    async def ask(self, status: int, method: str, path: str, body: Any = None, **more: Any) -> Any:
        answer = await self.http.request(method, path, json=body, **more)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def make(self, kind: str = "contacts", **properties: Any) -> str:
        made = await self.ask(201, "POST", f"/crm/v3/objects/{kind}", {"properties": properties})
        return str(made["id"])

    async def found(self, *filters: dict[str, Any], kind: str = "contacts", **query: Any) -> list[str]:
        body = {"filterGroups": [{"filters": list(filters)}] if filters else [], "limit": 200, **query}
        answer = await self.ask(200, "POST", f"/crm/v3/objects/{kind}/search", body)
        return [row["id"] for row in answer["results"]]

    def writes(self) -> list[dict[str, Any]]:
        return [e.json() for e in self.sandbox.world.journal.after(0) if e.system == "hubspot"]


@contextlib.asynccontextmanager
async def _start(**options: Any) -> AsyncIterator[Portal]:
    options = {"records": 0, "limits": False, **options}
    async with running(SandboxOptions(**options)) as sandbox:
        headers = {"authorization": f"Bearer {sandbox.tokens['hubspot']}"}
        async with httpx.AsyncClient(base_url=sandbox.hubspot, headers=headers, timeout=20) as http:
            yield Portal(sandbox, http)


@pytest.fixture
def start() -> Callable[..., contextlib.AbstractAsyncContextManager[Portal]]:
    return _start


@pytest.fixture
async def portal() -> AsyncIterator[Portal]:
    async with _start() as one:
        yield one
