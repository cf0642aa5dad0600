from __future__ import annotations

import random
from datetime import UTC, datetime

import msgspec
import pytest

from attio_console.attio import ScanCursor
from attio_console.sandbox import SandboxOptions
from attio_console.sandbox.attio.kernel import bulk_load
from attio_console.sandbox.world import Actor


def record_id(raw: bytes) -> str:
    return msgspec.json.decode(raw)["id"]["record_id"]


async def test_a_scan_gives_the_bytes_of_every_record_once(attio, surface) -> None:
    seen: dict[str, bytes] = {}
    count = 0
    async for page in attio.records.scan("people", page_size=17):
        for raw in page.raws:
            seen[record_id(raw)] = raw
            count += 1
    truth = {row["id"]["record_id"]: row for row in await surface.dump("people")}
    assert count == len(seen) == len(truth)
    assert {key: msgspec.json.decode(raw)["values"] for key, raw in seen.items()} == {
        key: row["values"] for key, row in truth.items()
    }


@pytest.mark.parametrize("seed", range(4))
async def test_others_create_delete_and_edit_meanwhile(attio, surface, seed) -> None:
    rng = random.Random(seed)
    start = {row["id"]["record_id"] for row in await surface.dump("people")}
    gone: set[str] = set()
    seen: list[str] = []
    async for page in attio.records.scan("people", page_size=9):
        seen += [record_id(raw) for raw in page.raws]
        for _ in range(rng.randrange(4)):
            kind = rng.random()
            alive = sorted(start - gone)
            if kind < 0.4:
                victim = rng.choice(alive)
                await surface.delete("people", victim)
                gone.add(victim)
            elif kind < 0.7:
                await surface.edit("people", rng.choice(alive), {"job_title": f"t{rng.random()}"})
            else:
                await surface.edit("people", None, {"email_addresses": [f"x{rng.random()}@example.org"]})
    assert len(seen) == len(set(seen))
    assert start - gone <= set(seen)


async def test_entries_scan_the_same_way(attio) -> None:
    seen: list[str] = []
    async for page in attio.lists.entries.scan("sales_pipeline", page_size=5):
        seen += [msgspec.json.decode(raw)["id"]["entry_id"] for raw in page.raws]
    assert len(seen) == len(set(seen)) > 5
    assert len(await attio.lists.entries.query("sales_pipeline")) == len(seen)


async def test_a_scan_goes_on_where_another_process_stopped(attio, sandbox) -> None:
    cursor, seen = None, []
    async for page in attio.records.scan("people", page_size=20):
        cursor = msgspec.json.encode(page.cursor)
        seen += [record_id(raw) for raw in page.raws]
        break
    again = msgspec.json.decode(cursor, type=ScanCursor)
    async for page in attio.records.scan("people", after=again, page_size=20):
        seen += [record_id(raw) for raw in page.raws]
    assert len(seen) == len(set(seen)) == 120


class TestManyOfOneInstant:
    @pytest.fixture
    def options(self) -> SandboxOptions:
        return SandboxOptions(records=0, limits=False, enrichment=False)

    async def test_more_than_a_page_of_them_is_scanned(self, attio, sandbox, monkeypatch) -> None:
        workspace = next(iter(sandbox.world.tokens.values())).workspace
        # The attribute is some seconds older than the record, by chance: here by none.
        monkeypatch.setattr(sandbox.world.random, "randint", lambda low, high: low)
        at = datetime(2026, 1, 1, tzinfo=UTC)
        rows = [({"name": f"Company {n}"}, at, Actor("system", None)) for n in range(1130)]
        bulk_load(workspace, "companies", rows)
        seen: list[str] = []
        stamps: set[str] = set()
        async for page in attio.records.scan("companies"):
            for raw in page.raws:
                seen.append(record_id(raw))
                stamps.add(msgspec.json.decode(raw)["values"]["created_at"][0]["value"])
        assert len(seen) == len(set(seen)) == 1130
        assert len(stamps) == 1
