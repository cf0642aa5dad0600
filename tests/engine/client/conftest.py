"""A sandbox over HTTP, the client under test, and the sandbox's control surface."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from attio_console.attio import AsyncAttio
from attio_console.net import HttpClient, Timeouts
from attio_console.sandbox import Sandbox, SandboxOptions, running


@dataclass
class Surface:
    """What somebody else does, and what goes wrong."""

    client: httpx.AsyncClient

    async def fault(self, **rule: Any) -> None:
        (await self.client.post("/faults", json={"rules": [{"system": "attio", **rule}]})).raise_for_status()

    async def clear(self) -> None:
        (await self.client.delete("/faults")).raise_for_status()

    async def settings(self, **changes: Any) -> None:
        (await self.client.post("/settings", json=changes)).raise_for_status()

    async def edit(self, kind: str, record_id: str | None, values: dict[str, Any]) -> str:
        body = {"system": "attio", "object": kind, "id": record_id, "values": values}
        answer = await self.client.post("/edit", json=body)
        assert answer.status_code < 300, answer.text
        return str(answer.json()["id"])

    async def delete(self, kind: str, record_id: str) -> None:
        body = {"system": "attio", "object": kind, "id": record_id}
        assert (await self.client.post("/delete", json=body)).status_code < 300

    async def writes(self) -> list[dict[str, Any]]:
        found = (await self.client.get("/writes", params={"after": 0})).json()
        rows = found["writes"] if isinstance(found, dict) else found
        return [row for row in rows if row["system"] == "attio"]

    async def dump(self, kind: str) -> list[dict[str, Any]]:
        text = (await self.client.get(f"/dump/attio/{kind}")).text
        return [json.loads(line) for line in text.splitlines() if line]


@pytest.fixture
def options() -> SandboxOptions:
    return SandboxOptions(records=120, limits=False, enrichment=False, webhook_http=True)


@pytest.fixture
async def sandbox(options: SandboxOptions) -> AsyncIterator[Sandbox]:
    async with running(options) as started:
        yield started


@pytest.fixture
async def attio(sandbox: Sandbox) -> AsyncIterator[AsyncAttio]:
    http = HttpClient(timeouts=Timeouts(read=0.6))
    async with http, AsyncAttio(sandbox.token, base_url=sandbox.attio, http=http) as client:
        yield client


@pytest.fixture
async def surface(sandbox: Sandbox) -> AsyncIterator[Surface]:
    async with httpx.AsyncClient(base_url=sandbox.control, timeout=10) as client:
        yield Surface(client)
