from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from attio_console.sandbox import Sandbox, SandboxOptions, running
from attio_console.sandbox.salesforce import Salesforce

BASE = "/services/data/v67.0"


@dataclass
class Org:
    """A Salesforce org behind a real socket, and a client with a session."""

    sandbox: Sandbox
    http: httpx.AsyncClient

    @property
    def org(self) -> Salesforce:
        return self.sandbox.world.part(Salesforce)

    async def raw(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        url = path if path.startswith(("/services", "http")) else f"{BASE}{path}"
        return await self.http.request(method, url, json=body, **more)

    async def ask(self, status: int, method: str, path: str, body: Any = None, **more: Any) -> Any:
        answer = await self.raw(method, path, body, **more)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def refused(
        self, status: int, code: str, method: str, path: str, body: Any = None, **more: Any
    ) -> Any:
        errors = await self.ask(status, method, path, body, **more)
        assert [e["errorCode"] for e in errors] == [code], errors
        return errors[0]

    async def make(self, kind: str = "Contact", **values: Any) -> str:
        values = values or {"LastName": "Doe"}
        return str((await self.ask(201, "POST", f"/sobjects/{kind}", values))["id"])

    async def query(self, soql: str, *, deleted: bool = False) -> list[dict[str, Any]]:
        answer = await self.ask(200, "GET", "/queryAll" if deleted else "/query", params={"q": soql})
        assert answer["totalSize"] >= len(answer["records"])
        return list(answer["records"])

    async def names(self, where: str, field: str = "LastName", of: str = "Contact") -> list[Any]:
        return [row[field] for row in await self.query(f"SELECT {field} FROM {of} {where}")]

    def writes(self) -> list[dict[str, Any]]:
        return [e.json() for e in self.sandbox.world.journal.after(0) if e.system == "salesforce"]


@contextlib.asynccontextmanager
async def _start(**options: Any) -> AsyncIterator[Org]:
    async with running(SandboxOptions(**{"records": 0, **options})) as sandbox:
        headers = {"authorization": f"Bearer {sandbox.tokens['salesforce']['access_token']}"}
        async with httpx.AsyncClient(base_url=sandbox.salesforce, headers=headers, timeout=20) as http:
            yield Org(sandbox, http)


@pytest.fixture
def start() -> Callable[..., contextlib.AbstractAsyncContextManager[Org]]:
    return _start


@pytest.fixture
async def org() -> AsyncIterator[Org]:
    async with _start() as one:
        yield one
