"""`attio-console notes`: what was written about a record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from attio_console.cli import EXIT_DONE
from attio_console.cli.commands._open import with_console, with_desk
from attio_console.cli.commands.records import deliver
from attio_console.cli.output import emit_lines, emit_table
from attio_console.errors import NoSuchThing

if TYPE_CHECKING:
    from attio_console.services.console import Console
    from attio_console.services.desk import Desk
    from attio_console.services.types import RecordDetail


@click.group()
def notes() -> None:
    """List and add notes of a record."""


@notes.command("list")
@click.argument("object_slug", metavar="OBJECT")
@click.argument("record_id", metavar="RECORD")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_notes(object_slug: str, record_id: str, as_json: bool) -> int:
    """List the notes of a record, newest first."""

    async def work(desk: Desk) -> None:
        lines = (await existing(desk, object_slug, record_id)).notes
        if as_json:
            emit_lines(lines)
        else:
            emit_table(
                ("WHEN", "BY", "TITLE", "TEXT"),
                ((f"{n.at:%Y-%m-%d %H:%M}" if n.at else "", n.by, n.title, n.content[:80]) for n in lines),
            )

    with_desk(work)
    return EXIT_DONE


@notes.command("add")
@click.argument("object_slug", metavar="OBJECT")
@click.argument("record_id", metavar="RECORD")
@click.argument("content")
@click.option("--title", default="", help="The first line of the text, if not given.")
@click.option("--no-wait", is_flag=True, help="Return once the note is on disk.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def add_note(object_slug: str, record_id: str, content: str, title: str, no_wait: bool, as_json: bool) -> int:
    """Add a note to a record."""

    async def work(console: Console) -> int:
        await existing(console, object_slug, record_id)
        collection = console.collection_named(object_slug)
        done = await console.add_note(collection, record_id, title, content)
        return await deliver(console, done, wait=not no_wait, as_json=as_json)

    return with_console(work)


async def existing(desk: Desk, object_slug: str, record_id: str) -> RecordDetail:
    """Return a record of the mirror; raise NoSuchThing where it is not there."""
    detail = await desk.detail(desk.collection_named(object_slug), record_id)
    if detail is None:
        raise NoSuchThing(
            f"The mirror has no {object_slug} record {record_id}.",
            hint=f"attio-console pull --object {object_slug}",
        )
    return detail
