"""`attio-console keys`: every action and its keys."""

from __future__ import annotations

import click

from attio_console.cli.output import emit_lines, emit_table


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def keys(as_json: bool) -> None:
    """List every action of the console with its keys."""
    from attio_console.services.actions import ACTIONS

    if as_json:
        emit_lines(
            {
                "id": action.id,
                "title": action.title,
                "keys": list(action.keys),
                "contexts": list(action.contexts),
                "help": action.help,
            }
            for action in ACTIONS
        )
        return
    emit_table(
        ("KEYS", "ACTION", "WHERE", "WHAT IT DOES"),
        ((" ".join(a.keys), a.id, " ".join(a.contexts), a.help) for a in ACTIONS),
    )
