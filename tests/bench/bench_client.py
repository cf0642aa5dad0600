"""How quick the client is: pages beside bare httpx, the limiter at its limit, and a person during a scan.

    python -m tests.bench.bench_client [--records 20000] [--seconds 10] [--quick]

The sandbox runs in a process of its own and measures the limits by arrival, so every 429 it counts is one too many.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import httpx

from attio_console.attio import AsyncAttio
from attio_console.net import Lane, Limiter, Traffic

PAGE = 500
WORKERS = 40


@contextlib.contextmanager
def sandbox(*options: str) -> Iterator[dict[str, Any]]:
    """Run a sandbox in a process of its own."""
    command = [sys.executable, "-m", "attio_console.sandbox", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


@contextlib.asynccontextmanager
async def client(line: dict[str, Any], *, limits: bool = True) -> AsyncIterator[tuple[AsyncAttio, Traffic]]:
    """Connect the client to a sandbox."""
    traffic = Traffic()
    limiter = None if limits else Limiter(1_000_000, 1_000_000)
    attio = AsyncAttio(line["tokens"]["attio"], base_url=line["attio"], limiter=limiter, traffic=traffic)
    async with attio:
        yield attio, traffic


async def timed(times: int, action: Callable[[], Awaitable[object]]) -> float:
    """Return the median seconds of one of so many actions, one after the other."""
    took = []
    for _ in range(times):
        started = time.perf_counter()
        await action()
        took.append(time.perf_counter() - started)
    return statistics.median(took)


async def pages(records: int, quick: bool) -> bool:
    """Measure a scan beside the same pages by bare httpx, and one request beside bare httpx."""
    with sandbox("--records", str(records), "--no-limits") as line:
        headers = {"authorization": f"Bearer {line['tokens']['attio']}"}
        async with (
            client(line, limits=False) as (attio, _),
            httpx.AsyncClient(base_url=line["attio"], headers=headers) as bare,
        ):
            ratios, rates, page_rates, byte_rates = [], [], [], []
            for _ in range(2 if quick else 5):
                started = time.perf_counter()
                bodies = []
                cursor, seen, size = None, 0, 0
                async for page in attio.records.scan("people", page_size=PAGE):
                    bodies.append(cursor)
                    cursor = page.cursor
                    seen += len(page.raws)
                    size += sum(map(len, page.raws))
                ours = time.perf_counter() - started
                # The same questions again, asked by bare httpx, which neither splits nor limits anything.
                started = time.perf_counter()
                for after in bodies:
                    body: dict[str, Any] = {
                        "limit": PAGE,
                        "sorts": [{"attribute": "created_at", "direction": "asc"}],
                    }
                    if after is not None:
                        body["filter"] = {"created_at": {"$gte": after.created_at}}
                    answer = await bare.post("/v2/objects/people/records/query", json=body)
                    assert answer.status_code == 200 and len(answer.content) > 10
                theirs = time.perf_counter() - started
                ratios.append(ours / theirs)
                rates.append(seen / ours)
                page_rates.append(len(bodies) / ours)
                byte_rates.append(size / ours / 1e6)
            print(
                f"  scan                {statistics.median(page_rates):8.1f} pages/s {statistics.median(rates):9,.0f} records/s"
                f" {statistics.median(byte_rates):6.0f} MB/s   {statistics.median(ratios):.2f} x bare httpx"
            )
            record = (await attio.records.query("people", limit=1))[0].id
            path = f"/v2/objects/people/records/{record}"
            times = 200 if quick else 600
            found = []
            for _ in range(3):
                theirs = await timed(times, lambda: bare.get(path))
                ours = await timed(times, lambda: attio.records.get_raw("people", record))
                found.append((ours - theirs, ours / theirs))
            extra, ratio = (
                statistics.median(one for one, _ in found),
                statistics.median(two for _, two in found),
            )
            print(f"  one request         {extra * 1e6:+8.0f} us over bare httpx          {ratio:.2f} x")
    return True


async def limiter(seconds: float) -> bool:
    """Measure how much of the limit is used, and how often it is overstepped, at several latencies."""
    fine = True
    for latency in (0, 50, 200):
        for lane in (Lane.INTERACTIVE, Lane.SCAN):
            with sandbox("--records", "50", "--latency-ms", str(latency)) as line:
                async with client(line) as (attio, traffic):
                    record = (await attio.records.query("people", limit=1))[0].id
                    arrived: list[float] = []
                    end = time.perf_counter() + seconds

                    async def work(
                        attio: AsyncAttio, record: str, lane: Lane, end: float, arrived: list[float]
                    ) -> None:
                        while time.perf_counter() < end:
                            await attio.records.get_raw("people", record, lane=lane)
                            arrived.append(time.perf_counter())

                    async with asyncio.TaskGroup() as group:
                        for _ in range(WORKERS):
                            group.create_task(work(attio, record, lane, end, arrived))
                    arrived.sort()
                    # Without the first second, whose limit may be used up at once.
                    steady = [at for at in arrived if at > arrived[0] + 1]
                    rate = (len(steady) - 1) / (steady[-1] - steady[0])
                    refused = sum(traffic.series(300, kind="429"))
                    good = rate >= 97 and refused == 0
                    fine = fine and good
                    print(
                        f"  limiter {latency:3d} ms {lane.name.lower():12s}{rate:6.1f} of 100 reads/s"
                        f"   {refused} answers of 429   {'ok' if good else 'MISSED (>= 97 and none)'}",
                        flush=True,
                    )
    return fine


class Watched(Limiter):
    """A limiter that remembers how long writes waited in it."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    async def acquire(self, kind: Any, lane: Lane = Lane.INTERACTIVE) -> Any:
        """Wait as usual, and remember how long."""
        started = time.perf_counter()
        permit = await super().acquire(kind, lane)
        if kind == "write" and lane is Lane.INTERACTIVE:
            self.waits.append(time.perf_counter() - started)
        return permit


async def person(seconds: float, records: int) -> bool:
    """Measure how long a person's writes wait while scans use up every read."""
    with sandbox("--records", str(records)) as line:
        watched = Watched()
        traffic = Traffic()
        attio = AsyncAttio(line["tokens"]["attio"], base_url=line["attio"], limiter=watched, traffic=traffic)
        async with attio:
            record = (await attio.records.query("people", limit=1))[0].id
            alone: list[float] = []
            during: list[float] = []
            stop = False

            async def scan() -> None:
                while not stop:
                    async for _ in attio.records.scan("people"):
                        if stop:
                            return

            async def fetch() -> None:
                while not stop:
                    await attio.records.get_raw("people", record, lane=Lane.SCAN)

            async def write(number: int, found: list[float]) -> None:
                started = time.perf_counter()
                await attio.records.update("people", record, {"job_title": f"t{number}"})
                found.append(time.perf_counter() - started)

            async def write_all(found: list[float], rate: float) -> None:
                begun = time.perf_counter()
                async with asyncio.TaskGroup() as group:
                    for number in range(int(seconds * rate)):
                        await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
                        group.create_task(write(number, found))

            await write_all(alone, 24)
            await asyncio.sleep(1.1)
            watched.waits.clear()
            async with asyncio.TaskGroup() as group:
                group.create_task(scan())
                for _ in range(20):
                    group.create_task(fetch())
                await asyncio.sleep(1.5)
                await write_all(during, 24)
                spaced = watched.waits[:]
                watched.waits.clear()
                # And as fast as they may: one after the other, each waiting for its turn.
                begun = time.perf_counter()
                while time.perf_counter() < begun + 2 * seconds:
                    await write(len(watched.waits), [])
                rate = len(watched.waits) / (time.perf_counter() - begun)
                stop = True
            refused = sum(traffic.series(300, kind="429"))
            reads = max(traffic.series(20, kind="read"))
    p99 = statistics.quantiles(spaced, n=100)[98]
    good = p99 <= 0.060 and refused == 0
    print(
        f"  writes, spaced       wait p50 {statistics.median(spaced) * 1e3:.1f} p99 {p99 * 1e3:.1f} ms for their turn"
        f" at 24 writes/s in a scan of {reads} reads/s   {'ok' if good else 'MISSED (<= 60 ms, no 429)'}"
    )
    print(
        f"  writes, back to back wait p50 {statistics.median(watched.waits) * 1e3:.1f}"
        f" p99 {statistics.quantiles(watched.waits, n=100)[98] * 1e3:.1f} ms at {rate:.1f} writes/s,"
        " where the limit itself has one wait for 40"
    )
    print(f"  answers of 429      {refused}")
    whole, before = statistics.quantiles(during, n=100)[98], statistics.quantiles(alone, n=100)[98]
    print(f"  spaced, till answer p99 {whole * 1e3:.1f} ms beside {before * 1e3:.1f} ms without a scan")
    return good


async def main() -> int:
    """Run every part and return 1 where a promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    records = 3_000 if given.quick else given.records
    seconds = 4 if given.quick else given.seconds
    kept = [
        await pages(records, given.quick),
        await limiter(seconds),
        await person(seconds, min(records, 5_000)),
    ]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
