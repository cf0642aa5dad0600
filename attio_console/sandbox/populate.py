"""What a world holds when it starts: a workspace full of people and deals, and its copies in the other systems."""

from __future__ import annotations

from attio_console.sandbox.attio.app import attend
from attio_console.sandbox.attio.enrichment import watch
from attio_console.sandbox.attio.standard import install_standard_objects
from attio_console.sandbox.seed.load import options_for
from attio_console.sandbox.seed.load import populate as load_seed
from attio_console.sandbox.world import Workspace, World


def populate(world: World, records: int, token: str | None = None) -> Workspace:
    """Make the first workspace and fill it; 0 records leave it, and the other systems, empty."""
    workspace = new_workspace(world, "Northwind Trading", "northwind", token=token)
    if records > 0:
        load_seed(world, workspace, options_for(world, records))
    else:
        add_first_member(workspace)
    return workspace


def new_workspace(world: World, name: str, slug: str, *, token: str | None = None) -> Workspace:
    """Make an empty workspace that behaves like any other: standard objects, enrichment, webhooks."""
    workspace = world.add_workspace(name, slug, token=token)
    watch(install_standard_objects(workspace))
    attend(workspace)
    return workspace


def add_first_member(workspace: Workspace) -> None:
    """Let somebody into an empty workspace: tokens are authorised by a member."""
    workspace.add_member("Ada", "Admin", f"ada@{workspace.slug}.example", "admin")
