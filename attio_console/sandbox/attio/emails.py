"""`GET /v2/emails`: no mailbox is connected to a sandbox, so every well-asked question has an empty answer."""

from __future__ import annotations

from attio_console.sandbox.attio.auth import token_of
from attio_console.sandbox.attio.bodies import bad_query, is_uuid, query_flag, query_number, query_time
from attio_console.sandbox.attio.places import find_object
from attio_console.sandbox.server import Request, Response, Router


def add_routes(router: Router) -> None:
    """Serve `/v2/emails`."""
    router.add("GET", "/v2/emails", _list)


def _list(request: Request) -> Response:
    query = request.query
    query_number(request, "limit", 25, minimum=1, maximum=200)
    query_flag(request, "exclude_automated_participants")
    query_time(request, "sent_after")
    query_time(request, "sent_before")
    key, ids = query.get("linked_object"), query.get("linked_record_ids")
    if (key is None) != (ids is None):
        missing = "linked_object" if key is None else "linked_record_ids"
        raise bad_query(missing, "linked_object and linked_record_ids must be given together", "custom")
    if key is None and not query.get("participants") and not query.get("domain"):
        message = "Provide linked_object with linked_record_ids, participants, or domain"
        raise bad_query("participants", message, "custom")
    if key is not None and ids is not None:
        find_object(token_of(request).workspace, key)
        if not all(is_uuid(each.strip()) for each in ids.split(",")):
            raise bad_query("linked_record_ids", "Invalid uuid", "invalid_string")
    return Response.json({"data": [], "pagination": {"next_cursor": None}})
