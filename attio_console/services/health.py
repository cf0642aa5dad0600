"""The health of every sync in one look."""

from __future__ import annotations

from typing import Any

import msgspec

from attio_console.model.text import plain
from attio_console.services.conflicts import SYSTEM_NAMES, ConflictVerbs
from attio_console.services.types import DeliveryLine, Done, Headline, PartitionLine, SyncBoard, Traffic
from attio_console.store.types import DeliveryRow
from attio_console.sync.status import EngineStatus, PartitionStatus

_LIVENESS = {"not-authorised": "not authorised", "elsewhere": "read elsewhere"}


class HealthVerbs(ConflictVerbs):
    """What is true of the engine now."""

    def engine_status(self) -> EngineStatus:
        """Return what the engine says of itself; of an engine that does not run here, what the store remembers."""
        if self.engine is not None and self.engine_runs:
            return self.engine.status()
        pid = self.store.engine_lock.holder()
        if pid is not None:
            return EngineStatus(
                attio_state="elsewhere", sentence=f"Process {pid} keeps it current.", engine_pid=pid
            )
        scanned = [at for kept in self.store.state.partitions() if (at := kept.scanned_at) is not None]
        when = f"as of {min(scanned):%Y-%m-%d %H:%M} UTC" if scanned else "nothing pulled yet"
        return EngineStatus(attio_state="stale", sentence=f"No engine runs; {when}.")

    def headline(self) -> Headline:
        """Return what the status line always says."""
        status = self.engine_status()
        depth = self.store.outbox.depth()
        sentence = status.sentence
        if not sentence and status.lag_p95_s is not None:
            sentence = f"{status.lag_p95_s:.1f} s"
        return Headline(
            profile=self.profile.name,
            workspace=plain(status.workspace_name or self.schema.workspace_name or ""),
            colour=self.profile.colour or "",
            read_only=self.read_only,
            liveness=_LIVENESS.get(status.attio_state, status.attio_state),
            sentence=plain(sentence),
            outbox=depth.pending,
            conflicts=self.conflict_count(),
            dead_letters=depth.dead + self.store.inbox.dead_count(),
            refused=depth.refused,
        )

    def sync_board(self) -> SyncBoard:
        """Return everything the Sync pane shows."""
        status = self.engine_status()
        down = status.attio_state in {"offline", "not-authorised"}
        listener = status.listener
        words = [listener.target_url or listener.address or "no listener", listener.state]
        if listener.accepted:
            words.append(f"{listener.accepted:,} deliveries")
        if listener.refused:
            words.append(", ".join(f"{count} × {code}" for code, count in sorted(listener.refused.items())))
        if listener.error:
            words.append(listener.error)
        return SyncBoard(
            headline=self.headline(),
            partitions=tuple(self._partition(part, down=down) for part in status.partitions)
            or self._remembered(current=status.attio_state == "elsewhere"),
            traffic=tuple(self._traffic(status, system) for system in status.limiters),
            listener=plain(" · ".join(words)),
            listener_ok=listener.state == "listening",
            deliveries=tuple(_delivery(row) for row in self.store.inbox.recent(20)),
            inbox=self.store.inbox.depth(),
            inbox_dead=self.store.inbox.dead_count(),
            outbox_dead=self.store.outbox.depth().dead,
            errors=tuple(plain(error) for error in status.errors),
        )

    def _partition(self, part: PartitionStatus, *, down: bool) -> PartitionLine:
        pairs = (
            self.store.pairs.count(part.system, external_type=part.object) if part.system != "attio" else 0
        )
        share = None
        if part.progress is not None and part.progress.expected:
            share = min(1.0, part.progress.seen / part.progress.expected)
        # What stands still because the line is down has no rate and no time left.
        moving = not (part.system == "attio" and down)
        return PartitionLine(
            system=part.system,
            object=part.object,
            label=plain(part.label),
            state=part.state if moving else "stale",
            records=part.progress.seen if part.progress else part.records,
            pairs=pairs,
            agreed=max(0, pairs - part.conflicts),
            conflicts=part.conflicts,
            scanned_at=part.scanned_at,
            progress=share,
            rate=part.progress.rate if part.progress and moving else None,
            eta_s=part.progress.eta_s if part.progress and moving else None,
            lag_s=part.lag_s,
            error=plain(part.error),
        )

    def _remembered(self, *, current: bool) -> tuple[PartitionLine, ...]:
        """Return the partitions as the store remembers them; `current` where another process keeps them so."""
        lines = []
        order = [*(shape.id for shape in self.schema.objects), *(shape.id for shape in self.schema.lists)]
        place = {collection: number for number, collection in enumerate(order)}
        for kept in sorted(
            self.store.state.partitions(), key=lambda kept: place.get(kept.object, len(place))
        ):
            records = self.store.mirror.size(kept.object) if kept.system == "attio" else 0
            lines.append(
                PartitionLine(
                    system=kept.system,
                    object=kept.object,
                    label=self.title_of(kept.object),
                    state=(kept.state or "live") if current else "stale",
                    records=records,
                    pairs=0,
                    agreed=0,
                    conflicts=0,
                    scanned_at=kept.scanned_at,
                    progress=None,
                    rate=None,
                    eta_s=None,
                    lag_s=None,
                    error=plain(kept.error),
                )
            )
        return tuple(lines)

    @staticmethod
    def _traffic(status: EngineStatus, system: str) -> Traffic:
        limiter = status.limiters[system]
        series = status.traffic.get(system)
        return Traffic(
            system=SYSTEM_NAMES.get(system, system),
            reads=series.reads if series else (),
            writes=series.writes if series else (),
            read_limit=limiter.read_limit,
            write_limit=limiter.write_limit,
        )

    async def pause(self) -> Done:
        """Stop sending and fetching; edits keep working and wait."""
        if self.engine is None:
            return Done("No engine runs here.")
        await self.engine.pause()
        return Done("Sync paused. Edits wait in the outbox. P resumes.")

    async def resume(self) -> Done:
        """Go on sending and fetching."""
        if self.engine is None:
            return Done("No engine runs here.")
        await self.engine.resume()
        return Done("Sync resumed.")

    async def sync_now(self) -> Done:
        """Scan everything again and try what waits at once."""
        if self.engine is None:
            return Done("No engine runs here.")
        await self.engine.sync_now()
        return Done("Looking at everything again.")


def _delivery(row: DeliveryRow) -> DeliveryLine:
    types = "unreadable"
    try:
        document: Any = msgspec.json.decode(row.body)
        events = document.get("events") if isinstance(document, dict) else None
        if isinstance(events, list):
            types = ", ".join(str(event.get("event_type")) for event in events if isinstance(event, dict))
    except msgspec.DecodeError:
        types = "not JSON"
    return DeliveryLine(row.received_at, plain(types), row.state)
