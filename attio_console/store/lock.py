"""One engine per data directory: a lock that the operating system takes back when its holder dies."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from attio_console.store.failures import not_writable

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> bool:
        # Far behind the text, so that another process can still read who holds it.
        os.lseek(descriptor, 4096, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, 4096, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


class EngineLock:
    """The right to run the engine over a data directory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """Return whether this store holds it."""
        return self._descriptor is not None

    def try_acquire(self) -> bool:
        """Take the lock if nobody has it; True also where it is ours already."""
        if self._descriptor is not None:
            return True
        descriptor = self._open()
        if not _lock(descriptor):
            os.close(descriptor)
            return False
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, str(os.getpid()).encode())
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Give the lock back."""
        if self._descriptor is not None:
            _unlock(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None

    def holder(self) -> int | None:
        """Return the process that holds the lock, or None."""
        if self._descriptor is not None:
            return os.getpid()
        descriptor = self._open()
        try:
            if _lock(descriptor):
                _unlock(descriptor)
                return None
            os.lseek(descriptor, 0, os.SEEK_SET)
            text = os.read(descriptor, 32)
            return int(text) if text.isdigit() else None
        finally:
            os.close(descriptor)

    def _open(self) -> int:
        try:
            return os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        except OSError as error:
            raise not_writable(error, self._path.parent) from error
