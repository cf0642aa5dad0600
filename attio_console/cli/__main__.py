"""`python -m attio_console.cli`: the same command line, where the script is not on the path."""

from __future__ import annotations

from attio_console.cli import main

main()
