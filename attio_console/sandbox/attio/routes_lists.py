"""`/v2/lists` and their entries, and `/v2/workspace_members`."""

from __future__ import annotations

from typing import Any

from attio_console.sandbox.attio import records, schema
from attio_console.sandbox.attio.asking import ask
from attio_console.sandbox.attio.auth import token_of
from attio_console.sandbox.attio.bodies import Body, data, path_uuid
from attio_console.sandbox.attio.callers import author_of, crm_of, entry_of, list_of
from attio_console.sandbox.attio.errors import ApiError, bad_request, not_found
from attio_console.sandbox.attio.history import read_history, replace_history
from attio_console.sandbox.attio.journaling import journal
from attio_console.sandbox.attio.routes_schema import read_slug
from attio_console.sandbox.attio.state import Crm, List, Row
from attio_console.sandbox.attio.values import entry_json
from attio_console.sandbox.server import Request, Response, Router
from attio_console.sandbox.world import Member, Workspace

_ACCESS = ("full-access", "read-and-write", "read-only")


def add_routes(router: Router) -> None:
    """Serve lists, entries and members."""
    router.add("GET", "/v2/lists", _lists)
    router.add("POST", "/v2/lists", _create_list)
    router.add("GET", "/v2/lists/{list}", _list)
    router.add("PATCH", "/v2/lists/{list}", _update_list)
    base = "/v2/lists/{list}/entries"
    router.add("POST", f"{base}/query", _query)
    router.add("POST", base, _create)
    router.add("PUT", base, _upsert)
    router.add("GET", f"{base}/{{entry_id}}", _get)
    router.add("PATCH", f"{base}/{{entry_id}}", _add)
    router.add("PUT", f"{base}/{{entry_id}}", _overwrite)
    router.add("DELETE", f"{base}/{{entry_id}}", _delete)
    router.add("GET", f"{base}/{{entry_id}}/attributes/{{attribute}}/values", _values)
    router.add("PUT", f"{base}/{{entry_id}}/attributes/{{attribute}}/values", _put_values)
    router.add("GET", "/v2/workspace_members", _members)
    router.add("GET", "/v2/workspace_members/{workspace_member_id}", _member)


def _lists(request: Request) -> Response:
    crm = crm_of(request)
    return Response.json({"data": [schema.list_json(crm, each) for each in crm.lists.values()]})


def _list(request: Request) -> Response:
    crm = crm_of(request)
    return Response.json({"data": schema.list_json(crm, list_of(crm, request.params["list"]))})


def _create_list(request: Request) -> Response:
    crm, body = crm_of(request), data(request)
    name, slug, parent_key = body.text("name"), read_slug(body), body.text("parent_object")
    access = None if body.any("workspace_access") is None else body.one_of("workspace_access", *_ACCESS)
    members = _member_access(crm.workspace, body)
    _somebody_has_full_access(body, access, members)
    parent = crm.object(parent_key)
    if parent is None or not parent.enabled:
        raise not_found(f'Parent object with slug/ID "{parent_key}" not found.')
    if any(each.slug == slug for each in crm.lists.values()):
        raise ApiError(409, "slug_conflict", f'A list with api_slug "{slug}" already exists.')
    target = schema.new_list(crm, slug, name, parent, token_of(request).actor)
    target.workspace_access, target.member_access = access, members
    journal(request, "lists", target.id)
    return Response.json({"data": schema.list_json(crm, target)})


def _update_list(request: Request) -> Response:
    crm, body = crm_of(request), data(request)
    target = list_of(crm, request.params["list"])
    name = body.text("name") if "name" in body else target.name
    slug = read_slug(body) if "api_slug" in body else target.slug
    members = (
        _member_access(crm.workspace, body) if "workspace_member_access" in body else target.member_access
    )
    if any(each.slug == slug for each in crm.lists.values() if each is not target):
        raise ApiError(409, "slug_conflict", f'A list with api_slug "{slug}" already exists.')
    access = target.workspace_access
    if "workspace_access" in body:
        access = None if body.any("workspace_access") is None else body.one_of("workspace_access", *_ACCESS)
    _somebody_has_full_access(body, access, members)
    target.name, target.slug, target.workspace_access, target.member_access = name, slug, access, members
    crm.workspace.events.emit("list.updated", {"list_id": target.id}, token_of(request).actor)
    journal(request, "lists", target.id)
    return Response.json({"data": schema.list_json(crm, target)})


def _member_access(workspace: Workspace, body: Body) -> list[dict[str, str]]:
    found = []
    for each in body.bodies("workspace_member_access"):
        member_id, level = each.uuid("workspace_member_id"), each.one_of("level", *_ACCESS)
        if member_id not in workspace.members:
            raise bad_request("value_not_found", f'Workspace member with ID "{member_id}" not found.')
        found.append({"workspace_member_id": member_id, "level": level})
    return found


def _somebody_has_full_access(body: Body, access: str | None, members: list[dict[str, str]]) -> None:
    if access != "full-access" and all(each["level"] != "full-access" for each in members):
        raise body.refuse(
            "workspace_access", "Either the workspace or at least one member must have full access.", "custom"
        )


def _target(request: Request) -> tuple[Crm, List]:
    crm = crm_of(request)
    return crm, list_of(crm, request.params["list"])


def _one(request: Request) -> tuple[Crm, List, Row]:
    crm, target = _target(request)
    return crm, target, entry_of(target, request.params["entry_id"])


def _answer(crm: Crm, target: List, row: Row) -> Response:
    return Response.json({"data": entry_json(crm, target, row)})


async def _query(request: Request) -> Response:
    crm, target = _target(request)
    return await ask(request, crm, target)


def _get(request: Request) -> Response:
    return _answer(*_one(request))


def _parent(crm: Crm, target: List, body: Body) -> tuple[str, str]:
    record_id, key = body.uuid("parent_record_id"), body.text("parent_object")
    parent = crm.object(key)
    if parent is None or not parent.enabled:
        raise bad_request("value_not_found", f'Parent object with slug/ID "{key}" not found.')
    if parent is not target.parent:
        raise body.refuse(
            "parent_object", f'List "{target.slug}" takes records of object "{target.parent.slug}".', "custom"
        )
    if parent.table.get(record_id) is None:
        raise bad_request("value_not_found", f'Parent record with slug/ID "{record_id}" not found.')
    return parent.id, record_id


def _create(request: Request) -> Response:
    crm, target = _target(request)
    body = data(request)
    values = body.body("entry_values").values
    parent = _parent(crm, target, body)
    written = records.read_values(crm, target, values, "entry_values")
    row = records.create_row(crm, target, written, author_of(request), parent)
    journal(request, target.slug, row.id)
    return _answer(crm, target, row)


def _upsert(request: Request) -> Response:
    crm, target = _target(request)
    body = data(request)
    values = body.body("entry_values").values
    parent = _parent(crm, target, body)
    written = records.read_values(crm, target, values, "entry_values")
    present = [entry_id for list_id, entry_id in crm.entries_of.get(parent[1], ()) if list_id == target.id]
    if len(present) > 1:
        raise bad_request(
            "multiple_match_results",
            "Multiple entries were founds for the given parent record. "
            "Please remove duplicates or use the update or create entry endpoints instead.",
        )
    row = target.table.get(present[0]) if present else None
    if row is None:
        row = records.create_row(crm, target, written, author_of(request), parent)
    else:
        row = records.update_row(crm, target, row, written, author_of(request), "overwrite")
    journal(request, target.slug, row.id)
    return _answer(crm, target, row)


def _add(request: Request) -> Response:
    return _change(request, "add")


def _overwrite(request: Request) -> Response:
    return _change(request, "overwrite")


def _change(request: Request, mode: records.Mode) -> Response:
    crm, target, row = _one(request)
    body = data(request)
    if "parent_record_id" in body or "parent_object" in body:
        raise bad_request(
            "immutable_value", "The parent record for a list entry cannot be updated once created."
        )
    body.only("entry_values")
    written = records.read_values(crm, target, body.body("entry_values").values, "entry_values")
    row = records.update_row(crm, target, row, written, author_of(request), mode)
    journal(request, target.slug, row.id)
    return _answer(crm, target, row)


def _delete(request: Request) -> Response:
    crm, target, row = _one(request)
    records.delete_row(crm, target, row.id, author_of(request))
    journal(request, target.slug, row.id)
    return Response.json({})


def _values(request: Request) -> Response:
    return read_history(request, *_one(request))


def _put_values(request: Request) -> Response:
    crm, target, row = _one(request)
    return replace_history(request, crm, target, row, target.slug)


def _members(request: Request) -> Response:
    workspace = token_of(request).workspace
    return Response.json({"data": [_member_json(workspace, each) for each in workspace.members.values()]})


def _member(request: Request) -> Response:
    workspace = token_of(request).workspace
    member_id = path_uuid(request, "workspace_member_id")
    found = workspace.members.get(member_id)
    if found is None:
        raise not_found(f'Workspace member with ID "{member_id}" not found.')
    return Response.json({"data": _member_json(workspace, found)})


def _member_json(workspace: Workspace, member: Member) -> dict[str, Any]:
    return {
        "id": {"workspace_id": workspace.id, "workspace_member_id": member.id},
        "first_name": member.first_name,
        "last_name": member.last_name,
        "avatar_url": member.avatar_url,
        "email_address": member.email_address,
        "created_at": member.created_at,
        "access_level": member.access_level,
    }
