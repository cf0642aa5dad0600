"""`/v2/notes`: text that hangs on a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from attio_console.sandbox.attio.auth import token_of
from attio_console.sandbox.attio.bodies import Body, bad_query, data, path_uuid, query_uuid, window
from attio_console.sandbox.attio.errors import ApiError, invalid, not_found
from attio_console.sandbox.attio.journaling import journal
from attio_console.sandbox.attio.markup import plain_of
from attio_console.sandbox.attio.places import RecordPlace, find_object, find_record, slug_of
from attio_console.sandbox.server import Request, Response, Router
from attio_console.sandbox.world import Actor, Event, Workspace, stamp

_CONTENT_CAP = 1024 * 1024
Format = Literal["plaintext", "markdown"]


@dataclass(slots=True)
class Note:
    """One note."""

    id: str
    object_id: str
    record_id: str
    title: str
    plaintext: str
    markdown: str
    created_at: str
    created_by: Actor
    meeting_id: str | None = None


class Notes:
    """The notes of one workspace (`workspace.part(Notes)`)."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.by_id: dict[str, Note] = {}
        workspace.events.subscribe(self._happened)

    def add(
        self,
        parent: RecordPlace,
        title: str,
        content: str,
        actor: Actor,
        *,
        form: Format = "plaintext",
        created_at: str | None = None,
        meeting_id: str | None = None,
        quiet: bool = False,
    ) -> Note:
        """Write a note on a record; `quiet` is for seeding, and tells nobody."""
        note = Note(
            id=self.workspace.world.ids.uuid(),
            object_id=parent.object_id,
            record_id=parent.record_id,
            title=title,
            plaintext=plain_of(content) if form == "markdown" else content,
            markdown=content,
            created_at=created_at or stamp(self.workspace.world.clock.now()),
            created_by=actor,
            meeting_id=meeting_id,
        )
        self.by_id[note.id] = note
        if not quiet:
            self._emit("note.created", note, actor)
        return note

    def change(
        self,
        note: Note,
        actor: Actor,
        *,
        title: str | None = None,
        content: str | None = None,
        form: Format = "plaintext",
    ) -> None:
        """Give a note another title, other content, or both; each is an event of its own."""
        if title is not None and title != note.title:
            note.title = title
            self._emit("note.updated", note, actor)
        if content is not None and content != note.markdown:
            note.plaintext = plain_of(content) if form == "markdown" else content
            note.markdown = content
            self._emit("note-content.updated", note, actor)

    def remove(self, note: Note, actor: Actor) -> None:
        """Delete a note."""
        del self.by_id[note.id]
        self._emit("note.deleted", note, actor)

    def json(self, note: Note) -> dict[str, Any]:
        """Return a note as the API shows it."""
        return {
            "id": {"workspace_id": self.workspace.id, "note_id": note.id},
            "parent_object": slug_of(self.workspace, note.object_id),
            "parent_record_id": note.record_id,
            "title": note.title,
            "meeting_id": note.meeting_id,
            "content_plaintext": note.plaintext,
            "content_markdown": note.markdown,
            "tags": [],
            "created_by_actor": note.created_by.json(),
            "created_at": note.created_at,
        }

    def _emit(self, event_type: str, note: Note, actor: Actor) -> None:
        self.workspace.events.emit(
            event_type,
            {"note_id": note.id},
            actor,
            parent_object_id=note.object_id,
            parent_record_id=note.record_id,
        )

    def _happened(self, event: Event) -> None:
        """Follow records: a deleted one takes its notes along, a merged one hands them on."""
        if event.event_type == "record.deleted":
            for note in [note for note in self.by_id.values() if note.record_id == event.id["record_id"]]:
                del self.by_id[note.id]
        elif event.event_type == "record.merged":
            for note in self.by_id.values():
                if note.record_id == event.extra["duplicate_record_id"]:
                    note.record_id = event.id["record_id"]


def add_routes(router: Router) -> None:
    """Serve `/v2/notes`."""
    router.add("GET", "/v2/notes", _list)
    router.add("POST", "/v2/notes", _create)
    router.add("GET", "/v2/notes/{note_id}", _get)
    router.add("PATCH", "/v2/notes/{note_id}", _update)
    router.add("DELETE", "/v2/notes/{note_id}", _delete)


def _list(request: Request) -> Response:
    workspace = token_of(request).workspace
    notes = workspace.part(Notes)
    rows = list(notes.by_id.values())
    record_id = query_uuid(request, "parent_record_id")
    key = request.query.get("parent_object")
    if key is not None:
        object_id = find_object(workspace, key).id
        if record_id is not None:
            find_record(workspace, key, record_id)
        rows = [note for note in rows if note.object_id == object_id]
    elif record_id is not None:
        raise bad_query("parent_object", "Required when parent_record_id is given", "custom")
    if record_id is not None:
        rows = [note for note in rows if note.record_id == record_id]
    page = window(request, rows, default=10, maximum=50)
    return Response.json({"data": [notes.json(note) for note in page]})


def _create(request: Request) -> Response:
    token = token_of(request)
    body = data(request)
    key = body.text("parent_object")
    record_id = body.uuid("parent_record_id")
    title = body.text("title")
    form, content = _content(body)
    created_at = body.time("created_at") if body.values.get("created_at") is not None else None
    meeting_id = body.uuid("meeting_id") if body.values.get("meeting_id") is not None else None
    if meeting_id is not None:
        _require_meeting(token.workspace, meeting_id)
    parent = find_record(token.workspace, key, record_id)
    notes = token.workspace.part(Notes)
    note = notes.add(
        parent, title, content, token.actor, form=form, created_at=created_at, meeting_id=meeting_id
    )
    journal(request, "notes", note.id)
    return Response.json({"data": notes.json(note)})


def _get(request: Request) -> Response:
    notes, note = _one(request)
    return Response.json({"data": notes.json(note)})


def _update(request: Request) -> Response:
    notes, note = _one(request)
    body = data(request)
    body.only("title", "format", "content")
    title = body.text("title") if "title" in body else None
    form: Format = "plaintext"
    content = None
    if "content" in body or "format" in body:
        form, content = _content(body)
    if title is None and content is None:
        raise invalid(["data"], "Provide a title, or a format and content", code="custom")
    notes.change(note, token_of(request).actor, title=title, content=content, form=form)
    journal(request, "notes", note.id)
    return Response.json({"data": notes.json(note)})


def _delete(request: Request) -> Response:
    notes, note = _one(request)
    notes.remove(note, token_of(request).actor)
    journal(request, "notes", note.id)
    return Response.json({})


def _one(request: Request) -> tuple[Notes, Note]:
    notes = token_of(request).workspace.part(Notes)
    wanted = path_uuid(request, "note_id")
    note = notes.by_id.get(wanted)
    if note is None:
        raise not_found(f'Note with ID "{wanted}" was not found.')
    return notes, note


def _content(body: Body) -> tuple[Format, str]:
    form: Format = "markdown" if body.one_of("format", "plaintext", "markdown") == "markdown" else "plaintext"
    content = body.text("content")
    if len(content.encode("utf-8", "surrogatepass")) > _CONTENT_CAP:
        raise ApiError(413, "validation_type", "Note content is too large.")
    return form, content


def _require_meeting(workspace: Workspace, meeting_id: str) -> None:
    from attio_console.sandbox.attio.meetings import Meetings

    if meeting_id not in workspace.part(Meetings).by_id:
        raise not_found(f'Meeting with ID "{meeting_id}" was not found.')
