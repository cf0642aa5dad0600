"""How quick the engine is: a pull beside its floor, a second pull, and deliveries per second.

    python -m tests.bench.bench_engine [--records 20000] [--quick]

Each part runs in a process of its own against a sandbox in another, so that peak memory is its own. The floor is the
least a pull can be: httpx, msgspec's split of the page, one SQLite insert per record.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import apsw
import httpx
import msgspec

PAGE = 500
CONNECTIONS = 32


# ------------------------------------------------------------------------------------------------------ the sandbox


@contextlib.contextmanager
def sandbox(records: int) -> Iterator[dict[str, Any]]:
    """Run a sandbox without limits in a process of its own."""
    command = [sys.executable, "-m", "attio_console.sandbox", "--records", str(records), "--no-limits"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


class Stalls:
    """Measures how long the loop was not available, every two milliseconds."""

    def __init__(self) -> None:
        self.gaps: list[float] = []

    async def run(self) -> None:
        while True:
            started = time.perf_counter()
            await asyncio.sleep(0.002)
            self.gaps.append(time.perf_counter() - started - 0.002)

    def report(self) -> dict[str, float]:
        ordered = sorted(self.gaps)
        return {"stall_p99_ms": ordered[int(len(ordered) * 0.99)] * 1e3, "stall_max_ms": ordered[-1] * 1e3}


@contextlib.asynccontextmanager
async def watched() -> AsyncIterator[Stalls]:
    stalls = Stalls()
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(stalls.run())
        yield stalls
        task.cancel()


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# ------------------------------------------------------------------------------------------------------ the parts


class _Page(msgspec.Struct):
    data: list[msgspec.Raw]


async def floor(base_url: str, token: str) -> dict[str, float]:
    """Fetch every page, split it, insert each record's bytes."""
    decoder = msgspec.json.Decoder(_Page)
    with tempfile.TemporaryDirectory() as directory:
        connection = apsw.Connection(str(Path(directory) / "floor.db"))
        connection.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
        connection.execute("CREATE TABLE rec (id INTEGER PRIMARY KEY, body BLOB)")
        async with httpx.AsyncClient(headers={"authorization": f"Bearer {token}"}, timeout=60) as client:
            started = time.perf_counter()
            count = 0
            while True:
                answer = await client.post(
                    f"{base_url}/v2/objects/people/records/query",
                    json={
                        "limit": PAGE,
                        "offset": count,
                        "sorts": [{"attribute": "created_at", "direction": "asc"}],
                    },
                )
                rows = decoder.decode(answer.content).data
                with connection:
                    connection.executemany(
                        "INSERT INTO rec (body) VALUES (?)", ((bytes(row),) for row in rows)
                    )
                count += len(rows)
                if len(rows) < PAGE:
                    break
            elapsed = time.perf_counter() - started
        connection.close()
    return {"records": count, "seconds": elapsed, "rate": count / elapsed, "rss_mb": peak_mb()}


async def pull(base_url: str, token: str, control: str) -> dict[str, float]:
    """Pull people into the searchable mirror with the engine's own parts, twice; the second time 1 % has changed."""
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
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as directory:
        store = await Store.open(Path(directory) / "data", clock=clock)
        async with AsyncAttio(token, base_url=base_url, limiter=Limiter(100_000, 100_000, clock)) as attio:
            schema = await attio.schema()
            await store.mirror.put_schema(schema)
            contact, bus = Contact(clock), Bus()
            contact.ok()
            sources = People(attio, lambda: store.mirror.schema)
            puller = Puller(sources, store, bus, Gate(contact), clock, random.Random(1), lambda: None)
            async with asyncio.TaskGroup() as tasks:
                running = tasks.create_task(puller.run())
                people = schema.object("people")
                assert people is not None
                async with watched() as stalls:
                    started = time.perf_counter()
                    puller.follow(schema)
                    await puller.settled()
                    elapsed = time.perf_counter() - started
                figures |= stalls.report()
                size = store.mirror.size(people.id)
                figures |= {"records": size, "seconds": elapsed, "rate": size / elapsed, "rss_mb": peak_mb()}
                started = time.perf_counter()
                await store.mirror.settle()
                figures["indexing_s"] = time.perf_counter() - started
                figures["edited"] = await _edit_some(control, store.mirror.ids(people.id))
                started = time.perf_counter()
                puller.request("bench")
                await puller.settled()
                figures["again_s"] = time.perf_counter() - started
                figures["again_rate"] = size / figures["again_s"]
                figures["again_changed"] = puller.tally()[people.id][1]
                running.cancel()
        await store.close()
    return figures


async def _edit_some(control: str, ids: list[str]) -> int:
    chosen = ids[:: max(1, 100)]
    async with httpx.AsyncClient(timeout=60) as client:
        for record_id in chosen:
            body = {
                "system": "attio",
                "object": "people",
                "id": record_id,
                "values": {"job_title": "Changed"},
            }
            (await client.post(f"{control}/edit", json=body)).raise_for_status()
    return len(chosen)


async def listener(deliveries: int) -> dict[str, float]:
    """Serve the listener over a real inbox while another process delivers on many connections."""
    from attio_console.model.clock import SystemClock
    from attio_console.store import Store
    from attio_console.store.types import Delivery
    from attio_console.webhook import Listener, serve

    clock = SystemClock()
    with tempfile.TemporaryDirectory() as directory:
        store = await Store.open(Path(directory) / "data", clock=clock)

        async def keep(key: str, webhook_id: str, body: bytes, received_at: datetime) -> bool:
            return await store.inbox.put(Delivery(key, webhook_id, body, received_at))

        async with serve(Listener(keep, lambda: [b"secret"], clock)) as address, watched() as stalls:
            sender = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.bench.bench_engine", "--part", "deliver", "--base-url", address.url,
                "--records", str(deliveries), stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            output, _ = await sender.communicate()
        kept = store.inbox.depth()
        await store.close()
    figures: dict[str, float] = json.loads(output)
    return figures | stalls.report() | {"kept": kept, "rss_mb": peak_mb()}


async def deliver(url: str, deliveries: int) -> dict[str, float]:
    """Send signed deliveries of about 400 bytes over keep-alive connections, one at a time on each."""
    from attio_console.webhook import sign

    host, port = url.removeprefix("http://").split(":")
    waits: list[float] = []
    numbers = iter(range(deliveries))

    async def sender() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        for number in numbers:
            body = json.dumps(
                {
                    "webhook_id": "0b5a1ed6-7a3c-4a55-9c3a-8c9b8f7a0001",
                    "events": [
                        {
                            "event_type": "record.updated",
                            "id": {
                                "workspace_id": "14beef7a-99f7-4534-a87e-70b564330a4c",
                                "object_id": "97052eb9-e65e-443f-a297-f2d9a4a7f795",
                                "record_id": f"bf071e1f-6035-429d-b874-{number:012d}",
                                "attribute_id": "41252299-f8c7-4b5e-99c9-4ff8321d2f96",
                            },
                            "actor": {
                                "type": "workspace-member",
                                "id": "50cf242c-7fa3-4cad-87d0-75b1af71c57b",
                            },
                        }
                    ],
                }
            ).encode()
            head = (
                f"POST / HTTP/1.1\r\nhost: x\r\nattio-signature: {sign(b'secret', body)}\r\n"
                f"idempotency-key: {number}\r\ncontent-length: {len(body)}\r\n\r\n"
            )
            started = time.perf_counter()
            writer.write(head.encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            waits.append(time.perf_counter() - started)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(answer.decode("latin-1"))
        writer.close()

    started = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(CONNECTIONS):
            tasks.create_task(sender())
    elapsed = time.perf_counter() - started
    ordered = sorted(waits)
    return {
        "deliveries": deliveries,
        "rate": deliveries / elapsed,
        "p50_ms": ordered[len(ordered) // 2] * 1e3,
        "p99_ms": ordered[int(len(ordered) * 0.99)] * 1e3,
    }


# ------------------------------------------------------------------------------------------------------ the table


def part(name: str, **options: object) -> dict[str, float]:
    """Run a part in a process of its own and return its figures."""
    command = [sys.executable, "-m", "tests.bench.bench_engine", "--part", name]
    for option, value in options.items():
        command += [f"--{option.replace('_', '-')}", str(value)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=os.environ)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--part", default="")
    parser.add_argument("--base-url", default="")
    parser.add_argument("--token", default="")
    parser.add_argument("--control", default="")
    given = parser.parse_args()
    if given.part:
        work = {
            "floor": lambda: floor(given.base_url, given.token),
            "pull": lambda: pull(given.base_url, given.token, given.control),
            "listener": lambda: listener(given.records),
            "deliver": lambda: deliver(given.base_url, given.records),
        }[given.part]
        print(json.dumps(asyncio.run(work())))
        return
    records, rounds = (3_000, 1) if given.quick else (given.records, given.rounds)
    ratios = []
    with sandbox(records) as running:
        where = {
            "base_url": running["attio"],
            "token": running["tokens"]["attio"],
            "control": running["control"],
        }
        for turn in range(rounds):
            least, ours = part("floor", **where), part("pull", **where)
            ratios.append(ours["rate"] / least["rate"])
            print(
                f"round {turn + 1}: floor {_row(least)}\n         pull  {_row(ours)}\n         ratio {ratios[-1]:.2f}"
            )
    print(f"pull / floor: {sorted(ratios)[len(ratios) // 2]:.2f} (median of {rounds}; aim 0.7)")
    print(f"listener: {_row(part('listener', records=2_000 if given.quick else 20_000))}")


def _row(figures: dict[str, float]) -> str:
    return ", ".join(
        f"{name} {value:,.0f}" if value >= 20 else f"{name} {value:,.2f}" for name, value in figures.items()
    )


if __name__ == "__main__":
    main()
