from __future__ import annotations

import json

import pytest

from attio_console import errors
from attio_console.attio.refusals import judge
from attio_console.model.clock import FakeClock
from attio_console.net import Request, Response

REQUEST = Request("POST", "https://api.attio.com/v2/objects/people/records", "write")


def answer(status: int, body: object = None, **headers: str) -> errors.ApiError | None:
    content = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    return judge(
        FakeClock(),
        REQUEST,
        Response(status, {k.replace("_", "-"): v for k, v in headers.items()}, content, 0),
    )


def body(code: str, message: str = "No.", **more: object) -> dict[str, object]:
    return {"status_code": 400, "type": "invalid_request_error", "code": code, "message": message, **more}


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "validation_type", errors.Refused),
        (400, "missing_value", errors.Refused),
        (400, "filter_error", errors.Refused),
        (400, "multiple_match_results", errors.Refused),
        (400, "value_not_found", errors.UnknownReference),
        (400, "uniqueness_conflict", errors.UniquenessConflict),
        (409, "uniqueness_conflict", errors.UniquenessConflict),
        (409, "slug_conflict", errors.UniquenessConflict),
        (409, "concurrent_write_conflict", errors.ConcurrentWrite),
        (400, "merge_in_progress", errors.ConcurrentWrite),
        (404, "merge_in_progress", errors.ConcurrentWrite),
        (401, "unauthorized", errors.NotAuthorised),
        (403, "unauthorized", errors.Forbidden),
        (403, "billing_error", errors.Forbidden),
        (403, "quota_exceeded", errors.Forbidden),
        (404, "not_found", errors.NotFound),
        (413, "validation_type", errors.Refused),
        (429, "rate_limit_exceeded", errors.RateLimited),
        (500, "", errors.ServerFailed),
        (502, "", errors.ServerFailed),
        (302, "", errors.ServerFailed),
    ],
)
def test_every_refusal_has_its_error(status, code, kind) -> None:
    error = answer(status, body(code), x_attio_execution_id="exec-1")
    assert type(error) is kind
    assert (error.status, error.code, error.request_id) == (status, code, "exec-1")
    assert error.request == "POST /v2/objects/people/records"


def test_an_answer_that_says_yes_is_no_error() -> None:
    assert answer(200) is None
    assert answer(204) is None


def test_the_fields_at_fault_are_named() -> None:
    error = answer(
        400,
        body(
            "validation_type",
            "Body payload validation error.",
            validation_errors=[
                {"code": "invalid_type", "path": ["data", "values", 0], "message": "Required"},
                5,
            ],
        ),
    )
    assert error.issues == (errors.ValidationIssue(("data", "values", 0), "Required", "invalid_type"),)
    assert error.message == "data.values.0: Required"


def test_a_taken_value_is_known_by_its_message_too() -> None:
    message = 'The value "a@b.c" provided for attribute with ID "x" conflicts with one already in the system.'
    assert isinstance(answer(400, body("validation_type", message)), errors.UniquenessConflict)


def test_a_page_of_a_gateway_is_still_an_error() -> None:
    for content in (b"<html>bad gateway</html>", b"", b"\xff\xfe", b"[]", b'{"code": 5}'):
        error = answer(502, content)
        assert isinstance(error, errors.ServerFailed) and error.message


def test_when_to_come_back_is_kept() -> None:
    error = answer(
        429,
        body("rate_limit_exceeded"),
        retry_after="Mon, 05 Jan 2026 10:00:03 GMT",
        date="Mon, 05 Jan 2026 10:00:01 GMT",
    )
    assert isinstance(error, errors.RateLimited) and error.retry_after_s == 2 and error.retryable
