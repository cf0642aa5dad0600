"""`attio-console plan`: what a sync would write, and what it costs; writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from attio_console.cli import EXIT_DONE, EXIT_NEEDS_PERSON
from attio_console.cli.commands._open import with_console
from attio_console.cli.output import emit_json, emit_table, say

if TYPE_CHECKING:
    from attio_console.services.console import Console
    from attio_console.services.linking import PlanField, PlanReport

system_option = click.option(
    "--system", type=click.Choice(["hubspot", "salesforce"]), help="Only this one; else all that are linked."
)


@click.command()
@system_option
@click.option(
    "--limit", type=click.IntRange(0), default=100, show_default=True, help="Lines shown of each kind."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a system, with every line.")
def plan(system: str | None, limit: int, as_json: bool) -> int:
    """Show every field that a sync would write now, and its cost in calls and minutes.

    Reads the linked system, writes nothing. Exit code 3 when a person will be asked about something, or when the
    first sync has not been accepted yet.
    """

    async def work(console: Console) -> int:
        needs_person = False
        for name in [system] if system else console.linked:
            report = await console.plan(name)
            needs_person = needs_person or bool(report.asks) or not report.accepted
            if as_json:
                emit_json(report)
            else:
                _show(report, limit)
        return EXIT_NEEDS_PERSON if needs_person else EXIT_DONE

    return with_console(work)


def _show(report: PlanReport, limit: int) -> None:
    if report.writes:
        emit_table(("SYSTEM", "RECORD", "FIELD", "NOW", "THEN", "WHY"), map(_row, report.writes[:limit]))
    say(
        f"{report.system}: {report.pairs} pairs, {report.agreed} agreed, {report.new_pairs} new, "
        f"{report.proposed} to confirm, {report.doubtful} doubtful, {report.waiting} fields wait."
    )
    for cost in report.costs:
        say(
            f"  {cost.system}: {cost.records} records, {cost.reads} reads and {cost.writes} writes, "
            f"about {cost.minutes:g} min."
        )
    if not report.writes:
        say("  Nothing would be written.")
    if report.asks:
        say(f"  {len(report.asks)} differences will be asked about: attio-console conflicts list")
    if not report.accepted:
        say(f"  Nothing is written before you accept: attio-console pairs accept {report.system}")


def _row(line: PlanField) -> tuple[str, ...]:
    return (line.system, line.label, f"{line.object}.{line.field}", line.before, line.after, line.why)
