"""Small draws that several generators need, all from the one seeded source."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import TypeVar

import phonenumbers

from attio_console.sandbox.seed.cultures import CULTURES, Culture

T = TypeVar("T")


def stream(seed: int, name: str) -> Random:
    """Return a source of its own for one kind of row, so that more people do not change the companies."""
    return Random(f"{seed}:{name}")


def pick_weighted(random: Random, choices: Sequence[tuple[T, int]]) -> T:
    """Draw one of the (choice, weight) pairs."""
    bounds = list(itertools.accumulate(weight for _, weight in choices))
    point = random.randrange(bounds[-1])
    return next(choice for (choice, _), bound in zip(choices, bounds, strict=True) if point < bound)


_CULTURES = tuple((culture, culture.weight) for culture in CULTURES)


def pick_culture(random: Random) -> Culture:
    """Draw a country by its weight."""
    return pick_weighted(random, _CULTURES)


def fill(random: Random, pattern: str) -> str:
    """Replace `#` by a digit and `@` by a letter."""
    out = []
    for sign in pattern:
        if sign == "#":
            out.append(str(random.randrange(10)))
        elif sign == "@":
            out.append(random.choice("ABDEFGHJLNPQRSTUWXYZ"))
        else:
            out.append(sign)
    return "".join(out)


@cache
def _example(country: str) -> str:
    number = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    if number is None:
        raise ValueError(f"no example number for {country}")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def phone(random: Random, culture: Culture) -> str:
    """Draw a telephone number that exists in that country's plan, in E.164."""
    for _ in range(8):
        text = f"+{culture.dial}{fill(random, random.choice(culture.phones))}"
        if phonenumbers.is_valid_number(phonenumbers.parse(text)):
            return text
    return str(_example(culture.country))


def moment(random: Random, now: datetime, newest_days: float, oldest_days: float) -> datetime:
    """Draw an instant between so many days ago, at a working hour, to the millisecond."""
    # Squared, so that recent days are busier than distant ones.
    share = random.random() ** 2
    days = newest_days + (oldest_days - newest_days) * share
    base = (now - timedelta(days=days)).replace(minute=0, second=0, microsecond=0)
    at = base.replace(hour=random.randrange(7, 19)) + timedelta(milliseconds=random.randrange(3_600_000))
    return min(at, now - timedelta(hours=1))
