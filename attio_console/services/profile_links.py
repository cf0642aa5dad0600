"""Linking a profile with HubSpot or Salesforce: where it is goes to the config file, what opens it to the secrets."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from attio_console.config import file, locations
from attio_console.config.profiles import HubSpotLink, Profile, SalesforceLink
from attio_console.config.secrets import SystemSecrets
from attio_console.crm import CrmClient
from attio_console.errors import ConfigError, SecretMissing
from attio_console.model.clock import SystemClock
from attio_console.model.text import plain
from attio_console.sync.crm_sync import client_for

_LINKS: dict[str, type[HubSpotLink | SalesforceLink]] = {
    "hubspot": HubSpotLink,
    "salesforce": SalesforceLink,
}


async def link(
    name: str | None, system: str, settings: Mapping[str, Any], secret: str, *, check: bool
) -> list[str]:
    """Check a secret with its system, keep it, and write the section of the profile; return what was done.

    A section that is there already keeps what is not given. Raises ConfigError, SecretMissing, NotAuthorised, Offline;
    nothing is kept then.
    """
    path = locations.config_file()
    profile = file.pick(file.load(path), name, path)
    secrets = SystemSecrets(locations.config_dir(), files=profile.token_file)
    if not secret:
        kept = await asyncio.to_thread(secrets.get, profile.name, system)
        secret = kept or ""
    if not secret:
        raise SecretMissing(
            f"No {system} token was given.", hint="--token-stdin reads it from standard input."
        )
    linked = _with_link(profile, system, settings)
    done = []
    if check:
        client = _client(linked, system, secret)
        try:
            account = await client.identity()
        finally:
            await client.close()
        done.append(f"The token belongs to the account {plain(account.account_id or account.name)}.")
    await asyncio.to_thread(secrets.set, profile.name, system, secret)
    file.save_profile(path, linked, make_default=False)
    done.append(
        f"{profile.name} is linked with {system}, in {path}; the secret is kept {secrets.where(profile.name, system)}."
    )
    done.append(f"See what a sync would do: attio-console --profile {profile.name} plan --system {system}")
    return done


def _with_link(profile: Profile, system: str, settings: Mapping[str, Any]) -> Profile:
    shape = _LINKS[system]
    given = {key: value for key, value in settings.items() if value is not None}
    present = profile.hubspot if system == "hubspot" else profile.salesforce
    kept = present.model_dump(exclude_defaults=True) if present is not None else {}
    try:
        section = shape.model_validate({**kept, **given})
    except ValidationError as problem:
        first = problem.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{where}: {str(first['msg']).removeprefix('Value error, ')}") from problem
    return profile.model_copy(update={system: section})


def _client(profile: Profile, system: str, secret: str) -> CrmClient:
    section = profile.hubspot if system == "hubspot" else profile.salesforce
    assert section is not None
    return client_for(section, secret, SystemClock(), random.Random())
