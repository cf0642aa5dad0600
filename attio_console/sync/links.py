"""The linked CRMs of a profile, as the engine runs them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from attio_console.attio import AsyncAttio
from attio_console.model.clock import Clock
from attio_console.net.limiter import Limiter
from attio_console.net.traffic import Traffic
from attio_console.store import Store
from attio_console.sync.bus import Bus
from attio_console.sync.gate import Gate
from attio_console.sync.status import PartitionStatus

if TYPE_CHECKING:
    from attio_console.config.profiles import Profile
    from attio_console.config.secrets import Secrets


class Link(Protocol):
    """The two-way sync with one other system."""

    system: str
    limiter: Limiter | None

    async def run(self) -> None:
        """Sync until cancelled; Offline, 401 and an open breaker are states, not exceptions."""

    def poke(self) -> None:
        """Look at the other system now."""

    def changed(self, collection: str, record_ids: Sequence[str]) -> None:
        """Hear that these rows of Attio changed."""

    def status(self) -> list[PartitionStatus]:
        """Return what each object is doing."""


def open_links(
    profile: Profile,
    secrets: Secrets,
    attio: AsyncAttio,
    store: Store,
    bus: Bus,
    gate: Gate,
    clock: Clock,
    rng: random.Random,
    traffic: Traffic,
) -> list[Link]:
    """Return the links that the profile names."""
    del profile, secrets, attio, store, bus, gate, clock, rng, traffic
    return []
