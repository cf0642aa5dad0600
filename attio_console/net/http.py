"""The one seam to the HTTP library: no other module imports httpx."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import msgspec

from attio_console import __version__, errors
from attio_console.net.limiter import Lane

if TYPE_CHECKING:
    import httpx

    Transport: TypeAlias = httpx.AsyncBaseTransport

Scalar: TypeAlias = str | int | float | bool | None
Params: TypeAlias = Mapping[str, Scalar | Sequence[Scalar]]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds for each phase of a request, and for all of it."""

    connect: float = 5.0
    write: float = 15.0
    read: float = 30.0
    pool: float = 30.0
    total: float = 120.0


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, whatever its status. Header names are found in any case."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    elapsed: float
    """Seconds from sending to the last byte."""


class HttpClient:
    """A connection pool that answers with plain responses and fails with the product's own errors."""

    def __init__(
        self,
        *,
        timeouts: Timeouts | None = None,
        transport: Transport | None = None,
        max_connections: int = 64,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        import httpx

        self.timeouts = timeouts or Timeouts()
        self._httpx = httpx
        self._standard = self._phases(self.timeouts)
        self._client = httpx.AsyncClient(
            transport=transport,
            timeout=self._standard,
            # Idle connections are given up before common servers (5 s) close them: a request that meets a closing
            # connection has an unknown outcome.
            limits=httpx.Limits(
                max_connections=max_connections,
                max_keepalive_connections=max_connections,
                keepalive_expiry=4.0,
            ),
            headers={
                "user-agent": f"attio-console/{__version__}",
                "accept": "application/json",
                **(headers or {}),
            },
            follow_redirects=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Params | None = None,
        json: Any = None,
        content: bytes | None = None,
        files: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        lane: Lane = Lane.INTERACTIVE,  # noqa: ARG002 - part of the interface: whoever limits reads it
        timeout: Timeouts | None = None,  # noqa: ASYNC109 - phases, not one deadline
    ) -> Response:
        """Send one request and return its answer, whatever the status.

        Raises Offline where nothing was sent, TimedOut or ConnectionLost where the outcome is unknown.
        """
        sent_headers = dict(headers) if headers else {}
        if json is not None:
            content = msgspec.json.encode(json)
            sent_headers["content-type"] = "application/json"
        phases = self._standard if timeout is None else self._phases(timeout)
        started = time.perf_counter()
        try:
            async with asyncio.timeout((timeout or self.timeouts).total):
                answer = await self._client.request(
                    method,
                    url,
                    params=_query(params),
                    content=content,
                    files=files,
                    data=data,
                    headers=sent_headers,
                    timeout=phases,
                )
        except TimeoutError as error:
            raise errors.TimedOut(f"{_host(url)} did not finish its answer in time.") from error
        except self._httpx.HTTPError as error:
            raise self._failure(error, url) from error
        except (self._httpx.InvalidURL, UnicodeError) as error:
            raise errors.ConfigError(f"{url!r} is not an address: {error}") from error
        return Response(answer.status_code, answer.headers, answer.content, time.perf_counter() - started)

    def _failure(self, error: Exception, url: str) -> errors.ConsoleError:
        httpx = self._httpx
        host = _host(url)
        if isinstance(error, httpx.UnsupportedProtocol):
            return errors.ConfigError(f"{url!r} is not an http or https address.")
        if isinstance(error, httpx.PoolTimeout):
            waiting = errors.TimedOut(f"No connection to {host} came free in time; nothing was sent.")
            waiting.unknown_outcome = False
            return waiting
        if isinstance(error, httpx.ConnectTimeout):
            return errors.Offline(f"{host} did not accept a connection in time.")
        if isinstance(error, (httpx.ConnectError, httpx.ProxyError)):
            return errors.Offline(f"{host} cannot be reached ({_reason(error)}).")
        if isinstance(error, httpx.TimeoutException):
            return errors.TimedOut(f"{host} did not answer in time.")
        return errors.ConnectionLost(f"The connection to {host} broke before the answer was complete.")

    def _phases(self, timeouts: Timeouts) -> httpx.Timeout:
        return self._httpx.Timeout(
            connect=timeouts.connect, write=timeouts.write, read=timeouts.read, pool=timeouts.pool
        )


def _query(params: Params | None) -> list[tuple[str, Scalar]] | None:
    """Spell query parameters the way JSON APIs expect them, leaving out what is None."""
    if not params:
        return None
    pairs: list[tuple[str, Scalar]] = []
    for name, value in params.items():
        several = value if isinstance(value, Sequence) and not isinstance(value, str) else (value,)
        pairs += [(name, one) for one in several if one is not None]
    return pairs


def _host(url: str) -> str:
    return url.split("://", 1)[-1].split("/", 1)[0].rsplit("@", 1)[-1] or url


def _reason(error: Exception) -> str:
    return str(error).strip() or type(error).__name__
