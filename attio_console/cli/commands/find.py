"""`attio-console find`: the search of the console, for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from attio_console.cli import EXIT_DONE
from attio_console.cli.commands._open import with_desk
from attio_console.cli.output import emit_lines, emit_table, say

if TYPE_CHECKING:
    from attio_console.services.desk import Desk
    from attio_console.services.types import Hit


@click.command()
@click.argument("text")
@click.option("--object", "object_slug", metavar="SLUG", help="Only in this object or list.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def find(text: str, object_slug: str | None, limit: int, as_json: bool) -> int:
    """Search the mirror for TEXT: names, e-mails, domains, phones, titles; words in any order."""

    async def search(desk: Desk) -> list[Hit]:
        collection = desk.collection_named(object_slug) if object_slug else None
        return await desk.find(text, collection, limit)

    hits = with_desk(search)
    if as_json:
        emit_lines(hits)
    else:
        emit_table(("KIND", "NAME", "DETAIL", "ID"), ((h.kind, h.label, h.detail, h.record_id) for h in hits))
        if not hits:
            say(f"Nothing in the mirror matches {text!r}.")
    return EXIT_DONE
