"""One request done properly: its lane, its permit, its retries, its breaker, its log line. For any system."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

from attio_console import errors
from attio_console.model.clock import Clock, SystemClock
from attio_console.net import log
from attio_console.net.breaker import Breakers
from attio_console.net.http import HttpClient, Params, Response, Timeouts
from attio_console.net.limiter import Kind, Lane, Limiter
from attio_console.net.promises import as_promised
from attio_console.net.retry import Backoff, Resend
from attio_console.net.traffic import Traffic

# A wait longer than this is not for a request to sit through: the caller is told, and the gate stays.
_LONGEST_GATE_S = 60.0
_LONGEST_CLOSED_S = 6 * 3600.0
_RATE_LIMIT_TURNS = 20


@dataclass(frozen=True, slots=True)
class Request:
    """What to send, who waits for it, and what may be done when its answer is lost."""

    method: str
    url: str
    kind: Kind
    resend: Resend = Resend.NEVER
    lane: Lane = Lane.INTERACTIVE
    partition: str = ""
    params: Params | None = None
    json: Any = None
    content: bytes | None = None
    files: Mapping[str, Any] | None = None
    data: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # a token must not reach a traceback
    timeout: Timeouts | None = None

    @property
    def path(self) -> str:
        """Return the path alone: what a log may show."""
        return urlsplit(self.url).path

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


T = TypeVar("T")
Judge = Callable[[Request, Response], errors.ApiError | None]
"""Turns an answer into the error it means, or None where it is the answer asked for."""


class Caller:
    """Sends requests of one system with one token."""

    def __init__(
        self,
        system: str,
        http: HttpClient,
        limiter: Limiter,
        judge: Judge,
        *,
        clock: Clock | None = None,
        rng: random.Random | None = None,
        breakers: Breakers | None = None,
        traffic: Traffic | None = None,
        attempts: int = 4,
        backoff: Backoff | None = None,
        request_id_header: str = "x-request-id",
    ) -> None:
        self.system = system
        self.limiter = limiter
        self.clock = clock or SystemClock()
        self.breakers = breakers or Breakers(system, self.clock)
        self.traffic = traffic
        self._http = http
        self._judge = judge
        self._rng = rng or random.Random()
        self._attempts = attempts
        self._backoff = backoff or Backoff()
        self._request_id_header = request_id_header

    async def call(self, request: Request) -> Response:
        """Return the answer to a request, tried again where that is safe, or raise what went wrong."""
        return await self.fetch(request, lambda response: response)

    async def fetch(self, request: Request, read: Callable[[Response], T]) -> T:
        """Return what `read` makes of the answer.

        `read` raises ServerFailed where the body is not what was promised; that counts, and is tried again, like
        any other failure of the server.
        """
        failures = 0
        turned_away = 0
        outcome_unknown = False
        while True:
            try:
                return await self._once(request, read, failures + turned_away + 1)
            except errors.RateLimited as error:
                # Not processed, so any verb may try again; it says nothing about the partition.
                turned_away += 1
                wait = error.retry_after_s
                if wait is None:
                    wait = self._backoff.wait(turned_away + 1, self._rng)
                # A wait of years is a mistake of theirs: after some hours somebody asks again.
                self.limiter.gate(self.clock.monotonic() + min(max(wait, 0.02), _LONGEST_CLOSED_S))
                if (
                    request.resend is Resend.ONCE
                    or wait > _LONGEST_GATE_S
                    or turned_away >= _RATE_LIMIT_TURNS
                ):
                    raise
            except errors.NotFound:
                if outcome_unknown and request.method == "DELETE":
                    # The attempt whose answer was lost did it.
                    return read(Response(200, {}, b"{}", 0.0))
                raise
            except (errors.ConcurrentWrite, errors.Offline) as error:
                failures += 1
                if request.resend is Resend.ONCE or failures >= self._attempts:
                    raise
                await self.clock.sleep(self._wait(failures, error))
            except (errors.ServerFailed, errors.TimedOut, errors.ConnectionLost) as error:
                failures += 1
                maybe_done = isinstance(error, errors.ServerFailed) or error.unknown_outcome
                outcome_unknown = outcome_unknown or maybe_done
                is_over = failures >= self._attempts or request.resend is Resend.ONCE
                if is_over or (maybe_done and request.resend is Resend.NEVER):
                    raise
                await self.clock.sleep(self._wait(failures, error))

    def _wait(self, failures: int, error: errors.ConsoleError) -> float:
        asked = getattr(error, "retry_after_s", None)
        return max(self._backoff.wait(failures, self._rng), min(asked or 0.0, _LONGEST_GATE_S))

    async def _once(self, request: Request, read: Callable[[Response], T], attempt: int) -> T:
        breaker = self.breakers[request.partition or self.system]
        if breaker.state == "open":
            breaker.before()
        queued = self.clock.monotonic()
        permit = await self.limiter.acquire(request.kind, request.lane)
        breaker.before()
        if self.traffic is not None:
            self.traffic.record(self.system, request.kind)
        waited = permit.at - queued
        response: Response | None = None
        outcome = "cancelled"
        try:
            response = await self._http.request(
                request.method,
                request.url,
                params=request.params,
                json=request.json,
                content=request.content,
                files=request.files,
                data=request.data,
                headers=request.headers,
                lane=request.lane,
                timeout=request.timeout,
            )
            self.limiter.answered(permit)
            outcome = str(response.status)
            with as_promised(self.system):
                refusal = self._judge(request, response)
            if refusal is not None:
                raise refusal
            with as_promised(self.system):
                result = read(response)
            breaker.succeeded()
            return result
        except errors.NetworkError as error:
            outcome = type(error).__name__
            # Not reaching the host at all says nothing about a partition: being offline is a state of its own.
            if isinstance(error, errors.Offline):
                breaker.abandoned()
            else:
                breaker.failed()
            raise
        except errors.ServerFailed:
            breaker.failed()
            if self.traffic is not None:
                self.traffic.record(self.system, "error")
            raise
        except errors.RateLimited:
            breaker.abandoned()
            if self.traffic is not None:
                self.traffic.record(self.system, "429")
            raise
        except errors.ApiError:
            breaker.succeeded()
            raise
        except BaseException:
            breaker.abandoned()
            raise
        finally:
            log.request_line(
                log.RequestRecord(
                    self.clock.now(),
                    self.system,
                    request.method,
                    log.REDACTOR.redact(request.path),
                    outcome,
                    response.elapsed if response else self.clock.monotonic() - permit.at,
                    waited,
                    request.lane.name.lower(),
                    attempt,
                    len(response.content) if response else 0,
                    (response.headers.get(self._request_id_header) or "") if response else "",
                )
            )
