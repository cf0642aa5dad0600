"""The action table: what every other thing about keys is made from."""

from __future__ import annotations

import re

import pytest

from attio_console.errors import ConfigError
from attio_console.services.actions import ACTIONS, CONTEXTS, clashes, keymap, shown


def test_ids_are_unique_and_everything_is_described() -> None:
    ids = [action.id for action in ACTIONS]
    assert len(ids) == len(set(ids))
    for action in ACTIONS:
        assert action.keys, action.id
        assert action.help.endswith("."), action.id
        assert action.title, action.id
        assert set(action.contexts) <= set(CONTEXTS), action.id
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", action.id)


def test_no_key_means_two_things_in_one_place() -> None:
    assert clashes(ACTIONS) == []


def test_the_narrowest_context_wins() -> None:
    keys = keymap()
    assert keys.resolve("u", ("conflict", "global")).id == "undo-choice"  # type: ignore[union-attr]
    assert keys.resolve("u", ("records", "list", "global")).id == "undo"  # type: ignore[union-attr]
    assert keys.resolve("j", ("input",)) is None


def test_only_deliberate_keys_destroy() -> None:
    for action in ACTIONS:
        if action.id in {"delete", "discard"}:
            assert all(key.isupper() or key == "delete" for key in action.keys)


def test_keys_can_be_replaced_and_switched_off() -> None:
    keys = keymap({"undo": ["z", "ctrl+z"], "zoom": "none"})
    assert keys.resolve("z", ("global",)).id == "undo"  # type: ignore[union-attr]
    assert keys.resolve("u", ("global",)) is None
    assert keys.key("zoom") == ""
    assert "zoom" not in [action.id for action in keys.available(("global",))]


def test_a_clash_names_both_actions() -> None:
    with pytest.raises(ConfigError, match="undo") as caught:
        keymap({"undo": "z"})
    assert "zoom" in str(caught.value)


def test_an_unknown_action_is_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigError) as caught:
        keymap({"und": "z"})
    assert "undo" in caught.value.hint


@pytest.mark.parametrize(
    ("key", "printed"),
    [
        ("ctrl+k", "Ctrl+K"),
        ("shift+left", "Shift+←"),
        ("space", "Space"),
        ("H", "H"),
        ("f1", "F1"),
        ("<", "<"),
    ],
)
def test_keys_are_printed_as_people_know_them(key: str, printed: str) -> None:
    assert shown(key) == printed
