"""What HubSpot says on the wire: paths per API version, property types, refusals."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from attio_console import errors
from attio_console.crm.protocol import CrmField, CrmOption, CrmRecord, FieldType
from attio_console.net import Request, Response

Version = Literal["v3", "2026-03", "2026-09"]

_PATHS: dict[str, dict[str, str]] = {
    "v3": {
        "objects": "/crm/v3/objects/{type}",
        "properties": "/crm/v3/properties/{type}",
        "pipelines": "/crm/v3/pipelines/{type}",
        "associations": "/crm/v4/associations/{type}/{to}/batch",
        "owners": "/crm/v3/owners",
        "account": "/account-info/v3/details",
        "usage": "/account-info/v3/api-usage/daily/private-apps",
    },
}
for _dated in ("2026-03", "2026-09"):
    _PATHS[_dated] = {
        "objects": f"/crm/objects/{_dated}/{{type}}",
        "properties": f"/crm/properties/{_dated}/{{type}}",
        "pipelines": f"/crm/pipelines/{_dated}/{{type}}",
        "associations": f"/crm/associations/{_dated}/{{type}}/{{to}}/batch",
        "owners": f"/crm/owners/{_dated}",
        "account": f"/account-info/{_dated}/details",
        "usage": f"/account-info/{_dated}/api-usage/daily/private-apps",
    }

VERSIONS = tuple(_PATHS)

ASSOCIATION_PREFIX = "association:"
"""A reference that HubSpot keeps as an association looks like a field of this name, for example association:companies."""

# From, to -> the type that makes the other record the primary one.
_PRIMARY: dict[tuple[str, str], int] = {
    ("contacts", "companies"): 1,
    ("companies", "contacts"): 2,
    ("deals", "companies"): 5,
    ("companies", "deals"): 6,
    ("deals", "contacts"): 3,
    ("contacts", "deals"): 4,
}

_TYPES: dict[str, FieldType] = {
    "string": "text",
    "number": "number",
    "bool": "bool",
    "date": "date",
    "datetime": "datetime",
    "enumeration": "choice",
    "phone_number": "phone",
}

# A wait that no request sits through: the daily allowance is gone.
_UNTIL_TOMORROW_S = 3_600.0
_LOCKED_S = 2.0
_EXISTING_ID = re.compile(r"Existing ID: (\d+)")


def path(version: str, what: str, object_type: str = "", to: str = "") -> str:
    """Return the path of a resource in that API version."""
    return _PATHS[version][what].format(type=object_type, to=to)


def cursor_property(object_type: str) -> str:
    """Return the property that moves whenever a record does."""
    return "lastmodifieddate" if object_type == "contacts" else "hs_lastmodifieddate"


def primary_association(object_type: str, to: str) -> int | None:
    """Return the id of the association type that means "primary", or None where there is none."""
    return _PRIMARY.get((object_type, to))


def decode_property(raw: Mapping[str, Any]) -> CrmField:
    """Return a property as a field."""
    name, field_type = raw["name"], str(raw.get("fieldType") or "")
    kind = _TYPES.get(str(raw.get("type")), "other")
    if name == "hubspot_owner_id" or raw.get("referencedObjectType") == "OWNER":
        kind = "owner"
    elif kind == "choice" and field_type in {"checkbox", "checkboxes"}:
        kind = "choices"
    elif kind == "number" and (name == "amount" or raw.get("showCurrencySymbol")):
        kind = "currency"
    elif kind == "text" and field_type == "phonenumber":
        kind = "phone"
    elif kind == "text" and name == "email":
        kind = "email"
    meta = raw.get("modificationMetadata") or {}
    return CrmField(
        name=name,
        label=str(raw.get("label") or name),
        type=kind,
        is_writable=not meta.get("readOnlyValue", False) and not raw.get("calculated", False),
        is_unique=bool(raw.get("hasUniqueValue")) or name == "email",
        options=tuple(
            CrmOption(str(o["value"]), str(o.get("label") or o["value"]), not o.get("hidden", False))
            for o in raw.get("options") or ()
        ),
    )


def decode_record(object_type: str, raw: Mapping[str, Any]) -> CrmRecord:
    """Return a record; an unset property is None, its associations are fields of their own."""
    values: dict[str, Any] = dict(raw.get("properties") or {})
    for to, found in (raw.get("associations") or {}).items():
        values[f"{ASSOCIATION_PREFIX}{to}"] = primary_of(object_type, to, found.get("results") or ())
    absorbed = str(values.get("hs_merged_object_ids") or "")
    return CrmRecord(
        id=_id(raw["id"]),
        values=values,
        modified_at=str(values.get(cursor_property(object_type)) or raw.get("updatedAt") or ""),
        modified_by=str(values.get("hs_updated_by_user_id") or ""),
        is_archived=bool(raw.get("archived")),
        absorbed=tuple(part for part in absorbed.split(";") if part),
    )


def _id(given: Any) -> str:
    if not isinstance(given, (str, int)) or isinstance(given, bool) or given == "":
        raise ValueError(f"{given!r} is no id of a record")
    return str(given)


def primary_of(object_type: str, to: str, found: Any) -> str | None:
    """Return the id of the associated record that is the primary one, else of the first."""
    wanted = primary_association(object_type, to)
    first: str | None = None
    for entry in found:
        other = str(entry.get("toObjectId") or entry.get("id") or "")
        first = first or other
        kinds = entry.get("associationTypes") or ()
        is_primary = any(kind.get("typeId") == wanted for kind in kinds)
        if is_primary or str(entry.get("type", "")).endswith("_primary"):
            return other
    return first


def judge(request: Request, response: Response) -> errors.ApiError | None:
    """Return the error an answer means, or None where it is the answer asked for."""
    if response.status < 300:
        return None
    body = _body(response)
    status = response.status
    text = str(body.get("message") or f"HubSpot answered {status}")
    named: dict[str, Any] = {
        "system": "hubspot",
        "status": status,
        "code": str(body.get("category") or body.get("errorType") or ""),
        "request_id": body.get("correlationId") or response.headers.get("x-hubspot-correlation-id"),
        "request": str(request),
        "issues": _issues(body),
    }
    if status == 429:
        limited = errors.RateLimited(text, **named)
        limited.retry_after_s = _wait(body, response)
        return limited
    if status == 423:
        locked = errors.ConcurrentWrite(text, **named)
        locked.retry_after_s = _LOCKED_S  # type: ignore[attr-defined]  # read by the caller's backoff, by name
        return locked
    if status in {477, 521, 523, 524} or status >= 500:
        return errors.ServerFailed(text, **named)
    kind = {
        400: errors.Refused,
        401: errors.NotAuthorised,
        403: errors.Forbidden,
        404: errors.NotFound,
        409: errors.UniquenessConflict,
        414: errors.Refused,
    }.get(status, errors.Refused)
    return kind(text, **named)


def row_error(raw: Mapping[str, Any]) -> errors.ApiError:
    """Return the error of one row of a batch."""
    kind: type[errors.ApiError] = errors.Refused
    category = str(raw.get("category") or "")
    if category == "CONFLICT":
        kind = errors.UniquenessConflict
    elif category == "OBJECT_NOT_FOUND":
        kind = errors.NotFound
    return kind(
        str(raw.get("message") or "HubSpot refused the row"),
        system="hubspot",
        status=400,
        code=category,
        issues=_issues(raw),
    )


def existing_id(error: errors.ApiError) -> str | None:
    """Return the id that a refused creation says is already there."""
    found = _EXISTING_ID.search(error.message)
    return found[1] if found else None


def _wait(body: Mapping[str, Any], response: Response) -> float | None:
    if body.get("policyName") == "DAILY":
        return _UNTIL_TOMORROW_S
    asked = response.headers.get("retry-after") or ""
    # Not documented for this API: believed where it is a small number of seconds.
    if asked.isdigit() and int(asked) <= 60:
        return float(asked)
    interval = response.headers.get("x-hubspot-ratelimit-interval-milliseconds") or ""
    if body.get("policyName") == "TEN_SECONDLY_ROLLING" and interval.isdigit():
        return min(float(interval) / 1000 / 5, 5.0)
    return 1.0


def _issues(body: Mapping[str, Any]) -> tuple[errors.ValidationIssue, ...]:
    found: list[errors.ValidationIssue] = []
    for issue in body.get("errors") or ():
        if isinstance(issue, Mapping):
            names = (issue.get("context") or {}).get("propertyName") or [issue.get("name") or ""]
            found.append(
                errors.ValidationIssue(
                    tuple(str(name) for name in names),
                    str(issue.get("message") or ""),
                    str(issue.get("code") or ""),
                )
            )
    return tuple(found)


def _body(response: Response) -> Mapping[str, Any]:
    try:
        decoded = msgspec.json.decode(response.content)
    except msgspec.DecodeError:
        return {}
    return decoded if isinstance(decoded, dict) else {}
