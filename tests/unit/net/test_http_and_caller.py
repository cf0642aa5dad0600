from __future__ import annotations

import asyncio
import logging
import random
import socket

import pytest

from attio_console import errors
from attio_console.model.clock import SystemClock
from attio_console.net import (
    Backoff,
    Caller,
    HttpClient,
    Lane,
    Limiter,
    Request,
    Resend,
    Response,
    Timeouts,
    Traffic,
    retry_after,
)


def judge(request: Request, response: Response) -> errors.ApiError | None:
    if response.status < 300:
        return None
    if response.status == 429:
        limited = errors.RateLimited("slow down", status=429)
        limited.retry_after_s = retry_after(response.headers, SystemClock())
        return limited
    kinds = {404: errors.NotFound, 409: errors.ConcurrentWrite, 400: errors.Refused}
    return kinds.get(response.status, errors.ServerFailed)("no", status=response.status)


@pytest.fixture
async def caller():
    async with HttpClient(timeouts=Timeouts(connect=1, read=0.3, total=2)) as http:
        yield Caller(
            "test",
            http,
            Limiter(),
            judge,
            rng=random.Random(1),
            backoff=Backoff(0.005, 0.02),
            traffic=Traffic(),
        )


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


async def test_an_answer_keeps_status_headers_and_bytes(scripted, reply) -> None:
    scripted.then(reply(418, b"\x00tea", {"X-Thing": "yes"}))
    async with HttpClient() as http:
        answer = await http.request(
            "GET", scripted.url + "/a b", params={"x": [1, True], "n": None, "t": "é&"}
        )
    assert (answer.status, answer.content, answer.headers["x-thing"]) == (418, b"\x00tea", "yes")
    assert answer.elapsed > 0
    assert scripted.asked[0].target == "/a%20b?x=1&x=true&t=%C3%A9%26"


async def test_nobody_listening_is_offline() -> None:
    async with HttpClient() as http:
        with pytest.raises(errors.Offline) as offline:
            await http.request("GET", f"http://127.0.0.1:{free_port()}/")
    assert offline.value.unknown_outcome is False


async def test_a_broken_connection_has_an_unknown_outcome(scripted, reply) -> None:
    scripted.then(reply(action="reset"))
    async with HttpClient() as http:
        with pytest.raises(errors.ConnectionLost) as lost:
            await http.request("POST", scripted.url, json={"a": 1})
    assert lost.value.unknown_outcome is True


async def test_silence_is_timed_out(scripted, reply) -> None:
    scripted.then(reply(action="hang"))
    async with HttpClient(timeouts=Timeouts(read=0.05)) as http:
        with pytest.raises(errors.TimedOut):
            await http.request("GET", scripted.url)


async def test_an_answer_that_drips_for_ever_is_timed_out() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
            while not writer.is_closing():
                writer.write(b".")
                await writer.drain()
                await asyncio.sleep(0.01)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with HttpClient(timeouts=Timeouts(read=1, total=0.1)) as http:
        with pytest.raises(errors.TimedOut):
            await http.request("GET", f"http://127.0.0.1:{port}/")
    server.close()


async def test_an_address_that_is_none() -> None:
    async with HttpClient() as http:
        for url in ("ftp://127.0.0.1/", "http://[::1", "nothing"):
            with pytest.raises(errors.ConfigError):
                await http.request("GET", url)


async def test_a_read_is_sent_again_after_whatever_may_pass(caller, scripted, reply) -> None:
    scripted.then(reply(502), reply(action="reset"), reply(action="hang"), reply(200, b"fine"))
    answer = await caller.call(Request("GET", scripted.url, "read", Resend.FREELY))
    assert answer.content == b"fine"
    assert len(scripted.asked) == 4


@pytest.mark.parametrize("action", ["reset", "hang", "status"])
async def test_a_create_with_a_lost_answer_is_not_sent_again(caller, scripted, reply, action) -> None:
    scripted.then(reply(500) if action == "status" else reply(action=action))
    with pytest.raises((errors.ConnectionLost, errors.TimedOut, errors.ServerFailed)):
        await caller.call(Request("POST", scripted.url, "write", Resend.NEVER, json={}))
    assert len(scripted.asked) == 1


async def test_what_was_not_processed_is_sent_again_even_for_a_create(caller, scripted, reply) -> None:
    scripted.then(reply(429, headers={"retry-after": "0"}), reply(409), reply(200, b"made"))
    answer = await caller.call(Request("POST", scripted.url, "write", Resend.NEVER, json={}))
    assert answer.content == b"made"


async def test_a_refusal_is_final(caller, scripted, reply) -> None:
    scripted.then(reply(400), reply(200))
    with pytest.raises(errors.Refused):
        await caller.call(Request("GET", scripted.url, "read", Resend.FREELY))
    assert len(scripted.asked) == 1


async def test_attempts_come_to_an_end(caller, scripted, reply) -> None:
    scripted.answer = lambda _: reply(503)
    with pytest.raises(errors.ServerFailed):
        await caller.call(Request("GET", scripted.url, "read", Resend.FREELY))
    assert len(scripted.asked) == 4


async def test_a_delete_whose_answer_was_lost_and_is_then_gone_was_done(caller, scripted, reply) -> None:
    scripted.then(reply(action="reset"), reply(404))
    answer = await caller.call(Request("DELETE", scripted.url, "write", Resend.FREELY))
    assert answer.status == 200
    scripted.then(reply(404))
    with pytest.raises(errors.NotFound):
        await caller.call(Request("DELETE", scripted.url, "write", Resend.FREELY))


async def test_a_429_gates_every_request_of_the_token_and_not_the_breaker(caller, scripted, reply) -> None:
    scripted.then(
        reply(429, headers={"retry-after": "0.2"}), *(reply(429, headers={"retry-after": "0"}),) * 6
    )
    loop = asyncio.get_running_loop()
    started = loop.time()
    first = Request("GET", scripted.url, "read", Resend.FREELY)
    async with asyncio.TaskGroup() as group:
        group.create_task(caller.call(first))
        while not scripted.asked:
            await asyncio.sleep(0.001)
        while caller.limiter.stats().gated_for_s == 0:
            await asyncio.sleep(0.001)
        other = group.create_task(caller.call(Request("POST", scripted.url, "write", lane=Lane.CATCHUP)))
    assert other.result().status == 200
    assert loop.time() - started >= 0.2
    assert caller.breakers.states() == {"test": "closed"}


async def test_a_long_retry_after_is_raised_and_not_slept_through(caller, scripted, reply) -> None:
    scripted.then(reply(429, headers={"retry-after": "3600"}))
    with pytest.raises(errors.RateLimited) as limited:
        await caller.call(Request("GET", scripted.url, "read", Resend.FREELY))
    assert limited.value.retry_after_s == 3600
    assert caller.limiter.stats().gated_for_s > 3500


async def test_repeated_failures_open_the_partition_and_only_it(caller, scripted, reply) -> None:
    scripted.answer = lambda asked: reply(500 if asked.target == "/bad" else 200)
    bad = Request("GET", scripted.url + "/bad", "read", Resend.FREELY, partition="bad")
    for expected in (errors.ServerFailed, errors.BreakerOpen):
        with pytest.raises(expected):
            await caller.call(bad)
    asked = len(scripted.asked)
    with pytest.raises(errors.BreakerOpen):
        await caller.call(bad)
    assert len(scripted.asked) == asked == 5
    assert (await caller.call(Request("GET", scripted.url + "/good", "read", partition="good"))).status == 200


async def test_being_offline_does_not_open_a_breaker(caller) -> None:
    for _ in range(3):
        with pytest.raises(errors.Offline):
            await caller.call(Request("GET", f"http://127.0.0.1:{free_port()}", "read", Resend.FREELY))
    assert caller.breakers.states() == {"test": "closed"}


async def test_a_body_that_is_not_what_was_promised_counts_as_a_failure(caller, scripted, reply) -> None:
    scripted.then(reply(200, b"<html>"), reply(200, b"ok"))

    def read(response: Response) -> bytes:
        if response.content != b"ok":
            raise errors.ServerFailed("malformed", status=200)
        return response.content

    assert await caller.fetch(Request("GET", scripted.url, "read", Resend.FREELY), read) == b"ok"


async def test_one_line_a_request_without_the_token(caller, scripted, reply, caplog) -> None:
    scripted.then(reply(200, b"12345", {"x-request-id": "req-9"}))
    secret = "tok_0123456789"
    with caplog.at_level(logging.INFO, "attio_console.net"):
        await caller.call(
            Request(
                "GET",
                scripted.url + "/v2/emails",
                "read",
                params={"participants": "ada@example.com"},
                headers={"authorization": f"Bearer {secret}"},
            )
        )
    lines = [record.getMessage() for record in caplog.records if record.name == "attio_console.net"]
    assert len(lines) == 1
    assert "GET /v2/emails 200" in lines[0] and "id=req-9" in lines[0] and "bytes=5" in lines[0]
    assert secret not in lines[0] and "ada@" not in lines[0]


async def test_cancelling_a_request_frees_its_connection(scripted, reply) -> None:
    scripted.answer = lambda asked: reply(action="hang") if asked.target == "/slow" else reply(200)
    async with HttpClient(max_connections=1) as http:
        async with asyncio.TaskGroup() as group:
            slow = group.create_task(http.request("GET", scripted.url + "/slow"))
            while not scripted.asked:
                await asyncio.sleep(0.001)
            slow.cancel()
        assert (await http.request("GET", scripted.url + "/fast")).status == 200
