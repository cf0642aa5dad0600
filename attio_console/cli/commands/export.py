"""`attio-console export`: the mirror as a file other programs read."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from attio_console.cli import EXIT_DONE
from attio_console.cli.commands._open import with_desk
from attio_console.cli.output import say
from attio_console.errors import ConfigError

if TYPE_CHECKING:
    from attio_console.services.desk import Desk


@click.command()
@click.argument("object_slug", metavar="OBJECT")
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "json", "jsonl", "markdown"]),
    default="csv",
    show_default=True,
)
@click.option("--filter", "expression", default="", help="As in the desk.")
@click.option(
    "--columns", default="", metavar="SLUG,SLUG", help="Which attributes; without it, those of the table."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="The file; else stdout."
)
def export(object_slug: str, form: str, expression: str, columns: str, output: Path | None) -> int:
    """Write the records of OBJECT as the mirror has them."""
    from attio_console.services.exporting import Format, exported

    async def work(desk: Desk) -> int:
        count = 0
        chosen = [slug for slug in columns.split(",") if slug]
        with ExitStack() as stack:
            try:
                out = (
                    stack.enter_context(output.open("w", encoding="utf-8", newline=""))
                    if output
                    else sys.stdout
                )
            except OSError as problem:
                raise ConfigError(f"{output} cannot be written: {problem.strerror}.") from problem
            async for text, rows in exported(desk, object_slug, Format(form), expression, chosen):
                out.write(text)
                count += rows
        return count

    say(f"{with_desk(work)} of {object_slug} exported.")
    return EXIT_DONE
