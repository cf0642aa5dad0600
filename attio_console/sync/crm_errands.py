"""A linked system for one errand: looked at now, and left alone where a console does it already."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from attio_console import errors
from attio_console.model.clock import Clock
from attio_console.net import Traffic
from attio_console.store import Store
from attio_console.sync.bus import Bus
from attio_console.sync.contact import Contact
from attio_console.sync.crm import CrmSync
from attio_console.sync.crm_sync import CrmLink, open_links
from attio_console.sync.gate import Gate

if TYPE_CHECKING:
    from attio_console.config.profiles import Profile
    from attio_console.config.secrets import Secrets


def link_of(
    system: str, profile: Profile, secrets: Secrets, store: Store, bus: Bus, clock: Clock, rng: random.Random
) -> CrmLink:
    """Return the link to a system. Raises ConfigError where the profile names none."""
    links = open_links(profile, secrets, store, bus, Gate(Contact(clock)), clock, rng, Traffic(clock))
    found = next((link for link in links if link.system == system), None)
    if found is None:
        raise errors.ConfigError(
            f"The profile {profile.name} is not linked to {system}.",
            hint=f"Add [profiles.{profile.name}.{system}] to the config file: attio-console config path",
        )
    return found


@asynccontextmanager
async def looked_at(link: CrmLink, store: Store) -> AsyncIterator[CrmSync | None]:
    """Read the other system now and yield its sync, not running; None where another console keeps it current.

    Nothing is paired, compared or written. Raises SecretMissing, Offline, NotAuthorised.
    """
    if not store.engine_lock.try_acquire():
        yield None
        return
    try:
        if not store.mirror.schema.objects:
            raise errors.UsageError("Nothing of Attio is on this disk yet.", hint="attio-console pull")
        mapping = await asyncio.to_thread(link.mapping)
        client = link.client(await link.secret())
        try:
            sync = link.sync_with(client, mapping)
            await sync.prepare()
            await sync.read()
            yield sync
        finally:
            await client.close()
    finally:
        store.engine_lock.release()
