"""Every error of attio-console.

ConsoleError
├── UsageError                     a command or key cannot be used like that
│   ├── InvalidValue               a typed value does not fit its attribute
│   ├── InvalidFilter              a filter term cannot be understood
│   ├── NoSuchThing                a name or id that nothing answers to
│   └── ReadOnlyProfile            the profile refuses every write
├── ConfigError                    the config file, a profile or a directory is not usable
│   └── SecretMissing              no token for a profile, or nowhere to keep one
├── StoreError                     something on disk
│   ├── StoreUnavailable           not writable, locked by another program, disk full
│   ├── StoreCorrupt               a database that cannot be read
│   ├── StoreTooNew                written by a newer version
│   ├── LeaseLost                  a claim was taken over by another worker
│   └── Superseded                 a newer question replaced this one
├── NetworkError                   no answer
│   ├── Offline                    the request was not sent
│   ├── TimedOut                   no answer in time: what happened is unknown
│   ├── ConnectionLost             the answer was lost: what happened is unknown
│   └── BreakerOpen                not tried: this partition failed too often just now
├── ApiError                       an answer that says no
│   ├── Refused                    400: the request is not acceptable as it is
│   │   ├── UniquenessConflict     another record holds that unique value
│   │   └── UnknownReference       an attribute, option, status or record that does not exist
│   ├── NotAuthorised              401: the token is not accepted
│   ├── Forbidden                  403: the token lacks a scope, or the plan a feature
│   ├── NotFound                   404
│   ├── Gone                       the record was deleted or merged away
│   ├── ConcurrentWrite            409: changed while the write was being validated
│   ├── Changed                    412: changed since it was read
│   ├── RateLimited                429 (Salesforce: 403 REQUEST_LIMIT_EXCEEDED)
│   └── ServerFailed               5xx, or an answer that is not what was promised
└── NeedsPerson                    done as far as a machine may; the rest is in the queue
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class ConsoleError(Exception):
    """The root: what happened, what to do next, and whether trying again can help."""

    title = "Something went wrong"
    retryable = False
    hint = ""

    def __init__(self, message: str, *, hint: str | None = None, title: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if hint is not None:
            self.hint = hint
        if title is not None:
            self.title = title

    def __str__(self) -> str:
        return self.message

    @property
    def advice(self) -> str:
        """The message and the hint as two sentences."""
        message = self.message if self.message.endswith((".", "!", "?", "…")) else f"{self.message}."
        return f"{message} {self.hint}".strip()


class UsageError(ConsoleError):
    """A command, key or argument cannot be used like that."""

    title = "Cannot do that"


class InvalidValue(UsageError):
    """A typed value does not fit its attribute."""

    title = "Value not accepted"


class InvalidFilter(UsageError):
    """A filter term cannot be understood."""

    title = "Filter not understood"


class NoSuchThing(UsageError):
    """A name or id that nothing answers to."""

    title = "Not found"


class ReadOnlyProfile(UsageError):
    """The profile refuses every write, whichever way it is tried."""

    title = "Read-only profile"
    hint = "Remove read_only from the profile, or start without --read-only."


class ConfigError(ConsoleError):
    """The config file, a profile or a directory is not usable."""

    title = "Configuration"
    hint = "attio-console config path shows the file in use."


class SecretMissing(ConfigError):
    """No token is known for a profile, or there is nowhere to keep one."""

    title = "No token"
    hint = "Set ATTIO_API_KEY, or run: attio-console profile add NAME"


class StoreError(ConsoleError):
    """Something on disk."""

    title = "Local store"


class StoreUnavailable(StoreError):
    """The store cannot be used now: not writable, locked by another program, or the disk is full."""

    retryable = True


class StoreCorrupt(StoreError):
    """A database that cannot be read."""

    title = "Damaged store"
    hint = "Run: attio-console doctor"


class StoreTooNew(StoreError):
    """The store was written by a newer version of attio-console."""

    hint = "Update attio-console, or use another --data-dir."


class LeaseLost(StoreError):
    """A claim was taken over by another worker; its result must not be written."""


class Superseded(StoreError):
    """A newer question replaced this one before it was answered."""


class NetworkError(ConsoleError):
    """No answer arrived."""

    title = "No answer"
    retryable = True
    unknown_outcome = False


class Offline(NetworkError):
    """The request was never sent: nothing happened on the other side."""

    title = "Offline"


class TimedOut(NetworkError):
    """No answer in time: whether the request took effect is unknown."""

    unknown_outcome = True


class ConnectionLost(NetworkError):
    """The connection broke after the request was sent: whether it took effect is unknown."""

    unknown_outcome = True


class BreakerOpen(NetworkError):
    """Not tried: this partition failed too often just now."""

    title = "Paused after failures"

    def __init__(self, message: str, *, retry_in_s: float) -> None:
        super().__init__(message)
        self.retry_in_s = retry_in_s


@dataclass(frozen=True, slots=True)
class ValidationIssue:
    """One entry of a refusal's `validation_errors`: where in the body, and why."""

    path: tuple[str | int, ...]
    message: str
    code: str = ""


class ApiError(ConsoleError):
    """An answer that says no.

    `status` is the HTTP status, `code` the system's own error code, `request_id` what its support asks for,
    `issues` the fields at fault where the answer names them.
    """

    title = "Refused"

    def __init__(
        self,
        message: str,
        *,
        system: str = "attio",
        status: int = 0,
        code: str = "",
        request_id: str | None = None,
        issues: Sequence[ValidationIssue] = (),
        request: str = "",
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.system = system
        self.status = status
        self.code = code
        self.request_id = request_id
        self.issues = tuple(issues)
        self.request = request


class Refused(ApiError):
    """The request is not acceptable as it is; sending it again cannot help."""


class UniquenessConflict(Refused):
    """Another record already holds that unique value."""

    title = "Already taken"


class UnknownReference(Refused):
    """An attribute, option, status or record named in the request does not exist."""

    title = "Unknown name"


class NotAuthorised(ApiError):
    """The token is not accepted."""

    title = "Not authorised"
    hint = "Check the token: attio-console profile show"


class Forbidden(ApiError):
    """The token lacks a scope, or the plan lacks the feature."""

    title = "Not permitted"
    hint = "attio-console doctor lists the scopes the token has."


class NotFound(ApiError):
    """Nothing answers to that path or id."""

    title = "Not found"


class Gone(NotFound):
    """The record was deleted or merged away."""

    title = "Deleted or merged"


class ConcurrentWrite(ApiError):
    """The record changed while the write was being validated; the write did not happen."""

    title = "Changed meanwhile"
    retryable = True


class Changed(ApiError):
    """The record changed since it was read; the conditional write did not happen."""

    title = "Changed since it was read"


class RateLimited(ApiError):
    """Too many requests; this one was not processed. `retry_after_s` is None where the answer names no time."""

    title = "Rate limit"
    retryable = True
    retry_after_s: float | None = None


class ServerFailed(ApiError):
    """The server failed, or its answer is not what was promised: whether a write took effect is unknown."""

    title = "Server error"
    retryable = True


class NeedsPerson(ConsoleError):
    """Done as far as a machine may; the rest waits in the queue."""

    title = "Needs a person"
    hint = "attio-console conflicts list"
