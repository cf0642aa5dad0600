"""One log line a request, and no secret in any line."""

from __future__ import annotations

import logging
import re
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

LOGGER = logging.getLogger("attio_console.net")

_AUTHORIZATION = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}")
_FIELDS = re.compile(
    r"""(?ix)(["']?\b(?:access_token|refresh_token|client_secret|api_key|assertion|password|secret)["']?\s*[:=]\s*["']?)"""
    r"""[^\s"'&,;}]+"""
)
_HIDDEN = "[hidden]"


class Redactor(logging.Filter):
    """Hides the secrets it was told of, and whatever looks like a credential, in every record that passes."""

    def __init__(self) -> None:
        super().__init__()
        self._secrets: set[str] = set()
        self._lock = Lock()

    def add(self, secret: str) -> None:
        """Hide that secret from now on."""
        if len(secret) >= 4:
            with self._lock:
                self._secrets.add(secret)

    def redact(self, text: str) -> str:
        """Return the text with nothing secret in it."""
        with self._lock:
            secrets = sorted(self._secrets, key=len, reverse=True)
        for secret in secrets:
            text = text.replace(secret, _HIDDEN)
        text = _AUTHORIZATION.sub(rf"\1 {_HIDDEN}", text)
        return _FIELDS.sub(rf"\1{_HIDDEN}", text)

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record's text, and its traceback's, in place."""
        record.msg = self.redact(record.getMessage())
        record.args = None
        if record.exc_info and not record.exc_text:
            record.exc_text = self.redact(logging.Formatter().formatException(record.exc_info))
            record.exc_info = None
        elif record.exc_text:
            record.exc_text = self.redact(record.exc_text)
        return True


REDACTOR = Redactor()
LOGGER.addFilter(REDACTOR)


HELD = 1_000
"""Requests that are remembered."""


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request as it is remembered: never its query, its headers or its body."""

    at: datetime
    system: str
    method: str
    path: str
    outcome: str
    """The status, or the name of what went wrong."""
    elapsed_s: float
    waited_s: float
    lane: str
    attempt: int
    size: int
    request_id: str


class Recent:
    """The newest requests of this process; older ones are forgotten."""

    def __init__(self, held: int = HELD) -> None:
        self._records: deque[RequestRecord] = deque(maxlen=held)
        self.total = 0

    def add(self, record: RequestRecord) -> None:
        """Remember a request."""
        self._records.append(record)
        self.total += 1

    def newest(self, limit: int) -> list[RequestRecord]:
        """Return the newest requests, newest first."""
        return [record for record, _ in zip(reversed(self._records), range(limit), strict=False)]


RECENT = Recent()


def request_line(record: RequestRecord) -> None:
    """Remember a request and write its one line. Its path comes without the query, which may hold a person's address."""
    RECENT.add(record)
    LOGGER.info(
        "%s %s %s %s %.0fms waited=%.0fms lane=%s attempt=%d bytes=%d id=%s",
        record.system,
        record.method,
        record.path,
        record.outcome,
        record.elapsed_s * 1000,
        record.waited_s * 1000,
        record.lane,
        record.attempt,
        record.size,
        record.request_id or "-",
    )
