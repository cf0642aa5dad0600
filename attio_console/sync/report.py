"""Putting the engine's status together."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from attio_console.net.limiter import Limiter
from attio_console.sync.status import (
    EngineStatus,
    LimiterStatus,
    ListenerStatus,
    OutboxStatus,
    TrafficStatus,
)
from attio_console.sync.verdict import Facts, verdict

if TYPE_CHECKING:
    from attio_console.sync.engine import Engine

_MINUTE = 60


def report(engine: Engine) -> EngineStatus:
    """Return what the engine and its parts are doing."""
    store, contact, puller = engine.store, engine.contact, engine.puller
    listener = engine.receiver.status() if engine.receiver else ListenerStatus()
    catching_up = puller.catching_up if puller else ""
    pid = os.getpid() if store.engine_lock.held else store.engine_lock.holder()
    state, sentence = verdict(
        Facts(
            elsewhere=engine.elsewhere,
            engine_pid=pid,
            paused=engine.gate.paused,
            reach=contact.reach,
            error=contact.error,
            hint=contact.hint,
            trouble=engine.trouble,
            ever_complete=puller is not None and puller.ever_complete,
            complete=puller is not None and puller.complete,
            catching_up=catching_up,
            listener=listener,
            listens=engine.profile.webhook.mode != "off" and not engine.profile.read_only,
            every_s=engine.rescan_every_s,
        )
    )
    depth = store.outbox.depth()
    partitions = [
        *(puller.status() if puller else ()),
        *(part for link in engine.links for part in link.status()),
    ]
    limiters: dict[str, Limiter] = {"attio": engine.limiter}
    limiters |= {link.system: link.limiter for link in engine.links if link.limiter is not None}
    return EngineStatus(
        attio_state=state,
        sentence=sentence,
        since=contact.since,
        last_contact=contact.last_contact,
        workspace_name=store.mirror.schema.workspace_name,
        partitions=tuple(partitions),
        listener=listener,
        limiters={system: _limiter(limiter) for system, limiter in limiters.items()},
        traffic={
            system: TrafficStatus(
                tuple(engine.traffic.series(_MINUTE, system=system, kind="read")),
                tuple(engine.traffic.series(_MINUTE, system=system, kind="write")),
            )
            for system in limiters
        },
        outbox=OutboxStatus(depth.pending, depth.refused, depth.dead),
        inbox=store.inbox.depth(),
        dead_letters=store.inbox.dead_count() + depth.dead,
        lag_p95_s=engine.inbox.lag.percentile(0.95) if engine.inbox else None,
        catching_up=catching_up,
        engine_pid=pid,
        errors=(*(engine.automations.problems.values() if engine.automations else ()), *contact.recent),
    )


def _limiter(limiter: Limiter) -> LimiterStatus:
    stats = limiter.stats()
    return LimiterStatus(
        stats.reads_last_s, stats.writes_last_s, stats.read_limit, stats.write_limit, stats.gated_for_s
    )
