"""The names of keys as a person may write them, and as the screen knows them."""

from __future__ import annotations

from difflib import get_close_matches

from attio_console.errors import ConfigError

NAMED = frozenset(
    {
        "up", "down", "left", "right", "enter", "escape", "space", "tab", "backspace", "delete", "insert", "home", "end",
        "pageup", "pagedown", *(f"f{number}" for number in range(1, 25)),
    }
)  # fmt: skip
"""Keys with a name; every other key is the one character it types."""

MODIFIERS = ("ctrl", "alt", "shift")

_ALSO = {
    "esc": "escape", "return": "enter", "del": "delete", "ins": "insert", "pgup": "pageup", "pgdn": "pagedown",
    "page_up": "pageup", "page_down": "pagedown", "bs": "backspace", "spacebar": "space", "control": "ctrl",
    "↑": "up", "↓": "down", "←": "left", "→": "right",
}  # fmt: skip

# What a terminal sends for these is another key, so they would never be seen.
_SENT_AS = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+h": "backspace", "ctrl+[": "escape"}


def key_name(text: str) -> str:
    """Return a key as the screen knows it: `Ctrl+K` is `ctrl+k`, `Esc` is `escape`, `shift+a` is `A`.

    Raises ConfigError with the nearest name where there is no such key.
    """
    typed = text.strip()
    if len(typed) == 1 and typed not in _ALSO:
        return typed
    parts = [_ALSO.get(part, part) for part in typed.casefold().split("+")] if typed != "+" else ["+"]
    *modifiers, last = parts
    if last == "" and modifiers:
        # `ctrl++` names the plus.
        modifiers, last = modifiers[:-1], "+"
    wrong = next((part for part in modifiers if part not in MODIFIERS), None)
    if wrong is not None:
        raise _unknown(text, wrong, MODIFIERS)
    if last not in NAMED and len(last) != 1:
        raise _unknown(text, last, sorted(NAMED))
    if modifiers == ["shift"] and len(last) == 1:
        if not last.isalpha():
            raise ConfigError(f"{text!r} names no key.", hint="Write the character that Shift makes of it.")
        return last.upper()
    name = "+".join([*(one for one in MODIFIERS if one in modifiers), last])
    if name in _SENT_AS:
        raise ConfigError(
            f"{text!r} cannot be told from {_SENT_AS[name]!r} in a terminal.", hint="Choose another key."
        )
    return name


def _unknown(text: str, part: str, known: tuple[str, ...] | list[str]) -> ConfigError:
    near = get_close_matches(part, known, n=1)
    meant = text.casefold().replace(part, near[0]) if near else ""
    return ConfigError(
        f"There is no key called {text!r}.",
        hint=f"Did you mean {meant!r}?" if meant else "Such as: ctrl+k, shift+left, f5, escape, x",
    )
