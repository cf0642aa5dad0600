"""`attio-console demo`: the console on a living sandbox, without an account or a network."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from attio_console.cli.output import say
from attio_console.cli.terminal import require_terminal
from attio_console.errors import ConfigError

MOST_KEPT = 20_000
"""The largest world that the sandbox writes to disk; beyond it people are computed when they are asked for."""


@click.command()
@click.option(
    "--records", type=click.IntRange(1, 1_000_000), default=2000, show_default=True, help="How many people."
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same data.")
@click.option(
    "--keep", type=click.Path(path_type=Path, file_okay=False), help="Keep everything in this directory."
)
def demo(records: int, seed: int, keep: Path | None) -> int:
    """Open the console on the sandbox, in a directory that is removed at exit."""
    from attio_console.services.demo import demo_options
    from attio_console.tui import run as open_screen

    if keep is not None and records > MOST_KEPT:
        raise click.UsageError(
            f"More than {MOST_KEPT:,} people are computed, not kept: leave out --keep, or ask for fewer --records."
        )
    require_terminal()
    with contextlib.ExitStack() as stack:
        if keep is None:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="attio-console-demo-")))
        else:
            directory = keep.expanduser().absolute()
            try:
                directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            except OSError as problem:
                raise ConfigError(
                    f"{directory} cannot be used: {problem.strerror}.",
                    hint="Name another directory with --keep.",
                ) from problem
        state = directory / "sandbox" if keep is not None else None
        where = stack.enter_context(_sandbox_process(records, seed, directory, state))
        code = open_screen(demo_options(where, directory / "data"))
    if keep is not None:
        say(f"Kept in {directory}. Open it again with: attio-console demo --keep {directory}")
    return code


@contextlib.contextmanager
def _sandbox_process(
    records: int, seed: int, directory: Path, state: Path | None
) -> Iterator[dict[str, Any]]:
    """Run the sandbox as a process of its own, so that the screen's event loop shares nothing with it.

    It ends when its standard input closes: also when this process is killed.
    """
    command = [
        sys.executable,
        "-m",
        "attio_console.cli",
        "sandbox",
        "--records",
        str(records),
        "--seed",
        str(seed),
    ]
    command += ["--webhook-http", "--life", "--until-input-closes"]
    if state is not None:
        command += ["--state", str(state)]
    say("Starting the sandbox: a workspace of its own, and other people who work in it …")
    path = directory / "sandbox.log"
    with path.open("ab") as log:
        told = log.tell()
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            process.wait(timeout=20)
            raise ConfigError("The sandbox did not start.", hint=_last_words(path, told))
        yield json.loads(line)
    finally:
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _last_words(path: Path, start: int) -> str:
    """Return what the sandbox said before it ended: its own sentence, or the end of a traceback."""
    with path.open("rb") as log:
        log.seek(start)
        lines = [line.strip() for line in log.read().decode("utf-8", "replace").splitlines() if line.strip()]
    return " ".join(lines[-2:])[-500:] or f"It left no word; its log is {path}"
