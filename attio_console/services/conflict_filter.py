"""The filter box of the conflict queue: words, and terms such as `system=hubspot field=phone age>2d assigned=jane`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import NamedTuple

from attio_console.errors import InvalidFilter
from attio_console.model.text import fold
from attio_console.services.times import DURATION, seconds_of
from attio_console.store.conflict_desk import IndexLine

_TERM = re.compile(r"(!?)([A-Za-z_]+)(=|<|>)(.*)", re.DOTALL)
TERMS = ("object", "field", "system", "kind", "age", "assigned")


class Found(NamedTuple):
    """What a conflict is matched by, folded once and kept while the conflict stays as it is."""

    revision: int
    detected_at: float
    words: str
    object: str
    fields: str
    system: str
    kind: str


Test = Callable[[Found, str, float], bool]
"""Whether a conflict, with the folded name of whose it is, passes at that time."""


def found_by(line: IndexLine, title: str) -> Found:
    """Return what a conflict is matched by; `title` is what people call its object."""
    fields = " ".join(f"{f.slug or f.field} {f.title}" for f in line.fields)
    system = "your edit" if line.system == "attio" else line.system
    return Found(
        line.revision,
        line.detected_at,
        fold(f"{line.label} {system} {line.kind} {fields}"),
        fold(f"{title} {line.external_type}"),
        fold(fields),
        fold(line.system),
        fold(line.kind),
    )


def parse(text: str) -> list[Test]:
    """Return the tests a filter is made of. Raises InvalidFilter with the nearest name for a term there is not."""
    return [test for word in text.split() for test in _test(word)]


def _test(word: str) -> list[Test]:
    match = _TERM.fullmatch(word)
    if match is None:
        return [_word(fold(word))]
    negated, name, operator, value = match.groups()
    if name not in TERMS:
        near = get_close_matches(name, TERMS, n=1)
        raise InvalidFilter(
            f"There is no term {name!r}.", hint=f"Did you mean {near[0]}?" if near else f"{', '.join(TERMS)}"
        )
    if not value:
        # It is still being typed.
        return []
    if (name == "age") == (operator == "="):
        raise InvalidFilter(f"{word} is not understood.", hint="Such as: age>2d, system=hubspot")
    test = _age(operator, value) if name == "age" else _named(name, fold(value))
    return [_not(test)] if negated else [test]


def _word(word: str) -> Test:
    return lambda found, assignee, _: word in found.words or word in assignee


def _named(name: str, value: str) -> Test:
    parts: Mapping[str, Callable[[Found, str], str]] = {
        "object": lambda found, _: found.object,
        "field": lambda found, _: found.fields,
        "system": lambda found, _: found.system,
        "kind": lambda found, _: found.kind,
        "assigned": lambda _, assignee: assignee or "nobody",
    }
    part = parts[name]
    return lambda found, assignee, _: value in part(found, assignee)


def _age(operator: str, value: str) -> Test:
    if DURATION.fullmatch(value) is None:
        raise InvalidFilter(f"{value!r} is no age.", hint="Such as: 30m, 4h, 2d, 1w")
    limit = seconds_of(value)
    if operator == ">":
        return lambda found, _, now: now - found.detected_at > limit
    return lambda found, _, now: now - found.detected_at < limit


def _not(test: Test) -> Test:
    return lambda found, assignee, now: not test(found, assignee, now)
