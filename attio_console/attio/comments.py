"""`/v2/comments` and `/v2/threads`."""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec

from attio_console.attio.configuration import Group, given
from attio_console.attio.creating import create_or_find
from attio_console.attio.refusals import not_as_promised
from attio_console.attio.things import Comment, Thread
from attio_console.attio.wire import data_of, page_of, read_thing, walk_offset
from attio_console.net import Lane, Response

THREADS_PAGE = 50
REPLIES_PAGE = 250


class Comments(Group):
    """Comments on records and entries. They cannot be edited, only written and deleted."""

    async def get(self, comment_id: str, *, lane: Lane = Lane.INTERACTIVE) -> Comment:
        """Get one comment."""
        return await self._wire.one(Comment, "GET", ("comments", comment_id), lane=lane)

    async def reply(
        self,
        thread_id: str,
        content: str,
        *,
        author: str,
        created_at: str | None = None,
        lookup: Callable[[], Awaitable[Comment | None]] | None = None,
        lane: Lane = Lane.INTERACTIVE,
    ) -> Comment:
        """Add to a thread, in the name of the member with the id `author`."""
        return await self._create({"thread_id": thread_id}, content, author, created_at, lookup, lane)

    async def on_record(
        self,
        object_id: str,
        record_id: str,
        content: str,
        *,
        author: str,
        created_at: str | None = None,
        lookup: Callable[[], Awaitable[Comment | None]] | None = None,
        lane: Lane = Lane.INTERACTIVE,
    ) -> Comment:
        """Begin a thread on a record."""
        target = {"record": {"object": object_id, "record_id": record_id}}
        return await self._create(target, content, author, created_at, lookup, lane)

    async def on_entry(
        self,
        list_id: str,
        entry_id: str,
        content: str,
        *,
        author: str,
        created_at: str | None = None,
        lookup: Callable[[], Awaitable[Comment | None]] | None = None,
        lane: Lane = Lane.INTERACTIVE,
    ) -> Comment:
        """Begin a thread on a list entry."""
        target = {"entry": {"list": list_id, "entry_id": entry_id}}
        return await self._create(target, content, author, created_at, lookup, lane)

    async def delete(self, comment_id: str, *, lane: Lane = Lane.INTERACTIVE) -> None:
        """Delete a comment; deleting the head of a thread deletes the thread."""
        await self._wire.delete(("comments", comment_id), lane=lane)

    async def _create(
        self,
        target: dict[str, Any],
        content: str,
        author: str,
        created_at: str | None,
        lookup: Callable[[], Awaitable[Comment | None]] | None,
        lane: Lane,
    ) -> Comment:
        data = {
            "format": "plaintext",
            "content": content,
            "author": {"type": "workspace-member", "id": author},
            **target,
            **given(created_at=created_at),
        }
        return await create_or_find(
            lambda: self._wire.one(Comment, "POST", ("comments",), json={"data": data}, lane=lane),
            lookup,
            self._wire.caller.clock,
        )


class Threads(Group):
    """Threads of comments on a record or on a list entry."""

    async def list(
        self,
        *,
        object_id: str | None = None,
        record_id: str | None = None,
        list_id: str | None = None,
        entry_id: str | None = None,
        limit: int = THREADS_PAGE,
        offset: int = 0,
        lane: Lane = Lane.INTERACTIVE,
    ) -> builtins.list[Thread]:
        """List a page of threads of a record (`object_id` and `record_id`) or of an entry (`list_id`, `entry_id`)."""
        params = {
            "object": object_id,
            "record_id": record_id,
            "list": list_id,
            "entry_id": entry_id,
            "limit": limit,
            "offset": offset,
        }
        return await self._wire.many(Thread, "GET", ("threads",), params=params, lane=lane)

    def iterate(
        self,
        *,
        object_id: str | None = None,
        record_id: str | None = None,
        list_id: str | None = None,
        entry_id: str | None = None,
        lane: Lane = Lane.INTERACTIVE,
    ) -> AsyncIterator[Thread]:
        """Iterate over all threads of a record or of an entry."""
        return walk_offset(
            lambda offset: self.list(
                object_id=object_id,
                record_id=record_id,
                list_id=list_id,
                entry_id=entry_id,
                offset=offset,
                lane=lane,
            ),
            lambda thread: thread.id.thread_id,
            THREADS_PAGE,
        )

    async def get(
        self, thread_id: str, *, created_after: str | None = None, lane: Lane = Lane.INTERACTIVE
    ) -> Thread:
        """Get a thread with all its comments, or those after a time."""
        whole: Thread | None = None
        cursor: str | None = None
        while True:
            params = {"limit": REPLIES_PAGE, "cursor": cursor, "created_after": created_after}
            thread, cursor = await self._wire.send(
                "GET", ("threads", thread_id), _thread_page, params=params, lane=lane
            )
            if whole is None:
                whole = thread
            else:
                known = {comment.id.comment_id for comment in whole.comments}
                whole.comments += [one for one in thread.comments if one.id.comment_id not in known]
            if cursor is None:
                return whole


class _Envelope(msgspec.Struct):
    pagination: dict[str, str | None] | None = None


def _thread_page(response: Response) -> tuple[Thread, str | None]:
    raw = data_of(response)
    try:
        if raw.lstrip()[:1] == b"[":
            # Documented as one thread; a list of one is accepted too.
            raw = page_of(response)[0][0]
        pagination = msgspec.json.decode(response.content, type=_Envelope).pagination or {}
        return read_thing(Thread, raw), pagination.get("next_cursor")
    except (msgspec.DecodeError, IndexError) as error:
        raise not_as_promised(response, str(error)) from error
