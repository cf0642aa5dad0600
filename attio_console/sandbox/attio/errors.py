"""Refusals in Attio's words: `{status_code, type, code, message}` and, for bad input, `validation_errors`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attio_console.sandbox.server import HttpError, Request, Response, Shape


class ApiError(HttpError):
    """A refusal as Attio answers it; raise it from any handler or kernel function."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        type: str = "invalid_request_error",
        validation_errors: Sequence[dict[str, Any]] | None = None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        body: dict[str, Any] = {"status_code": status, "type": type, "code": code, "message": message}
        if validation_errors is not None:
            body["validation_errors"] = list(validation_errors)
        super().__init__(Response.json(body, status, headers))
        self.status = status
        self.code = code
        self.message = message


def not_found(message: str) -> ApiError:
    """Refuse with 404."""
    return ApiError(404, "not_found", message)


def bad_request(code: str, message: str) -> ApiError:
    """Refuse with 400 and a code."""
    return ApiError(400, code, message)


def invalid(
    path: Sequence[str | int],
    message: str,
    *,
    code: str = "invalid_type",
    summary: str = "Body payload validation error.",
) -> ApiError:
    """Refuse a body (or query, or path) value, naming where it stands."""
    error = {"code": code, "path": list(path), "message": message}
    return ApiError(400, "validation_type", summary, validation_errors=[error])


def unauthorized(message: str, status: int = 401) -> ApiError:
    """Refuse for the token (401) or its scopes (403)."""
    return ApiError(status, "unauthorized", message, type="auth_error")


class AttioShape(Shape):
    """What the core says by itself, as Attio says it."""

    def unknown_route(self, request: Request, allowed: Sequence[str]) -> Response:  # noqa: ARG002 - Attio answers both alike
        """Answer 404, for a wrong verb as for a wrong path."""
        return not_found(f'Could not find endpoint "{request.method} {request.path}".').response

    def malformed_json(self, request: Request, why: str) -> Response:  # noqa: ARG002
        """Answer a body that is no JSON."""
        return ApiError(400, "validation_type", f"Body payload is not valid JSON: {why}").response

    def too_large(self, request: Request) -> Response:  # noqa: ARG002
        """Answer a body above the cap."""
        return ApiError(413, "validation_type", "Request body is too large.").response

    def crash(self, request: Request) -> Response:  # noqa: ARG002
        """Answer when the stand-in itself failed."""
        return ApiError(500, "internal_error", "An unexpected error occurred.", type="api_error").response
