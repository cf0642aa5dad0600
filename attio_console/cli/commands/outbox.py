"""`attio-console outbox`: what waits to be sent, and what was refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from attio_console.cli import EXIT_DONE, EXIT_NEEDS_PERSON
from attio_console.cli.commands._open import with_desk
from attio_console.cli.output import emit_lines, emit_table, say

if TYPE_CHECKING:
    from attio_console.services.desk import Desk


@click.group()
def outbox() -> None:
    """List, retry and discard writes."""


@outbox.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_outbox(as_json: bool) -> int:
    """List every write that is not confirmed. Exit code 3 when one was refused or gave up."""

    async def work(desk: Desk) -> int:
        lines = desk.outbox()
        if as_json:
            emit_lines(lines)
        else:
            emit_table(
                ("ID", "STATE", "TO", "RECORD", "WRITE", "TRIES", "ERROR"),
                (
                    (str(w.item_id), w.state, w.system, w.label, w.what, str(w.attempts), w.error)
                    for w in lines
                ),
                right=frozenset({0, 5}),
            )
            say(f"{len(lines)} not confirmed." if lines else "The outbox is empty.")
        return EXIT_NEEDS_PERSON if any(w.state in {"refused", "dead"} for w in lines) else EXIT_DONE

    return with_desk(work)


@outbox.command("retry")
@click.argument("item_ids", nargs=-1, type=int, metavar="[ID]...")
def retry(item_ids: tuple[int, ...]) -> int:
    """Put refused and dead writes back in line; without an ID, all of them."""

    async def work(desk: Desk) -> None:
        say((await desk.retry(item_ids or None)).message)

    with_desk(work)
    return EXIT_DONE


@outbox.command("discard")
@click.argument("item_ids", nargs=-1, type=int, required=True, metavar="ID...")
@click.option("--yes", is_flag=True, help="Do not ask.")
def discard(item_ids: tuple[int, ...], yes: bool) -> int:
    """Give up writes that wait or were refused."""
    if not yes:
        click.confirm(f"Discard {len(item_ids)} writes? They will not be sent.", abort=True, err=True)

    async def work(desk: Desk) -> None:
        say((await desk.discard(item_ids)).message)

    with_desk(work)
    return EXIT_DONE
