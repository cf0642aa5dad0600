"""`attio-console keys`: every action and its keys, as this machine has them set."""

from __future__ import annotations

import click

from attio_console.cli import EXIT_DONE, EXIT_FAILED
from attio_console.cli.output import emit_lines, emit_table, say


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def keys(as_json: bool) -> int:
    """List every action of the console with its keys.

    [keys] in the config file changes them. Exit code 1 where one key would mean two things in one place.
    """
    from attio_console.services.actions import shown
    from attio_console.services.looks import key_table

    table = key_table()
    if as_json:
        emit_lines(
            {
                "id": action.id,
                "title": action.title,
                "keys": list(action.keys),
                "contexts": list(action.contexts),
                "help": action.help,
                "changed": action.id in table.changed,
            }
            for action in table.actions
        )
    else:
        emit_table(
            ("KEYS", "ACTION", "WHERE", "WHAT IT DOES"),
            (
                (" ".join(map(shown, a.keys)) or "none", a.id, " ".join(a.contexts), a.help)
                for a in table.actions
            ),
        )
    for clash in table.clashes:
        say(f"Clash: {clash}.")
    return EXIT_FAILED if table.clashes else EXIT_DONE
