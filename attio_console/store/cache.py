"""Documents with a time to live, in diskcache. Worth nothing tomorrow: on any trouble the directory is thrown away.

diskcache unpickles what it finds in its database (CVE-2025-69872), and its JSONDisk does so too before it looks at the
JSON. `SafeDisk` takes and returns bytes, allows the two storage modes that hold bytes, and opens no file but its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import diskcache
from diskcache.core import MODE_BINARY, MODE_RAW, UNKNOWN

T = TypeVar("T")

TTL_S = {"schema": 30 * 60.0, "record": 5 * 60.0, "list": 2 * 60.0, "note": 60.0}
"""How long a document of each kind is good for."""

_SIZE_LIMIT = 200 * 1024 * 1024
_OWN_FILE = re.compile(r"[0-9a-f]{2}[/\\][0-9a-f]{2}[/\\][0-9a-f]{28}\.val")


class Tampered(Exception):
    """The cache holds something that this program did not put there."""


class SafeDisk(diskcache.Disk):  # type: ignore[misc]  # diskcache has no annotations
    """Keys are text, values are bytes; whatever else the database claims is refused unread."""

    def put(self, key: Any) -> tuple[str, bool]:
        """Return the key as it is stored."""
        if not isinstance(key, str):
            raise TypeError("cache keys are text")
        return key, True

    def get(self, key: Any, raw: bool) -> str:
        """Return a stored key."""
        if not raw or not isinstance(key, str):
            raise Tampered("a key that is no text")
        return key

    def store(self, value: Any, read: bool, key: Any = UNKNOWN) -> Any:
        """Return how a value is stored: small ones in the row, large ones in a file of their own."""
        if read or not isinstance(value, bytes):
            raise TypeError("cache values are bytes")
        return super().store(value, False, key)

    def fetch(self, mode: int, filename: str | None, value: Any, read: bool) -> bytes:
        """Return a stored value."""
        if mode == MODE_RAW and isinstance(value, (bytes, memoryview)) and filename is None:
            return bytes(value)
        if mode == MODE_BINARY and filename is not None and not read and _OWN_FILE.fullmatch(filename):
            return (Path(self._directory) / filename).read_bytes()
        raise Tampered("a value that is no bytes")

    def remove(self, file_path: str) -> None:
        """Delete the file of a value that went."""
        if _OWN_FILE.fullmatch(file_path):
            super().remove(file_path)


class Cache:
    """The four tiers, on a thread of its own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._cache: Any = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="cache")
        self.thrown_away = 0
        """How often the directory had to be deleted since the start."""

    async def get(self, kind: str, key: str) -> bytes | None:
        """Return a document that is still good."""
        found: bytes | None = await self._run(
            lambda cache: cache.get(f"{kind}:{key}", default=None, retry=True)
        )
        return found

    async def set(self, kind: str, key: str, value: bytes, tags: str | None = None) -> None:
        """Keep a document for as long as its kind is good for; an event that names the tag drops it."""
        await self._run(
            lambda cache: cache.set(f"{kind}:{key}", value, expire=TTL_S[kind], tag=tags, retry=True)
        )

    async def evict(self, tag: str) -> int:
        """Drop every document of a tag; return how many."""
        return await self._run(lambda cache: int(cache.evict(tag, retry=True))) or 0

    async def evict_many(self, tags: Iterable[str]) -> int:
        """Drop every document of any of those tags."""
        wanted = list(tags)
        return await self._run(lambda cache: sum(int(cache.evict(tag, retry=True)) for tag in wanted)) or 0

    async def clear(self) -> None:
        """Drop everything."""
        await self._run(lambda cache: cache.clear(retry=True))

    async def close(self) -> None:
        """Close the files."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    async def _run(self, fn: Callable[[Any], T]) -> T | None:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._guarded, fn)

    def _guarded(self, fn: Callable[[Any], T]) -> T | None:
        try:
            return fn(self._opened())
        except TypeError:
            raise
        except Exception:  # noqa: BLE001 - a cache may fail in any way but must never take the program with it
            self._throw_away()
            return None

    def _opened(self) -> Any:
        if self._cache is None:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._cache = diskcache.Cache(
                str(self._directory), disk=SafeDisk, tag_index=True, size_limit=_SIZE_LIMIT, timeout=5
            )
        return self._cache

    def _throw_away(self) -> None:
        self.thrown_away += 1
        self._close()
        if self._directory.is_dir() and not self._directory.is_symlink():
            shutil.rmtree(self._directory, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                self._directory.unlink()

    def _close(self) -> None:
        if self._cache is not None:
            cache, self._cache = self._cache, None
            try:
                cache.close()
            except Exception:  # noqa: BLE001 - it is being given up anyway
                return
