"""What every HTTP client shares: the client, the rate limiter with lanes, retry, circuit breaker, traffic, log lines."""

from attio_console.net.breaker import Breaker, Breakers
from attio_console.net.caller import Caller, Judge, Request
from attio_console.net.http import HttpClient, Response, Timeouts
from attio_console.net.limiter import Lane, Limiter, LimiterStats, Permit
from attio_console.net.log import REDACTOR, Redactor
from attio_console.net.promises import as_promised, keeping_promises
from attio_console.net.retry import Backoff, Resend, http_date, retry_after
from attio_console.net.traffic import Traffic

__all__ = [
    "REDACTOR",
    "Backoff",
    "Breaker",
    "Breakers",
    "Caller",
    "HttpClient",
    "Judge",
    "Lane",
    "Limiter",
    "LimiterStats",
    "Permit",
    "Redactor",
    "Request",
    "Resend",
    "Response",
    "Timeouts",
    "Traffic",
    "as_promised",
    "http_date",
    "keeping_promises",
    "retry_after",
]
