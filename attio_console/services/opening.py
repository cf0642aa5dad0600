"""Opening a profile: which one, where its data is, and everything that runs while it is open."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from attio_console.model.clock import Clock, SystemClock

if TYPE_CHECKING:
    from attio_console.config.profiles import Profile
    from attio_console.config.secrets import Secrets
    from attio_console.services.console import Console
    from attio_console.services.desk import Desk
    from attio_console.services.resolving import Chosen
    from attio_console.store import Store
    from attio_console.sync.bus import Bus


@dataclass(frozen=True, slots=True)
class OpenOptions:
    """What a face knows before anything is open. `profile_object` and `secrets` stand in for the config file."""

    profile: str | None = None
    data_dir: Path | None = None
    base_url: str | None = None
    read_only: bool = False
    config_dir: Path | None = None
    profile_object: Profile | None = None
    secrets: Secrets | None = None
    engine: bool = True
    clock: Clock | None = None
    seed: int | None = None
    keys: Mapping[str, str | Sequence[str]] | None = None
    """Action id -> keys, in place of the config file's."""
    accept_links: bool = False
    """Whether linked systems may be written to at once: only where losing what they hold costs nothing."""


@dataclass(frozen=True, slots=True)
class _Opened:
    chosen: Chosen
    store: Store
    bus: Bus
    clock: Clock


@asynccontextmanager
async def _opened(options: OpenOptions) -> AsyncIterator[_Opened]:
    from attio_console.services.resolving import resolve
    from attio_console.store import Store
    from attio_console.sync.bus import Bus

    clock = options.clock or SystemClock()
    chosen = await resolve(options)
    store = await Store.open(chosen.directory, clock=clock)
    try:
        yield _Opened(chosen, store, Bus(), clock)
    finally:
        await store.close()


@asynccontextmanager
async def open_desk(options: OpenOptions) -> AsyncIterator[Desk]:
    """Open the profile these options name without an engine, for what works on this disk alone.

    Raises as `open_console` does.
    """
    from attio_console.services.desk import Desk

    async with _opened(options) as opened:
        profile = opened.chosen.profile
        yield Desk(profile, opened.store, opened.bus, None, opened.clock, read_only=profile.read_only)


@asynccontextmanager
async def open_console(options: OpenOptions) -> AsyncIterator[Console]:
    """Open the profile these options name and close it at the end.

    Touches only this disk, except where the workspace of a token is not known yet: then Attio is asked once.
    Raises ConfigError, SecretMissing, StoreError, and what asking Attio may raise.
    """
    from attio_console.services.console import Console
    from attio_console.sync.crm_sync import accept_first_sync
    from attio_console.sync.engine import Engine

    async with _opened(options) as opened:
        chosen, store, bus, clock = opened.chosen, opened.store, opened.bus, opened.clock
        if options.accept_links:
            for system in chosen.profile.links:
                await accept_first_sync(store, system)
        engine = (
            Engine(chosen.profile, chosen.secrets, store, bus, clock, random.Random(options.seed))
            if options.engine
            else None
        )
        store.mirror.warm()
        yield Console(chosen.profile, store, bus, engine, clock, read_only=chosen.profile.read_only)
