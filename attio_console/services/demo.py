"""The demo: a profile for a sandbox that was just started, its secrets in memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attio_console.config.profiles import HubSpotLink, Profile, SalesforceLink
from attio_console.config.secrets import MemorySecrets
from attio_console.services.opening import OpenOptions


def demo_options(sandbox: Mapping[str, Any], directory: Path, *, read_only: bool = False) -> OpenOptions:
    """Return what opens the console on a sandbox, given the JSON line it printed when it was ready."""
    salesforce = sandbox["tokens"]["salesforce"]
    profile = Profile(
        name="demo",
        base_url=sandbox["attio"],
        read_only=read_only,
        hubspot=HubSpotLink(base_url=sandbox["hubspot"]),
        salesforce=SalesforceLink(
            login_url=sandbox["salesforce"], auth="client-credentials", client_id=salesforce["client_id"]
        ),
    )
    secrets = MemorySecrets(
        {
            "attio": sandbox["tokens"]["attio"],
            "hubspot": sandbox["tokens"]["hubspot"],
            "salesforce": salesforce["client_secret"],
        }
    )
    return OpenOptions(profile_object=profile, secrets=secrets, data_dir=directory, accept_links=True)
