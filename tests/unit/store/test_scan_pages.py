"""Pages of a scan that are handed in before the last one is stored: in order, and none behind one that failed."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import Any

import pytest

from attio_console.errors import StoreError
from attio_console.store import Store
from attio_console.store.types import View
from attio_console.store.words import matches, searchable, terms


async def test_a_short_page_does_not_overtake_a_long_one(store: Store, made: Any) -> None:
    state = await store.mirror.begin_scan(made.people)
    pages = [[made.person(n, f"P{n}") for n in range(600)], [made.person(600, "Last")]]
    async with asyncio.TaskGroup() as tasks:
        for number, page in enumerate(pages):
            tasks.create_task(
                store.mirror.apply_page(made.people, page, scan=state.scan, cursor=str(number).encode())
            )
    assert store.mirror.ids(made.people) == [made.id(n) for n in range(601)]
    assert store.mirror.scan_state(made.people).cursor == b"1"


async def test_a_page_behind_one_that_failed_is_not_stored_and_moves_no_cursor(
    store: Store, made: Any
) -> None:
    state = await store.mirror.begin_scan(made.people)
    broken = [made.person(n, f"P{n}") for n in range(300)]
    broken[200] = b"no json"
    pages = [broken, [made.person(600, "Behind it")]]
    calls = [
        asyncio.ensure_future(
            store.mirror.apply_page(made.people, page, scan=state.scan, cursor=str(number).encode())
        )
        for number, page in enumerate(pages)
    ]
    for call in calls:
        with pytest.raises(StoreError):
            await call
    assert store.mirror.scan_state(made.people).cursor is None
    assert made.id(600) not in store.mirror.ids(made.people)
    broken[200] = made.person(200, "P200")
    for number, page in enumerate(pages):
        await store.mirror.apply_page(made.people, page, scan=state.scan, cursor=str(number).encode())
    assert store.mirror.scan_state(made.people).cursor == b"1"
    assert sorted(store.mirror.ids(made.people)) == sorted(made.id(n) for n in [*range(300), 600])


async def test_pages_of_a_scan_that_is_cancelled_leave_a_cursor_with_everything_before_it(
    store: Store, made: Any
) -> None:
    state = await store.mirror.begin_scan(made.people)
    for turn in range(12):
        start = turn * 1000
        calls = [
            asyncio.ensure_future(
                store.mirror.apply_page(
                    made.people,
                    [made.person(n, f"P{n}") for n in range(at, at + 300)],
                    scan=state.scan,
                    cursor=str(at + 300).encode(),
                )
            )
            for at in (start, start + 300)
        ]
        for _ in range(turn * 3):
            await asyncio.sleep(0)
        for call in calls:
            call.cancel()
        for call in calls:
            with contextlib.suppress(asyncio.CancelledError):
                await call
        # Behind everything that was handed in.
        await store.mirror.begin_scan(made.people)
        kept = store.mirror.scan_state(made.people).cursor
        present = set(store.mirror.ids(made.people))
        if kept == str(start + 600).encode():
            assert {made.id(n) for n in range(start, start + 600)} <= present
        elif kept == str(start + 300).encode():
            assert {made.id(n) for n in range(start, start + 300)} <= present


async def test_one_record_twice_in_a_page_is_one_row_with_the_later_content(store: Store, made: Any) -> None:
    page = [made.person(n, f"P{n}") for n in range(200)]
    page[150] = made.person(3, "Third again")
    result = await store.mirror.apply_page(made.people, page)
    assert store.mirror.size(made.people) == 199 == len(store.mirror.ids(made.people))
    assert store.mirror.label(made.id(3)) == "Third again"
    assert (len(result.created), result.changed) == (199, [made.id(3)])
    await store.mirror.settle()
    assert [hit.record_id for hit in await store.mirror.find("third again")] == [made.id(3)]


async def test_what_is_counted_and_shown_is_what_holds_the_words(store: Store, made: Any) -> None:
    rng = random.Random(5)
    syllables = ("an", "na", "lee", "o", "ro", "ba", "é", "王", "12", " ", "-", "@")

    def text(longest: int) -> str:
        return "".join(rng.choices(syllables, k=rng.randrange(1, longest)))

    titles = {made.id(n): f"{text(9)} {text(9)}" for n in range(260)}
    await store.mirror.apply_page(
        made.people, [made.person(n, "X", job_title=titles[made.id(n)]) for n in range(260)]
    )
    searched = {record_id: searchable(f"X {title}") for record_id, title in titles.items()}
    for _ in range(2):
        for typed in {text(5) for _ in range(120)}:
            wanted = {record_id for record_id, held in searched.items() if matches(held, terms(typed))}
            view = View(made.people, text=typed)
            assert await store.mirror.count(view) == len(wanted), typed
            shown = await store.mirror.window(view, 0, 300)
            assert {row.record_id for row in shown.rows} == wanted, typed
            if terms(typed):
                hits = {hit.record_id for hit in await store.mirror.find(typed, made.people, limit=300)}
                assert hits <= wanted and bool(hits) == bool(wanted), typed
        # Once while the rows still wait for the indexes, once from them.
        await store.mirror.settle()
