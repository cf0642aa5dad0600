"""A small world in all three systems under one clock, and a console on it that can be killed and started again."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import shutil
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from attio_console.sandbox.attio import control as attio_control
from attio_console.sandbox.attio.state import Crm
from attio_console.sandbox.attio.values import row_json
from attio_console.sandbox.hubspot import control as hubspot_control
from attio_console.sandbox.salesforce import control as salesforce_control
from tests.engine.conftest import Control
from tests.engine.crm.truth import KINDS, People

if TYPE_CHECKING:
    from attio_console.sandbox import Sandbox
    from attio_console.store import Store
    from attio_console.sync.bus import Bus
    from attio_console.sync.engine import Engine
    from attio_console.sync.mapping import Mapping, ObjectMapping

_CONTROLS: dict[str, Any] = {
    "attio": attio_control,
    "hubspot": hubspot_control,
    "salesforce": salesforce_control,
}


class Stage:
    """The world, and the console that is on it at the moment."""

    def __init__(self, sandbox: Sandbox, control: Control, directory: Path) -> None:
        self.sandbox = sandbox
        self.control = control
        self.clock = sandbox.world.clock
        self.mappings: dict[str, Path] = {}
        self.people = People({}, {})
        self.accepted = True
        self.quota_share = 1.0
        self.directory = directory
        self._life = 0
        self._http = httpx.AsyncClient(timeout=30)
        self._task: asyncio.Task[None] | None = None
        self.store: Store
        self.bus: Bus
        self.engine: Engine

    async def close(self) -> None:
        await self.stop()
        await self._http.aclose()

    # ------------------------------------------------------------------------------------------- the console's life

    async def start(self) -> None:
        """Open a console on the directory, as the next process would."""
        from attio_console.config.profiles import HubSpotLink, Profile, SalesforceLink, WebhookConfig
        from attio_console.config.secrets import MemorySecrets
        from attio_console.store import Store
        from attio_console.sync.bus import Bus
        from attio_console.sync.crm_sync import accept_first_sync
        from attio_console.sync.engine import Engine

        tokens = self.sandbox.tokens
        profile = Profile(
            name="test",
            base_url=self.sandbox.attio,
            webhook=WebhookConfig(mode="listen", host="127.0.0.1", port=0),
            hubspot=HubSpotLink(
                base_url=self.sandbox.hubspot,
                poll_s=0.2,
                mapping=self.mappings.get("hubspot"),
                quota_share=self.quota_share,
            ),
            salesforce=SalesforceLink(
                login_url=self.sandbox.salesforce,
                client_id=tokens["salesforce"]["client_id"],
                poll_s=0.2,
                mapping=self.mappings.get("salesforce"),
                quota_share=self.quota_share,
            ),
        )
        secrets = MemorySecrets(
            {
                "attio": self.sandbox.token,
                "hubspot": tokens["hubspot"],
                "salesforce": tokens["salesforce"]["client_secret"],
            }
        )
        self.store = await Store.open(self._home(), clock=self.clock)
        for system in KINDS if self.accepted else ():
            await accept_first_sync(self.store, system)
        self.bus = Bus()
        self.engine = Engine(profile, secrets, self.store, self.bus, self.clock, random.Random(self._life))
        self._task = asyncio.create_task(self.engine.run())

    async def stop(self) -> None:
        """Close the console properly."""
        if self._task is not None:
            await self._end()
            await self.store.close()

    async def crash(self) -> None:
        """Let the process die at this instant: what follows starts from the bytes that were on the disk."""
        loop, dead = asyncio.get_running_loop(), threading.Event()
        copied = asyncio.Event()
        here, self._life = self._home(), self._life + 1
        there = self._home()

        def job(_: object) -> None:
            # On the writer's own thread: nothing is written while the copy is made, nor before the engine is dead.
            shutil.copytree(here, there, ignore=shutil.ignore_patterns("cache"))
            loop.call_soon_threadsafe(copied.set)
            dead.wait(20)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.store.queue.run(job))
            await copied.wait()
            assert self._task is not None
            self._task.cancel()
            await asyncio.sleep(0)
            dead.set()
        await self._end()
        await self.store.close()
        shutil.rmtree(here)
        await self.start()

    async def forget(self) -> None:
        """Close the console and open one on an empty directory, as on a new machine."""
        await self.stop()
        self._life += 1
        await self.start()

    async def remap(self, system: str, change: Callable[[ObjectMapping], ObjectMapping]) -> None:
        """Edit the mapping file of a system and open the console anew."""
        from attio_console.sync.mapping_file import write_mapping

        mapping = self.mapping(system)
        path = self.directory / f"{system}.toml"
        objects = tuple(change(one) for one in mapping.objects)
        path.write_text(write_mapping(replace(mapping, objects=objects)))
        self.mappings[system] = path
        await self.restart()

    async def restart(self) -> None:
        """Close the console and open it again."""
        await self.stop()
        await self.start()

    def _home(self) -> Path:
        return self.directory / f"life{self._life}"

    async def _end(self) -> None:
        task, self._task = self._task, None
        assert task is not None
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    # ------------------------------------------------------------------------------------------- waiting

    async def until(self, holds: Callable[[], bool], seconds: float = 30, what: str = "") -> None:
        """Return once it holds; the clock is pushed over every pause that somebody only sits out."""
        calm, push = 0, 1.0
        try:
            async with asyncio.timeout(seconds):
                with self.bus.subscribe() as changes:
                    while not holds():
                        self._check_alive()
                        heard = False
                        with contextlib.suppress(TimeoutError):
                            async with asyncio.timeout(0.02):
                                await anext(changes)
                                heard = True
                        calm = 0 if heard else calm + 1
                        if calm >= 2:
                            calm, push = 0, min(push * 2, 8.0)
                            await self.pass_time(push)
        except TimeoutError:
            raise AssertionError(f"not quiet after {seconds} s: {what} {self.state()}") from None

    def _check_alive(self) -> None:
        if self._task is not None and self._task.done():
            self._task.result()

    def state(self) -> str:
        """Return what keeps everything from being quiet, for a failure's message."""
        status = self.engine.status()
        waiting = [
            (i.system, i.kind, i.state, i.attempts, i.error)
            for i in self.store.outbox.items(("pending", "sending"))
        ]
        parts = [(p.system, p.label, p.state, p.error) for p in status.partitions if p.state != "live"]
        return f"{status.attio_state} {status.sentence} outbox={waiting} inbox={self.store.inbox.depth()} parts={parts} {self._idle()}"

    def _idle(self) -> dict[str, object]:
        syncs = {link.system: link.sync for link in self.engine.links}
        return {
            "engine": self.engine.is_quiet,
            "links": {
                name: sync is not None and (sync.is_settled, sync.polls) for name, sync in syncs.items()
            },
            "problems": [link.status()[0].error for link in self.engine.links],
        }

    async def pass_time(self, seconds: float) -> None:
        """Push everybody's clock, and let whoever waited for it look."""
        self.clock.advance(seconds)
        if self.engine.outbox is not None:
            self.engine.outbox.wake()
        if self.engine.inbox is not None:
            self.engine.inbox.wake()
        self.bus.changed("outbox")
        await asyncio.sleep(0)

    def is_quiet(self) -> bool:
        """Return whether nobody has anything left to do by themselves."""
        syncs = [link.sync for link in self.engine.links]
        return (
            bool(syncs)
            and self.engine.is_quiet
            and all(sync is not None and sync.is_settled for sync in syncs)
        )

    async def quiet(self) -> None:
        """Return once nothing moves any more, after a look at everything."""
        for _ in range(12):
            await self.until(self.is_quiet, what="quiet")
            await self.look(everything=True)
            before = self._fingerprint()
            await self.look(everything=False)
            if self._fingerprint() == before:
                return
        raise AssertionError("it never comes to rest")

    async def look(self, *, everything: bool) -> None:
        """Let the engine look once: at what changed, went and merged elsewhere, and at all of Attio if asked."""
        await self.until(lambda: all(link.sync is not None for link in self.engine.links), what="links")
        wanted = {link.system: link.sync.polls + 2 for link in self.engine.links if link.sync is not None}
        for link in self.engine.links:
            if everything and link.sync is not None:
                link.sync.sweep_next()
        if everything:
            await self.engine.sync_now()

        def polled() -> bool:
            late = [ln for ln in self.engine.links if ln.sync is None or ln.sync.polls < wanted[ln.system]]
            for link in late:
                link.poke()
            return not late

        await self.until(polled, what="looking")
        await self.until(self.is_quiet, what="after a look")

    def _fingerprint(self) -> object:
        store = self.store
        return (
            self.sandbox.world.journal.after(0)[-1:],
            [(c.id, c.revision) for c in store.conflicts.list("open", 0, 10_000)],
            [(i.id, i.state) for i in store.outbox.items(limit=10_000)],
            [(p.id, p.state, tuple(sorted((k, repr(b.items)) for k, b in store.pairs.bases(p.id).items()))) for p in store.pairs.list(limit=10_000)],
        )  # fmt: skip

    @contextlib.asynccontextmanager
    async def fence(self) -> AsyncIterator[None]:
        """Hold the engine's writes for the length of the block: nothing is between its look and its write."""
        await self.engine.pause()
        await self.store.queue.run(lambda _: None)
        await self.until(lambda: not self.store.outbox.items(("sending",)), what="fence")
        try:
            yield
        finally:
            await self.engine.resume()

    async def breathe(self, dice: random.Random) -> None:
        """Let the engine work for a moment of random length, measured in turns of the loop."""
        for _ in range(dice.choice((0, 5, 40, 200))):
            await asyncio.sleep(0)

    # ------------------------------------------------------------------------------------------- other people

    async def other(self, verb: str, system: str, kind: str, **body: Any) -> str | None:
        """Do something as somebody else; None where their system refused it."""
        answer = await self._http.post(
            f"{self.sandbox.control}/{verb}", json={"system": system, "object": kind, **body}
        )
        assert answer.status_code < 500, answer.text
        return None if answer.status_code >= 400 else str(answer.json()["id"])

    async def rows(self, system: str, kind: str) -> dict[str, dict[str, Any]]:
        """Return the living records of a system by id, as native fields."""
        answer = await self._http.get(f"{self.sandbox.control}/dump/{system}/{kind}")
        found = [json.loads(line) for line in answer.text.splitlines() if line]
        living = [r for r in found if not r.get("archived") and not r.get("IsDeleted")]
        return {str(r.get("id") or r.get("Id")): _natives(r) for r in living}

    def row(self, system: str, kind: str, row_id: str) -> dict[str, Any] | None:
        """Return one record this instant, past HTTP: for the history of values."""
        if system == "attio":
            crm = next(iter(self.sandbox.world.workspaces.values())).part(Crm)
            container = crm.object(kind)
            row = None if container is None else container.table.get(row_id)
            return None if container is None or row is None else row_json(crm, container, row)["values"]
        return self._all(system, kind).get(row_id)

    def row_ids(self, system: str, kind: str) -> list[str]:
        """Return the ids of all records there are this instant, past HTTP."""
        return list(self._all(system, kind))

    def living(self, system: str, kind: str) -> list[str]:
        """Return the ids of the records that are not in a recycle bin."""
        if system == "attio":
            return self.row_ids(system, kind)
        dump = _CONTROLS[system].dump(self.sandbox.world, kind)
        living = (r for r in dump if not r.get("archived") and not r.get("IsDeleted"))
        return [str(r.get("id") or r.get("Id")) for r in living]

    def _all(self, system: str, kind: str) -> dict[str, dict[str, Any]]:
        found = {}
        for row in _CONTROLS[system].dump(self.sandbox.world, kind):
            if system == "attio":
                found[row["id"]["record_id"]] = row["values"]
            else:
                found[str(row.get("id") or row.get("Id"))] = _natives(row)
        return found

    # ------------------------------------------------------------------------------------------- setting

    async def furnish(self) -> None:
        """Add companies, deals and people that are in all three systems."""
        users = await self.rows("salesforce", "User")
        me = await self._http.get(
            f"{self.sandbox.attio}/v2/workspace_members",
            headers={"authorization": f"Bearer {self.sandbox.token}"},
        )
        members = {m["id"]["workspace_member_id"]: m["email_address"].lower() for m in me.json()["data"]}
        found = await self._http.get(
            f"{self.sandbox.hubspot}/crm/v3/owners",
            headers={"authorization": f"Bearer {self.sandbox.tokens['hubspot']}"},
        )
        owners = {str(o["id"]): o["email"].lower() for o in found.json()["results"]}
        active = {key: user["Email"].lower() for key, user in users.items() if user["IsActive"]}
        self.people = People(members, {"hubspot": owners, "salesforce": active})
        for number in range(2):
            await self.everywhere_company(f"Shared {number}", f"shared{number}.example")
        for number in range(4):
            await self.everywhere_person(f"Both{number}", f"both{number}@shared.example")
        for number in range(5):
            await self.everywhere_deal(f"Deal {number}", 1000 * (number + 1))

    async def everywhere_company(self, name: str, domain: str) -> None:
        record = await self.other("edit", "attio", "companies", values={"name": name, "domains": [domain]})
        await self.other(
            "edit", "hubspot", "companies", values={"name": name, "domain": domain, "attio_record_id": record}
        )
        await self.other(
            "edit", "salesforce", "Account", values={"Name": name, "Domain__c": domain, "Attio_Id__c": record}
        )

    async def everywhere_person(self, first: str, email: str) -> None:
        name = {"first_name": first, "last_name": "Shared", "full_name": f"{first} Shared"}
        values = {"name": name, "email_addresses": [email], "job_title": "Clerk"}
        await self.other("edit", "attio", "people", values=values)
        # Found by its address, as a person would be who was typed in twice.
        there = {"firstname": first, "lastname": "Shared", "email": email, "jobtitle": "Clerk"}
        await self.other("edit", "hubspot", "contacts", values=there)
        there = {"FirstName": first, "LastName": "Shared", "Email": email, "Title": "Clerk"}
        await self.other("edit", "salesforce", "Contact", values=there)

    async def everywhere_deal(self, name: str, amount: int) -> None:
        email = min(self.people.everywhere)
        record = await self.other(
            "edit",
            "attio",
            "deals",
            values={
                "name": name,
                "stage": "Lead",
                "value": amount,
                "owner": email,
                "close_date": "2027-01-31",
            },
        )
        ids = {
            sys: next(o for o, e in table.items() if e == email) for sys, table in self.people.owners.items()
        }
        await self.other(
            "edit",
            "hubspot",
            "deals",
            values={
                "dealname": name,
                "amount": str(amount),
                "dealstage": "appointmentscheduled",
                "pipeline": "default",
                "closedate": "2027-01-31T00:00:00Z",
                "hubspot_owner_id": ids["hubspot"],
                "attio_record_id": record,
            },
        )
        await self.other(
            "edit",
            "salesforce",
            "Opportunity",
            values={
                "Name": name,
                "Amount": amount,
                "StageName": "Lead",
                "CloseDate": "2027-01-31",
                "OwnerId": ids["salesforce"],
                "Attio_Id__c": record,
            },
        )

    def mapping(self, system: str) -> Mapping:
        """Return the mapping in use."""
        from attio_console.sync.crm_context import load_context

        return load_context(self.store, system).mapping


def _natives(row: dict[str, Any]) -> dict[str, Any]:
    if "properties" not in row:
        return row
    linked = {f"association:{to}": ids for to, ids in (row.get("associations") or {}).items()}
    return {**row["properties"], **linked}


@contextlib.asynccontextmanager
async def small_world(
    directory: Path,
    *,
    seed: int = 1,
    running: bool = True,
    accepted: bool = True,
    quota_share: float = 1.0,
    **settings: Any,
) -> AsyncIterator[Stage]:
    """Open a dozen people, a few companies and deals in all three systems, and a console on them."""
    from attio_console.sandbox import SandboxOptions
    from attio_console.sandbox import running as sandbox_running

    options = SandboxOptions(
        **{"records": 12, "limits": False, "webhook_http": True, "enrichment": False, "seed": seed} | settings
    )
    async with sandbox_running(options) as sandbox:
        control = Control(sandbox.attio)
        stage = Stage(sandbox, control, directory)
        try:
            stage.accepted, stage.quota_share = accepted, quota_share
            await stage.furnish()
            if running:
                await stage.start()
            yield stage
        finally:
            await stage.close()
            await control.close()
