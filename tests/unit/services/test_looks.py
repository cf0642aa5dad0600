"""Keys of the config file: as a person writes them, and what is said where they cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from attio_console.errors import ConfigError
from attio_console.services.key_names import key_name
from attio_console.services.looks import key_table, looks
from attio_console.services.opening import OpenOptions


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("Ctrl+K", "ctrl+k"), ("Esc", "escape"), ("PgUp", "pageup"), ("shift+a", "A"), ("A", "A"), ("?", "?"), ("+", "+"),
        ("ctrl++", "ctrl++"), ("Shift+←", "shift+left"), ("F5", "f5"), ("Space", "space"), ("shift+ctrl+left", "ctrl+shift+left"),
    ],
)  # fmt: skip
def test_keys_are_understood_as_people_write_them(written: str, known: str) -> None:
    assert key_name(written) == known


@pytest.mark.parametrize(
    ("written", "hint"),
    [("ctl+k", "ctrl+k"), ("escpe", "escape"), ("pagdown", "pagedown"), ("ctrl+i", "another"), ("shift+7", "character")],
)  # fmt: skip
def test_a_key_there_is_not_is_answered_with_the_nearest(written: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        key_name(written)
    assert hint in caught.value.hint


def _config(directory: Path, text: str) -> OpenOptions:
    (directory / "config.toml").write_text(text)
    return OpenOptions(config_dir=directory)


def test_the_keys_of_the_config_file_reach_the_screen(tmp_path: Path) -> None:
    start = looks(
        _config(tmp_path, 'theme = "nord"\n[keys]\nundo = ["F9", "ctrl+z"]\nzoom = "none"\ntask = "z"\n')
    )
    assert start.theme == "nord"
    assert start.keys.resolve("f9", ("global",)).id == "undo"  # type: ignore[union-attr]
    assert start.keys.resolve("z", ("records", "global")).id == "task"  # type: ignore[union-attr]
    assert start.keys.keys("zoom") == ()


@pytest.mark.parametrize(
    ("line", "said", "hint"),
    [
        ('und = "z"', "'und'", "'undo'"),
        ('undo = "ctrl+zz"', "'ctrl+zz'", "Such as"),
        ('undo = "z"', "undo and zoom", "attio-console keys"),
    ],
)
def test_what_cannot_be_is_named_with_its_line(tmp_path: Path, line: str, said: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        looks(_config(tmp_path, f"# mine\n\n[keys]\n{line}\n"))
    assert "config.toml:4:" in caught.value.message
    assert said in caught.value.message
    assert hint in caught.value.hint


def test_the_table_shows_clashes_instead_of_refusing(tmp_path: Path) -> None:
    _config(tmp_path, '[keys]\nundo = "z"\n')
    table = key_table(tmp_path)
    assert [str(clash) for clash in table.clashes] == ["z means undo and zoom everywhere"]
    assert table.changed == {"undo"}


def test_keys_given_with_the_options_stand_in_for_the_file(tmp_path: Path) -> None:
    given = OpenOptions(config_dir=tmp_path, keys={"undo": "f9"})
    assert looks(given).keys.keys("undo") == ("f9",)
