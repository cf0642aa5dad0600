"""The demo when it cannot start: a sentence, a way out, and exit code 1."""

from __future__ import annotations

import os
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


def test_without_a_terminal_there_is_a_sentence_and_no_screen(tmp_path: Path) -> None:
    ran = demo(tmp_path)
    assert ran.returncode == 1
    assert "The console needs a terminal" in ran.stderr
    assert "\x1b" not in ran.stderr + ran.stdout


def test_an_address_that_is_none_is_a_sentence() -> None:
    command = [sys.executable, "-m", "attio_console.cli", "--base-url", "notaurl", "status"]
    environment = {"PATH": os.environ["PATH"], "ATTIO_API_KEY": "x", "HOME": "/nonexistent"}
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
    assert ran.returncode == 1
    assert "'notaurl' cannot be used: is not an http or https address." in ran.stderr
    assert "Traceback" not in ran.stderr
