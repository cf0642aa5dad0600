"""How HubSpot is called: the token, the burst and the day's allowance, one request at a time."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Self

import msgspec

from attio_console import errors
from attio_console.crm import hubspot_wire as wire
from attio_console.crm.protocol import (
    CrmLimits,
    CrmOwner,
)
from attio_console.model.clock import Clock, SystemClock
from attio_console.net import Caller, HttpClient, Lane, Limiter, Request, Resend, Response, Traffic
from attio_console.net.limiter import Kind


class HubSpotCalls:
    """The connection to one account."""

    system = "hubspot"

    def __init__(
        self,
        token: str,
        *,
        base_url: str = "https://api.hubapi.com",
        version: wire.Version = "2026-03",
        http: HttpClient | None = None,
        burst_per_10_s: int = 100,
        clock: Clock | None = None,
        rng: random.Random | None = None,
        traffic: Traffic | None = None,
        lane: Lane = Lane.SCAN,
    ) -> None:
        self._base = base_url.rstrip("/")
        self._version = version
        self._clock = clock or SystemClock()
        self._owns_http = http is None
        self._http = http or HttpClient()
        self._headers = {"authorization": f"Bearer {token}"}
        self._lane = lane
        self._limits = CrmLimits()
        self._owners: list[CrmOwner] | None = None
        self._user_names: dict[str, str] = {}
        self._traces = 0
        # One burst allowance for everything: an even share of it a second, reads and writes together.
        self._burst = burst_per_10_s
        share = max(2, burst_per_10_s // 20)
        self.limiter = Limiter(share, share, self._clock)
        common: dict[str, Any] = {"clock": self._clock, "rng": rng, "traffic": traffic}
        self._caller = Caller(
            self.system,
            self._http,
            self.limiter,
            wire.judge,
            request_id_header="x-hubspot-correlation-id",
            **common,
        )
        # Searches have their own, smaller allowance, and their answers carry no limit headers.
        self._searcher = Caller(self.system, self._http, Limiter(4, 4, self._clock), wire.judge, **common)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Give the connections back."""
        if self._owns_http:
            await self._http.aclose()

    def _request(
        self,
        method: str,
        path: str,
        kind: Kind,
        partition: str,
        *,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        resend: Resend = Resend.FREELY,
    ) -> Request:
        return Request(
            method,
            self._base + path,
            kind,
            resend,
            self._lane,
            partition,
            params=params,
            json=json,
            headers=self._headers,
        )

    async def _get(
        self, path: str, params: Mapping[str, Any] | None = None, *, partition: str
    ) -> dict[str, Any]:
        response = await self._caller.call(self._request("GET", path, "read", partition, params=params))
        self._note_limits(response)
        return decode(response)

    async def _post(
        self, object_type: str, operation: str, body: Any, kind: Kind, resend: Resend
    ) -> dict[str, Any]:
        url = f"{wire.path(self._version, 'objects', object_type)}/{operation}"
        response = await self._caller.call(
            self._request("POST", url, kind, object_type, json=body, resend=resend)
        )
        self._note_limits(response)
        return decode(response)

    def _note_limits(self, response: Response) -> None:
        burst = response.headers.get("x-hubspot-ratelimit-max") or ""
        if burst.isdigit() and int(burst) != self._burst:
            # The account says how much its plan allows; half of it for reads, half for writes.
            self._burst = int(burst)
            share = max(2, self._burst // 20)
            self.limiter = self._caller.limiter = Limiter(share, share, self._clock)
        day = response.headers.get("x-hubspot-ratelimit-daily") or ""
        left = response.headers.get("x-hubspot-ratelimit-daily-remaining") or ""
        if day.isdigit() and left.isdigit():
            self._limits = CrmLimits(int(day), max(0, int(day) - int(left)))


def decode(response: Response) -> dict[str, Any]:
    """Return the JSON object of an answer."""
    if not response.content:
        return {}
    try:
        body = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, RecursionError) as error:
        raise errors.ServerFailed(f"HubSpot's answer is not JSON: {error}", system="hubspot") from error
    if not isinstance(body, dict):
        # Taken for an empty page it would end a scan as if that were all.
        raise errors.ServerFailed(
            "HubSpot's answer is JSON, but no object.", system="hubspot", code="malformed_answer"
        )
    return body


def following(body: Mapping[str, Any]) -> str | None:
    """Return the cursor of the next page, or None at the end."""
    after = ((body.get("paging") or {}).get("next") or {}).get("after")
    return None if after is None else str(after)


def results(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of an answer. Raises ServerFailed where it has none: that is not the same as being empty."""
    rows = body.get("results")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise errors.ServerFailed(
            "HubSpot's answer has no list of results.", system="hubspot", code="malformed_answer"
        )
    return rows


def onward(body: Mapping[str, Any], been: set[str]) -> str | None:
    """Return the cursor of the next page, or None at the end. Raises ServerFailed where it leads back."""
    after = following(body)
    if after is not None:
        if after in been:
            raise errors.ServerFailed(
                "HubSpot's pages lead back to where they came from.",
                system="hubspot",
                code="malformed_answer",
            )
        been.add(after)
    return after


def chunks(ids: Iterable[str], size: int) -> list[list[str]]:
    """Return the ids in lists no longer than a call takes."""
    every = list(ids)
    return [every[start : start + size] for start in range(0, len(every), size)]
