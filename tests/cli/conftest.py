"""The installed command, as a script runs it, against a sandbox in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox as its JSON line describes it."""

    line: dict[str, Any]

    def control(self, path: str, body: object | None = None) -> Any:
        """Ask the control surface; a body makes it a POST."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(
            f"{self.line['control']}/{path}", data=data, headers={"content-type": "application/json"}
        )
        with urlopen(request, timeout=20) as answer:
            text = answer.read().decode()
        return json.loads(text) if text.strip() else None

    def dump(self, system: str, kind: str) -> list[dict[str, Any]]:
        """Return the ground truth of one object."""
        with urlopen(f"{self.line['control']}/dump/{system}/{kind}", timeout=20) as answer:
            return [json.loads(line) for line in answer.read().decode().splitlines() if line]


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    command = [sys.executable, "-m", "attio_console.cli", "sandbox", "--records", "60", "--webhook-http"]
    process = subprocess.Popen(
        [*command, "--until-input-closes"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdin is not None
    try:
        yield Sandbox(json.loads(process.stdout.readline()))
    finally:
        process.stdin.close()
        process.wait(timeout=20)
        process.stdout.close()


@dataclass(frozen=True)
class Ran:
    """One finished command."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Return stdout as one JSON document."""
        return json.loads(self.out)

    def lines(self) -> list[Any]:
        """Return stdout as one JSON document a line."""
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Ran]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A machine on which attio-console was never used."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ATTIO_")}
    return kept | {
        "ATTIO_CONSOLE_CONFIG_DIR": str(tmp_path / "config"),
        "ATTIO_CONSOLE_DATA_DIR": str(tmp_path / "data"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "COLUMNS": "120",
    }


@pytest.fixture
def bare(environment: dict[str, str]) -> Run:
    """Run the command without a profile or a token."""

    def run(*arguments: str, text: str = "", **variables: str) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "attio_console.cli", *arguments],
            env=environment | variables,
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def run(bare: Run, sandbox: Sandbox) -> Run:
    """Run the command against the sandbox, with its token in the environment."""

    def run_it(*arguments: str, text: str = "", **variables: str) -> Ran:
        known = {"ATTIO_API_KEY": sandbox.line["tokens"]["attio"], "ATTIO_BASE_URL": sandbox.line["attio"]}
        return bare(*arguments, text=text, **(known | variables))

    return run_it


@pytest.fixture(scope="session")
def pulled_data(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory as the first pull leaves it; made once, copied by each test that wants one."""
    directory = tmp_path_factory.mktemp("pulled")
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ATTIO_")}
    known = {"ATTIO_API_KEY": sandbox.line["tokens"]["attio"], "ATTIO_BASE_URL": sandbox.line["attio"]}
    command = [sys.executable, "-m", "attio_console.cli", "--data-dir", str(directory), "pull"]
    subprocess.run(command, env=kept | known, capture_output=True, check=True, timeout=60)
    return directory


@pytest.fixture
def pulled(run: Run, pulled_data: Path, environment: dict[str, str]) -> Run:
    """The same, after a pull."""
    shutil.copytree(pulled_data, environment["ATTIO_CONSOLE_DATA_DIR"])
    return run
