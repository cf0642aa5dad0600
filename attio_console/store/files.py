"""The files of a store, and who may read them."""

from __future__ import annotations

import os
from pathlib import Path

from attio_console.store.failures import not_writable

QUEUE_FILE = "queue.db"
MIRROR_FILE = "mirror.db"
LOCK_FILE = "engine.lock"
DAMAGE_MARK = "mirror.damaged"
"""Left behind where the mirror turned out to be damaged, so that the next start begins a new one."""


def prepare_directory(directory: Path) -> None:
    """Make the data directory, readable by its owner alone; refuse one that cannot be written."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
        if not os.access(directory, os.W_OK | os.X_OK):
            raise PermissionError(13, "permission denied")
    except OSError as error:
        raise not_writable(error, directory) from error


def private(path: Path) -> Path:
    """Make the file before SQLite does, so that it never exists with a wider mode; return its path."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise not_writable(error, path.parent) from error
    return path
