"""The middleware in front of each of the three systems that carries out the fault rules for requests."""

from __future__ import annotations

import json
from typing import Any

from attio_console.sandbox.faults import FaultRule, Faults
from attio_console.sandbox.server import CallNext, HttpError, Middleware, Request, Response
from attio_console.sandbox.world import World


def fault_layer(world: World, system: str) -> Middleware:
    """Make the middleware of one system: requests pass on unless a rule strikes."""
    faults = world.part(Faults)

    async def layer(request: Request, call_next: CallNext) -> Response:
        if not faults.strikes_requests:
            return await call_next(request)
        rule = faults.for_request(system, request.method, request.path, _bearer(request))
        if rule is None:
            return await call_next(request)
        world.stats.bump(system, f"fault:{rule.action}")
        return await _strike(world, system, rule, request, call_next)

    return layer


async def _strike(
    world: World, system: str, rule: FaultRule, request: Request, call_next: CallNext
) -> Response:
    match rule.action:
        case "status":
            return _status(system, rule)
        case "timeout":
            # The request is swallowed: the client hears nothing until it gives up.
            return Response(delivery="hang")
        case "reset":
            return Response(delivery="reset")
        case "slow":
            await world.clock.sleep(rule.seconds)
            return await call_next(request)
        case "commit_then_reset":
            await _answer_of(request, call_next)
            return Response(delivery="reset")
        case "truncate":
            response = await _answer_of(request, call_next)
            response.delivery = "truncate"
            return response
        case _:
            response = await _answer_of(request, call_next)
            half = len(response.body) // 2
            response.body = response.body[:half] + b"\x00<html>"
            return response


async def _answer_of(request: Request, call_next: CallNext) -> Response:
    try:
        return await call_next(request)
    except HttpError as error:
        return error.response


def _status(system: str, rule: FaultRule) -> Response:
    headers = {
        "content-type": "application/json",
        **{name.lower(): text for name, text in rule.headers.items()},
    }
    if rule.retry_after is not None:
        headers["retry-after"] = f"{rule.retry_after:g}"
    body = rule.body if rule.body is not None else error_body(system, rule.status)
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Response(rule.status, raw, list(headers.items()))


def error_body(system: str, status: int) -> Any:
    """Return the error body that this system sends with this status."""
    if system == "hubspot":
        categories = {
            429: "RATE_LIMITS",
            401: "INVALID_AUTHENTICATION",
            404: "OBJECT_NOT_FOUND",
            409: "CONFLICT",
        }
        return {
            "status": "error",
            "message": "You have reached your secondly limit." if status == 429 else "internal error",
            "correlationId": "00000000-0000-4000-8000-000000000000",
            "category": categories.get(status, "INTERNAL_ERROR"),
        }
    if system == "salesforce":
        codes = {
            401: "INVALID_SESSION_ID",
            403: "REQUEST_LIMIT_EXCEEDED",
            404: "NOT_FOUND",
            503: "SERVER_UNAVAILABLE",
        }
        return [
            {"message": "An unexpected error occurred.", "errorCode": codes.get(status, "UNKNOWN_EXCEPTION")}
        ]
    kind, code, message = _ATTIO_ERRORS.get(
        status, ("api_error", "internal_error", "An unexpected error occurred.")
    )
    return {"status_code": status, "type": kind, "code": code, "message": message}


_ATTIO_ERRORS = {
    400: ("invalid_request_error", "validation_type", "Body payload validation error."),
    401: ("auth_error", "unauthorized", "The access token is not valid."),
    403: ("auth_error", "unauthorized", "The access token lacks a required scope."),
    404: ("invalid_request_error", "not_found", "Not found."),
    409: (
        "invalid_request_error",
        "concurrent_write_conflict",
        "The record was changed while this write was being validated. Please try again.",
    ),
    429: ("rate_limit_error", "rate_limit_exceeded", "Rate limit exceeded, please try again later."),
}


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
