"""`attio-console verify`: proof that both sides agree, or the name of every difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from attio_console.cli import EXIT_DONE, EXIT_FAILED, EXIT_NEEDS_PERSON
from attio_console.cli.commands._open import with_console
from attio_console.cli.commands.plan import system_option
from attio_console.cli.output import emit_json, emit_table, say

if TYPE_CHECKING:
    from attio_console.services.console import Console


@click.command()
@system_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object a system.")
def verify(system: str | None, as_json: bool) -> int:
    """Read every pair anew on both sides and compare it with its base.

    Exit code 3 when a difference waits for a person, 1 when one is there that nothing names.
    """

    async def work(console: Console) -> int:
        code = EXIT_DONE
        for name in [system] if system else console.linked:
            report = await console.verify(name)
            if as_json:
                emit_json(report)
            else:
                if report.differences:
                    emit_table(
                        ("RECORD", "FIELD", "WITH", "NAMED BY"),
                        ((d.label, d.field, d.external_id, d.named or "NOTHING") for d in report.differences),
                    )
                say(
                    f"{name}: {report.pairs} pairs, {report.agreed} agreed, {len(report.differences)} differences, "
                    f"{report.unnamed} that nothing names; {report.fields} fields in {report.reads} reads."
                )
            if report.unnamed:
                code = EXIT_FAILED
            elif report.differences and code == EXIT_DONE:
                code = EXIT_NEEDS_PERSON
        return code

    return with_console(work)
