"""`/v2/files`: files and folders of a record, those kept here with their bytes and those of other providers."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from attio_console.sandbox.attio.auth import token_of
from attio_console.sandbox.attio.bodies import (
    Body,
    bad_query,
    cursor_page,
    path_uuid,
    query_choice,
    query_uuid,
)
from attio_console.sandbox.attio.errors import ApiError, invalid, not_found
from attio_console.sandbox.attio.journaling import journal
from attio_console.sandbox.attio.multipart import parse_form
from attio_console.sandbox.attio.places import RecordPlace, find_record, slug_of
from attio_console.sandbox.server import Request, Response, Router
from attio_console.sandbox.world import Actor, Event, Workspace, World, stamp

_ELSEWHERE = ("dropbox", "box", "google-drive", "microsoft-onedrive")
_LINK_LIVES_S = 300


@dataclass(slots=True)
class File:
    """A file, a folder, or a pointer to one at another provider."""

    id: str
    place: RecordPlace
    kind: str
    created_at: str
    created_by: Actor
    provider: str = "attio"
    name: str = ""
    content_type: str | None = None
    content: bytes = b""
    parent_id: str | None = None
    external_id: str | None = None
    drive_id: str | None = None


class Files:
    """The files of one workspace (`workspace.part(Files)`)."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.by_id: dict[str, File] = {}
        workspace.events.subscribe(self._happened)

    def add(self, place: RecordPlace, kind: str, actor: Actor, **fields: Any) -> File:
        """Put a file, a folder or a pointer on a record; there are no webhook events for files."""
        world = self.workspace.world
        file = File(world.ids.uuid(), place, kind, stamp(world.clock.now()), actor, **fields)
        self.by_id[file.id] = file
        return file

    def remove(self, file: File) -> None:
        """Delete a file, or a folder and what is in it."""
        for inner in [inner for inner in self.by_id.values() if inner.parent_id == file.id]:
            self.remove(inner)
        del self.by_id[file.id]

    def json(self, file: File) -> dict[str, Any]:
        """Return a file as the API shows it."""
        shown: dict[str, Any] = {
            "id": {"workspace_id": self.workspace.id, "file_id": file.id},
            "object_id": file.place.object_id,
            "object_slug": slug_of(self.workspace, file.place.object_id),
            "record_id": file.place.record_id,
            "storage_provider": file.provider,
            "created_by_actor": file.created_by.json(),
            "created_at": file.created_at,
            "file_type": file.kind,
        }
        if file.kind.startswith("connected-"):
            return {
                **shown,
                "external_provider_file_id": file.external_id,
                "microsoft_drive_id": file.drive_id,
            }
        shown |= {"name": file.name, "parent_folder_id": file.parent_id}
        if file.kind == "file":
            shown |= {"content_type": file.content_type, "content_size": len(file.content)}
        return shown

    def _happened(self, event: Event) -> None:
        """Follow records: a deleted one takes its files along, a merged one hands them on."""
        if event.event_type == "record.deleted":
            for file in [
                file for file in self.by_id.values() if file.place.record_id == event.id["record_id"]
            ]:
                del self.by_id[file.id]
        elif event.event_type == "record.merged":
            for file in self.by_id.values():
                if file.place.record_id == event.extra["duplicate_record_id"]:
                    file.place = RecordPlace(file.place.object_id, event.id["record_id"])


def add_routes(router: Router) -> None:
    """Serve `/v2/files`."""
    router.add("GET", "/v2/files", _list)
    router.add("POST", "/v2/files", _create)
    router.add("POST", "/v2/files/upload", _upload)
    router.add("GET", "/v2/files/{file_id}", _get)
    router.add("DELETE", "/v2/files/{file_id}", _delete)
    router.add("GET", "/v2/files/{file_id}/download", _download)


def signed_content(world: World, request: Request) -> Response:
    """Serve the bytes behind a signed link, which needs no token and expires after five minutes."""
    file_id, expires = request.params["file_id"], request.query.get("expires", "")
    signature = _signature(world, file_id, expires)
    fresh = expires.isdigit() and int(expires) >= world.clock.now().timestamp()
    if not fresh or not hmac.compare_digest(signature, request.query.get("signature", "")):
        return Response.json({"message": "The link is not valid any more."}, 403)
    for workspace in world.workspaces.values():
        file = workspace.part(Files).by_id.get(file_id)
        if file is not None:
            disposition = f"attachment; filename*=UTF-8''{quote(file.name)}"
            kind = file.content_type or "application/octet-stream"
            headers = [("content-type", kind), ("content-disposition", disposition)]
            return Response(200, file.content, headers)
    return Response.json({"message": "The file is gone."}, 404)


def _list(request: Request) -> Response:
    workspace = token_of(request).workspace
    files = workspace.part(Files)
    key = request.query.get("object")
    record_id = query_uuid(request, "record_id")
    if key is None or record_id is None:
        raise bad_query("object" if key is None else "record_id", "Required", "invalid_type")
    place = find_record(workspace, key, record_id)
    rows = [file for file in files.by_id.values() if file.place == place]
    if "storage_provider" in request.query:
        provider = query_choice(request, "storage_provider", "attio", "attio", *_ELSEWHERE)
        rows = [file for file in rows if file.provider == provider]
    if (parent_id := query_uuid(request, "parent_folder_id")) is not None:
        rows = [file for file in rows if file.parent_id == parent_id]
    rows.sort(key=_order)
    page, cursor = cursor_page(request, rows, _order, default=50, maximum=200)
    return Response.json({"data": [files.json(file) for file in page], "pagination": {"next_cursor": cursor}})


def _create(request: Request) -> Response:
    token = token_of(request)
    files = token.workspace.part(Files)
    whole = Body(request.json())
    # This endpoint takes its fields bare; with the usual `data` around them it takes them too.
    body = whole.body("data") if "data" in whole else whole
    kind = body.one_of("file_type", "folder", "connected-file", "connected-folder")
    place = find_record(token.workspace, body.text("object"), body.uuid("record_id"))
    if kind == "folder":
        name = body.text("name", minimum=1)
        parent = body.uuid("parent_folder_id") if body.values.get("parent_folder_id") is not None else None
        _require_folder(files, place, parent)
        file = files.add(place, kind, token.actor, name=name, parent_id=parent)
    else:
        drive = body.values.get("microsoft_drive_id")
        file = files.add(
            place,
            kind,
            token.actor,
            provider=body.one_of("storage_provider", *_ELSEWHERE),
            external_id=body.text("external_provider_file_id", minimum=1),
            drive_id=None if drive is None else body.text("microsoft_drive_id"),
        )
    journal(request, "files", file.id)
    return Response.json({"data": files.json(file)})


def _upload(request: Request) -> Response:
    token = token_of(request)
    files = token.workspace.part(Files)
    form = parse_form(request.headers.get("content-type", ""), request.body)
    if form is None:
        raise ApiError(400, "validation_type", "Expected a multipart/form-data body.")
    upload = form.files.get("file")
    if upload is None:
        raise invalid(["file"], "Required")
    body = Body(form.fields)
    place = find_record(token.workspace, body.text("object"), body.uuid("record_id"))
    parent = body.uuid("parent_folder_id") if "parent_folder_id" in body else None
    _require_folder(files, place, parent)
    file = files.add(
        place,
        "file",
        token.actor,
        name=upload.name,
        content_type=upload.content_type,
        content=upload.content,
        parent_id=parent,
    )
    journal(request, "files", file.id)
    return Response.json({"data": files.json(file)}, 201)


def _get(request: Request) -> Response:
    files, file = _one(request)
    return Response.json({"data": files.json(file)})


def _delete(request: Request) -> Response:
    files, file = _one(request)
    files.remove(file)
    journal(request, "files", file.id)
    return Response.json({})


def _download(request: Request) -> Response:
    files, file = _one(request)
    if file.kind != "file":
        raise ApiError(400, "validation_type", "Only files that Attio stores can be downloaded.")
    world = files.workspace.world
    expires = str(int(world.clock.now().timestamp()) + _LINK_LIVES_S)
    signature = _signature(world, file.id, expires)
    host = request.headers.get("host", "127.0.0.1")
    location = f"http://{host}/_sandbox/files/{file.id}?expires={expires}&signature={signature}"
    return Response.json({}, 302, [("location", location)])


def _one(request: Request) -> tuple[Files, File]:
    files = token_of(request).workspace.part(Files)
    wanted = path_uuid(request, "file_id")
    file = files.by_id.get(wanted)
    if file is None:
        raise not_found(f'File with ID "{wanted}" was not found.')
    return files, file


def _require_folder(files: Files, place: RecordPlace, parent_id: str | None) -> None:
    if parent_id is None:
        return
    parent = files.by_id.get(parent_id)
    if parent is None or parent.kind != "folder" or parent.place != place:
        raise not_found(f'Folder with ID "{parent_id}" was not found.')


def _signature(world: World, file_id: str, expires: str) -> str:
    return hmac.new(
        f"file links {world.seed}".encode(), f"{file_id}.{expires}".encode(), hashlib.sha256
    ).hexdigest()


def _order(file: File) -> list[str]:
    return [file.created_at, file.id]
