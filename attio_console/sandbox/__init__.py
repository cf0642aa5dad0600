"""A local Attio, HubSpot and Salesforce: for the demo, the tests, and anyone's Attio client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attio_console.sandbox.run import (
        CannotListen,
        Sandbox,
        SandboxOptions,
        StateUnreadable,
        StateUnsavable,
        running,
        serve,
    )

__all__ = [
    "CannotListen",
    "Sandbox",
    "SandboxOptions",
    "StateUnreadable",
    "StateUnsavable",
    "running",
    "serve",
]


def __getattr__(name: str) -> Any:
    """Import the servers only when they are asked for: `--help` must not pay for them."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from attio_console.sandbox import run

    return getattr(run, name)
