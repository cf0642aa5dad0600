"""The engine: everything that runs while a profile is open, in one task group, in one process per data directory."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from attio_console import errors
from attio_console.attio import AsyncAttio, Identity
from attio_console.model.clock import Clock
from attio_console.net.limiter import Limiter
from attio_console.net.log import LOGGER
from attio_console.net.traffic import Traffic
from attio_console.store import Store
from attio_console.store.types import PartitionState, SchemaDiff
from attio_console.sync.attio_writer import AttioWriter
from attio_console.sync.automations import Automations
from attio_console.sync.bus import Bus, What
from attio_console.sync.contact import Contact
from attio_console.sync.crm_sync import CrmLink, open_links
from attio_console.sync.gate import Gate
from attio_console.sync.heartbeat import Heartbeat
from attio_console.sync.inbox import InboxWorker
from attio_console.sync.outbox import OutboxSender
from attio_console.sync.own_writes import OwnWrites
from attio_console.sync.pull import Puller
from attio_console.sync.receiver import Receiver
from attio_console.sync.report import report
from attio_console.sync.schema_keeper import SchemaKeeper
from attio_console.sync.sources import Sources
from attio_console.sync.status import EngineStatus

if TYPE_CHECKING:
    from attio_console.config.profiles import Profile
    from attio_console.config.secrets import Secrets

# How soon a console that waits takes over, and how soon what another process wrote is seen.
LOOK_ELSEWHERE_S = 0.25
TOKEN_AGAIN_S = 5.0
WORKER_AGAIN_S = 2.0
WORKER_AGAIN_MOST_S = 60.0
RESCAN_TOLD_S = 6 * 3600.0
RESCAN_UNTOLD_S = 300.0
# No pause is longer than that: what is due later was put there by a clock that was wrong.
_LONGEST_PAUSE_S = 3600.0
_RESCAN_LOOK_S = 15.0
_TIDY_EVERY_S = 86_400.0
_EVERYTHING: tuple[What, ...] = ("schema", "records", "outbox", "conflicts", "inbox", "status")


class Engine:
    """Keeps the mirror of one profile current and its outbox empty. Its state is in `status()`, never an exception."""

    def __init__(
        self,
        profile: Profile,
        secrets: Secrets,
        store: Store,
        bus: Bus,
        clock: Clock,
        rng: random.Random,
        *,
        limiter: Limiter | None = None,
    ) -> None:
        self.profile = profile
        self.store = store
        self.bus = bus
        self.clock = clock
        self.contact = Contact(clock)
        self.gate = Gate(self.contact)
        self.traffic = Traffic(clock)
        self.limiter = limiter or Limiter(clock=clock)
        self.elsewhere = False
        self.trouble = ""
        self.identity: Identity | None = None
        self._secrets = secrets
        self._rng = rng
        self._attio: AsyncAttio | None = None
        self._own = OwnWrites(clock)
        self.keeper: SchemaKeeper | None = None
        self.puller: Puller | None = None
        self.inbox: InboxWorker | None = None
        self.outbox: OutboxSender | None = None
        self.receiver: Receiver | None = None
        self.automations: Automations | None = None
        self.links: list[CrmLink] = []

    # ------------------------------------------------------------------------------------------------- for services

    @property
    def attio(self) -> AsyncAttio:
        """Return the client; raises Offline before the engine has one."""
        if self._attio is None:
            raise errors.Offline("The engine has not started yet.")
        return self._attio

    def status(self) -> EngineStatus:
        """Return what everything is doing at this instant."""
        return report(self)

    @property
    def rescan_every_s(self) -> float:
        """Return how often everything is looked at: rarely while webhooks tell of changes."""
        told = self.receiver is not None and self.receiver.healthy
        return RESCAN_TOLD_S if told else RESCAN_UNTOLD_S

    @property
    def secrets(self) -> Secrets:
        """Return where the profile's tokens are."""
        return self._secrets

    @property
    def rng(self) -> random.Random:
        """Return the source of chance for jitter."""
        return self._rng

    @property
    def is_quiet(self) -> bool:
        """Whether everything is scanned, processed, compared and sent, as far as that is possible without a person."""
        depth = self.store.outbox.depth()
        links_idle = all(
            part.state not in {"waiting", "scanning"} for link in self.links for part in link.status()
        )
        links_idle = links_idle and not any(link.is_comparing for link in self.links)
        pulled = self.puller is not None and self.puller.complete
        return pulled and links_idle and not depth.pending and not self.store.inbox.depth()

    def listen_at(self, host: str, port: int) -> None:
        """Take deliveries at this loopback address instead of the profile's; before `run`."""
        webhook = self.profile.webhook.model_copy(update={"mode": "listen", "host": host, "port": port})
        self.profile = self.profile.model_copy(update={"webhook": webhook})

    async def pause(self) -> None:
        """Stop fetching and sending; deliveries are still kept, edits still wait."""
        self.gate.pause()
        self.bus.changed("status")

    async def resume(self) -> None:
        """Go on."""
        self.gate.resume()
        self.bus.changed("status")

    async def sync_now(self) -> None:
        """Scan everything again, and try at once what waits."""
        if self.keeper is not None:
            self.keeper.expire()
        if self.puller is not None:
            self.puller.request("asked for")
        if self.receiver is not None:
            self.receiver.check()
        for link in self.links:
            link.poke()
        self._wake_workers()

    # ------------------------------------------------------------------------------------------------- running

    async def run(self) -> None:
        """Run until cancelled. Needs no network to start; waits while another process runs the engine here."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch_store())
            tasks.create_task(self._watch_bus())
            token = await self._token()
            async with AsyncAttio(
                token,
                base_url=self.profile.base_url,
                limiter=self.limiter,
                clock=self.clock,
                rng=self._rng,
                traffic=self.traffic,
            ) as attio:
                self._attio = attio
                await self._become_the_one()
                try:
                    await self._work(attio)
                finally:
                    self.store.engine_lock.release()

    async def _token(self) -> str:
        while True:
            try:
                token = await asyncio.to_thread(self._secrets.get, self.profile.name, "attio")
                if token:
                    return token
                missing = errors.SecretMissing(
                    f"No Attio token is known for the profile {self.profile.name}."
                )
                self.contact.failed(errors.NotAuthorised(str(missing), status=401, hint=missing.hint))
            except errors.ConfigError as error:
                self.contact.failed(errors.NotAuthorised(str(error), status=401, hint=error.hint))
            self.bus.changed("status")
            await self.clock.sleep(TOKEN_AGAIN_S)

    async def _become_the_one(self) -> None:
        while not self.store.engine_lock.try_acquire():
            if not self.elsewhere:
                self.elsewhere = True
                self.bus.changed("status")
            await self.clock.sleep(LOOK_ELSEWHERE_S)
        self.elsewhere = False
        # Nobody else can hold a lease now: what a dead process had in hand is free at once.
        await self.store.inbox.recover()
        await self.store.outbox.recover()
        await self._hasten(_LONGEST_PAUSE_S)
        if self.store.mirror.rebuilt:
            for kept in self.store.state.partitions():
                if kept.system == "attio":
                    await self.store.state.put_partition(PartitionState("attio", kept.object))
        self.bus.changed("status")

    async def _work(self, attio: AsyncAttio) -> None:
        store, bus, gate, clock, rng = self.store, self.bus, self.gate, self.clock, self._rng
        sources = Sources(attio, lambda: store.mirror.schema)
        self.keeper = keeper = SchemaKeeper(attio, store, bus, self.contact, clock, self._schema_changed)
        self.puller = Puller(sources, store, bus, gate, clock, rng, keeper.expire)
        self.inbox = InboxWorker(
            store,
            sources,
            keeper,
            self._own,
            bus,
            gate,
            clock,
            rng,
            on_dead=lambda: self._missed("a delivery could not be processed"),
        )
        writer = AttioWriter(attio, store, sources, self._own, clock)
        self.outbox = OutboxSender(store, writer, keeper, bus, gate, clock, rng)
        self.receiver = Receiver(
            # Registering a webhook is a write, too.
            self.profile.webhook.model_copy(update={"mode": "off"})
            if self.profile.read_only
            else self.profile.webhook,
            profile=self.profile.name,
            base_url=self.profile.base_url,
            webhooks=attio.webhooks,
            secrets=self._secrets,
            store=store,
            bus=bus,
            gate=gate,
            clock=clock,
            wake=self.inbox.wake,
            missed=self._missed,
        )
        heartbeat = Heartbeat(
            attio, self.contact, clock, rng, known=self._known, missed=self._missed, set_back=self._hasten
        )
        if not self.profile.read_only:
            self.links = open_links(self.profile, self._secrets, store, bus, gate, clock, rng, self.traffic)
        if store.mirror.schema.objects:
            attio.use_schema(store.mirror.schema)
            self.puller.follow(store.mirror.schema)
            self._missed("the console was closed")
        self.automations = Automations(self.profile.automations, store, bus, clock)
        workers: list[Callable[[], Awaitable[None]]] = [
            heartbeat.run,
            lambda: keeper.run(gate),
            self.receiver.run,
            self.puller.run,
            self.inbox.run,
            self._rescan,
            self._tidy,
        ]
        if not self.profile.read_only:
            workers += [self.outbox.run, self.automations.run, *(link.run for link in self.links)]
        async with asyncio.TaskGroup() as tasks:
            for worker in workers:
                tasks.create_task(self._stay(worker))

    async def _stay(self, worker: Callable[[], Awaitable[None]]) -> None:
        """Keep one worker working: what the disk refuses is said, and tried again."""
        failures = 0
        while True:
            try:
                await worker()
                return
            except* errors.ConsoleError as group:
                self._in_trouble(group)
            except* Exception as group:  # noqa: BLE001 - one worker may fail in any way, the others must go on
                # What nobody foresaw stops one worker for a while, never the others: said here, and kept in the log.
                LOGGER.info("a worker of the engine stopped", exc_info=group)
                self._in_trouble(group)
            failures += 1
            await self.clock.sleep(min(WORKER_AGAIN_S * failures, WORKER_AGAIN_MOST_S))
            self.trouble = ""

    def _in_trouble(self, group: BaseExceptionGroup[Exception]) -> None:
        found: BaseException = group
        while isinstance(found, BaseExceptionGroup):
            found = found.exceptions[0]
        if isinstance(found, errors.ConsoleError):
            self.contact.remember(found)
            self.trouble = f"{found} {found.hint}".strip()
        else:
            self.trouble = f"A part of the engine stopped and begins again ({_where(found)}: {found})."
            self.contact.remember(Exception(self.trouble))
        self.bus.changed("status")

    async def _rescan(self) -> None:
        """Look at everything again when the last look is too old."""
        assert self.puller is not None
        while True:
            await self.clock.sleep(_RESCAN_LOOK_S)
            oldest = self.puller.oldest_scan()
            if oldest is not None and (self.clock.now() - oldest).total_seconds() > self.rescan_every_s:
                self.puller.request("the regular look at everything")

    async def _tidy(self) -> None:
        """Forget once a day what is of no more use."""
        while True:
            await self.store.tidy()
            await self.clock.sleep(_TIDY_EVERY_S)

    async def _watch_store(self) -> None:
        """Notice what another process wrote: its edits are sent here, its changes shown."""
        while True:
            await self.clock.sleep(LOOK_ELSEWHERE_S)
            if self.store.changed_elsewhere():
                for what in _EVERYTHING:
                    self.bus.changed(what)
                self._wake_workers()

    async def _watch_bus(self) -> None:
        with self.bus.subscribe() as changes:
            async for change in changes:
                if change.what == "outbox" and self.outbox is not None:
                    self.outbox.wake()
                elif change.what == "inbox" and self.inbox is not None:
                    self.inbox.wake()

    # ------------------------------------------------------------------------------------------------- being told

    def _known(self, identity: Identity) -> None:
        expected = self.profile.workspace_id or self.store.mirror.schema.workspace_id
        if expected and identity.workspace_id and identity.workspace_id != expected:
            raise errors.NotAuthorised(
                f"The token belongs to the workspace {identity.workspace_name or identity.workspace_id}, "
                "this data directory to another.",
                status=401,
                hint="Use another profile for it: attio-console profile add NAME",
            )
        self.identity = identity
        self._own.actor_id = identity.token_id

    def _schema_changed(self, diff: SchemaDiff) -> None:
        schema = self.store.mirror.schema
        if self._attio is not None:
            self._attio.use_schema(schema)
        if self.puller is not None:
            self.puller.follow(schema)
            self.puller.request("the schema changed", diff.changed)

    def _missed(self, reason: str) -> None:
        if self.puller is not None:
            self.puller.request(reason)
        for link in self.links:
            link.poke()
        if self.receiver is not None:
            self.receiver.check()
        self.bus.changed("status")

    async def _hasten(self, longest_s: float = 0.0) -> None:
        await self.store.inbox.hasten(longest_s)
        await self.store.outbox.hasten(longest_s)
        self.bus.changed("outbox")
        self._wake_workers()

    def _wake_workers(self) -> None:
        if self.outbox is not None:
            self.outbox.wake()
        if self.inbox is not None:
            self.inbox.wake()


def _where(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "" if trace is None else f" at {trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}"
    return f"{type(error).__name__}{place}"
