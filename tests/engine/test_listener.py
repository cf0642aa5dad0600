from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from datetime import datetime

import pytest

from attio_console import errors
from attio_console.model.clock import SystemClock
from attio_console.webhook import Address, Listener, serve, sign
from attio_console.webhook import server as webhook_server

SECRET = b"s3cret"
BODY = json.dumps(
    {"webhook_id": "w", "events": [{"event_type": "record.updated", "id": {"record_id": "r"}}]}
).encode()


class Shelf:
    """Keeps deliveries in memory, where the product keeps them in the inbox."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.failing = False
        self.asked, self.open = asyncio.Event(), asyncio.Event()
        self.open.set()

    async def __call__(self, key: str, webhook_id: str, body: bytes, received_at: datetime) -> bool:
        self.asked.set()
        await self.open.wait()
        if self.failing:
            raise errors.StoreUnavailable("The disk is full.")
        fresh = key not in self.kept
        self.kept.setdefault(key, body)
        return fresh


class Bench:
    def __init__(self) -> None:
        self.shelf = Shelf()
        self.secrets: list[bytes] = [SECRET]
        self.woken = 0
        self.listener = Listener(
            self.shelf,
            lambda: self.secrets,
            SystemClock(),
            wake=self._wake,
            paths=["/own"],
            body_timeout_s=0.3,
        )
        self.address = Address("", 0)

    def _wake(self) -> None:
        self.woken += 1

    async def raw(self, data: bytes, *, eof: bool = False) -> bytes:
        reader, writer = await asyncio.open_connection(self.address.host, self.address.port)
        writer.write(data)
        await writer.drain()
        if eof:
            writer.write_eof()
        try:
            return await asyncio.wait_for(reader.read(), 10)
        except ConnectionResetError:
            return b""
        finally:
            writer.close()

    async def send(
        self,
        body: bytes = BODY,
        *,
        path: str = "/",
        method: str = "POST",
        signature: str | None = None,
        key: str = "k1",
    ) -> int:
        signature = sign(SECRET, body) if signature is None else signature
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
            f"Attio-Signature: {signature}\r\nIdempotency-Key: {key}\r\n\r\n"
        )
        answer = await self.raw(head.encode() + body)
        return int(answer.split(b" ", 2)[1])


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    async with serve(bench.listener) as address:
        bench.address = address
        yield bench


async def test_a_signed_delivery_is_kept_and_answered_200(bench: Bench) -> None:
    assert await bench.send() == 200
    assert bench.shelf.kept == {"k1": BODY}
    assert bench.woken == 1


async def test_the_same_key_again_is_200_and_wakes_nobody(bench: Bench) -> None:
    assert [await bench.send(), await bench.send()] == [200, 200]
    assert bench.woken == 1
    assert bench.listener.counts.duplicates == 1


async def test_a_bad_or_missing_signature_is_401_and_leaves_nothing(bench: Bench) -> None:
    assert await bench.send(signature="0" * 64) == 401
    assert await bench.send(signature="") == 401
    assert await bench.send(signature="\u00e9") == 401
    assert bench.shelf.kept == {}


async def test_old_and_new_secret_are_accepted_while_both_are_known(bench: Bench) -> None:
    bench.secrets[:] = [b"new", SECRET]
    assert await bench.send(key="a") == 200
    assert await bench.send(key="b", signature=sign(b"new", BODY)) == 200
    bench.secrets[:] = [b"new"]
    assert await bench.send(key="c") == 401


async def test_no_secret_accepts_nothing(bench: Bench) -> None:
    bench.secrets.clear()
    assert await bench.send() == 401


async def test_a_body_over_the_limit_is_413_declared_or_not(bench: Bench) -> None:
    big = b"x" * (1024 * 1024 + 1)
    assert await bench.send(big) == 413
    chunk = b"%x\r\n%s\r\n" % (len(big), big)
    answer = await bench.raw(
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + b"0\r\n\r\n"
    )
    assert b" 413 " in answer[:20]
    assert bench.shelf.kept == {}


async def test_a_slow_body_is_408(bench: Bench) -> None:
    answer = await bench.raw(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
    assert b" 408 " in answer[:20]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"webhook_id": 3, "events": []}',
        b'{"webhook_id": "w"}',
        b'{"webhook_id":"w","events":[{}]}',
        b"\xff\xfe",
    ],
)
async def test_a_signed_body_of_another_shape_is_400(bench: Bench, body: bytes) -> None:
    assert await bench.send(body) == 400
    assert bench.shelf.kept == {}


async def test_other_paths_are_404_and_other_verbs_405(bench: Bench) -> None:
    assert await bench.send(path="/elsewhere") == 404
    assert await bench.send(method="GET") == 405
    assert await bench.send(path="/own") == 200
    assert await bench.send(path="/webhooks/attio", key="k2") == 200


async def test_what_cannot_be_kept_is_not_answered_200(bench: Bench) -> None:
    bench.shelf.failing = True
    assert await bench.send() == 503
    bench.shelf.failing = False
    assert await bench.send() == 200


async def test_without_a_key_every_delivery_counts(bench: Bench) -> None:
    for _ in range(2):
        assert await bench.send(key="") == 200
    assert len(bench.shelf.kept) == 2


async def test_huge_headers_are_cut_off(bench: Bench) -> None:
    answer = await bench.raw(b"POST / HTTP/1.1\r\nHost: x\r\n" + b"a: " + b"x" * 100_000 + b"\r\n\r\n")
    assert b" 431 " in answer[:20] or answer == b""
    assert await bench.send() == 200


async def test_a_connection_that_says_nothing_is_closed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_server, "HEADER_TIMEOUT_S", 0.1)
    assert await bench.raw(b"POST / HT") == b""


async def test_over_the_limit_whoever_was_silent_for_longest_makes_room(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_server, "MAX_CONNECTIONS", 2)
    silent, first = await asyncio.open_connection(bench.address.host, bench.address.port)
    _, second = await asyncio.open_connection(bench.address.host, bench.address.port)
    assert await bench.send() == 200
    with contextlib.suppress(ConnectionResetError):
        assert await silent.read() == b""
    first.close()
    second.close()


async def test_over_the_limit_of_deliveries_at_work_the_next_is_told_to_come_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_server, "MAX_CONNECTIONS", 1)
    bench.shelf.open.clear()
    sending = asyncio.create_task(bench.send())
    await bench.shelf.asked.wait()
    assert b" 503 " in (await bench.raw(b""))[:20]
    bench.shelf.open.set()
    assert await sending == 200


async def test_a_port_in_use_says_so() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(errors.ConfigError, match="in use"):
            async with serve(Bench().listener, port=taken.getsockname()[1]):
                pass
