"""`attio-console deadletters`: deliveries and writes that ran out of attempts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from attio_console.cli import EXIT_DONE, EXIT_NEEDS_PERSON
from attio_console.cli.commands._open import with_desk
from attio_console.cli.output import emit_json, emit_lines, emit_table, say
from attio_console.errors import NoSuchThing

if TYPE_CHECKING:
    from attio_console.services.desk import Desk

_json = click.option(
    "--json", "as_json", is_flag=True, help="JSON: one document, or one object a line for lists."
)


@click.group()
def deadletters() -> None:
    """List, show, retry and discard what ran out of attempts. Ids are in-N for deliveries, out-N for writes."""


@deadletters.command("list")
@_json
def list_dead(as_json: bool) -> int:
    """List dead letters. Exit code 3 when there are any."""

    async def work(desk: Desk) -> int:
        lines = desk.dead_letters()
        if as_json:
            emit_lines(lines)
        else:
            emit_table(
                ("ID", "WHAT", "TRIES", "ERROR"),
                ((d.letter_id, d.what, str(d.attempts), d.error) for d in lines),
            )
            say(f"{len(lines)} dead letters." if lines else "No dead letters.")
        return EXIT_NEEDS_PERSON if lines else EXIT_DONE

    return with_desk(work)


@deadletters.command("show")
@click.argument("letter_id", metavar="ID")
def show_dead(letter_id: str) -> int:
    """Show one dead letter as it was kept."""

    async def work(desk: Desk) -> None:
        found = next((letter for letter in desk.dead_letters() if letter.letter_id == letter_id), None)
        if found is None:
            raise NoSuchThing(f"There is no dead letter {letter_id}.", hint="attio-console deadletters list")
        emit_json(found)

    with_desk(work)
    return EXIT_DONE


@deadletters.command("retry")
@click.argument("letter_ids", nargs=-1, metavar="[ID]...")
def retry(letter_ids: tuple[str, ...]) -> int:
    """Try dead letters again; without an ID, all of them."""

    async def work(desk: Desk) -> None:
        say((await desk.revive_letters(letter_ids or None)).message)

    with_desk(work)
    return EXIT_DONE


@deadletters.command("discard")
@click.argument("letter_ids", nargs=-1, required=True, metavar="ID...")
@click.option("--yes", is_flag=True, help="Do not ask.")
def discard(letter_ids: tuple[str, ...], yes: bool) -> int:
    """Drop dead letters for good."""
    if not yes:
        click.confirm(f"Discard {len(letter_ids)} dead letters?", abort=True, err=True)

    async def work(desk: Desk) -> None:
        say((await desk.discard_letters(letter_ids)).message)

    with_desk(work)
    return EXIT_DONE
