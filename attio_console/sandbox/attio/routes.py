"""The kernel's operations: objects, attributes, records, lists, entries and members."""

from __future__ import annotations

from attio_console.sandbox.attio import routes_choices, routes_lists, routes_records, routes_schema
from attio_console.sandbox.server import Router


def add_core_routes(router: Router) -> None:
    """Serve everything the kernel serves."""
    routes_schema.add_routes(router)
    routes_choices.add_routes(router)
    routes_records.add_routes(router)
    routes_lists.add_routes(router)
