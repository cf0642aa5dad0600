"""How a view becomes SQL: which rows it holds, and in which order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from attio_console.errors import InvalidFilter
from attio_console.model.text import fold
from attio_console.store.axes import BY_LABEL
from attio_console.store.mirror_schema import span
from attio_console.store.types import Sort, Term, TermKind, View
from attio_console.store.words import INFIX, infix_query, is_exact, terms, words_query

BUILT_IN = {"label": "label", "name": "label", "created": "created_at", "updated": "updated_at"}
"""What every collection can be sorted and filtered by, beside its own attributes."""

FEW = 3000
"""So many rows are cheaper to collect and sort than to walk an order for."""


def axis_slugs(view: View) -> Iterator[str]:
    """Return the slugs of the axes that a view needs; the label needs none."""
    parts: tuple[Term | Sort, ...] = (*view.terms, *view.sorts)
    for part in parts:
        if part.slug not in ("label", "record_id"):
            yield part.slug


@dataclass(slots=True)
class Question:
    """A view bound to the numbers of its collection and axes."""

    no: int
    words: tuple[str, ...]
    terms: tuple[Term, ...]
    sorts: tuple[Sort, ...]
    axes: Mapping[str, int]
    bindings: dict[str, Any] = field(default_factory=dict)

    @property
    def narrowed(self) -> bool:
        """Return whether the view leaves rows out."""
        return bool(self.words or self.terms)

    @property
    def first_axis(self) -> int:
        """Return the axis of the first sort key."""
        return BY_LABEL if not self.sorts or self.sorts[0].slug == "label" else self.axes[self.sorts[0].slug]

    @property
    def descending(self) -> bool:
        """Return the direction of the first sort key."""
        return bool(self.sorts) and self.sorts[0].descending

    # ------------------------------------------------------------------------------------------- which rows

    def _bind(self, value: Any) -> str:
        name = f"v{len(self.bindings)}"
        self.bindings[name] = value
        return f":{name}"

    def hits(self) -> str:
        """Return a SELECT of the ids of the rows that hold the words, from the full-text indexes.

        Rows whose index entries are not written yet are looked at one by one: there are never many.
        """
        low, high = (self._bind(v) for v in span(self.no))
        long = tuple(word for word in self.words if len(word) >= INFIX)
        if long:
            table, query = "infix", infix_query(long)
        else:
            table, query = "words", words_query(self.words)
        indexed = (
            f"SELECT rowid AS id FROM {table} WHERE {table} MATCH {self._bind(query)} AND rowid >= {low}"
            f" AND rowid < {high} AND rowid NOT IN (SELECT id FROM unindexed)"
        )
        fresh = (
            "SELECT u.id FROM unindexed u CROSS JOIN rec r ON r.id = u.id"
            f" WHERE u.id >= {low} AND u.id < {high} AND {self.holds_words()}"
        )
        # The index knows words and threes of letters; what is longer is looked for in what holds its parts.
        short = [word for word in self.words if len(word) < INFIX] if long else []
        unsure = [*short, *(word for word in long if not is_exact((word,)))]
        if unsure:
            indexed = (
                f"SELECT h.id FROM ({indexed}) h CROSS JOIN rec r ON r.id = h.id WHERE {self._holds(unsure)}"
            )
        return f"{indexed} UNION ALL {fresh}"

    def holds_words(self) -> str:
        """Return a condition on `r` that looks at the search text itself."""
        return self._holds(self.words)

    def _holds(self, words: Sequence[str]) -> str:
        tests = []
        for word in words:
            if len(word) >= INFIX:
                tests.append(f"instr(r.search, {self._bind(word)})")
            else:
                tests.append(f"instr(' ' || r.search, {self._bind(' ' + word)})")
        return " AND ".join(tests) or "1"

    def holds_terms(self) -> str:
        """Return a condition on `r` for the filter terms."""
        return " AND ".join(self._term(term) for term in self.terms) or "1"

    def _term(self, term: Term) -> str:
        if term.slug == "record_id":
            marks = ", ".join(self._bind(value) for value in term.values)
            test = f"r.record_id IN ({marks})"
        elif term.slug == "label":
            test = self._label_test(term)
        else:
            axis = self.axes[term.slug]
            test = f"r.id IN (SELECT id FROM ax_{axis} WHERE {self._axis_test(term)})"
        return f"NOT ({test})" if term.negated else f"({test})"

    def _label_test(self, term: Term) -> str:
        if term.op == "?":
            return "r.sort <> ''"
        texts = [fold(str(value)) for value in term.values]
        if term.op == "~":
            return " OR ".join(f"instr(r.sort, {self._bind(text)})" for text in texts)
        return " OR ".join(f"r.sort {term.op} {self._bind(text)}" for text in texts)

    def _axis_test(self, term: Term) -> str:
        if term.op == "?":
            return "key IS NOT NULL"
        tests = []
        for value in term.values:
            if term.kind is TermKind.REF:
                tests.append(f"ref = {self._bind(value)}")
            elif term.op == "~":
                tests.append(f"instr(coalesce(txt, key), {self._bind(fold(str(value)))})")
            elif term.kind is TermKind.NUMBER:
                tests.append(f"(typeof(key) = 'real' AND key {term.op} {self._bind(float(value))})")
            elif term.kind is TermKind.TIME and term.op == "=":
                # A day, a month or a year is all that begins with it.
                tests.append(f"substr(key, 1, {len(str(value))}) = {self._bind(str(value))}")
            elif term.kind is TermKind.TIME:
                tests.append(f"(key IS NOT NULL AND key {term.op} {self._bind(str(value))})")
            elif term.kind is TermKind.TEXT:
                tests.append(f"coalesce(txt, key) {term.op} {self._bind(fold(str(value)))}")
            else:
                raise InvalidFilter(f"{term.slug} cannot be compared like that.")
        return " OR ".join(tests)

    # ------------------------------------------------------------------------------------------- in which order

    def order(self) -> tuple[str, str]:
        """Return the joins and the ORDER BY of the view: blanks last whichever way it is sorted."""
        joins, keys = [], []
        for at, sort in enumerate(self.sorts):
            way = "DESC" if sort.descending else "ASC"
            if sort.slug == "label":
                keys += ["r.sort = ''", f"r.sort {way}"]
            else:
                joins.append(
                    f"LEFT JOIN ax_{self.axes[sort.slug]} s{at} ON s{at}.id = r.id AND s{at}.pos = 0"
                )
                keys += [f"s{at}.key IS NULL", f"s{at}.key {way}"]
        if not any(sort.slug == "label" for sort in self.sorts):
            keys += [] if self.sorts else ["r.sort = ''", "r.sort"]
        return " ".join(joins), ", ".join([*keys, "r.id DESC" if self.descending else "r.id"])

    def ids(self, *, ordered: bool) -> str:
        """Return the whole SELECT of a view's row ids."""
        joins, order = self.order() if ordered else ("", "")
        tail = f" ORDER BY {order}" if ordered else ""
        if self.words:
            source = f"({self.hits()}) h CROSS JOIN rec r ON r.id = h.id"
            return f"SELECT r.id FROM {source} {joins} WHERE {self.holds_terms()}{tail}"
        return f"SELECT r.id FROM rec r {joins} WHERE r.coll = {self._bind(self.no)} AND {self.holds_terms()}{tail}"


def bind(view: View, no: int, axes: Mapping[str, int]) -> Question:
    """Return the question that a view asks."""
    return Question(no, terms(view.text), view.terms, view.sorts, axes)
