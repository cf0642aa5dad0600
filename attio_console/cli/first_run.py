"""The first time: which workspace, whose token, what it may, and then the console."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import click

from attio_console.cli.app import Globals, run_async
from attio_console.cli.output import say
from attio_console.errors import ConsoleError, SecretMissing

if TYPE_CHECKING:
    from attio_console.services.profiles import NewProfile


def is_first_run(given: Globals) -> bool:
    """Return whether nothing is set up: no profile, none named, and no token in the environment."""
    import os

    from attio_console.config import file, locations

    if given.profile is not None or os.environ.get("ATTIO_API_KEY", "").strip():
        return False
    return not file.load(locations.config_file()).profiles


def set_up(given: Globals) -> Globals | None:
    """Ask for a token and make the first profile; return what opens it, or None where the person left.

    A token that is refused can be typed again; nothing is kept before Attio has accepted one.
    """
    from attio_console.config.profiles import ATTIO
    from attio_console.services.profiles import NewProfile

    say("Welcome. No workspace is connected yet.")
    say("To look around first, without an account: attio-console demo")
    say("To connect one: in Attio, Workspace settings, Developers, create an access token.")
    while True:
        token = click.prompt(
            "Attio token (not shown; empty to leave)",
            default="",
            hide_input=True,
            show_default=False,
            err=True,
        )
        if not token.strip():
            return None
        name = click.prompt("A name for this workspace", default="work", err=True)
        profile = NewProfile(
            name=name,
            base_url=given.base_url or ATTIO,
            read_only=given.read_only,
            colour="",
            token_file=False,
            check=True,
        )
        try:
            _keep(profile, token.strip())
        except ConsoleError as error:
            say(f"{error.title}: {error.advice}")
            continue
        return Globals(
            profile=name, data_dir=given.data_dir, base_url=given.base_url, read_only=given.read_only
        )


def _keep(profile: NewProfile, token: str) -> None:
    from attio_console.services.profiles import add

    try:
        told = run_async(partial(add, profile, token))
    except SecretMissing as missing:
        say(missing.message)
        if not click.confirm("Keep it in a file that only you can read?", default=False, err=True):
            raise
        told = run_async(partial(add, replace(profile, token_file=True), token))
    for line in told:
        say(line)
