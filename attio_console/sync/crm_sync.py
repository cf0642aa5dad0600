"""The links of a profile, as the engine runs them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from attio_console import errors
from attio_console.crm import (
    ClientCredentials,
    CrmClient,
    HubSpot,
    JwtBearer,
    RefreshToken,
    Salesforce,
    SalesforceAuth,
)
from attio_console.model.clock import Clock
from attio_console.net import REDACTOR, Limiter, Traffic
from attio_console.store import Store
from attio_console.sync.bus import Bus
from attio_console.sync.crm import CrmSync, accepted_key
from attio_console.sync.gate import Gate
from attio_console.sync.mapping import Mapping
from attio_console.sync.mapping_edit import own_mapping
from attio_console.sync.mapping_file import read_mapping
from attio_console.sync.status import PartitionStatus

if TYPE_CHECKING:
    from attio_console.config.profiles import HubSpotLink, Profile, SalesforceLink
    from attio_console.config.secrets import Secrets


class CrmLink:
    """One linked system: opens its client when it runs, because a keyring may take its time."""

    def __init__(
        self,
        system: str,
        link: HubSpotLink | SalesforceLink,
        profile: Profile,
        secrets: Secrets,
        store: Store,
        bus: Bus,
        gate: Gate,
        clock: Clock,
        rng: random.Random,
        traffic: Traffic,
    ) -> None:
        self.system = system
        self._link = link
        self._profile = profile
        self._secrets = secrets
        self._store = store
        self._bus = bus
        self._gate = gate
        self._clock = clock
        self._rng = rng
        self._traffic = traffic
        self._poked = asyncio.Event()
        self._problem = ""
        self.sync: CrmSync | None = None

    @property
    def limiter(self) -> Limiter | None:
        """Return the rate limiter of the open client."""
        client = self.sync.client if self.sync else None
        return client.limiter if isinstance(client, HubSpot | Salesforce) else None

    async def run(self) -> None:
        """Sync until cancelled. A missing secret or a wrong mapping is said, and tried again when poked."""
        while True:
            self._poked.clear()
            try:
                mapping = await asyncio.to_thread(self.mapping)
                await self._run(await self.secret(), mapping)
            except errors.ConfigError as error:
                self._problem = f"{error} {error.hint}".strip()
                self._bus.changed("status")
                await self._poked.wait()

    async def secret(self) -> str:
        """Return the system's token or key. Raises SecretMissing."""
        secret = await asyncio.to_thread(self._secrets.get, self._profile.name, self.system)
        if not secret:
            raise errors.SecretMissing(
                f"No {self.system} token for the profile {self._profile.name}",
                hint=f"attio-console pairs init {self.system} --token-stdin",
            )
        REDACTOR.add(secret)
        return secret

    def sync_with(self, client: CrmClient, mapping: Mapping | None) -> CrmSync:
        """Return the sync over an open client, not running."""
        return CrmSync(
            self.system,
            client,
            self._store,
            self._bus,
            mapping,
            self._clock,
            self._rng,
            gate=self._gate,
            poll_s=self._link.poll_s,
            quota_share=self._link.quota_share,
            read_only=self._profile.read_only,
        )

    async def _run(self, secret: str, mapping: Mapping | None) -> None:
        client = self.client(secret)
        try:
            self.sync = self.sync_with(client, mapping)
            self._problem = ""
            await self.sync.run()
        finally:
            self.sync = None
            await client.close()

    def mapping(self) -> Mapping | None:
        """Return the mapping of the profile's file, or of the workspace's own; None without either. Raises ConfigError."""
        path: Path | None = self._link.mapping
        if path is None:
            path = own_mapping(self._store.directory, self.system)
            if not path.exists():
                return None
        mapping = read_mapping(path)
        if mapping.system != self.system:
            raise errors.ConfigError(f"{path} maps {mapping.system}, not {self.system}")
        return mapping

    def client(self, secret: str) -> CrmClient:
        """Return a client for the system; whoever asks closes it."""
        return client_for(self._link, secret, self._clock, self._rng, self._traffic)

    @property
    def is_comparing(self) -> bool:
        """Whether pairs are being compared, or are still to be."""
        return self.sync is not None and self.sync.is_comparing

    def poke(self) -> None:
        """Look at the other system now."""
        self._poked.set()
        if self.sync is not None:
            self.sync.sync_now()

    def changed(self, collection: str, record_ids: Sequence[str]) -> None:
        """Hear that rows of Attio changed: the bus tells the comparison, this spares the wait for a poll."""
        del collection, record_ids

    def status(self) -> list[PartitionStatus]:
        """Return what each object is doing."""
        if self.sync is not None and (found := self.sync.partitions()):
            return found
        state = "failing" if self._problem else "waiting"
        error = self._problem or (self.sync.contact.error if self.sync else "")
        return [PartitionStatus(self.system, "", self.system.title(), state, error=error)]


def client_for(
    link: HubSpotLink | SalesforceLink,
    secret: str,
    clock: Clock,
    rng: random.Random,
    traffic: Traffic | None = None,
) -> CrmClient:
    """Return a client for a link of the config; whoever asks closes it."""
    from attio_console.config.profiles import HubSpotLink

    if isinstance(link, HubSpotLink):
        return HubSpot(
            secret, base_url=link.base_url, version=link.version, clock=clock, rng=rng, traffic=traffic
        )
    auth: SalesforceAuth
    if link.auth == "jwt":
        auth = JwtBearer(link.login_url, link.client_id, link.username, secret.encode(), clock=clock)
    elif link.auth == "refresh":
        auth = RefreshToken(link.login_url, link.client_id, secret)
    else:
        auth = ClientCredentials(link.login_url, link.client_id, secret)
    return Salesforce(auth, version=link.version, clock=clock, rng=rng, traffic=traffic)


def open_links(
    profile: Profile,
    secrets: Secrets,
    store: Store,
    bus: Bus,
    gate: Gate,
    clock: Clock,
    rng: random.Random,
    traffic: Traffic,
) -> list[CrmLink]:
    """Return the links that a profile names."""
    named = {"hubspot": profile.hubspot, "salesforce": profile.salesforce}
    return [
        CrmLink(system, link, profile, secrets, store, bus, gate, clock, rng, traffic)
        for system, link in named.items()
        if link is not None
    ]


async def accept_first_sync(store: Store, system: str) -> None:
    """Let the first sync with a system write: a person has seen its plan, or there is nothing real to lose."""
    await store.state.put(accepted_key(system), {"accepted": True})


__all__ = ["CrmLink", "accept_first_sync", "client_for", "open_links"]
