"""What a request asks for, read with care: whatever somebody sends, the answer is a refusal and never a crash."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attio_console.sandbox.hubspot.associations import HUBSPOT, Kind
from attio_console.sandbox.hubspot.errors import invalid
from attio_console.sandbox.server import Request


def names(request: Request, key: str) -> list[str]:
    """Read a query parameter that is repeated, or separated by commas, or both."""
    parts = [value for name, value in request.query_all if name == key]
    return [name.strip() for part in parts for name in part.split(",") if name.strip()]


def body_of(request: Request) -> Mapping[str, Any]:
    """Return the JSON object of a request, or refuse."""
    body = request.json()
    if not isinstance(body, dict):
        raise invalid("Invalid input JSON: expected an object")
    return body


def limit_of(request: Request, most: int, default: int = 10) -> int:
    """Read `limit`."""
    text = request.query.get("limit", str(default))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        raise invalid(f"limit must be a number between 1 and {most}", sub_category="InvalidLimit")
    return int(text)


def after_of(request: Request) -> int:
    """Read `after`, the cursor from an earlier answer."""
    text = request.query.get("after") or "0"
    if not text.isascii() or not text.isdigit():
        raise invalid("after must be a cursor from an earlier answer")
    return int(text)


def inputs_of(request: Request, most: int) -> list[dict[str, Any]]:
    """Read the `inputs` of a batch."""
    inputs = body_of(request).get("inputs")
    if not isinstance(inputs, list) or not all(isinstance(one, dict) for one in inputs):
        raise invalid("inputs must be a list of objects")
    if not inputs:
        raise invalid("Some required fields were not set: [inputs]")
    if len(inputs) > most:
        raise invalid(f"The maximum number of inputs supported in a batch request is {most}")
    return inputs


def texts(value: Any, name: str) -> list[str]:
    """Read a list of names that may be left out."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise invalid(f"{name} must be a list of strings")
    return value


def values_of(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read the `properties` of a record."""
    values = body.get("properties") or {}
    if not isinstance(values, dict):
        raise invalid("properties must be an object")
    return values


def end_of(one: Any, key: str | None = None) -> str:
    """Read the id at one end of an association: `{"id": ...}`, or that under `key`."""
    end = one.get(key) if key is not None and isinstance(one, dict) else one
    if not isinstance(end, dict) or not isinstance(end.get("id"), (str, int)):
        raise invalid(f"{key or 'to'} must be an object with an id")
    return str(end["id"])


def kinds_of(types: Any) -> list[Kind]:
    """Read kinds of association."""
    if not isinstance(types, list):
        raise invalid("types must be a list")
    kinds = []
    for kind in types:
        number = kind.get("associationTypeId") if isinstance(kind, dict) else None
        if isinstance(number, bool) or not isinstance(number, int):
            raise invalid("associationTypeId must be a number")
        kinds.append((str(kind.get("associationCategory", HUBSPOT)), number))
    return kinds
