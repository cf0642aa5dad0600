"""One SQLite file: a writer thread with group commit, a connection for indexed reads, and threads for reads that may scan."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import apsw

from attio_console.errors import StoreCorrupt, StoreError, StoreUnavailable
from attio_console.store.failures import translate
from attio_console.store.readers import Reader
from attio_console.store.sql import ask

T = TypeVar("T")

SAFE_SQLITE = (3, 51, 3)
"""Older libraries can lose a commit when two connections checkpoint together (the WAL-reset bug)."""

_BUSY_MS = 5000
_BATCH_JOBS = 256
_PATIENCE_S = 0.02


class Work:
    """What a job gets: the connection inside its savepoint, and what to do on the loop once it is committed."""

    def __init__(self, connection: apsw.Connection) -> None:
        self.connection = connection
        self.after: list[Callable[[], None]] = []
        self.undone: list[Callable[[], None]] = []
        """Called in the writer thread where the commit that this job is part of fails."""

    def execute(self, sql: str, bindings: Any = ()) -> list[Any]:
        """Run one statement to its end and return its rows."""
        return ask(self.connection, sql, bindings)

    def changes(self) -> int:
        """Return how many rows the last statement touched."""
        return self.connection.changes()

    def last_id(self) -> int:
        """Return the row id of the last insert."""
        return self.connection.last_insert_rowid()


class _Job:
    __slots__ = ("after", "error", "fn", "future", "loop", "result", "undone")

    def __init__(
        self,
        fn: Callable[[Work], Any],
        loop: asyncio.AbstractEventLoop | None,
        future: asyncio.Future[Any] | None,
    ) -> None:
        self.fn = fn
        self.loop = loop
        self.future = future
        self.result: Any = None
        self.error: BaseException | None = None
        self.after: list[Callable[[], None]] = []
        self.undone: list[Callable[[], None]] = []


class Database:
    """A file, its writer and its readers. Everything durable goes through `run`."""

    def __init__(
        self, path: Path, *, synchronous: str, cache_kib: int = 16_000, jobs_per_commit: int = _BATCH_JOBS
    ) -> None:
        self.path = path
        self._synchronous = synchronous
        self._cache_kib = cache_kib
        self._jobs_per_commit = jobs_per_commit
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._readers: dict[str, Reader] = {}
        self._closed = False
        self._is_shut = False
        self.idle_error: Exception | None = None
        """What went wrong the last time upkeep was done."""
        self.on_damage: Callable[[], None] | None = None
        """Called, on any thread, when the file turns out to be damaged while it is in use."""
        self._data_version = 0
        self.foreign = 0
        """How many times another process was seen to have written."""
        self.idle: Callable[[Work], bool] | None = None
        """Called inside a transaction when no job waits; returns whether it would like to go on."""
        self.writer = self._connect(read_only=False)
        try:
            self.reads = self._connect(read_only=True)
        except BaseException:
            self.writer.close()
            raise

    def _connect(self, *, read_only: bool) -> apsw.Connection:
        flags = (
            apsw.SQLITE_OPEN_READONLY if read_only else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
        )
        try:
            connection = apsw.Connection(str(self.path), flags=flags)
            connection.set_busy_timeout(_BUSY_MS)
            if not read_only:
                connection.execute("PRAGMA journal_mode = WAL").fetchall()
                connection.execute(f"PRAGMA synchronous = {self._synchronous}")
                connection.execute("PRAGMA wal_autocheckpoint = 4000")
                connection.execute("PRAGMA journal_size_limit = 67108864")
            connection.execute("PRAGMA temp_store = MEMORY")
            # There are several readers, and the system keeps what they read as well.
            connection.execute(f"PRAGMA cache_size = -{self._cache_kib // (2 if read_only else 1)}")
            # Reading the schema here is what finds a file that is no database before anybody relies on it.
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
        except apsw.Error as error:
            raise translate(error, self.path) from error
        return connection

    def start(self) -> None:
        """Start the writer thread."""
        self._data_version = int(self.writer.pragma("data_version"))
        self._thread = threading.Thread(target=self._write_loop, name=f"write {self.path.name}", daemon=True)
        self._thread.start()

    def reader(self, name: str) -> Reader:
        """Return the reader thread of that name, with its own read-only connection."""
        if name not in self._readers:
            self._readers[name] = Reader(name, self.path, lambda: self._connect(read_only=True), self.fail)
        return self._readers[name]

    def fail(self, error: apsw.Error) -> StoreError:
        """Return the error for a person, and let it be known where the file is damaged."""
        failure = translate(error, self.path)
        if isinstance(failure, StoreCorrupt) and self.on_damage is not None:
            self.on_damage()
        return failure

    # ------------------------------------------------------------------------------------------- reading on the loop

    def rows(self, sql: str, bindings: Any = ()) -> list[Any]:
        """Answer from an index, at once, on the calling thread."""
        try:
            return ask(self.reads, sql, bindings)
        except apsw.Error as error:
            raise self.fail(error) from error

    def one(self, sql: str, bindings: Any = ()) -> Any:
        """Return the first row, or None."""
        rows = self.rows(sql, bindings)
        return rows[0] if rows else None

    # ------------------------------------------------------------------------------------------- writing

    async def run(self, fn: Callable[[Work], T]) -> T:
        """Run one job in the writer thread; it is on disk when this returns.

        Jobs that wait at the same time share one transaction, each in its own savepoint: one that fails undoes only
        itself.
        """
        return await self.wait(self.submit(fn))

    def submit(self, fn: Callable[[Work], T]) -> asyncio.Future[T]:
        """Hand a job to the writer thread; jobs are done in the order they are handed in."""
        future, hand_in = self.promise(fn)
        hand_in()
        return future

    def promise(self, fn: Callable[[Work], T]) -> tuple[asyncio.Future[T], Callable[[], None]]:
        """Return the future of a job, and what hands it in: on whichever thread its last piece gets ready."""
        if self._closed or self._thread is None:
            raise StoreUnavailable(f"The store at {self.path.parent} is closed.")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        job = _Job(fn, loop, future)

        def hand_in() -> None:
            if self._closed:
                job.error = StoreUnavailable(f"The store at {self.path.parent} is closed.")
                _deliver([job])
            else:
                self._jobs.put(job)

        return future, hand_in

    async def wait(self, future: asyncio.Future[T]) -> T:
        """Wait for a job that was handed in."""
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            # The write happens all the same; nobody is left to hear how it went.
            future.add_done_callback(_heard)
            raise

    def _write_loop(self) -> None:
        while True:
            job = self._next_job()
            if job is None:
                return
            batch = [job]
            stop = False
            while len(batch) < self._jobs_per_commit:
                try:
                    following = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    stop = True
                    break
                batch.append(following)
            self._commit(batch)
            _deliver(batch)
            if stop:
                return

    def _next_job(self) -> _Job | None:
        """Wait for a job; once none came for a moment, do upkeep a little at a time."""
        patience = _PATIENCE_S
        while True:
            try:
                return self._jobs.get(timeout=patience) if patience else self._jobs.get_nowait()
            except queue.Empty:
                patience = 0.0
                if not self._idle_work():
                    return self._jobs.get()

    def _idle_work(self) -> bool:
        if self.idle is None:
            return False
        work = Work(self.writer)
        try:
            self.writer.execute("BEGIN IMMEDIATE")
            try:
                more = self.idle(work)
            except BaseException:
                self.writer.execute("ROLLBACK")
                raise
            self.writer.execute("COMMIT")
        except apsw.Error as error:
            # Background upkeep: whoever writes next meets the same disk and reports it.
            self.idle_error = self.fail(error)
            self._roll_back()
            return False
        except Exception as error:  # noqa: BLE001 - the thread must live on; whoever asked for the work meets the error
            self.idle_error = error
            return False
        return more

    def _commit(self, batch: list[_Job]) -> None:
        try:
            self.writer.execute("BEGIN IMMEDIATE")
            self._look_for_others()
            for job in batch:
                self._run_job(job)
            self.writer.execute("COMMIT")
        except apsw.Error as error:
            self._roll_back()
            failure = self.fail(error)
            for job in batch:
                job.error = job.error or failure
                job.after.clear()
                for callback in job.undone:
                    callback()

    def _look_for_others(self) -> None:
        """Notice commits of other processes: this connection's data_version ignores its own."""
        version = int(self.writer.pragma("data_version"))
        if version != self._data_version:
            self._data_version = version
            self.foreign += 1

    def nudge(self) -> None:
        """Let the writer thread look around: for other processes' commits, and for background work."""
        if not self._closed:
            self._jobs.put(_Job(lambda _work: None, None, None))

    def _run_job(self, job: _Job) -> None:
        work = Work(self.writer)
        job.undone = work.undone
        self.writer.execute("SAVEPOINT job")
        try:
            job.result = job.fn(work)
        except (apsw.FullError, apsw.IOError, apsw.CorruptError, apsw.NotADBError):
            # The whole transaction is in doubt, not only this job.
            raise
        except BaseException as error:  # noqa: BLE001 - it is handed to the caller, on the caller's own thread
            job.error = self.fail(error) if isinstance(error, apsw.Error) else error
            self.writer.execute("ROLLBACK TO job")
        else:
            job.after = work.after
        self.writer.execute("RELEASE job")

    def _roll_back(self) -> None:
        if self.writer.in_transaction:
            self.writer.execute("ROLLBACK")

    # ------------------------------------------------------------------------------------------- closing

    def stop(self) -> None:
        """Finish what waits and stop the writer. Blocks; call it off the loop."""
        if self._closed:
            return
        self._closed = True
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()

    def close(self) -> None:
        """Stop, and close every connection. Blocks; call it off the loop, after what the writer told was heard there."""
        self.stop()
        if self._is_shut:
            return
        self._is_shut = True
        for reader in self._readers.values():
            reader.close()
        self.reads.close()
        try:
            self.writer.execute("PRAGMA optimize").fetchall()
        except apsw.Error:
            # Statistics are a nicety; a full or read-only disk must not stop the program from leaving.
            pass
        self.writer.close()


def _deliver(batch: list[_Job]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
    for job in batch:
        if job.loop is not None:
            by_loop.setdefault(job.loop, []).append(job)
    for loop, jobs in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, jobs)


def _settle(jobs: list[_Job]) -> None:
    for job in jobs:
        for callback in job.after:
            callback()
        if job.future is None or job.future.cancelled():
            continue
        if job.error is not None:
            job.future.set_exception(job.error)
        else:
            job.future.set_result(job.result)


def _heard(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()


def check_library() -> None:
    """Refuse a SQLite library that is known to lose commits."""
    version = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    if version < SAFE_SQLITE:
        raise StoreUnavailable(
            f"The installed SQLite {apsw.sqlite_lib_version()} can lose writes; 3.51.3 or newer is needed.",
            hint="pip install --upgrade apsw",
        )
