"""`/v2/comments` and `/v2/threads`: what members say about records and entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from attio_console.sandbox.attio.auth import require, token_of
from attio_console.sandbox.attio.bodies import (
    bad_query,
    cursor_page,
    data,
    path_uuid,
    query_time,
    query_uuid,
    window,
)
from attio_console.sandbox.attio.errors import bad_request, not_found
from attio_console.sandbox.attio.journaling import journal
from attio_console.sandbox.attio.places import EntryPlace, RecordPlace, find_entry, find_record
from attio_console.sandbox.attio.scopes import ENTRY_PAIR, RECORD_PAIR
from attio_console.sandbox.server import Request, Response, Router
from attio_console.sandbox.world import Actor, Event, Workspace, stamp

_SHOWN_PER_THREAD = 80
_PAGE = 250


@dataclass(slots=True)
class Comment:
    """One comment."""

    id: str
    thread_id: str
    content: str
    author: Actor
    created_at: str


@dataclass(slots=True)
class Thread:
    """A comment on a record or entry and the replies to it; the thread has the id of its first comment."""

    id: str
    record: RecordPlace
    entry: EntryPlace | None
    comments: list[Comment] = field(default_factory=list)
    resolved_at: str | None = None
    resolved_by: Actor | None = None

    @property
    def scopes(self) -> tuple[str, ...]:
        """Return what a token needs, besides comments, to see it."""
        return RECORD_PAIR if self.entry is None else ENTRY_PAIR


class Threads:
    """The threads of one workspace (`workspace.part(Threads)`)."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.by_id: dict[str, Thread] = {}
        self.thread_of: dict[str, str] = {}
        workspace.events.subscribe(self._happened)

    def start(
        self,
        place: RecordPlace | EntryPlace,
        content: str,
        author: Actor,
        *,
        actor: Actor | None = None,
        created_at: str | None = None,
        quiet: bool = False,
    ) -> Comment:
        """Say something about a record or an entry; `quiet` is for seeding, and tells nobody."""
        entry = place if isinstance(place, EntryPlace) else None
        record = place.record if isinstance(place, EntryPlace) else place
        thread = Thread(self.workspace.world.ids.uuid(), record, entry)
        self.by_id[thread.id] = thread
        return self._say(thread, thread.id, content, author, actor, created_at, quiet=quiet)

    def reply(
        self,
        thread: Thread,
        content: str,
        author: Actor,
        *,
        actor: Actor | None = None,
        created_at: str | None = None,
        quiet: bool = False,
    ) -> Comment:
        """Answer in a thread."""
        return self._say(
            thread, self.workspace.world.ids.uuid(), content, author, actor, created_at, quiet=quiet
        )

    def resolve(self, thread: Thread, actor: Actor, *, resolved: bool = True) -> None:
        """Settle a thread or open it again, as a person does in the app."""
        if resolved == (thread.resolved_at is not None):
            return
        thread.resolved_at = stamp(self.workspace.world.clock.now()) if resolved else None
        thread.resolved_by = actor if resolved else None
        self._emit("comment.resolved" if resolved else "comment.unresolved", thread, thread.id, actor)

    def remove(self, comment_id: str, actor: Actor) -> None:
        """Delete a comment; the first one takes its whole thread along."""
        thread = self.by_id[self.thread_of[comment_id]]
        whole = comment_id == thread.id
        gone = list(thread.comments) if whole else [c for c in thread.comments if c.id == comment_id]
        thread.comments = [comment for comment in thread.comments if comment not in gone]
        for comment in gone:
            del self.thread_of[comment.id]
        if whole:
            del self.by_id[thread.id]
        for comment in gone:
            self._emit("comment.deleted", thread, comment.id, actor)

    def comment_json(self, thread: Thread, comment: Comment) -> dict[str, Any]:
        """Return a comment as the API shows it."""
        head = comment.id == thread.id
        resolved_by = thread.resolved_by if head else None
        entry = thread.entry
        return {
            "id": {"workspace_id": self.workspace.id, "comment_id": comment.id},
            "thread_id": thread.id,
            "content_plaintext": comment.content,
            "entry": None if entry is None else {"entry_id": entry.entry_id, "list_id": entry.list_id},
            "record": {"record_id": thread.record.record_id, "object_id": thread.record.object_id},
            "resolved_at": thread.resolved_at if head else None,
            # Live this is null, which the published schema and every client made from it refuse; {} suits all.
            "resolved_by": resolved_by.json() if resolved_by else {},
            "created_at": comment.created_at,
            "author": comment.author.json(),
        }

    def thread_json(self, thread: Thread, comments: Sequence[Comment]) -> dict[str, Any]:
        """Return a thread as the API shows it, with these of its comments."""
        return {
            "id": {"workspace_id": self.workspace.id, "thread_id": thread.id},
            "comments": [self.comment_json(thread, comment) for comment in comments],
            "created_at": thread.comments[0].created_at,
        }

    def _say(
        self,
        thread: Thread,
        comment_id: str,
        content: str,
        author: Actor,
        actor: Actor | None,
        created_at: str | None,
        *,
        quiet: bool,
    ) -> Comment:
        at = created_at or stamp(self.workspace.world.clock.now())
        comment = Comment(comment_id, thread.id, content, author, at)
        thread.comments.append(comment)
        head, replies = thread.comments[0], thread.comments[1:]
        thread.comments = [head, *sorted(replies, key=lambda reply: (reply.created_at, reply.id))]
        self.thread_of[comment.id] = thread.id
        if not quiet:
            self._emit("comment.created", thread, comment.id, actor or author)
        return comment

    def _emit(self, event_type: str, thread: Thread, comment_id: str, actor: Actor) -> None:
        entry = thread.entry
        self.workspace.events.emit(
            event_type,
            {"comment_id": comment_id},
            actor,
            thread_id=thread.id,
            object_id=thread.record.object_id,
            record_id=thread.record.record_id,
            list_id=entry.list_id if entry else None,
            entry_id=entry.entry_id if entry else None,
        )

    def _happened(self, event: Event) -> None:
        """Follow records and entries: what was said about a deleted one goes, a merged one keeps it."""
        if event.event_type == "record.deleted":
            self._forget(lambda thread: thread.record.record_id == event.id["record_id"])
        elif event.event_type == "list-entry.deleted":
            self._forget(lambda thread: bool(thread.entry and thread.entry.entry_id == event.id["entry_id"]))
        elif event.event_type == "record.merged":
            for thread in self.by_id.values():
                if thread.record.record_id == event.extra["duplicate_record_id"]:
                    thread.record = RecordPlace(thread.record.object_id, event.id["record_id"])

    def _forget(self, chosen: Any) -> None:
        for thread in [thread for thread in self.by_id.values() if chosen(thread)]:
            del self.by_id[thread.id]
            for comment in thread.comments:
                del self.thread_of[comment.id]


def add_routes(router: Router) -> None:
    """Serve `/v2/comments` and `/v2/threads`."""
    router.add("POST", "/v2/comments", _create)
    router.add("GET", "/v2/comments/{comment_id}", _get)
    router.add("DELETE", "/v2/comments/{comment_id}", _delete)
    router.add("GET", "/v2/threads", _list)
    router.add("GET", "/v2/threads/{thread_id}", _thread)


def _create(request: Request) -> Response:
    token = token_of(request)
    workspace = token.workspace
    threads = workspace.part(Threads)
    body = data(request)
    body.one_of("format", "plaintext")
    content = body.text("content", minimum=1)
    writer = body.body("author")
    writer.one_of("type", "workspace-member")
    member = workspace.member(writer.uuid("id"))
    if member is None:
        raise bad_request("value_not_found", f'Workspace member "{writer.values["id"]}" was not found.')
    author = Actor("workspace-member", member.id)
    created_at = body.time("created_at") if body.values.get("created_at") is not None else None
    targets = [name for name in ("thread_id", "record", "entry") if name in body]
    if len(targets) != 1:
        raise body.refuse("thread_id", "Provide exactly one of thread_id, record and entry", "invalid_union")
    body.only("format", "content", "author", "created_at", targets[0])
    if targets[0] == "thread_id":
        thread = threads.by_id.get(body.uuid("thread_id"))
        if thread is None:
            raise bad_request(
                "value_not_found", f'Thread with ID "{body.values["thread_id"]}" was not found.'
            )
        require(request, *thread.scopes)
        comment = threads.reply(thread, content, author, actor=token.actor, created_at=created_at)
    else:
        place: RecordPlace | EntryPlace
        target = body.body(targets[0])
        if targets[0] == "record":
            require(request, *RECORD_PAIR)
            place = find_record(workspace, target.text("object"), target.uuid("record_id"))
        else:
            require(request, *ENTRY_PAIR)
            place = find_entry(workspace, target.text("list"), target.uuid("entry_id"))
        comment = threads.start(place, content, author, actor=token.actor, created_at=created_at)
        thread = threads.by_id[comment.thread_id]
    journal(request, "comments", comment.id)
    return Response.json({"data": threads.comment_json(thread, comment)})


def _get(request: Request) -> Response:
    threads, thread, comment = _one(request)
    return Response.json({"data": threads.comment_json(thread, comment)})


def _delete(request: Request) -> Response:
    threads, _, comment = _one(request)
    threads.remove(comment.id, token_of(request).actor)
    journal(request, "comments", comment.id)
    return Response.json({})


def _one(request: Request) -> tuple[Threads, Thread, Comment]:
    threads = token_of(request).workspace.part(Threads)
    wanted = path_uuid(request, "comment_id")
    thread = threads.by_id.get(threads.thread_of.get(wanted, ""))
    if thread is None:
        raise not_found(f'Comment with ID "{wanted}" was not found.')
    if request.method == "GET":
        require(request, *thread.scopes)
    return threads, thread, next(comment for comment in thread.comments if comment.id == wanted)


def _list(request: Request) -> Response:
    workspace = token_of(request).workspace
    threads = workspace.part(Threads)
    query = request.query
    by_record = "object" in query or "record_id" in query
    by_entry = "list" in query or "entry_id" in query
    if by_record == by_entry:
        raise bad_query("object", "Provide either object and record_id, or list and entry_id", "custom")
    identifier = query_uuid(request, "record_id" if by_record else "entry_id")
    key = query.get("object" if by_record else "list")
    if identifier is None or key is None:
        raise bad_query(
            "record_id" if by_record else "entry_id", "The two parameters must be given together", "custom"
        )
    if by_record:
        require(request, *RECORD_PAIR)
        record = find_record(workspace, key, identifier)
        rows = [
            thread for thread in threads.by_id.values() if thread.entry is None and thread.record == record
        ]
    else:
        require(request, *ENTRY_PAIR)
        entry = find_entry(workspace, key, identifier)
        rows = [
            t for t in threads.by_id.values() if t.entry is not None and t.entry.entry_id == entry.entry_id
        ]
    page = window(request, rows, default=10, maximum=50)
    return Response.json({"data": [_preview(threads, thread) for thread in page]})


def _preview(threads: Threads, thread: Thread) -> dict[str, Any]:
    shown = thread.comments[: 1 + _SHOWN_PER_THREAD]
    return {**threads.thread_json(thread, shown), "has_more_comments": len(shown) < len(thread.comments)}


def _thread(request: Request) -> Response:
    threads = token_of(request).workspace.part(Threads)
    wanted = path_uuid(request, "thread_id")
    thread = threads.by_id.get(wanted)
    if thread is None:
        raise not_found(f'Thread with ID "{wanted}" was not found.')
    require(request, *thread.scopes)
    after = query_time(request, "created_after")
    rows = thread.comments if after is None else [c for c in thread.comments if c.created_at > stamp(after)]
    page, cursor = cursor_page(
        request,
        rows,
        lambda comment: ["" if comment.id == thread.id else comment.created_at, comment.id],
        default=_PAGE,
        maximum=_PAGE,
    )
    return Response.json({"data": threads.thread_json(thread, page), "pagination": {"next_cursor": cursor}})
