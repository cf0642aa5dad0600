"""The engine's work as a script asks for it: pull now, sync for a while, deliver this edit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from attio_console import errors
from attio_console.model.text import plain
from attio_console.services.base import NOTES, TASKS
from attio_console.services.linking import LinkVerbs
from attio_console.services.types import Done, Outcome
from attio_console.sync.errands import EngineElsewhere, Errands, Pulled, errands, until_settled
from attio_console.sync.status import PartitionStatus

_LOOK_S = 0.2


@dataclass(frozen=True, slots=True)
class PullProgress:
    """How far a pull is in one collection: rows seen, rows a second, and the seconds left where they are known."""

    label: str
    seen: int
    rate: float
    eta_s: float | None


@dataclass(frozen=True, slots=True)
class PullReport:
    """What a pull found."""

    seconds: float
    partitions: tuple[Pulled, ...]


@dataclass(frozen=True, slots=True)
class SyncReport:
    """Where things stand when a sync ends."""

    sentence: str
    state: str
    seconds: float
    records: int
    outbox: int
    refused: int
    conflicts: int
    dead_letters: int

    @property
    def needs_person(self) -> bool:
        """Whether something waits for a decision."""
        return bool(self.refused or self.conflicts or self.dead_letters)


class PullVerbs(LinkVerbs):
    """What a script asks of the engine."""

    async def pull(
        self, objects: Sequence[str], *, full: bool, progress: Callable[[PullProgress], None]
    ) -> PullReport:
        """Scan objects and lists (all, notes and tasks too, where none is named) into the mirror.

        Resumes an interrupted scan unless `full`. Raises EngineElsewhere where a console does it already.
        """
        started = self.clock.monotonic()
        told: dict[str, float] = {}

        def tell(parts: list[PartitionStatus]) -> None:
            now = self.clock.monotonic()
            for part in parts:
                if (
                    part.progress is not None
                    and part.progress.seen
                    and now - told.get(part.object, 0.0) >= 1.0
                ):
                    told[part.object] = now
                    at = part.progress
                    progress(PullProgress(plain(part.label), at.seen, at.rate, at.eta_s))

        async with self._errands() as work:
            only = {self._collection_or_kind(name) for name in objects}
            found = await work.pull(only, full=full, progress=tell)
        return PullReport(self.clock.monotonic() - started, tuple(found))

    async def run_engine(self) -> None:
        """Keep the mirror current and the outbox empty until cancelled."""
        self.engine_runs = True
        try:
            await self.required_engine().run()
        finally:
            self.engine_runs = False

    def _errands(self) -> AbstractAsyncContextManager[Errands]:
        engine = self.required_engine()
        return errands(self.profile, engine.secrets, self.store, self.bus, self.clock, engine.rng)

    def _collection_or_kind(self, name: str) -> str:
        return {"notes": NOTES, "tasks": TASKS}.get(name) or self.collection_named(name)

    async def deliver(self, done: Done, timeout_s: float) -> Outcome:
        """Send what a script just changed and say what became of it; without time, only say that it waits."""
        group_id = done.group_id
        if group_id is None:
            return Outcome(done.message, None)
        if timeout_s > 0:
            try:
                await self._send(group_id, timeout_s)
            except (errors.NetworkError, errors.SecretMissing) as error:
                return self._outcome(
                    group_id, f"{error.title}: {error.message} The edit is kept and sent later."
                )
        return self._outcome(group_id, "")

    async def _send(self, group_id: int, timeout_s: float) -> None:
        systems = {item.system for item in self.store.outbox.group(group_id).items}
        if systems <= {"attio"}:
            try:
                async with self._errands() as work:
                    await work.send(group_id, timeout_s)
                return
            except EngineElsewhere:
                await self._watch_other_engine(group_id, timeout_s)
                return
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(self.run_engine())
            await until_settled(self.store, self.bus, group_id, timeout_s)
            running.cancel()

    async def _watch_other_engine(self, group_id: int, timeout_s: float) -> None:
        """Wait for the process that runs the engine to have sent the group."""
        until = self.clock.monotonic() + timeout_s
        while self.clock.monotonic() < until:
            states = self.store.outbox.group(group_id).states
            if not states.get("pending") and not states.get("sending"):
                return
            await self.clock.sleep(_LOOK_S)

    def _outcome(self, group_id: int, trouble: str) -> Outcome:
        group = self.store.outbox.group(group_id)
        waiting = group.states.get("pending", 0) + group.states.get("sending", 0)
        refused = group.states.get("refused", 0) + group.states.get("dead", 0)
        reasons = tuple(
            plain(item.error) for item in group.items if item.state in {"refused", "dead"} and item.error
        )
        if refused:
            sentence = f"{plain(group.title)}: not done. {' '.join(dict.fromkeys(reasons))}"
        elif waiting:
            sentence = f"{plain(group.title)}: kept, waits in the outbox. {trouble}".rstrip()
        else:
            sentence = f"{plain(group.title)}: done."
        return Outcome(
            sentence=sentence,
            group_id=group_id,
            confirmed=group.states.get("confirmed", 0),
            waiting=waiting,
            refused=refused,
            record_ids=tuple(dict.fromkeys(item.record_id for item in group.items)),
            errors=reasons,
        )

    async def sync(
        self, *, once: bool, seconds: float | None, listen: tuple[str, int] | None, say: Callable[[str], None]
    ) -> SyncReport:
        """Run the engine until all is quiet (`once`), for a time, or until cancelled.

        Raises NotAuthorised, and Offline where `once` cannot reach Attio.
        """
        engine = self.required_engine()
        if listen is not None:
            engine.listen_at(*listen)
        started = self.clock.monotonic()
        failure: errors.ConsoleError | None = None
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(self.run_engine())
            try:
                async with asyncio.timeout(seconds):
                    failure = await self._until_quiet(once=once, say=say)
            except TimeoutError:
                pass
            finally:
                running.cancel()
        if failure is not None:
            raise failure
        return self._sync_report(self.clock.monotonic() - started)

    async def _until_quiet(self, *, once: bool, say: Callable[[str], None]) -> errors.ConsoleError | None:
        engine = self.required_engine()
        said = ""
        quiet_looks = 0
        while True:
            await self.clock.sleep(_LOOK_S)
            status = engine.status()
            sentence = f"{status.attio_state}. {status.sentence}".strip()
            if sentence != said:
                said = sentence
                say(sentence)
            if status.attio_state == "not-authorised":
                return errors.NotAuthorised(status.sentence, status=401)
            if not once:
                continue
            if status.attio_state == "elsewhere":
                return EngineElsewhere(status.sentence)
            if status.attio_state == "offline":
                return errors.Offline(status.sentence)
            quiet_looks = quiet_looks + 1 if engine.is_quiet else 0
            if quiet_looks >= 3:
                return None

    def _sync_report(self, seconds: float) -> SyncReport:
        head = self.headline()
        records = sum(self.store.mirror.size(shape.id) for shape in self.schema.objects)
        return SyncReport(
            sentence=(
                f"{records:,} records. Outbox {head.outbox}, refused {head.refused}, conflicts {head.conflicts},"
                f" dead letters {head.dead_letters}."
            ),
            state=head.liveness,
            seconds=round(seconds, 3),
            records=records,
            outbox=head.outbox,
            refused=head.refused,
            conflicts=head.conflicts,
            dead_letters=head.dead_letters,
        )
