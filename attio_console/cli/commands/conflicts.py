"""`attio-console conflicts`: the queue of everything a machine must not decide alone, for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from attio_console.cli import EXIT_DONE, EXIT_NEEDS_PERSON
from attio_console.cli.commands._open import with_console, with_desk
from attio_console.cli.commands.records import deliver, read_assignments
from attio_console.cli.output import emit_json, emit_lines, emit_table, say
from attio_console.errors import InvalidValue, NoSuchThing

if TYPE_CHECKING:
    from attio_console.services.console import Console
    from attio_console.services.desk import Desk
    from attio_console.services.types import ConflictDetail

_json = click.option(
    "--json", "as_json", is_flag=True, help="JSON: one document, or one object a line for lists."
)


@click.group()
def conflicts() -> None:
    """List, show, resolve and undo conflicts."""


@conflicts.command("list")
@click.option(
    "--filter", "expression", default="", help="Words that the record, field, system or kind contains."
)
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@_json
def list_conflicts(expression: str, limit: int, as_json: bool) -> int:
    """List what is open. Exit code 3 when something is."""

    async def work(desk: Desk) -> int:
        lines = desk.conflicts(0, limit, expression)
        if as_json:
            emit_lines(lines)
        else:
            emit_table(
                ("ID", "RECORD", "WITH", "WHAT", "SUGGESTION"),
                ((str(c.conflict_id), c.label, c.system, c.what, c.suggestion) for c in lines),
                right=frozenset({0}),
            )
            say(f"{desk.conflict_count()} open." if lines else "No conflicts.")
        return EXIT_NEEDS_PERSON if lines else EXIT_DONE

    return with_desk(work)


@conflicts.command("show")
@click.argument("conflict_id", type=int, metavar="ID")
@_json
def show_conflict(conflict_id: int, as_json: bool) -> int:
    """Show one conflict, field by field, with its base."""

    async def work(desk: Desk) -> None:
        detail = _existing(desk, conflict_id)
        if as_json:
            emit_json(detail)
            return
        say(detail.sentence)
        emit_table(
            ("FIELD", "BASE", "ATTIO", detail.line.system.upper(), "SUGGESTION"),
            (
                (f.slug, f.base.text, _said(f.attio), _said(f.external), f.suggestion or "?")
                for f in detail.fields
            ),
        )

    with_desk(work)
    return EXIT_DONE


def _said(side: Any) -> str:
    return f"{side.text or '(empty)'}" + (f"  [{side.by}]" if side.by else "")


@conflicts.command("resolve")
@click.argument("conflict_id", type=int, metavar="ID")
@click.option(
    "--take", type=click.Choice(["attio", "external", "base", "both"]), help="This side, for every field."
)
@click.option("--set", "assignments", multiple=True, metavar="FIELD=VALUE", help="This value for one field.")
@click.option("--no-wait", is_flag=True, help="Return once the decision is on disk.")
@_json
def resolve_conflict(
    conflict_id: int, take: str | None, assignments: tuple[str, ...], no_wait: bool, as_json: bool
) -> int:
    """Decide a conflict; both systems get the chosen values."""
    values = read_assignments(assignments)
    if take is None and not values:
        raise InvalidValue(
            "Nothing was chosen.", hint="--take attio|external|base|both, or --set FIELD=VALUE"
        )

    async def work(console: Console) -> int:
        detail = _existing(console, conflict_id)
        known = {f.slug for f in detail.fields}
        for slug in values:
            if slug not in known:
                raise NoSuchThing(
                    f"Conflict {conflict_id} has no field {slug!r}.",
                    hint=f"It has: {', '.join(sorted(known))}",
                )
        choices: dict[str, Any] = dict.fromkeys(known, take) if take else {}
        choices |= {slug: ("set", text) for slug, text in values.items()}
        done = await console.resolve(conflict_id, choices, detail.revision)
        return await deliver(console, done, wait=not no_wait, as_json=as_json)

    return with_console(work)


@conflicts.command("undo")
@click.argument("conflict_id", type=int, metavar="ID")
@click.option("--no-wait", is_flag=True, help="Return once the undo is on disk.")
@_json
def undo_conflict(conflict_id: int, no_wait: bool, as_json: bool) -> int:
    """Take a resolution back where nobody changed the value since."""

    async def work(console: Console) -> int:
        done = await console.undo_resolution(conflict_id)
        return await deliver(console, done, wait=not no_wait, as_json=as_json)

    return with_console(work)


def _existing(desk: Desk, conflict_id: int) -> ConflictDetail:
    detail = desk.conflict(conflict_id)
    if detail is None:
        raise NoSuchThing(f"There is no conflict {conflict_id}.", hint="attio-console conflicts list")
    return detail
