"""`make bench`: every benchmark after the other, each beside its floor in the same run.

`python -m tests.bench NAME...` runs some of them; `--quick` uses small sizes, `--dlt` installs dlt for the pull's second
floor.
"""

from __future__ import annotations

import importlib
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
LIBRARIES = ("apsw", "httpx", "msgspec", "textual", "uvicorn")


def main(arguments: list[str]) -> int:
    """Run the chosen benchmarks, or all, each in a process of its own."""
    quick, dlt = "--quick" in arguments, "--dlt" in arguments
    chosen = [name for name in arguments if not name.startswith("-")]
    names = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    unknown = [name for name in chosen if name not in names]
    if unknown:
        print(f"No benchmark is called {unknown[0]}. There are: {', '.join(names)}", file=sys.stderr)
        return 2
    versions = ", ".join(f"{library} {version(library)}" for library in LIBRARIES)
    print(
        f"{datetime.now(UTC).date()} · {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
        f" · Python {platform.python_version()} · {versions}"
    )
    failed = 0
    for name in chosen or names:
        module = importlib.import_module(f"tests.bench.bench_{name}")
        print(f"\n## {name}: {(module.__doc__ or '').strip().splitlines()[0]}", flush=True)
        options = [*(["--quick"] if quick else []), *(["--dlt"] if dlt and name == "pull" else [])]
        command = [sys.executable, "-m", f"tests.bench.bench_{name}", *options]
        failed += subprocess.run(command, check=False).returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
