"""What the benchmarks share: parts in processes of their own, stalls of the loop, peak memory, percentiles."""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

Figures = dict[str, float]


class Stalls:
    """Measures how long the loop was not available, every two milliseconds."""

    def __init__(self) -> None:
        self.gaps: list[float] = []

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            started = time.perf_counter()
            await asyncio.sleep(0.002)
            self.gaps.append((time.perf_counter() - started - 0.002) * 1e3)

    def report(self) -> Figures:
        """Return the percentiles of the gaps."""
        return {
            "stall_p50_ms": percentile(self.gaps, 50),
            "stall_p99_ms": percentile(self.gaps, 99),
            "stall_max_ms": max(self.gaps),
        }


@contextlib.asynccontextmanager
async def watched() -> AsyncIterator[Stalls]:
    """Measure the stalls of this loop."""
    stalls = Stalls()
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(stalls.run())
        yield stalls
        task.cancel()


def percentile(values: Sequence[float], wanted: float) -> float:
    """Return a percentile."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * wanted / 100), len(ordered) - 1)]


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return percentile(values, 50)


def peak_mb() -> float:
    """Return the most memory this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextlib.contextmanager
def process(module: str, *options: str) -> Iterator[dict[str, Any]]:
    """Run a server in a process of its own; it says where it is in one JSON line."""
    with subprocess.Popen([sys.executable, "-m", module, *options], stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        try:
            yield json.loads(running.stdout.readline())
        finally:
            running.terminate()


def part(module: str, name: str, *, python: str = sys.executable, **options: object) -> Figures:
    """Run a part of a benchmark in a process of its own and return its figures."""
    command = [python, "-m", module, "--part", name]
    for option, value in options.items():
        command += [f"--{option.replace('_', '-')}", str(value)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures
