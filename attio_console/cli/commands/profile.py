"""`attio-console profile`: named environments, one workspace each."""

from __future__ import annotations

import sys

import click

from attio_console.cli import EXIT_DONE
from attio_console.cli.app import Globals, run_async
from attio_console.cli.output import emit_fields, emit_json, emit_lines, emit_table, say


@click.group()
def profile() -> None:
    """Add, list and show profiles."""


@profile.command("add")
@click.argument("name")
@click.option("--base-url", metavar="URL", help="Attio's address, without /v2; the default is Attio itself.")
@click.option("--token-stdin", is_flag=True, help="Read the token from standard input instead of asking.")
@click.option("--token-file", is_flag=True, help="Keep the token in a 0600 file where there is no keyring.")
@click.option("--read-only", "read_only", is_flag=True, help="The profile refuses every write.")
@click.option("--colour", default="", help="The colour of the profile's bar, e.g. red for production.")
@click.option("--no-check", is_flag=True, help="Do not ask Attio whether the token works.")
@click.pass_obj
def add_profile(
    given: Globals,
    name: str,
    base_url: str | None,
    token_stdin: bool,
    token_file: bool,
    read_only: bool,
    colour: str,
    no_check: bool,
) -> int:
    """Add a profile; its token goes to the keyring, never to the config file.

    The token is asked for without being shown. It is checked with Attio before anything is kept.
    """
    from attio_console.services.profiles import NewProfile, add

    token = (
        sys.stdin.readline().strip()
        if token_stdin
        else click.prompt("Attio token", hide_input=True, err=True).strip()
    )
    new = NewProfile(
        name=name,
        base_url=base_url or given.base_url,
        read_only=read_only or given.read_only,
        colour=colour,
        token_file=token_file,
        check=not no_check,
    )
    for line in run_async(lambda: add(new, token)):
        say(line)
    return EXIT_DONE


@profile.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_profiles(as_json: bool) -> int:
    """List the profiles of the config file."""
    from attio_console.services.profiles import profiles

    lines = profiles()
    if as_json:
        emit_lines(lines)
    else:
        emit_table(
            ("", "NAME", "WORKSPACE", "ADDRESS", "TOKEN"),
            (("*" if p.default else "", p.name, p.workspace, p.base_url, p.token) for p in lines),
        )
        if not lines:
            say("No profiles yet. attio-console profile add NAME, or look around first: attio-console demo")
    return EXIT_DONE


@profile.command("show")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_obj
def show_profile(given: Globals, name: str | None, as_json: bool) -> int:
    """Show one profile and where its parts are kept; never the token."""
    from attio_console.services.profiles import show

    shown = show(name or given.profile)
    if as_json:
        emit_json(shown)
    else:
        emit_fields(shown)
    return EXIT_DONE


@profile.command("link")
@click.argument("name")
@click.argument("system", type=click.Choice(["hubspot", "salesforce"]))
@click.option("--base-url", metavar="URL", help="HubSpot's address; the default is HubSpot itself.")
@click.option("--login-url", metavar="URL", help="Salesforce: the org's own domain, or the login host.")
@click.option(
    "--auth",
    type=click.Choice(["client-credentials", "jwt", "refresh"]),
    help="Salesforce: which way in; the secret is the client secret, the private key or the refresh token.",
)
@click.option("--client-id", metavar="KEY", help="Salesforce: the consumer key of the external client app.")
@click.option("--username", help="Salesforce: the user a JWT speaks for.")
@click.option("--version", "api_version", help="Which version of the API is spoken.")
@click.option("--mapping", type=click.Path(dir_okay=False), help="The mapping file; else one is made.")
@click.option("--poll", "poll_s", type=float, metavar="SECONDS", help="Seconds between two looks.")
@click.option(
    "--quota", "quota_share", type=float, metavar="SHARE", help="The share of the daily calls, 0 to 1."
)
@click.option("--token-stdin", is_flag=True, help="Read the secret from standard input instead of asking.")
@click.option("--no-check", is_flag=True, help="Do not ask the system whether the secret works.")
def link_profile(name: str, system: str, token_stdin: bool, no_check: bool, **settings: object) -> int:
    """Link a profile with HubSpot or Salesforce.

    The secret goes to the keyring, never to the config file. It is checked with the system before anything is kept.
    Linking again changes what is given and keeps the rest.
    """
    from pathlib import Path

    from attio_console.services.profile_links import link

    foreign = ("login_url", "auth", "client_id", "username") if system == "hubspot" else ("base_url",)
    for key in foreign:
        if settings.get(key) is not None:
            raise click.UsageError(f"{system} has no --{key.replace('_', '-')}.")
    # A private key has many lines.
    secret = (
        sys.stdin.read().strip()
        if token_stdin
        else click.prompt(
            f"{system} secret (empty keeps the one there is)", hide_input=True, default="", err=True
        )
    )
    given = {**settings, "version": settings.pop("api_version")}
    if isinstance(given.get("mapping"), str):
        given["mapping"] = Path(str(given["mapping"])).resolve()
    for line in run_async(lambda: link(name, system, given, secret.strip(), check=not no_check)):
        say(line)
    return EXIT_DONE


@profile.command("use")
@click.argument("name")
def use_profile(name: str) -> int:
    """Make a profile the default one."""
    from attio_console.services.profiles import use

    use(name)
    say(f"{name} is the default profile.")
    return EXIT_DONE


@profile.command("remove")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove_profile(name: str, yes: bool) -> int:
    """Remove a profile and its token. Its mirror and queues stay on disk."""
    from attio_console.services.profiles import remove

    if not yes:
        click.confirm(f"Remove the profile {name} and forget its token?", abort=True, err=True)
    say(run_async(lambda: remove(name)))
    return EXIT_DONE
