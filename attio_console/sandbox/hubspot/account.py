"""What an account has besides records: owners, pipelines, keys and applications."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from attio_console.sandbox.hubspot.model import Source, iso

ALL_SCOPES = (
    "oauth",
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.objects.companies.read",
    "crm.objects.companies.write",
    "crm.objects.deals.read",
    "crm.objects.deals.write",
    "crm.schemas.contacts.read",
    "crm.schemas.contacts.write",
    "crm.schemas.companies.read",
    "crm.schemas.companies.write",
    "crm.schemas.deals.read",
    "crm.schemas.deals.write",
    "crm.objects.owners.read",
)

STANDARD_STAGES = (
    ("appointmentscheduled", "Appointment Scheduled", "0.2", False),
    ("qualifiedtobuy", "Qualified To Buy", "0.4", False),
    ("presentationscheduled", "Presentation Scheduled", "0.6", False),
    ("decisionmakerboughtin", "Decision Maker Bought-In", "0.8", False),
    ("contractsent", "Contract Sent", "0.9", False),
    ("closedwon", "Closed Won", "1.0", True),
    ("closedlost", "Closed Lost", "0.0", True),
)
"""The pipeline of a new account: stage id, label, probability, whether it is closed."""


@dataclass(slots=True)
class Owner:
    """Somebody records can belong to; `id` is not `user_id`."""

    id: int
    user_id: int
    email: str
    first_name: str
    last_name: str
    created_at: datetime
    archived: bool = False

    def json(self) -> dict[str, Any]:
        """Return the owner as the owners endpoint shows it."""
        return {
            "id": str(self.id),
            "email": self.email,
            "type": "PERSON",
            "firstName": self.first_name,
            "lastName": self.last_name,
            "userId": self.user_id,
            "userIdIncludingInactive": self.user_id,
            "createdAt": iso(self.created_at),
            "updatedAt": iso(self.created_at),
            "archived": self.archived,
        }

    @property
    def source(self) -> Source:
        """Return this person at the screen, as property history names them."""
        name = f"{self.first_name} {self.last_name}".strip()
        return Source("CRM_UI", f"userId:{self.user_id}", name, self.user_id)


@dataclass(slots=True)
class Stage:
    """A stage of a pipeline."""

    id: str
    label: str
    order: int
    metadata: dict[str, str]
    created_at: datetime
    archived: bool = False

    def json(self) -> dict[str, Any]:
        """Return the stage as the pipelines endpoint shows it."""
        return {
            "label": self.label,
            "displayOrder": self.order,
            "metadata": self.metadata,
            "id": self.id,
            "createdAt": iso(self.created_at),
            "updatedAt": iso(self.created_at),
            "archived": self.archived,
            "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
        }


@dataclass(slots=True)
class Pipeline:
    """A pipeline of deals."""

    id: str
    label: str
    order: int
    created_at: datetime
    stages: list[Stage] = field(default_factory=list)
    archived: bool = False

    def json(self) -> dict[str, Any]:
        """Return the pipeline as the pipelines endpoint shows it."""
        return {
            "label": self.label,
            "displayOrder": self.order,
            "id": self.id,
            "stages": [stage.json() for stage in self.stages],
            "createdAt": iso(self.created_at),
            "updatedAt": iso(self.created_at),
            "archived": self.archived,
        }

    def stage(self, stage_id: str) -> Stage | None:
        """Return the stage with that id."""
        return next((stage for stage in self.stages if stage.id == stage_id), None)


def sales_pipeline(at: datetime, rows: Sequence[tuple[str, str, str, bool]]) -> Pipeline:
    """Build the default pipeline from (stage id, label, probability, closed)."""
    stages = [
        Stage(stage, label, order, {"isClosed": str(closed).lower(), "probability": share}, at)
        for order, (stage, label, share, closed) in enumerate(rows)
    ]
    return Pipeline("default", "Sales Pipeline", 0, at, stages)


@dataclass(slots=True)
class Key:
    """A bearer token: a service key for ever, an OAuth access token for half an hour."""

    value: str
    kind: str
    scopes: tuple[str, ...] = ALL_SCOPES
    expires_at: datetime | None = None
    app_id: int = 1160452


@dataclass(slots=True)
class OAuthApp:
    """An application that was registered, with its refresh tokens and open authorization codes."""

    client_id: str
    client_secret: str
    refresh_tokens: set[str] = field(default_factory=set)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)


class Keyring:
    """The tokens that open the account."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.keys: dict[str, Key] = {}
        self.service_key = self.add(
            f"pat-na1-{self.token(8)}-{self.token(4)}-{self.token(12)}", "service-key"
        )
        self.app = OAuthApp(f"{self.token(8)}-{self.token(4)}", self.token(32))

    def token(self, digits: int) -> str:
        """Draw that many hexadecimal digits."""
        return f"{self._random.getrandbits(4 * digits):0{digits}x}"

    def add(self, value: str, kind: str, **fields: Any) -> Key:
        """Let a token in."""
        self.keys[value] = Key(value, kind, **fields)
        return self.keys[value]
