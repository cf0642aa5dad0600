"""The control surface, `/_sandbox`: look behind the curtain, be somebody else, break things, move time.

JSON over HTTP, answered to this machine only. What the three systems have in common is asked of their own `control`
modules: `objects`, `dump`, `edit`, `delete` and `merge`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from attio_console.sandbox import life
from attio_console.sandbox.attio import control as attio_control
from attio_console.sandbox.attio.bodies import is_uuid
from attio_console.sandbox.attio.delivery import Deliveries
from attio_console.sandbox.attio.files import signed_content
from attio_console.sandbox.attio.subscriptions import EVENT_TYPES
from attio_console.sandbox.attio.webhooks import Webhooks
from attio_console.sandbox.faults import BadRule, Faults
from attio_console.sandbox.hubspot import control as hubspot_control
from attio_console.sandbox.populate import add_first_member, new_workspace
from attio_console.sandbox.salesforce import control as salesforce_control
from attio_console.sandbox.saving import StateUnsavable, save
from attio_console.sandbox.seed.differences import differences
from attio_console.sandbox.server import App, CallNext, HttpError, Request, Response, Router, Shape
from attio_console.sandbox.world import World

SYSTEMS: dict[str, ModuleType] = {
    "attio": attio_control,
    "hubspot": hubspot_control,
    "salesforce": salesforce_control,
}
_LOOPBACK = ("127.", "::1", "::ffff:127.")
_DUMP_PIECE = 16 * 1024 * 1024
"""Up to this size a dump is one instant; a larger one is sent while the world goes on."""


class Refusal(HttpError):
    """The control surface's own 400 or 404."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(Response.json({"error": message}, status))


class _ControlShape(Shape):
    def unknown_route(self, request: Request, allowed: Sequence[str]) -> Response:
        known = "GET /_sandbox lists what there is"
        message = f"No {request.method} {request.path}; {known}" + (
            f"; it takes {', '.join(allowed)}" if allowed else ""
        )
        return Response.json({"error": message}, 405 if allowed else 404)


def control_app(world: World, state: Path | None = None) -> App:
    """Make the app behind `/_sandbox`."""
    router = Router()
    surface = _Surface(world, router, state)
    for method, path, handler in (
        ("GET", "", surface.index),
        ("GET", "/stats", surface.stats),
        ("GET", "/writes", surface.writes),
        ("GET", "/dump/{system}", surface.objects),
        ("GET", "/dump/{system}/{object}", surface.dump),
        ("GET", "/differences", surface.differences),
        ("POST", "/edit", surface.edit),
        ("POST", "/delete", surface.delete),
        ("POST", "/merge", surface.merge),
        ("GET", "/faults", surface.faults),
        ("POST", "/faults", surface.add_faults),
        ("DELETE", "/faults", surface.clear_faults),
        ("GET", "/clock", surface.clock),
        ("POST", "/clock", surface.advance),
        ("POST", "/life", surface.life),
        ("GET", "/deliveries", surface.deliveries),
        ("POST", "/webhooks/test", surface.test_webhook),
        ("POST", "/settings", surface.settings),
        ("POST", "/save", surface.save),
        ("GET", "/workspaces", surface.workspaces),
        ("POST", "/tokens", surface.add_token),
        ("DELETE", "/tokens/{token}", surface.revoke_token),
    ):
        router.add(method, f"/_sandbox{path}", handler)
    router.add("GET", "/_sandbox/files/{file_id}", lambda request: signed_content(world, request))
    return App("control", router, _ControlShape(), [_this_machine_only])


async def _this_machine_only(request: Request, call_next: CallNext) -> Response:
    host = request.client[0] if request.client else ""
    if not host.startswith(_LOOPBACK):
        return Response.json({"error": "The control surface answers to this machine only."}, 403)
    return await call_next(request)


class _Surface:
    def __init__(self, world: World, router: Router, state: Path | None) -> None:
        self._world = world
        self._router = router
        self._state = state

    def index(self, _: Request) -> Response:
        return Response.json({"endpoints": [route.key for route in self._router.routes]})

    def stats(self, _: Request) -> Response:
        stats, journal = self._world.stats, self._world.journal
        systems: dict[str, dict[str, Any]] = {
            name: {"requests": 0, "writes": 0, "limited": 0, "endpoints": {}, "other": {}} for name in SYSTEMS
        }
        for (system, endpoint, status), count in sorted(stats.requests.items()):
            shown = systems.setdefault(
                system, {"requests": 0, "writes": 0, "limited": 0, "endpoints": {}, "other": {}}
            )
            shown["requests"] += count
            shown["limited"] += count if status == 429 else 0
            shown["endpoints"].setdefault(endpoint, {})[str(status)] = count
        for (system, name), count in sorted(stats.other.items()):
            systems[system]["other"][name] = count
        for entry in journal.after(0):
            systems[entry.system]["writes"] += 1
        total = {
            "requests": sum(shown["requests"] for shown in systems.values()),
            "writes": len(journal),
            "429": sum(shown["limited"] for shown in systems.values()),
            "deliveries": stats.other["attio", "delivery:delivered"],
            "deliveries_pending": self._world.part(Deliveries).pending,
        }
        return Response.json({**total, "systems": systems, "life": self._world.settings.life})

    def writes(self, request: Request) -> Response:
        entries = self._world.journal.after(_whole(request, "after"))
        limit = _whole(request, "limit", len(entries))
        return Response.json([entry.json() for entry in entries[:limit]])

    def objects(self, request: Request) -> Response:
        return Response.json(_system(request.params["system"]).objects(self._world))

    def dump(self, request: Request) -> Response:
        system = _system(request.params["system"])
        rows = system.dump(self._world, request.params["object"])
        pieces = _lines(rows)
        # The first piece now, so that a name that nothing answers to is still refused properly.
        whole = chain([next(pieces)], pieces)
        return Response(200, headers=[("content-type", "application/jsonl; charset=utf-8")], chunks=whole)

    def differences(self, _: Request) -> Response:
        return Response.json([difference.json() for difference in differences(self._world)])

    def _actor(self, body: dict[str, Any]) -> str:
        """Return who edits: a member's e-mail or id, or `system`; the first member where nobody is named."""
        if body.get("actor") is not None:
            return _text(body, "actor")
        members = next(iter(self._world.workspaces.values())).members
        return next((member.email_address for member in members.values()), "system")

    def edit(self, request: Request) -> Response:
        body = _body(request)
        values = body.get("values")
        if not isinstance(values, dict):
            raise Refusal("values is an object: name -> value, as the system's own API takes them")
        system = _system(_text(body, "system"))
        identifier = _text(body, "id") if body.get("id") is not None else None
        done = system.edit(self._world, _text(body, "object"), identifier, values, self._actor(body))
        return Response.json({"id": done, "seq": len(self._world.journal)})

    def delete(self, request: Request) -> Response:
        body = _body(request)
        system = _system(_text(body, "system"))
        system.delete(self._world, _text(body, "object"), _text(body, "id"), self._actor(body))
        return Response.json({"id": body["id"], "seq": len(self._world.journal)})

    def merge(self, request: Request) -> Response:
        body = _body(request)
        system = _system(_text(body, "system"))
        other = _text(body, "other_id" if "other_id" in body else "secondary_id")
        kept = system.merge(self._world, _text(body, "object"), _text(body, "id"), other, self._actor(body))
        return Response.json({"id": kept, "seq": len(self._world.journal)})

    def faults(self, _: Request) -> Response:
        return Response.json({"rules": [rule.as_json() for rule in self._world.part(Faults).rules]})

    def add_faults(self, request: Request) -> Response:
        try:
            self._world.part(Faults).add(_body(request).get("rules"))
        except BadRule as error:
            raise Refusal(str(error)) from error
        return self.faults(request)

    def clear_faults(self, request: Request) -> Response:
        self._world.part(Faults).clear()
        return self.faults(request)

    def clock(self, _: Request) -> Response:
        return Response.json({"now": self._world.clock.now().isoformat()})

    def advance(self, request: Request) -> Response:
        seconds = _body(request).get("advance_s")
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or seconds < 0:
            raise Refusal("advance_s is a number of seconds, 0 or more")
        self._world.clock.advance(seconds)
        return self.clock(request)

    def life(self, request: Request) -> Response:
        body = _body(request)
        if not isinstance(body.get("on"), bool):
            raise Refusal("on is true or false")
        life.switch(self._world, on=body["on"], every_s=body.get("every_s"))
        return Response.json({"on": self._world.settings.life})

    def deliveries(self, request: Request) -> Response:
        after = _whole(request, "after")
        deliveries = self._world.part(Deliveries)
        rows = [row.json() for row in deliveries.rows if row.seq > after]
        return Response.json({"pending": deliveries.pending, "deliveries": rows})

    def test_webhook(self, request: Request) -> Response:
        body = _body(request)
        event_type = body.get("event_type", "record.updated")
        if event_type not in EVENT_TYPES:
            raise Refusal(f"unknown event_type {event_type!r}")
        wanted = _text(body, "webhook_id")
        for workspace in self._world.workspaces.values():
            webhook = workspace.part(Webhooks).by_id.get(wanted) if is_uuid(wanted) else None
            if webhook is not None:
                return Response.json({"key": self._world.part(Deliveries).test(webhook, event_type)})
        raise Refusal(f"no webhook {wanted!r}", 404)

    def settings(self, request: Request) -> Response:
        settings, body = self._world.settings, _body(request)
        for name, kinds in (("latency_ms", (int, float)), ("lag_s", (int, float)), ("webhook_http", (bool,))):
            value = body.get(name)
            if value is None:
                continue
            if not isinstance(value, kinds) or (bool not in kinds and (isinstance(value, bool) or value < 0)):
                raise Refusal(f"{name} is not of the right kind")
            setattr(settings, name, value)
        unknown = sorted(set(body) - {"latency_ms", "lag_s", "webhook_http"})
        if unknown:
            raise Refusal(f"unknown setting {unknown[0]!r}; known are lag_s, latency_ms, webhook_http")
        shown = {
            "latency_ms": settings.latency_ms,
            "lag_s": settings.lag_s,
            "webhook_http": settings.webhook_http,
        }
        return Response.json(shown)

    def save(self, _: Request) -> Response:
        if self._state is None:
            raise Refusal("this sandbox keeps no state: it was started without a directory for it")
        try:
            return Response.json({"path": str(save(self._world, self._state))})
        except StateUnsavable as error:
            raise Refusal(str(error)) from error

    def workspaces(self, _: Request) -> Response:
        return Response.json(
            [
                {
                    "id": workspace.id,
                    "name": workspace.name,
                    "slug": workspace.slug,
                    "tokens": [
                        {
                            "token": t.value,
                            "id": t.id,
                            "scopes": list(t.scopes),
                            "active": t.active,
                            "level": t.level,
                        }
                        for t in self._world.tokens.values()
                        if t.workspace is workspace
                    ],
                    "members": [
                        {"id": member.id, "email_address": member.email_address}
                        for member in workspace.members.values()
                    ],
                }
                for workspace in self._world.workspaces.values()
            ]
        )

    def add_token(self, request: Request) -> Response:
        """Give out another key: to a workspace that is there (by slug or id), or to a new, empty one."""
        body = _body(request)
        name = _text(body, "workspace")
        workspace = next((w for w in self._world.workspaces.values() if name in (w.id, w.slug)), None)
        if workspace is None:
            workspace = new_workspace(self._world, name, name)
            add_first_member(workspace)
        scopes = body.get("scopes")
        fields: dict[str, Any] = {}
        if scopes is not None:
            if not isinstance(scopes, list) or not all(isinstance(scope, str) for scope in scopes):
                raise Refusal("scopes is a list of strings")
            fields["scopes"] = tuple(scopes)
        if "level" in body:
            if body["level"] not in ("workspace", "user"):
                raise Refusal("level is workspace or user")
            fields["level"] = body["level"]
        token = self._world.add_token(workspace, **fields)
        return Response.json({"token": token.value, "id": token.id, "workspace_id": workspace.id})

    def revoke_token(self, request: Request) -> Response:
        token = self._world.tokens.get(request.params["token"])
        if token is None:
            raise Refusal("no such token", 404)
        token.active = False
        return Response.json({})


def _system(name: str) -> ModuleType:
    found = SYSTEMS.get(name)
    if found is None:
        raise Refusal(f"unknown system {name!r}; known are {', '.join(SYSTEMS)}", 404)
    return found


def _body(request: Request) -> dict[str, Any]:
    body = request.json()
    if not isinstance(body, dict):
        raise Refusal("the body is a JSON object")
    return body


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise Refusal(f"{name} is required, a string")
    return value


def _whole(request: Request, name: str, default: int = 0) -> int:
    text = request.query.get(name)
    if text is None:
        return default
    if not text.isdigit():
        raise Refusal(f"{name} is a whole number")
    return int(text)


def _lines(rows: Iterator[Any]) -> Iterator[bytes]:
    """Write one JSON document a line, in pieces."""
    encode = msgspec.json.Encoder().encode
    piece = bytearray()
    for row in rows:
        piece += row if isinstance(row, bytes) else encode(row)
        piece += b"\n"
        if len(piece) >= _DUMP_PIECE:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)
