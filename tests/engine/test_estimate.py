from __future__ import annotations

import pytest

from attio_console.sync.sources import MANY_PAGE, _Looking


class Counted(_Looking):
    """A collection of a known size that answers only whether there is a row at an offset."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.asked = 0

    async def _has(self, offset: int) -> bool | None:
        self.asked += 1
        return offset < self.size


@pytest.mark.parametrize("size", [2_500, 3_000, 20_000, 99_999, 1_000_000])
async def test_the_size_of_a_first_pull_is_guessed_with_a_few_questions(size: int) -> None:
    rows = Counted(size)
    guess = await rows.estimate(2_500)
    assert guess is not None
    assert abs(guess - size) <= max(MANY_PAGE, size * 0.05)
    assert rows.asked <= 20


async def test_what_cannot_be_asked_is_not_guessed() -> None:
    assert await _Looking().estimate(10) is None
