"""Accepted writes of Attio's API, as the journal of the world keeps them."""

from __future__ import annotations

from attio_console.sandbox.attio.auth import token_of
from attio_console.sandbox.server import Request
from attio_console.sandbox.world import Actor


def actor_text(actor: Actor) -> str:
    """Write an actor as one word: `system`, `api-token:ID`, `workspace-member:ID`."""
    return actor.type if actor.id is None else f"{actor.type}:{actor.id}"


def journal(request: Request, kind: str, identifier: str) -> None:
    """Note that a request wrote: `kind` is an object's or list's slug, or what else was written."""
    token = token_of(request)
    is_json = "json" in request.headers.get("content-type", "json")
    body = request.json() if request.body and is_json else None
    token.workspace.world.journal.add(
        "attio", request.method, request.path, kind, identifier, body, actor_text(token.actor)
    )
