"""A profile: one workspace, how it is reached, and what is linked to it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

ATTIO = "https://api.attio.com"
HUBSPOT = "https://api.hubapi.com"
SALESFORCE = "https://login.salesforce.com"

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def _address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("is not an http or https address")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ValueError("must be https: a token would cross the network in the clear")
    return text.rstrip("/")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WebhookConfig(_Section):
    """Where Attio's deliveries arrive."""

    mode: Literal["listen", "off"] = "listen"
    """`listen` takes deliveries; `off` goes by scans alone."""
    host: Literal["127.0.0.1", "localhost", "::1"] = "127.0.0.1"
    """The loopback address to listen on; a tunnel or a reverse proxy stands in front of it."""
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    """The port to listen on; 0 takes a free one."""
    public_url: str | None = None
    """The https address at which Attio reaches the listener."""

    @field_validator("public_url")
    @classmethod
    def _reachable(cls, value: str | None) -> str | None:
        return None if value is None else _address(value)


class HubSpotLink(_Section):
    """A linked HubSpot account; its token is kept as the secret `hubspot`."""

    base_url: str = HUBSPOT
    """HubSpot's address."""
    version: Literal["v3", "2026-03", "2026-09"] = "2026-03"
    """Which version of the API is spoken."""
    mapping: Path | None = None
    """The mapping file; without one, a mapping is made from both schemas."""
    poll_s: Annotated[float, Field(gt=0)] = 10.0
    """Seconds between two looks at it."""
    quota_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """The share of the account's daily calls that may be used."""

    _check_address = field_validator("base_url")(_address)


class SalesforceLink(_Section):
    """A linked Salesforce org; its secret (client secret, private key or refresh token) is kept as `salesforce`."""

    login_url: str = SALESFORCE
    """The org's own domain, or Salesforce's login host."""
    auth: Literal["client-credentials", "jwt", "refresh"] = "client-credentials"
    """Which way in is used."""
    client_id: str = ""
    """The consumer key of the external client app."""
    username: str = ""
    """The user a JWT speaks for."""
    version: str = "67.0"
    """Which version of the API is spoken."""
    mapping: Path | None = None
    """The mapping file; without one, a mapping is made from both schemas."""
    poll_s: Annotated[float, Field(gt=0)] = 10.0
    """Seconds between two looks at it."""
    quota_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """The share of the org's daily calls that may be used."""

    _check_address = field_validator("login_url")(_address)


class Automation(_Section):
    """When an entry of a list enters a stage, do something."""

    name: str
    """What the audit calls it."""
    list: str
    """The slug of the list."""
    stage: str
    """The stage that starts it, by title or id."""
    filter: str = ""
    """Only entries this filter matches, as typed in the console."""
    set: dict[str, Any] = Field(default_factory=dict)
    """Attributes of the entry to set."""
    add_to: str = ""
    """A list to add the record to."""
    task: str = ""
    """The text of a task to create on the record."""
    note: str = ""
    """The text of a note to write on the record."""
    dry_run: bool = False
    """Only say in the audit what would be done."""


class Profile(_Section):
    """A named environment: one workspace and everything around it."""

    name: str
    base_url: str = ATTIO
    """Attio's address, without /v2."""
    workspace_id: str | None = None
    """The workspace the token belongs to; a token of another one is refused."""
    workspace_name: str = ""
    """What the workspace is called."""
    read_only: bool = False
    """Refuse every write, whichever way it is tried."""
    colour: str = ""
    """The colour of the profile's bar; red for production is a good habit."""
    data_dir: Path | None = None
    """Where its mirror and queues live, if not in the usual place."""
    token_file: bool = False
    """The token is in a file only the owner can read, because this machine has no keyring."""
    webhook: WebhookConfig = WebhookConfig()
    hubspot: HubSpotLink | None = None
    salesforce: SalesforceLink | None = None
    automations: tuple[Automation, ...] = ()

    _check_address = field_validator("base_url")(_address)

    @field_validator("name")
    @classmethod
    def _usable(cls, value: str) -> str:
        # It becomes part of file names and of what is typed on a command line.
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", value):
            raise ValueError(
                "may have letters, digits, dots, dashes and underscores, and begins with a letter or digit"
            )
        return value

    @property
    def links(self) -> tuple[str, ...]:
        """Return the systems that are linked."""
        known = {"hubspot": self.hubspot, "salesforce": self.salesforce}
        return tuple(system for system, link in known.items() if link is not None)


class Config(_Section):
    """The whole config file."""

    default_profile: str = ""
    """The profile used where none is named."""
    profiles: dict[str, Profile] = Field(default_factory=dict)
    keys: dict[str, str | list[str]] = Field(default_factory=dict)
    """Action id -> key, keys, or "none"."""
    theme: str = ""
    """The theme of the screen."""
