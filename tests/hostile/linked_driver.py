"""A linked console without a screen and a restless operator, as a process to be killed: linked_driver.py < JSON.

The operator edits records, keeps notes, decides conflicts and takes decisions back. Each note and each edit that was
accepted (is on disk) is told on standard output, so that whoever kills knows what was promised.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from pathlib import Path
from typing import Any

from attio_console.config.profiles import HubSpotLink, Profile, SalesforceLink, WebhookConfig
from attio_console.config.secrets import MemorySecrets
from attio_console.errors import ConsoleError
from attio_console.services.console import Console
from attio_console.services.opening import OpenOptions, open_console
from attio_console.services.types import Done, TableQuery
from attio_console.sync import attio_creator

NOTE = "Promised"


def say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


async def operate(console: Console, rng: random.Random, run: int) -> None:
    """Do something every few milliseconds, as far as there is anything to do it with."""
    number = 0
    edited: Done | None = None
    while True:
        await asyncio.sleep(rng.uniform(0.0, 0.05))  # a person's pace, or a script's
        people = console.schema.object("people")
        if people is None:
            continue
        rows = await console.window(TableQuery(people.id), 0, 50, ())
        ids = [row.record_id for row in rows]
        if not ids:
            continue
        number += 1
        record = rng.choice(ids)
        try:
            what = rng.random()
            if what < 0.4:
                edited = await console.edit(people.id, [record], "job_title", f"Job {run}.{number}")
            elif what < 0.5:
                title = f"{NOTE} {run}.{number}"
                await console.add_note(people.id, record, title, "kept")
                say(note=title)
            elif what < 0.8:
                lines = console.conflicts(0, 50)
                if lines:
                    line = rng.choice(list(lines))
                    detail = console.conflict(line.conflict_id)
                    if detail is not None and detail.fields:
                        side = rng.choice(("attio", "external"))
                        await console.resolve(line.conflict_id, {f.slug: side for f in detail.fields})
            elif what < 0.85 and edited is not None and edited.group_id is not None:
                # Never a note: those are promised.
                await console.undo(edited.group_id)
        except ConsoleError:
            # Somebody was faster; what was refused was not promised.
            continue


async def main(told: dict[str, Any]) -> None:
    attio_creator.LOOK_AFTER_S = 0.5
    profile = Profile(
        name="crash",
        base_url=told["attio"],
        webhook=WebhookConfig(mode="listen", host="127.0.0.1", port=0),
        hubspot=HubSpotLink(base_url=told["hubspot"], poll_s=0.3),
        salesforce=SalesforceLink(login_url=told["salesforce"], client_id=told["client_id"], poll_s=0.3),
    )
    secrets = MemorySecrets(
        {"attio": told["token"], "hubspot": told["hubspot_token"], "salesforce": told["client_secret"]}
    )
    options = OpenOptions(
        profile_object=profile, secrets=secrets, data_dir=Path(told["directory"]), accept_links=True
    )
    async with open_console(options) as console, asyncio.TaskGroup() as tasks:
        tasks.create_task(console.run_engine())
        say(running=True)
        await operate(console, random.Random(told["seed"]), told["seed"])


if __name__ == "__main__":
    asyncio.run(main(json.load(sys.stdin)))
