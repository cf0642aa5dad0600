"""Attio's REST API v2, put together."""

from __future__ import annotations

from attio_console.sandbox.attio import (
    comments,
    emails,
    files,
    meetings,
    notes,
    recordings,
    tasks,
    views,
    webhooks,
)
from attio_console.sandbox.attio.auth import add_self, authenticate
from attio_console.sandbox.attio.errors import AttioShape
from attio_console.sandbox.attio.headers import house_headers
from attio_console.sandbox.attio.routes import add_core_routes
from attio_console.sandbox.layers import front
from attio_console.sandbox.server import App, Router
from attio_console.sandbox.world import Workspace, World


def attio_app(world: World) -> App:
    """Make the stand-in for Attio over every workspace of the world."""
    router = Router()
    add_self(router)
    add_core_routes(router)
    for module in (notes, tasks, comments, meetings, recordings, files, emails, views, webhooks):
        module.add_routes(router)
    for workspace in world.workspaces.values():
        attend(workspace)
    return App(
        "attio", router, AttioShape(), [house_headers(world), *front(world, "attio"), authenticate(world)]
    )


def attend(workspace: Workspace) -> None:
    """Let what hangs on records follow them from now on, and webhooks hear of everything."""
    for part in (
        notes.Notes,
        tasks.Tasks,
        comments.Threads,
        meetings.Meetings,
        files.Files,
        webhooks.Webhooks,
    ):
        workspace.part(part)
