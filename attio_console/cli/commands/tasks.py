"""`attio-console tasks`: what is to be done about a record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from attio_console.cli import EXIT_DONE
from attio_console.cli.commands._open import with_console, with_desk
from attio_console.cli.commands.notes import existing
from attio_console.cli.commands.records import deliver
from attio_console.cli.output import emit_lines, emit_table

if TYPE_CHECKING:
    from attio_console.services.console import Console
    from attio_console.services.desk import Desk

_wait = click.option("--no-wait", is_flag=True, help="Return once the change is on disk.")
_json = click.option(
    "--json", "as_json", is_flag=True, help="JSON: one document, or one object a line for lists."
)


@click.group()
def tasks() -> None:
    """List, add and finish tasks of a record."""


@tasks.command("list")
@click.argument("object_slug", metavar="OBJECT")
@click.argument("record_id", metavar="RECORD")
@_json
def list_tasks(object_slug: str, record_id: str, as_json: bool) -> int:
    """List the tasks of a record, open ones first."""

    async def work(desk: Desk) -> None:
        lines = (await existing(desk, object_slug, record_id)).tasks
        if as_json:
            emit_lines(lines)
        else:
            emit_table(
                ("DONE", "DUE", "WHO", "TASK", "ID"),
                (
                    (
                        "x" if t.done else "",
                        f"{t.deadline:%Y-%m-%d}" if t.deadline else "",
                        t.assignees,
                        t.content,
                        t.task_id,
                    )
                    for t in lines
                ),
            )

    with_desk(work)
    return EXIT_DONE


@tasks.command("add")
@click.argument("object_slug", metavar="OBJECT")
@click.argument("record_id", metavar="RECORD")
@click.argument("content")
@click.option("--due", default="", metavar="DATE", help="When it is due, e.g. 2026-12-24.")
@click.option("--assignee", default="", metavar="EMAIL", help="The member who does it.")
@_wait
@_json
def add_task(
    object_slug: str, record_id: str, content: str, due: str, assignee: str, no_wait: bool, as_json: bool
) -> int:
    """Add a task to a record."""

    async def work(console: Console) -> int:
        await existing(console, object_slug, record_id)
        collection = console.collection_named(object_slug)
        done = await console.add_task(collection, record_id, content, due, assignee)
        return await deliver(console, done, wait=not no_wait, as_json=as_json)

    return with_console(work)


@tasks.command("done")
@click.argument("task_id", metavar="TASK")
@click.option("--reopen", is_flag=True, help="Open it again instead.")
@_wait
@_json
def finish_task(task_id: str, reopen: bool, no_wait: bool, as_json: bool) -> int:
    """Tick a task off."""

    async def work(console: Console) -> int:
        done = await console.set_task_done(task_id, not reopen)
        return await deliver(console, done, wait=not no_wait, as_json=as_json)

    return with_console(work)
