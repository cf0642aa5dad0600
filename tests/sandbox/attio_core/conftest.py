"""A world with one workspace behind real HTTP, and a client whose every exchange is held against the specification."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from attio_console.sandbox.attio.app import attio_app
from attio_console.sandbox.attio.enrichment import watch
from attio_console.sandbox.attio.standard import install_standard_objects
from attio_console.sandbox.attio.state import Crm
from attio_console.sandbox.serving import HttpServer, listen
from attio_console.sandbox.world import Settings, Workspace, World

TOKEN = "test-token"


def _contract_module() -> Any:
    path = Path(__file__).resolve().parents[1] / "contract.py"
    spec = importlib.util.spec_from_file_location("attio_contract", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_CONTRACT = _contract_module().Contract.find()


@dataclass
class Api:
    """The client, and what a test may want to look behind it."""

    world: World
    workspace: Workspace
    client: httpx.AsyncClient
    events: list[dict[str, Any]]

    @property
    def crm(self) -> Crm:
        return self.workspace.part(Crm)

    async def ok(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        answer = await self.client.request(method, f"/v2{path}", json=body, **more)
        assert answer.status_code == 200, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json().get("data", {})

    async def refused(self, method: str, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
        answer = await self.client.request(method, f"/v2{path}", json=body, **more)
        assert answer.status_code >= 400, f"{method} {path}: {answer.status_code} {answer.text}"
        refusal: dict[str, Any] = answer.json()
        return refusal

    async def create(self, key: str, **values: Any) -> dict[str, Any]:
        record: dict[str, Any] = await self.ok(
            "POST", f"/objects/{key}/records", {"data": {"values": values}}
        )
        return record

    async def custom(
        self, type: str, slug: str = "field", *, on: str = "objects/things", **more: Any
    ) -> dict[str, Any]:
        """Add an attribute to the custom object `things` (or another object or list)."""
        data = {
            "title": slug,
            "description": None,
            "api_slug": slug,
            "type": type,
            "is_required": False,
            "is_unique": False,
            "is_multiselect": False,
            "config": {},
            **more,
        }
        attribute: dict[str, Any] = await self.ok("POST", f"/{on}/attributes", {"data": data})
        return attribute

    async def things(self) -> dict[str, Any]:
        data = {"api_slug": "things", "singular_noun": "Thing", "plural_noun": "Things"}
        made: dict[str, Any] = await self.ok("POST", "/objects", {"data": data})
        return made

    async def query(self, key: str, on: str = "objects", **body: Any) -> list[dict[str, Any]]:
        kind = "records" if on == "objects" else "entries"
        rows: list[dict[str, Any]] = await self.ok("POST", f"/{on}/{key}/{kind}/query", body)
        return rows


def held_to_the_contract(response_problems: list[str]) -> Any:
    async def check(response: httpx.Response) -> None:
        body = await response.aread()
        if _CONTRACT is not None:
            request = response.request
            response_problems.extend(
                _CONTRACT.check(request.method, request.url.path, request.content, response.status_code, body)
            )

    return check


@pytest.fixture
def contract() -> Any:
    if _CONTRACT is None:
        pytest.skip("the specification is not here")
    return _CONTRACT


@contextlib.asynccontextmanager
async def serving(world: World) -> AsyncIterator[str]:
    with contextlib.closing(listen("127.0.0.1", 0)) as listening:
        server = HttpServer(attio_app(world), listening)
        async with asyncio.TaskGroup() as group:
            group.create_task(server.run_until_stopped())
            await server.ready.wait()
            try:
                yield server.url
            finally:
                server.should_exit = True


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    world = World(7, settings=Settings(limits=False, enrichment_delay_s=5))
    workspace = world.add_workspace("Northwind", "northwind", token=TOKEN)
    workspace.add_member("Ada", "Admin", "ada@northwind.example", "admin")
    workspace.add_member("Bo", "Berg", "bo@northwind.example")
    watch(install_standard_objects(workspace))
    events: list[dict[str, Any]] = []
    workspace.events.subscribe(lambda event: events.append(event.payload()))
    problems: list[str] = []
    async with (
        serving(world) as url,
        httpx.AsyncClient(
            base_url=url,
            headers={"authorization": f"Bearer {TOKEN}"},
            timeout=20,
            event_hooks={"response": [held_to_the_contract(problems)]},
        ) as client,
    ):
        yield Api(world, workspace, client, events)
    assert not problems, "\n".join(problems)
