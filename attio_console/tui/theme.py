"""Colours: two quiet themes and one with strong contrast, and the few variables every theme gets."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from textual.color import Color, ColorParseError
from textual.theme import BUILTIN_THEMES, Theme

from attio_console.errors import ConfigError

DARK = Theme(
    name="console-dark",
    primary="#7aa2f7",
    secondary="#7dcfff",
    accent="#7aa2f7",
    foreground="#c8ccd4",
    background="#11131a",
    surface="#161922",
    panel="#1d212c",
    success="#8fbf7a",
    warning="#d9a860",
    error="#ef7a85",
    dark=True,
)
LIGHT = Theme(
    name="console-light",
    primary="#2b5fb8",
    secondary="#1f7a8c",
    accent="#2b5fb8",
    foreground="#22262e",
    background="#fbfbf9",
    surface="#f3f3ef",
    panel="#e8e8e2",
    success="#3d7a2a",
    warning="#96630a",
    error="#b3303d",
    dark=False,
)
CONTRAST = Theme(
    name="console-contrast",
    primary="#ffffff",
    secondary="#00ffff",
    accent="#ffff00",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#1a1a1a",
    success="#00ff00",
    warning="#ffb000",
    error="#ff6060",
    dark=True,
    variables={
        "dim": "#d0d0d0",
        "rule": "#a0a0a0",
        "cursor-row": "#003a8c",
        "cursor-cell": "#0058d6",
        "glow": "#5a4a00",
    },
)
THEMES = (DARK, LIGHT, CONTRAST)


def check_theme(name: str) -> None:
    """Raise ConfigError with the nearest name where there is no such theme; no name at all is fine."""
    known = {theme.name for theme in THEMES} | set(BUILTIN_THEMES)
    if name and name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(sorted(known))}"
        raise ConfigError(f"There is no theme called {name!r}.", hint=hint)


def own_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the colours of this program that a theme does not name, mixed from those it does."""
    try:
        foreground, background = Color.parse(variables["foreground"]), Color.parse(variables["background"])
        accent, warning = Color.parse(variables["accent"]), Color.parse(variables["warning"])
    except (ColorParseError, KeyError):
        return dict(_TERMINAL_COLOURS)
    if foreground.ansi is not None or background.ansi is not None:
        return dict(_TERMINAL_COLOURS)
    return {
        "dim": background.blend(foreground, 0.62).hex6,
        "rule": background.blend(foreground, 0.20).hex6,
        "cursor-row": background.blend(accent, 0.22).hex6,
        "cursor-cell": background.blend(accent, 0.42).hex6,
        "cursor-quiet": background.blend(foreground, 0.10).hex6,
        "glow": background.blend(warning, 0.38).hex6,
    }


_TERMINAL_COLOURS = {
    "dim": "ansi_bright_black",
    "rule": "ansi_bright_black",
    "cursor-row": "ansi_blue",
    "cursor-cell": "ansi_cyan",
    "cursor-quiet": "ansi_bright_black",
    "glow": "ansi_yellow",
}
