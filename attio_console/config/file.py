"""Reading and writing the config file; comments and order of its owner are kept."""

from __future__ import annotations

import difflib
import os
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from attio_console.config.profiles import (
    Automation,
    Config,
    HubSpotLink,
    Profile,
    SalesforceLink,
    WebhookConfig,
)
from attio_console.errors import ConfigError, NoSuchThing

_SECTIONS: dict[str, type[BaseModel]] = {
    "webhook": WebhookConfig,
    "hubspot": HubSpotLink,
    "salesforce": SalesforceLink,
    "automations": Automation,
}


def load(path: Path) -> Config:
    """Return the config; an empty one where there is no file. Raises ConfigError naming file, line and nearest key."""
    text = _read(path)
    if text is None:
        return Config()
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise ConfigError(f"{path}: {problem}.") from problem
    profiles = document.get("profiles")
    if isinstance(profiles, dict):
        for name, section in profiles.items():
            if isinstance(section, dict):
                section.setdefault("name", name)
    try:
        return Config.model_validate(document)
    except ValidationError as problem:
        raise ConfigError("\n".join(_complaint(path, text, error) for error in problem.errors())) from problem


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as problem:
        raise ConfigError(f"{path} is not UTF-8 text.") from problem
    except OSError as problem:
        raise ConfigError(f"{path} cannot be read: {problem.strerror}.") from problem


def _complaint(path: Path, text: str, error: Any) -> str:
    location: Sequence[Any] = error["loc"]
    keys = [str(part) for part in location if isinstance(part, str)]
    where = f"{path}:{_line_of(text, keys)}"
    name = ".".join(str(part) for part in location)
    if error["type"] == "extra_forbidden":
        known = _known_keys(keys[:-1])
        near = difflib.get_close_matches(keys[-1], known, n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; known here: {', '.join(sorted(known))}"
        return f"{where}: {name} is not a setting{hint}"
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{where}: {name}: {message}"


def place_of(path: Path, keys: Sequence[str]) -> str:
    """Return file and line of a setting, as an error names it."""
    return f"{path}:{_line_of(_read(path) or '', keys)}"


def _known_keys(parents: Sequence[str]) -> list[str]:
    if not parents:
        return list(Config.model_fields)
    section = next((_SECTIONS[part] for part in reversed(parents) if part in _SECTIONS), Profile)
    return [name for name in section.model_fields if name != "name" or section is Automation]


def _line_of(text: str, keys: Sequence[str]) -> int:
    """Return the line where the setting stands: the key's own line in its table, or else the table's."""
    key = keys[-1] if keys else ""
    table = ".".join(keys[:-1])
    current, table_line = "", 1
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped.startswith("["):
            current = stripped.strip("[]").replace('"', "").strip()
            if current in {table, ".".join(keys)}:
                table_line = number
        elif current == table and stripped.split("=")[0].strip().strip('"') == key:
            return number
    return table_line


def pick(config: Config, name: str | None, path: Path) -> Profile:
    """Return the named profile, or the default one; raises NoSuchThing with the nearest name."""
    wanted = (
        name or config.default_profile or (next(iter(config.profiles)) if len(config.profiles) == 1 else "")
    )
    if not wanted:
        raise NoSuchThing(
            f"{path} names no default profile." if config.profiles else "There is no profile yet.",
            hint="attio-console profile add NAME, or look around first: attio-console demo",
        )
    found = config.profiles.get(wanted)
    if found is None:
        near = difflib.get_close_matches(wanted, config.profiles, n=1)
        known = ", ".join(config.profiles) or "none"
        raise NoSuchThing(
            f"There is no profile {wanted!r}.", hint=f"Did you mean {near[0]}?" if near else f"Known: {known}"
        )
    return found


def save_profile(path: Path, profile: Profile, *, make_default: bool) -> None:
    """Write one profile into the file, leaving everything else as it is."""
    import tomlkit

    document = tomlkit.parse(_read(path) or "")
    profiles = document.setdefault("profiles", tomlkit.table(is_super_table=True))
    if profile.name not in profiles:
        profiles[profile.name] = tomlkit.table()
    _update(
        profiles[profile.name],
        profile.model_dump(mode="json", exclude_defaults=True, exclude={"name"}, exclude_none=True),
    )
    if make_default or not document.get("default_profile"):
        _set_default(document, profile.name)
    write(path, tomlkit.dumps(document))


def _update(section: Any, values: dict[str, Any]) -> None:
    """Change what is different and nothing else: comments stay beside what they are about."""
    for key in [key for key in section if key not in values]:
        del section[key]
    for key, value in values.items():
        if isinstance(value, dict) and isinstance(section.get(key), dict):
            _update(section[key], value)
        elif key not in section or section[key] != value:
            section[key] = value


def set_default(path: Path, name: str) -> None:
    """Make a profile the default one."""
    import tomlkit

    document = tomlkit.parse(_read(path) or "")
    _set_default(document, name)
    write(path, tomlkit.dumps(document))


def _set_default(document: Any, name: str) -> None:
    import tomlkit

    if "default_profile" in document:
        document["default_profile"] = name
        return
    # A plain key has to stand before the first table.
    body = tomlkit.dumps(document)
    document.clear()
    document.update(tomlkit.parse(f'default_profile = "{name}"\n\n{body.lstrip()}'))


def remove_profile(path: Path, name: str) -> None:
    """Take one profile out of the file."""
    import tomlkit

    document = tomlkit.parse(_read(path) or "")
    del document["profiles"][name]
    if document.get("default_profile") == name:
        del document["default_profile"]
    write(path, tomlkit.dumps(document))


def write(path: Path, text: str) -> None:
    """Replace the file in one step, readable by its owner only."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".config-", suffix=".toml")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except OSError as problem:
        raise ConfigError(f"{path} cannot be written: {problem.strerror}.") from problem


EXAMPLE = """\
# attio-console. attio-console config schema prints everything that can stand here.
# default_profile = "work"

# [profiles.work]
# read_only = false
# colour = "red"                # the bar of a workspace where a slip is expensive

# [profiles.work.webhook]
# port = 4020
# public_url = "https://hooks.example.com/attio"

# [profiles.work.hubspot]       # its token: the secret "hubspot" of the profile
# version = "2026-03"

# theme = "console-light"       # before the first table; Ctrl+T shows them all

# [keys]                        # attio-console keys lists every action, and says what is wrong here
# undo = ["u", "ctrl+z"]
# zoom = "none"                 # switched off
"""
