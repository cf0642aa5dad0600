"""The cache: four times to live, tags, and nothing that a tampered file could make it do."""

from __future__ import annotations

import contextlib
import pickle
import subprocess
import sys
from pathlib import Path

import diskcache
import pytest

from attio_console.store.cache import TTL_S, Cache, SafeDisk

_TAMPER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute(sys.argv[2], (bytes.fromhex(sys.argv[3]),) if len(sys.argv) > 3 else ())
connection.commit()
"""


class _Bomb:
    def __reduce__(self) -> object:
        return (open, (str(_Bomb.path), "w"))

    path = Path()


def _tamper(directory: Path, sql: str, blob: bytes | None = None) -> None:
    # In a process of its own: two SQLite libraries must not have one file open.
    arguments = [sys.executable, "-c", _TAMPER, str(directory / "cache.db"), sql]
    subprocess.run([*arguments, blob.hex()] if blob is not None else arguments, check=True)


async def test_documents_are_kept_by_kind_and_dropped_by_tag(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "c")
    await cache.set("record", "1", b"small", "r1")
    await cache.set("note", "1", b"x" * 200_000, "r1")
    await cache.set("list", "1", b"list", "l1")
    assert await cache.get("record", "1") == b"small" and await cache.get("note", "1") == b"x" * 200_000
    assert await cache.get("schema", "1") is None
    assert await cache.evict("r1") == 2
    assert await cache.get("record", "1") is None and await cache.get("list", "1") == b"list"
    assert await cache.evict_many(["l1", "nothing"]) == 1
    await cache.set("record", "2", b"x")
    await cache.clear()
    assert await cache.get("record", "2") is None
    await cache.close()


async def test_documents_expire_each_in_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert TTL_S == {"schema": 1800, "record": 300, "list": 120, "note": 60}
    from diskcache import core

    now = [1_000_000.0]
    monkeypatch.setattr(core.time, "time", lambda: now[0])
    cache = Cache(tmp_path / "c")
    for kind in TTL_S:
        await cache.set(kind, "k", b"x")
    for passed, good in [(59, 4), (61, 3), (121, 2), (301, 1), (1801, 0)]:
        now[0] = 1_000_000.0 + passed
        assert sum([await cache.get(kind, "k") is not None for kind in TTL_S]) == good, passed
    await cache.close()


async def test_only_bytes_go_in(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "c")
    with pytest.raises(TypeError):
        await cache.set("record", "k", {"a": 1})  # type: ignore[arg-type]
    await cache.close()


@pytest.mark.parametrize(
    ("sql", "where"),
    [
        ("UPDATE Cache SET mode = 4, value = ?, filename = NULL", "value"),
        ("UPDATE Cache SET mode = 4, filename = 'bomb.val', value = NULL", "file"),
        ("UPDATE Cache SET mode = 2, filename = '../../outside', value = NULL", "path"),
        ("UPDATE Cache SET mode = 3, filename = 'bomb.val', value = NULL", "text"),
        ("UPDATE Cache SET mode = 9", "mode"),
        ("UPDATE Cache SET mode = 1, value = 'text', filename = NULL", "type"),
    ],
)
async def test_a_tampered_row_runs_nothing_reads_nothing_and_is_thrown_away(
    tmp_path: Path, sql: str, where: str
) -> None:
    directory, trophy = tmp_path / "a" / "c", tmp_path / "ran"
    _Bomb.path = trophy
    cache = Cache(directory)
    await cache.set("record", "k", b"honest")
    await cache.close()
    bomb = pickle.dumps(_Bomb())
    (directory / "bomb.val").write_bytes(bomb)
    (tmp_path / "outside").write_bytes(b"secret")
    _tamper(directory, sql, bomb if where == "value" else None)
    cache = Cache(directory)
    assert await cache.get("record", "k") is None
    assert not trophy.exists() and cache.thrown_away == 1 and not directory.exists()
    await cache.set("record", "k", b"again")
    assert await cache.get("record", "k") == b"again"
    await cache.close()
    assert (tmp_path / "outside").read_bytes() == b"secret"


def test_a_tampered_key_is_refused_and_the_plain_disk_would_have_run_it(tmp_path: Path) -> None:
    trophy = tmp_path / "ran"
    _Bomb.path = trophy
    with diskcache.Cache(str(tmp_path / "c"), disk=SafeDisk) as cache:
        cache["k"] = b"x"
    _tamper(tmp_path / "c", "UPDATE Cache SET key = ?, raw = 0", pickle.dumps(_Bomb()))
    with (
        diskcache.Cache(str(tmp_path / "c"), disk=SafeDisk) as cache,
        pytest.raises(Exception, match="no text"),
    ):
        list(cache)
    assert not trophy.exists()
    with (
        diskcache.Cache(str(tmp_path / "c"), disk=diskcache.JSONDisk) as cache,
        contextlib.suppress(TypeError),
    ):
        list(cache)
    assert trophy.exists(), "the trap this class exists for"


async def test_eviction_deletes_no_file_outside(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "a" / "c")
    await cache.set("record", "k", b"x" * 100_000, "tag")
    await cache.close()
    (tmp_path / "outside").write_bytes(b"mine")
    _tamper(tmp_path / "a" / "c", "UPDATE Cache SET filename = '../../outside'")
    cache = Cache(tmp_path / "a" / "c")
    await cache.evict("tag")
    assert (tmp_path / "outside").exists()
    await cache.close()


@pytest.mark.parametrize("broken", ["garbage", "a file in its place"])
async def test_a_broken_cache_is_rebuilt(tmp_path: Path, broken: str) -> None:
    directory = tmp_path / "c"
    cache = Cache(directory)
    await cache.set("record", "k", b"x")
    await cache.close()
    if broken == "garbage":
        for path in directory.glob("cache.db*"):
            path.write_bytes(b"garbage" * 500)
    else:
        import shutil

        shutil.rmtree(directory)
        directory.write_text("in the way")
    cache = Cache(directory)
    assert await cache.get("record", "k") is None and cache.thrown_away
    await cache.set("record", "k", b"y")
    assert await cache.get("record", "k") == b"y"
    await cache.close()
