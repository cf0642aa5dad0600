"""A world on disk: written when a sandbox stops, found again when the next one starts."""

from __future__ import annotations

import gc
import hashlib
import os
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from attio_console import __version__
from attio_console.errors import ConsoleError
from attio_console.sandbox.attio.auth import WorldLimits
from attio_console.sandbox.attio.delivery import Deliveries, Delivery
from attio_console.sandbox.attio.enrichment import watch
from attio_console.sandbox.attio.population import PopulatedTable
from attio_console.sandbox.attio.state import Crm
from attio_console.sandbox.attio.webhooks import Webhooks
from attio_console.sandbox.faults import Faults
from attio_console.sandbox.graph import NotPlain, Reader, Writer
from attio_console.sandbox.life import Life
from attio_console.sandbox.world import Settings, World

FILE = "world.sandbox"
# The objects are saved as this version knows them: another version may miss what it has added since.
_HEADER = f"attio-console sandbox {__version__} ".encode()
_TRANSIENT = {
    "World": frozenset({"settings"}),
    "Events": frozenset({"_subscribers"}),
    "SandboxClock": frozenset({"_later", "_pushed", "_origin", "_offset"}),
    "Webhooks": frozenset({"deliveries"}),
}
_MADE_ANEW = (Deliveries, Faults, Life, WorldLimits)
"""Parts that are about the running process: the next run makes its own."""


class StateUnreadable(ConsoleError):
    """A saved world that cannot be used."""

    title = "Saved sandbox not usable"
    hint = "Remove the file to start from the seed again."


class StateUnsavable(ConsoleError):
    """A world that cannot be saved."""

    title = "Sandbox cannot be saved"
    hint = "Ask for fewer records, or do not keep the sandbox."


def save(world: World, directory: Path) -> Path:
    """Write the whole world into `directory`, all or nothing, readable by its owner alone."""
    for workspace in world.workspaces.values():
        if any(isinstance(each.table, PopulatedTable) for each in workspace.part(Crm).containers()):
            raise StateUnsavable(
                "A world of more than 20,000 people is computed, not kept: it cannot be saved."
            )
    parts = dict(world._parts)
    document: dict[str, Any] = {
        "monotonic": world.clock.monotonic(),
        "saved_at": time.time(),
    }
    with _no_collection():
        writer = Writer(_TRANSIENT)
        undone = world.part(Deliveries).undone
        try:
            for kind in _MADE_ANEW:
                world._parts.pop(kind, None)
            document["world"] = writer.ref(world)
            document["undone"] = writer.ref(undone)
        except NotPlain as error:
            raise StateUnsavable(f"The world cannot be saved: {error}") from error
        finally:
            world._parts = parts
        document["nodes"] = writer.nodes
        body = zlib.compress(msgspec.json.encode(document), 1)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = directory / FILE
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(_HEADER + hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    return path


def load(directory: Path, settings: Settings) -> World | None:
    """Return the world that was saved in `directory`, with these settings; None where there is none."""
    path = directory / FILE
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    header, _, body = raw.partition(b"\n")
    if not header.startswith(_HEADER):
        raise _unreadable(path, "it was not saved by this version of attio-console")
    if hashlib.sha256(body).hexdigest().encode() != header.removeprefix(_HEADER):
        raise _unreadable(path, "it was changed or cut off")
    try:
        with _no_collection():
            document = msgspec.json.decode(zlib.decompress(body))
            reader = Reader(document["nodes"])
            world, undone = reader.value(document["world"]), reader.value(document["undone"])
            elapsed = max(0.0, time.time() - document["saved_at"])
            return _revive(world, undone, settings, document["monotonic"] + elapsed)
    except (
        NotPlain,
        msgspec.DecodeError,
        zlib.error,
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
    ) as error:
        raise _unreadable(path, str(error)) from error


def _revive(world: Any, undone: Any, settings: Settings, monotonic: float) -> World:
    if not isinstance(world, World) or not all(isinstance(each, Delivery) for each in undone):
        raise NotPlain("there is no world in it")
    world.settings = settings
    world.clock.resume(monotonic)
    for workspace in world.workspaces.values():
        workspace.events._subscribers = []
        watch(workspace.part(Crm))
        for part in workspace._parts.values():
            happened = getattr(part, "_happened", None)
            if happened is not None:
                workspace.events.subscribe(happened)
        workspace.part(Webhooks).deliveries = world.part(Deliveries)
    world.part(Deliveries).resume(undone)
    return world


def _unreadable(path: Path, why: str) -> StateUnreadable:
    return StateUnreadable(f"{path} cannot be used: {why}.")


@contextmanager
def _no_collection() -> Iterator[None]:
    """Make hundreds of thousands of small objects without looking for garbage among them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
