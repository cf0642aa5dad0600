"""One file a noun; each command says what it prints and what its exit code means."""

from __future__ import annotations

import click

from attio_console.cli.commands.completion import completion
from attio_console.cli.commands.config import config
from attio_console.cli.commands.conflicts import conflicts
from attio_console.cli.commands.deadletters import deadletters
from attio_console.cli.commands.demo import demo
from attio_console.cli.commands.doctor import doctor
from attio_console.cli.commands.entries import entries
from attio_console.cli.commands.export import export
from attio_console.cli.commands.find import find
from attio_console.cli.commands.keys import keys
from attio_console.cli.commands.notes import notes
from attio_console.cli.commands.outbox import outbox
from attio_console.cli.commands.pairs import pairs
from attio_console.cli.commands.plan import plan
from attio_console.cli.commands.profile import profile
from attio_console.cli.commands.pull import pull
from attio_console.cli.commands.records import records
from attio_console.cli.commands.sandbox import sandbox
from attio_console.cli.commands.status import status
from attio_console.cli.commands.sync import sync
from attio_console.cli.commands.tasks import tasks
from attio_console.cli.commands.verify import verify
from attio_console.cli.commands.webhook import webhook

ALL: tuple[click.Command, ...] = (
    completion,
    config,
    conflicts,
    deadletters,
    demo,
    doctor,
    entries,
    export,
    find,
    keys,
    notes,
    outbox,
    pairs,
    plan,
    profile,
    pull,
    records,
    sandbox,
    status,
    sync,
    tasks,
    verify,
    webhook,
)
