"""`attio-console sync`: the engine without a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from attio_console.cli import EXIT_DONE, EXIT_NEEDS_PERSON
from attio_console.cli.commands._open import with_console
from attio_console.cli.output import emit_json, say
from attio_console.errors import InvalidValue

if TYPE_CHECKING:
    from attio_console.services.console import Console


@click.command()
@click.option("--once", is_flag=True, help="Until everything is current and sent, then stop.")
@click.option(
    "--for", "seconds", type=click.FloatRange(min=0.1), metavar="SECONDS", help="For this long, then stop."
)
@click.option("--listen", metavar="[HOST:]PORT", help="Where webhooks arrive; loopback only.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document at the end.")
def sync(once: bool, seconds: float | None, listen: str | None, as_json: bool) -> int:
    """Run the engine: pull, webhooks, the outbox, and the linked CRMs. Without an option, until Ctrl+C.

    Exit code 3 when conflicts or dead letters wait for a person.
    """
    if once and seconds is not None:
        raise click.UsageError("--once and --for exclude each other.")
    address = _address(listen) if listen else None

    async def work(console: Console) -> int:
        report = await console.sync(once=once, seconds=seconds, listen=address, say=say)
        if as_json:
            emit_json(report)
        else:
            say(report.sentence)
        return EXIT_NEEDS_PERSON if report.needs_person else EXIT_DONE

    return with_console(work)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    host = host or "127.0.0.1"
    if not port.isdigit() or int(port) > 65535:
        raise InvalidValue(f"{text!r} is not [HOST:]PORT.")
    if host not in {"127.0.0.1", "localhost", "::1"}:
        raise InvalidValue(
            f"{host} is not a loopback address.",
            hint="Put a tunnel or a reverse proxy in front of 127.0.0.1.",
        )
    return host, int(port)
