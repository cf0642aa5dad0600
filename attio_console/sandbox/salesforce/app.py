"""The Salesforce stand-in as an ASGI application."""

from __future__ import annotations

from attio_console.sandbox.layers import front
from attio_console.sandbox.salesforce import retired
from attio_console.sandbox.salesforce.composite import CompositeRoutes
from attio_console.sandbox.salesforce.errors import SalesforceShape
from attio_console.sandbox.salesforce.gate import DailyLimit, make_gate
from attio_console.sandbox.salesforce.oauth import OAuthRoutes
from attio_console.sandbox.salesforce.routes_bulk import BulkRoutes
from attio_console.sandbox.salesforce.routes_collections import CollectionRoutes
from attio_console.sandbox.salesforce.routes_query import QueryRoutes
from attio_console.sandbox.salesforce.routes_rows import RowRoutes
from attio_console.sandbox.salesforce.search import SearchRoutes
from attio_console.sandbox.salesforce.sessions import sessions_of
from attio_console.sandbox.salesforce.state import Salesforce
from attio_console.sandbox.server import App, Router
from attio_console.sandbox.world import World


def make_app(world: World) -> App:
    """Return the stand-in over the world's one org."""
    org = world.part(Salesforce)
    sessions = sessions_of(world)
    limit = DailyLimit()
    router = Router()
    base = "/services/data/{version}"
    RowRoutes(org).add(router, f"{base}/sobjects")
    CollectionRoutes(org).add(router, f"{base}/composite/sobjects")
    CompositeRoutes(org, router).add(router, f"{base}/composite")
    QueryRoutes(org, limit).add(router, base)
    SearchRoutes(org).add(router, base)
    BulkRoutes(org).add(router, f"{base}/jobs")
    OAuthRoutes(sessions).add(router)
    retired.add_routes(router)
    return App(
        "salesforce", router, SalesforceShape(), [*front(world, "salesforce"), make_gate(sessions, limit)]
    )
