"""`attio-console pairs`: who stands for whom in the linked systems."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from attio_console.cli import EXIT_DONE, EXIT_FAILED, EXIT_NEEDS_PERSON
from attio_console.cli.commands._open import with_console
from attio_console.cli.commands.plan import system_option
from attio_console.cli.output import emit_json, emit_lines, emit_table, say

if TYPE_CHECKING:
    from attio_console.services.console import Console
    from attio_console.services.linking import PairRow

_SYSTEM = click.argument("system", type=click.Choice(["hubspot", "salesforce"]))
_IDS = click.argument("pair_ids", type=int, nargs=-1, required=True, metavar="ID...")
_json = click.option("--json", "as_json", is_flag=True, help="JSON: one object a line.")


@click.group()
def pairs() -> None:
    """List, propose, confirm, reject and unlink pairs, and set up a linked system."""


@pairs.command("list")
@system_option
@click.option(
    "--state", type=click.Choice(["confirmed", "proposed", "rejected", "broken"]), help="Only these."
)
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@_json
def list_pairs(system: str | None, state: str | None, limit: int, as_json: bool) -> int:
    """List pairs. Exit code 3 when some wait to be confirmed."""

    async def work(console: Console) -> int:
        rows = console.pairs(system, state, limit)
        _emit(rows, as_json=as_json)
        waiting = console.pairs(system, "proposed", 1)
        return EXIT_NEEDS_PERSON if waiting else EXIT_DONE

    return with_console(work)


@pairs.command("propose")
@_SYSTEM
@_json
def propose_pairs(system: str, as_json: bool) -> int:
    """Look for pairs now. Exit code 3 when some wait to be confirmed."""

    async def work(console: Console) -> int:
        rows = await console.propose_pairs(system)
        _emit(rows, as_json=as_json)
        return EXIT_NEEDS_PERSON if any(row.state == "proposed" for row in rows) else EXIT_DONE

    return with_console(work)


def _emit(rows: list[PairRow], *, as_json: bool) -> None:
    if as_json:
        emit_lines(rows)
        return
    emit_table(
        ("ID", "RECORD", "WITH", "STATE", "WHY"),
        (
            (
                str(r.pair_id),
                r.label,
                f"{r.system} {r.external_type} {r.external_id} {r.external_label}",
                r.state,
                r.why,
            )
            for r in rows
        ),
        right=frozenset({0}),
    )
    if not rows:
        say("No pairs.")


def _decide(pair_ids: tuple[int, ...], state: str) -> int:
    async def work(console: Console) -> None:
        say((await console.decide_pairs(pair_ids, state)).message)

    with_console(work)
    return EXIT_DONE


@pairs.command("confirm")
@_IDS
def confirm_pairs(pair_ids: tuple[int, ...]) -> int:
    """These are the same: keep them true to each other from now on."""
    return _decide(pair_ids, "confirmed")


@pairs.command("reject")
@_IDS
def reject_pairs(pair_ids: tuple[int, ...]) -> int:
    """These are not the same, and it is not to be asked again."""
    return _decide(pair_ids, "rejected")


@pairs.command("unlink")
@_IDS
def unlink_pairs(pair_ids: tuple[int, ...]) -> int:
    """Stop syncing these; both records stay as they are."""
    return _decide(pair_ids, "broken")


@pairs.command("link")
@_SYSTEM
@click.argument("object_slug", metavar="OBJECT")
@click.argument("record_id")
@click.argument("external", metavar="TYPE:ID")
def link_pair(system: str, object_slug: str, record_id: str, external: str) -> int:
    """Make a pair by hand."""

    async def work(console: Console) -> None:
        say((await console.link_pair(system, object_slug, record_id, external)).message)

    with_console(work)
    return EXIT_DONE


@pairs.command("accept")
@_SYSTEM
def accept(system: str) -> int:
    """Let the first sync with a system write what `attio-console plan` shows."""

    async def work(console: Console) -> None:
        say((await console.accept_link(system)).message)

    with_console(work)
    return EXIT_DONE


@pairs.command("init")
@_SYSTEM
@click.option(
    "--token-stdin", is_flag=True, help="Read the system's token or key from standard input and keep it."
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write here instead of to stdout."
)
@click.option(
    "--check",
    "checked",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Check this mapping file instead.",
)
@click.option(
    "--create-field",
    is_flag=True,
    help="First make the unique field that holds the Attio record id, where it is missing (HubSpot).",
)
@click.option("--json", "as_json", is_flag=True, help="With --check: the problems as one JSON list.")
def init(
    system: str,
    token_stdin: bool,
    output: Path | None,
    checked: Path | None,
    create_field: bool,
    as_json: bool,
) -> int:
    """Make a mapping from both schemas as they are, or check one.

    Name the file in the config as `mapping` of the linked system. Exit code 1 when a checked file is wrong.
    """
    token = sys.stdin.read().strip() if token_stdin else ""
    made: list[str] = []

    async def work(console: Console) -> int:
        if token:
            say(console.keep_link_secret(system, token).message)
        if create_field:
            for line in await console.create_key_fields(system):
                say(line)
        if checked is not None:
            problems = await console.check_mapping_file(system, checked)
            if as_json:
                emit_json(problems)
            for problem in [] if as_json else problems:
                say(problem)
            return EXIT_FAILED if problems else EXIT_DONE
        made.append(await console.mapping_text(system))
        return EXIT_DONE

    code = with_console(work)
    for text in made:
        if output is None:
            click.echo(text, nl=False)
        else:
            output.write_text(text, encoding="utf-8")
            say(f"{output} is written.")
    return code
