"""Adding, listing and showing profiles."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from attio_console.config import file, locations
from attio_console.config.profiles import ATTIO, Profile
from attio_console.config.secrets import SystemSecrets
from attio_console.errors import ConfigError, NotAuthorised, SecretMissing
from attio_console.model.clock import SystemClock
from attio_console.model.text import plain


@dataclass(frozen=True, slots=True)
class NewProfile:
    """A profile somebody wants."""

    name: str
    base_url: str | None
    read_only: bool
    colour: str
    token_file: bool
    check: bool


@dataclass(frozen=True, slots=True)
class ProfileLine:
    """A profile in a list."""

    name: str
    workspace: str
    base_url: str
    token: str
    default: bool


async def add(new: NewProfile, token: str) -> list[str]:
    """Check a token, keep it, and write the profile; return what was done, in sentences.

    Raises ConfigError, SecretMissing, NotAuthorised, Offline; nothing is kept then.
    """
    if not new.name or not all(char.isalnum() or char in "-_" for char in new.name):
        raise ConfigError(f"{new.name!r} is not a good name.", hint="Letters, digits, - and _.")
    if not token:
        raise SecretMissing("No token was given.")
    from attio_console.attio import AsyncAttio

    profile = Profile(
        name=new.name,
        base_url=new.base_url or ATTIO,
        read_only=new.read_only,
        colour=new.colour,
        token_file=new.token_file,
    )
    done = []
    if new.check:
        async with AsyncAttio(token, base_url=profile.base_url, clock=SystemClock()) as attio:
            identity = await attio.self_()
        if not identity.active:
            raise NotAuthorised("Attio does not know this token.", status=401, hint="Nothing was kept.")
        profile = profile.model_copy(
            update={
                "workspace_id": identity.workspace_id,
                "workspace_name": plain(identity.workspace_name or ""),
            }
        )
        done.append(
            f"The token belongs to the workspace {profile.workspace_name} and may: {' '.join(identity.scopes)}"
        )
    path = locations.config_file()
    file.load(path)
    secrets = SystemSecrets(locations.config_dir(), files=new.token_file)
    await asyncio.to_thread(secrets.set, new.name, "attio", token)
    file.save_profile(path, profile, make_default=False)
    done.append(
        f"Profile {new.name} written to {path}; its token is kept {secrets.where(new.name, 'attio')}."
    )
    done.append(f"Open it: attio-console --profile {new.name}")
    return done


def profiles() -> list[ProfileLine]:
    """Return the profiles of the config file."""
    config = file.load(locations.config_file())
    return [
        ProfileLine(
            name=name,
            workspace=plain(found.workspace_name),
            base_url=found.base_url,
            token=SystemSecrets(locations.config_dir(), files=found.token_file).where(name, "attio"),
            default=name == config.default_profile or len(config.profiles) == 1,
        )
        for name, found in config.profiles.items()
    ]


def show(name: str | None) -> dict[str, str]:
    """Return one profile, setting by setting, and where its parts are kept."""
    path = locations.config_file()
    found = file.pick(file.load(path), name, path)
    root = locations.data_root(found.data_dir)
    secrets = SystemSecrets(locations.config_dir(), files=found.token_file)
    return {
        "name": found.name,
        "workspace": plain(found.workspace_name) or "not known yet",
        "workspace id": found.workspace_id or "not known yet",
        "address": found.base_url,
        "token": secrets.where(found.name, "attio"),
        "read-only": "yes" if found.read_only else "no",
        "webhooks": found.webhook.public_url or f"{found.webhook.mode} on {found.webhook.host}",
        "hubspot": found.hubspot.base_url if found.hubspot else "not linked",
        "salesforce": found.salesforce.login_url if found.salesforce else "not linked",
        "config file": str(path),
        "data": str(locations.workspace_dir(root, found.workspace_id)) if found.workspace_id else str(root),
    }


def use(name: str) -> None:
    """Make a profile the default one."""
    path = locations.config_file()
    file.set_default(path, file.pick(file.load(path), name, path).name)


async def remove(name: str) -> str:
    """Remove a profile and forget its secrets."""
    path = locations.config_file()
    found = file.pick(file.load(path), name, path)
    secrets = SystemSecrets(locations.config_dir(), files=found.token_file)
    for secret in ("attio", "hubspot", "salesforce"):
        await asyncio.to_thread(secrets.delete, name, secret)
    file.remove_profile(path, name)
    return f"Profile {name} removed and its token forgotten. Its data stays where it is."
