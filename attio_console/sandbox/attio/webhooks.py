"""`/v2/webhooks`: who is told what, with the secret shown once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Any
from urllib.parse import urlsplit

from attio_console.sandbox.attio.auth import token_of
from attio_console.sandbox.attio.bodies import Body, data, path_uuid, window
from attio_console.sandbox.attio.delivery import Deliveries
from attio_console.sandbox.attio.errors import ApiError, not_found
from attio_console.sandbox.attio.subscriptions import EVENT_TYPES, Subscription, Webhook
from attio_console.sandbox.server import Request, Response, Router
from attio_console.sandbox.world import Event, Workspace, stamp

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class Webhooks:
    """The webhooks of one workspace (`workspace.part(Webhooks)`); it listens to the workspace from then on."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.by_id: dict[str, Webhook] = {}
        self.deliveries = workspace.world.part(Deliveries)
        self._secrets = Random(f"webhook secrets {workspace.world.seed} {workspace.id}")
        workspace.events.subscribe(self._happened)

    def add(self, target_url: str, subscriptions: Sequence[Subscription]) -> Webhook:
        """Make a webhook, or refuse one that says what another already says."""
        self._refuse_twins(target_url, subscriptions, None)
        webhook = Webhook(
            id=self.workspace.world.ids.uuid(),
            workspace_id=self.workspace.id,
            target_url=target_url,
            subscriptions=tuple(subscriptions),
            secret=f"{self._secrets.getrandbits(256):064x}",
            created_at=stamp(self.workspace.world.clock.now()),
        )
        self.by_id[webhook.id] = webhook
        return webhook

    def change(
        self, webhook: Webhook, target_url: str | None, subscriptions: Sequence[Subscription] | None
    ) -> None:
        """Replace the target, or all subscriptions, or both; a switched-off webhook is switched on again."""
        url = webhook.target_url if target_url is None else target_url
        wanted = webhook.subscriptions if subscriptions is None else tuple(subscriptions)
        self._refuse_twins(url, wanted, webhook)
        webhook.target_url = url
        webhook.subscriptions = wanted
        webhook.degraded_since = None

    def remove(self, webhook: Webhook) -> None:
        """Forget a webhook; what is still queued for it is not sent."""
        webhook.deleted = True
        del self.by_id[webhook.id]

    def _happened(self, event: Event) -> None:
        for webhook in self.by_id.values():
            self.deliveries.offer(webhook, event)

    def _refuse_twins(
        self, target_url: str, subscriptions: Sequence[Subscription], itself: Webhook | None
    ) -> None:
        wanted = [_identity(target_url, subscription) for subscription in subscriptions]
        taken = {
            _identity(other.target_url, subscription)
            for other in self.by_id.values()
            if other is not itself
            for subscription in other.subscriptions
        }
        if len(set(wanted)) < len(wanted) or taken.intersection(wanted):
            raise ApiError(
                409,
                "uniqueness_conflict",
                "A webhook with the same target_url, event_type and filter already exists in this workspace.",
            )


def add_routes(router: Router) -> None:
    """Serve `/v2/webhooks`."""
    router.add("GET", "/v2/webhooks", _list)
    router.add("POST", "/v2/webhooks", _create)
    router.add("GET", "/v2/webhooks/{webhook_id}", _get)
    router.add("PATCH", "/v2/webhooks/{webhook_id}", _update)
    router.add("DELETE", "/v2/webhooks/{webhook_id}", _delete)


def _list(request: Request) -> Response:
    webhooks, workspace = _all(request)
    now = workspace.world.clock.now()
    page = window(request, list(webhooks.by_id.values()), default=10, minimum=10, maximum=100)
    return Response.json({"data": [webhook.json(now) for webhook in page]})


def _create(request: Request) -> Response:
    webhooks, workspace = _all(request)
    body = data(request)
    target_url = _target_url(body, plain_http=workspace.world.settings.webhook_http)
    webhook = webhooks.add(target_url, _subscriptions(body))
    shown = webhook.json(workspace.world.clock.now())
    _journal(request, webhook)
    return Response.json({"data": {**shown, "secret": webhook.secret}})


def _get(request: Request) -> Response:
    webhook, workspace = _one(request)
    return Response.json({"data": webhook.json(workspace.world.clock.now())})


def _update(request: Request) -> Response:
    webhook, workspace = _one(request)
    body = data(request)
    target_url = None
    if "target_url" in body:
        target_url = _target_url(body, plain_http=workspace.world.settings.webhook_http)
    subscriptions = _subscriptions(body) if "subscriptions" in body else None
    workspace.part(Webhooks).change(webhook, target_url, subscriptions)
    _journal(request, webhook)
    return Response.json({"data": webhook.json(workspace.world.clock.now())})


def _delete(request: Request) -> Response:
    webhook, workspace = _one(request)
    workspace.part(Webhooks).remove(webhook)
    _journal(request, webhook)
    return Response.json({})


def _all(request: Request) -> tuple[Webhooks, Workspace]:
    workspace = token_of(request).workspace
    return workspace.part(Webhooks), workspace


def _one(request: Request) -> tuple[Webhook, Workspace]:
    webhooks, workspace = _all(request)
    wanted = path_uuid(request, "webhook_id")
    webhook = webhooks.by_id.get(wanted)
    if webhook is None:
        raise not_found(f'Webhook with ID "{wanted}" was not found.')
    return webhook, workspace


def _journal(request: Request, webhook: Webhook) -> None:
    token = token_of(request)
    body = request.json() if request.body else None
    journal = token.workspace.world.journal
    journal.add("attio", request.method, request.path, "webhooks", webhook.id, body, f"api-token:{token.id}")


def _target_url(body: Body, *, plain_http: bool) -> str:
    url = body.text("target_url")
    try:
        parts = urlsplit(url)
        usable = (
            bool(parts.hostname) and (parts.port is None or parts.port > 0) and not any(c <= " " for c in url)
        )
    except ValueError as error:
        raise body.refuse("target_url", "Invalid url", "invalid_string") from error
    if not usable:
        raise body.refuse("target_url", "Invalid url", "invalid_string")
    if parts.scheme == "https" or (plain_http and parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return url
    raise body.refuse("target_url", "Target URL must start with https://", "invalid_string")


def _subscriptions(body: Body) -> list[Subscription]:
    subscriptions = []
    for item in body.bodies("subscriptions"):
        event_type = item.one_of("event_type", *EVENT_TYPES)
        subscriptions.append(Subscription(event_type, _filter(item)))
    if not subscriptions:
        raise body.refuse("subscriptions", "Array must contain at least 1 element(s)", "too_small")
    return subscriptions


def _filter(item: Body) -> dict[str, Any] | None:
    if item.any("filter") is None:
        return None
    event_filter = item.body("filter")
    if len(event_filter.values) != 1 or not ({"$and", "$or"} & set(event_filter.values)):
        raise item.refuse("filter", "Invalid input", "invalid_union")
    joint = next(iter(event_filter.values))
    conditions = []
    for condition in event_filter.bodies(joint):
        operator = condition.one_of("operator", "equals", "not_equals")
        conditions.append(
            {"field": condition.text("field"), "operator": operator, "value": condition.text("value")}
        )
    return {joint: conditions}


def _identity(target_url: str, subscription: Subscription) -> str:
    return json.dumps([target_url, subscription.event_type, subscription.filter], sort_keys=True)
