"""The headers Attio adds to its answers, whoever gives them."""

from __future__ import annotations

from datetime import timedelta

from attio_console.sandbox.server import CallNext, Middleware, Request, Response
from attio_console.sandbox.world import World, stamp


def house_headers(world: World) -> Middleware:
    """Make the outermost middleware: what is due happens first, then every answer gets its execution id.

    `x-accurate-at` says which instant the data is from: now, or a moment ago where queries lag.
    """
    count = 0

    async def add(request: Request, call_next: CallNext) -> Response:
        nonlocal count
        world.clock.pump()
        # Counted, not drawn: reading must not move the chance that makes record ids.
        count += 1
        request.response_headers.append(
            ("x-attio-execution-id", f"{world.seed & 0xFFFFFFFF:08x}{count:012x}")
        )
        if request.method in {"GET", "POST"}:
            lag = world.settings.lag_s if request.path.endswith("/query") else 0.0
            seen_at = world.clock.now() - timedelta(seconds=lag)
            request.response_headers.append(("x-accurate-at", f"{stamp(seen_at)[:23]}Z"))
        return await call_next(request)

    return add
