"""One engine per data directory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from attio_console.store.lock import EngineLock


def test_the_second_holder_is_refused_until_the_first_lets_go(tmp_path: Path) -> None:
    first, second = EngineLock(tmp_path / "lock"), EngineLock(tmp_path / "lock")
    assert second.holder() is None
    assert first.try_acquire() and first.try_acquire() and first.held
    assert not second.try_acquire() and not second.held
    assert second.holder() is not None and second.holder() == first.holder()
    first.release()
    first.release()
    assert second.try_acquire() and not first.try_acquire()
    second.release()


def test_a_dead_holder_holds_nothing(tmp_path: Path) -> None:
    code = "import sys,os;from pathlib import Path;from attio_console.store.lock import EngineLock;l=EngineLock(Path(sys.argv[1]));print(l.try_acquire(),flush=True);sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"True\n"
        lock = EngineLock(tmp_path / "lock")
        assert not lock.try_acquire() and lock.holder() == process.pid
        process.kill()
        process.wait()
        assert lock.holder() is None and lock.try_acquire()
        lock.release()
