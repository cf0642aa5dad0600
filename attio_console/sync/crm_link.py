"""What one link knows and is: its mapping, its account, its contact, and how each of its partitions is."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Sequence
from datetime import datetime

from attio_console import errors
from attio_console.crm.protocol import CrmClient
from attio_console.model.clock import Clock, SystemClock
from attio_console.net import Backoff
from attio_console.store import Store
from attio_console.store.types import ConflictFilter
from attio_console.sync.bus import Bus, Subscription
from attio_console.sync.contact import Contact
from attio_console.sync.crm_context import CrmContext, save_context
from attio_console.sync.crm_pull import CrmPull
from attio_console.sync.gate import Gate
from attio_console.sync.mapping import FirstSync, Mapping, ObjectMapping
from attio_console.sync.mapping_defaults import default_mapping, default_types
from attio_console.sync.status import PartitionCondition, PartitionStatus

_BACKOFF = Backoff(base_s=1.0, cap_s=30.0)


class LinkState:
    """One other system as this console knows it."""

    def __init__(
        self,
        system: str,
        client: CrmClient,
        store: Store,
        bus: Bus,
        mapping: Mapping | None = None,
        clock: Clock | None = None,
        rng: random.Random | None = None,
        *,
        first_sync: FirstSync = "plan",
        gate: Gate | None = None,
        poll_s: float = 10.0,
        quota_share: float = 0.8,
        read_only: bool = False,
    ) -> None:
        self.system = system
        self.client = client
        self._store = store
        self._bus = bus
        self._given = mapping
        self._first_sync = first_sync
        self._gate = gate
        self._poll_s = poll_s
        self._quota_share = quota_share
        self._read_only = read_only
        self._clock = clock or SystemClock()
        self._rng = rng or random.Random()
        self.contact = Contact(self._clock)
        self._now = asyncio.Event()
        self._context: CrmContext | None = None
        self._pulls: dict[str, CrmPull] = {}
        self._polled_at: dict[str, datetime] = {}
        self._moved_at: datetime | None = None
        self._paired_at: datetime | None = None
        self._unpaired_news = True
        self._paused = ""
        self._held = 0
        self._looked = False
        self._busy = asyncio.Lock()
        self._heard: Subscription | None = None
        self._owes = False
        self.polls = 0

    async def accept(self) -> None:
        """Let the first sync write what its plan showed."""
        await self._store.state.put(accepted_key(self.system), {"accepted": True})
        self._bus.changed("conflicts")

    @property
    def is_accepted(self) -> bool:
        """Whether this link may write."""
        if self._read_only:
            return False
        context = self._context
        if context is not None and context.mapping.first_sync == "go":
            return True
        return bool((self._store.state.get(accepted_key(self.system)) or {}).get("accepted"))

    async def _persist(self, work: object) -> None:
        """Do a piece of work, again after failures, for ever."""
        failures = 0
        while True:
            try:
                await work()  # type: ignore[operator]  # any coroutine function without arguments
            except (errors.NetworkError, errors.ApiError) as error:
                failures += 1
                self.contact.failed(error)
                self.contact.remember(error)
                self._bus.changed("status")
                asked = getattr(error, "retry_after_s", None) or getattr(error, "retry_in_s", None) or 0.0
                await self._clock.sleep(
                    max(_BACKOFF.wait(min(failures, 6), self._rng), min(asked, 900.0), 0.5)
                )
            else:
                self.contact.ok()
                return

    async def prepare(self) -> None:
        """Learn the other system's fields and owners, and what is mapped to what."""
        await self._pin_account()
        schema = self._store.mirror.schema
        while not schema.objects:
            await self._next_change({"schema", "records", "status"})
            schema = self._store.mirror.schema
        if self._given is not None:
            types: Sequence[str] = self._given.external_types
        else:
            types = default_types(self.system, schema)
        objects = {}
        for name in types:
            try:
                objects[name] = await self.client.describe(name)
            except (errors.NotFound, errors.Forbidden) as error:
                if self._given is not None:
                    raise
                self.contact.remember(error)
        owners = tuple(await self.client.owners())
        mapping = self._given or default_mapping(self.system, schema, objects, first_sync=self._first_sync)
        self._context = CrmContext(mapping, objects, owners)
        await save_context(self._store, self._context)
        self._pulls = {
            name: CrmPull(self.client, self._store, self._bus, self._context, self._clock, name)
            for name in mapping.external_types
        }
        self.contact.ok()
        self._bus.changed("status")

    async def _pin_account(self) -> None:
        identity = await self.client.identity()
        key = f"crm:{self.system}:account"
        known = self._store.state.get(key)
        if known is None:
            await self._store.state.put(key, {"id": identity.account_id})
        elif known.get("id") and identity.account_id and known["id"] != identity.account_id:
            raise errors.NotAuthorised(
                f"This login belongs to another {self.system} account "
                f"({identity.account_id}); this data directory belongs to {known['id']}",
                system=self.system,
                status=401,
                hint="Use another profile for it.",
            )

    async def _next_change(self, wanted: set[str]) -> None:
        with self._bus.subscribe() as changes:
            try:
                async with asyncio.timeout(1.0):
                    async for change in changes:
                        if change.what in wanted:
                            return
            except TimeoutError:
                return

    @property
    def context(self) -> CrmContext:
        """Return what is known of the system, once it is prepared."""
        return self._ready()

    def _ready(self) -> CrmContext:
        if self._context is None:
            raise errors.UsageError(f"{self.system} is not prepared yet")
        return self._context

    def _attio_complete(self) -> bool:
        schema = self._store.mirror.schema
        for mapping in self._ready().mapping.objects:
            known = schema.object(mapping.attio)
            # Once is enough: from then on a row leaves the mirror only when it is known to be gone, scan or no scan.
            if known is None or self._store.state.partition("attio", known.id).scanned_at is None:
                return False
        return True

    def _in_order(self) -> list[ObjectMapping]:
        mapping = self._ready().mapping
        return [o for name in mapping.external_types for o in mapping.for_external(name)]

    def partitions(self) -> list[PartitionStatus]:
        """Return how each partition is."""
        now = self._clock.now()
        found = []
        names: Iterable[str] = self._pulls or ()
        for name in names:
            pull = self._pulls[name]
            state = pull.state
            polled = self._polled_at.get(name)
            conflicts = self._conflicts_of(name)
            found.append(
                PartitionStatus(
                    self.system,
                    name,
                    name,
                    self._condition(pull),
                    self._store.mirror.size(pull.collection),
                    state.scanned_at,
                    pull.progress,
                    (now - polled).total_seconds() if polled else None,
                    conflicts,
                    self._paused or self.contact.error or pull.error,
                )
            )
        return found

    def _conflicts_of(self, name: str) -> int:
        return self._store.conflicts.count("open", ConflictFilter(self.system, external_type=name))

    def _condition(self, pull: CrmPull) -> PartitionCondition:
        if self._paused:
            return "paused"
        if pull.error:
            return "failing"
        if pull.progress is not None:
            return "scanning"
        if not self.contact.is_online:
            return "waiting" if self.contact.reach == "starting" else "failing"
        # Until the first look is over nothing is known of agreement, however complete the reading is.
        return "live" if pull.is_complete and self._looked else "waiting"


def accepted_key(system: str) -> str:
    """Return under which name it is kept that the first sync may write."""
    return f"crm:{system}:accepted"
