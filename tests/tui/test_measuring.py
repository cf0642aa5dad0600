"""Text in cells, columns in a width, times in words, values in bars."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from attio_console.model.text import plain
from attio_console.services.types import Column
from attio_console.tui import times
from attio_console.tui.cells import fit, wrap
from attio_console.tui.columns import GAP, place
from attio_console.tui.spark import bar, sparkline

AWKWARD = ["株式会社ラブ", "👩‍🚀 Neil", "مرحبا", "naïve", "🇩🇰", "x👍🏽", "", "é" * 40, "한국어", "a\u0301b"]


@given(st.text(max_size=60), st.integers(0, 40))
def test_fit_is_exactly_as_wide_as_asked(text: str, width: int) -> None:
    assert cell_len(fit(plain(text), width)) == width


@pytest.mark.parametrize("text", AWKWARD)
@pytest.mark.parametrize("width", [1, 2, 3, 7, 8, 30])
def test_wide_characters_are_never_halved(text: str, width: int) -> None:
    assert cell_len(fit(text, width)) == width
    assert all(cell_len(line) <= width for line in wrap(text, width, 5))


def test_joined_emoji_become_the_one_every_terminal_draws_alike() -> None:
    assert fit("👩‍🚀x", 3) == "👩x"
    assert fit("🇩🇰", 2) == "DK"


def _columns(*widths: int) -> list[Column]:
    return [Column(f"c{n}", f"C{n}", "text", width, n) for n, width in enumerate(widths)]


@pytest.mark.parametrize("width", [20, 40, 76, 115, 200])
def test_columns_never_overflow(width: int) -> None:
    placed = place(_columns(24, 22, 28, 14, 18, 12), width)
    assert placed[0].number == 0
    assert placed[-1].x + placed[-1].width <= width
    assert all(b.x - a.x == a.width + GAP for a, b in itertools.pairwise(placed))


def test_the_least_important_column_goes_first() -> None:
    columns = [
        Column("a", "A", "text", 20, 0),
        Column("b", "B", "text", 20, 9),
        Column("c", "C", "text", 20, 1),
    ]
    assert [p.column.slug for p in place(columns, 44)] == ["a", "c"]


def test_a_dropped_column_comes_into_view_under_the_cursor() -> None:
    placed = place(_columns(24, 22, 28, 14, 18, 12), 60, cursor=5)
    assert placed[0].number == 0
    assert placed[-1].number == 5


def test_times_are_said_in_their_largest_unit() -> None:
    now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    assert times.ago(now - timedelta(minutes=4), now) == "4 m ago"
    assert times.ago(now, now) == "just now"
    assert times.ago(None, now) == "–"
    assert times.clock(now - timedelta(hours=2), now) == "07:00"
    assert times.clock(now - timedelta(days=2), now) == "21 Nov"
    assert times.day(now - timedelta(days=600), now).endswith("2025")
    assert times.countdown(42.9) == "0:42"
    assert times.lag(0.44) == "0.4 s"


def test_bars_are_as_long_as_asked() -> None:
    assert sparkline([], 5) == "▁▁▁▁▁"
    assert sparkline([0, 10], 4, 10)[-1] == "█"
    assert bar(0.5, 10) == "▇▇▇▇▇▁▁▁▁▁"
