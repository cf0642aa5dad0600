"""From what a face was told to an open directory: which profile, whose token, which workspace."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from attio_console.config import file, locations
from attio_console.config.profiles import Profile
from attio_console.config.secrets import Secrets, SystemSecrets
from attio_console.errors import ConfigError, NotAuthorised, SecretMissing, StoreUnavailable
from attio_console.model.clock import SystemClock
from attio_console.services.opening import OpenOptions

# The profile of a command line that names an address and has its token in the environment.
UNNAMED = "environment"


@dataclass(frozen=True, slots=True)
class Chosen:
    """Everything that has to be known before a store is opened."""

    profile: Profile
    secrets: Secrets
    directory: Path


async def resolve(options: OpenOptions) -> Chosen:
    """Return what these options open.

    Asks Attio who a token belongs to where the profile does not say and nothing here remembers it. Raises ConfigError,
    NoSuchThing, SecretMissing, Offline and NotAuthorised.
    """
    if options.profile_object is not None and options.secrets is not None:
        profile, secrets = options.profile_object, options.secrets
    else:
        profile, secrets = _configured(options)
    changes: dict[str, object] = {}
    if options.base_url:
        changes["base_url"] = options.base_url
    if options.read_only:
        changes["read_only"] = True
    if changes:
        try:
            profile = Profile.model_validate(profile.model_dump() | changes)
        except ValidationError as problem:
            first = problem.errors()[0]
            raise ConfigError(
                f"{first['input']!r} cannot be used: {first['msg'].removeprefix('Value error, ')}.",
                hint="--base-url takes an address such as https://api.attio.com",
            ) from problem
    root = locations.data_root(options.data_dir or profile.data_dir)
    workspace = profile.workspace_id
    if workspace is None:
        note = await _note(root, profile, secrets)
        workspace = _remembered(note) or await _ask(profile, secrets)
        _remember(note, workspace)
    if profile.workspace_id is None:
        profile = profile.model_copy(update={"workspace_id": workspace})
    return Chosen(profile, secrets, locations.workspace_dir(root, workspace))


def _configured(options: OpenOptions) -> tuple[Profile, Secrets]:
    directory = locations.config_dir(options.config_dir)
    path = locations.config_file(options.config_dir)
    config = file.load(path)
    environment = SystemSecrets(directory)
    unnamed = options.profile is None and not config.default_profile and len(config.profiles) != 1
    if unnamed and environment.where(UNNAMED, "attio").startswith("in the environment"):
        profile = Profile(name=UNNAMED)
    else:
        profile = file.pick(config, options.profile, path)
    return profile, SystemSecrets(directory, files=profile.token_file)


async def _note(root: Path, profile: Profile, secrets: Secrets) -> Path:
    """Return the file that remembers which workspace this token opens at this address, so that offline works, too.

    Named after a short one-way hash of both: the same profile may stand for a sandbox today and for Attio tomorrow.
    """
    token = await asyncio.to_thread(secrets.get, profile.name, "attio")
    if not token:
        raise SecretMissing(f"No Attio token is known for the profile {profile.name}.")
    digest = hashlib.blake2b(f"{profile.base_url}\0{token}".encode(), digest_size=8).hexdigest()
    return root / "workspaces" / digest


def _remembered(note: Path) -> str | None:
    return note.read_text("utf-8").strip() or None if note.is_file() else None


def _remember(note: Path, workspace: str) -> None:
    try:
        note.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        note.write_text(workspace, "utf-8")
    except OSError as problem:
        raise StoreUnavailable(
            f"{note.parent} is not writable: {problem.strerror}.",
            hint="Name another directory with --data-dir.",
        ) from problem


async def _ask(profile: Profile, secrets: Secrets) -> str:
    from attio_console.attio import AsyncAttio

    token = await asyncio.to_thread(secrets.get, profile.name, "attio")
    if not token:
        raise SecretMissing(f"No Attio token is known for the profile {profile.name}.")
    async with AsyncAttio(token, base_url=profile.base_url, clock=SystemClock()) as attio:
        identity = await attio.self_()
    if not identity.active:
        raise NotAuthorised("Attio does not know this token, or it was revoked.", status=401)
    return identity.workspace_id
