"""Tokens are kept where only their owner finds them, or not at all."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backend
import keyring.backends.fail
import pytest

from attio_console.config.secrets import SystemSecrets
from attio_console.errors import ConfigError, SecretMissing


class InMemory(keyring.backend.KeyringBackend):
    """A keyring that works, for as long as the test does."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture(autouse=True)
def no_token_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ATTIO_API_KEY", raising=False)


@pytest.fixture
def backend() -> Iterator[InMemory]:
    before = keyring.get_keyring()
    made = InMemory()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


@pytest.fixture
def none_at_all() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    yield
    keyring.set_keyring(before)


def test_the_environment_comes_first(
    tmp_path: Path, backend: InMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = SystemSecrets(tmp_path)
    secrets.set("work", "attio", "from the keyring")
    assert secrets.get("work", "attio") == "from the keyring"
    monkeypatch.setenv("ATTIO_API_KEY", "from the environment")
    assert secrets.get("work", "attio") == "from the environment"
    assert secrets.get("work", "hubspot") is None


def test_forgetting_leaves_nothing(tmp_path: Path, backend: InMemory) -> None:
    secrets = SystemSecrets(tmp_path)
    secrets.set("work", "attio", "x")
    secrets.delete("work", "attio")
    secrets.delete("work", "attio")
    assert backend.kept == {}
    assert secrets.where("work", "attio") == "nowhere"


@pytest.mark.usefixtures("none_at_all")
def test_without_a_keyring_a_token_is_not_written_anywhere(tmp_path: Path) -> None:
    secrets = SystemSecrets(tmp_path)
    with pytest.raises(SecretMissing) as caught:
        secrets.set("work", "attio", "x")
    assert "ATTIO_API_KEY" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("none_at_all")
def test_without_a_keyring_a_webhook_secret_lives_as_long_as_the_process(tmp_path: Path) -> None:
    secrets = SystemSecrets(tmp_path)
    secrets.set("work", "webhook:1", "s")
    assert secrets.get("work", "webhook:1") == "s"
    assert SystemSecrets(tmp_path).get("work", "webhook:1") is None
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_asked_for_is_its_owners_only(tmp_path: Path) -> None:
    secrets = SystemSecrets(tmp_path, files=True)
    secrets.set("work", "attio", "x")
    path = tmp_path / "secrets" / "work.attio"
    assert path.stat().st_mode & 0o777 == 0o600
    assert secrets.get("work", "attio") == "x"
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="read by others"):
        secrets.get("work", "attio")


def test_a_keyring_that_writes_in_the_clear_counts_as_none(
    tmp_path: Path, backend: InMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "keyrings.alt.file", types.ModuleType("keyrings.alt.file"))
    monkeypatch.setattr(InMemory, "__module__", "keyrings.alt.file")
    with pytest.raises(SecretMissing):
        SystemSecrets(tmp_path).set("work", "attio", "x")
    assert backend.kept == {}
