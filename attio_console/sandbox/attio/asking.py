"""What `records/query` and `entries/query` have in common: the body, a saved view's filter, the score, the page."""

from __future__ import annotations

from attio_console.sandbox.attio.auth import WorldLimits, token_of, too_many
from attio_console.sandbox.attio.bodies import Body
from attio_console.sandbox.attio.errors import bad_request
from attio_console.sandbox.attio.limits import query_score
from attio_console.sandbox.attio.query import answer, read_question
from attio_console.sandbox.attio.state import Container, Crm
from attio_console.sandbox.attio.views import Views
from attio_console.sandbox.server import Request, Response

PAGE = 500
MAX_PAGE = 1000
"""No maximum is documented. Published connectors ask for 1,000 and take a shorter page for the last one, so that is served;
more is refused rather than cut, which such a connector would take for the end.
"""


async def ask(request: Request, crm: Crm, container: Container) -> Response:
    """Answer a query of rows."""
    body = Body({} if not request.body else request.json())
    limit = body.whole("limit", PAGE, 1, MAX_PAGE)
    offset = body.whole("offset", 0, 0)
    filter_json = body.values.get("filter")
    view_id = body.values.get("filter_view_id")
    if view_id is not None:
        if filter_json is not None:
            raise body.refuse("filter_view_id", "filter and filter_view_id exclude each other.", "custom")
        view = crm.workspace.part(Views).find(body.uuid("filter_view_id"), container.id)
        if view is None:
            raise bad_request("value_not_found", f'View with ID "{view_id}" not found.')
        filter_json = view.filter
    question = read_question(crm, container, filter_json, body.values.get("sorts"), limit, offset)
    limits = crm.world.part(WorldLimits)
    score = query_score(len(container.table), {"filter": filter_json, "sorts": body.values.get("sorts")})
    wait = limits.check_score(token_of(request).workspace.id, score)
    if wait:
        raise too_many(limits, wait)
    request.response_headers.append(("x-attio-record-query-score", str(score)))
    return Response.raw(await answer(crm, container, question))
