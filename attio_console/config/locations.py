"""Where files live: the only place that knows."""

from __future__ import annotations

import os
import re
from pathlib import Path

from attio_console.errors import ConfigError

_APP = "attio-console"


def config_dir(given: Path | None = None) -> Path:
    """Return the directory of the config file: as given, by ATTIO_CONSOLE_CONFIG_DIR, or the platform's."""
    if given is not None:
        return given.expanduser()
    named = os.environ.get("ATTIO_CONSOLE_CONFIG_DIR")
    if named:
        return Path(named).expanduser()
    import platformdirs

    return platformdirs.user_config_path(_APP, appauthor=False)


def config_file(given: Path | None = None) -> Path:
    """Return the path of the config file, whether it exists or not."""
    return config_dir(given) / "config.toml"


def data_root(given: Path | None = None) -> Path:
    """Return the directory under which each workspace has its own: as given, or the platform's."""
    if given is not None:
        return given.expanduser().absolute()
    named = os.environ.get("ATTIO_CONSOLE_DATA_DIR")
    if named:
        return Path(named).expanduser().absolute()
    import platformdirs

    return platformdirs.user_data_path(_APP, appauthor=False)


def workspace_dir(root: Path, workspace_id: str) -> Path:
    """Return the directory of one workspace; an id that is no plain name is refused."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", workspace_id):
        raise ConfigError(f"{workspace_id!r} is not the id of a workspace.")
    return root / workspace_id
