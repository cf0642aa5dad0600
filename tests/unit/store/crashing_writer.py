"""Run by test_crash in a process of its own, to be killed: writes to a store and says on stdout what it was promised."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from attio_console.store import Store
from attio_console.store.types import AuditEntry, Delivery, FieldEdit, NewItem


def _say(*words: object) -> None:
    sys.stdout.write(" ".join(str(word) for word in words) + "\n")
    sys.stdout.flush()


async def _deliver(store: Store, run: int) -> None:
    number = 0
    while True:
        keys = [f"{run}-{number + step}" for step in range(8)]
        await asyncio.gather(*(store.inbox.put(Delivery(key, "w", b"{}", store.clock.now())) for key in keys))
        for key in keys:
            _say("delivery", key)
        number += 8


async def _edit(store: Store, run: int) -> None:
    number = 0
    while True:
        record = f"{run:08d}-0000-4000-8000-{number:012d}"
        edit = NewItem("attio", "c", record, "set", {"n": FieldEdit([], [number])})
        await store.outbox.add([edit], "edit")
        _say("edit", record)
        claims = await store.outbox.claim("attio", 1, 3600)
        if claims and number % 2:
            await store.queue.run(
                lambda tx, claim=claims[0]: (
                    store.outbox.confirm_in(tx, claim),
                    store.audit.append_in(tx, AuditEntry("x", "sent", record=claim.item.record_id)),
                )
            )
            _say("confirmed", claims[0].item.record_id)
        number += 1


async def _pull(store: Store) -> None:
    while True:
        state = await store.mirror.begin_scan("people")
        at = int(state.cursor or b"0")
        if at >= 5000:
            await store.mirror.finish_scan("people", state.scan)
            continue
        page = [
            json.dumps({"id": {"record_id": f"r{n}"}, "values": {}, "n": n}).encode()
            for n in range(at, at + 100)
        ]
        await store.mirror.apply_page("people", page, scan=state.scan, cursor=str(at + 100).encode())
        _say("page", state.scan, at + 100)


async def main() -> None:
    store = await Store.open(Path(sys.argv[1]))
    run = int(sys.argv[2])
    await store.outbox.recover()
    _say("open")
    async with asyncio.TaskGroup() as group:
        group.create_task(_deliver(store, run))
        group.create_task(_edit(store, run))
        group.create_task(_pull(store))


asyncio.run(main())
