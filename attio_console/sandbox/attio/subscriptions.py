"""Webhooks as a workspace holds them: which events each one wants, and how it fares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

EVENT_TYPES = (
    "activity.created", "activity.updated", "activity.deleted",
    "activity-attribute.created", "activity-attribute.updated",
    "activity-record.created", "activity-record.deleted",
    "call-recording.created",
    "comment.created", "comment.resolved", "comment.unresolved", "comment.deleted",
    "list.created", "list.updated", "list.deleted",
    "list-attribute.created", "list-attribute.updated",
    "list-entry.created", "list-entry.updated", "list-entry.deleted",
    "object-attribute.created", "object-attribute.updated",
    "note.created", "note-content.updated", "note.updated", "note.deleted",
    "record.created", "record.merged", "record.updated", "record.deleted",
    "task.created", "task.updated", "task.deleted",
    "workspace-member.created",
)  # fmt: skip

INACTIVE_AFTER = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Subscription:
    """One event type a webhook wants, and the filter an event must pass."""

    event_type: str
    filter: Mapping[str, Any] | None

    def json(self) -> dict[str, Any]:
        """Return the subscription as the API shows it."""
        return {"event_type": self.event_type, "filter": self.filter}

    def wants(self, payload: Mapping[str, Any]) -> bool:
        """Tell whether an event is of this type and passes the filter."""
        return payload["event_type"] == self.event_type and passes(self.filter, payload)


@dataclass(slots=True)
class Webhook:
    """A target, what it is told, and the secret that signs it."""

    id: str
    workspace_id: str
    target_url: str
    subscriptions: tuple[Subscription, ...]
    secret: str
    created_at: str
    degraded_since: datetime | None = None
    deleted: bool = False

    def status(self, now: datetime) -> Literal["active", "degraded", "inactive"]:
        """Tell how the webhook fares: after seven days of failing it is told nothing more."""
        if self.degraded_since is None:
            return "active"
        return "inactive" if now - self.degraded_since >= INACTIVE_AFTER else "degraded"

    def json(self, now: datetime) -> dict[str, Any]:
        """Return the webhook as the API shows it: without its secret."""
        return {
            "id": {"workspace_id": self.workspace_id, "webhook_id": self.id},
            "target_url": self.target_url,
            "subscriptions": [subscription.json() for subscription in self.subscriptions],
            "status": self.status(now),
            "created_at": self.created_at,
        }


def passes(event_filter: Mapping[str, Any] | None, payload: Mapping[str, Any]) -> bool:
    """Evaluate a subscription's filter: one `$and` or one `$or` of conditions on dotted paths."""
    if event_filter is None:
        return True
    if "$and" in event_filter:
        return all(_holds(condition, payload) for condition in event_filter["$and"])
    return any(_holds(condition, payload) for condition in event_filter["$or"])


def _holds(condition: Mapping[str, Any], payload: Mapping[str, Any]) -> bool:
    value: Any = payload
    for step in condition["field"].split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    equal = value == condition["value"]
    return bool(equal) if condition["operator"] == "equals" else not equal
