"""`attio-console config`: the config file."""

from __future__ import annotations

import click

from attio_console.cli import EXIT_DONE
from attio_console.cli.output import emit_json, say


@click.group()
def config() -> None:
    """Show, check and start the config file."""


@config.command("path")
def show_path() -> int:
    """Print the path of the config file, whether it exists or not."""
    from attio_console.config.locations import config_file

    click.echo(config_file())
    return EXIT_DONE


@config.command("show")
def show_config() -> int:
    """Print the config as it is understood, defaults included; never a token."""
    from attio_console.config import file, locations

    emit_json(file.load(locations.config_file()).model_dump(mode="json"))
    return EXIT_DONE


@config.command("validate")
def validate() -> int:
    """Check the config file; a mistake is named with its line."""
    from attio_console.config import file, locations
    from attio_console.services.looks import looks
    from attio_console.services.opening import OpenOptions

    path = locations.config_file()
    found = file.load(path)
    looks(OpenOptions())
    say(
        f"{path}: {len(found.profiles)} profiles, nothing to complain about."
        if path.exists()
        else f"{path}: not there."
    )
    return EXIT_DONE


@config.command("schema")
def schema() -> int:
    """Print the JSON Schema of the config file."""
    from attio_console.config.profiles import Config

    emit_json(Config.model_json_schema())
    return EXIT_DONE


@config.command("init")
def init() -> int:
    """Write a config file with one commented example profile; an existing one is left alone."""
    from attio_console.config import file, locations
    from attio_console.errors import ConfigError

    path = locations.config_file()
    if path.exists():
        raise ConfigError(f"{path} exists already.", hint="attio-console config validate checks it.")
    file.write(path, file.EXAMPLE)
    say(f"{path} written.")
    return EXIT_DONE
