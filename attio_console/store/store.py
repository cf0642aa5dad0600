"""Everything on disk about one workspace, behind one door."""

from __future__ import annotations

import asyncio
from pathlib import Path

import apsw

from attio_console.errors import StoreCorrupt, StoreError, StoreUnavailable
from attio_console.model.clock import Clock, SystemClock
from attio_console.store import mirror_schema, queue_schema, salvage
from attio_console.store.activities import Activities
from attio_console.store.audit import Audit
from attio_console.store.cache import Cache
from attio_console.store.conflict_desk import ConflictDesk
from attio_console.store.conflicts import Conflicts
from attio_console.store.database import Database, check_library
from attio_console.store.failures import translate
from attio_console.store.files import (
    DAMAGE_MARK,
    LOCK_FILE,
    MIRROR_FILE,
    QUEUE_FILE,
    prepare_directory,
    private,
)
from attio_console.store.inbox import Inbox
from attio_console.store.lock import EngineLock
from attio_console.store.mirror import Mirror
from attio_console.store.outbox import Outbox
from attio_console.store.pairs import Pairs
from attio_console.store.state import State
from attio_console.store.tx import Queue, Tx
from attio_console.store.types import CheckResult, SalvageReport

CACHE_DIRECTORY = "cache"

_MIRROR_JOBS = 4
"""A job on the mirror is up to 125 rows; more in one commit would keep others waiting."""


class Store:
    """The mirror, the queues and what hangs on them, and the cache."""

    def __init__(
        self, directory: Path, clock: Clock, queue: Database, mirror: Database, rebuilt: str
    ) -> None:
        self.directory = directory
        self.clock = clock
        self._databases = (queue, mirror)
        self.queue = Queue(queue, clock)
        self.inbox = Inbox(self.queue)
        self.outbox = Outbox(self.queue)
        self.pairs = Pairs(self.queue)
        self.activities = Activities(self.queue)
        self.conflicts = Conflicts(self.queue)
        self.conflict_desk = ConflictDesk(self.queue)
        self.audit = Audit(self.queue)
        self.state = State(self.queue)
        self.mirror = Mirror(mirror, clock, rebuilt)
        self.cache = Cache(directory / CACHE_DIRECTORY)
        self.engine_lock = EngineLock(directory / LOCK_FILE)
        self._versions = self._data_versions()
        self._foreign = 0
        mirror.on_damage = (directory / DAMAGE_MARK).touch
        for database in self._databases:
            database.start()

    @classmethod
    async def open(cls, directory: Path | str, clock: Clock | None = None) -> Store:
        """Open the store in that directory, making what is missing.

        Raises StoreUnavailable (not writable, locked, disk full), StoreCorrupt (queue.db cannot be read) or StoreTooNew.
        A mirror that cannot be read or is of another format is thrown away; `mirror.rebuilt` says why.
        """
        path = Path(directory)
        opened = await asyncio.to_thread(_open_files, path)
        return cls(path, clock or SystemClock(), *opened)

    async def close(self) -> None:
        """Finish what waits to be written and close every file."""
        await self.cache.close()
        for database in self._databases:
            # Two steps: what the writer told last is heard on the loop, which reads, before the files go.
            await asyncio.to_thread(database.stop)
        self.mirror.close()
        for database in self._databases:
            await asyncio.to_thread(database.close)
        self.engine_lock.release()

    def changed_elsewhere(self) -> bool:
        """Return whether another process wrote since the last call; what is kept in memory is then read again.

        Costs microseconds; a commit elsewhere may show one call late, because only the writers can tell it from their own.
        """
        versions = self._data_versions()
        for at, database in enumerate(self._databases):
            if versions[at] != self._versions[at]:
                database.nudge()
        self._versions = versions
        foreign = sum(database.foreign for database in self._databases)
        if foreign == self._foreign:
            return False
        self._foreign = foreign
        self.outbox.refresh()
        self.mirror.reload()
        return True

    def _data_versions(self) -> tuple[int, ...]:
        return tuple(int(database.one("PRAGMA data_version")[0]) for database in self._databases)

    @staticmethod
    async def check(directory: Path | str) -> list[CheckResult]:
        """Return what is wrong with the files in a directory, without changing any."""
        return await asyncio.to_thread(salvage.check, Path(directory))

    @staticmethod
    async def salvage(directory: Path | str) -> SalvageReport:
        """Make a new queue.db of what can be read of a damaged one, which is kept beside it.

        Raises StoreUnavailable where a console still uses the directory.
        """
        return await asyncio.to_thread(salvage.salvage, Path(directory))

    async def tidy(self) -> None:
        """Forget what is of no more use: old delivery keys, old writes of the sync itself."""

        def job(tx: Tx) -> None:
            self.inbox.tidy_in(tx)
            self.outbox.tidy_in(tx)

        await self.queue.run(job)


def _open_files(directory: Path) -> tuple[Database, Database, str]:
    check_library()
    prepare_directory(directory)
    # Files made from here on by SQLite itself (-wal, -shm) take the mode of the database file.
    queue = Database(private(directory / QUEUE_FILE), synchronous="FULL", cache_kib=4_000)
    try:
        queue_schema.migrate(queue)
        mirror, rebuilt = _open_mirror(directory)
    except BaseException:
        queue.close()
        raise
    return queue, mirror, rebuilt


def _open_mirror(directory: Path) -> tuple[Database, str]:
    path = directory / MIRROR_FILE
    marker = path.with_name(DAMAGE_MARK)
    rebuilt = "" if path.exists() else "no mirror yet"
    try:
        if marker.exists():
            raise StoreCorrupt("damage was found while it was in use")
        mirror = Database(private(path), synchronous="NORMAL", jobs_per_commit=_MIRROR_JOBS)
        try:
            found = mirror_schema.found_version(mirror)
            if found == 0:
                mirror_schema.create(mirror)
                return mirror, rebuilt or "the mirror was empty"
            if found == mirror_schema.VERSION:
                mirror_schema.probe(mirror)
                return mirror, ""
            reason = f"the mirror had format {found}, this version uses {mirror_schema.VERSION}"
        except apsw.Error as error:
            mirror.close()
            raise translate(error, path) from error
        except BaseException:
            mirror.close()
            raise
        mirror.close()
    except StoreCorrupt as error:
        reason = f"the mirror could not be read: {error.message}"
    except StoreUnavailable:
        raise
    except StoreError as error:
        reason = f"the mirror could not be used: {error.message}"
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    marker.unlink(missing_ok=True)
    mirror = Database(private(path), synchronous="NORMAL", jobs_per_commit=_MIRROR_JOBS)
    mirror_schema.create(mirror)
    return mirror, reason
