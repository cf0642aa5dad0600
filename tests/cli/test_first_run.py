"""Nothing is set up yet: the console asks, checks, and keeps nothing that was refused."""

from __future__ import annotations

from pathlib import Path

import click
import keyring
import keyring.backends.fail
import pytest
from click.testing import CliRunner

from attio_console.cli.app import Globals
from attio_console.cli.first_run import is_first_run, set_up
from attio_console.config import file

from .conftest import Sandbox


@pytest.fixture
def nothing_yet(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Globals:
    monkeypatch.delenv("ATTIO_API_KEY", raising=False)
    monkeypatch.setenv("ATTIO_CONSOLE_CONFIG_DIR", str(tmp_path))
    monkeypatch.setattr(keyring.core, "_keyring_backend", keyring.backends.fail.Keyring())
    return Globals(profile=None, data_dir=None, base_url=sandbox.line["attio"], read_only=False)


def asked(given: Globals, typed: str) -> tuple[Globals | None, str]:
    """Answer the questions, and return what would be opened and what was said."""
    answers: list[Globals | None] = []

    @click.command()
    def command() -> None:
        answers.append(set_up(given))

    result = CliRunner().invoke(command, input=typed, catch_exceptions=False)
    return answers[0], result.output + result.stderr


def test_a_token_that_attio_knows_makes_the_first_profile(
    nothing_yet: Globals, sandbox: Sandbox, tmp_path: Path
) -> None:
    assert is_first_run(nothing_yet)
    token = sandbox.line["tokens"]["attio"]
    opened, said = asked(nothing_yet, f"nobody\n\n{token}\nnorthwind\ny\n")
    assert "does not know this token" in said
    assert token not in said
    assert opened is not None
    assert opened.profile == "northwind"
    config = file.load(tmp_path / "config.toml")
    assert list(config.profiles) == ["northwind"]
    assert token not in (tmp_path / "config.toml").read_text()
    assert not is_first_run(nothing_yet)


def test_leaving_keeps_nothing(nothing_yet: Globals, tmp_path: Path) -> None:
    opened, said = asked(nothing_yet, "\n")
    assert opened is None
    assert "attio-console demo" in said
    assert list(tmp_path.iterdir()) == []


def test_a_token_in_the_environment_needs_no_questions(
    nothing_yet: Globals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATTIO_API_KEY", "x")
    assert not is_first_run(nothing_yet)
