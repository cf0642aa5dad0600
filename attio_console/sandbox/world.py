"""The world the three stand-ins share: its clock, its chance, its journal, and the workspaces in it.

How the parts use it:

- `World(seed)` holds everything. `world.clock` (SandboxClock: now(), later(), pump(), advance(), sleep()),
  `world.random` and `world.ids.uuid()` are the only sources of time and chance, so a seed gives the same world again.
- `world.tokens[token_text] -> Token` (its workspace, scopes, member). `world.add_workspace(...)` makes a workspace and
  its first token.
- `world.journal.add(system, method, path, object, id, body, actor)` notes every accepted write, whoever made it.
- `world.stats.count(system, endpoint, status)` counts requests; `world.stats.bump(system, name)` counts anything else.
- `world.settings` are the switches (`lag_s`, `limits`, `webhook_http`, ...).
- `workspace.part(SomeClass)` returns the workspace's one instance of `SomeClass`, made by `SomeClass(workspace)` at the
  first call: the CRM kernel (`attio.state.Crm`), notes, tasks, webhooks, views each live in a part of their own.
  `world.part(SomeClass)` is the same for what belongs to the whole world (`SomeClass(world)`): faults, HubSpot,
  Salesforce.
- Whoever changes something calls `workspace.events.emit(event_type, ids, actor, **extra)`; `ids` without
  `workspace_id`. Subscribers (`workspace.events.subscribe(fn)`) are plain functions and run at once, in order.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any, TypeVar, cast

from attio_console.sandbox.clock import SandboxClock

T = TypeVar("T")

ALL_SCOPES = (
    "activity_configuration:read-write",
    "activity_record:read-write",
    "call_recording:read-write",
    "comment:read-write",
    "email:read",
    "file:read-write",
    "list_configuration:read-write",
    "list_entry:read-write",
    "meeting:read-write",
    "note:read-write",
    "object_configuration:read-write",
    "private_collection:read-write",
    "public_collection:read-write",
    "record_permission:read-write",
    "scim_management:read-write",
    "sequence_unsubscribe:read-write",
    "task:read-write",
    "user_management:read-write",
    "webhook:read-write",
)


def stamp(moment: datetime) -> str:
    """Write an instant as Attio does: UTC, nine digits of which the last six are zero."""
    text = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{moment.microsecond // 1000:03d}000000Z"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something; `id` is None for `system` alone."""

    type: str
    id: str | None

    def json(self) -> dict[str, Any]:
        """Return the actor as every response shows it."""
        return {"type": self.type, "id": self.id}


SYSTEM = Actor("system", None)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a workspace, in the words of a webhook."""

    event_type: str
    id: Mapping[str, str]
    actor: Actor
    extra: Mapping[str, Any]
    at: datetime

    def payload(self) -> dict[str, Any]:
        """Return the event as one element of a delivery's `events`."""
        return {"event_type": self.event_type, "id": dict(self.id), **self.extra, "actor": self.actor.json()}


class Events:
    """The events of one workspace, handed at once to whoever subscribed."""

    def __init__(self, workspace_id: str, now: Callable[[], datetime]) -> None:
        self._workspace_id = workspace_id
        self._now = now
        self._subscribers: list[Callable[[Event], None]] = []

    def subscribe(self, subscriber: Callable[[Event], None]) -> None:
        """Call `subscriber` with every event from now on."""
        self._subscribers.append(subscriber)

    def emit(self, event_type: str, ids: Mapping[str, str], actor: Actor, **extra: Any) -> Event:
        """Tell the subscribers what happened; `ids` come without the workspace's own."""
        event = Event(event_type, {"workspace_id": self._workspace_id, **ids}, actor, extra, self._now())
        for subscriber in self._subscribers:
            subscriber(event)
        return event


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One accepted write."""

    seq: int
    system: str
    method: str
    path: str
    object: str
    id: str
    body: Any
    actor: str
    at: str

    def json(self) -> dict[str, Any]:
        """Return the entry as the control surface shows it."""
        return {name: getattr(self, name) for name in self.__slots__}


class Journal:
    """Every accepted write, numbered from 1."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._entries: list[JournalEntry] = []

    def add(self, system: str, method: str, path: str, object: str, id: str, body: Any, actor: str) -> int:
        """Note a write and return its number."""
        seq = len(self._entries) + 1
        self._entries.append(
            JournalEntry(seq, system, method, path, object, id, body, actor, stamp(self._now()))
        )
        return seq

    def after(self, seq: int) -> list[JournalEntry]:
        """Return what was written after that number."""
        return self._entries[max(0, seq) :]

    def __len__(self) -> int:
        """How many writes there were."""
        return len(self._entries)


class Stats:
    """What was asked and answered, by system and endpoint."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str, int]] = Counter()
        self.other: Counter[tuple[str, str]] = Counter()

    def count(self, system: str, endpoint: str, status: int) -> None:
        """Count one answered request."""
        self.requests[system, endpoint, status] += 1

    def bump(self, system: str, name: str, by: int = 1) -> None:
        """Count something that is no request: a delivery, a dropped one, ..."""
        self.other[system, name] += by


@dataclass(slots=True)
class Settings:
    """The switches of a world."""

    lag_s: float = 0.0
    """How long `records/query` and `entries/query` keep answering from before a write (0 to 2 s)."""
    enrichment: bool = True
    """Whether actor `system` fills in details shortly after a company or person is made."""
    enrichment_delay_s: float = 0.25
    limits: bool = True
    webhook_http: bool = False
    latency_ms: float = 0.0
    retry_after_seconds: bool = False
    """429 says `Retry-After` in seconds instead of as an HTTP date."""
    life: bool = False


class Ids:
    """UUIDs (version 4 in form) that a seed gives again."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def uuid(self) -> str:
        """Return the next id."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))


class _Parts:
    """Typed components, each made at first use."""

    def __init__(self) -> None:
        self._parts: dict[type, object] = {}

    def part(self, kind: Callable[[Any], T]) -> T:
        """Return the one instance of `kind`, made by `kind(self)` when it is asked for first."""
        key = cast("type", kind)
        if key not in self._parts:
            self._parts[key] = kind(self)
        return cast("T", self._parts[key])


@dataclass(slots=True)
class Member:
    """A workspace member; never deleted, only suspended."""

    id: str
    first_name: str
    last_name: str
    email_address: str
    access_level: str
    created_at: str
    avatar_url: str | None = None


class Workspace(_Parts):
    """One Attio workspace: isolated from every other one in the world."""

    def __init__(self, world: World, *, id: str, name: str, slug: str) -> None:
        super().__init__()
        self.world = world
        self.id = id
        self.name = name
        self.slug = slug
        self.created_at = stamp(world.clock.now())
        self.members: dict[str, Member] = {}
        self.company_from_email = True
        """The workspace setting that makes (or links) a company from a new person's e-mail domain."""
        self.events = Events(id, world.clock.now)

    def add_member(
        self, first_name: str, last_name: str, email_address: str, access_level: str = "member"
    ) -> Member:
        """Let a colleague in."""
        member = Member(
            self.world.ids.uuid(),
            first_name,
            last_name,
            email_address,
            access_level,
            stamp(self.world.clock.now()),
        )
        self.members[member.id] = member
        self.events.emit("workspace-member.created", {"workspace_member_id": member.id}, SYSTEM)
        return member

    def member(self, key: str) -> Member | None:
        """Find a member by id or e-mail address."""
        if key in self.members:
            return self.members[key]
        wanted = key.casefold()
        return next((m for m in self.members.values() if m.email_address.casefold() == wanted), None)

    def actor(self, key: str) -> Actor | None:
        """Read `system`, or a member's id or e-mail address, as an actor."""
        if key == "system":
            return SYSTEM
        found = self.member(key)
        return Actor("workspace-member", found.id) if found else None


@dataclass(slots=True)
class Token:
    """A key to one workspace."""

    value: str
    id: str
    workspace: Workspace
    scopes: tuple[str, ...] = ALL_SCOPES
    member_id: str | None = None
    active: bool = True
    issued_at: int = 0
    level: str = "workspace"

    @property
    def actor(self) -> Actor:
        """Return the actor that writes with this token."""
        return Actor("api-token", self.id)


class World(_Parts):
    """Everything the stand-ins know."""

    def __init__(
        self, seed: int = 1, *, clock: SandboxClock | None = None, settings: Settings | None = None
    ) -> None:
        super().__init__()
        self.seed = seed
        self.random = Random(seed)
        self.ids = Ids(self.random)
        self.clock = clock or SandboxClock()
        self.settings = settings or Settings()
        self.journal = Journal(self.clock.now)
        self.stats = Stats()
        self.workspaces: dict[str, Workspace] = {}
        self.tokens: dict[str, Token] = {}

    def add_workspace(self, name: str, slug: str, *, token: str | None = None) -> Workspace:
        """Make an empty workspace (no members, no objects) and its first, all-scopes token."""
        workspace = Workspace(self, id=self.ids.uuid(), name=name, slug=slug)
        self.workspaces[workspace.id] = workspace
        self.add_token(workspace, token)
        return workspace

    def add_token(self, workspace: Workspace, value: str | None = None, **fields: Any) -> Token:
        """Give out another key to a workspace."""
        value = value or f"sandbox_{self.random.getrandbits(160):040x}"
        token = Token(
            value, self.ids.uuid(), workspace, issued_at=int(self.clock.now().timestamp()), **fields
        )
        self.tokens[value] = token
        return token

    def token_of(self, workspace: Workspace) -> Token:
        """Return the first key that opens a workspace."""
        return next(token for token in self.tokens.values() if token.workspace is workspace)
