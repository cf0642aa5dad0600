from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attio_console.attio.scan import ScanCursor, scan


class Table:
    """Rows with creation stamps, answered as Attio answers a query, and changed by others between the pages."""

    def __init__(self) -> None:
        self.rows: dict[str, str] = {}
        self.queries: list[dict[str, Any]] = []
        self.rng = random.Random(7)
        self.disturb = lambda: None

    def add(self, count: int, stamp: str) -> None:
        for _ in range(count):
            self.rows[f"r{len(self.rows):06d}-{self.rng.random()}"] = stamp

    async def fetch(self, body: dict[str, Any]) -> list[bytes]:
        self.queries.append(json.loads(json.dumps(body)))
        found = [row for row in self.rows.items() if matches(body.get("filter", {}), *row)]
        # Rows of one instant come in any order, and in another one each time.
        self.rng.shuffle(found)
        found.sort(key=lambda row: row[1])
        page = [encode(*row) for row in found[body["offset"] : body["offset"] + body["limit"]]]
        self.disturb()
        return page


def matches(condition: dict[str, Any], row_id: str, stamp: str) -> bool:
    for key, wanted in condition.items():
        if key == "$and":
            if not all(matches(one, row_id, stamp) for one in wanted):
                return False
        elif key == "$not":
            if matches(wanted, row_id, stamp):
                return False
        elif key == "created_at":
            if not stamp >= wanted["$gte"]:
                return False
        elif key == "record_id" and row_id not in wanted["$in"]:
            return False
    return True


def encode(row_id: str, stamp: str) -> bytes:
    values = {"name": [{"value": "x"}], "created_at": [{"value": stamp, "attribute_type": "timestamp"}]}
    return json.dumps(
        {"id": {"record_id": row_id, "object_id": "o"}, "created_at": "elsewhen", "values": values}
    ).encode()


def stamp(number: int) -> str:
    return f"2026-01-01T00:{number // 60:02d}:{number % 60:02d}.000000000Z"


async def walk(table: Table, page_size: int, after: ScanCursor | None = None) -> list[str]:
    seen: list[str] = []
    async for page in scan(table.fetch, "record_id", after=after, page_size=page_size):
        seen += [json.loads(raw)["id"]["record_id"] for raw in page.raws]
    return seen


async def test_every_row_comes_once() -> None:
    table = Table()
    for number in range(95):
        table.add(1, stamp(number))
    assert await walk(table, 10) == list(table.rows)
    assert all(query["offset"] == 0 for query in table.queries)


@pytest.mark.parametrize("ties", [10, 11, 19, 20, 35, 500])
async def test_more_rows_of_one_instant_than_a_page_holds(ties: int) -> None:
    table = Table()
    table.add(3, stamp(1))
    table.add(ties, stamp(2))
    table.add(7, stamp(3))
    seen = await walk(table, 10)
    assert len(seen) == len(set(seen)) and set(seen) == set(table.rows)


async def test_an_empty_object_is_one_empty_page() -> None:
    pages = [page async for page in scan(Table().fetch, "record_id")]
    assert [(page.raws, page.cursor, page.last) for page in pages] == [([], None, True)]


@given(
    groups=st.lists(st.integers(1, 25), min_size=1, max_size=12),
    page_size=st.integers(2, 12),
    seed=st.integers(0, 10_000),
)
@settings(max_examples=150, deadline=None)
async def test_creates_and_deletes_meanwhile_lose_and_repeat_nothing(groups, page_size, seed) -> None:
    table = Table()
    for number, count in enumerate(groups):
        table.add(count, stamp(number))
    rng = random.Random(seed)
    start = set(table.rows)
    deleted: set[str] = set()
    clock = [len(groups)]

    def disturb() -> None:
        if rng.random() < 0.5 and len(table.queries) < 200:
            clock[0] += rng.random() < 0.5
            table.add(rng.randint(0, 3), stamp(clock[0]))
        if rng.random() < 0.6:
            for row in rng.sample(sorted(table.rows), min(len(table.rows), rng.randint(0, 6))):
                del table.rows[row]
                deleted.add(row)

    table.disturb = disturb
    seen = await walk(table, page_size)
    assert len(seen) == len(set(seen))
    assert start - deleted <= set(seen)


@given(stop=st.integers(1, 12), page_size=st.integers(2, 9), ties=st.integers(1, 30))
@settings(max_examples=60, deadline=None)
async def test_a_scan_goes_on_from_any_of_its_cursors(stop, page_size, ties) -> None:
    table = Table()
    table.add(5, stamp(0))
    table.add(ties, stamp(1))
    table.add(5, stamp(2))
    seen: list[str] = []
    cursor = None
    async for page in scan(table.fetch, "record_id", page_size=page_size):
        seen += [json.loads(raw)["id"]["record_id"] for raw in page.raws]
        cursor = page.cursor
        stop -= 1
        if not stop:
            break
    rest = await walk(table, page_size, after=cursor)
    seen += rest
    assert len(seen) == len(set(seen)) and set(seen) == set(table.rows)


async def test_the_callers_filter_is_kept() -> None:
    table = Table()
    table.add(30, stamp(1))
    wanted = {"record_id": {"$in": list(table.rows)[:25]}}
    seen: list[str] = []
    async for page in scan(table.fetch, "record_id", filter=wanted, page_size=10):
        seen += [json.loads(raw)["id"]["record_id"] for raw in page.raws]
    assert sorted(seen) == sorted(wanted["record_id"]["$in"])
