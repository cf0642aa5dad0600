"""`attio-console conflicts`: the queue of everything a machine must not decide alone, for scripts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
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
    from attio_console.services.types import ConflictDetail, Done

RULES = ("attio", "external", "newest", "fill-blanks", "manual")

_json = click.option(
    "--json", "as_json", is_flag=True, help="JSON: one document, or one object a line for lists."
)


@click.group()
def conflicts() -> None:
    """List, show, put away, resolve and undo conflicts."""


@conflicts.command("list")
@click.option(
    "--filter",
    "expression",
    default="",
    help="Words, and terms: system= object= field= kind= assigned= age>2d",
)
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@click.option("--csv", "as_csv", is_flag=True, help="CSV: one line a field, for spreadsheets.")
@_json
def list_conflicts(expression: str, limit: int, as_csv: bool, as_json: bool) -> int:
    """List what is open, oldest first. Exit code 3 when something is."""

    async def work(desk: Desk) -> int:
        await desk.wake_conflicts()
        ids = desk.conflict_ids(expression)
        shown = ids[:limit]
        if as_csv:
            for line in desk.conflict_table(shown):
                click.echo(line.removesuffix("\r\n"))
        elif as_json:
            emit_lines(desk.conflict_documents(shown))
        else:
            lines = desk.conflict_lines(shown)
            emit_table(
                ("ID", "RECORD", "WITH", "WHAT", "SUGGESTION", "FOR"),
                ((str(c.conflict_id), c.label, c.system, c.what, c.suggestion, c.assignee) for c in lines),
                right=frozenset({0}),
            )
        if ids:
            more = f", {len(shown):,} of them shown" if len(shown) < len(ids) else ""
            say(f"{len(ids):,} {'match' if expression else 'open'}{more}.")
        else:
            say("No conflict matches." if expression else "No conflicts.")
        return EXIT_NEEDS_PERSON if ids else EXIT_DONE

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
        if note := desk.desk_note(conflict_id).assignee:
            say(f"For {desk.member_name(note)}.")
        for comment in desk.comments(conflict_id):
            say(f"{comment.at:%Y-%m-%d %H:%M} {comment.by}: {comment.text}")
        emit_table(
            ("FIELD", "BASE", "ATTIO", detail.line.system.upper(), "SUGGESTION"),
            (
                (f.slug, f.base.text, _said(f.attio), _said(f.external), f.suggestion or "?")
                for f in detail.fields
            ),
        )

    with_desk(work)
    return EXIT_DONE


@conflicts.command("timeline")
@click.argument("conflict_id", type=int, metavar="ID")
@click.argument("field")
@_json
def show_timeline(conflict_id: int, field: str, as_json: bool) -> int:
    """Show what happened to one field on both sides, newest first."""

    async def work(desk: Desk) -> None:
        lines = await desk.timeline(conflict_id, field)
        if as_json:
            emit_lines(lines)
            return
        emit_table(
            ("WHEN", "WHERE", "FROM", "TO", "WHO", "HOW"),
            (
                (f"{t.at:%Y-%m-%d %H:%M}" if t.at else "-", t.where, t.before, t.after, t.by, t.how)
                for t in lines
            ),
        )

    with_desk(work)
    return EXIT_DONE


@conflicts.command("snooze")
@click.argument("conflict_ids", type=int, metavar="ID...", nargs=-1, required=True)
@click.option(
    "--until", required=True, help="4h, 2d, tomorrow, monday, 2026-12-01, or change: when a side changes."
)
def snooze_conflicts(conflict_ids: tuple[int, ...], until: str) -> int:
    """Put conflicts away until a time, or until a side changes."""
    return _done(lambda desk: desk.snooze_until(conflict_ids, until))


@conflicts.command("assign")
@click.argument("conflict_ids", type=int, metavar="ID...", nargs=-1, required=True)
@click.option("--to", "who", required=True, help="A member's name, e-mail address or id; or nobody.")
def assign_conflicts(conflict_ids: tuple[int, ...], who: str) -> int:
    """Make conflicts somebody's."""
    return _done(lambda desk: desk.assign(conflict_ids, who))


@conflicts.command("comment")
@click.argument("conflict_id", type=int, metavar="ID")
@click.argument("text")
def comment_on_conflict(conflict_id: int, text: str) -> int:
    """Say something about a conflict."""
    return _done(lambda desk: desk.comment(conflict_id, text))


def _done(work: Callable[[Desk], Awaitable[Done]]) -> int:
    async def told(desk: Desk) -> None:
        say((await work(desk)).message)

    with_desk(told)
    return EXIT_DONE


@conflicts.command("rule")
@click.argument("conflict_id", type=int, metavar="ID")
@click.argument("field")
@click.option("--wins", "rule", required=True, type=click.Choice(RULES), help="The rule for that field.")
@click.option(
    "--dry-run", is_flag=True, help="Only show which open conflicts it settles, and what that writes."
)
@click.option("--no-wait", is_flag=True, help="Return once the decision is on disk.")
@_json
def make_rule(conflict_id: int, field: str, rule: str, dry_run: bool, no_wait: bool, as_json: bool) -> int:
    """Remember a choice as a rule for a field of this mapping, and settle the open conflicts it decides."""

    async def work(console: Console) -> int:
        plan = await console.preview_rule(conflict_id, field, rule)
        if not dry_run:
            done = await console.make_rule(conflict_id, field, rule)
            return await deliver(console, done, wait=not no_wait, as_json=as_json)
        if as_json:
            emit_json(plan)
            return EXIT_DONE
        emit_table(
            ("RECORD", "WHERE", "FIELD", "FROM", "TO"),
            ((w.label, f"{w.system} {w.object}", w.field, w.before, w.after) for w in plan.writes),
        )
        say(
            f"{plan.sentence} Settles {len(plan.settles)} open conflicts; {plan.partly} more keep other fields, "
            f"{plan.left} stay. {'Makes' if plan.generated else 'Changes'} {plan.path}. Nothing was written."
        )
        return EXIT_DONE

    return with_console(work)


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
