"""What the engine says of itself: plain values, cheap to make, never an exception."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

AttioState = Literal["starting", "live", "stale", "offline", "not-authorised", "paused", "elsewhere"]
"""`elsewhere`: another console on this data directory runs the engine; this one reads what it stores."""

PartitionCondition = Literal["waiting", "scanning", "live", "stale", "failing", "paused"]

ListenerState = Literal["off", "starting", "listening", "unregistered", "degraded", "failed"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a scan is. `expected` is what the mirror held before, or None at the first scan."""

    seen: int
    expected: int | None
    rate: float
    eta_s: float | None


@dataclass(frozen=True, slots=True)
class PartitionStatus:
    """One unit of sync, (system, object), with what it is doing and how old it is."""

    system: str
    object: str
    label: str
    state: str
    records: int = 0
    scanned_at: datetime | None = None
    progress: Progress | None = None
    lag_s: float | None = None
    conflicts: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class ListenerStatus:
    """The webhook listener and its registration at Attio."""

    state: ListenerState = "off"
    address: str = ""
    target_url: str = ""
    webhook_id: str = ""
    accepted: int = 0
    duplicates: int = 0
    refused: Mapping[int, int] = field(default_factory=dict)
    last_at: datetime | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class LimiterStatus:
    """Use of one system's rate limit."""

    reads_last_s: int = 0
    writes_last_s: int = 0
    read_limit: int = 0
    write_limit: int = 0
    gated_for_s: float = 0.0


@dataclass(frozen=True, slots=True)
class TrafficStatus:
    """Requests per second to one system over the last minute, oldest first."""

    reads: tuple[int, ...] = ()
    writes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class OutboxStatus:
    """How many writes wait, were refused, or ran out of attempts."""

    pending: int = 0
    refused: int = 0
    dead: int = 0


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """Everything a status line and the Sync screen need, at one instant."""

    attio_state: AttioState = "starting"
    sentence: str = ""
    """why the state is not `live`, and what happens next; empty when live"""
    since: datetime | None = None
    last_contact: datetime | None = None
    workspace_name: str = ""
    partitions: tuple[PartitionStatus, ...] = ()
    listener: ListenerStatus = field(default_factory=ListenerStatus)
    limiters: Mapping[str, LimiterStatus] = field(default_factory=dict)
    traffic: Mapping[str, TrafficStatus] = field(default_factory=dict)
    outbox: OutboxStatus = field(default_factory=OutboxStatus)
    inbox: int = 0
    dead_letters: int = 0
    lag_p95_s: float | None = None
    """from a delivery's arrival to the bus, over the last deliveries"""
    catching_up: str = ""
    """why a catch-up scan runs, or empty"""
    engine_pid: int | None = None
    errors: tuple[str, ...] = ()
    """the last few failures, newest first"""
