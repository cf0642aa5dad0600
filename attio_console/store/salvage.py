"""What `doctor` does about files that cannot be trusted: look, and keep what is readable."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apsw

from attio_console.errors import StoreUnavailable
from attio_console.store import queue_schema
from attio_console.store.database import Database
from attio_console.store.failures import translate
from attio_console.store.files import LOCK_FILE, MIRROR_FILE, QUEUE_FILE, private
from attio_console.store.lock import EngineLock
from attio_console.store.sql import ask
from attio_console.store.types import CheckResult, SalvageReport

_SIDES = ("-wal", "-shm")


def check(directory: Path) -> list[CheckResult]:
    """Look at every file of a store without changing it."""
    results = [_modes(directory)]
    queue = directory / QUEUE_FILE
    if queue.exists():
        results.append(_sound(queue, "Keep a copy, then run: attio-console doctor --salvage"))
    mirror = directory / MIRROR_FILE
    if mirror.exists():
        results.append(_sound(mirror, f"Delete {mirror}: it is pulled again by itself."))
    return results


def _modes(directory: Path) -> CheckResult:
    if not directory.exists():
        return CheckResult("directory", ok=True, detail=f"{directory} does not exist yet.")
    open_to_others = [
        path.name
        for path in (directory, *(directory / name for name in (QUEUE_FILE, MIRROR_FILE)))
        if path.exists() and path.stat().st_mode & 0o077
    ]
    if open_to_others:
        return CheckResult(
            "directory",
            ok=False,
            detail=f"Others can read {', '.join(open_to_others)}.",
            hint=f"chmod -R go= {directory}",
        )
    return CheckResult("directory", ok=True, detail=f"{directory} is readable by its owner alone.")


def _sound(path: Path, hint: str) -> CheckResult:
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            connection.set_busy_timeout(5000)
            found = [line for (line,) in ask(connection, "PRAGMA integrity_check(5)")]
            version = connection.pragma("user_version")
        finally:
            connection.close()
    except apsw.Error as error:
        return CheckResult(path.name, ok=False, detail=translate(error, path).message, hint=hint)
    if found != ["ok"]:
        return CheckResult(path.name, ok=False, detail="; ".join(found), hint=hint)
    return CheckResult(
        path.name, ok=True, detail=f"Sound; format {version}, {path.stat().st_size / 1e6:,.1f} MB."
    )


def salvage(directory: Path) -> SalvageReport:
    """Copy every row that can be read into a new queue.db; the damaged file stays under another name."""
    lock = EngineLock(directory / LOCK_FILE)
    if not lock.try_acquire():
        raise StoreUnavailable(
            f"A console (process {lock.holder()}) is using {directory}.", hint="Quit it, then try again."
        )
    try:
        return _salvage(directory)
    finally:
        lock.release()


def _salvage(directory: Path) -> SalvageReport:
    damaged, fresh = directory / QUEUE_FILE, directory / f"{QUEUE_FILE}.salvaged"
    for suffix in ("", *_SIDES):
        fresh.with_name(fresh.name + suffix).unlink(missing_ok=True)
    kept: dict[str, int] = {}
    lost: dict[str, int] = {}
    target = Database(private(fresh), synchronous="FULL")
    try:
        queue_schema.migrate(target)
        target.writer.execute("PRAGMA foreign_keys = OFF")
        try:
            source = apsw.Connection(str(damaged), flags=apsw.SQLITE_OPEN_READONLY)
        except apsw.Error as error:
            raise translate(error, damaged) from error
        try:
            target.writer.execute("BEGIN")
            for table in queue_schema.TABLES:
                kept[table], lost[table] = _copy(source, target.writer, table)
            _keep_counting(source, target.writer)
            target.writer.execute("COMMIT")
        finally:
            source.close()
    except apsw.Error as error:
        raise translate(error, fresh) from error
    finally:
        target.close()
    aside = damaged.with_name(f"{QUEUE_FILE}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S}")
    for suffix in ("", *_SIDES):
        path = damaged.with_name(damaged.name + suffix)
        if path.exists():
            path.rename(aside.with_name(aside.name + suffix))
    fresh.rename(damaged)
    return SalvageReport(kept, lost, str(aside))


def _copy(source: apsw.Connection, target: apsw.Connection, table: str) -> tuple[int, int]:
    """Copy a table from both its ends up to where it cannot be read; return how many rows came and how many did not."""
    if table == "fence":
        target.execute("DELETE FROM fence")
    columns = [name for _, name, *_ in ask(target, f"PRAGMA table_info({table})")]
    key = [name for _, name, _, _, _, pk in ask(target, f"PRAGMA table_info({table})") if pk] or ["rowid"]
    for way in ("ASC", "DESC"):
        order = ", ".join(f"{name} {way}" for name in key)
        if _rows(source, target, table, columns, order):
            break
    here = int(ask(target, f"SELECT count(*) FROM {table}")[0][0])
    if table == "fence" and not here:
        # Nothing that was given out before may be given out again.
        target.execute("INSERT INTO fence VALUES (1 << 40)")
        here = 1
    try:
        there = int(ask(source, f"SELECT count(*) FROM {table}")[0][0])
    except apsw.Error:
        there = here
    return here, max(there - here, 0)


def _rows(
    source: apsw.Connection, target: apsw.Connection, table: str, columns: list[str], order: str
) -> bool:
    """Copy rows in that order until one cannot be read; return whether the end was reached."""
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    try:
        cursor: Any = source.execute(f"SELECT {names} FROM {table} ORDER BY {order}")
        for row in cursor:
            target.execute(f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})", row)
    except (apsw.CorruptError, apsw.NotADBError, apsw.SQLError, apsw.IOError):
        return False
    return True


def _keep_counting(source: apsw.Connection, target: apsw.Connection) -> None:
    """Go on with the ids where the damaged file stopped: none is ever given out twice."""
    try:
        sequences = ask(source, "SELECT name, seq FROM sqlite_sequence")
    except apsw.Error:
        return
    for name, seq in sequences:
        target.execute("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", (seq, name))
        if not target.changes():
            target.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (name, seq))
