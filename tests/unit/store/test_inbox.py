"""Deliveries: kept once, leased, settled by whoever holds the lease."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from attio_console.errors import LeaseLost
from attio_console.model.clock import FakeClock
from attio_console.store import Store
from attio_console.store.types import Delivery


def _delivery(clock: FakeClock, key: str, webhook: str = "w") -> Delivery:
    return Delivery(key, webhook, b'{"events":[]}', clock.now())


async def test_a_key_counts_once_even_after_it_was_processed_and_across_restarts(
    tmp_path: Path, clock: FakeClock
) -> None:
    store = await Store.open(tmp_path, clock)
    assert await store.inbox.put(_delivery(clock, "k"))
    assert not await store.inbox.put(_delivery(clock, "k"))
    assert await store.inbox.put(_delivery(clock, "k", "another webhook"))
    await store.inbox.ack(await store.inbox.claim(10, 30))
    await store.close()
    store = await Store.open(tmp_path, clock)
    assert not await store.inbox.put(_delivery(clock, "k"))
    assert store.inbox.depth() == 0
    await clock.advance(5 * 86_400)
    await store.tidy()
    assert await store.inbox.put(_delivery(clock, "k"))
    await store.close()


async def test_a_lease_that_ran_out_goes_to_the_next_worker_and_the_first_cannot_settle(
    store: Store, clock: FakeClock
) -> None:
    await store.inbox.put(_delivery(clock, "a"))
    await store.inbox.put(_delivery(clock, "b"))
    (first, other) = await store.inbox.claim(10, 30)
    assert await store.inbox.claim(10, 30) == []
    assert store.inbox.next_due() == clock.now() + timedelta(seconds=30)
    await store.inbox.ack([other])
    await clock.advance(31)
    (second,) = await store.inbox.claim(10, 30)
    assert second.token > first.token and second.attempts == 2 and second.delivery.key == "a"
    with pytest.raises(LeaseLost):
        await store.inbox.ack([first])
    with pytest.raises(LeaseLost):
        await store.inbox.fail(first, "late", None)
    await store.inbox.ack([second])
    assert store.inbox.depth() == 0 and store.inbox.next_due() is None
    assert [row.state for row in store.inbox.recent(5)] == ["done", "done"]


async def test_failures_wait_for_their_time_then_become_dead_letters(store: Store, clock: FakeClock) -> None:
    await store.inbox.put(_delivery(clock, "a"))
    (claim,) = await store.inbox.claim(1, 30)
    await store.inbox.fail(claim, "503", clock.now() + timedelta(seconds=2))
    assert await store.inbox.claim(1, 30) == [] and store.inbox.depth() == 1
    await clock.advance(2)
    (claim,) = await store.inbox.claim(1, 30)
    assert claim.attempts == 2
    await store.inbox.fail(claim, "gave up", None)
    assert store.inbox.depth() == 0 and store.inbox.dead_count() == 1
    (dead,) = store.inbox.dead()
    assert dead.error == "gave up" and store.inbox.get(dead.id) == dead
    assert await store.inbox.revive([dead.id, 999]) == 1
    (claim,) = await store.inbox.claim(1, 30)
    assert claim.attempts == 1
    await store.inbox.fail(claim, "again", None)
    assert await store.inbox.discard([claim.id]) == 1
    assert store.inbox.dead() == [] and not await store.inbox.put(_delivery(clock, "a"))


async def test_the_one_engine_frees_leases_at_its_start(store: Store, clock: FakeClock) -> None:
    await store.inbox.put(_delivery(clock, "a"))
    (old,) = await store.inbox.claim(1, 3600)
    assert await store.inbox.recover() == 1
    (new,) = await store.inbox.claim(1, 30)
    with pytest.raises(LeaseLost):
        await store.inbox.ack([old])
    await store.inbox.ack([new])


async def test_many_at_once_are_each_kept_once_and_old_ones_make_room(
    store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from attio_console.store import inbox

    monkeypatch.setattr(inbox, "KEPT_DONE", 20)
    answers = await asyncio.gather(*(store.inbox.put(_delivery(clock, str(n % 60))) for n in range(120)))
    assert sum(answers) == 60 and store.inbox.depth() == 60
    claims = await store.inbox.claim(100, 30)
    assert len({claim.id for claim in claims}) == 60
    await store.inbox.ack(claims)
    assert len(store.inbox.recent(100)) == 20
