"""SOSL: FIND {words} IN scope FIELDS RETURNING Object(fields WHERE conditions), and the same by parameters."""

from __future__ import annotations

import re
from typing import Any

from attio_console.sandbox.salesforce.errors import SalesforceError, bad
from attio_console.sandbox.salesforce.soql_parse import parse
from attio_console.sandbox.salesforce.soql_run import Plan
from attio_console.sandbox.salesforce.state import Salesforce
from attio_console.sandbox.salesforce.table import Row, Table
from attio_console.sandbox.server import Request, Response, Router

DEFAULT = ("Account", "Contact", "Lead", "Opportunity")
MOST = 2_000
SCOPES: dict[str, frozenset[str]] = {
    "ALL": frozenset({"string", "email", "phone", "url", "textarea", "picklist"}),
    "NAME": frozenset({"string"}),
    "EMAIL": frozenset({"email"}),
    "PHONE": frozenset({"phone"}),
    "SIDEBAR": frozenset({"string", "email", "phone"}),
}
_NAMES = {"Name", "FirstName", "LastName", "Subject", "Company"}
_SOSL = re.compile(
    r"\s*FIND\s*\{(?P<find>(?:\\.|[^}\\])*)\}"
    r"(?:\s*IN\s+(?P<scope>\w+)\s+FIELDS)?"
    r"(?:\s*RETURNING\s+(?P<returning>.+?))?"
    r"(?:\s+LIMIT\s+(?P<limit>\d+))?\s*",
    re.IGNORECASE | re.DOTALL,
)
_RETURNED = re.compile(
    r"\s*(?P<object>\w+)\s*(?:\((?P<inner>(?:'(?:\\.|[^'\\])*'|\([^()]*\)|[^()'])*)\))?\s*(?:,|$)"
)
_FIELDS = re.compile(
    r"(?P<fields>[\w.,\s]+?)(?P<rest>\s+(?:WHERE|ORDER\s+BY|LIMIT|OFFSET)\b.*)?", re.IGNORECASE | re.DOTALL
)
_WORD = re.compile(r"\w+")


class SearchRoutes:
    """The handlers of one org."""

    def __init__(self, org: Salesforce) -> None:
        self.org = org

    def add(self, router: Router, base: str) -> None:
        """Serve under `/services/data/{version}`."""
        router.add("GET", f"{base}/search", self.search)
        router.add("GET", f"{base}/parameterizedSearch", self.by_parameters)

    def search(self, request: Request) -> Response:
        """Answer a SOSL search."""
        text = request.query.get("q", "")
        match = _SOSL.fullmatch(text)
        if match is None:
            raise _malformed(f"No viable alternative at character '{text[:1] or '<EOF>'}'")
        scope = (match["scope"] or "ALL").upper()
        if scope not in SCOPES:
            raise _malformed(f"unexpected token: {match['scope']}")
        queries = [_returned(one) for one in _split(match["returning"])] if match["returning"] else []
        words = _words(re.sub(r"\\(.)", r"\1", match["find"]))
        return self._answer(request, words, scope, queries, int(match["limit"] or MOST))

    def by_parameters(self, request: Request) -> Response:
        """Answer a search put into query parameters."""
        objects = [value for name, value in request.query_all if name == "sobject"]
        fields = request.query.get("fields", "Id")
        queries = [f"SELECT {request.query.get(f'{name}.fields', fields)} FROM {name}" for name in objects]
        scope = request.query.get("in", "ALL").upper()
        limit = request.query.get("overallLimit", str(MOST))
        if scope not in SCOPES or not limit.isdigit():
            raise _malformed("in or overallLimit is not one that searches know")
        return self._answer(request, _words(request.query.get("q", "")), scope, queries, int(limit))

    def _answer(
        self, request: Request, words: list[re.Pattern[str]], scope: str, queries: list[str], limit: int
    ) -> Response:
        rows: list[dict[str, Any]] = []
        for text in queries or [f"SELECT Id FROM {name}" for name in DEFAULT]:
            plan = Plan(self.org, parse(text))
            found = [row for row in plan.ordered() if _holds(plan.table, row, words, scope)]
            found = found[plan.query.offset :]
            kept = found if plan.query.limit is None else found[: plan.query.limit]
            rows += [plan.show(row, request.state["version"]) for row in kept]
        return Response.json({"searchRecords": rows[: min(limit, MOST)]})


def _malformed(why: str) -> SalesforceError:
    return bad("MALFORMED_SEARCH", why)


def _words(text: str) -> list[re.Pattern[str]]:
    cleaned = text.strip().strip('"')
    if len(cleaned.replace("*", "")) < 2:
        raise _malformed("search term must be longer than one character: " + cleaned)
    words = []
    for word in cleaned.casefold().split():
        # Signs separate words on both sides, so "acme.com" finds what holds "acme" and "com".
        parts = [part for part in re.split(r"[^\w*?]+", word) if part]
        words += [re.compile(re.escape(p).replace(r"\*", r"\w*").replace(r"\?", r"\w")) for p in parts]
    return words


def _split(text: str) -> list[re.Match[str]]:
    parts, at = [], 0
    while at < len(text):
        match = _RETURNED.match(text, at)
        if match is None:
            raise _malformed(f"unexpected token: {text[at : at + 20]}")
        parts.append(match)
        at = match.end()
    return parts


def _returned(match: re.Match[str]) -> str:
    inner = match["inner"]
    if inner is None or not inner.strip():
        return f"SELECT Id FROM {match['object']}"
    fields = _FIELDS.fullmatch(inner)
    if fields is None:
        raise _malformed(f"unexpected token: {inner[:20]}")
    return f"SELECT {fields['fields']} FROM {match['object']}{fields['rest'] or ''}"


def _holds(table: Table, row: Row, words: list[re.Pattern[str]], scope: str) -> bool:
    tokens: set[str] = set()
    for field in table.sobject.fields.values():
        if field.type in SCOPES[scope] and (scope != "NAME" or field.name in _NAMES):
            tokens.update(_WORD.findall(str(row.get(field.name) or "").casefold()))
    return all(any(word.fullmatch(token) for token in tokens) for word in words)
