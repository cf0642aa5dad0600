"""The demo when it cannot start: a sentence, a way out, and exit code 1."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def demo(keep: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "attio_console.cli", "demo", "--records", "5", "--keep", str(keep)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


def test_a_kept_sandbox_that_cannot_be_read_is_named_with_what_helps(tmp_path: Path) -> None:
    saved = tmp_path / "sandbox" / "world.sandbox"
    saved.parent.mkdir()
    saved.write_bytes(b"something else")
    ran = demo(tmp_path)
    assert ran.returncode == 1
    assert "The sandbox did not start." in ran.stderr
    assert str(saved) in ran.stderr
    assert "Remove the file to start from the seed again." in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("x")
    ran = demo(taken / "below")
    assert ran.returncode == 1
    assert "Name another directory with --keep." in ran.stderr
    assert "Traceback" not in ran.stderr
