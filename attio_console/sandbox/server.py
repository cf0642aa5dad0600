"""The HTTP core of the three stand-ins: a plain ASGI callable over a small router.

- `Router()`; `router.add("POST", "/v2/objects/{object}/records", handler)` or `@router.post("/v2/...")`. Fixed segments win
  over `{named}` ones. A handler is a plain or async function of one `Request` and returns a `Response`.
- `Request`: method, path, `params` (path), `query` (first value of each name), `headers` (lower-case names), body (bytes),
  `json()` (parses once; malformed -> the system's own 400), `route` (`.key` = "POST /v2/objects/{object}/records", None for
  an unknown one), `state` (a dict in which middleware leaves what it found, e.g. the token).
- `Response.json(value, status=200, headers=())`, `Response(status, body, headers)`. `response.delivery` is how the answer
  travels: "whole", "truncate" (half of the body, then the line drops), "reset" (the line drops before a byte), "hang" (no
  answer until the client goes). Faults set it.
- `HttpError(response)` may be raised anywhere below the app; each system has its own subclass that builds the body.
- `Shape`: how a system words what the core must say itself: unknown route, malformed JSON, body too large, crash.
- `App(system, router, shape, middleware=[...])`: a middleware is `async def mw(request, call_next) -> Response`, outermost
  first; it may answer by itself, change the request's state or the answer. Middleware also sees unknown routes.
- `by_prefix({"/_sandbox": control_app}, attio_app)`: two apps on one port.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_CAP = 16 * 1024 * 1024
_TOO_MUCH = b"too much"
"""Stands for a body above the cap, which nobody kept."""
LOG = logging.getLogger("attio_console.sandbox")

_encoder = msgspec.json.Encoder()


@dataclass(slots=True)
class Response:
    """An answer."""

    status: int = 200
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)
    delivery: str = "whole"
    chunks: Iterator[bytes] | None = None
    """A body too large to be held at once, sent piece by piece instead of `body`."""

    @classmethod
    def json(cls, value: Any, status: int = 200, headers: Sequence[tuple[str, str]] = ()) -> Response:
        """Answer with a JSON document."""
        return cls.raw(_encoder.encode(value), status, headers)

    @classmethod
    def raw(cls, body: bytes, status: int = 200, headers: Sequence[tuple[str, str]] = ()) -> Response:
        """Answer with JSON that is bytes already."""
        return cls(status, body, [("content-type", "application/json; charset=utf-8"), *headers])


class HttpError(Exception):
    """An answer that a handler gives by raising it."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


Handler = Callable[["Request"], "Response | Awaitable[Response]"]
CallNext = Callable[["Request"], Awaitable[Response]]
Middleware = Callable[["Request", CallNext], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Route:
    """A verb, a path template and who answers."""

    method: str
    template: str
    handler: Handler

    @property
    def key(self) -> str:
        """Name the operation: verb and template."""
        return f"{self.method} {self.template}"


class Shape:
    """What the core says by itself, in a system's own words; subclass it per system."""

    def unknown_route(self, request: Request, allowed: Sequence[str]) -> Response:
        """Answer a path (or, with `allowed` verbs, a verb) that nobody serves."""
        status = 405 if allowed else 404
        return Response.json({"status": status, "message": f"No {request.method} {request.path}"}, status)

    def malformed_json(self, request: Request, why: str) -> Response:  # noqa: ARG002 - for subclasses
        """Answer a body that is no JSON."""
        return Response.json({"status": 400, "message": why}, 400)

    def too_large(self, request: Request) -> Response:  # noqa: ARG002 - for subclasses
        """Answer a body above the cap."""
        return Response.json({"status": 413, "message": "Request body too large"}, 413)

    def crash(self, request: Request) -> Response:  # noqa: ARG002 - for subclasses
        """Answer when the stand-in itself failed."""
        return Response.json({"status": 500, "message": "Internal server error"}, 500)


@dataclass(slots=True)
class Request:
    """One request, its body read."""

    method: str
    path: str
    query: dict[str, str]
    query_all: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes
    shape: Shape
    params: dict[str, str] = field(default_factory=dict)
    route: Route | None = None
    state: dict[str, Any] = field(default_factory=dict)
    client: tuple[str, int] | None = None
    response_headers: list[tuple[str, str]] = field(default_factory=list)
    """Headers the answer carries whoever builds it."""

    def json(self) -> Any:
        """Return the parsed body; an empty one is None."""
        if not self.body:
            return None
        if "json" not in self.state:
            try:
                self.state["json"] = msgspec.json.decode(self.body)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise HttpError(self.shape.malformed_json(self, str(error))) from error
        return self.state["json"]


class _Node:
    __slots__ = ("fixed", "named", "routes")

    def __init__(self) -> None:
        self.fixed: dict[str, _Node] = {}
        self.named: _Node | None = None
        self.routes: dict[str, tuple[Route, tuple[str, ...]]] = {}


class Router:
    """Paths to handlers."""

    def __init__(self) -> None:
        self._root = _Node()
        self.routes: list[Route] = []

    def add(self, method: str, template: str, handler: Handler) -> None:
        """Serve a verb on a path template with `{named}` segments."""
        node = self._root
        names = []
        for segment in template.strip("/").split("/"):
            if segment.startswith("{"):
                names.append(segment[1:-1])
                node.named = node.named or _Node()
                node = node.named
            else:
                node = node.fixed.setdefault(segment, _Node())
        route = Route(method, template, handler)
        node.routes[method] = (route, tuple(names))
        self.routes.append(route)

    def get(self, template: str) -> Callable[[Handler], Handler]:
        """Serve GET with the decorated function."""
        return self._decorator("GET", template)

    def post(self, template: str) -> Callable[[Handler], Handler]:
        """Serve POST with the decorated function."""
        return self._decorator("POST", template)

    def put(self, template: str) -> Callable[[Handler], Handler]:
        """Serve PUT with the decorated function."""
        return self._decorator("PUT", template)

    def patch(self, template: str) -> Callable[[Handler], Handler]:
        """Serve PATCH with the decorated function."""
        return self._decorator("PATCH", template)

    def delete(self, template: str) -> Callable[[Handler], Handler]:
        """Serve DELETE with the decorated function."""
        return self._decorator("DELETE", template)

    def _decorator(self, method: str, template: str) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            self.add(method, template, handler)
            return handler

        return register

    def find(self, method: str, raw_path: str) -> tuple[Route | None, dict[str, str], tuple[str, ...]]:
        """Return the route, its path parameters, and the verbs the path would have taken."""
        segments = raw_path.strip("/").split("/")
        allowed: set[str] = set()
        found = self._walk(self._root, segments, 0, [], method, allowed)
        if found is None:
            return None, {}, tuple(sorted(allowed))
        route, names, values = found
        return route, {n: unquote(v) for n, v in zip(names, values, strict=True)}, ()

    def _walk(
        self, node: _Node, segments: list[str], depth: int, values: list[str], method: str, allowed: set[str]
    ) -> tuple[Route, tuple[str, ...], list[str]] | None:
        if depth == len(segments):
            if method in node.routes:
                route, names = node.routes[method]
                return route, names, values
            allowed.update(node.routes)
            return None
        segment = segments[depth]
        if (fixed := node.fixed.get(segment)) is not None:
            found = self._walk(fixed, segments, depth + 1, values, method, allowed)
            # A fixed end is itself, whatever the verb: GET `records/query` asks for no record called "query".
            if found is not None or (depth + 1 == len(segments) and fixed.routes):
                return found
        if node.named is not None and segment:
            return self._walk(node.named, segments, depth + 1, [*values, segment], method, allowed)
        return None


class App:
    """One stand-in as an ASGI callable."""

    def __init__(
        self, system: str, router: Router, shape: Shape, middleware: Sequence[Middleware] = ()
    ) -> None:
        self.system = system
        self.router = router
        self.shape = shape
        self.middleware = list(middleware)
        """Outermost first; may be changed until the first request."""
        self._chain: CallNext | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
        # httptools keeps the query out of raw_path, other servers may not.
        encoded = raw_path.split(b"?", 1)[0].decode("latin-1")
        pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        request = Request(
            method=scope["method"],
            path=scope["path"],
            query=dict(reversed(pairs)),
            query_all=pairs,
            headers={k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]},
            body=b"",
            shape=self.shape,
            client=scope.get("client"),
        )
        body = await _read_body(receive)
        if body is None:
            return
        route, request.params, allowed = self.router.find(request.method, encoded)
        request.route = route
        request.state["allowed"] = allowed
        if body is _TOO_MUCH:
            response = self.shape.too_large(request)
            response.headers.append(("connection", "close"))
        else:
            request.body = body
            response = await self.answer(request)
        await _deliver(response, request, receive, send)

    async def answer(self, request: Request) -> Response:
        """Pass a request through the middleware to its handler."""
        if self._chain is None:
            self._chain = _build_chain(self.middleware, self._handle)
        try:
            return await self._chain(request)
        except HttpError as error:
            return error.response
        except Exception:
            # A mistake of the stand-in must not end the connection of everybody else.
            LOG.exception("%s: %s %s failed", self.system, request.method, request.path)
            return self.shape.crash(request)

    async def _handle(self, request: Request) -> Response:
        try:
            if request.route is None:
                return self.shape.unknown_route(request, request.state.get("allowed", ()))
            answer = request.route.handler(request)
            return await answer if inspect.isawaitable(answer) else answer
        except HttpError as error:
            # Caught here too, so that middleware sees every answer as a Response.
            return error.response


def by_prefix(prefixes: Mapping[str, AsgiApp], default: AsgiApp) -> AsgiApp:
    """Serve several apps on one port: the first prefix that fits, else the default."""

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        for prefix, app in prefixes.items():
            if path == prefix or path.startswith(f"{prefix}/"):
                await app(scope, receive, send)
                return
        await default(scope, receive, send)

    return dispatch


def http_date(moment: Any) -> str:
    """Write an aware UTC datetime as an HTTP date."""
    return format_datetime(moment, usegmt=True)


def _build_chain(middleware: Sequence[Middleware], handler: CallNext) -> CallNext:
    chain = handler
    for layer in reversed(middleware):
        chain = _wrap(layer, chain)
    return chain


def _wrap(layer: Middleware, following: CallNext) -> CallNext:
    async def call(request: Request) -> Response:
        return await layer(request, following)

    return call


async def _read_body(receive: Receive) -> bytes | None:
    """Read a body; None when the client went away."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > BODY_CAP:
            chunks.clear()
        else:
            chunks.append(chunk)
        # Most clients read an answer only after they have sent everything: a body somewhat too large is thrown away as it
        # comes, one far too large is cut off.
        if not message.get("more_body") or size > 4 * BODY_CAP:
            break
    if size > BODY_CAP:
        return _TOO_MUCH
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _deliver(response: Response, request: Request, receive: Receive, send: Send) -> None:
    if response.delivery == "hang":
        while (await receive())["type"] != "http.disconnect":
            pass
        return
    if response.delivery == "reset":
        _abort(send)
        return
    headers = [*response.headers, *request.response_headers]
    if response.status != 204 and response.chunks is None:
        headers.append(("content-length", str(len(response.body))))
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": response.status, "headers": encoded})
    if response.delivery == "truncate":
        half = response.body[: len(response.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        # The half must reach the client before the line drops.
        await asyncio.sleep(0)
        _close(send)
        return
    for chunk in response.chunks or ():
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    body = b"" if response.status == 204 else response.body
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _transport(send: Send) -> Any:
    # ASGI has no word for "drop the line"; uvicorn's request cycle, whose method `send` is, knows its transport.
    return getattr(getattr(send, "__self__", None), "transport", None)


def _abort(send: Send) -> None:
    transport = _transport(send)
    if transport is not None:
        transport.abort()


def _close(send: Send) -> None:
    transport = _transport(send)
    if transport is not None:
        transport.close()


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
