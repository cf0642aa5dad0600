"""Reading what a request brings: the parts of a body and of a query string, refused in Attio's words."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from attio_console.sandbox.attio.errors import ApiError, invalid
from attio_console.sandbox.server import Request
from attio_console.sandbox.world import stamp

T = TypeVar("T")

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_QUERY = "Query parameter validation error."
_PATH = "Path parameter validation error."


class Body:
    """One object of a request body and where it stands, so that a refusal can name the place."""

    def __init__(self, values: Any, path: Sequence[str | int] = ()) -> None:
        if not isinstance(values, Mapping):
            raise invalid(path, f"Expected object, received {json_type(values)}")
        self.values: Mapping[str, Any] = values
        self.path = tuple(path)

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def only(self, *names: str) -> None:
        """Refuse any other key."""
        for name in self.values:
            if name not in names:
                raise invalid((*self.path, name), "Unrecognized key", code="unrecognized_keys")

    def refuse(self, name: str, message: str, code: str = "invalid_type") -> ApiError:
        """Build the refusal of one key of this object."""
        return invalid((*self.path, name), message, code=code)

    def any(self, name: str) -> Any:
        """Return a required value, whatever it is."""
        if name not in self.values:
            raise self.refuse(name, "Required")
        return self.values[name]

    def text(self, name: str, *, minimum: int = 0, maximum: int | None = None) -> str:
        """Return a required string."""
        value = self.any(name)
        if not isinstance(value, str):
            raise self.refuse(name, f"Expected string, received {json_type(value)}")
        if len(value) < minimum:
            raise self.refuse(name, f"String must contain at least {minimum} character(s)", "too_small")
        if maximum is not None and len(value) > maximum:
            raise self.refuse(name, f"String must contain at most {maximum} character(s)", "too_big")
        return value

    def flag(self, name: str) -> bool:
        """Return a required boolean; Attio also takes the words true and false."""
        value = self.any(name)
        if isinstance(value, bool):
            return value
        if value in ("true", "false"):
            return bool(value == "true")
        raise self.refuse(name, f"Expected boolean, received {json_type(value)}")

    def whole(self, name: str, default: int, minimum: int, maximum: int | None = None) -> int:
        """Return an optional whole number within its bounds; clients may write it as 25.0."""
        value = self.values.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
            raise self.refuse(name, f"Expected integer, received {json_type(value)}")
        if value < minimum:
            raise self.refuse(name, f"Number must be greater than or equal to {minimum}", "too_small")
        if maximum is not None and value > maximum:
            raise self.refuse(name, f"Number must be less than or equal to {maximum}", "too_big")
        return int(value)

    def one_of(self, name: str, *choices: str) -> str:
        """Return a required string out of a few."""
        value = self.text(name)
        if value not in choices:
            expected = " | ".join(f"'{choice}'" for choice in choices)
            message = f"Invalid enum value. Expected {expected}, received '{value}'"
            raise self.refuse(name, message, "invalid_enum_value")
        return value

    def uuid(self, name: str) -> str:
        """Return a required UUID, in lower case."""
        value = self.text(name)
        if not is_uuid(value):
            raise self.refuse(name, "Invalid uuid", "invalid_string")
        return value.lower()

    def list(self, name: str) -> Sequence[Any]:
        """Return a required list."""
        value = self.any(name)
        if not isinstance(value, list):
            raise self.refuse(name, f"Expected array, received {json_type(value)}")
        return value

    def bodies(self, name: str) -> Sequence[Body]:
        """Return a required list of objects."""
        return [Body(value, (*self.path, name, place)) for place, value in enumerate(self.list(name))]

    def body(self, name: str) -> Body:
        """Return a required object."""
        return Body(self.any(name), (*self.path, name))

    def time(self, name: str) -> str:
        """Return a required ISO 8601 time (or date) as Attio stores it."""
        value = self.text(name)
        moment = parse_time(value)
        if moment is None:
            raise self.refuse(name, "Invalid datetime", "invalid_string")
        return stamp(moment)


def data(request: Request) -> Body:
    """Return the `data` object of a request's body."""
    return Body(request.json()).body("data")


def is_uuid(text: str) -> bool:
    """Tell whether a text is a UUID in its usual form."""
    return _UUID.fullmatch(text) is not None


def path_uuid(request: Request, name: str) -> str:
    """Return a path parameter that must be a UUID."""
    value = request.params[name]
    if not is_uuid(value):
        raise invalid([name], "Invalid uuid", code="invalid_string", summary=_PATH)
    return str(UUID(value))


def query_uuid(request: Request, name: str) -> str | None:
    """Return an optional query parameter that must be a UUID."""
    value = request.query.get(name)
    if value is None:
        return None
    if not is_uuid(value):
        raise bad_query(name, "Invalid uuid", "invalid_string")
    return str(UUID(value))


def query_number(
    request: Request, name: str, default: int, *, minimum: int = 0, maximum: int | None = None
) -> int:
    """Return a whole-number query parameter within its bounds."""
    text = request.query.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"-?\d{1,18}", text):
        raise bad_query(name, "Expected number, received nan", "invalid_type")
    value = int(text)
    if value < minimum:
        raise bad_query(name, f"Number must be greater than or equal to {minimum}", "too_small")
    if maximum is not None and value > maximum:
        raise bad_query(name, f"Number must be less than or equal to {maximum}", "too_big")
    return value


def query_flag(request: Request, name: str) -> bool | None:
    """Return an optional boolean query parameter."""
    text = request.query.get(name)
    if text is None:
        return None
    if text not in ("true", "false"):
        raise bad_query(name, "Expected boolean, received string", "invalid_type")
    return text == "true"


def query_choice(request: Request, name: str, default: str, *choices: str) -> str:
    """Return a query parameter out of a few."""
    text = request.query.get(name, default)
    if text not in choices:
        expected = " | ".join(f"'{choice}'" for choice in choices)
        raise bad_query(
            name, f"Invalid enum value. Expected {expected}, received '{text}'", "invalid_enum_value"
        )
    return text


def query_time(request: Request, name: str) -> datetime | None:
    """Return an optional ISO 8601 query parameter."""
    text = request.query.get(name)
    if not text:
        return None
    moment = parse_time(text)
    if moment is None:
        raise bad_query(name, "Invalid datetime", "invalid_string")
    return moment


def bad_query(name: str, message: str, code: str) -> ApiError:
    """Build the refusal of a query parameter."""
    return invalid([name], message, code=code, summary=_QUERY)


def window(
    request: Request, rows: Sequence[T], *, default: int, maximum: int | None, minimum: int = 1
) -> Sequence[T]:
    """Cut the page out of `rows` that `limit` and `offset` ask for."""
    limit = query_number(request, "limit", default, minimum=minimum, maximum=maximum)
    offset = query_number(request, "offset", 0)
    return rows[offset : offset + limit]


def cursor_page(
    request: Request,
    rows: Sequence[T],
    key: Callable[[T], Sequence[str]],
    *,
    default: int,
    maximum: int,
    descending: bool = False,
) -> tuple[Sequence[T], str | None]:
    """Cut the page after `cursor` out of `rows`, which stand in the order of `key`, and name the next cursor."""
    limit = query_number(request, "limit", default, minimum=1, maximum=maximum)
    cursor = request.query.get("cursor")
    start = 0
    if cursor is not None:
        last = _read_cursor(cursor)
        # The row the cursor names may be gone: go on behind its place, not behind the row itself.
        start = next(
            (place for place, row in enumerate(rows) if _behind(list(key(row)), last, descending)), len(rows)
        )
    page = rows[start : start + limit]
    more = start + limit < len(rows)
    return page, _write_cursor(key(page[-1])) if page and more else None


def parse_time(text: str) -> datetime | None:
    """Read an ISO 8601 time or date, with up to nine digits of a second; UTC where it names no zone."""
    cut = re.sub(r"(\.\d{6})\d+", r"\1", text.strip())
    try:
        moment = datetime.fromisoformat(cut)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def names_zone(text: str) -> bool:
    """Tell whether an ISO 8601 time says which zone it is in."""
    return re.search(r"(?:[zZ]|[+-]\d{2}(?::?\d{2})?)$", text.strip()[10:]) is not None


def json_type(value: Any) -> str:
    """Name the JSON type of a value as validation messages do."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    kinds = {str: "string", int: "number", float: "number", list: "array"}
    return kinds.get(type(value), "object")


def _behind(key: list[str], last: list[str], descending: bool) -> bool:
    return key < last if descending else key > last


def _write_cursor(key: Sequence[str]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(list(key))).decode().rstrip("=")


def _read_cursor(cursor: str) -> list[str]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return msgspec.json.decode(base64.urlsafe_b64decode(padded), type=list[str])
    except (binascii.Error, msgspec.DecodeError, ValueError) as error:
        raise bad_query("cursor", "Invalid cursor", "custom") from error
