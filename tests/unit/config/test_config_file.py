"""Config files as people write them, and as they break them."""

from __future__ import annotations

from pathlib import Path

import pytest

from attio_console.config import file
from attio_console.config.profiles import ATTIO, Config, Profile, WebhookConfig
from attio_console.errors import ConfigError, NoSuchThing


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def test_no_file_is_an_empty_config(path: Path) -> None:
    assert file.load(path) == Config()


def test_a_profile_has_defaults(path: Path) -> None:
    path.write_text("[profiles.work]\n")
    profile = file.load(path).profiles["work"]
    assert (profile.name, profile.base_url, profile.read_only) == ("work", ATTIO, False)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("profils = 1\n", 1, "did you mean profiles"),
        ("[profiles.work]\nread_onyl = true\n", 2, "did you mean read_only"),
        ("[profiles.work]\n\n[profiles.work.webhook]\nmode = 'listn'\n", 4, "'listen' or 'off'"),
        ("[profiles.work.webhook]\nport = 70000\n", 2, "65535"),
        ("[profiles.work]\nbase_url = 'ftp://attio'\n", 2, "not an http or https address"),
        ("[profiles.work]\nbase_url = 'http://attio.example'\n", 2, "https"),
        ("[profiles.work.webhook]\nhost = '0.0.0.0'\n", 2, "127.0.0.1"),
    ],
)
def test_a_mistake_is_named_with_file_line_and_remedy(path: Path, text: str, line: int, words: str) -> None:
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        file.load(path)
    assert f"{path}:{line}: " in str(caught.value)
    assert words in str(caught.value)


def test_broken_toml_is_a_sentence(path: Path) -> None:
    path.write_text("[profiles.work\n")
    with pytest.raises(ConfigError, match="line 1"):
        file.load(path)


def test_bytes_that_are_not_text_are_a_sentence(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not UTF-8"):
        file.load(path)


def test_saving_keeps_comments_and_other_profiles(path: Path) -> None:
    path.write_text('# mine\n\n[profiles.old]\nread_only = true  # careful\n\n[keys]\nquit = "q"\n')
    file.save_profile(path, Profile(name="new", webhook=WebhookConfig(port=4020)), make_default=True)
    text = path.read_text()
    assert "# mine" in text
    assert "# careful" in text
    config = file.load(path)
    assert config.default_profile == "new"
    assert config.profiles["old"].read_only
    assert config.profiles["new"].webhook.port == 4020
    assert config.keys == {"quit": "q"}
    assert path.stat().st_mode & 0o077 == 0


def test_the_first_profile_becomes_the_default(path: Path) -> None:
    file.save_profile(path, Profile(name="work"), make_default=False)
    file.save_profile(path, Profile(name="other"), make_default=False)
    assert file.load(path).default_profile == "work"


def test_removing_a_profile_leaves_the_rest(path: Path) -> None:
    file.save_profile(path, Profile(name="work"), make_default=False)
    file.save_profile(path, Profile(name="other"), make_default=False)
    file.remove_profile(path, "work")
    config = file.load(path)
    assert list(config.profiles) == ["other"]
    assert config.default_profile == ""


def test_picking_an_unknown_profile_names_the_nearest(path: Path) -> None:
    config = Config(profiles={"production": Profile(name="production")})
    with pytest.raises(NoSuchThing) as caught:
        file.pick(config, "prodution", path)
    assert caught.value.hint == "Did you mean production?"
    assert file.pick(config, None, path).name == "production"
