"""How Salesforce is called: the session and its renewal, the day's allowance, queries page by page."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote as url_quote

import msgspec

from attio_console import errors
from attio_console.crm import salesforce_wire as wire
from attio_console.crm.protocol import (
    CrmLimits,
)
from attio_console.crm.salesforce_auth import SalesforceAuth, Session
from attio_console.model.clock import Clock, SystemClock
from attio_console.net import Caller, HttpClient, Lane, Limiter, Request, Resend, Response, Traffic
from attio_console.net.limiter import Kind

PAGE = 2_000
_USAGE = re.compile(r"api-usage=(\d+)/(\d+)")


class SalesforceCalls:
    """The connection to one org."""

    system = "salesforce"

    def __init__(
        self,
        auth: SalesforceAuth,
        *,
        version: str = "67.0",
        http: HttpClient | None = None,
        org_id: str = "",
        clock: Clock | None = None,
        rng: random.Random | None = None,
        traffic: Traffic | None = None,
        lane: Lane = Lane.SCAN,
    ) -> None:
        self._auth = auth
        self._version = version
        self._org_id = org_id
        self._clock = clock or SystemClock()
        self._rng = rng or random.Random()
        self._owns_http = http is None
        self._http = http or HttpClient()
        self._lane = lane
        self._session: Session | None = None
        self._opening = asyncio.Lock()
        self._limits = CrmLimits()
        self._names: dict[str, str] = {}
        self.limiter = Limiter(25, 10, self._clock)
        self._caller = Caller(
            self.system,
            self._http,
            self.limiter,
            wire.judge,
            clock=self._clock,
            rng=self._rng,
            traffic=traffic,
        )

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

    async def _query(
        self, soql: str, partition: str, *, everything: bool = False
    ) -> AsyncIterator[list[dict[str, Any]]]:
        path = "queryAll" if everything else "query"
        headers = {"Sforce-Query-Options": f"batchSize={PAGE}"}
        body = decode(await self._send("GET", path, "read", partition, params={"q": soql}, headers=headers))
        been: set[str] = set()
        while True:
            yield body["records"]
            following = body.get("nextRecordsUrl")
            if not following:
                return
            if str(following) in been:
                raise ValueError("the pages of a query lead back to where they came from")
            been.add(str(following))
            body = decode(await self._send("GET", str(following), "read", partition))

    async def _get(
        self, path: str, params: Mapping[str, Any] | None = None, *, partition: str
    ) -> dict[str, Any]:
        body = decode(await self._send("GET", path, "read", partition, params=params))
        if not isinstance(body, dict):
            raise errors.ServerFailed(
                "Salesforce's answer is JSON, but no object.", system=self.system, code="malformed_answer"
            )
        return body

    async def _send(
        self,
        method: str,
        path: str,
        kind: Kind,
        partition: str,
        *,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        resend: Resend = Resend.FREELY,
    ) -> Response:
        session, was_renewed = await self._open(None), False
        while True:
            local = path if path.startswith("/") else f"/services/data/v{self._version}/{url_quote(path)}"
            request = Request(
                method,
                session.instance_url + local,
                kind,
                resend,
                self._lane,
                partition,
                params=params,
                json=json,
                headers={
                    "authorization": f"Bearer {session.access_token}",
                    "Sforce-Call-Options": "client=attio-console",
                    "Sforce-Auto-Assign": "FALSE",
                    **(headers or {}),
                },
            )
            try:
                response = await self._caller.call(request)
            except errors.NotAuthorised:
                # Once: a session that is refused while it is new will not be accepted by asking for another.
                renewed = session if was_renewed else await self._open(session)
                if renewed.access_token == session.access_token:
                    raise
                session, was_renewed = renewed, True
                continue
            self._note_limits(response)
            return response

    async def _open(self, expired: Session | None) -> Session:
        async with self._opening:
            if self._session is None or self._session is expired:
                session = await self._auth.open(self._http)
                if self._org_id and session.org_id and session.org_id != self._org_id:
                    raise errors.NotAuthorised(
                        f"This login belongs to another Salesforce org ({session.org_id}, not {self._org_id})",
                        system=self.system,
                        status=401,
                        hint="Make a new profile for that org.",
                    )
                self._session = session
            return self._session

    def _note_limits(self, response: Response) -> None:
        used = _USAGE.search(response.headers.get("sforce-limit-info") or "")
        if used:
            self._limits = CrmLimits(int(used[2]), int(used[1]))


def decode(response: Response) -> Any:
    """Return the JSON of an answer; an empty one is an empty object."""
    if not response.content:
        return {}
    try:
        return msgspec.json.decode(response.content)
    except (msgspec.DecodeError, RecursionError) as error:
        raise errors.ServerFailed(f"Salesforce's answer is not JSON: {error}", system="salesforce") from error


def chunks(ids: Iterable[str], size: int) -> list[list[str]]:
    """Return the ids in lists no longer than a call takes."""
    every = list(ids)
    return [every[start : start + size] for start in range(0, len(every), size)]
