"""A console linked to all three stand-ins, over HTTP."""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from attio_console.sync.crm_context import load_context
from tests.engine.conftest import Control, House, options, running

if TYPE_CHECKING:
    from attio_console.sandbox import Sandbox
    from attio_console.store.types import ConflictRow, Pair

TYPES = {
    "hubspot": {"people": "contacts", "companies": "companies", "deals": "deals"},
    "salesforce": {"people": "Contact", "companies": "Account", "deals": "Opportunity"},
}


STAMPS = {"hubspot": "attio_record_id", "salesforce": "Attio_Id__c"}


def written_fields(write: dict[str, Any]) -> dict[str, Any]:
    """Return the native fields of one write of the journal."""
    body = write["body"] or {}
    return dict(
        body.get("properties") or {k: v for k, v in body.items() if k not in {"attributes", "Id", "id"}}
    )


def is_stamp(write: dict[str, Any]) -> bool:
    """Return whether a write only says which Attio record the other one stands for."""
    return list(written_fields(write)) == [STAMPS[write["system"]]]


class Linked(House):
    """The console, and what the other systems hold."""

    system: str = ""

    async def quiet(self, seconds: float = 30) -> None:
        """Return once everything was read, paired, compared and sent."""
        await self.until(self._is_quiet, seconds)

    def _is_quiet(self) -> bool:
        syncs = [link.sync for link in self.engine.links]
        return (
            bool(syncs)
            and all(sync is not None and sync.is_settled for sync in syncs)
            and self.store.outbox.depth().pending == 0
        )

    async def rounds(self, count: int = 2) -> None:
        """Return after that many more polls of every link."""
        for _ in range(count):
            before = [link.sync.polls if link.sync else 0 for link in self.engine.links]
            for link in self.engine.links:
                link.poke()

            def moved(seen: list[int] = before) -> bool:
                return all(
                    link.sync is not None and link.sync.polls > n
                    for link, n in zip(self.engine.links, seen, strict=True)
                )

            await self.until(moved)
        await self.quiet()

    async def dump(self, system: str, kind: str) -> dict[str, dict[str, Any]]:
        """Return what a stand-in really holds, by id, in its native fields."""
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"{self.sandbox.control}/dump/{system}/{kind}")
        rows = [json.loads(line) for line in answer.text.splitlines() if line]
        return {str(r.get("id") or r.get("Id")): r.get("properties") or r for r in rows}

    async def writes(self, system: str, after: int = 0) -> list[dict[str, Any]]:
        """Return what came in over that system's API since then."""
        found = await self.control.get("/writes", after=after)
        return [w for w in found if w["system"] == system and w["method"] not in {"EDIT", "DELETE_BY_HAND"}]

    def pair_of(
        self, system: str, kind: str, position: int = 0, fits: Callable[[Pair], bool] | None = None
    ) -> Pair:
        """Return a confirmed pair without conflicts that has its counterpart in that system alone."""
        found = []
        for pair in self.store.pairs.list(system, object_key=kind, state="confirmed", limit=5000):
            counterparts = [p for p in self.store.pairs.by_record(pair.record_id) if p.state == "confirmed"]
            usual = pair.external_type == TYPES[system][kind] and len(counterparts) == 1
            calm = usual and self._is_agreed(pair) and not self.store.conflicts.for_pair(pair.id)
            if calm and (fits is None or fits(pair)):
                found.append(pair)
        return found[position]

    def _is_agreed(self, pair: Pair) -> bool:
        mapping = load_context(self.store, pair.system).mapping.object(pair.object_key, pair.external_type)
        assert mapping is not None
        return {field.attio for field in mapping.fields} <= set(self.store.pairs.bases(pair.id))

    def open_conflicts(self, kind: str | None = None) -> list[ConflictRow]:
        """Return the open conflicts of a kind."""
        return [c for c in self.store.conflicts.list("open", 0, 1000) if kind in {None, c.kind}]


@contextlib.asynccontextmanager
async def linked_console(
    sandbox: Sandbox,
    directory: Path,
    control: Control,
    *,
    accepted: bool = True,
    systems: tuple[str, ...] = ("hubspot", "salesforce"),
    mappings: Mapping[str, Path] | None = None,
    poll_s: float = 0.5,
) -> AsyncIterator[Linked]:
    from attio_console.config.profiles import HubSpotLink, Profile, SalesforceLink, WebhookConfig
    from attio_console.config.secrets import MemorySecrets
    from attio_console.model.clock import SystemClock
    from attio_console.store import Store
    from attio_console.sync.bus import Bus
    from attio_console.sync.crm_sync import accept_first_sync
    from attio_console.sync.engine import Engine

    tokens, files = sandbox.tokens, dict(mappings or {})
    profile = Profile(
        name="test",
        base_url=sandbox.attio,
        webhook=WebhookConfig(mode="listen", host="127.0.0.1", port=0),
        hubspot=HubSpotLink(base_url=sandbox.hubspot, poll_s=poll_s, mapping=files.get("hubspot"))
        if "hubspot" in systems
        else None,
        salesforce=SalesforceLink(
            login_url=sandbox.salesforce,
            client_id=tokens["salesforce"]["client_id"],
            poll_s=poll_s,
            mapping=files.get("salesforce"),
        )
        if "salesforce" in systems
        else None,
    )
    secrets = MemorySecrets()
    secrets.set("test", "attio", sandbox.token)
    secrets.set("test", "hubspot", tokens["hubspot"])
    secrets.set("test", "salesforce", tokens["salesforce"]["client_secret"])
    store = await Store.open(directory, clock=SystemClock())
    try:
        if accepted:
            for system in systems:
                await accept_first_sync(store, system)
        bus = Bus()
        engine = Engine(profile, secrets, store, bus, SystemClock(), random.Random(1))
        async with running(engine):
            yield Linked(sandbox, control, store, bus, engine)
    finally:
        await store.close()


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    from attio_console.sandbox import running as sandbox_running

    async with sandbox_running(options(records=300, limits=False)) as running_sandbox:
        yield running_sandbox


@pytest.fixture
async def linked(sandbox: Sandbox, control: Control, tmp_path: Path) -> AsyncIterator[Linked]:
    async with linked_console(sandbox, tmp_path / "data", control) as opened:
        await opened.live()
        await opened.quiet(60)
        yield opened
