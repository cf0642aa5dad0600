"""The command line: stdout is data, stderr is narration.

Kept free of heavy imports: `--help` and `--version` answer before anything of the engine is loaded.
"""

from __future__ import annotations

import sys

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_NEEDS_PERSON = 3
EXIT_NOT_AUTHORISED = 4
EXIT_INTERRUPTED = 130


def main() -> None:
    """Run the command line and leave with its exit code."""
    from attio_console.cli.app import run

    sys.exit(run())
