"""`attio-console sandbox`: a local Attio, HubSpot and Salesforce for anybody's client."""

from __future__ import annotations

from pathlib import Path

import click

from attio_console.cli import EXIT_DONE
from attio_console.cli.app import run_async


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Attio's port; 0 takes a free one.")
@click.option("--hubspot-port", type=click.IntRange(0, 65535), default=0, help="HubSpot's port.")
@click.option("--salesforce-port", type=click.IntRange(0, 65535), default=0, help="Salesforce's port.")
@click.option(
    "--records", type=click.IntRange(0, 5_000_000), default=2000, show_default=True, help="How many people."
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="The same seed gives the same data and ids."
)
@click.option(
    "--latency-ms", type=click.FloatRange(0, 60_000), default=0, help="Wait this long before each answer."
)
@click.option(
    "--no-limits", is_flag=True, help="Never answer 429, and deliver webhooks as fast as they come."
)
@click.option("--webhook-http", is_flag=True, help="Allow webhooks to http:// addresses on loopback.")
@click.option(
    "--life", is_flag=True, help="Other people keep working: edits, moves and notes every few seconds."
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep the workspace in this directory from one run to the next.",
)
@click.option(
    "--until-input-closes", is_flag=True, help="Stop when standard input closes, not only on Ctrl+C."
)
def sandbox(
    port: int,
    hubspot_port: int,
    salesforce_port: int,
    records: int,
    seed: int,
    latency_ms: float,
    no_limits: bool,
    webhook_http: bool,
    life: bool,
    state: Path | None,
    until_input_closes: bool,
) -> int:
    """Serve stand-ins for Attio, HubSpot and Salesforce on loopback until Ctrl+C.

    Prints one JSON line when it accepts connections: the addresses, the control surface and the tokens.
    Point any Attio client at the "attio" address with the token beside it. The control surface under
    /_sandbox lets somebody else edit, delete and merge records, injects faults, moves the clock, and
    shows every accepted write.
    """
    from attio_console.sandbox import SandboxOptions, serve

    options = SandboxOptions(
        port=port,
        hubspot_port=hubspot_port,
        salesforce_port=salesforce_port,
        records=records,
        seed=seed,
        latency_ms=latency_ms,
        limits=not no_limits,
        webhook_http=webhook_http,
        life=life,
        state=state,
        until_input_closes=until_input_closes,
    )
    run_async(lambda: serve(options))
    return EXIT_DONE
