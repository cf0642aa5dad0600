"""`attio-console completion`: tab completion for a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from attio_console.cli import EXIT_DONE


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    """Print the completion script of a shell; its start-up file evaluates it.

    bash: eval "$(attio-console completion bash)"
    """
    maker = get_completion_class(shell)
    assert maker is not None
    root = click.get_current_context().find_root().command
    click.echo(maker(root, {}, "attio-console", "_ATTIO_CONSOLE_COMPLETE").source())
    return EXIT_DONE
