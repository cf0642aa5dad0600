"""The headers Attio adds to its answers, whoever gives them."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from attio_console.sandbox.server import CallNext, Middleware, Request, Response
from attio_console.sandbox.world import Ids, World, stamp


def house_headers(world: World) -> Middleware:
    """Make the outermost middleware: what is due happens first, then every answer gets its execution id.

    `x-accurate-at` says which instant the data is from: now, or a moment ago where queries lag.
    """
    # Apart from the world's chance: reading must not move what makes record ids.
    ids = Ids(Random(world.seed ^ 0x5EED))

    async def add(request: Request, call_next: CallNext) -> Response:
        world.clock.pump()
        request.response_headers += [
            ("x-attio-execution-id", ids.uuid()),
            ("access-control-allow-origin", "*"),
            ("vary", "Origin"),
        ]
        if request.method in {"GET", "POST"}:
            lag = world.settings.lag_s if request.path.endswith("/query") else 0.0
            seen_at = world.clock.now() - timedelta(seconds=lag)
            request.response_headers.append(("x-accurate-at", stamp(seen_at)))
        return await call_next(request)

    return add
