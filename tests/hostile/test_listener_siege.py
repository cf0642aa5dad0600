"""The listener under siege: whatever strangers send, nothing changes, memory and the loop stay free, and Attio is answered."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import resource
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from attio_console.model.clock import SystemClock
from attio_console.store import Store
from attio_console.store.types import Delivery
from attio_console.webhook import Address, Listener, serve, sign

SECRETS = [b"first", b"second"]


def delivery(number: int = 0, webhook: str = "w") -> bytes:
    event = {"event_type": "record.updated", "id": {"record_id": f"r{number}", "object_id": "o"}}
    return json.dumps({"webhook_id": webhook, "events": [event]}).encode()


@dataclass
class Fort:
    address: Address
    listener: Listener
    store: Store
    stalls: list[float] = field(default_factory=list)

    async def raw(self, data: bytes, seconds: float = 10) -> bytes:
        reader, writer = await asyncio.open_connection(self.address.host, self.address.port)
        with contextlib.suppress(OSError):
            writer.write(data)
            await writer.drain()
        try:
            async with asyncio.timeout(seconds):
                return await reader.read()
        except OSError:
            return b""
        finally:
            writer.close()

    def head(self, body: bytes, key: str = "k", signature: str | bytes | None = None, **more: str) -> bytes:
        given = sign(SECRETS[0], body) if signature is None else signature
        lines = [
            b"POST / HTTP/1.1",
            b"Host: x",
            b"Connection: close",
            b"Attio-Signature: " + (given if isinstance(given, bytes) else given.encode()),
        ]
        if key:
            lines.append(f"Idempotency-Key: {key}".encode())
        lines += [f"{name.replace('_', '-')}: {value}".encode() for name, value in more.items()]
        return b"\r\n".join([*lines, b"", b""])

    async def send(
        self, body: bytes, key: str = "k", signature: str | bytes | None = None, **more: str
    ) -> int:
        answer = await self.raw(self.head(body, key, signature, Content_Length=str(len(body)), **more) + body)
        return int(answer.split(b" ", 2)[1]) if answer else 0

    async def is_served(self, key: str) -> float:
        """Return the seconds that a legitimate delivery takes, asked again as Attio does after a 503."""
        started = time.monotonic()
        assert await self.send(delivery(), key) == 200
        return time.monotonic() - started


@pytest.fixture
async def fort(tmp_path: Path) -> AsyncIterator[Fort]:
    store = await Store.open(tmp_path, clock=SystemClock())

    async def keep(key: str, webhook_id: str, body: bytes, received_at: datetime) -> bool:
        return await store.inbox.put(Delivery(key, webhook_id, body, received_at))

    listener = Listener(keep, lambda: SECRETS, SystemClock())
    async with serve(listener) as address:
        fort = Fort(address, listener, store)

        async def watch() -> None:
            while True:
                before = time.monotonic()
                await asyncio.sleep(0.01)
                fort.stalls.append(time.monotonic() - before - 0.01)

        task = asyncio.ensure_future(watch())
        yield fort
        task.cancel()
    await store.close()


async def test_documents_made_to_break_a_parser_are_400(fort: Fort) -> None:
    deep = (
        b'{"webhook_id":"w","events":[{"event_type":"record.updated","id":{"x":'
        + b"[" * 200_000
        + b"]" * 200_000
        + b"}}]}"
    )
    bombs = [
        deep,
        b"[" * 500_000,
        b'{"webhook_id":"w","events":[{"event_type":"e","id":{"n":' + b"9" * 500_000 + b"}}]}",
        b'{"webhook_id":"w","events":[{"event_type":"e","id":{"n":1e999999}}]}',
        b'{"webhook_id":"\\ud800","events":[]}',
        b'{"webhook_id":null,"events":null}',
        b'{"webhook_id":"w","events":[null]}',
        b'{"webhook_id":"w","events":"x"}',
        b"\xff\xfe{}",
        b"",
        b"null",
        b'"w"',
        b"\x1f\x8b" + b"\x00" * 100,
        gzip.compress(delivery()),
    ]
    for body in bombs:
        status = await fort.send(body, key=f"bomb{len(body)}")
        assert status == 400, (status, body[:60])
    assert fort.store.inbox.depth() == 0
    assert await fort.is_served("after the bombs") < 1


async def test_a_replay_with_another_body_changes_nothing(fort: Fort) -> None:
    assert await fort.send(delivery(1), "same") == 200
    assert await fort.send(delivery(2), "same") == 200
    assert fort.store.inbox.depth() == 1
    (kept,) = await fort.store.inbox.claim(10, 60)
    assert kept.delivery.body == delivery(1)


async def test_keys_of_any_kind_are_kept_as_they_are(fort: Fort) -> None:
    assert await fort.send(delivery(1), "") == 200
    assert await fort.send(delivery(1), "") == 200
    assert await fort.send(delivery(1), "x" * 5000) == 200
    assert await fort.send(delivery(1), "x" * 5000) == 200
    assert await fort.send(delivery(1), "'; DROP TABLE inbox; --\x7f\x1b]52;c;x") in {200, 400}
    assert fort.store.inbox.depth() >= 3


async def test_signatures_that_are_none_are_401(fort: Fort) -> None:
    body = delivery()
    good = sign(SECRETS[0], body)
    wide = "".join(chr(0xFF10 + int(c)) if c.isdigit() else c for c in good)
    forged = [
        wide.encode(), wide.encode("utf-16"), b"", b" ", good[:-1].encode(), good.encode() + b"0", b"sha256=" + good.encode(),
        sign(b"another webhook", body).encode(), sign(b"", body).encode(), sign(SECRETS[0], body + b" ").encode(),
        good.encode() + b"," + good.encode(), b"\x80" * 64, b"0" * 20_000,
    ]  # fmt: skip
    for signature in forged:
        assert await fort.send(body, "forged", signature) in {400, 401, 431}, signature[:40]
    assert fort.store.inbox.depth() == 0
    assert await fort.send(body, "second", sign(SECRETS[1], body)) == 200


async def test_sizes_at_the_edge(fort: Fort) -> None:
    start, end = delivery()[:-1] + b',"pad":"', b'"}'
    exact = start + b"x" * (1024 * 1024 - len(start) - len(end)) + end
    assert len(exact) == 1024 * 1024
    assert await fort.send(exact, "exact") == 200
    assert await fort.send(exact[:-2] + b"x" + end, "over") == 413
    assert await fort.send(delivery(), "lie", content_length="5") in {0, 400, 401}
    for length in ("-1", "99999999999999999999999", "0x10", "1e3", "\u0661"):
        head = fort.head(delivery(), "odd", Content_Length=length)
        answer = await fort.raw(head + delivery())
        assert not answer.startswith(b"HTTP/1.1 200"), length
    both = fort.head(delivery(), "both", Content_Length="3", Transfer_Encoding="chunked")
    assert not (await fort.raw(both + b"3\r\nabc\r\n0\r\n\r\n")).startswith(b"HTTP/1.1 200")


async def test_a_queue_of_requests_on_one_line_is_answered_in_order_or_cut(fort: Fort) -> None:
    body = delivery()
    one = fort.head(body, "p", Content_Length=str(len(body))).replace(b"Connection: close\r\n", b"") + body
    answer = await fort.raw(one * 200 + b"GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.count(b"200 OK") <= 200
    assert fort.store.inbox.depth() == 1
    assert await fort.is_served("after the queue") < 1


async def test_crowds_and_idlers_keep_nobody_out(fort: Fort) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    idlers: list[asyncio.StreamWriter] = []
    fort.stalls.clear()
    for number in range(2000):
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(fort.address.host, fort.address.port)
            if number % 3 == 0:
                writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
            elif number % 3 == 1:
                writer.write(fort.head(b"", Content_Length="1000") + b"{")
            idlers.append(writer)
    started = time.monotonic()
    while True:
        try:
            took = await fort.is_served("through the crowd")
            break
        except AssertionError:
            assert time.monotonic() - started < 7, "nobody is let in"
            await asyncio.sleep(0.1)
    waited = time.monotonic() - started
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    for writer in idlers:
        writer.close()
    assert took < 1
    assert waited < 1.0, f"a delivery of Attio's waited {waited:.1f} s"
    assert grown < 60_000, f"{grown} KB"
    assert max(fort.stalls) < 0.5
    assert fort.store.inbox.depth() == 1


async def test_endless_bodies_and_headers_cost_little(fort: Fort) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    async def pour(start: bytes, piece: bytes, times: int) -> None:
        reader, writer = await asyncio.open_connection(fort.address.host, fort.address.port)
        with contextlib.suppress(OSError):
            writer.write(start)
            for _ in range(times):
                writer.write(piece)
                await writer.drain()
            await asyncio.wait_for(reader.read(), 1)
        writer.close()

    chunked = fort.head(b"", "bomb", Transfer_Encoding="chunked")
    async with asyncio.TaskGroup() as tasks:
        for _ in range(8):
            tasks.create_task(pour(chunked, b"10000\r\n" + b"x" * 65536 + b"\r\n", 1000))
            tasks.create_task(pour(chunked, b"1\r\nx\r\n" * 1000, 200))
            tasks.create_task(pour(chunked, b"1;" + b"e" * 60_000 + b"\r\nx\r\n", 300))
            tasks.create_task(pour(b"POST / HTTP/1.1\r\n", b"X-H: " + b"h" * 8000 + b"\r\n", 500))
            tasks.create_task(pour(b"POST /" + b"a" * 60_000, b"a" * 60_000, 100))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 60_000, f"{grown} KB"
    assert await fort.is_served("after the flood") < 1
    assert fort.store.inbox.depth() == 1


async def test_wrong_doors(fort: Fort) -> None:
    body = delivery()
    for line, expected in (
        (b"GET / HTTP/1.1", 405), (b"PUT / HTTP/1.1", 405), (b"POST /../../etc/passwd HTTP/1.1", 404),
        (b"POST /webhooks/attio/ HTTP/1.1", 404), (b"POST /%77ebhooks/attio HTTP/1.1", 200), (b"POST //", 404),
        (b"CONNECT x:1 HTTP/1.1", 404), (b"\x16\x03\x01\x02\x00\x01", 400),
    ):  # fmt: skip
        data = fort.head(body, line.decode("latin-1"), Content_Length=str(len(body))).replace(
            b"POST / HTTP/1.1", line, 1
        )
        answer = await fort.raw(data.replace(b"POST / HTTP", line + b" HTTP") + body)
        status = int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 400
        assert status == expected or (expected == 404 and status in {400, 405}), (line, answer[:60])
    assert datetime.now(UTC) >= (fort.listener.counts.last_at or datetime.now(UTC))
