"""`attio-console status`: the health of everything in one look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from attio_console.cli import EXIT_DONE, EXIT_NEEDS_PERSON
from attio_console.cli.commands._open import with_desk
from attio_console.cli.output import emit_json, emit_table, say

if TYPE_CHECKING:
    from attio_console.services.desk import Desk


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def status(as_json: bool) -> int:
    """Show what is mirrored, what waits, and what needs a person (exit code 3)."""

    async def work(desk: Desk) -> int:
        board = desk.sync_board()
        head = board.headline
        if as_json:
            emit_json(board)
        else:
            say(f"{head.profile} · {head.workspace or 'no workspace yet'} · {head.sentence or head.liveness}")
            emit_table(
                ("SYSTEM", "OBJECT", "RECORDS", "STATE", "SCANNED", "CONFLICTS"),
                (
                    (
                        part.system,
                        part.label,
                        f"{part.records:,}",
                        part.state,
                        part.scanned_at.isoformat(timespec="seconds") if part.scanned_at else "never",
                        str(part.conflicts),
                    )
                    for part in board.partitions
                ),
                right=frozenset({2, 5}),
            )
            say(
                f"outbox {head.outbox} · refused {head.refused} · conflicts {head.conflicts} · dead letters {head.dead_letters}"
            )
        return EXIT_NEEDS_PERSON if head.conflicts or head.dead_letters or head.refused else EXIT_DONE

    return with_desk(work)
