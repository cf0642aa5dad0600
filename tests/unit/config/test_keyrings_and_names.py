"""Keyrings that are locked, refuse or hide behind a chain, and names that would leave their directory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backend
import pytest
from keyring.backends.chainer import ChainerBackend
from keyring.errors import KeyringLocked, PasswordSetError

from attio_console.config import file
from attio_console.config.locations import workspace_dir
from attio_console.config.secrets import MemorySecrets, SystemSecrets
from attio_console.errors import ConfigError, SecretMissing


class Troubled(keyring.backend.KeyringBackend):
    """A keyring that raises what it is told to."""

    priority = 1.0

    def __init__(self, trouble: Exception | None = None) -> None:
        super().__init__()
        self.trouble = trouble
        self.kept: dict[str, str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        if self.trouble:
            raise self.trouble
        return self.kept.get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.trouble:
            raise self.trouble
        self.kept[username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[username]


class InTheClear(Troubled):
    """Stands for what keyrings.alt brings."""


InTheClear.__module__ = "keyrings.alt.file"


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("ATTIO_API_KEY", raising=False)
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


@pytest.mark.parametrize(
    ("trouble", "words"), [(KeyringLocked("x"), "locked"), (PasswordSetError("sk-secret"), "refused")]
)
def test_a_keyring_in_trouble_is_a_sentence_without_the_secret(
    tmp_path: Path, trouble: Exception, words: str
) -> None:
    keyring.set_keyring(Troubled(trouble))
    with pytest.raises(SecretMissing, match=words) as caught:
        SystemSecrets(tmp_path).set("work", "attio", "sk-secret")
    assert "sk-secret" not in str(caught.value)


def test_of_a_chain_only_a_safe_member_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = InTheClear(), Troubled()
    monkeypatch.setattr(ChainerBackend, "backends", [bad, good])
    keyring.set_keyring(ChainerBackend())
    SystemSecrets(tmp_path).set("work", "attio", "x")
    assert good.kept == {"work:attio": "x"}
    assert bad.kept == {}
    monkeypatch.setattr(ChainerBackend, "backends", [bad])
    with pytest.raises(SecretMissing):
        SystemSecrets(tmp_path).set("work", "attio", "x")
    assert bad.kept == {}


@pytest.mark.parametrize("name", ["../up", "a/b", ".hidden", "", "x" * 65, "a b", "new\nline"])
def test_a_profile_name_is_a_plain_name(tmp_path: Path, name: str) -> None:
    import json

    path = tmp_path / "config.toml"
    path.write_text(f"[profiles.{json.dumps(name)}]\n")
    with pytest.raises(ConfigError, match="letters, digits"):
        file.load(path)


@pytest.mark.parametrize("workspace", ["../../etc", "", "a/b", "."])
def test_a_workspace_id_stays_in_its_directory(tmp_path: Path, workspace: str) -> None:
    with pytest.raises(ConfigError):
        workspace_dir(tmp_path, workspace)


def test_saving_a_profile_again_keeps_the_comments_inside_it(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        "[profiles.work]  # the real one\nread_only = true  # until the audit is over\ncolour = 'red'\n\n"
        "[profiles.work.webhook]\n# behind the tunnel\nport = 4020\n"
    )
    before = file.load(path).profiles["work"]
    file.save_profile(
        path, before.model_copy(update={"colour": "", "workspace_name": "Acme"}), make_default=False
    )
    text = path.read_text()
    assert "# until the audit is over" in text
    assert "# behind the tunnel" in text
    after = file.load(path).profiles["work"]
    assert (after.colour, after.workspace_name, after.webhook.port, after.read_only) == (
        "",
        "Acme",
        4020,
        True,
    )


def test_secrets_do_not_show_themselves() -> None:
    assert "sk-1" not in repr(MemorySecrets({"attio": "sk-1"}))


def test_the_config_is_read_without_the_network_or_the_screen() -> None:
    import subprocess
    import sys

    code = "import sys, attio_console.config.file, attio_console.config.secrets as s; print([m for m in ('httpx','textual','rich','tomlkit','keyring') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert done.stdout.strip() == "[]"
