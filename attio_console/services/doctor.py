"""Looking at everything an installation stands on, safe to paste into a report: no token, no customer data."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from attio_console.config import locations
from attio_console.errors import ConsoleError, NotAuthorised
from attio_console.model.clock import SystemClock
from attio_console.model.text import plain
from attio_console.services.opening import OpenOptions
from attio_console.services.resolving import Chosen, resolve

# What a two-way sync of records, lists, notes and tasks needs; an object of scopes names the writing form.
_NEEDED = (
    "record_permission:read-write",
    "object_configuration:read",
    "list_entry:read-write",
    "list_configuration:read",
    "note:read-write",
    "task:read-write",
    "user_management:read",
    "webhook:read-write",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `ok` is None where it could not be looked at."""

    name: str
    ok: bool | None
    detail: str
    hint: str = ""


async def examine(options: OpenOptions) -> list[Finding]:
    """Look at config, token, scopes, files, queues and the audit's chain; never raises for what it finds."""
    findings = [Finding("config file", ok=True, detail=str(locations.config_file(options.config_dir)))]
    try:
        chosen = await resolve(options)
    except ConsoleError as error:
        return [*findings, _failed("profile", error)]
    where = await asyncio.to_thread(chosen.secrets.where, chosen.profile.name, "attio")
    findings.append(Finding("profile", ok=True, detail=f"{chosen.profile.name} at {chosen.profile.base_url}"))
    findings.append(Finding("token", ok=where != "nowhere", detail=f"kept {where}"))
    findings += await _files(chosen)
    findings += await _queues(chosen)
    findings += await _attio(chosen)
    return findings


def _failed(name: str, error: ConsoleError) -> Finding:
    return Finding(name, ok=False, detail=plain(error.message), hint=plain(error.hint))


async def _files(chosen: Chosen) -> list[Finding]:
    from attio_console.store.salvage import check

    results = await asyncio.to_thread(check, chosen.directory)
    return [Finding(result.name, ok=result.ok, detail=result.detail, hint=result.hint) for result in results]


async def _queues(chosen: Chosen) -> list[Finding]:
    from attio_console.store import Store

    try:
        store = await Store.open(chosen.directory)
    except ConsoleError as error:
        return [_failed("store", error)]
    try:
        chain = await store.audit.verify()
        depth = store.outbox.depth()
        holder = store.engine_lock.holder()
        dead = depth.dead + store.inbox.dead_count()
        return [
            Finding(
                "audit",
                ok=chain.broken_at is None,
                detail=f"{chain.entries} entries, the chain is whole"
                if chain.broken_at is None
                else f"the chain of {chain.entries} entries breaks at entry {chain.broken_at}",
                hint=""
                if chain.broken_at is None
                else "Somebody or something changed the file; keep a copy.",
            ),
            Finding(
                "queues",
                ok=not (depth.refused or dead),
                detail=f"outbox {depth.pending}, refused {depth.refused}, dead letters {dead},"
                f" open conflicts {store.conflicts.count('open')}",
                hint="attio-console outbox list · attio-console deadletters list"
                if depth.refused or dead
                else "",
            ),
            Finding("engine", ok=True, detail=f"runs in process {holder}" if holder else "does not run now"),
        ]
    finally:
        await store.close()


async def _attio(chosen: Chosen) -> list[Finding]:
    from attio_console.attio import AsyncAttio

    token = await asyncio.to_thread(chosen.secrets.get, chosen.profile.name, "attio")
    if not token:
        return [Finding("Attio", ok=None, detail="not asked: there is no token")]
    try:
        async with AsyncAttio(token, base_url=chosen.profile.base_url, clock=SystemClock()) as attio:
            identity = await attio.self_()
    except ConsoleError as error:
        return [_failed("Attio", error)]
    if not identity.active:
        return [
            _failed("Attio", NotAuthorised("Attio does not know this token, or it was revoked.", status=401))
        ]
    missing = missing_scopes(identity.scopes)
    return [
        Finding("Attio", ok=True, detail=f"answers; workspace {plain(identity.workspace_name or '')}"),
        Finding(
            "scopes",
            ok=not missing,
            detail=f"missing: {' '.join(missing)}" if missing else "everything that is needed",
            hint="What needs a missing scope stays local or unread; make a token that has it."
            if missing
            else "",
        ),
    ]


def missing_scopes(held: Iterable[str]) -> list[str]:
    """Return the needed scopes that a token lacks; one that may write may also read."""
    known = set(held)
    return [
        scope
        for scope in _NEEDED
        if scope not in known and f"{scope.partition(':')[0]}:read-write" not in known
    ]


async def salvage_queue(options: OpenOptions) -> list[str]:
    """Keep what is readable of a damaged queue.db; return what was done, in sentences."""
    from attio_console.store.salvage import salvage

    chosen = await resolve(options)
    report = await asyncio.to_thread(salvage, chosen.directory)
    kept = ", ".join(f"{count} {table}" for table, count in report.kept.items() if count)
    lost = ", ".join(f"{count} {table}" for table, count in report.lost.items() if count)
    return [
        f"Kept: {kept or 'nothing'}.",
        f"Lost: {lost or 'nothing'}.",
        f"The damaged file is kept as {report.damaged_path}.",
    ]
