"""What the store says and keeps when the disk, another program or a version gets in its way."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import apsw
import pytest

from attio_console.errors import StoreCorrupt, StoreTooNew, StoreUnavailable
from attio_console.model.clock import FakeClock
from attio_console.store import Store, mirror_schema, queue_schema
from attio_console.store.types import AuditEntry, Delivery, FieldEdit, NewItem, NewPair, View


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_only_the_owner_may_read_anything(tmp_path: Path, made: Any) -> None:
    old_mask = os.umask(0)
    try:
        directory = tmp_path / "a" / "store"
        store = await Store.open(directory)
        await store.mirror.apply_page(made.people, [made.person(1)])
        await store.cache.set("record", "k", b"x" * 100_000)
        store.engine_lock.try_acquire()
        files = [path for path in directory.rglob("*") if path.is_file() and "cache" not in path.parts]
        assert _mode(directory) == 0o700 and {_mode(path) for path in files} == {0o600}, files
        assert _mode(directory / "cache") == 0o700
        await store.close()
    finally:
        os.umask(old_mask)
    (directory / "queue.db").chmod(0o644)
    assert not (await Store.check(directory))[0].ok
    await (await Store.open(directory)).close()
    assert _mode(directory / "queue.db") == 0o600


async def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable) as raised:
        await Store.open(tmp_path / "file" / "store")
    assert (
        str(tmp_path / "file" / "store") in raised.value.message and "not a directory" in raised.value.message
    )
    with pytest.raises(StoreUnavailable):
        await Store.open(tmp_path / "file")
    if os.geteuid() == 0:
        return  # root may write anywhere
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    with pytest.raises(StoreUnavailable) as raised:
        await Store.open(locked / "store")
    assert "permission denied" in raised.value.message


async def test_a_full_disk_leaves_nothing_half_written_and_work_goes_on_afterwards(
    store: Store, made: Any
) -> None:
    queue, mirror = store._databases
    await store.outbox.add([NewItem("attio", "c", "before", "set")], "before")
    limit = queue.writer.pragma("page_count")
    queue.writer.execute(f"PRAGMA max_page_count = {limit}")
    with pytest.raises(StoreUnavailable, match="disk is full"):
        await store.inbox.put(Delivery("big", "w", b"x" * 1_000_000, store.clock.now()))
    queue.writer.execute("PRAGMA max_page_count = 1000000")
    assert await store.inbox.put(Delivery("big", "w", b"x" * 1_000_000, store.clock.now())), (
        "its key was not kept"
    )
    assert [item.record_id for item in store.outbox.items()] == ["before"]

    state = await store.mirror.begin_scan(made.people)
    mirror.writer.execute(f"PRAGMA max_page_count = {mirror.writer.pragma('page_count') + 20}")
    page = [made.person(n, f"P{n}", job_title=os.urandom(400).hex()) for n in range(400)]
    with pytest.raises(StoreUnavailable, match="disk is full"):
        await store.mirror.apply_page(made.people, page, scan=state.scan, cursor=b"1")
    mirror.writer.execute("PRAGMA max_page_count = 1000000")
    assert store.mirror.scan_state(made.people).cursor is None, "the page was not done"
    assert store.mirror.size(made.people) == len(store.mirror.ids(made.people))
    await store.mirror.apply_page(made.people, page, scan=state.scan, cursor=b"1")
    assert store.mirror.size(made.people) == 400
    assert [store.mirror.raw(made.people, made.id(n)) for n in range(400)] == page


async def test_a_database_that_another_program_holds_is_said_so(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import apsw,sys; c=apsw.Connection(sys.argv[1]); c.execute('begin exclusive'); print('held', flush=True); sys.stdin.read()",
            str(tmp_path / "queue.db"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None and holder.stdin is not None
    holder.stdout.readline()
    store.queue.database.writer.set_busy_timeout(50)
    try:
        with pytest.raises(StoreUnavailable, match="Another program"):
            await store.state.put("k", 1)
    finally:
        holder.stdin.close()
        holder.wait()
        holder.stdout.close()
    await store.state.put("k", 2)
    assert store.state.get("k") == 2
    await store.close()


@pytest.mark.parametrize("damage", ["garbage", "header", "middle", "empty"])
async def test_a_mirror_that_cannot_be_read_is_thrown_away_and_says_so(
    tmp_path: Path, made: Any, damage: str
) -> None:
    store = await Store.open(tmp_path)
    await store.mirror.put_schema(made.schema)
    await store.mirror.apply_page(made.people, [made.person(n, f"P{n}") for n in range(300)])
    await store.outbox.add([NewItem("attio", made.people, "kept", "set")], "x")
    await store.close()
    path = tmp_path / "mirror.db"
    raw = bytearray(path.read_bytes())
    if damage == "garbage":
        raw = bytearray(os.urandom(20_000))
    elif damage == "header":
        raw[:16] = b"not a database!!"
    elif damage == "middle":
        for at in range(4096, len(raw), 4096):
            raw[at : at + 64] = b"\xff" * 64
    else:
        raw = bytearray()
    path.write_bytes(raw)
    store = await Store.open(tmp_path)
    assert store.mirror.rebuilt
    assert store.mirror.size(made.people) == 0 and [i.record_id for i in store.outbox.items()] == ["kept"]
    await store.mirror.apply_page(made.people, [made.person(1)])
    await store.close()
    store = await Store.open(tmp_path)
    assert store.mirror.rebuilt == "" and store.mirror.size(made.people) == 1
    await store.close()


@pytest.mark.parametrize("version", [mirror_schema.VERSION + 1, 999])
async def test_a_mirror_of_another_format_is_thrown_away(tmp_path: Path, version: int) -> None:
    await (await Store.open(tmp_path)).close()
    connection = apsw.Connection(str(tmp_path / "mirror.db"))
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    store = await Store.open(tmp_path)
    assert f"format {version}" in store.mirror.rebuilt
    await store.close()


async def test_a_deleted_mirror_is_begun_anew(tmp_path: Path) -> None:
    await (await Store.open(tmp_path)).close()
    (tmp_path / "mirror.db").unlink()
    store = await Store.open(tmp_path)
    assert store.mirror.rebuilt == "no mirror yet"
    await store.close()


async def test_a_queue_of_a_newer_version_is_refused_untouched(tmp_path: Path) -> None:
    await (await Store.open(tmp_path)).close()
    connection = apsw.Connection(str(tmp_path / "queue.db"))
    connection.execute(f"PRAGMA user_version = {queue_schema.VERSION + 1}")
    connection.close()
    before = (tmp_path / "queue.db").read_bytes()
    with pytest.raises(StoreTooNew):
        await Store.open(tmp_path)
    assert (tmp_path / "queue.db").read_bytes() == before


async def test_an_older_queue_is_brought_forward_in_one_transaction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await Store.open(tmp_path)
    await store.state.put("kept", [1])
    await store.close()
    steps = (*queue_schema.MIGRATIONS, "CREATE TABLE fresh (x); INSERT INTO fresh VALUES (7)")
    monkeypatch.setattr(queue_schema, "MIGRATIONS", (*steps, "CREATE TABLE fresh (clash)"))
    monkeypatch.setattr(queue_schema, "VERSION", len(steps) + 1)
    with pytest.raises(Exception, match="fresh"):
        await Store.open(tmp_path)
    monkeypatch.setattr(queue_schema, "MIGRATIONS", steps)
    monkeypatch.setattr(queue_schema, "VERSION", len(steps))
    store = await Store.open(tmp_path)
    assert store.state.get("kept") == [1] and store.queue.one("SELECT x FROM fresh") == (7,)
    await store.close()


async def test_a_damaged_queue_is_refused_and_what_is_readable_can_be_kept(
    tmp_path: Path, clock: FakeClock
) -> None:
    store = await Store.open(tmp_path, clock)
    for n in range(300):
        await store.outbox.add(
            [NewItem("attio", "c", f"r{n}", "set", {"f": FieldEdit([], ["x" * 300])})], "x"
        )
    await store.pairs.put([NewPair("hubspot", "people", "c", f"r{n}", "contacts", str(n)) for n in range(50)])
    await store.audit.append(AuditEntry("a", "b"))
    (claim, *_) = await store.outbox.claim("attio", 1, 30)
    root = store.queue.one("SELECT rootpage FROM sqlite_schema WHERE name = 'outbox'")[0]
    await store.close()
    path = tmp_path / "queue.db"
    raw = bytearray(path.read_bytes())
    pages = len(raw) // 4096
    # Some leaf pages somewhere behind the first ones, and the root of nothing else.
    hit = [page for page in range(pages // 2, pages // 2 + 3) if page + 1 != root]
    for page in hit:
        raw[page * 4096 : page * 4096 + 4096] = os.urandom(4096)
    path.write_bytes(raw)
    (results,) = [[r for r in await Store.check(tmp_path) if r.name == "queue.db"]]
    assert not results[0].ok and "salvage" in results[0].hint
    report = await Store.salvage(tmp_path)
    assert Path(report.damaged_path).read_bytes() == bytes(raw)
    assert 0 < report.kept["outbox"] <= 300 and report.kept["fence"] == 1
    store = await Store.open(tmp_path, clock)
    assert len(store.outbox.items(("pending", "sending"), 1000)) == report.kept["outbox"]
    await store.outbox.recover()
    (again, *_) = await store.outbox.claim("attio", 1, 30)
    assert again.token > claim.token
    await store.close()
    assert all(result.ok for result in await Store.check(tmp_path))


@pytest.mark.parametrize("content", [b"", b"garbage" * 1000])
async def test_a_queue_that_is_no_database_is_refused_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    store = await Store.open(tmp_path)
    await store.state.put("k", 1)
    await store.close()
    (tmp_path / "queue.db").write_bytes(content)
    if not content:
        # An empty file is what a fresh queue looks like: nothing can be known to be missing.
        await (await Store.open(tmp_path)).close()
        return
    with pytest.raises(StoreCorrupt) as raised:
        await Store.open(tmp_path)
    assert "salvage" in raised.value.hint and (tmp_path / "queue.db").read_bytes() == content


async def test_a_job_that_fails_undoes_only_itself(store: Store) -> None:
    def fails(tx: Any) -> None:
        store.state.put_in(tx, "half", 1)
        raise ValueError("no")

    answers = await asyncio.gather(
        store.state.put("a", 1), store.queue.run(fails), store.state.put("b", 2), return_exceptions=True
    )
    assert isinstance(answers[1], ValueError)
    assert (store.state.get("a"), store.state.get("half"), store.state.get("b")) == (1, None, 2)


async def test_a_cancelled_write_is_still_a_write(store: Store) -> None:
    task = asyncio.ensure_future(store.state.put("k", 1))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await store.state.put("later", 1)
    assert store.state.get("k") == 1


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    await store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.state.put("k", 1)
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.mirror.find("x")


async def test_two_consoles_see_each_others_work(tmp_path: Path, made: Any) -> None:
    script = (
        "import asyncio,sys\n"
        "from attio_console.store import Store\n"
        "from attio_console.store.types import NewItem, FieldEdit\n"
        "async def main():\n"
        "    store = await Store.open(sys.argv[1])\n"
        "    await store.outbox.add([NewItem('attio','c','r','set',{'f':FieldEdit([],['theirs'])})],'x')\n"
        "    await store.mirror.apply_page(sys.argv[2],[sys.stdin.buffer.read()])\n"
        "    print(store.engine_lock.try_acquire(), store.engine_lock.holder())\n"
        "    await store.close()\n"
        "asyncio.run(main())\n"
    )
    store = await Store.open(tmp_path)
    await store.mirror.put_schema(made.schema)
    await store.mirror.apply_page(made.people, [made.person(n, f"P{n}") for n in range(5)])
    assert store.engine_lock.try_acquire()
    while store.changed_elsewhere():
        await store.state.put("own", 1)
    await store.state.put("own", 2)
    await store.mirror.apply_page(made.people, [made.person(6)])
    assert not store.changed_elsewhere() and not store.changed_elsewhere(), "own writes are no news"
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", script, str(tmp_path), made.people],
        input=made.person(77, "Theirs"),
        capture_output=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert done.stdout.split() == [b"False", str(os.getpid()).encode()]
    store.changed_elsewhere()
    await store.state.put("own", 3)
    assert store.changed_elsewhere()
    assert store.outbox.overlay("c", "r")["f"].new == ["theirs"]
    assert store.mirror.label(made.id(77)) == "Theirs" and store.mirror.size(made.people) == 7
    assert not store.changed_elsewhere()
    await store.close()


async def test_damage_found_while_in_use_makes_the_next_start_begin_a_new_mirror(
    tmp_path: Path, made: Any
) -> None:
    store = await Store.open(tmp_path)
    await store.mirror.put_schema(made.schema)
    await store.mirror.apply_page(made.people, [made.person(n, f"P{n}") for n in range(3)])
    await store._databases[1].run(lambda work: work.execute("UPDATE body SET data = x'00112233'"))
    with pytest.raises(StoreCorrupt):
        store.mirror.row(made.people, made.id(1))
    with pytest.raises(StoreCorrupt):
        await store.mirror.window(View(made.people), 0, 5)
    await store.state.put("still", "working")
    await store.close()
    store = await Store.open(tmp_path)
    assert "damage" in store.mirror.rebuilt and store.mirror.size(made.people) == 0
    await store.close()
    store = await Store.open(tmp_path)
    assert store.mirror.rebuilt == ""
    await store.close()


async def test_upkeep_that_fails_leaves_the_writer_alive(store: Store, made: Any) -> None:
    def broken(_work: Any) -> bool:
        raise ValueError("no")

    database = store._databases[1]
    database.idle = broken
    database.nudge()
    for _ in range(3):
        await store.mirror.apply_page(made.people, [made.person(1)])
    await asyncio.to_thread(lambda: [database.writer for _ in range(10)])
    assert store.mirror.size(made.people) == 1


async def test_two_processes_may_make_one_store_at_the_same_time(tmp_path: Path) -> None:
    script = "import asyncio,sys\nfrom attio_console.store import Store\nasync def main():\n    s = await Store.open(sys.argv[1]); await s.state.put(sys.argv[2], 1); await s.mirror.apply_page('c'+sys.argv[2], [b'{\"id\":\"1\"}']); await s.close()\nasyncio.run(main())\n"
    running = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path / "s"), str(n)], cwd=Path(__file__).parents[3]
        )
        for n in range(3)
    ]
    assert [await asyncio.to_thread(process.wait) for process in running] == [0, 0, 0]
    store = await Store.open(tmp_path / "s")
    assert store.state.keys() == ["0", "1", "2"] and store.mirror.rebuilt == ""
    assert set(store.mirror.collections().values()) == {1} and len(store.mirror.collections()) == 3
    await store.close()
