"""Several calls in one: `composite` with references between them, `composite/batch` without."""

from __future__ import annotations

import inspect
import re
from copy import deepcopy
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from attio_console.sandbox.salesforce.errors import bad
from attio_console.sandbox.salesforce.routes_rows import object_of
from attio_console.sandbox.salesforce.state import Salesforce
from attio_console.sandbox.server import HttpError, Request, Response, Router

CALLS, QUERIES = 25, 5
_REFERENCE = re.compile(r"@\{([^}]+)\}")
_STEP = re.compile(r"\w+|\[\d+\]")


class CompositeRoutes:
    """The handlers of one org; the sub-requests go through the same router."""

    def __init__(self, org: Salesforce, router: Router) -> None:
        self.org = org
        self.router = router

    def add(self, router: Router, base: str) -> None:
        """Serve under `/services/data/{version}/composite`."""
        router.add("POST", base, self.composite)
        router.add("POST", f"{base}/batch", self.batch)

    async def batch(self, request: Request) -> Response:
        """Carry out independent calls."""
        body = object_of(request)
        calls = body.get("batchRequests") or []
        _size(calls)
        halt = body.get("haltOnError") is True
        results: list[dict[str, Any]] = []
        for one in calls:
            if halt and any(row["statusCode"] >= 400 for row in results):
                skipped = bad("BATCH_PROCESSING_HALTED", "Batch processing halted per request")
                results.append({"statusCode": 412, "result": skipped.body})
                continue
            url = f"/services/data/{str(one.get('url', '')).removeprefix('/services/data/').lstrip('/')}"
            response = await self._call(request, str(one.get("method", "GET")), url, one.get("richInput"), {})
            results.append({"statusCode": response.status, "result": _decoded(response)})
        return Response.json({"hasErrors": any(r["statusCode"] >= 400 for r in results), "results": results})

    async def composite(self, request: Request) -> Response:
        """Carry out calls that may refer to the answers of earlier ones."""
        body = object_of(request)
        calls = body.get("compositeRequest") or []
        _size(calls)
        if (
            sum(
                "/query" in str(one.get("url")) or "/composite/sobjects" in str(one.get("url"))
                for one in calls
            )
            > QUERIES
        ):
            raise bad("LIMIT_EXCEEDED", f"at most {QUERIES} of the subrequests may be queries or collections")
        strict = body.get("allOrNone") is True
        before = self._copy() if strict else None
        notes: list[tuple[Any, ...]] = []
        request.state["notes"] = notes
        answers: dict[str, Any] = {}
        failed: set[str] = set()
        results: list[dict[str, Any]] = []
        for one in calls:
            name = str(one.get("referenceId", ""))
            if not name or name in {row["referenceId"] for row in results}:
                raise bad("JSON_PARSER_ERROR", "every subrequest needs a referenceId of its own")
            response = await self._referring(request, one, answers, failed)
            if response.status >= 400:
                failed.add(name)
            answers[name] = _decoded(response)
            headers = {k.title(): v for k, v in response.headers if k.lower() == "location"}
            results.append(
                {
                    "body": answers[name],
                    "httpHeaders": headers,
                    "httpStatusCode": response.status,
                    "referenceId": name,
                }
            )
        if before is not None and failed:
            self._restore(before)
            _roll_back(results, failed)
            notes.clear()
        for note in notes:
            self.org.world.journal.add(*note)
        return Response.json({"compositeResponse": results})

    async def _referring(
        self, request: Request, one: dict[str, Any], answers: dict[str, Any], failed: set[str]
    ) -> Response:
        text = msgspec.json.encode([one.get("url"), one.get("body")]).decode()
        if any(f"@{{{name}." in text or f"@{{{name}[" in text for name in failed):
            halted = "The transaction was rolled back since another operation in the same transaction failed."
            return bad("PROCESSING_HALTED", halted).response
        try:
            url = _fill(str(one.get("url", "")), answers)
            body = _fill(one.get("body"), answers)
        except KeyError as error:
            message = f"Invalid reference specified. No value for {error.args[0]} found"
            return bad("PROCESSING_HALTED", message).response
        return await self._call(
            request, str(one.get("method", "GET")), url, body, one.get("httpHeaders") or {}
        )

    async def _call(
        self, parent: Request, method: str, url: str, body: Any, headers: dict[str, str]
    ) -> Response:
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        state: dict[str, Any] = {
            key: parent.state[key] for key in ("session", "version", "notes") if key in parent.state
        }
        request = Request(
            method=method.upper(),
            path=parts.path,
            query=dict(reversed(pairs)),
            query_all=pairs,
            headers={name.lower(): str(value) for name, value in headers.items()},
            body=b"" if body is None else msgspec.json.encode(body),
            shape=parent.shape,
            state=state,
        )
        route, request.params, allowed = self.router.find(request.method, parts.path)
        if route is None:
            return parent.shape.unknown_route(request, allowed)
        try:
            answer = route.handler(request)
            return await answer if inspect.isawaitable(answer) else answer
        except HttpError as error:
            return error.response

    def _copy(self) -> dict[str, tuple[Any, ...]]:
        return {
            name: ({k: dict(v) for k, v in t.rows.items()}, dict(t.deleted), deepcopy(t.index))
            for name, t in self.org.tables.items()
        }

    def _restore(self, before: dict[str, tuple[Any, ...]]) -> None:
        for name, (rows, deleted, index) in before.items():
            table = self.org.tables[name]
            table.rows, table.deleted, table.index = rows, deleted, index


def _roll_back(results: list[dict[str, Any]], failed: set[str]) -> None:
    message = "The transaction was rolled back since another operation in the same transaction failed."
    for row in results:
        if row["referenceId"] not in failed:
            row |= {"body": bad("PROCESSING_HALTED", message).body, "httpHeaders": {}, "httpStatusCode": 400}


def _size(calls: Any) -> None:
    if not isinstance(calls, list) or not all(isinstance(one, dict) for one in calls):
        raise bad("JSON_PARSER_ERROR", "the subrequests must be a list of objects")
    if len(calls) > CALLS:
        raise bad("LIMIT_EXCEEDED", f"The maximum number of subrequests is {CALLS}")


def _decoded(response: Response) -> Any:
    return msgspec.json.decode(response.body) if response.body else None


def _fill(value: Any, answers: dict[str, Any]) -> Any:
    """Replace `@{ref.path}` inside a value by what an earlier answer holds there."""
    if isinstance(value, dict):
        return {key: _fill(held, answers) for key, held in value.items()}
    if isinstance(value, list):
        return [_fill(held, answers) for held in value]
    if isinstance(value, str):
        if whole := _REFERENCE.fullmatch(value):
            return _lookup(whole[1], answers)
        return _REFERENCE.sub(lambda match: str(_lookup(match[1], answers)), value)
    return value


def _lookup(path: str, answers: dict[str, Any]) -> Any:
    first, *steps = _STEP.findall(path)
    found = answers[first]
    for step in steps:
        try:
            found = found[int(step[1:-1])] if step.startswith("[") else found[step]
        except (KeyError, IndexError, TypeError):
            raise KeyError(path) from None
    return found
