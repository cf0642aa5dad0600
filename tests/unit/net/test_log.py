from __future__ import annotations

import logging
from datetime import UTC, datetime

from attio_console.net import Redactor
from attio_console.net.log import Recent, RequestRecord

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def line(redactor: Redactor, message: str, *args: object) -> str:
    record = logging.LogRecord("x", logging.INFO, "f", 1, message, args, None)
    redactor.filter(record)
    return record.getMessage()


def test_a_known_secret_is_hidden_wherever_it_stands() -> None:
    redactor = Redactor()
    redactor.add("s3cr3t-token-value")
    assert "s3cr3t" not in line(redactor, "url=%s", "https://x/?k=s3cr3t-token-value&y")
    assert "s3cr3t" not in line(redactor, "%r", {"a": ["s3cr3t-token-value"]})


def test_what_looks_like_a_credential_is_hidden_too() -> None:
    redactor = Redactor()
    for text in (
        "authorization: Bearer abcdef1234567890",
        "Basic dXNlcjpwYXNzd29yZA==",
        'body {"access_token": "00D!AQEAQ", "x": 1}',
        "client_secret=verysecret&grant_type=x",
    ):
        shown = line(redactor, text)
        assert "[hidden]" in shown
        assert not any(
            s in shown for s in ("abcdef1234567890", "dXNlcjpwYXNzd29yZA", "00D!AQEAQ", "verysecret")
        )


def test_a_traceback_is_redacted() -> None:
    redactor = Redactor()
    redactor.add("tok-123456")
    try:
        raise ValueError("bad tok-123456")
    except ValueError as error:
        record = logging.LogRecord(
            "x", logging.ERROR, "f", 1, "failed", (), (type(error), error, error.__traceback__)
        )
    redactor.filter(record)
    assert "tok-123456" not in logging.Formatter().format(record)


def test_plain_text_stays_as_it_is() -> None:
    assert line(Redactor(), "attio GET /v2/self 200 %dms", 12) == "attio GET /v2/self 200 12ms"


def test_the_newest_requests_are_remembered_and_no_more_than_there_is_room_for() -> None:
    recent = Recent(held=3)
    for number in range(5):
        recent.add(RequestRecord(NOW, "attio", "GET", f"/v2/{number}", "200", 0.01, 0, "scan", 1, 9, "id"))
    assert [record.path for record in recent.newest(2)] == ["/v2/4", "/v2/3"]
    assert [record.path for record in recent.newest(9)] == ["/v2/4", "/v2/3", "/v2/2"]
    assert recent.total == 5
