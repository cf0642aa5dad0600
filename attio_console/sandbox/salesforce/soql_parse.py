"""A reader of SOQL: SELECT fields FROM object WHERE conditions GROUP BY fields ORDER BY keys LIMIT n OFFSET n."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from attio_console.sandbox.salesforce.errors import SalesforceError, bad
from attio_console.sandbox.salesforce.soql_ast import (
    Aggregate,
    Comparison,
    DateLiteral,
    Logic,
    Moment,
    Order,
    Query,
)

_TOKEN = re.compile(
    r"""\s+
    | (?P<moment>\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))?)
    | (?P<number>[+-]?\d+(?:\.\d+)?)
    | (?P<string>'(?:[^'\\]|\\.)*')
    | (?P<name>[A-Za-z][A-Za-z0-9_.]*(?::\d+)?)
    | (?P<sign><=|>=|!=|<>|[=<>(),])
    | (?P<bad>.)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_DATES = re.compile(
    r"(TODAY|YESTERDAY|TOMORROW|(LAST|THIS|NEXT)_(WEEK|MONTH|QUARTER|YEAR|90_DAYS)|(LAST|NEXT)_N_(DAYS|WEEKS|MONTHS|YEARS):\d+|N_DAYS_AGO:\d+)",
    re.IGNORECASE,
)
_MAX_OFFSET = 2_000
FUNCTIONS = frozenset({"COUNT", "COUNT_DISTINCT", "MIN", "MAX", "SUM", "AVG"})


@dataclass(slots=True)
class _Selected:
    """What stands between SELECT and FROM."""

    fields: list[str] = field(default_factory=list)
    aggregates: list[Aggregate] = field(default_factory=list)
    aliases: list[tuple[str, str]] = field(default_factory=list)
    children: list[Query] = field(default_factory=list)
    counted: bool = False


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the query, and where it stood."""

    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        """Return a name in capitals, for keywords."""
        return self.text.upper() if self.kind == "name" else ""


def malformed(text: str, at: int, why: str) -> SalesforceError:
    """Refuse a query and point at the place."""
    start = max(0, at - 40)
    excerpt = text[start : at + 40].replace("\n", " ")
    pointer = " " * (at - start) + "^"
    return bad("MALFORMED_QUERY", f"\n{excerpt}\n{pointer}\nERROR at Row:1:Column:{at + 1}\n{why}")


def parse(text: str) -> Query:
    """Read a query, or refuse it."""
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.position = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.position]

    def take(self, *words: str) -> bool:
        if all(
            self.tokens[min(self.position + n, len(self.tokens) - 1)].word == w for n, w in enumerate(words)
        ):
            self.position += len(words)
            return True
        return False

    def sign(self, text: str) -> bool:
        if self.token.kind == "sign" and self.token.text == text:
            self.position += 1
            return True
        return False

    def fail(self, why: str | None = None) -> SalesforceError:
        if why is None:
            why = (
                f"unexpected token: '{self.token.text}'"
                if self.token.kind != "end"
                else "unexpected token: '<EOF>'"
            )
        return malformed(self.text, self.token.at, why)

    def name(self) -> Token:
        token = self.token
        if token.kind != "name" or ":" in token.text:
            raise self.fail()
        self.position += 1
        return token

    def query(self, *, nested: bool = False) -> Query:
        if not self.take("SELECT"):
            raise self.fail()
        selected = self._select()
        if not self.take("FROM"):
            raise self.fail()
        sobject = self.name().text
        where = self._or() if self.take("WHERE") else None
        group = self._group() if self.take("GROUP", "BY") else ()
        order = self._order() if self.take("ORDER", "BY") else ()
        limit = self._whole() if self.take("LIMIT") else None
        offset = self._whole() if self.take("OFFSET") else 0
        if offset > _MAX_OFFSET:
            raise bad("NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {_MAX_OFFSET}")
        all_rows = self.take("ALL", "ROWS")
        if self.take("FOR") and not (self.take("VIEW") or self.take("REFERENCE")):
            raise self.fail()
        if not nested and self.token.kind != "end":
            raise self.fail()
        if selected.aliases and not (group or selected.aggregates):
            raise bad("MALFORMED_QUERY", "only aggregate expressions use field aliasing")
        return Query(
            tuple(selected.fields),
            sobject,
            selected.counted,
            tuple(selected.aggregates),
            tuple(selected.aliases),
            tuple(selected.children),
            where,
            group,
            order,
            limit,
            offset,
            all_rows,
            self.text,
        )

    def _select(self) -> _Selected:
        selected = _Selected()
        while True:
            if self.sign("("):
                selected.children.append(self.query(nested=True))
                if not self.sign(")"):
                    raise self.fail()
            else:
                self._field(selected)
            if selected.counted or not self.sign(","):
                return selected

    def _field(self, selected: _Selected) -> None:
        token = self.name()
        if token.word not in FUNCTIONS | {"FIELDS"} or not self.sign("("):
            selected.fields.append(token.text)
            if alias := self._alias():
                selected.aliases.append((token.text, alias))
            return
        if token.word == "COUNT" and self.sign(")"):
            if selected.fields or selected.aggregates or selected.children:
                raise self.fail()
            selected.counted = True
            return
        inner = self.name().text
        if not self.sign(")"):
            raise self.fail()
        if token.word == "FIELDS":
            selected.fields.append(f"FIELDS({inner.upper()})")
            return
        unnamed = sum(each.alias.startswith("expr") for each in selected.aggregates)
        selected.aggregates.append(Aggregate(token.word, inner, self._alias() or f"expr{unnamed}"))

    def _alias(self) -> str:
        return self.name().text if self.token.kind == "name" and self.token.word != "FROM" else ""

    def _group(self) -> tuple[str, ...]:
        paths = [self.name().text]
        while self.sign(","):
            paths.append(self.name().text)
        return tuple(paths)

    def _or(self) -> Comparison | Logic:
        parts = [self._and()]
        while self.take("OR"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else Logic("OR", tuple(parts))

    def _and(self) -> Comparison | Logic:
        parts = [self._not()]
        while self.take("AND"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else Logic("AND", tuple(parts))

    def _not(self) -> Comparison | Logic:
        if self.take("NOT"):
            return Logic("NOT", (self._not(),))
        if self.sign("("):
            inner = self._or()
            if not self.sign(")"):
                raise self.fail()
            return inner
        return self._comparison()

    def _comparison(self) -> Comparison:
        path = self.name()
        for words in (("NOT", "IN"), ("IN",), ("INCLUDES",), ("EXCLUDES",)):
            if self.take(*words):
                return Comparison(path.text, " ".join(words), self._list(), path.at)
        if self.take("LIKE"):
            return Comparison(path.text, "LIKE", self._value(), path.at)
        token = self.token
        if token.kind != "sign" or token.text not in {"=", "!=", "<>", "<", "<=", ">", ">="}:
            raise self.fail()
        self.position += 1
        return Comparison(path.text, "!=" if token.text == "<>" else token.text, self._value(), path.at)

    def _list(self) -> Any:
        if not self.sign("("):
            raise self.fail()
        if self.token.word == "SELECT":
            value: Any = self.query(nested=True)
        else:
            items = [self._value()]
            while self.sign(","):
                items.append(self._value())
            value = tuple(items)
        if not self.sign(")"):
            raise self.fail()
        return value

    def _value(self) -> Any:
        token = self.token
        self.position += 1
        match token.kind:
            case "string":
                return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), token.text[1:-1], flags=re.DOTALL)
            case "number":
                return float(token.text) if "." in token.text else int(token.text)
            case "moment":
                return Moment(token.text)
            case "name" if token.word in {"TRUE", "FALSE"}:
                return token.word == "TRUE"
            case "name" if token.word == "NULL":
                return None
            case "name" if _DATES.fullmatch(token.text):
                name, _, number = token.word.partition(":")
                return DateLiteral(name, int(number or 0))
        self.position -= 1
        raise self.fail()

    def _order(self) -> tuple[Order, ...]:
        keys = []
        while True:
            path = self.name().text
            if path.upper() in FUNCTIONS and self.sign("("):
                path = f"{path.upper()}({self.name().text})"
                if not self.sign(")"):
                    raise self.fail()
            descending = self.take("DESC")
            if not descending:
                self.take("ASC")
            nulls_last = self.take("NULLS", "LAST")
            if not nulls_last:
                self.take("NULLS", "FIRST")
            keys.append(Order(path, descending, nulls_last))
            if not self.sign(","):
                return tuple(keys)

    def _whole(self) -> int:
        token = self.token
        if token.kind != "number" or not token.text.isdigit():
            raise self.fail()
        self.position += 1
        return int(token.text)


def _tokens(text: str) -> list[Token]:
    tokens = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind is None:
            continue
        if kind == "bad":
            raise malformed(
                text, match.start(), f"line 1:{match.start()} no viable alternative at character '{match[0]}'"
            )
        tokens.append(Token(kind, match[0], match.start()))
    tokens.append(Token("end", "", len(text)))
    return tokens
