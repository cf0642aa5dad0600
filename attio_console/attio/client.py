"""AsyncAttio: every operation of Attio's REST API, one method each, grouped as Attio groups them."""

from __future__ import annotations

import random
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from attio_console import errors
from attio_console.attio.comments import Comments, Threads
from attio_console.attio.configuration import Attributes, Members, Objects, Options, Statuses, Target, Views
from attio_console.attio.files import Emails, Files
from attio_console.attio.lists import Lists
from attio_console.attio.meetings import Meetings, Recordings
from attio_console.attio.notes import Notes
from attio_console.attio.records import Records
from attio_console.attio.refusals import REQUEST_ID, judge
from attio_console.attio.schema import read_attributes, read_schema
from attio_console.attio.sending import Written
from attio_console.attio.tasks import Tasks
from attio_console.attio.things import Identity
from attio_console.attio.webhooks import Webhooks
from attio_console.attio.wire import Wire, things_of
from attio_console.model.clock import Clock, SystemClock
from attio_console.model.schema import Attribute, Schema
from attio_console.net import (
    REDACTOR,
    Breakers,
    Caller,
    HttpClient,
    Lane,
    Limiter,
    Request,
    Response,
    Traffic,
)

if TYPE_CHECKING:
    from attio_console.net.http import Transport

BASE_URL = "https://api.attio.com"


class AsyncAttio:
    """A client for one token. Share the limiter between everything that uses the same token.

    async with AsyncAttio(token) as attio:
        async for person in attio.records.iterate("people", filter={"name": {"last_name": "Lovelace"}}):
            print(person.values["email_addresses"])
    """

    def __init__(
        self,
        token: str,
        *,
        base_url: str = BASE_URL,
        limiter: Limiter | None = None,
        http: HttpClient | None = None,
        transport: Transport | None = None,
        clock: Clock | None = None,
        rng: random.Random | None = None,
        breakers: Breakers | None = None,
        traffic: Traffic | None = None,
    ) -> None:
        if urlsplit(base_url).scheme not in ("http", "https"):
            raise errors.ConfigError(f"{base_url!r} is not an http or https address.")
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise errors.ConfigError("The Attio token is empty or has characters no token has.")
        REDACTOR.add(token)
        self.clock = clock or SystemClock()
        self.limiter = limiter or Limiter(clock=self.clock)
        self.breakers = breakers or Breakers("attio", self.clock)
        self._owns_http = http is None
        self._http = http or HttpClient(transport=transport)
        caller = Caller(
            "attio",
            self._http,
            self.limiter,
            self._judge,
            clock=self.clock,
            rng=rng,
            breakers=self.breakers,
            traffic=traffic,
            request_id_header=REQUEST_ID,
        )
        wire = self._wire = Wire(caller, base_url.removesuffix("/v2").removesuffix("/v2/"), token)
        self._written = Written(self._refreshed, self.clock)
        self.objects = Objects(wire)
        self.attributes = Attributes(wire)
        self.options = Options(wire)
        self.statuses = Statuses(wire)
        self.views = Views(wire)
        self.members = Members(wire)
        self.records = Records(wire, self._written)
        self.lists = Lists(wire, self._written)
        self.notes = Notes(wire)
        self.tasks = Tasks(wire)
        self.comments = Comments(wire)
        self.threads = Threads(wire)
        self.meetings = Meetings(wire)
        self.recordings = Recordings(wire)
        self.files = Files(wire, self._http)
        self.emails = Emails(wire)
        self.webhooks = Webhooks(wire)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections, unless they were handed in."""
        if self._owns_http:
            await self._http.aclose()

    async def self_(self, *, lane: Lane = Lane.INTERACTIVE) -> Identity:
        """Return whose token this is. A token Attio does not know is not an error but `active=False`."""
        return await self._wire.send(
            "GET", ("self",), lambda answer: things_of(answer, Identity, [answer.content])[0], lane=lane
        )

    async def schema(self, lane: Lane = Lane.INTERACTIVE) -> Schema:
        """Read the whole shape of the workspace in one go."""
        return await read_schema(self, self.clock, lane)

    def use_schema(self, schema: Schema | None) -> None:
        """Check what is written against this schema from now on, before a request is spent on it."""
        self._written.schema = schema

    async def _refreshed(self, target: Target, identifier: str) -> tuple[Attribute, ...]:
        return await read_attributes(self, target, identifier, Lane.INTERACTIVE)

    async def request(self, method: str, path: str, *, lane: Lane = Lane.INTERACTIVE, **how: Any) -> bytes:
        """Send a request this client has no method for yet; `path` is what follows /v2/."""
        return await self._wire.send(
            method, path.strip("/").split("/"), lambda answer: answer.content, lane=lane, **how
        )

    def _judge(self, request: Request, response: Response) -> errors.ApiError | None:
        return judge(self.clock, request, response)
