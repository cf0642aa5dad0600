"""A real engine on a real store against a sandbox over HTTP, and a hand on the sandbox's control surface."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from attio_console.sandbox import Sandbox
    from attio_console.store import Store
    from attio_console.sync.bus import Bus
    from attio_console.sync.engine import Engine


class Control:
    """Somebody else in the workspace, and the switches behind the scenes."""

    def __init__(self, base: str) -> None:
        self._client = httpx.AsyncClient(base_url=f"{base}/_sandbox", timeout=30)

    async def close(self) -> None:
        await self._client.aclose()

    async def get(self, path: str, **params: Any) -> Any:
        answer = await self._client.get(path, params=params)
        answer.raise_for_status()
        return answer.json()

    async def post(self, path: str, **body: Any) -> Any:
        answer = await self._client.post(path, json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    async def edit(self, kind: str, record_id: str | None, values: dict[str, Any], **more: Any) -> str:
        done = await self.post("/edit", system="attio", object=kind, id=record_id, values=values, **more)
        return str(done["id"])

    async def dump(self, kind: str) -> dict[str, dict[str, Any]]:
        answer = await self._client.get(f"/dump/attio/{kind}")
        answer.raise_for_status()
        rows = [json.loads(line) for line in answer.text.splitlines() if line]
        return {row_id(row): row for row in rows}

    async def writes(self, after: int = 0) -> list[dict[str, Any]]:
        return [w for w in await self.get("/writes", after=after) if w["system"] == "attio"]

    async def seq(self) -> int:
        found = await self.get("/writes")
        return max((w["seq"] for w in found), default=0)

    async def fault(self, **rule: Any) -> None:
        await self.post("/faults", rules=[{"system": "attio", **rule}])

    async def no_faults(self) -> None:
        (await self._client.delete("/faults")).raise_for_status()


def row_id(row: dict[str, Any]) -> str:
    ids = row["id"]
    found = next((ids[key] for key in ("entry_id", "note_id", "task_id", "record_id") if key in ids), None)
    return str(found)


@dataclass
class House:
    """One console without a screen."""

    sandbox: Sandbox
    control: Control
    store: Store
    bus: Bus
    engine: Engine

    async def until(self, holds: Callable[[], bool], seconds: float = 20) -> None:
        """Return once it holds, looking whenever the bus says that something changed."""
        with self.bus.subscribe() as changes:
            async with asyncio.timeout(seconds):
                while not holds():
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(0.2):
                            await anext(changes)

    async def live(self, seconds: float = 60) -> None:
        await self.until(lambda: self.engine.status().attio_state == "live", seconds)

    def object_id(self, slug: str) -> str:
        found = self.store.mirror.schema.object(slug) or self.store.mirror.schema.list(slug)
        assert found is not None, slug
        return found.id

    def document(self, slug: str, record_id: str) -> dict[str, Any] | None:
        collection = slug if ":" in slug else self.object_id(slug)
        raw = self.store.mirror.raw(collection, record_id)
        return None if raw is None else json.loads(raw)

    def value(self, slug: str, record_id: str, attribute: str) -> list[Any]:
        from attio_console.model.values import from_attio

        document = self.document(slug, record_id)
        assert document is not None
        fields = document.get("values") or document.get("entry_values")
        return from_attio(fields[attribute])


def options(**more: Any) -> Any:
    from attio_console.sandbox import SandboxOptions

    settings: dict[str, Any] = {"records": 60, "webhook_http": True, "enrichment": False}
    return SandboxOptions(**(settings | more))


@contextlib.asynccontextmanager
async def console(
    sandbox: Sandbox,
    directory: Path,
    control: Control,
    *,
    secrets: Any = None,
    webhooks: str = "listen",
    **profile_settings: Any,
) -> AsyncIterator[House]:
    """Open a console's store and engine on that sandbox for the length of the block."""
    from attio_console.config.profiles import Profile, WebhookConfig
    from attio_console.config.secrets import MemorySecrets
    from attio_console.model.clock import SystemClock
    from attio_console.store import Store
    from attio_console.sync.bus import Bus
    from attio_console.sync.engine import Engine

    profile = Profile(
        name="test",
        base_url=sandbox.attio,
        webhook=WebhookConfig(mode=webhooks, host="127.0.0.1", port=0),
        **profile_settings,
    )
    if secrets is None:
        secrets = MemorySecrets()
        secrets.set("test", "attio", sandbox.token)
    store = await Store.open(directory, clock=SystemClock())
    try:
        bus = Bus()
        engine = Engine(profile, secrets, store, bus, SystemClock(), random.Random(1))
        async with running(engine):
            yield House(sandbox, control, store, bus, engine)
    finally:
        await store.close()


@contextlib.asynccontextmanager
async def running(engine: Engine) -> AsyncIterator[None]:
    problem: BaseException | None = None
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(engine.run())
        try:
            yield
        except BaseException as error:  # kept, so that it is raised bare and not in a group
            problem = error
        task.cancel()
    if problem is not None:
        raise problem


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    from attio_console.sandbox import running as sandbox_running

    async with sandbox_running(options()) as running_sandbox:
        yield running_sandbox


@pytest.fixture
async def control(sandbox: Sandbox) -> AsyncIterator[Control]:
    hand = Control(sandbox.attio)
    if not await hand.dump("people"):
        for number in range(25):
            name = {"first_name": "Ann", "last_name": f"No{number}", "full_name": f"Ann No{number}"}
            await hand.edit("people", None, {"name": name, "email_addresses": [f"ann{number}@house.example"]})
    yield hand
    await hand.close()


@pytest.fixture
async def house(sandbox: Sandbox, control: Control, tmp_path: Path) -> AsyncIterator[House]:
    async with console(sandbox, tmp_path / "data", control) as opened:
        await opened.live()
        yield opened
