"""The one seam where an answer of Attio's becomes one of the product's errors."""

from __future__ import annotations

from typing import Any

import msgspec

from attio_console import errors
from attio_console.model.clock import Clock
from attio_console.net import Request, Response, retry_after

REQUEST_ID = "x-attio-execution-id"

_TAKEN = "conflicts with one already in the system"
_HINTS = {
    "value_not_found": "It may have been renamed or archived in Attio since the schema was read.",
    "multiple_match_results": "Several records match; merge them, or write to one of them by its id.",
    "missing_value": "A required attribute has to be given, and cannot be cleared.",
    "immutable_value": "This can only be set when it is created.",
    "system_edit_unauthorized": "Attio keeps this attribute itself.",
    "formula_edit_unauthorized": "Attio computes this attribute from a formula.",
    "filter_error": "Check the attribute slugs and operators of the filter and the sorts.",
    "standard_object_disabled": "Enable the object in Attio's workspace settings.",
    "quota_exceeded": "The workspace's plan has no room for this.",
    "billing_error": "The workspace's plan does not include this feature.",
}


class _Issue(msgspec.Struct):
    path: list[str | int] = []
    message: str = ""
    code: str = ""


class _Body(msgspec.Struct):
    type: str | None = None
    code: str | None = None
    message: str | None = None
    validation_errors: Any = None


def judge(clock: Clock, request: Request, response: Response) -> errors.ApiError | None:
    """Return the error an answer means, or None where it is the answer asked for."""
    status = response.status
    if 200 <= status < 300 or (status in (302, 307) and request.path.endswith("/download")):
        return None
    body = _body(response.content)
    code = body.code or ""
    message = body.message or f"Attio answered {status} without saying why."
    issues = _issues(body.validation_errors)
    kind = _kind(status, code, message)
    if issues and "validation error" in message:
        # "Body payload validation error." says nothing to a person; what is wrong stands beside it.
        message = "; ".join(f"{'.'.join(map(str, one.path)) or 'body'}: {one.message}" for one in issues)
    hint = _HINTS.get(code)
    if status == 404 and message.startswith("Could not find endpoint"):
        hint = "Attio does not offer this operation at this address."
    error = kind(
        message,
        system="attio",
        status=status,
        code=code,
        request_id=response.headers.get(REQUEST_ID),
        issues=issues,
        request=str(request),
        hint=hint,
    )
    if isinstance(error, errors.RateLimited):
        error.retry_after_s = retry_after(response.headers, clock)
    return error


def not_as_promised(response: Response, reason: str) -> errors.ServerFailed:
    """Return the error for an answer of status 2xx whose body is not what Attio documents."""
    return errors.ServerFailed(
        f"Attio's answer is not what it documents: {reason}",
        system="attio",
        status=response.status,
        code="malformed_answer",
        request_id=response.headers.get(REQUEST_ID),
    )


def _kind(status: int, code: str, message: str) -> type[errors.ApiError]:
    # The code decides before the status: the same refusal comes with different statuses at different endpoints.
    if status == 429:
        return errors.RateLimited
    if code in ("concurrent_write_conflict", "merge_in_progress"):
        return errors.ConcurrentWrite
    if code in ("uniqueness_conflict", "slug_conflict") or (status in (400, 409) and _TAKEN in message):
        return errors.UniquenessConflict
    if status == 401:
        return errors.NotAuthorised
    if status in (402, 403):
        return errors.Forbidden
    if status == 404:
        return errors.NotFound
    if status == 412:
        return errors.Changed
    if code == "value_not_found":
        return errors.UnknownReference
    if 400 <= status < 500:
        return errors.Refused
    return errors.ServerFailed


def _body(content: bytes) -> _Body:
    try:
        return msgspec.json.decode(content, type=_Body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # A gateway's page instead of Attio's JSON: the status alone has to do.
        return _Body()


def _issues(found: Any) -> list[errors.ValidationIssue]:
    result: list[errors.ValidationIssue] = []
    for entry in found if isinstance(found, list) else []:
        try:
            issue = msgspec.convert(entry, _Issue)
        except msgspec.ValidationError:
            continue
        result.append(errors.ValidationIssue(tuple(issue.path), issue.message, issue.code))
    return result
