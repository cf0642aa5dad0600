from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from attio_console.attio.wire import walk_cursor, walk_offset


@given(
    count=st.integers(0, 80), page=st.integers(2, 15), seed=st.integers(0, 9999), newest_first=st.booleans()
)
@settings(max_examples=200, deadline=None)
async def test_paging_by_offset_survives_creates_and_deletes(count, page, seed, newest_first) -> None:
    rows = [f"r{n}" for n in range(count)]
    start, deleted, rng, made = set(rows), set(), random.Random(seed), [count]

    async def fetch(offset: int) -> list[str]:
        answer = rows[offset : offset + page]
        for _ in range(rng.randrange(4)):
            if rows and rng.random() < 0.6:
                deleted.add(rows.pop(rng.randrange(len(rows))))
            elif made[0] < count + 100:
                made[0] += 1
                rows.insert(0 if newest_first else len(rows), f"r{made[0]}")
        return answer

    seen = [row async for row in walk_offset(fetch, lambda row: row, page)]
    assert len(seen) == len(set(seen))
    assert start - deleted <= set(seen)


async def test_paging_by_cursor_ends_where_there_is_none() -> None:
    pages = {None: ([1, 2], "a"), "a": ([], "b"), "b": ([3], None)}

    async def fetch(cursor: str | None) -> tuple[list[int], str | None]:
        return pages[cursor]

    assert [row async for row in walk_cursor(fetch)] == [1, 2, 3]
