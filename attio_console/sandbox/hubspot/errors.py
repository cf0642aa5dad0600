"""HubSpot's error bodies."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from attio_console.sandbox.server import HttpError, Request, Response, Shape


def correlation_id() -> str:
    """Return an id for support; nothing depends on it, so it need not come from the seed."""
    return str(uuid.uuid4())


class HubSpotError(HttpError):
    """A refusal, as HubSpot words it; `row` is the same refusal inside a batch answer."""

    def __init__(
        self,
        status: int,
        category: str,
        message: str,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        context: Mapping[str, Sequence[str]] | None = None,
        sub_category: str | None = None,
        extra: Mapping[str, Any] | None = None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.status = status
        self.category = category
        self.message = message
        self.context = dict(context or {})
        body: dict[str, Any] = {"status": "error", "message": message, "correlationId": correlation_id()}
        if errors:
            body["errors"] = list(errors)
        if self.context:
            body["context"] = self.context
        if sub_category:
            body["subCategory"] = sub_category
        body |= {**(extra or {}), "category": category}
        # Python callers see the text; the wire sees the body.
        super().__init__(Response.json(body, status, headers))
        self.args = (f"{category}: {message}",)

    def row(self, trace: str | None = None) -> dict[str, Any]:
        """Return the refusal of one input of a batch."""
        context = dict(self.context)
        if trace is not None:
            context["objectWriteTraceId"] = [trace]
        return {"status": "error", "category": self.category, "message": self.message, "context": context}


def invalid(message: str, **fields: Any) -> HubSpotError:
    """Refuse a request that makes no sense."""
    return HubSpotError(400, "VALIDATION_ERROR", message, **fields)


def invalid_property(name: str, message: str, code: str, portal_id: int) -> HubSpotError:
    """Refuse a property value; the details travel as JSON inside the message, as HubSpot does it."""
    detail = [{"isValid": False, "message": message, "error": code, "name": name, "portalId": portal_id}]
    text = msgspec.json.encode(detail).decode()
    return invalid(
        f"Property values were not valid: {text}",
        errors=[{"message": message, "code": code, "in": "properties", "context": {"propertyName": [name]}}],
    )


def not_found(message: str = "resource not found") -> HubSpotError:
    """Answer for what is not there."""
    return HubSpotError(404, "OBJECT_NOT_FOUND", message)


class HubSpotShape(Shape):
    """What the HTTP core says in HubSpot's name."""

    def unknown_route(self, request: Request, allowed: Sequence[str]) -> Response:  # noqa: ARG002
        """Answer a path or verb that nobody serves."""
        if allowed:
            return HubSpotError(405, "METHOD_NOT_ALLOWED", "HTTP 405 Method Not Allowed").response
        return not_found("HTTP 404 Not Found").response

    def malformed_json(self, request: Request, why: str) -> Response:  # noqa: ARG002
        """Answer a body that is no JSON."""
        return invalid(f"Invalid input JSON: {why}").response

    def too_large(self, request: Request) -> Response:  # noqa: ARG002
        """Answer a body above the cap."""
        return HubSpotError(413, "VALIDATION_ERROR", "Request Entity Too Large").response

    def crash(self, request: Request) -> Response:  # noqa: ARG002
        """Answer when the stand-in itself failed."""
        return HubSpotError(500, "INTERNAL_ERROR", "internal error").response
