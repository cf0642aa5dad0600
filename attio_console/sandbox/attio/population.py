"""A million records that are computed when asked for, with what has changed since kept beside them.

`PopulatedTable` is a `Table` whose first `size` rows come from a `Recipe`: row number i has an id, a place in the order
of creation and values that are functions of i, so nothing is stored until somebody writes. Pages are printed from a
template: the recipe makes one row of marks, the usual code renders it once, and each record is that text with the
marks filled in.
"""

from __future__ import annotations

import heapq
import re
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator
from itertools import chain, islice
from operator import itemgetter
from typing import Any, Protocol

import msgspec

from attio_console.sandbox.attio.state import Crm, Object, Row
from attio_console.sandbox.attio.table import MemoryTable, Ref
from attio_console.sandbox.attio.values import option_json, record_json

_MARK = re.compile(r'"@@n(\d+)@@"|"@@o(\d+)@@"|@@(\d+)@@')
_MASK48 = (1 << 48) - 1
_encode = msgspec.json.Encoder().encode


_Template = tuple[tuple[str, ...], Callable[..., Any], tuple[int, ...]]
"""The pieces of the text with every other one to be filled in, which fields go there, which fields are options."""


class Recipe(Protocol):
    """How the rows of an object come about."""

    size: int

    def fields(self, index: int) -> tuple[str, ...]:
        """Return what differs from row to row: ids and JSON-safe texts."""

    def variant(self, index: int) -> int:
        """Return which shape row number `index` has: which attributes are filled."""

    def build(self, fields: tuple[str, ...], variant: int, number: Callable[[str], Any]) -> Row:
        """Make a row of that shape; `number` turns a field into a number."""

    def created(self, index: int) -> str:
        """Return the `created_at` value; never falls with the index."""

    def find(self, slug: str, key: Any) -> int | None:
        """Return the row that would hold a unique value."""


class Numbers:
    """Ids that look random and can be read back into row numbers."""

    def __init__(self, seed: int) -> None:
        self._seed = (seed * 0xD1342543DE82EF95 + 0x2545F4914F6CDD1D) & ((1 << 64) - 1)
        self._step = (self._seed & _MASK48) | 1
        self._back = pow(self._step, -1, 1 << 48)

    def id(self, index: int) -> str:
        """Return the id of a row."""
        low = ((index + 1) * self._step) & _MASK48
        high = (low * 0x9E3779B97F4A7C15 ^ self._seed) & ((1 << 64) - 1)
        return (
            f"{high >> 32:08x}-{high >> 16 & 0xFFFF:04x}-4{high >> 4 & 0xFFF:03x}-"
            f"{8 | high & 3:x}{low >> 9 & 0xFFF:03x}-{low:012x}"
        )

    def index(self, row_id: str, size: int) -> int | None:
        """Return the row of an id, if it is one of ours."""
        try:
            low = int(row_id[24:], 16)
        except ValueError:
            return None
        index = (low * self._back & _MASK48) - 1
        return index if 0 <= index < size and self.id(index) == row_id else None


class PopulatedTable:
    """Computed rows, the changed ones among them, and those added later."""

    def __init__(self, crm: Crm, target: Object, recipe: Recipe, numbers: Numbers) -> None:
        self._crm = crm
        self._target = target
        self._recipe = recipe
        self._numbers = numbers
        self._changed = MemoryTable(target)
        self._changed_at: set[int] = set()
        self._gone: list[int] = []
        self._new = MemoryTable(target)
        self._templates: dict[int, _Template] = {}
        self._options: dict[str, str] = {}
        self._version = -1

    def __len__(self) -> int:
        """How many rows there are."""
        return self._recipe.size - len(self._gone) + len(self._new)

    def get(self, row_id: str) -> Row | None:
        """Return a row by id."""
        index = self._numbers.index(row_id, self._recipe.size)
        if index is None:
            return self._new.get(row_id)
        if index in self._changed_at:
            return self._changed.get(row_id)
        return None if self._is_gone(index) else self._compute(index)

    def put(self, row: Row) -> None:
        """Add a row, or replace the one of the same id."""
        index = self._numbers.index(row.id, self._recipe.size)
        if index is None:
            self._new.put(row)
            return
        self._changed_at.add(index)
        self._changed.put(row)

    def remove(self, row_id: str) -> None:
        """Forget a row."""
        index = self._numbers.index(row_id, self._recipe.size)
        if index is None:
            self._new.remove(row_id)
            return
        if index in self._changed_at:
            self._changed_at.discard(index)
            self._changed.remove(row_id)
        insort(self._gone, index)

    def holders(self, attribute_id: str, key: Any) -> list[str]:
        """Return the ids of rows that hold a value (by identity) of a unique attribute."""
        found = self._changed.holders(attribute_id, key) + self._new.holders(attribute_id, key)
        slug = self._target.attributes[attribute_id].slug
        index = (
            self._numbers.index(key, self._recipe.size)
            if slug == "record_id"
            else self._recipe.find(slug, key)
        )
        if index is not None and index not in self._changed_at and not self._is_gone(index):
            found.append(self._numbers.id(index))
        return found

    def refs(
        self, since: str | None = None, until: str | None = None, *, newest_first: bool = False
    ) -> Iterator[Ref]:
        """Return rows in order of their `created_at` value, within bounds that are both inclusive."""
        everyone = range(self._recipe.size)
        start = 0 if since is None else bisect_left(everyone, since, key=self._recipe.created)
        stop = len(everyone) if until is None else bisect_right(everyone, until, key=self._recipe.created)
        indexes = range(start, stop)
        computed = self._living(reversed(indexes) if newest_first else indexes)
        added = self._new.refs(since, until, newest_first=newest_first)
        if self._new_come_last():
            return chain(added, computed) if newest_first else chain(computed, added)
        return heapq.merge(computed, added, key=self._created, reverse=newest_first)

    def slice(self, start: int, count: int) -> list[Ref]:
        """Return rows by position in order of creation."""
        if not self._new_come_last():
            return list(islice(self.refs(), start, start + count))
        living = self._recipe.size - len(self._gone)
        if start >= living:
            return self._new.slice(start - living, count)
        first = self._at(start)
        page = list(islice(self._living(range(first, self._recipe.size)), count))
        return page + self._new.slice(0, count - len(page))

    def row(self, ref: Ref) -> Row:
        """Return the row a ref names."""
        return self._compute(ref) if isinstance(ref, int) else ref

    def ref(self, row_id: str) -> Ref | None:
        """Return what names a row, where that is cheaper than reading it."""
        index = self._numbers.index(row_id, self._recipe.size)
        if index is None or index in self._changed_at:
            return self.get(row_id)
        return None if self._is_gone(index) else index

    def body(self, ref: Ref) -> bytes | None:
        """Return a computed row's JSON, printed from the template of its shape."""
        if not isinstance(ref, int):
            return None
        version = sum(each.version for each in self._crm.containers())
        if version != self._version:
            self._templates.clear()
            self._options = {}
            self._version = version
        variant = self._recipe.variant(ref)
        if variant not in self._templates:
            self._templates[variant] = self._template(ref, variant)
        pieces, pick, options = self._templates[variant]
        fields = self._recipe.fields(ref)
        if options:
            shown = list(fields)
            for k in options:
                shown[k] = self._options.get(fields[k]) or self._option(fields[k])
            fields = tuple(shown)
        page = list(pieces)
        page[1::2] = pick(fields)
        return "".join(page).encode()

    def reindex(self) -> None:
        """Learn anew which attributes are unique."""
        self._changed.reindex()
        self._new.reindex()

    def _compute(self, index: int) -> Row:
        return self._recipe.build(self._recipe.fields(index), self._recipe.variant(index), _number)

    def _template(self, index: int, variant: int) -> _Template:
        """Render a row of marks and turn it into a format string and the order its fields are wanted in."""
        plain = self._recipe.fields(index)
        options = tuple(k for k, each in enumerate(plain) if self._is_option(each))
        marks = tuple(f"@@o{k}@@" if k in options else f"@@{k}@@" for k in range(len(plain)))
        row = self._recipe.build(marks, variant, lambda mark: mark.replace("@@", "@@n", 1))
        text = _encode(record_json(self._crm, self._target, row)).decode()
        wanted: list[int] = []

        def take(match: re.Match[str]) -> str:
            wanted.append(int(match[1] or match[2] or match[3]))
            return "\0"

        still = _MARK.sub(take, text).split("\0")
        # Every other piece is a mark's place: printing is one slice assignment and one join.
        pieces = [""] * (2 * len(wanted) + 1)
        pieces[::2] = still
        return tuple(pieces), itemgetter(*wanted), options

    def _is_option(self, option_id: str) -> bool:
        return any(option_id in attribute.options for attribute in self._target.attributes.values())

    def _option(self, option_id: str) -> str:
        if option_id not in self._options:
            for attribute in self._target.attributes.values():
                if option_id in attribute.options:
                    self._options[option_id] = _encode(option_json(self._crm, attribute, option_id)).decode()
        return self._options[option_id]

    def _living(self, indexes: Iterator[int] | range) -> Iterator[Ref]:
        if not self._gone and not self._changed_at:
            yield from indexes
            return
        gone = set(self._gone)
        for index in indexes:
            if index in self._changed_at:
                row = self._changed.get(self._numbers.id(index))
                if row is not None:
                    yield row
            elif index not in gone:
                yield index

    def _at(self, position: int) -> int:
        """Return the index of the living row at a position."""
        index = position
        while (skipped := bisect_right(self._gone, index)) != index - position:
            index = position + skipped
        return index

    def _is_gone(self, index: int) -> bool:
        place = bisect_left(self._gone, index)
        return place < len(self._gone) and self._gone[place] == index

    def _new_come_last(self) -> bool:
        if not len(self._new):
            return True
        oldest = self._new.slice(0, 1)[0]
        return self._created(oldest) >= self._recipe.created(self._recipe.size - 1)

    def _created(self, ref: Ref) -> str:
        if isinstance(ref, int):
            return self._recipe.created(ref)
        attribute = self._target.attribute("created_at")
        assert attribute is not None
        text: str = ref.get(attribute.id)[0].data["value"]
        return text


def _number(text: str) -> Any:
    value = float(text)
    return int(value) if value.is_integer() else value
