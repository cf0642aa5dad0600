from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attio_console import errors
from attio_console.model.clock import FakeClock
from attio_console.net import Backoff, Breaker, Breakers, Traffic, http_date, retry_after


async def test_a_breaker_opens_after_five_failures_and_lets_one_through_later() -> None:
    clock = FakeClock()
    breaker = Breaker("attio objects/people", clock)
    for _ in range(5):
        breaker.before()
        breaker.failed()
    assert breaker.state == "open"
    with pytest.raises(errors.BreakerOpen) as refused:
        breaker.before()
    assert 4.9 <= refused.value.retry_in_s <= 5
    await clock.advance(5)
    assert breaker.state == "half-open"
    breaker.before()
    with pytest.raises(errors.BreakerOpen):
        breaker.before()
    breaker.succeeded()
    assert breaker.state == "closed"
    breaker.before()


async def test_a_failed_test_doubles_the_wait() -> None:
    clock = FakeClock()
    breaker = Breaker("x", clock)
    for _ in range(5):
        breaker.failed()
    for expected in (10, 20, 40, 80, 120, 120):
        await clock.advance(breaker.retry_in_s)
        breaker.before()
        breaker.failed()
        assert breaker.retry_in_s == pytest.approx(expected)


async def test_an_abandoned_test_does_not_block_the_next() -> None:
    clock = FakeClock()
    breaker = Breaker("x", clock)
    for _ in range(5):
        breaker.failed()
    await clock.advance(5)
    breaker.before()
    breaker.abandoned()
    breaker.before()


def test_a_success_between_failures_starts_the_count_again() -> None:
    breaker = Breaker("x", FakeClock())
    for _ in range(4):
        breaker.failed()
    breaker.succeeded()
    for _ in range(4):
        breaker.failed()
    assert breaker.state == "closed"


def test_each_partition_has_its_own_breaker() -> None:
    breakers = Breakers("attio", FakeClock())
    for _ in range(5):
        breakers["objects/people"].failed()
    assert breakers["tasks"].state == "closed"
    assert breakers.states() == {"objects/people": "open", "tasks": "closed"}


@given(attempt=st.integers(1, 400), seed=st.integers())
def test_backoff_has_full_jitter_and_a_cap(attempt: int, seed: int) -> None:
    wait = Backoff(base_s=0.25, cap_s=8).wait(attempt, random.Random(seed))
    assert 0 <= wait <= min(8, 0.25 * 2 ** min(attempt, 30))


def test_retry_after_in_seconds() -> None:
    assert retry_after({"retry-after": "7"}, FakeClock()) == 7
    assert retry_after({"retry-after": "0"}, FakeClock()) == 0
    assert retry_after({}, FakeClock()) is None
    assert retry_after({"retry-after": "soon"}, FakeClock()) is None
    assert retry_after({"retry-after": "nan"}, FakeClock()) is None
    assert retry_after({"retry-after": "inf"}, FakeClock()) is None


def test_retry_after_as_a_date_is_taken_against_the_answers_own_date() -> None:
    # The local clock says November; the server's says January. Only the difference counts.
    headers = {"retry-after": "Mon, 05 Jan 2026 10:00:03 GMT", "date": "Mon, 05 Jan 2026 10:00:01 GMT"}
    assert retry_after(headers, FakeClock()) == 2
    past = {"retry-after": "Mon, 05 Jan 2026 10:00:00 GMT", "date": "Mon, 05 Jan 2026 10:00:01 GMT"}
    assert retry_after(past, FakeClock()) == 0


def test_an_http_date_that_is_none() -> None:
    assert http_date(None) is None
    assert http_date("yesterday") is None
    assert http_date("Mon, 99 Jan 2026 10:00:03 GMT") is None


async def test_traffic_is_a_ring_of_seconds() -> None:
    clock = FakeClock()
    traffic = Traffic(clock)
    traffic.record("attio", "read")
    traffic.record("attio", "read")
    traffic.record("hubspot", "write")
    await clock.advance(2)
    traffic.record("attio", "write")
    assert traffic.series(4) == [0, 3, 0, 1]
    assert traffic.series(3, system="attio") == [2, 0, 1]
    assert traffic.series(3, kind="write") == [1, 0, 1]
    await clock.advance(300)
    assert sum(traffic.series(60)) == 0
