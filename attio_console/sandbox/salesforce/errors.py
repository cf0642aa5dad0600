"""Salesforce's error bodies: a list with one error in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attio_console.sandbox.server import HttpError, Request, Response, Shape


class SalesforceError(HttpError):
    """A refusal, as Salesforce words it; `row` is the same refusal inside a collection."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        fields: Sequence[str] = (),
        *,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.message = message
        self.fields = list(fields)
        self.extra = dict(extra or {})
        body: dict[str, Any] = {"message": message, "errorCode": code}
        if self.fields:
            body["fields"] = self.fields
        super().__init__(Response.json([{**body, **self.extra}], status))
        self.args = (f"{code}: {message}",)

    @property
    def body(self) -> list[dict[str, Any]]:
        """Return the error as the answer to one call carries it."""
        one: dict[str, Any] = {"message": self.message, "errorCode": self.code, **self.extra}
        return [{**one, "fields": self.fields} if self.fields else one]

    def row(self) -> dict[str, Any]:
        """Return the refusal of one record of a collection, which says `statusCode`."""
        error = {"statusCode": self.code, "message": self.message, "fields": self.fields}
        return {"success": False, "errors": [error]}


def bad(code: str, message: str, *fields: str) -> SalesforceError:
    """Refuse what was sent."""
    return SalesforceError(400, code, message, fields)


def not_found(message: str = "The requested resource does not exist") -> SalesforceError:
    """Answer for what is not there."""
    return SalesforceError(404, "NOT_FOUND", message)


def invalid_type(name: str) -> SalesforceError:
    """Refuse an object that this org does not have."""
    return SalesforceError(404, "NOT_FOUND", f"The requested resource does not exist: {name}")


class SalesforceShape(Shape):
    """What the HTTP core says in Salesforce's name."""

    def unknown_route(self, request: Request, allowed: Sequence[str]) -> Response:
        """Answer a path or verb that nobody serves."""
        if allowed:
            message = f"HTTP Method '{request.method}' not allowed. Allowed are {','.join(allowed)}"
            return SalesforceError(405, "METHOD_NOT_ALLOWED", message).response
        return not_found().response

    def malformed_json(self, request: Request, why: str) -> Response:  # noqa: ARG002
        """Answer a body that is no JSON."""
        return bad("JSON_PARSER_ERROR", f"The HTTP entity body could not be parsed: {why}").response

    def too_large(self, request: Request) -> Response:  # noqa: ARG002
        """Answer a body above the cap."""
        return SalesforceError(413, "REQUEST_ENTITY_TOO_LARGE", "The request entity is too large").response

    def crash(self, request: Request) -> Response:  # noqa: ARG002
        """Answer when the stand-in itself failed."""
        message = "An unexpected error occurred. Please include this ErrorId: 1234567890-12345 (-12345678)"
        return SalesforceError(500, "UNKNOWN_EXCEPTION", message).response
