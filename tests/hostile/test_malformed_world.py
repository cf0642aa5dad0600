"""All three systems answer nonsense for a while: the engine stays up, says so, asks at a bounded rate, and then recovers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from attio_console import errors
from attio_console.attio import AsyncAttio
from attio_console.config.profiles import HubSpotLink, Profile, SalesforceLink, WebhookConfig
from attio_console.config.secrets import MemorySecrets
from attio_console.crm import ClientCredentials, HubSpot, Salesforce
from attio_console.model.clock import SystemClock
from attio_console.sandbox import Sandbox
from attio_console.sandbox import running as sandbox_running
from attio_console.store import Store
from attio_console.sync.bus import Bus
from attio_console.sync.crm_sync import accept_first_sync
from attio_console.sync.engine import Engine
from tests.engine.conftest import Control, options, running
from tests.engine.crm.conftest import Linked
from tests.engine.test_pull import compare_with_dump
from tests.hostile.meddler import Answer, Meddler, fuzz, meddling


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with sandbox_running(options(records=80, limits=False)) as found:
        yield found


@contextlib.asynccontextmanager
async def crooked(
    sandbox: Sandbox, directory: Path
) -> AsyncIterator[tuple[Linked, tuple[Meddler, Meddler, Meddler], asyncio.Task[None] | None]]:
    """Open a console that meets all three systems through a meddler each."""
    async with (
        meddling(sandbox.attio) as attio,
        meddling(sandbox.hubspot) as hubspot,
        meddling(sandbox.salesforce) as salesforce,
    ):
        tokens = sandbox.tokens
        profile = Profile(
            name="test",
            base_url=attio.url,
            webhook=WebhookConfig(mode="listen", host="127.0.0.1", port=0),
            hubspot=HubSpotLink(base_url=hubspot.url, poll_s=0.5),
            salesforce=SalesforceLink(
                login_url=salesforce.url, client_id=tokens["salesforce"]["client_id"], poll_s=0.5
            ),
        )
        secrets = MemorySecrets()
        secrets.set("test", "attio", sandbox.token)
        secrets.set("test", "hubspot", tokens["hubspot"])
        secrets.set("test", "salesforce", tokens["salesforce"]["client_secret"])
        store = await Store.open(directory, clock=SystemClock())
        control = Control(sandbox.attio)
        try:
            for system in ("hubspot", "salesforce"):
                await accept_first_sync(store, system)
            bus = Bus()
            engine = Engine(profile, secrets, store, bus, SystemClock(), random.Random(1))
            async with running(engine):
                yield Linked(sandbox, control, store, bus, engine), (attio, hubspot, salesforce), None
        finally:
            await control.close()
            await store.close()


async def _storm(sandbox: Sandbox, directory: Path, seed: int, seconds: float) -> None:
    rng = random.Random(seed)
    async with crooked(sandbox, directory) as (house, systems, _):
        await house.live()
        await house.quiet(60)
        before = {
            kind: set(await house.control.dump(kind)) for kind in ("people", "companies", "deals", "notes")
        }
        others = {s: {k: set(await house.dump(s, k)) for k in kinds} for s, kinds in CRM.items()}
        for system in systems:
            system.meddle = fuzz(rng)
            system.seen.clear()
        began = time.monotonic()
        people = list(await house.control.dump("people"))
        while time.monotonic() - began < seconds:
            await house.control.edit("people", rng.choice(people), {"description": f"{rng.random()}"})
            await house.engine.sync_now()
            await asyncio.sleep(0.5)  # the storm lasts
        for system in systems:
            assert len(system.seen) < 120 * (seconds + 2), "hot loop"
            system.meddle = None
        await house.engine.sync_now()
        await house.until(lambda: house.engine.status().attio_state == "live", 90)
        await house.until(lambda: house.engine.puller is not None and house.engine.puller.complete, 120)
        await house.until(lambda: house.store.inbox.depth() == 0, 60)
        await compare_with_dump(house, house.control)
        # Nothing was made and nothing was deleted by all that.
        assert {kind: set(await house.control.dump(kind)) for kind in before} == before
        assert {s: {k: set(await house.dump(s, k)) for k in kinds} for s, kinds in CRM.items()} == others
        assert (await house.store.audit.verify()).broken_at is None


CRM = {"hubspot": ("contacts", "companies", "deals"), "salesforce": ("Contact", "Account", "Opportunity")}


async def test_a_storm_of_nonsense_passes(sandbox: Sandbox, tmp_path: Path) -> None:
    await _storm(sandbox, tmp_path, 1, 4)


@pytest.mark.soak
async def test_storms_of_nonsense_without_end(tmp_path: Path) -> None:
    until = time.monotonic() + float(os.environ.get("SOAK_SECONDS", "600"))
    seed = 100
    while time.monotonic() < until:
        async with sandbox_running(options(records=80, limits=False, seed=seed)) as found:
            await _storm(found, tmp_path / str(seed), seed, 15)
        seed += 1


def _always(**change: Any) -> Any:
    def meddle(method: str, path: str, answer: Answer) -> Answer:
        for name, value in change.items():
            setattr(answer, name, value)
        return answer

    return meddle


ANSWERS = {
    "html": {"body": b"<html>Sign in</html>"},
    "empty": {"body": b""},
    "null": {"body": b"null"},
    "list": {"body": b"[]"},
    "object": {"body": b"{}"},
    "text": {"body": b'"ok"'},
    "nulls": {"body": b'{"data":null,"results":null,"records":null,"fields":null}'},
    "numbers": {"body": b'{"data":7,"results":7,"records":7,"fields":7}'},
    "of nulls": {"body": b'{"data":[null],"results":[null],"records":[null],"fields":[null]}'},
    "of objects": {"body": b'{"data":[{}],"results":[{}],"records":[{}],"fields":[{}]}'},
    "deep": {"body": b'{"data":' + b"[" * 100_000},
    "surrogate": {"body": b'{"data":"\\ud800","results":"\\udfff"}'},
    "latin": {"body": b'{"data":"\xff\xfe"}'},
    "gzip that is none": {"headers": {"content-encoding": "gzip"}},
    "short": {"raw": b'HTTP/1.1 200 OK\r\ncontent-length: 999999\r\n\r\n{"data":[]}'},
    "long": {"raw": b'HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n{"data":[],"results":[],"records":[]}'},
    "two lengths": {"raw": b'HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 30\r\n\r\n{"data":[]}'},
    "garbage": {"raw": b"\x00\x01\x02 what?\r\n\r\n"},
    "nothing": {"raw": b""},
    "redirect": {"status": 302, "headers": {"location": "http://127.0.0.1:9/steal"}},
    "permanent": {"status": 308, "headers": {"location": "//evil.example/"}},
    "teapot": {"status": 418, "body": b"\x1b]52;c;x\x07"},
    "odd error": {
        "status": 400,
        "body": b'{"message":{"a":[1]},"code":[],"validation_errors":{"x":[{}]},"errors":7}',
    },
    "odd list": {"status": 400, "body": b'[null,{"errorCode":{},"message":[]}]'},
    "deep error": {"status": 500, "body": b"[" * 100_000},
    "unheard of": {"status": 999},
}


async def test_every_kind_of_wrong_answer_is_an_error_with_a_sentence(sandbox: Sandbox) -> None:
    async with asyncio.TaskGroup() as tasks:
        for kind in ANSWERS:
            tasks.create_task(_wrong_answer(sandbox, kind))


async def _wrong_answer(sandbox: Sandbox, kind: str) -> None:
    tokens = sandbox.tokens
    async with (
        meddling(sandbox.attio) as a,
        meddling(sandbox.hubspot) as h,
        meddling(sandbox.salesforce) as s,
    ):
        auth = ClientCredentials(
            s.url, tokens["salesforce"]["client_id"], tokens["salesforce"]["client_secret"]
        )
        async with (
            AsyncAttio(sandbox.token, base_url=a.url) as attio,
            HubSpot(tokens["hubspot"], base_url=h.url) as hubspot,
            Salesforce(auth) as salesforce,
        ):
            await salesforce.identity()
            for caller in (
                attio.records._wire.caller,
                hubspot._caller,
                hubspot._searcher,
                salesforce._caller,
            ):
                caller._attempts = 1  # every wait before another try is shown elsewhere
            a.meddle = h.meddle = s.meddle = _always(**ANSWERS[kind])
            await _all_complain(kind, attio, hubspot, salesforce)


async def _all_complain(kind: str, attio: AsyncAttio, hubspot: HubSpot, salesforce: Salesforce) -> None:
    async def drain(pages: Any) -> None:
        async for _ in pages:
            pass

    nobody = "00000000-0000-4000-8000-000000000000"
    calls = {
        "scan": lambda: drain(attio.records.scan("people")),
        "get": lambda: attio.records.get_raw("people", nobody),
        "notes": lambda: attio.notes.list(limit=10),
        "schema": attio.schema,
        "hubspot scan": lambda: drain(hubspot.scan("contacts", ["email"])),
        "hubspot describe": lambda: hubspot.describe("contacts"),
        "hubspot owners": hubspot.owners,
        "hubspot many": lambda: hubspot.get_many("contacts", ["1"], ["email"]),
        "salesforce scan": lambda: drain(salesforce.scan("Contact", ["Email"])),
        "salesforce describe": lambda: salesforce.describe("Contact"),
        "salesforce many": lambda: salesforce.get_many("Contact", ["003000000000001AAA"], ["Email"]),
    }

    async def one(name: str) -> None:
        try:
            async with asyncio.timeout(50):
                await calls[name]()
        except errors.ConsoleError as error:
            if not 0 < len(str(error)) < 2000:
                pytest.fail(f"{name} says {len(str(error))} characters about {kind}")
        else:
            # A note of which nothing is known is a note; whoever scans them asks for its id.
            assert (name, kind) == ("notes", "of objects"), f"{name} took {kind} for an answer"

    async with asyncio.TaskGroup() as tasks:
        for name in calls:
            tasks.create_task(one(name))


@pytest.mark.parametrize("again", ["the page", "the cursor"])
async def test_pages_that_never_end_are_noticed(sandbox: Sandbox, again: str) -> None:
    tokens = sandbox.tokens
    memory: dict[str, bytes] = {}

    def repeat(method: str, path: str, answer: Answer) -> Answer:
        if "token" in path or path.startswith("/v2/self"):
            return answer
        if answer.status >= 300:
            # Whatever the true server thinks of that cursor.
            answer.body, answer.status = memory["the last good page"], 200
        memory["the last good page"] = answer.body
        key = f"{method} {path.partition('?')[0]}"
        if again == "the page":
            answer.body, answer.status = memory.setdefault(key, answer.body), 200
        document = json.loads(answer.body)
        if isinstance(document, dict):
            if "results" in document:
                document["paging"] = {
                    "next": {"after": "same" if again == "the cursor" else str(random.random())}
                }
            if "records" in document:
                document |= {"done": False, "nextRecordsUrl": "/services/data/v62.0/query/again"}
            answer.body = json.dumps(document).encode()
        return answer

    async with meddling(sandbox.attio, repeat) as a, meddling(sandbox.hubspot, repeat) as h, meddling(sandbox.salesforce, repeat) as s:  # fmt: skip
        auth = ClientCredentials(
            s.url, tokens["salesforce"]["client_id"], tokens["salesforce"]["client_secret"]
        )
        async with (
            AsyncAttio(sandbox.token, base_url=a.url) as attio,
            HubSpot(tokens["hubspot"], base_url=h.url) as hubspot,
            Salesforce(auth) as salesforce,
        ):
            for pages in (
                hubspot.scan("contacts", ["email"]),
                salesforce.scan("Contact", ["Email"]),
                attio.records.scan("people", page_size=20) if again == "the page" else None,
            ):
                if pages is None:
                    continue
                with pytest.raises(errors.ServerFailed):
                    async with asyncio.timeout(20):
                        async for _ in pages:
                            pass
            assert max(len(a.seen), len(h.seen), len(s.seen)) < 60


async def test_a_session_that_is_never_accepted_is_renewed_once(sandbox: Sandbox) -> None:
    def refuse(method: str, path: str, answer: Answer) -> Answer:
        if "/oauth2/token" in path:
            document = json.loads(answer.body)
            document["access_token"] = f"fresh{random.random()}"
            answer.body = json.dumps(document).encode()
        return answer

    tokens = sandbox.tokens
    async with meddling(sandbox.salesforce, refuse) as s:
        auth = ClientCredentials(
            s.url, tokens["salesforce"]["client_id"], tokens["salesforce"]["client_secret"]
        )
        async with Salesforce(auth) as salesforce:
            with pytest.raises(errors.NotAuthorised):
                async with asyncio.timeout(20):
                    await salesforce.describe("Contact")
        assert len(s.seen) <= 4


async def test_no_redirect_takes_a_token_along(sandbox: Sandbox) -> None:
    async with meddling(sandbox.attio) as thief, meddling(sandbox.attio) as honest:
        honest.meddle = _always(status=307, headers={"location": f"{thief.url}/v2/self"}, body=b"")
        async with AsyncAttio(sandbox.token, base_url=honest.url) as attio:
            with pytest.raises(errors.ConsoleError):
                await attio.self_()
        assert thief.seen == []
