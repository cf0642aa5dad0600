"""How quick a pull is: into the searchable mirror beside the least a pull can be, and a second pull.

    python -m tests.bench.bench_pull [--records 20000 200000] [--rounds 3] [--dlt] [--quick]

Floor (a) is httpx, msgspec's split of the page and one SQLite insert per record, full text and all else left out. Floor
(b), with --dlt, is dlt's rest_api source into DuckDB, installed into a virtual environment under a temporary directory
for this run. Every part runs in a process of its own, one after the other, against ready-made pages from another.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import Any

import apsw
import httpx
import msgspec

from tests.bench.measure import Figures, median, part, peak_mb, process, watched
from tests.bench.pages_server import OBJECT, PAGE, schema

HERE = "tests.bench.bench_pull"
_PATH = f"/v2/objects/{OBJECT}/records/query"
_DLT = ("dlt[duckdb]==1.31.0",)


class _Page(msgspec.Struct):
    data: list[msgspec.Raw]


class _Created(msgspec.Struct):
    created_at: str


async def floor(base_url: str) -> Figures:
    """Fetch every page, split it, insert each record's bytes."""
    decoder = msgspec.json.Decoder(_Page)
    with tempfile.TemporaryDirectory() as directory:
        connection = apsw.Connection(str(Path(directory) / "floor.db"))
        connection.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
        connection.execute("CREATE TABLE rec (id INTEGER PRIMARY KEY, body BLOB)")
        async with httpx.AsyncClient(base_url=base_url, timeout=60) as client:
            started, cpu = time.perf_counter(), time.process_time()
            count = 0
            asked: dict[str, Any] = {"limit": PAGE, "sorts": [{"attribute": "created_at"}]}
            while True:
                answer = await client.post(_PATH, json=asked)
                page = decoder.decode(answer.content).data
                # As the pull does, from the last one on: the same pages.
                rows = page[1:] if count else page
                with connection:
                    connection.executemany(
                        "INSERT INTO rec (body) VALUES (?)", ((bytes(row),) for row in rows)
                    )
                count += len(rows)
                if len(page) < PAGE:
                    break
                created = msgspec.json.decode(rows[-1], type=_Created).created_at
                asked["filter"] = {"created_at": {"$gte": created}}
            elapsed = time.perf_counter() - started
        connection.close()
    cpu_us = (time.process_time() - cpu) / count * 1e6
    return {"records": count, "rate": count / elapsed, "cpu_us": cpu_us, "rss_mb": peak_mb()}


async def pull(base_url: str) -> Figures:
    """Pull into the searchable mirror with the engine's own parts, twice; the second time 1 % has changed."""
    from attio_console.attio import AsyncAttio
    from attio_console.model.clock import SystemClock
    from attio_console.net.limiter import Limiter
    from attio_console.store import Store
    from attio_console.sync.bus import Bus
    from attio_console.sync.contact import Contact
    from attio_console.sync.gate import Gate
    from attio_console.sync.pull import Puller
    from attio_console.sync.sources import ObjectSource, Sources

    class People(Sources):
        def of(self, schema: Any) -> list[ObjectSource]:
            return [found for found in super().of(schema) if found.slug == "people"]  # type: ignore[misc]

    clock = SystemClock()
    figures: Figures = {}
    with tempfile.TemporaryDirectory() as directory:
        store = await Store.open(Path(directory) / "data", clock=clock)
        async with AsyncAttio("t", base_url=base_url, limiter=Limiter(100_000, 100_000, clock)) as attio:
            await store.mirror.put_schema(schema())
            contact = Contact(clock)
            contact.ok()
            sources = People(attio, lambda: store.mirror.schema)
            puller = Puller(sources, store, Bus(), Gate(contact), clock, random.Random(1), lambda: None)
            async with asyncio.TaskGroup() as tasks:
                running = tasks.create_task(puller.run())
                async with watched() as stalls:
                    started, cpu = time.perf_counter(), time.process_time()
                    puller.follow(schema())
                    await puller.settled()
                    pulled = time.perf_counter() - started
                    await store.mirror.settle()
                    elapsed = time.perf_counter() - started
                    figures |= stalls.report()
                    cpu_us = (time.process_time() - cpu) / store.mirror.size(OBJECT) * 1e6
                size = store.mirror.size(OBJECT)
                hits = await store.mirror.find("kat", OBJECT)
                assert hits, "nothing can be found"
                figures |= {
                    "records": size,
                    "rate": size / elapsed,
                    "fetched_rate": size / pulled,
                    "cpu_us": cpu_us,
                    "rss_mb": peak_mb(),
                }
                async with httpx.AsyncClient(base_url=base_url, timeout=60) as client:
                    (await client.post("/touch", json={"every": 100})).raise_for_status()
                started = time.perf_counter()
                puller.request("bench")
                await puller.settled()
                await store.mirror.settle()
                figures["again_rate"] = size / (time.perf_counter() - started)
                figures["again_changed"] = puller.tally()[OBJECT][1]
                async with httpx.AsyncClient(base_url=base_url, timeout=60) as client:
                    (await client.post("/touch", json={"every": 0})).raise_for_status()
                running.cancel()
        files = Path(directory).rglob("mirror.db*")
        figures["disk_mb"] = sum(file.stat().st_size for file in files) / 1e6
        await store.close()
    return figures


_DLT_PART = """
import json, os, resource, sys, time
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
import dlt
from dlt.sources.rest_api import rest_api_source
from dlt.sources.helpers.rest_client.paginators import OffsetPaginator
base_url, path, limit, where = sys.argv[1:]
started = time.perf_counter()
source = rest_api_source({
    "client": {"base_url": base_url},
    "resources": [{
        "name": "people",
        "max_table_nesting": 0,
        "endpoint": {
            "path": path, "method": "POST", "json": {"sorts": []}, "data_selector": "data",
            "paginator": OffsetPaginator(
                limit=int(limit), offset=0, total_path=None, offset_body_path="offset", limit_body_path="limit",
            ),
        },
    }],
})
source.max_table_nesting = 0
pipeline = dlt.pipeline("bench", destination=dlt.destinations.duckdb(where + "/bench.duckdb"), pipelines_dir=where)
pipeline.run(source)
elapsed = time.perf_counter() - started
with pipeline.sql_client() as client:
    count = client.execute_sql("SELECT count(*) FROM people")[0][0]
print(json.dumps({"records": count, "rate": count / elapsed,
                  "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""


def install_dlt(directory: Path) -> str:
    """Make a virtual environment with dlt and return its Python."""
    venv.create(directory / "venv", with_pip=True)
    python = str(directory / "venv" / "bin" / "python")
    subprocess.run(
        [
            python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--quiet",
            "--quiet",
            "--disable-pip-version-check",
            *_DLT,
        ],
        check=True,
    )
    return python


def dlt(python: str, base_url: str) -> Figures:
    """Let dlt load the same pages into DuckDB."""
    with tempfile.TemporaryDirectory() as directory:
        command = [python, "-c", _DLT_PART, base_url, _PATH.removeprefix("/"), str(PAGE), directory]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def compare(records: int, rounds: int, python: str | None) -> None:
    """Run floor and pull in turns and print a table with their ratios."""
    floors: list[Figures] = []
    ours: list[Figures] = []
    others: list[Figures] = []
    with process("tests.bench.pages_server", "--records", str(records)) as server:
        print(f"{records:,} records of {server['bytes']:,} bytes, {rounds} rounds in turns", flush=True)
        for turn in range(rounds):
            floors.append(part(HERE, "floor", base_url=server["base_url"]))
            ours.append(part(HERE, "pull", base_url=server["base_url"]))
            if python and turn == 0:
                others.append(dlt(python, server["base_url"]))
            print(
                f"  round {turn + 1}: floor {floors[-1]['rate']:7,.0f}  pull {ours[-1]['rate']:7,.0f} records/s"
                f"  ratio {ours[-1]['rate'] / floors[-1]['rate']:.2f}",
                flush=True,
            )
    assert {f["records"] for f in (*floors, *ours, *others)} == {records}

    def of(figures: list[Figures], name: str) -> float:
        return median([f[name] for f in figures])

    ratio = median([o["rate"] / f["rate"] for o, f in zip(ours, floors, strict=True)])
    again = median([o["again_rate"] / o["rate"] for o in ours])
    rows: list[tuple[str, str, str]] = [
        ("floor (a): httpx + Raw + one insert", f"{of(floors, 'rate'):,.0f}/s", ""),
        ("pull into the searchable mirror", f"{of(ours, 'rate'):,.0f}/s", f"{ratio:.2f} x floor (aim 0.7)"),
        ("  until the last page is stored", f"{of(ours, 'fetched_rate'):,.0f}/s", "the rest: full text"),
        ("second pull, 1 % changed", f"{of(ours, 'again_rate'):,.0f}/s", f"{again:.1f} x the first (aim 3)"),
        (
            "CPU a record, pull beside floor",
            f"{of(ours, 'cpu_us'):,.0f} us",
            f"{of(floors, 'cpu_us'):,.0f} us",
        ),
        (
            "loop stall p99, max",
            f"{of(ours, 'stall_p99_ms'):.1f} ms",
            f"{of(ours, 'stall_max_ms'):.0f} ms (p99 aim 16)",
        ),
        ("peak RSS", f"{max(o['rss_mb'] for o in ours):,.0f} MB", "aim 150"),
        ("mirror on disk", f"{of(ours, 'disk_mb'):,.0f} MB", f"of {records * server['bytes'] / 1e6:,.0f} MB"),
    ]
    if others:
        theirs = of(others, "rate")
        rows.append(("floor (b): dlt into DuckDB", f"{theirs:,.0f}/s", f"{of(others, 'rss_mb'):,.0f} MB"))
        rows.append(("  pull beside it", f"{ours[0]['rate'] / theirs:.1f} x", "aim 8"))
    for name, figure, beside in rows:
        print(f"  {name:<38} {figure:>12}   {beside}")


def main() -> None:
    """Run every size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, nargs="+", default=[20_000, 200_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dlt", action="store_true", help="install dlt for this run and measure it, too")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--part", default="")
    parser.add_argument("--base-url", default="")
    given = parser.parse_args()
    if given.part:
        work = {"floor": floor, "pull": pull}[given.part]
        print(json.dumps(asyncio.run(work(given.base_url))))
        return
    sizes = [5_000] if given.quick else given.records
    with tempfile.TemporaryDirectory() as directory:
        python = install_dlt(Path(directory)) if given.dlt else None
        for at, records in enumerate(sizes):
            rounds = 1 if given.quick else given.rounds if records <= 50_000 else 1
            compare(records, rounds, python if at == 0 else None)


if __name__ == "__main__":
    sys.exit(main())
