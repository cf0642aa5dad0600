"""What lies in front of each of the three systems: a count of what was asked, a slow line, and faults on request."""

from __future__ import annotations

import asyncio

from attio_console.sandbox.fault_layer import fault_layer
from attio_console.sandbox.server import CallNext, HttpError, Middleware, Request, Response
from attio_console.sandbox.world import World


def front(world: World, system: str) -> list[Middleware]:
    """Make the middleware that every system has, outermost first."""
    return [_count(world, system), _delay(world), fault_layer(world, system)]


def _count(world: World, system: str) -> Middleware:
    async def layer(request: Request, call_next: CallNext) -> Response:
        try:
            response = await call_next(request)
        except HttpError as error:
            response = error.response
        endpoint = request.route.key if request.route else "unknown"
        world.stats.count(system, endpoint, 0 if response.delivery in {"reset", "hang"} else response.status)
        return response

    return layer


def _delay(world: World) -> Middleware:
    async def layer(request: Request, call_next: CallNext) -> Response:
        if world.settings.latency_ms > 0:
            # The line's slowness is the machine's time: advancing the sandbox clock does not shorten it.
            await asyncio.sleep(world.settings.latency_ms / 1000)
        return await call_next(request)

    return layer
