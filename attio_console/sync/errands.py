"""Single pieces of the engine's work, for a script that wants one thing done and then its prompt back."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from attio_console import errors
from attio_console.attio import AsyncAttio
from attio_console.model.clock import Clock
from attio_console.model.schema import Schema
from attio_console.net.traffic import Traffic
from attio_console.store import Store
from attio_console.sync.attio_writer import AttioWriter
from attio_console.sync.bus import Bus
from attio_console.sync.contact import Contact
from attio_console.sync.gate import Gate
from attio_console.sync.heartbeat import Heartbeat
from attio_console.sync.outbox import OutboxSender
from attio_console.sync.own_writes import OwnWrites
from attio_console.sync.pull import Puller
from attio_console.sync.schema_keeper import SchemaKeeper
from attio_console.sync.sources import Source, Sources
from attio_console.sync.status import PartitionStatus

if TYPE_CHECKING:
    from attio_console.config.profiles import Profile
    from attio_console.config.secrets import Secrets

# A pull that hears nothing for this long gives up; what it has is kept and the next one goes on from there.
GIVE_UP_S = 60.0
_LOOK_S = 0.25


class EngineElsewhere(errors.UsageError):
    """Another process on this data directory runs the engine already; it does the work."""

    title = "Already running"


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull found in one collection."""

    object: str
    label: str
    records: int
    created: int
    changed: int
    deleted: int


class _Chosen(Sources):
    """Only some of the collections."""

    def __init__(self, attio: AsyncAttio, schema: Callable[[], Schema], only: Collection[str]) -> None:
        super().__init__(attio, schema)
        self._only = only

    def of(self, schema: Schema) -> Iterator[Source]:
        """Yield the sources of the chosen collections."""
        for source in super().of(schema):
            if not self._only or source.collection in self._only:
                yield source


class Errands:
    """The parts of the engine, without the engine. Holds the engine's lock while it is open."""

    def __init__(self, attio: AsyncAttio, store: Store, bus: Bus, clock: Clock, rng: random.Random) -> None:
        self._attio = attio
        self._store = store
        self._bus = bus
        self._clock = clock
        self._rng = rng
        self._contact = Contact(clock)
        self._gate = Gate(self._contact)
        self._own = OwnWrites(clock)
        self._keeper = SchemaKeeper(attio, store, bus, self._contact, clock, lambda _diff: None)

    async def arrive(self, expected_workspace: str | None) -> None:
        """Ask Attio who we are; raises Offline, NotAuthorised."""
        identity = await self._attio.self_()
        if not identity.active:
            raise errors.NotAuthorised("Attio does not know this token, or it was revoked.", status=401)
        expected = expected_workspace or self._store.mirror.schema.workspace_id
        if expected and identity.workspace_id != expected:
            raise errors.NotAuthorised(
                f"The token belongs to the workspace {identity.workspace_name}, this data directory to another.",
                status=401,
                hint="Use another profile or another --data-dir for it.",
            )
        self._own.actor_id = identity.token_id
        self._contact.ok()
        await self._keeper.refresh()
        self._attio.use_schema(self._store.mirror.schema)

    async def pull(
        self, only: Collection[str], *, full: bool, progress: Callable[[list[PartitionStatus]], None]
    ) -> list[Pulled]:
        """Scan the chosen collections, or all; `progress` hears of every page. Raises what ended the scan."""
        mirror = self._store.mirror
        schema = mirror.schema
        sources = _Chosen(self._attio, lambda: mirror.schema, only)
        chosen = list(sources.of(schema))
        if full:
            for source in chosen:
                await mirror.abandon_scan(source.collection)
        puller = Puller(
            sources, self._store, self._bus, self._gate, self._clock, self._rng, self._keeper.expire
        )
        puller.follow(schema)
        async with asyncio.TaskGroup() as tasks:
            heartbeat = Heartbeat(
                self._attio,
                self._contact,
                self._clock,
                self._rng,
                known=lambda _id: None,
                missed=lambda _why: None,
            )
            workers = [tasks.create_task(puller.run()), tasks.create_task(heartbeat.run())]
            failure = await self._until_pulled(puller, progress)
            for worker in workers:
                worker.cancel()
        if failure is not None:
            raise failure
        tally = puller.tally()
        return [
            Pulled(source.slug, source.label, mirror.size(source.collection), *tally[source.collection])
            for source in chosen
        ]

    async def _until_pulled(
        self, puller: Puller, progress: Callable[[list[PartitionStatus]], None]
    ) -> errors.ConsoleError | None:
        silent_since: float | None = None
        while not puller.complete:
            await self._clock.sleep(_LOOK_S)
            progress(puller.status())
            now = self._clock.monotonic()
            if self._contact.reach == "not-authorised":
                return errors.NotAuthorised(self._contact.error, status=401)
            if self._contact.is_online:
                silent_since = None
            elif silent_since is None:
                silent_since = now
            elif now - silent_since > GIVE_UP_S:
                return errors.Offline(
                    f"{self._contact.error} The pull stopped; what arrived is kept.",
                    hint="Run the same command again: it goes on at the page where it stopped.",
                )
        failed = [part for part in puller.status() if part.error]
        return errors.ApiError(f"{failed[0].label}: {failed[0].error}") if failed else None

    async def send(self, group_id: int, timeout_s: float) -> None:
        """Send what waits until nothing of that group does, or the time is over."""
        sources = Sources(self._attio, lambda: self._store.mirror.schema)
        writer = AttioWriter(self._attio, self._store, sources, self._own, self._clock)
        sender = OutboxSender(
            self._store, writer, self._keeper, self._bus, self._gate, self._clock, self._rng
        )
        async with asyncio.TaskGroup() as tasks:
            heartbeat = Heartbeat(
                self._attio,
                self._contact,
                self._clock,
                self._rng,
                known=lambda _id: None,
                missed=lambda _why: None,
            )
            workers = [tasks.create_task(sender.run()), tasks.create_task(heartbeat.run())]
            await until_settled(self._store, self._bus, group_id, timeout_s)
            for worker in workers:
                worker.cancel()


async def until_settled(store: Store, bus: Bus, group_id: int, timeout_s: float) -> bool:
    """Return True once nothing of the group waits any more, False when the time is over."""

    def waiting() -> bool:
        states = store.outbox.group(group_id).states
        return bool(states.get("pending") or states.get("sending"))

    try:
        async with asyncio.timeout(timeout_s):
            with bus.subscribe() as changes:
                while waiting():
                    await anext(changes)
    except TimeoutError:
        return not waiting()
    return True


@asynccontextmanager
async def errands(
    profile: Profile, secrets: Secrets, store: Store, bus: Bus, clock: Clock, rng: random.Random
) -> AsyncIterator[Errands]:
    """Become the one process that talks to Attio for this directory, for as long as the block lasts.

    Raises EngineElsewhere, SecretMissing, Offline, NotAuthorised.
    """
    token = await asyncio.to_thread(secrets.get, profile.name, "attio")
    if not token:
        raise errors.SecretMissing(f"No Attio token is known for the profile {profile.name}.")
    if not store.engine_lock.try_acquire():
        pid = store.engine_lock.holder()
        raise EngineElsewhere(
            f"Another console{f' (process {pid})' if pid else ''} runs the engine on this data directory.",
            hint="It pulls and sends by itself: attio-console status",
        )
    try:
        await store.inbox.recover()
        await store.outbox.recover()
        async with AsyncAttio(
            token, base_url=profile.base_url, clock=clock, rng=rng, traffic=Traffic(clock)
        ) as attio:
            work = Errands(attio, store, bus, clock, rng)
            await work.arrive(profile.workspace_id)
            yield work
    finally:
        store.engine_lock.release()
