"""The installed program in a real terminal."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.tmux,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed"),
]

PROGRAM = Path(sys.executable).parent / "attio-console"


class Terminal:
    """A tmux session with one window."""

    def __init__(self, home: Path) -> None:
        self._socket = f"attio-console-{uuid.uuid4().hex[:8]}"
        self._env = os.environ | {"HOME": str(home), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}

    def start(self, command: str, width: int = 120, height: int = 36) -> None:
        self._tmux(
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-s",
            "t",
            "-x",
            str(width),
            "-y",
            str(height),
            f"{command}; echo LEFT WITH CODE $?; exec cat",
        )

    def press(self, *keys: str) -> None:
        self._tmux("send-keys", "-t", "t", *keys)

    def resize(self, width: int, height: int) -> None:
        self._tmux("resize-window", "-t", "t", "-x", str(width), "-y", str(height))

    def text(self) -> str:
        return self._tmux("capture-pane", "-p", "-t", "t")

    def until(self, condition: Callable[[str], object], what: str, seconds: float = 20) -> float:
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            if condition(self.text()):
                return time.monotonic() - started
            time.sleep(0.05)
        pytest.fail(f"{what} did not happen in {seconds} s; on screen was\n{self.text()}")

    def end(self) -> None:
        subprocess.run(
            ["tmux", "-L", self._socket, "kill-server"], capture_output=True, env=self._env, check=False
        )

    def _tmux(self, *arguments: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self._socket, *arguments],
            capture_output=True,
            text=True,
            env=self._env,
            check=True,
        )
        return done.stdout


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path)
    yield terminal
    terminal.end()


def test_the_demo_shows_records_moves_a_card_survives_a_small_window_and_leaves(terminal: Terminal) -> None:
    terminal.start(f"{PROGRAM} demo --records 80")
    terminal.until(lambda text: "▌Records" in text, "the first picture", 30)
    seconds = terminal.until(lambda text: "@" in text and ".example" in text, "the first records")
    assert seconds < 10
    terminal.press("/")
    terminal.press("a", "i", "l")
    terminal.until(lambda text: " of 80" in text, "the filter")
    terminal.press("Escape")
    # A key sent right behind Escape would be read as Alt and that key.
    terminal.until(lambda text: " of 80" not in text, "the end of the filter")
    terminal.until(lambda text: "● live" in text, "being live")
    terminal.press("2")
    terminal.until(lambda text: "cards" in text, "the board")
    terminal.press("L")
    terminal.until(lambda text: "moved to" in text, "the move")
    terminal.resize(70, 20)
    terminal.until(lambda text: "needs 80 × 24" in text, "the sentence")
    terminal.resize(120, 36)
    terminal.until(lambda text: "▌Pipelines" in text, "the board again")
    terminal.press("C-q")
    terminal.until(lambda text: "LEFT WITH CODE 0" in text, "leaving")


def test_a_data_directory_that_cannot_be_used_is_a_sentence_and_code_one(
    terminal: Terminal, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    terminal.start(f"{PROGRAM} demo --records 10 --keep {blocked}/here")
    terminal.until(lambda text: "LEFT WITH CODE 1" in text, "leaving", 30)
    text = terminal.text()
    assert "cannot be used" in text
    assert "Traceback" not in text
