"""`attio-console doctor`: is everything it stands on sound."""

from __future__ import annotations

import click

from attio_console.cli import EXIT_DONE, EXIT_FAILED
from attio_console.cli.app import Globals, run_async
from attio_console.cli.commands._open import open_options
from attio_console.cli.output import emit_lines, emit_table, say


@click.command()
@click.option(
    "--salvage", is_flag=True, help="Keep what is readable of a damaged queue; the old file is kept, too."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def doctor(given: Globals, salvage: bool, as_json: bool) -> int:
    """Check config, token, scopes, files, queues and audit. Safe to paste: no token, no customer data."""
    from attio_console.services.doctor import examine, salvage_queue

    options = open_options(given)
    if salvage:
        for line in run_async(lambda: salvage_queue(options)):
            say(line)
    findings = run_async(lambda: examine(options))
    if as_json:
        emit_lines(findings)
    else:
        signs = {True: "✔", False: "✕", None: "?"}
        emit_table(("", "WHAT", "FOUND", "DO"), ((signs[f.ok], f.name, f.detail, f.hint) for f in findings))
    return EXIT_FAILED if any(finding.ok is False for finding in findings) else EXIT_DONE
