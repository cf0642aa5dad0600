"""The demo when it cannot start: a sentence, a way out, and exit code 1."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import termios
import threading
from pathlib import Path


def command(keep: Path) -> list[str]:
    return [sys.executable, "-m", "attio_console.cli", "demo", "--records", "5", "--keep", str(keep)]


def at_a_terminal(keep: Path) -> tuple[int, str]:
    """Run the demo with keyboard and screen at a pseudo-terminal; return its exit code and what it said."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 400))
    heard: list[bytes] = []

    def listen() -> None:
        try:
            while chunk := os.read(ours, 65536):
                heard.append(chunk)
        except OSError:
            return  # The last holder of the other end has closed it.

    listener = threading.Thread(target=listen)
    with subprocess.Popen(command(keep), stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        listener.start()
        code = process.wait(timeout=60)
    listener.join(timeout=10)
    os.close(ours)
    return code, b"".join(heard).decode("utf-8", "replace")


def test_a_kept_sandbox_that_cannot_be_read_is_named_with_what_helps(tmp_path: Path) -> None:
    saved = tmp_path / "sandbox" / "world.sandbox"
    saved.parent.mkdir()
    saved.write_bytes(b"something else")
    code, said = at_a_terminal(tmp_path)
    assert code == 1
    assert "The sandbox did not start." in said
    assert str(saved) in said
    assert "Remove the file to start from the seed again." in said
    assert "Traceback" not in said


def test_a_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("x")
    code, said = at_a_terminal(taken / "below")
    assert code == 1
    assert "Name another directory with --keep." in said
    assert "Traceback" not in said


def test_without_a_terminal_there_is_a_sentence_and_no_screen(tmp_path: Path) -> None:
    ran = subprocess.run(
        command(tmp_path), capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    )
    assert ran.returncode == 1
    assert "The console needs a terminal" in ran.stderr
    assert "\x1b" not in ran.stderr + ran.stdout


def test_an_address_that_is_none_is_a_sentence() -> None:
    asked = [sys.executable, "-m", "attio_console.cli", "--base-url", "notaurl", "status"]
    environment = {"PATH": os.environ["PATH"], "ATTIO_API_KEY": "x", "HOME": "/nonexistent"}
    ran = subprocess.run(asked, capture_output=True, text=True, timeout=60, env=environment)
    assert ran.returncode == 1
    assert "'notaurl' cannot be used: is not an http or https address." in ran.stderr
    assert "Traceback" not in ran.stderr
