"""How every group of operations talks: paths, envelopes, and which write may be sent twice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from attio_console import errors
from attio_console.attio.refusals import not_as_promised
from attio_console.net import Caller, Lane, Request, Resend, Response, Timeouts
from attio_console.net.http import Params
from attio_console.net.limiter import Kind

T = TypeVar("T")

# So often in a row the same page may come because others created rows in front of it meanwhile.
_REPEATS = 20


class _One(msgspec.Struct):
    data: msgspec.Raw


class _Pagination(msgspec.Struct):
    next_cursor: str | None = None


class _Many(msgspec.Struct):
    data: list[msgspec.Raw]
    pagination: _Pagination | None = None


_ONE = msgspec.json.Decoder(_One)
_MANY = msgspec.json.Decoder(_Many)


class Thing(msgspec.Struct, kw_only=True):
    """Something Attio answered with: the fields it documents, and the bytes as they came for everything else."""

    raw: bytes = b""


Kept = TypeVar("Kept", bound=Thing)


def read_thing(kind: type[Kept], raw: bytes) -> Kept:
    """Decode one thing, forgiving fields that are missing or new."""
    thing = msgspec.json.decode(raw, type=kind, strict=False)
    thing.raw = raw
    return thing


class Wire:
    """Sends requests of one token to one Attio."""

    def __init__(self, caller: Caller, base_url: str, token: str) -> None:
        self.caller = caller
        self._base = base_url.rstrip("/")
        self._headers = {"authorization": f"Bearer {token}"}

    async def send(
        self,
        method: str,
        path: Sequence[str],
        read: Callable[[Response], T],
        *,
        params: Params | None = None,
        json: Any = None,
        files: Mapping[str, Any] | None = None,
        form: Mapping[str, Any] | None = None,
        lane: Lane = Lane.INTERACTIVE,
        kind: Kind | None = None,
        resend: Resend | None = None,
        timeout: Timeouts | None = None,  # noqa: ASYNC109 - phases, not one deadline
    ) -> T:
        """Send one request below /v2 and return what `read` makes of the answer.

        Unless told otherwise GET, PUT, PATCH and DELETE may be sent again after a lost answer and POST may not.
        """
        if kind is None:
            kind = "read" if method == "GET" else "write"
        if resend is None:
            resend = Resend.NEVER if method == "POST" and kind == "write" else Resend.FREELY
        request = Request(
            method,
            f"{self._base}/v2/{'/'.join(quote(part, safe='') for part in path)}",
            kind,
            resend,
            lane,
            # The breaker's unit: one object, one list, or one kind of thing.
            partition="/".join(path[:2]) if path[0] in ("objects", "lists") else path[0],
            params=params,
            json=json,
            files=files,
            data=form,
            headers=self._headers,
            timeout=timeout,
        )
        try:
            return await self.caller.fetch(request, read)
        except errors.NotAuthorised:
            # Attio is known to answer 401 now and then under load. It was not processed; ask whether the token is
            # known, and only then believe it.
            if path[0] == "self" or not await self._token_is_active(lane):
                raise
        return await self.caller.fetch(request, read)

    async def _token_is_active(self, lane: Lane) -> bool:
        return await self.send("GET", ("self",), _is_active, lane=lane)

    async def one(self, thing: type[Kept], method: str, path: Sequence[str], **how: Any) -> Kept:
        """Send a request that answers with one thing."""
        return await self.send(
            method, path, lambda answer: things_of(answer, thing, [data_of(answer)])[0], **how
        )

    async def many(self, thing: type[Kept], method: str, path: Sequence[str], **how: Any) -> list[Kept]:
        """Send a request that answers with a list of things."""
        return await self.send(method, path, lambda answer: things_of(answer, thing, rows_of(answer)), **how)

    async def page(
        self, thing: type[Kept], method: str, path: Sequence[str], **how: Any
    ) -> tuple[list[Kept], str | None]:
        """Send a request that answers with a list and the cursor of what follows."""

        def read(answer: Response) -> tuple[list[Kept], str | None]:
            rows, cursor = page_of(answer)
            return things_of(answer, thing, rows), cursor

        return await self.send(method, path, read, **how)

    async def delete(self, path: Sequence[str], *, lane: Lane) -> None:
        """Send a DELETE; deleting what is already gone raises NotFound, unless it was this call that did it."""
        await self.send("DELETE", path, nothing, lane=lane)


def data_of(response: Response) -> bytes:
    """Return the bytes of an answer's `data`."""
    try:
        return bytes(_ONE.decode(response.content).data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise not_as_promised(response, str(error)) from error


def rows_of(response: Response) -> list[bytes]:
    """Return the bytes of each element of an answer's `data`, undecoded."""
    return page_of(response)[0]


def page_of(response: Response) -> tuple[list[bytes], str | None]:
    """Return the elements of an answer's `data` and the cursor of the next page, None at the end."""
    try:
        page = _MANY.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise not_as_promised(response, str(error)) from error
    return [bytes(row) for row in page.data], page.pagination.next_cursor if page.pagination else None


class _Activity(msgspec.Struct):
    active: bool = False


def _is_active(response: Response) -> bool:
    try:
        return msgspec.json.decode(response.content, type=_Activity).active
    except msgspec.DecodeError as error:
        raise not_as_promised(response, str(error)) from error


def nothing(response: Response) -> None:
    """Read an answer that says only that it was done."""


def things_of(response: Response, kind: type[Kept], rows: Sequence[bytes]) -> list[Kept]:
    """Decode things out of an answer, or raise what its body means."""
    try:
        return [read_thing(kind, row) for row in rows]
    except msgspec.DecodeError as error:
        raise not_as_promised(response, str(error)) from error


async def walk_cursor(
    fetch: Callable[[str | None], Awaitable[tuple[list[T], str | None]]],
) -> AsyncIterator[T]:
    """Yield everything of a list that is paged by cursor."""
    cursor: str | None = None
    been: set[str] = set()
    while True:
        rows, cursor = await fetch(cursor)
        for row in rows:
            yield row
        if cursor is None:
            return
        if cursor in been:
            raise errors.ServerFailed(
                "Attio's pages lead back to where they came from.", code="malformed_answer"
            )
        been.add(cursor)


async def walk_offset(
    fetch: Callable[[int], Awaitable[list[T]]], key: Callable[[T], str], page_size: int
) -> AsyncIterator[T]:
    """Yield everything of a list that is paged by offset, each row once, though rows come and go meanwhile.

    Each page begins with a row already seen; where it does not, rows before it were deleted and the page moved
    up, so the walk steps back until it does.
    """
    seen: set[str] = set()
    last: list[str] = []
    repeats = offset = 0
    while True:
        rows = await fetch(offset)
        back = 1
        while offset > 0 and not (rows and key(rows[0]) in seen):
            offset = max(0, offset - back)
            back *= 2
            rows = await fetch(offset)
        keys = [key(row) for row in rows]
        for row in rows:
            identity = key(row)
            if identity not in seen:
                seen.add(identity)
                yield row
        if len(rows) < page_size:
            return
        repeats = repeats + 1 if keys == last else 0
        last = keys
        if repeats > _REPEATS:
            raise errors.ServerFailed("Attio's pages repeat themselves.", code="malformed_answer")
        offset += max(1, len(rows) - 1)


async def together(*jobs: Awaitable[T]) -> list[T]:
    """Await several requests at once; the first failure is raised as itself and stops the others."""
    import asyncio

    async def run(job: Awaitable[T]) -> T:
        return await job

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(run(job)) for job in jobs]
    except* errors.ConsoleError as failed:
        raise _first(failed) from None
    return [task.result() for task in tasks]


def _first(group: BaseExceptionGroup[errors.ConsoleError]) -> errors.ConsoleError:
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    assert isinstance(found, errors.ConsoleError)
    return found
