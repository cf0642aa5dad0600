from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json

import pytest

from attio_console.sandbox.attio.delivery import RETRIES, Deliveries, retry_delay
from attio_console.sandbox.attio.subscriptions import Subscription, Webhook
from attio_console.sandbox.attio.webhooks import Webhooks
from attio_console.sandbox.faults import Faults
from attio_console.sandbox.outgoing import DeliveryFailed, Poster
from attio_console.sandbox.world import SYSTEM, Settings, World

DAY = 86_400


@contextlib.asynccontextmanager
async def delivering(url, *, limits=True, event_filter=None, event_type="task.created"):
    world = World(7, settings=Settings(limits=limits))
    workspace = world.add_workspace("W", "w")
    webhook = workspace.part(Webhooks).add(url, [Subscription(event_type, event_filter)])
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(world.part(Deliveries).run()), group.create_task(world.clock.run())]
        yield workspace, webhook
        for task in tasks:
            task.cancel()


def happen(workspace, times=1):
    for _ in range(times):
        workspace.events.emit("task.created", {"task_id": workspace.world.ids.uuid()}, SYSTEM)


async def settle(world, rows):
    """Let the loop run until that many attempts are noted."""
    async with asyncio.timeout(10):
        while len(world.part(Deliveries).rows) < rows:
            await asyncio.sleep(0.001)


async def test_a_delivery_is_one_signed_event_with_a_key(receiver):
    async with delivering(receiver.url) as (workspace, webhook):
        happen(workspace)
        (got,) = await receiver.wait_for(1)
    signature = hmac.new(webhook.secret.encode(), got.body, hashlib.sha256).hexdigest()
    assert got.headers["attio-signature"] == got.headers["x-attio-signature"] == signature
    assert len(got.headers["idempotency-key"]) == 36
    body = json.loads(got.body)
    assert body["webhook_id"] == webhook.id
    assert [event["event_type"] for event in body["events"]] == ["task.created"]
    assert body["events"][0]["actor"] == {"type": "system", "id": None}


async def test_a_refused_delivery_comes_again_later_under_the_same_key(receiver):
    answers = iter([500, 302, None, 202])
    receiver.answer = lambda _: next(answers)
    async with delivering(receiver.url) as (workspace, webhook):
        happen(workspace)
        for attempt in range(1, 4):
            await settle(workspace.world, attempt)
            workspace.world.clock.advance(retry_delay(attempt) + 1)
        got = await receiver.wait_for(4)
        await settle(workspace.world, 4)
        assert webhook.status(workspace.world.clock.now()) == "active"
    assert len({delivery.headers["idempotency-key"] for delivery in got}) == 1
    assert len({delivery.body for delivery in got}) == 1


async def test_ten_retries_take_three_days_then_the_webhook_degrades_and_after_seven_more_it_is_off(receiver):
    receiver.answer = lambda _: 503
    assert 3 * DAY <= sum(retry_delay(n) for n in range(1, RETRIES + 1)) <= 3.2 * DAY
    async with delivering(receiver.url) as (workspace, webhook):
        clock = workspace.world.clock
        happen(workspace)
        for attempt in range(1, RETRIES + 1):
            await settle(workspace.world, attempt)
            assert webhook.status(clock.now()) == "active"
            clock.advance(retry_delay(attempt) + 1)
        await settle(workspace.world, RETRIES + 1)
        assert len(receiver.received) == RETRIES + 1
        assert webhook.status(clock.now()) == "degraded"
        happen(workspace)
        await receiver.wait_for(RETRIES + 2)
        await settle(workspace.world, RETRIES + 2)
        clock.advance(7 * DAY)
        assert webhook.status(clock.now()) == "inactive"
        happen(workspace)
        await settle(workspace.world, RETRIES + 3)
        assert workspace.world.part(Deliveries).rows[-1].outcome == "discarded"
        assert len(receiver.received) == RETRIES + 2
        workspace.part(Webhooks).change(webhook, receiver.url, None)
        receiver.answer = lambda _: 200
        happen(workspace)
        await receiver.wait_for(RETRIES + 3)


async def test_a_degraded_webhook_recovers_with_the_first_success(receiver):
    async with delivering(receiver.url) as (workspace, webhook):
        webhook.degraded_since = workspace.world.clock.now()
        happen(workspace)
        await settle(workspace.world, 1)
        assert webhook.status(workspace.world.clock.now()) == "active"


async def test_at_most_25_deliveries_a_second_per_target(receiver):
    async with delivering(receiver.url) as (workspace, _):
        started = asyncio.get_running_loop().time()
        happen(workspace, 60)
        # 25 at once, 25 a second later, 10 another second later.
        got = await receiver.wait_for(60, seconds=15)
    assert got[25].at - started >= 1.0
    assert got[50].at - started >= 2.0


async def test_without_limits_a_thousand_deliveries_take_about_a_second(receiver):
    async with delivering(receiver.url, limits=False) as (workspace, _):
        happen(workspace, 1000)
        got = await receiver.wait_for(1000, seconds=10)
        assert got[-1].at - got[0].at < 5
    assert len({delivery.headers["idempotency-key"] for delivery in got}) == 1000
    assert receiver.connections <= 64


async def test_a_dead_target_does_not_hold_up_another(receiver):
    async with delivering("http://127.0.0.1:9/nobody") as (workspace, _):
        workspace.part(Webhooks).add(receiver.url, [Subscription("task.created", None)])
        happen(workspace, 20)
        await receiver.wait_for(20)


async def test_a_deleted_webhook_gets_nothing_more(receiver):
    receiver.answer = lambda _: 500
    async with delivering(receiver.url) as (workspace, webhook):
        happen(workspace)
        await settle(workspace.world, 1)
        workspace.part(Webhooks).remove(webhook)
        workspace.world.clock.advance(20)
        await settle(workspace.world, 2)
    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    ("event_filter", "passes"),
    [
        ({"$and": [{"field": "actor.type", "operator": "equals", "value": "system"}]}, True),
        ({"$and": [{"field": "actor.type", "operator": "not_equals", "value": "system"}]}, False),
        ({"$or": [{"field": "id.task_id", "operator": "equals", "value": "x"}]}, False),
        (
            {
                "$or": [
                    {"field": "id.task_id", "operator": "equals", "value": "x"},
                    {"field": "id.record_id", "operator": "not_equals", "value": "x"},
                ]
            },
            True,
        ),
        ({"$and": []}, True),
    ],
)
async def test_filters_decide_at_the_source(receiver, event_filter, passes):
    async with delivering(receiver.url, event_filter=event_filter) as (workspace, webhook):
        happen(workspace)
        workspace.world.part(Deliveries).test(webhook, "record.updated")
        got = await receiver.wait_for(1 + passes)
    types = [json.loads(delivery.body)["events"][0]["event_type"] for delivery in got]
    assert ("task.created" in types) == passes
    assert "record.updated" in types


async def test_faults_drop_duplicate_delay_and_reorder(receiver):
    async with delivering(receiver.url) as (workspace, _):
        world = workspace.world
        faults = world.part(Faults)
        faults.add([{"action": "drop_delivery", "count": 1}])
        happen(workspace)
        faults.add([{"action": "duplicate_delivery", "count": 1}])
        happen(workspace)
        got = await receiver.wait_for(2)
        assert got[0].headers["idempotency-key"] == got[1].headers["idempotency-key"]
        faults.clear()
        faults.add([{"action": "reorder_delivery", "count": 1}])
        first = workspace.events.emit("task.created", {"task_id": "a"}, SYSTEM)
        second = workspace.events.emit("task.created", {"task_id": "b"}, SYSTEM)
        got = await receiver.wait_for(4)
        ids = [json.loads(delivery.body)["events"][0]["id"]["task_id"] for delivery in got[2:]]
        assert ids == [second.id["task_id"], first.id["task_id"]]
        faults.clear()
        faults.add([{"action": "delay_delivery", "seconds": 3600, "count": 1}])
        happen(workspace)
        assert world.part(Deliveries).pending >= 1
        world.clock.advance(3600)
        await receiver.wait_for(5)


@contextlib.asynccontextmanager
async def serving(handler):
    """A server for one handler, whose connections are over when the block is."""
    tasks = set()

    async def serve(reader, writer):
        tasks.add(asyncio.current_task())
        try:
            await handler(reader, writer)
        finally:
            writer.close()
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/a?b=c"
    server.close()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_the_poster_reads_every_kind_of_answer():
    answers = [
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nConnection: Close\r\n\r\n",
        b"HTTP/1.0 202 Accepted\r\n\r\nuntil the end",
        b"nonsense\r\n\r\n",
    ]

    async def answer(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(2)
        assert head.startswith(b"POST /a?b=c HTTP/1.1\r\n")
        writer.write(answers.pop(0))

    poster = Poster()
    async with serving(answer) as url:
        assert [await poster.post(url, [], b"{}") for _ in range(3)] == [200, 204, 202]
        with pytest.raises(DeliveryFailed):
            await poster.post(url, [], b"{}")
    with pytest.raises(DeliveryFailed):
        await poster.post(url, [], b"{}")
    await poster.close()


async def test_a_silent_target_is_given_up_after_the_timeout():
    async def silence(reader, writer):
        await reader.read()

    poster = Poster()
    async with serving(silence) as url:
        with pytest.raises(DeliveryFailed, match=r"0\.1 s"):
            await poster.post(url, [], b"{}", timeout_s=0.1)
        await poster.close()


def test_a_webhook_shows_its_secret_only_where_it_is_asked_for():
    webhook = Webhook("i", "w", "https://x", (), "s", "t")
    assert "secret" not in webhook.json(World().clock.now())
