"""`attio-console webhook`: the registration at Attio."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from attio_console.cli import EXIT_DONE
from attio_console.cli.commands._open import with_console
from attio_console.cli.output import emit_lines, emit_table, say

if TYPE_CHECKING:
    from attio_console.services.console import Console


@click.group()
def webhook() -> None:
    """Register, show and remove this profile's webhook. The console does it by itself while it runs."""


@webhook.command("status")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def show_status(as_json: bool) -> int:
    """List the webhooks of this token; the one of this profile has a star."""

    async def work(console: Console) -> None:
        lines = await console.hooks()
        if as_json:
            emit_lines(lines)
        else:
            emit_table(
                ("", "ID", "STATUS", "EVENTS", "ADDRESS"),
                (("*" if h.ours else "", h.webhook_id, h.status, str(h.events), h.target_url) for h in lines),
            )
            if not lines:
                say("No webhook is registered.")

    with_console(work)
    return EXIT_DONE


@webhook.command("register")
def register() -> int:
    """Register the webhook at the public address of the profile, or mend it."""

    async def work(console: Console) -> None:
        say((await console.register_hook()).message)

    with_console(work)
    return EXIT_DONE


@webhook.command("unregister")
def unregister() -> int:
    """Remove this profile's webhook at Attio."""

    async def work(console: Console) -> None:
        say((await console.unregister_hook()).message)

    with_console(work)
    return EXIT_DONE
