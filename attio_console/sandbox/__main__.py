"""`python -m attio_console.sandbox`: the sandbox without the rest of the program."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from attio_console.sandbox.run import CannotListen, SandboxOptions, StateUnreadable, StateUnsavable, serve


@click.command()
@click.option("--port", default=0, help="Port of Attio and the control surface (0: any free one).")
@click.option("--hubspot-port", default=0, help="Port of HubSpot.")
@click.option("--salesforce-port", default=0, help="Port of Salesforce.")
@click.option(
    "--records",
    default=2_000,
    show_default=True,
    help="How many people there are; companies and deals follow.",
)
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same data.")
@click.option("--latency-ms", default=0.0, help="Let every answer take that long.")
@click.option("--no-limits", is_flag=True, help="No rate limits, and webhooks as fast as they go.")
@click.option("--webhook-http", is_flag=True, help="Let webhooks go to http:// addresses of this machine.")
@click.option(
    "--life", is_flag=True, help="Other people keep working: edits, moves and notes every few seconds."
)
@click.option(
    "--state", type=click.Path(file_okay=False, path_type=Path), help="Directory that keeps the world."
)
def main(**given: object) -> None:
    """Serve a local Attio, HubSpot and Salesforce until Ctrl+C."""
    limits = not given.pop("no_limits")
    try:
        asyncio.run(serve(SandboxOptions(limits=limits, **given)))  # type: ignore[arg-type]  # click typed them
    except (CannotListen, StateUnreadable, StateUnsavable) as error:
        click.echo(f"{error} {error.hint}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
