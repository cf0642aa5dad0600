from __future__ import annotations

import asyncio
from bisect import bisect_right
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attio_console.model.clock import FakeClock
from attio_console.net import Lane, Limiter


def most_in_any_second(stamps: list[float]) -> int:
    stamps = sorted(stamps)
    return max((bisect_right(stamps, at + 1.0) - index for index, at in enumerate(stamps)), default=0)


async def drain(
    clock: FakeClock, tasks: list[asyncio.Task[None]], step: float = 0.01, limit_s: float = 60
) -> None:
    waited = 0.0
    while not all(task.done() for task in tasks) and waited < limit_s:
        await clock.advance(step)
        waited += step


@given(
    arrivals=st.lists(
        st.tuples(st.floats(0, 0.5), st.sampled_from(list(Lane)), st.sampled_from(["read", "write"])),
        min_size=1,
        max_size=80,
    ),
    limits=st.tuples(st.integers(1, 20), st.integers(1, 8)),
)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
async def test_no_second_ever_holds_more_than_the_limit(arrivals, limits) -> None:
    clock = FakeClock()
    limiter = Limiter(*limits, clock=clock)
    granted: dict[str, list[float]] = {"read": [], "write": []}

    async def one(kind, lane) -> None:
        permit = await limiter.acquire(kind, lane)
        granted[kind].append(permit.at)

    tasks = []
    async with asyncio.TaskGroup() as group:
        for wait, lane, kind in arrivals:
            await clock.advance(wait)
            tasks.append(group.create_task(one(kind, lane)))
        await drain(clock, tasks, step=0.05, limit_s=200)
    assert len(granted["read"]) + len(granted["write"]) == len(arrivals)
    assert most_in_any_second(granted["read"]) <= limits[0]
    assert most_in_any_second(granted["write"]) <= limits[1]


async def test_inside_a_lane_first_come_is_first_served() -> None:
    clock = FakeClock()
    limiter = Limiter(5, 1, clock)
    order: list[int] = []

    async def one(number: int) -> None:
        await limiter.acquire("read", Lane.SCAN)
        order.append(number)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(n)) for n in range(30)]
        await drain(clock, tasks)
    assert order == list(range(30))


async def test_lanes_have_strict_priority() -> None:
    clock = FakeClock()
    limiter = Limiter(4, 1, clock)
    order: list[Lane] = []

    async def one(lane: Lane) -> None:
        await limiter.acquire("read", lane)
        order.append(lane)

    for _ in range(2):
        await limiter.acquire("read")
    async with asyncio.TaskGroup() as group:
        tasks = []
        for lane in (Lane.SCAN, Lane.CATCHUP, Lane.INTERACTIVE, Lane.SCAN, Lane.INTERACTIVE):
            tasks.append(group.create_task(one(lane)))
            await asyncio.sleep(0)
        await drain(clock, tasks)
    assert order == sorted(order)


async def test_a_person_waits_at_most_one_beat_while_a_scan_uses_everything() -> None:
    clock = FakeClock()
    limiter = Limiter(100, 25, clock)
    waits: list[float] = []
    scanned: list[float] = []
    running = True

    async def scan() -> None:
        while running:
            scanned.append((await limiter.acquire("read", Lane.SCAN)).at)

    async def person() -> None:
        for _ in range(40):
            before = clock.monotonic()
            permit = await limiter.acquire("read", Lane.INTERACTIVE)
            waits.append(permit.at - before)
            await clock.sleep(0.1)

    async with asyncio.TaskGroup() as group:
        scans = [group.create_task(scan()) for _ in range(10)]
        await asyncio.sleep(0)
        await drain(clock, scans, step=0.01, limit_s=1.5)
        walker = group.create_task(person())
        await drain(clock, [walker], step=0.001)
        running = False
        await drain(clock, scans)
    assert max(waits) <= 0.012
    # The scan gets what the person leaves: 90 of 100.
    assert len(scanned) / clock.monotonic() > 85


async def test_a_gate_holds_reads_and_writes_of_every_lane() -> None:
    clock = FakeClock()
    limiter = Limiter(clock=clock)
    limiter.gate(clock.monotonic() + 3)
    at: list[float] = []

    async def one(kind, lane) -> None:
        at.append((await limiter.acquire(kind, lane)).at)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(kind, lane)) for kind in ("read", "write") for lane in Lane]
        await clock.advance(2.99)
        assert at == []
        assert limiter.stats().gated_for_s == pytest.approx(0.01)
        await drain(clock, tasks)
    assert min(at) >= 3


async def test_who_gives_up_waiting_lets_the_next_one_through() -> None:
    clock = FakeClock()
    limiter = Limiter(1, 1, clock)
    await limiter.acquire("read")
    granted: list[str] = []

    async def one(name: str) -> None:
        await limiter.acquire("read")
        granted.append(name)

    async with asyncio.TaskGroup() as group:
        first = group.create_task(one("first"))
        await asyncio.sleep(0)
        second = group.create_task(one("second"))
        await asyncio.sleep(0)
        first.cancel()
        await drain(clock, [second])
    assert granted == ["second"]
    assert limiter.stats().waiting == 0


async def test_a_request_that_travelled_long_counts_from_later() -> None:
    clock = FakeClock()
    limiter = Limiter(2, 100, clock)
    for _ in range(50):
        warm = await limiter.acquire("write")
        await clock.advance(0.05)
        limiter.answered(warm)
    begin = clock.monotonic()
    quick = await limiter.acquire("read")
    await clock.advance(0.05)
    limiter.answered(quick)
    slow = await limiter.acquire("read")
    await clock.advance(0.08)
    limiter.answered(slow)
    third = await asyncio.wait_for(_granted(limiter, clock), 5)
    fourth = await asyncio.wait_for(_granted(limiter, clock), 5)
    # The slow one may have reached the server 0.03 s late, so what it blocks is that much later too.
    assert third >= begin + 1.0
    assert fourth >= slow.at + 1.03


async def _granted(limiter: Limiter, clock: FakeClock) -> float:
    at: list[float] = []

    async def one() -> None:
        at.append((await limiter.acquire("read")).at)

    async with asyncio.TaskGroup() as group:
        await drain(clock, [group.create_task(one())])
    return at[0]


async def test_an_idle_time_is_not_made_up_for_in_a_burst_of_background() -> None:
    clock = FakeClock()
    limiter = Limiter(10, 1, clock)
    await clock.advance(30)
    at: list[float] = []

    async def one() -> None:
        at.append((await limiter.acquire("read", Lane.SCAN)).at)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one()) for _ in range(5)]
        await drain(clock, tasks, step=0.001)
    assert all(later - earlier >= 0.09 for earlier, later in pairwise(at))


async def test_stats_count_the_last_second() -> None:
    clock = FakeClock()
    limiter = Limiter(clock=clock)
    for _ in range(3):
        await limiter.acquire("read")
    await limiter.acquire("write")
    stats = limiter.stats()
    assert (stats.reads_last_s, stats.writes_last_s, stats.read_limit, stats.write_limit) == (3, 1, 100, 25)
    await clock.advance(1.1)
    assert limiter.stats().reads_last_s == 0
