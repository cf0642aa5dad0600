"""A process that is killed at any instant loses nothing that it was told is on disk."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

from attio_console.store import Store

_WRITER = Path(__file__).with_name("crashing_writer.py")
_ROUNDS = 6


def _run_and_kill(directory: Path, run: int, after_lines: int) -> list[list[str]]:
    process = subprocess.Popen(
        [sys.executable, str(_WRITER), str(directory), str(run)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert process.stdout is not None
    guard = threading.Timer(30, process.kill)
    guard.start()
    lines = []
    try:
        for line in process.stdout:
            lines.append(line)
            if len(lines) == after_lines:
                process.send_signal(signal.SIGKILL)
    finally:
        guard.cancel()
        process.kill()
        process.wait()
        process.stdout.close()
    # The last line may have been cut in the middle: then nobody was told.
    return [line.split() for line in lines if line.endswith("\n")]


async def test_what_was_promised_before_the_kill_is_there_after_it(tmp_path: Path) -> None:
    rng = random.Random(11)
    directory = tmp_path / "store"
    promised: dict[str, set[str]] = {"delivery": set(), "edit": set(), "confirmed": set()}
    for run in range(_ROUNDS):
        pages = {}
        for word, *rest in _run_and_kill(directory, run, rng.randrange(40, 400)):
            if word == "page":
                pages[int(rest[0])] = int(rest[1])
            elif word != "open":
                promised[word].add(rest[0])
        store = await Store.open(directory)
        try:
            keys = {row.key for row in store.inbox.recent(100_000)}
            assert promised["delivery"] <= keys
            states = ("pending", "sending", "confirmed")
            items = store.outbox.items(states, limit=100_000)
            records = [item.record_id for item in items]
            assert promised["edit"] <= set(records) and len(records) == len(set(records))
            confirmed = {item.record_id for item in items if item.state == "confirmed"}
            assert promised["confirmed"] <= confirmed
            # What belongs together was committed together: every confirmation has its line in the audit.
            assert confirmed == {entry.record for entry in store.audit.recent(100_000)}
            assert (await store.audit.verify()).broken_at is None
            for scan, at in pages.items():
                state = store.mirror.scan_state("people")
                assert state is not None
                if state.scan == scan and state.finished_at is None:
                    assert int(state.cursor or b"0") >= at
                assert store.mirror.size("people") >= at
            assert store.mirror.size("people") == len(store.mirror.ids("people"))
            assert store.mirror.rebuilt in ("", "no mirror yet", "the mirror was empty")
        finally:
            await store.close()
        assert all(result.ok for result in await Store.check(directory))
