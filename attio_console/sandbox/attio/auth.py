"""Who asks: tokens, what they may do, and how often."""

from __future__ import annotations

import base64
import binascii

from attio_console.sandbox.attio.errors import ApiError, unauthorized
from attio_console.sandbox.attio.limits import Limits
from attio_console.sandbox.attio.scopes import REQUIRED, WORKSPACE_LEVEL, anonymous, missing
from attio_console.sandbox.server import CallNext, Middleware, Request, Response, Router
from attio_console.sandbox.world import Token, World

_SELF = "/v2/self"


class WorldLimits(Limits):
    """The rate limits of one world (`world.part(WorldLimits)`), switched by its settings."""

    def __init__(self, world: World) -> None:
        super().__init__(
            world.clock.monotonic,
            enabled=world.settings.limits,
            retry_after_form="seconds" if world.settings.retry_after_seconds else "date",
        )


def token_of(request: Request) -> Token:
    """Return the token that `authenticate` found for this request."""
    token = request.state["token"]
    assert isinstance(token, Token)
    return token


def require(request: Request, *scopes: str) -> None:
    """Refuse with 403 unless the token has all these scopes: for needs that only the body reveals."""
    absent = missing(token_of(request).scopes, scopes)
    if absent:
        raise _forbidden(absent)


def authenticate(world: World) -> Middleware:
    """Make the middleware that checks token, scopes and rate limits of every known endpoint."""
    limits = world.part(WorldLimits)

    async def layer(request: Request, call_next: CallNext) -> Response:
        route = request.route
        if route is None:
            return await call_next(request)
        given = _credentials(request)
        if route.template == _SELF:
            return await _introspect(world, limits, given, request, call_next)
        token = world.tokens.get(given) if given else None
        if token is None or not token.active:
            raise unauthorized("The access token is missing, malformed or not valid.")
        operation = (route.method, anonymous(route.template))
        absent = missing(token.scopes, REQUIRED.get(operation, ()))
        if absent:
            raise _forbidden(absent)
        if token.level != "workspace" and operation in WORKSPACE_LEVEL:
            raise unauthorized("This endpoint needs a workspace-level access token.", 403)
        _count(limits, token, request, operation[1])
        request.state["token"] = token
        return await call_next(request)

    return layer


def add_self(router: Router) -> None:
    """Serve `GET /v2/self`."""

    @router.get(_SELF)
    def identify(request: Request) -> Response:
        token = request.state.get("token")
        if token is None:
            return Response.json({"active": False})
        workspace = token.workspace
        member = token.member_id or next(iter(workspace.members), token.id)
        return Response.json(
            {
                "active": True,
                "scope": " ".join(token.scopes),
                "client_id": token.id,
                "token_type": "Bearer",
                "exp": None,
                "iat": token.issued_at,
                "sub": workspace.id,
                "aud": token.id,
                "iss": "attio.com",
                "authorized_by_workspace_member_id": member,
                "workspace_id": workspace.id,
                "workspace_name": workspace.name,
                "workspace_slug": workspace.slug,
                "workspace_logo_url": None,
                "token_level": token.level,
            }
        )


async def _introspect(
    world: World, limits: Limits, given: str | None, request: Request, call_next: CallNext
) -> Response:
    """Answer `/v2/self`: an unknown token is told so with 200, a missing one is a bad request."""
    if not given:
        raise ApiError(400, "missing_value", "The Authorization header is missing or malformed.")
    token = world.tokens.get(given)
    if token is not None and token.active:
        _count(limits, token, request, _SELF)
        request.state["token"] = token
    return await call_next(request)


def _count(limits: Limits, token: Token, request: Request, template: str) -> None:
    wait = limits.check(token.value, request.method, request.path, template)
    if wait:
        raise too_many(limits, wait)


def too_many(limits: Limits, wait_s: float) -> ApiError:
    """Refuse with 429 and say when to come back."""
    return ApiError(
        429,
        "rate_limit_exceeded",
        "Rate limit exceeded, please try again later.",
        type="rate_limit_error",
        headers=[("retry-after", limits.after(wait_s))],
    )


def _forbidden(absent: list[str]) -> ApiError:
    named = ", ".join(f"`{scope}`" for scope in absent)
    return unauthorized(f"The access token lacks a required scope: {named}.", 403)


def _credentials(request: Request) -> str | None:
    """Read `Bearer TOKEN`, or `Basic` with the token as the user name."""
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    rest = rest.strip()
    if scheme.lower() == "bearer":
        return rest or None
    if scheme.lower() == "basic":
        try:
            decoded = base64.b64decode(rest, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None
        return decoded.partition(":")[0] or None
    return None
