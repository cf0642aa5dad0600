"""`attio-console` without a command: the console itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attio_console.cli import EXIT_DONE
from attio_console.cli.commands._open import open_options
from attio_console.cli.first_run import is_first_run, set_up
from attio_console.cli.terminal import require_terminal

if TYPE_CHECKING:
    from attio_console.cli.app import Globals


def open_the_console(given: Globals) -> int:
    """Open the screen on the profile and return the exit code it ends with."""
    from attio_console.tui import run as open_screen

    require_terminal()
    if is_first_run(given):
        ready = set_up(given)
        if ready is None:
            return EXIT_DONE
        given = ready
    return open_screen(open_options(given))
