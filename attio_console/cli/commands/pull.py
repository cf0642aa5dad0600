"""`attio-console pull`: bring the workspace onto this disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from attio_console.cli import EXIT_DONE
from attio_console.cli.commands._open import with_console
from attio_console.cli.output import emit_json, say

if TYPE_CHECKING:
    from attio_console.services.console import Console
    from attio_console.services.pulling import PullProgress


@click.command()
@click.option(
    "--object", "objects", multiple=True, metavar="SLUG", help="Only this object or list; may be repeated."
)
@click.option("--full", is_flag=True, help="Scan again from the start, also where a scan was interrupted.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document with what was found.")
def pull(objects: tuple[str, ...], full: bool, as_json: bool) -> int:
    """Pull objects, lists, notes and tasks into the mirror.

    Resumes at the page where an earlier pull was interrupted. Unchanged records cost a comparison.
    """

    def progress(at: PullProgress) -> None:
        left = f", {at.eta_s:.0f} s left" if at.eta_s is not None else ""
        say(f"{at.label}: {at.seen:,} records, {at.rate:,.0f}/s{left}")

    async def work(console: Console) -> None:
        report = await console.pull(objects, full=full, progress=progress)
        if as_json:
            emit_json(report)
        else:
            for part in report.partitions:
                say(
                    f"{part.object}: {part.records:,} records, {part.created:,} new, {part.changed:,} changed,"
                    f" {part.deleted:,} gone"
                )
            say(f"Pulled in {report.seconds:.1f} s.")

    with_console(work)
    return EXIT_DONE
