"""The command tree, its global options, and how an error becomes an exit code."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from attio_console import __version__
from attio_console.cli import EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_NOT_AUTHORISED, EXIT_USAGE
from attio_console.cli.output import complain
from attio_console.errors import ConsoleError, InvalidFilter, InvalidValue, NotAuthorised

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Globals:
    """The options that stand before any command."""

    profile: str | None
    data_dir: Path | None
    base_url: str | None
    read_only: bool


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--profile", metavar="NAME", envvar="ATTIO_CONSOLE_PROFILE", help="The profile to use.")
@click.option(
    "--data-dir",
    metavar="DIR",
    envvar="ATTIO_CONSOLE_DATA_DIR",
    type=click.Path(path_type=Path),
    help="Where the mirror and the queues live.",
)
@click.option("--base-url", metavar="URL", envvar="ATTIO_BASE_URL", help="Attio's address, without /v2.")
@click.option("--read-only", is_flag=True, help="Refuse every write, whichever way it is tried.")
@click.version_option(__version__, prog_name="attio-console")
@click.pass_context
def cli(
    context: click.Context, profile: str | None, data_dir: Path | None, base_url: str | None, read_only: bool
) -> int:
    """A console over a live, local mirror of an Attio workspace.

    Without a command: the console itself, for the default profile.
    """
    context.obj = Globals(profile=profile, data_dir=data_dir, base_url=base_url, read_only=read_only)
    if context.invoked_subcommand is None:
        from attio_console.cli.commands.console import open_the_console

        return open_the_console(context.obj)
    return EXIT_DONE


def register_commands() -> None:
    """Hang every command on the tree."""
    from attio_console.cli.commands import ALL

    for command in ALL:
        cli.add_command(command)


def run(arguments: list[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    register_commands()
    try:
        result = cli.main(args=arguments, prog_name="attio-console", standalone_mode=False)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.ClickException as problem:
        problem.show()
        return EXIT_USAGE if isinstance(problem, click.UsageError) else EXIT_FAILED
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has seen enough; the interpreter must not complain while it flushes.
        sys.stdout = None
        return EXIT_DONE
    except ConsoleError as error:
        complain(error)
        return exit_code(error)
    return result if isinstance(result, int) else EXIT_DONE


def exit_code(error: ConsoleError) -> int:
    """Return the exit code that tells a script what kind of failure this was."""
    if isinstance(error, NotAuthorised):
        return EXIT_NOT_AUTHORISED
    if isinstance(error, InvalidValue | InvalidFilter):
        return EXIT_USAGE
    return EXIT_FAILED


def run_async(work: Callable[[], Awaitable[T]]) -> T:
    """Run one coroutine to its end; an error inside a task group comes out as itself."""
    import asyncio

    async def outer() -> T:
        return await work()

    try:
        return asyncio.run(outer())
    except BaseExceptionGroup as group:
        raise first_cause(group) from group


def first_cause(group: BaseExceptionGroup[Any]) -> BaseException:
    """Return the first leaf of an exception group."""
    cause: BaseException = group
    while isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[0]
    return cause
