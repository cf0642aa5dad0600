"""`/v2/objects/{object}/records`: query, get, create, upsert, change, delete, merge, values, entries, search."""

from __future__ import annotations

from attio_console.sandbox.attio import records
from attio_console.sandbox.attio.asking import ask
from attio_console.sandbox.attio.auth import token_of
from attio_console.sandbox.attio.bodies import Body, bad_query, data, query_number
from attio_console.sandbox.attio.callers import author_of, crm_of, object_of, record_of
from attio_console.sandbox.attio.errors import bad_request, not_found
from attio_console.sandbox.attio.history import read_history, replace_history
from attio_console.sandbox.attio.journaling import journal
from attio_console.sandbox.attio.merge import merge_records
from attio_console.sandbox.attio.search import search
from attio_console.sandbox.attio.state import Crm, Object, Row
from attio_console.sandbox.attio.values import record_json
from attio_console.sandbox.server import Request, Response, Router

_BASE = "/v2/objects/{object}/records"


def add_routes(router: Router) -> None:
    """Serve records."""
    router.add("POST", f"{_BASE}/query", _query)
    router.add("POST", _BASE, _create)
    router.add("PUT", _BASE, _upsert)
    router.add("POST", f"{_BASE}/merge", _merge)
    router.add("POST", "/v2/objects/records/search", _search)
    one = f"{_BASE}/{{record_id}}"
    router.add("GET", one, _get)
    router.add("PATCH", one, _add)
    router.add("PUT", one, _overwrite)
    router.add("DELETE", one, _delete)
    router.add("GET", f"{one}/attributes/{{attribute}}/values", _values)
    router.add("PUT", f"{one}/attributes/{{attribute}}/values", _put_values)
    router.add("GET", f"{one}/entries", _entries)


def _target(request: Request) -> tuple[Crm, Object]:
    crm = crm_of(request)
    return crm, object_of(crm, request.params["object"])


def _one(request: Request) -> tuple[Crm, Object, Row]:
    crm, target = _target(request)
    return crm, target, record_of(target, request.params["record_id"])


def _answer(crm: Crm, target: Object, row: Row) -> Response:
    return Response.json({"data": record_json(crm, target, row)})


async def _query(request: Request) -> Response:
    crm, target = _target(request)
    return await ask(request, crm, target)


def _get(request: Request) -> Response:
    return _answer(*_one(request))


def _create(request: Request) -> Response:
    crm, target = _target(request)
    written = records.read_values(crm, target, data(request).body("values").values)
    row = records.create_row(crm, target, written, author_of(request))
    journal(request, target.slug, row.id)
    return _answer(crm, target, row)


def _upsert(request: Request) -> Response:
    crm, target = _target(request)
    key = request.query.get("matching_attribute")
    if not key:
        raise bad_query("matching_attribute", "Required", "invalid_type")
    attribute = records.matching_attribute(target, key)
    written = records.read_values(crm, target, data(request).body("values").values)
    if not written.get(attribute.id):
        raise bad_request(
            "missing_value", f'A value for matching_attribute "{attribute.slug}" was not provided.'
        )
    row = records.match(target, attribute, written[attribute.id])
    if row is None:
        row = records.create_row(crm, target, written, author_of(request))
    else:
        row = records.update_row(crm, target, row, written, author_of(request), "upsert", attribute.id)
    journal(request, target.slug, row.id)
    return _answer(crm, target, row)


def _add(request: Request) -> Response:
    return _change(request, "add")


def _overwrite(request: Request) -> Response:
    return _change(request, "overwrite")


def _change(request: Request, mode: records.Mode) -> Response:
    crm, target, row = _one(request)
    written = records.read_values(crm, target, data(request).body("values").values)
    row = records.update_row(crm, target, row, written, author_of(request), mode)
    journal(request, target.slug, row.id)
    return _answer(crm, target, row)


def _delete(request: Request) -> Response:
    crm, target, row = _one(request)
    records.delete_row(crm, target, row.id, author_of(request))
    journal(request, target.slug, row.id)
    return Response.json({})


def _merge(request: Request) -> Response:
    crm, target = _target(request)
    body = data(request)
    found = []
    for name in ("primary_record_id", "secondary_record_id"):
        row = target.table.get(body.uuid(name))
        if row is None:
            raise not_found(f'Record with ID "{body.text(name)}" not found.')
        found.append(row)
    merged = merge_records(crm, target, found[0], found[1], author_of(request))
    journal(request, target.slug, merged.id)
    return Response.json({"data": {"new_record_id": merged.id}})


def _values(request: Request) -> Response:
    return read_history(request, *_one(request))


def _put_values(request: Request) -> Response:
    crm, target, row = _one(request)
    return replace_history(request, crm, target, row, target.slug)


def _entries(request: Request) -> Response:
    crm, _, row = _one(request)
    limit = query_number(request, "limit", 100, minimum=1, maximum=1000)
    offset = query_number(request, "offset", 0)
    shown = []
    for list_id, entry_id in crm.entries_of.get(row.id, [])[offset : offset + limit]:
        target = crm.lists[list_id]
        entry = target.table.get(entry_id)
        if entry is not None:
            shown.append(
                {
                    "list_id": list_id,
                    "list_api_slug": target.slug,
                    "entry_id": entry_id,
                    "created_at": entry.created_at,
                }
            )
    return Response.json({"data": shown})


async def _search(request: Request) -> Response:
    crm = crm_of(request)
    body = Body(request.json())
    text = body.text("query", maximum=256)
    limit = body.whole("limit", 25, 1, 25)
    keys = body.list("objects")
    if not keys:
        raise body.refuse("objects", "Array must contain at least 1 element(s)", "too_small")
    targets = []
    for key in keys:
        target = crm.object(key) if isinstance(key, str) else None
        if target is None or not target.enabled:
            raise bad_request("value_not_found", f'Object with slug/ID "{key}" not found.')
        targets.append(target)
    request_as = body.body("request_as")
    if request_as.one_of("type", "workspace", "workspace-member") == "workspace-member":
        name = "workspace_member_id" if "workspace_member_id" in request_as else "email_address"
        key = request_as.text(name)
        if token_of(request).workspace.member(key) is None:
            raise bad_request("value_not_found", f'Workspace member with ID "{key}" not found.')
    return Response.json({"data": await search(crm, targets, text, limit)})
