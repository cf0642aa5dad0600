"""A console without a screen, as a process of its own, to be killed: driver.py BASE_URL TOKEN DIRECTORY [RECORD_ID ...]

At its first run on a directory it keeps one edit and one note for each record named, says so, and lets the engine
work; at later runs it only lets the engine work.
"""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

from attio_console.config.profiles import Profile, WebhookConfig
from attio_console.config.secrets import MemorySecrets
from attio_console.model.clock import SystemClock
from attio_console.model.values import from_attio
from attio_console.store import Store
from attio_console.store.outbox import provisional_id
from attio_console.store.types import FieldEdit, NewItem
from attio_console.sync import attio_creator
from attio_console.sync.bus import Bus
from attio_console.sync.engine import Engine

TITLE = "Kept through a crash"


async def main(base_url: str, token: str, directory: str, records: list[str]) -> None:
    attio_creator.LOOK_AFTER_S = 0.5
    profile = Profile(name="crash", base_url=base_url, webhook=WebhookConfig(mode="listen", port=0))
    clock = SystemClock()
    store = await Store.open(Path(directory), clock=clock)
    bus = Bus()
    engine = Engine(profile, MemorySecrets({"attio": token}), store, bus, clock, random.Random())
    async with asyncio.TaskGroup() as tasks:
        with bus.subscribe() as changes:
            tasks.create_task(engine.run())
            while not store.engine_lock.held:
                await anext(changes)
        print("running", flush=True)
        if records:
            if not store.outbox.groups():
                await _keep_writes(store, bus, records)
            print("kept", flush=True)


async def _keep_writes(store: Store, bus: Bus, records: list[str]) -> None:
    with bus.subscribe() as changes:
        people = store.mirror.schema.object("people")
        while people is None or any(store.mirror.raw(people.id, record) is None for record in records):
            await anext(changes)
            people = store.mirror.schema.object("people")
    items = []
    for record in records:
        row = store.mirror.row(people.id, record)
        assert row is not None
        base = from_attio(row.document["values"]["job_title"])
        items.append(
            NewItem("attio", people.id, record, "set", {"job_title": FieldEdit(base, [f"{TITLE} {record}"])})
        )
        items.append(
            NewItem(
                "attio",
                "attio:notes",
                provisional_id(),
                "note_create",
                payload={
                    "parent_object": "people",
                    "parent_record_id": record,
                    "title": TITLE,
                    "content": record,
                    "format": "plaintext",
                },
            )
        )
    await store.outbox.add(items, TITLE)
    bus.changed("outbox")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]))
