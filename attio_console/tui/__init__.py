"""The screen."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attio_console.errors import ConsoleError
    from attio_console.services.opening import OpenOptions


def run(options: OpenOptions) -> int:
    """Open the console for a person and return the exit code; a console that cannot be opened is a sentence on stderr."""
    from attio_console.errors import ConfigError
    from attio_console.services.looks import looks
    from attio_console.services.opening import open_console
    from attio_console.tui.app import ConsoleApp, run_until_closed
    from attio_console.tui.theme import check_theme

    try:
        start = looks(options)
        check_theme(start.theme)
    except ConfigError as error:
        return _refused(error)
    app = ConsoleApp(
        lambda: open_console(options), engine=options.engine, keys=start.keys, starting_theme=start.theme
    )
    code = run_until_closed(app)
    return _refused(app.failure) if app.failure is not None else code


def _refused(error: ConsoleError) -> int:
    print(f"{error.title}: {error.advice}", file=sys.stderr)  # noqa: T201 - the screen is gone
    return 1
