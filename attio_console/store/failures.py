"""What SQLite and the disk say, in the product's own errors."""

from __future__ import annotations

import errno
from pathlib import Path

import apsw

from attio_console.errors import StoreCorrupt, StoreError, StoreUnavailable


def translate(error: apsw.Error, path: Path) -> StoreError:
    """Return the error a person can act on for one that SQLite raised about that file."""
    if isinstance(error, apsw.FullError):
        return StoreUnavailable(
            f"The disk is full: {path} cannot grow. Nothing was half-written.",
            hint="Free some space; work goes on from where it stopped.",
        )
    if isinstance(error, (apsw.BusyError, apsw.LockedError)):
        return StoreUnavailable(
            f"Another program holds {path} locked.",
            hint="Close whatever else has the file open (a database browser, a backup).",
        )
    if isinstance(error, apsw.ConnectionClosedError):
        return StoreUnavailable(f"The store at {path.parent} is closed.")
    if isinstance(error, (apsw.CorruptError, apsw.NotADBError)):
        return StoreCorrupt(
            f"{path} is damaged: {error}.",
            hint="Keep a copy, then run: attio-console doctor --salvage",
        )
    if isinstance(error, (apsw.ReadOnlyError, apsw.CantOpenError, apsw.PermissionsError)):
        return StoreUnavailable(
            f"{path} cannot be opened for writing.", hint="Check the directory's owner and mode."
        )
    if isinstance(error, apsw.IOError):
        return StoreUnavailable(f"Reading or writing {path} failed: {error}.", hint="Check the disk.")
    return StoreError(f"{path.name}: {error}")


def not_writable(error: OSError, path: Path) -> StoreUnavailable:
    """Return the error for a directory that cannot be made or written."""
    why = {
        errno.EACCES: "permission denied",
        errno.EPERM: "permission denied",
        errno.EROFS: "the file system is read-only",
        errno.ENOSPC: "the disk is full",
        errno.ENOTDIR: "part of the path is a file, not a directory",
        errno.EEXIST: "it is a file, not a directory",
    }.get(error.errno or 0, error.strerror or str(error))
    return StoreUnavailable(
        f"The data directory {path} is not writable: {why}.",
        hint="Choose another with --data-dir, or fix its owner and mode.",
    )
