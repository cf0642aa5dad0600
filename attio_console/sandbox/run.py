"""The sandbox as a process: three servers, one world, until somebody stops it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from attio_console.sandbox.attio.app import attio_app
from attio_console.sandbox.attio.delivery import Deliveries
from attio_console.sandbox.control import control_app
from attio_console.sandbox.hubspot import control as hubspot_control
from attio_console.sandbox.hubspot import make_app as hubspot_app
from attio_console.sandbox.life import Life
from attio_console.sandbox.populate import populate
from attio_console.sandbox.salesforce import control as salesforce_control
from attio_console.sandbox.salesforce import make_app as salesforce_app
from attio_console.sandbox.saving import StateUnreadable, StateUnsavable, load, save
from attio_console.sandbox.seed.load import STORED
from attio_console.sandbox.server import AsgiApp, by_prefix
from attio_console.sandbox.serving import CannotListen, HttpServer, listen
from attio_console.sandbox.world import Settings, World

__all__ = [
    "CannotListen",
    "Sandbox",
    "SandboxOptions",
    "StateUnreadable",
    "StateUnsavable",
    "running",
    "serve",
]


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """How a sandbox is set up; port 0 takes any free one."""

    host: str = "127.0.0.1"
    port: int = 0
    hubspot_port: int = 0
    salesforce_port: int = 0
    records: int = 2_000
    seed: int = 1
    latency_ms: float = 0.0
    limits: bool = True
    webhook_http: bool = False
    life: bool = False
    lag_s: float = 0.0
    retry_after_seconds: bool = False
    enrichment: bool = True
    token: str | None = None
    """The first workspace's token; None makes one from the seed."""
    state: Path | None = None
    """A directory: the world is found there again, and is written there when the sandbox stops."""
    until_input_closes: bool = False
    """Stop when standard input ends: whoever started the sandbox is gone, however they went."""


@dataclass(slots=True)
class Sandbox:
    """A running sandbox."""

    world: World
    attio: str
    hubspot: str
    salesforce: str
    tokens: dict[str, Any] = field(default_factory=dict)

    @property
    def control(self) -> str:
        """Where the control surface answers."""
        return f"{self.attio}/_sandbox"

    @property
    def token(self) -> str:
        """The key to the first Attio workspace."""
        return str(self.tokens["attio"])

    def line(self) -> str:
        """Return the JSON line that the command prints when it accepts connections."""
        return json.dumps(
            {
                "attio": self.attio,
                "hubspot": self.hubspot,
                "salesforce": self.salesforce,
                "control": self.control,
                "tokens": self.tokens,
            }
        )


def make_world(options: SandboxOptions) -> World:
    """Return the saved world, or make one with its first workspace, filled from the seed."""
    settings = Settings(
        lag_s=options.lag_s,
        enrichment=options.enrichment,
        limits=options.limits,
        webhook_http=options.webhook_http,
        latency_ms=options.latency_ms,
        retry_after_seconds=options.retry_after_seconds,
        life=options.life,
    )
    if options.state is not None and (saved := load(options.state, settings)) is not None:
        return saved
    if options.state is not None and options.records > STORED:
        raise StateUnsavable(
            f"A world of more than {STORED:,} people is computed, not kept: it cannot be saved."
        )
    world = World(options.seed, settings=settings)
    populate(world, options.records, options.token)
    return world


@contextlib.asynccontextmanager
async def running(
    options: SandboxOptions | None = None, *, world: World | None = None
) -> AsyncIterator[Sandbox]:
    """Run a sandbox in this event loop for as long as the block lasts."""
    options = options or SandboxOptions()
    ports = (options.port, options.hubspot_port, options.salesforce_port)
    with contextlib.ExitStack() as stack:
        # Ports first: making a million records only to find the port taken would be a long wait for nothing.
        sockets = [stack.enter_context(contextlib.closing(listen(options.host, port))) for port in ports]
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="attio-sandbox-")))
        world = world or make_world(options)
        apps: tuple[AsgiApp, AsgiApp, AsgiApp] = (
            by_prefix({"/_sandbox": control_app(world, options.state)}, attio_app(world)),
            hubspot_app(world),
            salesforce_app(world),
        )
        servers = [HttpServer(app, socket) for app, socket in zip(apps, sockets, strict=True)]
        attio, hubspot, salesforce = (server.url for server in servers)
        sandbox = Sandbox(world, attio, hubspot, salesforce, _tokens(world, directory))
        problem: BaseException | None = None
        async with asyncio.TaskGroup() as group:
            serving = [group.create_task(server.run_until_stopped()) for server in servers]
            helpers = [
                group.create_task(world.clock.run()),
                group.create_task(world.part(Deliveries).run()),
                group.create_task(world.part(Life).run()),
            ]
            for server in servers:
                await server.ready.wait()
            try:
                yield sandbox
            except BaseException as error:  # noqa: BLE001 - kept, so that it is raised bare and not in a group
                problem = error
            for server in servers:
                server.should_exit = True
            for helper in helpers:
                helper.cancel()
            await asyncio.wait(serving)
        if options.state is not None:
            save(world, options.state)
        if problem is not None:
            raise problem


async def serve(options: SandboxOptions) -> None:
    """Run a sandbox until SIGINT, SIGTERM or SIGHUP; print its JSON line once it accepts connections."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        # Windows has no SIGHUP, and its loop no handlers; there Ctrl+C arrives as KeyboardInterrupt.
        with contextlib.suppress(NotImplementedError, AttributeError):
            loop.add_signal_handler(getattr(signal, name), stop.set)
    if options.until_input_closes:
        # A thread, because standard input may be a pipe, a file or a terminal, and only pipes can be awaited.
        threading.Thread(target=_watch_input, args=(loop, stop), daemon=True).start()
    async with running(options) as sandbox:
        sys.stdout.write(sandbox.line() + "\n")
        sys.stdout.flush()
        await stop.wait()


def _watch_input(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        continue
    # The loop may have ended by itself while this waited.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(stop.set)


def _tokens(world: World, directory: Path) -> dict[str, Any]:
    workspace = next(iter(world.workspaces.values()))
    return {
        "attio": world.token_of(workspace).value,
        "hubspot": hubspot_control.tokens(world),
        "salesforce": salesforce_control.tokens(world, directory),
    }
