"""The screen."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attio_console.services.opening import OpenOptions


def run(options: OpenOptions) -> int:
    """Open the console for a person and return the exit code; a console that cannot be opened is a sentence on stderr."""
    from attio_console.services.opening import open_console
    from attio_console.tui.app import ConsoleApp, run_until_closed

    app = ConsoleApp(lambda: open_console(options), engine=options.engine)
    code = run_until_closed(app)
    if app.failure is not None:
        error = app.failure
        print(f"{error.title}: {error.message} {error.hint}".strip(), file=sys.stderr)  # noqa: T201 - the screen is gone
        return 1
    return code
