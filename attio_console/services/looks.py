"""What a person set in the config file about the screen: keys and colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from attio_console.config import file, locations
from attio_console.errors import ConfigError
from attio_console.services.actions import Action, Clash, Keymap, clashes, keymap, remapped

if TYPE_CHECKING:
    from pathlib import Path

    from attio_console.services.opening import OpenOptions

Wanted = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True)
class Looks:
    """The keys and the theme to start with; an empty theme is the usual one."""

    keys: Keymap
    theme: str = ""


@dataclass(frozen=True, slots=True)
class KeyTable:
    """Every action with its keys as they are set, and what of it cannot be."""

    actions: tuple[Action, ...]
    changed: frozenset[str]
    clashes: tuple[Clash, ...]


def looks(options: OpenOptions) -> Looks:
    """Return what the screen starts with. Raises ConfigError, with file and line where the config file is to blame."""
    path = locations.config_file(options.config_dir)
    config = file.load(path)
    if options.keys is not None:
        return Looks(keymap(options.keys), config.theme)
    wanted = _checked(path, config.keys)
    if found := clashes(remapped(wanted)):
        culprit = next((one for clash in found for one in clash.actions if one in wanted), "")
        where = file.place_of(path, ("keys", culprit))
        raise ConfigError(
            f"{where}: {'; '.join(str(clash) for clash in found)}.",
            hint="attio-console keys lists what is taken.",
        )
    return Looks(keymap(wanted), config.theme)


def key_table(config_dir: Path | None = None) -> KeyTable:
    """Return the keys as the config file sets them, clashes and all. Raises ConfigError for what names nothing."""
    path = locations.config_file(config_dir)
    wanted = _checked(path, file.load(path).keys)
    actions = remapped(wanted)
    return KeyTable(actions, frozenset(wanted), tuple(clashes(actions)))


def _checked(path: Path, wanted: Wanted) -> Wanted:
    for action_id, keys in wanted.items():
        try:
            remapped({action_id: keys})
        except ConfigError as problem:
            where = file.place_of(path, ("keys", action_id))
            raise ConfigError(f"{where}: {problem.message}", hint=problem.hint) from problem
    return wanted
