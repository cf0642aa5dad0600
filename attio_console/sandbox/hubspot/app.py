"""The HubSpot stand-in as an ASGI application: every version of every path, one set of handlers."""

from __future__ import annotations

from attio_console.sandbox.hubspot.errors import HubSpotShape, correlation_id
from attio_console.sandbox.hubspot.gate import Limits, make_gate
from attio_console.sandbox.hubspot.oauth import OAuthRoutes
from attio_console.sandbox.hubspot.routes_associations import AssociationRoutes
from attio_console.sandbox.hubspot.routes_batch import BatchRoutes
from attio_console.sandbox.hubspot.routes_legacy import LegacyRoutes
from attio_console.sandbox.hubspot.routes_objects import ObjectRoutes
from attio_console.sandbox.hubspot.routes_schema import SchemaRoutes
from attio_console.sandbox.hubspot.state import HubSpot
from attio_console.sandbox.hubspot.writes import Writes
from attio_console.sandbox.layers import front
from attio_console.sandbox.server import App, CallNext, Request, Response, Router
from attio_console.sandbox.world import World

DATED = ("2026-03", "2026-09")


def make_app(world: World) -> App:
    """Return the stand-in over the world's one account."""
    account = world.part(HubSpot)
    clock = world.clock
    limits = Limits(clock.monotonic, clock.now)
    writes = Writes(account)
    objects, batches = ObjectRoutes(account, writes), BatchRoutes(account, writes, limits)
    associations, schema = AssociationRoutes(account, writes), SchemaRoutes(account, limits)
    router = Router()
    for base in ("/crm/v3/objects/{type}", *(f"/crm/objects/{date}/{{type}}" for date in DATED)):
        objects.add(router, base)
        batches.add(router, base)
    associations.add(router, "/crm/v4/associations", "/crm/v4/objects")
    schema.add(router, "/crm/v3/properties", "/crm/v3/pipelines", "/crm/v3/owners")
    for date in DATED:
        associations.add(router, f"/crm/associations/{date}", f"/crm/objects/{date}")
        schema.add(router, f"/crm/properties/{date}", f"/crm/pipelines/{date}", f"/crm/owners/{date}")
    schema.add_account(router)
    LegacyRoutes(account, writes).add(router)
    OAuthRoutes(account).add(router)
    return App(
        "hubspot", router, HubSpotShape(), [*front(world, "hubspot"), _correlate, make_gate(account, limits)]
    )


async def _correlate(request: Request, call_next: CallNext) -> Response:
    request.response_headers.append(("X-HubSpot-Correlation-Id", correlation_id()))
    return await call_next(request)
