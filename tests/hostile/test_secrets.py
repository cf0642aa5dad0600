"""No token, client secret or webhook secret on disk, in a traceback, in an output, or in a process listing."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
import traceback
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from attio_console.net import REDACTOR
from attio_console.sandbox import Sandbox
from attio_console.sandbox import running as sandbox_running
from attio_console.services.demo import demo_options
from attio_console.services.opening import open_console
from attio_console.tui.app import ConsoleApp
from tests.engine.conftest import Control, options
from tests.engine.crm.conftest import linked_console


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with sandbox_running(options(records=40, limits=False)) as found:
        yield found


def secrets_of(sandbox: Sandbox, more: list[str]) -> dict[str, str]:
    tokens = sandbox.tokens
    named = {
        "attio": sandbox.token,
        "hubspot": tokens["hubspot"],
        "salesforce": tokens["salesforce"]["client_secret"],
    }
    return named | {f"webhook {n}": one for n, one in enumerate(more)}


def leaks(directory: Path, secrets: dict[str, str]) -> list[str]:
    found = []
    for path in directory.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            found += [
                f"{name} in {path.name}" for name, secret in secrets.items() if secret.encode() in content
            ]
    return found


async def test_nothing_secret_reaches_disk_logs_or_state(
    sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    control = Control(sandbox.attio)
    async with linked_console(sandbox, tmp_path / "data", control) as house:
        await house.live()
        await house.quiet(60)
        receiver = house.engine.receiver
        assert receiver is not None
        await house.until(lambda: bool(receiver.subscription.valid_secrets()))
        hooks = [one.decode() for one in receiver.subscription.valid_secrets()]
        secrets = secrets_of(sandbox, hooks)
        sessions = [
            link.sync.client._session.access_token
            for link in house.engine.links
            if link.system == "salesforce"
        ]  # type: ignore[union-attr]
        secrets |= {"session": sessions[0]}
        people = list(await control.dump("people"))
        await control.edit("people", people[0], {"description": "seen"})
        await house.until(lambda: house.store.inbox.depth() == 0)
        shown = repr((house.engine.status(), house.engine.profile, house.engine.receiver.status()))
        assert [name for name, one in secrets.items() if one in shown] == []
        # Representations of what a traceback or a debugger would show.
        for thing in (
            house.engine._secrets,
            house.engine.attio,
            *(link.sync.client for link in house.engine.links if link.sync),
        ):
            assert [name for name, one in secrets.items() if one in repr(thing)] == []
        try:
            await house.engine.attio._wire.send("GET", ("nowhere",), lambda answer: 1 / 0)  # type: ignore[arg-type]
        except Exception as error:
            text = "".join(traceback.TracebackException.from_exception(error, capture_locals=False).format())
            assert [name for name, one in secrets.items() if one in text] == []
    await control.close()
    assert leaks(tmp_path, secrets) == []
    assert [name for name, one in secrets.items() if one in caplog.text] == []


async def test_a_crash_of_the_screen_shows_no_token(sandbox: Sandbox, tmp_path: Path, capsys: Any) -> None:
    line = {
        "attio": sandbox.attio,
        "hubspot": sandbox.hubspot,
        "salesforce": sandbox.salesforce,
        "tokens": {**sandbox.tokens, "attio": sandbox.token},
    }
    opening = demo_options(line, tmp_path / "data")
    secrets = secrets_of(sandbox, [])

    class Crashing(ConsoleApp):
        def act_quit(self) -> None:
            token, held = secrets["attio"], dict(secrets)
            raise RuntimeError(f"boom {len(token)} {len(held)}")

    app = Crashing(lambda: open_console(opening))
    with pytest.raises(RuntimeError):
        async with app.run_test(size=(100, 30)) as pilot:
            async with asyncio.timeout(20):
                while not app.session.ready:
                    await pilot.pause(0.05)
            await pilot.press("q")
    from rich.console import Console

    console = Console(record=True, width=200, file=open(os.devnull, "w"))  # noqa: SIM115
    for renderable in app._exit_renderables:
        console.print(renderable)
    said = console.export_text() + "".join(capsys.readouterr())
    assert "boom" in said
    assert [name for name, one in secrets.items() if one in said] == []


def test_the_redactor_hides_what_it_was_told_however_it_is_written() -> None:
    REDACTOR.add("se/cr+et=value")
    for text in (
        "token se/cr+et=value", "Authorization: Bearer se/cr+et=value", '{"client_secret": "abc/def+ghi=="}', "client_secret=abcdef&x=1",
        "access_token%3Dxyz se/cr+et=value", "webhook secret: deadbeefdeadbeef",
    ):  # fmt: skip
        shown = REDACTOR.redact(text)
        for secret in ("se/cr+et=value", "abc/def+ghi", "abcdef", "deadbeef"):
            assert secret not in shown, shown


def test_the_demo_hands_no_secret_to_a_command_line_or_environment(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "attio_console.cli",
        "sandbox",
        "--records",
        "20",
        "--until-input-closes",
        "--state",
        str(tmp_path / "s"),
    ]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    try:
        line = json.loads(process.stdout.readline())
        told = [
            line["tokens"]["attio"],
            line["tokens"]["hubspot"],
            line["tokens"]["salesforce"]["client_secret"],
        ]
        proc = Path(f"/proc/{process.pid}")
        if proc.exists():
            listing = (proc / "cmdline").read_bytes() + (proc / "environ").read_bytes()
            assert [one for one in told if one.encode() in listing] == []
        with_token = {"ATTIO_API_KEY": told[0], "ATTIO_BASE_URL": line["attio"]}
        kept = {key: value for key, value in os.environ.items() if not key.startswith("ATTIO_")}
        config = {
            "ATTIO_CONSOLE_CONFIG_DIR": str(tmp_path / "c"),
            "ATTIO_CONSOLE_DATA_DIR": str(tmp_path / "d"),
        }
        keyring = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
        for arguments in (("pull", "--json"), ("status", "--json"), ("doctor",)):
            done = subprocess.run(
                [sys.executable, "-m", "attio_console.cli", *arguments], env=kept | with_token | config | keyring,
                capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            assert [one for one in told if one in done.stdout + done.stderr] == [], arguments
        assert leaks(tmp_path / "d", {"attio": told[0]}) == []
        assert not (tmp_path / "c").exists() or leaks(tmp_path / "c", {"attio": told[0]}) == []
    finally:
        process.stdin.close()
        process.wait(timeout=20)
        process.stdout.close()
