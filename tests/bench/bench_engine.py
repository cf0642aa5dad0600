"""How quick news is: signed deliveries a second, kept on disk before they are answered, and from an edit to the screen.

    python -m tests.bench.bench_engine [--deliveries 20000] [--edits 300] [--rounds 3] [--quick]

The floor of the listener is the same server answering 200 to whatever comes. Each part runs in a process of its own, the
sender and the sandbox in others.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from tests.bench.measure import Figures, median, part, peak_mb, percentile, process, watched

HERE = "tests.bench.bench_engine"
CONNECTIONS = 32
EDITS_PER_S = 20


async def listener(deliveries: int, *, bare: bool) -> Figures:
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

        app: Any = nothing if bare else Listener(keep, lambda: [b"secret"], clock)
        async with serve(app) as address, watched() as stalls:
            cpu = time.process_time()
            sender = await asyncio.create_subprocess_exec(
                sys.executable, "-m", HERE, "--part", "deliver", "--base-url", address.url,
                "--deliveries", str(deliveries), stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            output, _ = await sender.communicate()
            cpu = time.process_time() - cpu
        kept = store.inbox.depth()
        await store.close()
    assert bare or kept == deliveries
    figures: Figures = json.loads(output)
    return figures | stalls.report() | {"cpu_us": cpu / deliveries * 1e6, "rss_mb": peak_mb()}


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    """Answer 200 to whatever was sent."""
    if scope["type"] == "http":
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


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


async def lag(base_url: str, token: str, control: str, edits: int) -> Figures:
    """Let somebody else edit records, and wait for each edit to be announced to the screen."""
    from attio_console.config.profiles import Profile, WebhookConfig
    from attio_console.config.secrets import MemorySecrets
    from attio_console.model.clock import SystemClock
    from attio_console.store import Store
    from attio_console.sync.bus import Bus
    from attio_console.sync.engine import Engine

    secrets = MemorySecrets()
    secrets.set("bench", "attio", token)
    listen = WebhookConfig(mode="listen", host="127.0.0.1", port=0)
    profile = Profile(name="bench", base_url=base_url, webhook=listen)
    sent: dict[str, float] = {}
    waits: list[float] = []
    with tempfile.TemporaryDirectory() as directory:
        store = await Store.open(Path(directory) / "data", clock=SystemClock())
        bus = Bus()
        engine = Engine(profile, secrets, store, bus, SystemClock(), random.Random(1))

        async def screen() -> None:
            with bus.subscribe() as changes:
                async for change in changes:
                    for record_id in change.record_ids if change.what == "records" else ():
                        if record_id in sent:
                            waits.append((time.perf_counter() - sent.pop(record_id)) * 1e3)

        async with asyncio.TaskGroup() as tasks, httpx.AsyncClient(timeout=30) as client:
            running = [tasks.create_task(engine.run())]
            async with asyncio.timeout(60):
                while engine.status().attio_state != "live" or not engine.is_quiet:
                    await asyncio.sleep(0.05)
            running.append(tasks.create_task(screen()))
            people = store.mirror.schema.object("people")
            assert people is not None
            ids = store.mirror.ids(people.id)
            for number in range(edits):
                record_id = ids[number % len(ids)]
                body = {
                    "system": "attio",
                    "object": "people",
                    "id": record_id,
                    "values": {"job_title": f"t{number}"},
                }
                sent.setdefault(record_id, time.perf_counter())
                (await client.post(f"{control}/edit", json=body)).raise_for_status()
                await asyncio.sleep(1 / EDITS_PER_S)
            async with asyncio.timeout(10):
                while sent:
                    await asyncio.sleep(0.02)
            measured = engine.status().lag_p95_s or 0.0
            for task in running:
                task.cancel()
        await store.close()
    return {
        "edits": len(waits),
        "p50_ms": percentile(waits, 50),
        "p95_ms": percentile(waits, 95),
        "p99_ms": percentile(waits, 99),
        "from_delivery_p95_ms": measured * 1e3,
    }


def main() -> None:
    """Run both parts and print their figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=20_000)
    parser.add_argument("--edits", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--part", default="")
    parser.add_argument("--base-url", default="")
    parser.add_argument("--token", default="")
    parser.add_argument("--control", default="")
    given = parser.parse_args()
    if given.part:
        work = {
            "listener": lambda: listener(given.deliveries, bare=False),
            "bare": lambda: listener(given.deliveries, bare=True),
            "deliver": lambda: deliver(given.base_url, given.deliveries),
            "lag": lambda: lag(given.base_url, given.token, given.control, given.edits),
        }[given.part]
        print(json.dumps(asyncio.run(work())))
        return
    deliveries, edits, rounds = (
        (3_000, 60, 1) if given.quick else (given.deliveries, given.edits, given.rounds)
    )
    floors, ours = [], []
    for _ in range(rounds):
        floors.append(part(HERE, "bare", deliveries=deliveries))
        ours.append(part(HERE, "listener", deliveries=deliveries))
    ratio = median([o["rate"] / f["rate"] for o, f in zip(ours, floors, strict=True)])
    for name, rows in (("floor: 200 to anything", floors), ("listener: verified, on disk, then 200", ours)):
        rate, p50, p99, cpu = (
            median([row[key] for row in rows]) for key in ("rate", "p50_ms", "p99_ms", "cpu_us")
        )
        print(
            f"  {name:<38} {rate:7,.0f}/s   p50 {p50:5.1f}  p99 {p99:5.1f} ms at {CONNECTIONS} connections   CPU {cpu:,.0f} us"
        )
    print(f"  {'listener / floor':<38} {ratio:7.2f}     (aims: 2,000/s, p99 25 ms)")
    with process("attio_console.sandbox", "--records", "500", "--no-limits", "--webhook-http") as running:
        where = {
            "base_url": running["attio"],
            "token": running["tokens"]["attio"],
            "control": running["control"],
        }
        found = part(HERE, "lag", edits=edits, **where)
    print(
        f"  {'from an edit to the screen':<38} p50 {found['p50_ms']:.0f}  p95 {found['p95_ms']:.0f}"
        f"  p99 {found['p99_ms']:.0f} ms; from the delivery p95 {found['from_delivery_p95_ms']:.0f} ms"
        f"   ({found['edits']:.0f} edits, aim: p95 150 ms)"
    )


if __name__ == "__main__":
    main()
