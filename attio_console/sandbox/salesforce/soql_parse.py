"""A reader of SOQL: SELECT fields FROM object WHERE conditions ORDER BY keys LIMIT n OFFSET n."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from attio_console.sandbox.salesforce.errors import SalesforceError, bad
from attio_console.sandbox.salesforce.soql_ast import Comparison, DateLiteral, Logic, Moment, Order, Query

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
        fields, count, alias = self._fields()
        if not self.take("FROM"):
            raise self.fail()
        sobject = self.name().text
        where = self._or() if self.take("WHERE") else None
        order = self._order() if self.take("ORDER", "BY") else ()
        limit = self._whole() if self.take("LIMIT") else None
        offset = self._whole() if self.take("OFFSET") else 0
        if offset > _MAX_OFFSET:
            raise bad("NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {_MAX_OFFSET}")
        all_rows = self.take("ALL", "ROWS")
        if not nested and self.token.kind != "end":
            raise self.fail()
        return Query(fields, sobject, count, alias, where, order, limit, offset, all_rows, self.text)

    def _fields(self) -> tuple[tuple[str, ...], str | None, str]:
        fields: list[str] = []
        while True:
            if self.token.kind == "sign" and self.token.text == "(":
                raise self.fail("Sub-queries in SELECT are not supported by this org")
            token = self.name()
            if token.word in {"COUNT", "FIELDS"} and self.sign("("):
                inner = "" if self.sign(")") else self.name().text
                if inner and not self.sign(")"):
                    raise self.fail()
                if token.word == "COUNT":
                    alias = (
                        self.name().text
                        if self.token.kind == "name" and self.token.word != "FROM"
                        else "expr0"
                    )
                    return (), inner, alias
                fields.append(f"FIELDS({inner.upper()})")
            else:
                fields.append(token.text)
            if not self.sign(","):
                return tuple(fields), None, "expr0"

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
