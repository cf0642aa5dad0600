"""`attio-console records`: look at records and change them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from attio_console.cli import EXIT_DONE, EXIT_NEEDS_PERSON
from attio_console.cli.commands._open import with_console, with_desk
from attio_console.cli.output import emit_fields, emit_json, emit_lines, emit_table, say
from attio_console.errors import InvalidValue, NoSuchThing

if TYPE_CHECKING:
    from attio_console.services.console import Console
    from attio_console.services.desk import Desk
    from attio_console.services.types import Done

_json = click.option(
    "--json", "as_json", is_flag=True, help="JSON: one document, or one object a line for lists."
)
_wait = click.option(
    "--no-wait", is_flag=True, help="Return once the edit is on disk; a console or a sync sends it later."
)


@click.group()
def records() -> None:
    """List, show, set and create records."""


@records.command("list")
@click.argument("object_slug", metavar="OBJECT")
@click.option(
    "--filter", "expression", default="", help="As in the console: words, and terms such as owner=@me."
)
@click.option(
    "--sort", "sorts", multiple=True, metavar="SLUG", help="Sort by this attribute; -SLUG for descending."
)
@click.option("--columns", default="", metavar="SLUG,SLUG", help="Which attributes to show.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@_json
def list_records(
    object_slug: str, expression: str, sorts: tuple[str, ...], columns: str, limit: int, as_json: bool
) -> int:
    """List the records of OBJECT as the mirror has them."""
    from attio_console.services.types import TableQuery

    async def work(desk: Desk) -> None:
        collection = desk.collection_named(object_slug)
        query = TableQuery(collection, expression, tuple((s.lstrip("-"), s.startswith("-")) for s in sorts))
        desk.check_filter(collection, expression)
        shown = [slug for slug in columns.split(",") if slug] or [
            c.slug for c in desk.columns(collection) if c.shown
        ]
        for slug in shown:
            if desk.attribute(collection, slug) is None:
                raise NoSuchThing(f"{object_slug} has no attribute {slug!r}.")
        rows = await desk.window(query, 0, limit, shown)
        if as_json:
            emit_lines(
                {
                    "record_id": row.record_id,
                    **{slug: cell.text for slug, cell in zip(shown, row.cells, strict=True)},
                }
                for row in rows
            )
            return
        emit_table(
            [*shown, "record_id"], ([*(cell.text for cell in row.cells), row.record_id] for row in rows)
        )
        total = await desk.count(query)
        say(f"{len(rows)} of {total} {object_slug}.")

    with_desk(work)
    return EXIT_DONE


@records.command("show")
@click.argument("object_slug", metavar="OBJECT")
@click.argument("record_id", metavar="RECORD")
@click.option("--raw", is_flag=True, help="The record as Attio sent it.")
@_json
def show_record(object_slug: str, record_id: str, raw: bool, as_json: bool) -> int:
    """Show one record with what is pending on it."""

    async def work(desk: Desk) -> None:
        collection = desk.collection_named(object_slug)
        detail = await desk.detail(collection, record_id)
        if detail is None:
            raise NoSuchThing(
                f"The mirror has no {object_slug} record {record_id}.",
                hint=f"attio-console pull --object {object_slug}",
            )
        if raw:
            click.echo(detail.raw)
        elif as_json:
            emit_json(
                {
                    "object": detail.object_slug,
                    "record_id": detail.record_id,
                    "label": detail.label,
                    "web_url": detail.web_url,
                    "values": {line.slug: list(line.items) for line in detail.fields},
                    "pending": {line.slug: line.text for line in detail.fields if line.state},
                    "pairs": [
                        {
                            "system": p.system,
                            "type": p.external_type,
                            "id": p.external_id,
                            "conflicts": list(p.conflicts),
                        }
                        for p in detail.pairs
                    ],
                    "lists": [
                        {"list": m.list_name, "entry_id": m.entry_id, "stage": m.stage} for m in detail.lists
                    ],
                }
            )
        else:
            emit_fields(
                {
                    "": detail.label,
                    **{
                        line.title: line.text + (f"  (was {line.was}, {line.state})" if line.state else "")
                        for line in detail.fields
                        if line.text or line.state
                    },
                }
            )

    with_desk(work)
    return EXIT_DONE


def read_assignments(given: tuple[str, ...]) -> dict[str, str]:
    values = {}
    for assignment in given:
        slug, sign, text = assignment.partition("=")
        if not sign or not slug:
            raise InvalidValue(
                f"{assignment!r} is not of the form FIELD=VALUE.",
                hint="For example: job_title='Head of Sales'",
            )
        values[slug.strip()] = text
    return values


@records.command("set")
@click.argument("object_slug", metavar="OBJECT")
@click.argument("record_id", metavar="RECORD")
@click.argument("assignments", nargs=-1, required=True, metavar="FIELD=VALUE...")
@_wait
@_json
def set_record(
    object_slug: str, record_id: str, assignments: tuple[str, ...], no_wait: bool, as_json: bool
) -> int:
    """Set fields of one record; several values of one field are separated by commas, nothing clears it.

    The edit is on disk before anything is sent. If the field changed in Attio meanwhile, nothing is
    overwritten: the edit waits in the conflicts queue and the exit code is 3.
    """
    values = read_assignments(assignments)

    async def work(console: Console) -> int:
        collection = console.collection_named(object_slug)
        done = await console.edit_fields(collection, record_id, values)
        return await deliver(console, done, wait=not no_wait, as_json=as_json)

    return with_console(work)


@records.command("create")
@click.argument("object_slug", metavar="OBJECT")
@click.argument("assignments", nargs=-1, required=True, metavar="FIELD=VALUE...")
@_wait
@_json
def create_record(object_slug: str, assignments: tuple[str, ...], no_wait: bool, as_json: bool) -> int:
    """Create a record; a value that must be unique and exists already updates that record instead."""
    values = read_assignments(assignments)

    async def work(console: Console) -> int:
        done = await console.create(object_slug, values)
        return await deliver(console, done, wait=not no_wait, as_json=as_json)

    return with_console(work)


@records.command("delete")
@click.argument("object_slug", metavar="OBJECT")
@click.argument("record_ids", nargs=-1, required=True, metavar="RECORD...")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_wait
@_json
def delete_records(
    object_slug: str, record_ids: tuple[str, ...], yes: bool, no_wait: bool, as_json: bool
) -> int:
    """Delete records in Attio. This cannot be undone."""
    if not yes:
        click.confirm(
            f"Delete {len(record_ids)} of {object_slug} in Attio? This cannot be undone.",
            abort=True,
            err=True,
        )

    async def work(console: Console) -> int:
        done = await console.delete(console.collection_named(object_slug), record_ids)
        return await deliver(console, done, wait=not no_wait, as_json=as_json)

    return with_console(work)


@records.command("history")
@click.argument("object_slug", metavar="OBJECT")
@click.argument("record_id", metavar="RECORD")
@_json
def show_history(object_slug: str, record_id: str, as_json: bool) -> int:
    """Show who changed what and when, as far as this machine and Attio's stamps tell."""

    async def work(desk: Desk) -> None:
        lines = await desk.history(desk.collection_named(object_slug), record_id)
        if as_json:
            emit_lines(lines)
        else:
            emit_table(
                ("WHEN", "FIELD", "BEFORE", "AFTER", "BY", "FROM"),
                (
                    (
                        line.at.isoformat(timespec="seconds") if line.at else "",
                        line.field,
                        line.before,
                        line.after,
                        line.by,
                        line.source,
                    )
                    for line in lines
                ),
            )

    with_desk(work)
    return EXIT_DONE


async def deliver(console: Console, done: Done, *, wait: bool, as_json: bool) -> int:
    """Tell what became of an accepted edit, after sending it where that is wanted and possible."""
    outcome = await console.deliver(done, timeout_s=30 if wait else 0)
    if as_json:
        emit_json(outcome)
    else:
        say(outcome.sentence)
    return EXIT_NEEDS_PERSON if outcome.needs_person else EXIT_DONE


__all__ = ["records"]
