from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest

from attio_console.sandbox.attio.limits import Limits, SlidingWindow, is_read, query_score, retry_after


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_window_lets_its_limit_through_and_then_says_how_long_to_wait():
    time = Time()
    window = SlidingWindow(25, 1.0, time)
    for n in range(25):
        time.now = n * 0.01
        assert window.take() == 0.0
    time.now = 0.5
    assert window.take() == pytest.approx(0.5)
    time.now = 1.0
    assert window.take() == 0.0
    assert window.take() == pytest.approx(0.01)


def test_a_refused_request_takes_no_room():
    time = Time()
    window = SlidingWindow(1, 1.0, time)
    assert window.take() == 0.0
    for n in range(50):
        time.now = n * 0.019
        assert window.take() > 0
    time.now = 1.0
    assert window.take() == 0.0


def test_never_more_than_the_limit_in_any_second():
    time = Time()
    window = SlidingWindow(25, 1.0, time)
    taken = []
    for _ in range(2000):
        time.now += 0.0037
        if window.take() == 0.0:
            taken.append(time.now)
    for start in taken:
        assert sum(1 for at in taken if start <= at < start + 1.0) <= 25


def test_reads_and_writes_are_counted_apart_and_per_token():
    time = Time()
    limits = Limits(time)
    for _ in range(25):
        assert limits.check("a", "POST", "/v2/notes", "/v2/notes") == 0.0
    assert limits.check("a", "POST", "/v2/notes", "/v2/notes") > 0
    assert limits.check("b", "POST", "/v2/notes", "/v2/notes") == 0.0
    for _ in range(100):
        assert limits.check("a", "POST", "/v2/objects/x/records/query", "/v2/objects/{}/records/query") == 0.0
    assert limits.check("a", "GET", "/v2/objects", "/v2/objects") > 0


def test_single_endpoints_have_limits_of_their_own():
    time = Time()
    limits = Limits(time)
    for _ in range(10):
        assert limits.check("a", "GET", "/v2/notes", "/v2/notes") == 0.0
    assert limits.check("a", "GET", "/v2/notes", "/v2/notes") > 0
    assert limits.check("a", "GET", "/v2/notes/1", "/v2/notes/{}") == 0.0


def test_posts_that_ask_are_reads():
    assert is_read("POST", "/v2/objects/people/records/query")
    assert is_read("POST", "/v2/objects/records/search")
    assert not is_read("POST", "/v2/objects/people/records")
    assert not is_read("DELETE", "/v2/notes/1")


def test_scores_grow_with_rows_terms_sorts_and_paths():
    assert query_score(500, {"filter": {"name": "x"}, "sorts": []}) == 0
    plain = query_score(1_000_000, {"sorts": [{"attribute": "created_at", "direction": "asc"}]})
    filtered = query_score(1_000_000, {"sorts": [{}], "filter": {"$and": [{"a": "1"}, {"b": {"$gte": 2}}]}})
    deep = query_score(
        1_000_000, {"filter": {"path": [["a", "b"], ["c", "d"]], "constraints": {"value": "x"}}}
    )
    assert plain < filtered < deep
    many = query_score(1_000_000, {"filter": {"record_id": {"$in": ["x"] * 500}}})
    assert many == query_score(1_000_000, {"filter": {"record_id": "x"}})


def test_the_sum_of_scores_is_limited_per_workspace_over_ten_seconds():
    time = Time()
    limits = Limits(time, score_per_query=500, score_per_window=1000)
    assert limits.check_score("w", 600) > 0
    assert limits.check_score("w", 500) == 0.0
    assert limits.check_score("w", 500) == 0.0
    assert limits.check_score("w", 1) == pytest.approx(10.0)
    assert limits.check_score("other", 500) == 0.0
    time.now = 10.0
    assert limits.check_score("w", 500) == 0.0


def test_a_full_scan_of_a_million_records_at_full_speed_stays_under_the_score_limit():
    time = Time()
    limits = Limits(time)
    page = {
        "filter": {"created_at": {"$gte": "2026-01-01T00:00:00Z"}},
        "sorts": [{"attribute": "created_at", "direction": "asc"}],
    }
    score = query_score(1_000_000, page)
    for n in range(2000):
        time.now = n * 0.01
        assert limits.check_score("w", score) == 0.0


def test_retry_after_is_a_date_or_seconds():
    assert retry_after(0.4, "seconds") == "1"
    moment = parsedate_to_datetime(retry_after(0.4, "date"))
    assert 0 <= (moment - datetime.now(UTC)).total_seconds() + 1 <= 2.5


def test_no_limits_lets_everything_through():
    limits = Limits(Time(), enabled=False)
    assert all(limits.check("a", "POST", "/v2/notes", "/v2/notes") == 0.0 for _ in range(1000))
    assert limits.check_score("w", 10**9) == 0.0
