"""Whether there is a terminal to draw on."""

from __future__ import annotations

import sys

from attio_console.errors import UsageError


def require_terminal() -> None:
    """Raise UsageError where keys cannot be read or the screen, which is drawn on standard error, cannot be seen."""
    for stream in (sys.__stdin__, sys.__stderr__):
        if stream is None or stream.closed or not stream.isatty():
            raise UsageError(
                "The console needs a terminal: standard input and standard error must not be redirected.",
                hint="For scripts there are commands: attio-console --help",
            )
