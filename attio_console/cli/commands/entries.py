"""`attio-console entries`: what is in a list, and in which stage."""

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
    from attio_console.services.types import Pipeline

_json = click.option(
    "--json", "as_json", is_flag=True, help="JSON: one document, or one object a line for lists."
)


@click.group()
def entries() -> None:
    """List entries and move them."""


@entries.command("list")
@click.argument("list_slug", metavar="LIST")
@_json
def list_entries(list_slug: str, as_json: bool) -> int:
    """List the entries of a pipeline, stage by stage."""

    async def work(desk: Desk) -> None:
        pipeline = _pipeline(desk, list_slug)
        board = await desk.board(pipeline.list_id)
        rows = [
            {
                "entry_id": card.entry_id,
                "record_id": card.record_id,
                "stage": column.title,
                "name": card.label,
                "value": card.value,
            }
            for column in board.columns
            for card in await desk.cards(pipeline.list_id, column.status_id, 0, column.count)
        ]
        if as_json:
            emit_lines(rows)
        else:
            emit_table(
                ("STAGE", "NAME", "VALUE", "ENTRY"),
                ((r["stage"], r["name"], r["value"], r["entry_id"]) for r in rows),
            )

    with_desk(work)
    return EXIT_DONE


@entries.command("move")
@click.argument("list_slug", metavar="LIST")
@click.argument("entry_id", metavar="ENTRY")
@click.argument("stage", metavar="STAGE")
@click.option("--no-wait", is_flag=True, help="Return once the move is on disk.")
@_json
def move_entry(list_slug: str, entry_id: str, stage: str, no_wait: bool, as_json: bool) -> int:
    """Move an entry to another stage, by its name or id."""

    async def work(console: Console) -> int:
        pipeline = _pipeline(console, list_slug)
        board = await console.board(pipeline.list_id)
        wanted = [
            c
            for c in board.columns
            if stage in {c.status_id, c.title} or c.title.casefold() == stage.casefold()
        ]
        if not wanted:
            names = ", ".join(c.title for c in board.columns)
            raise NoSuchThing(f"{list_slug} has no stage {stage!r}.", hint=f"Its stages: {names}")
        done = await console.move(pipeline.list_id, [entry_id], wanted[0].status_id)
        return await deliver(console, done, wait=not no_wait, as_json=as_json)

    return with_console(work)


def _pipeline(desk: Desk, name: str) -> Pipeline:
    found = [
        p for p in desk.pipelines() if name in {p.slug, p.list_id} or p.name.casefold() == name.casefold()
    ]
    if not found:
        known = ", ".join(p.slug for p in desk.pipelines()) or "none yet; attio-console pull"
        raise NoSuchThing(f"No pipeline is called {name!r}.", hint=f"Known: {known}")
    return found[0]
