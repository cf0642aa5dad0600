from __future__ import annotations

import json
import random

import pytest

from attio_console.sync.offset_scan import OffsetCursor, scan


class Shelf:
    """Rows paged by offset, changed by others between the pages."""

    def __init__(self, count: int) -> None:
        self.rows = [f"r{number}" for number in range(count)]
        self.next = count

    async def page(self, limit: int, offset: int) -> list[bytes]:
        return [json.dumps({"id": {"note_id": row}}).encode() for row in self.rows[offset : offset + limit]]

    def disturb(self, rng: random.Random, *, newest_first: bool) -> None:
        for _ in range(rng.randrange(4)):
            if self.rows and rng.random() < 0.6:
                del self.rows[rng.randrange(len(self.rows))]
            else:
                self.rows.insert(0 if newest_first else len(self.rows), f"r{self.next}")
                self.next += 1


def ids(raws: list[bytes]) -> list[str]:
    return [json.loads(raw)["id"]["note_id"] for raw in raws]


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("seed", range(40))
async def test_a_row_that_exists_all_the_time_is_never_missed(seed: int, newest_first: bool) -> None:
    rng = random.Random(seed)
    shelf = Shelf(rng.randrange(120))
    throughout = set(shelf.rows)
    found: list[str] = []
    async for page in scan(shelf.page, "note_id", 10):
        found += ids(page.raws)
        shelf.disturb(rng, newest_first=newest_first)
        throughout &= set(shelf.rows)
    assert throughout <= set(found)
    assert len(found) == len(set(found))


@pytest.mark.parametrize("seed", range(40))
async def test_a_walk_goes_on_from_a_cursor_kept_by_a_killed_process(seed: int) -> None:
    rng = random.Random(seed)
    shelf = Shelf(95)
    throughout = set(shelf.rows)
    found: set[str] = set()
    cursor: OffsetCursor | None = None
    ended = False
    while not ended:
        async for page in scan(shelf.page, "note_id", 10, cursor):
            found |= set(ids(page.raws))
            cursor, ended = page.cursor, page.last
            shelf.disturb(rng, newest_first=False)
            throughout &= set(shelf.rows)
            if rng.random() < 0.4:
                break
    assert throughout <= found


async def test_nothing_is_one_empty_page() -> None:
    pages = [page async for page in scan(Shelf(0).page, "note_id", 10)]
    assert [(page.raws, page.last) for page in pages] == [([], True)]
