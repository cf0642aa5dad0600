"""One word for the state of everything, and the sentence that says why it is not `live`."""

from __future__ import annotations

from dataclasses import dataclass

from attio_console.sync.status import AttioState, ListenerStatus


@dataclass(frozen=True, slots=True)
class Facts:
    """What the verdict is made from."""

    elsewhere: bool
    engine_pid: int | None
    paused: bool
    reach: str
    error: str
    hint: str
    trouble: str
    """why the local store or the profile keeps the engine from working, or empty"""
    ever_complete: bool
    complete: bool
    catching_up: str
    listener: ListenerStatus
    listens: bool
    """whether the profile wants webhooks at all"""
    every_s: float
    """how often everything is looked at"""


def verdict(facts: Facts) -> tuple[AttioState, str]:
    """Return the state and its sentence."""
    if facts.trouble:
        return "stale", facts.trouble
    if facts.elsewhere:
        by = f" (process {facts.engine_pid})" if facts.engine_pid else ""
        return (
            "elsewhere",
            f"Another console{by} runs the engine on this data directory; this one shows what it stores.",
        )
    if facts.reach == "not-authorised":
        return "not-authorised", _sentence(facts.error, facts.hint)
    if facts.paused:
        return "paused", "Paused: nothing is fetched or sent. Edits wait in the outbox."
    if facts.reach == "offline":
        return "offline", f"{facts.error} Edits wait in the outbox; it is tried again every few seconds."
    if facts.reach == "starting" or not facts.ever_complete:
        return "starting", "First pull." if facts.reach == "online" else "Reaching Attio."
    if not facts.complete:
        return "stale", f"Catching up: {facts.catching_up or 'a scan runs'}."
    if facts.listens and facts.listener.state != "listening":
        reason = facts.listener.error or f"webhooks are {facts.listener.state}"
        return (
            "stale",
            f"Not told of changes ({reason}); everything is looked at every {_every(facts.every_s)}.",
        )
    if not facts.listens:
        return "live", f"No webhooks here; everything is looked at every {_every(facts.every_s)}."
    return "live", ""


def _sentence(error: str, hint: str) -> str:
    return f"{error} {hint}".strip()


def _every(seconds: float) -> str:
    return f"{seconds / 3600:.0f} h" if seconds >= 3600 else f"{max(1, seconds / 60):.0f} min"
