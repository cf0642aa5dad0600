"""What Salesforce says on the wire: ids, SOQL texts, field types, refusals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from attio_console import errors
from attio_console.crm.protocol import CrmField, CrmOption, CrmRecord, FieldType
from attio_console.model.times import instant
from attio_console.net import Request, Response

_TYPES: dict[str, FieldType] = {
    "string": "text",
    "textarea": "text",
    "combobox": "text",
    "phone": "phone",
    "email": "email",
    "url": "url",
    "picklist": "choice",
    "multipicklist": "choices",
    "boolean": "bool",
    "int": "number",
    "double": "number",
    "percent": "number",
    "currency": "currency",
    "date": "date",
    "datetime": "datetime",
    "reference": "reference",
}
_SUFFIX_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_RETRY_ROW = frozenset({"UNABLE_TO_LOCK_ROW"})
_TAKEN = frozenset({"DUPLICATE_VALUE", "DUPLICATES_DETECTED"})
_UNKNOWN = frozenset(
    {
        "INVALID_FIELD",
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "INVALID_CROSS_REFERENCE_KEY",
        "INVALID_TYPE",
        "MALFORMED_ID",
    }
)
_GONE = frozenset({"ENTITY_IS_DELETED"})
_UNTIL_TOMORROW_S = 3_600.0


def id18(record_id: str) -> str:
    """Return an id in its 18-character form: the last three characters say which letters are capitals."""
    if len(record_id) != 15:
        return record_id
    suffix = ""
    for start in (0, 5, 10):
        bits = sum(
            1 << n for n, char in enumerate(record_id[start : start + 5]) if char.isascii() and char.isupper()
        )
        suffix += _SUFFIX_ALPHABET[bits]
    return record_id + suffix


def quote(value: str) -> str:
    """Return a SOQL text literal."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{escaped}'"


def quoted(values: Iterable[str]) -> str:
    """Return a SOQL list of text literals."""
    return "(" + ", ".join(quote(value) for value in values) + ")"


def soql_time(moment: datetime) -> str:
    """Return an instant as SOQL takes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def http_date(text: str) -> str:
    """Return a Salesforce time as an HTTP date, for `If-Unmodified-Since`."""
    moment = instant(text)
    if moment is None:
        raise errors.InvalidValue(f"{text!r} is not a time")
    return moment.strftime("%a, %d %b %Y %H:%M:%S GMT")


def decode_field(raw: Mapping[str, Any]) -> CrmField:
    """Return a described field."""
    kind = _TYPES.get(str(raw.get("type")), "other")
    refers = tuple(str(name) for name in raw.get("referenceTo") or ())
    if kind == "reference" and "User" in refers:
        kind = "owner"
    return CrmField(
        name=str(raw["name"]),
        label=str(raw.get("label") or raw["name"]),
        type=kind,
        is_writable=bool(raw.get("updateable")) and not raw.get("calculated", False),
        is_required=not raw.get("nillable", True)
        and bool(raw.get("createable"))
        and not raw.get("defaultedOnCreate", False),
        is_unique=bool(raw.get("unique")) or bool(raw.get("externalId")),
        options=tuple(
            CrmOption(str(o["value"]), str(o.get("label") or o["value"]), bool(o.get("active", True)))
            for o in raw.get("picklistValues") or ()
        ),
        reference_to=refers,
        max_length=int(raw["length"])
        if kind in {"text", "url", "email", "phone"} and raw.get("length")
        else None,
    )


def _id(given: Any) -> str:
    if not isinstance(given, str) or not given:
        raise ValueError(f"{given!r} is no id of a record")
    return given


def decode_record(raw: Mapping[str, Any]) -> CrmRecord:
    """Return a row."""
    return CrmRecord(
        id=id18(_id(raw["Id"])),
        values={name: value for name, value in raw.items() if name != "attributes"},
        modified_at=str(raw.get("SystemModstamp") or ""),
        modified_by=str(raw.get("LastModifiedById") or ""),
        is_archived=bool(raw.get("IsDeleted")),
    )


def judge(request: Request, response: Response) -> errors.ApiError | None:
    """Return the error an answer means, or None where it is the answer asked for."""
    if response.status < 300:
        return None
    code, text = _said(response)
    status = response.status
    named: dict[str, Any] = {
        "system": "salesforce",
        "status": status,
        "code": code,
        "request": str(request),
        "request_id": response.headers.get("x-request-id"),
    }
    if code == "REQUEST_LIMIT_EXCEEDED" or status == 429:
        limited = errors.RateLimited(text, **named)
        # The daily allowance comes back hour by hour; too many at once is over in seconds.
        limited.retry_after_s = 2.0 if "concurrent" in text.casefold() else _UNTIL_TOMORROW_S
        return limited
    if code in _RETRY_ROW:
        return errors.ConcurrentWrite(text, **named)
    if status == 300:
        return errors.UniquenessConflict("Several Salesforce records hold that external id", **named)
    if status == 412:
        return errors.Changed("The Salesforce record changed since it was read", **named)
    if status >= 500:
        return errors.ServerFailed(text, **named)
    if status == 410:
        return errors.Refused("This Salesforce API version is retired", hint="Set a newer version.", **named)
    if code in _GONE:
        return errors.Gone(text, **named)
    by_status = {401: errors.NotAuthorised, 403: errors.Forbidden, 404: errors.NotFound}
    return (by_status.get(status) or _refusal(code))(text, **named)


def row_error(found: Any) -> errors.ApiError:
    """Return the error of one row of a collection, which names its code differently."""
    first = (found or [{}])[0]
    code = str(first.get("statusCode") or first.get("errorCode") or "")
    text = str(first.get("message") or code or "Salesforce refused the row")
    issues = [errors.ValidationIssue((str(name),), text, code) for name in first.get("fields") or ()]
    kind = errors.Gone if code in _GONE else _refusal(code)
    if code in _RETRY_ROW:
        kind = errors.ConcurrentWrite
    return kind(text, system="salesforce", status=400, code=code, issues=issues)


def _refusal(code: str) -> type[errors.ApiError]:
    if code in _TAKEN:
        return errors.UniquenessConflict
    return errors.UnknownReference if code in _UNKNOWN else errors.Refused


def _said(response: Response) -> tuple[str, str]:
    try:
        body = msgspec.json.decode(response.content)
    except msgspec.DecodeError:
        return "", f"Salesforce answered {response.status}"
    first = body[0] if isinstance(body, list) and body else body
    if not isinstance(first, Mapping):
        return "", f"Salesforce answered {response.status}"
    code = first.get("errorCode") or first.get("statusCode") or first.get("error") or ""
    text = first.get("message") or first.get("error_description") or f"Salesforce answered {response.status}"
    return str(code), str(text)
