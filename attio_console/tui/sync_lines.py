"""The Sync pane's lines, from what the console says of itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from rich.text import Text

from attio_console.services.types import PartitionLine, SyncBoard, Traffic
from attio_console.tui import times
from attio_console.tui.cells import fit
from attio_console.tui.lines import ProseLine
from attio_console.tui.prose import counted
from attio_console.tui.record_view import system_name
from attio_console.tui.spark import bar, sparkline

Make = Callable[..., Text]

_STATES: dict[str, tuple[str, str]] = {
    "live": ("✔", "good"),
    "idle": ("✔", "good"),
    "done": ("✔", "good"),
    "scanning": ("↻", "accent"),
    "waiting": ("…", "dim"),
    "starting": ("◌", "dim"),
    "stale": ("◐", "pending"),
    "paused": ("‖", "pending"),
    "offline": ("○", "danger"),
    "error": ("✕", "danger"),
    "failed": ("✕", "danger"),
    "breaker": ("✕", "danger"),
}
_SYSTEMS = ("attio", "hubspot", "salesforce")


def sync_lines(board: SyncBoard, now: datetime, width: int, make: Make) -> list[ProseLine]:
    """Return the whole pane: systems with their partitions, the listener, dead letters, the last deliveries."""
    lines: list[ProseLine] = []
    traffic = {line.system.casefold(): line for line in board.traffic}
    systems = [system for system in _SYSTEMS if any(part.system == system for part in board.partitions)]
    systems += sorted({part.system for part in board.partitions} - set(_SYSTEMS))
    for system in systems or ["attio"]:
        lines.append(ProseLine(_heading(system_name(system), traffic.get(system), width, make)))
        parts = [part for part in board.partitions if part.system == system]
        if not parts:
            lines.append(ProseLine(make(("  Nothing has been pulled yet.", "dim"))))
        for part in parts:
            lines.append(ProseLine(_partition(part, now, width, make), f"part:{part.system}:{part.object}"))
            if part.error:
                lines.append(ProseLine(make("    ", (part.error, "danger"))))
        if system == "attio":
            lines.append(ProseLine(_listener(board, make)))
        lines.append(ProseLine(make("")))
    lines += _dead(board, make)
    lines += [ProseLine(make((f"  ✕ {error}", "danger"))) for error in board.errors]
    lines += _deliveries(board, now, make)
    return lines


def _heading(name: str, traffic: Traffic | None, width: int, make: Make) -> Text:
    left = make((name, "strong"))
    if traffic is None:
        return left
    points = 24 if width >= 110 else 10
    reads, writes = _last(traffic.reads), _last(traffic.writes)
    right = make(
        ("reads ", "dim"),
        (sparkline(traffic.reads, points, 10), "accent"),
        f" {reads:>3} of {traffic.read_limit}/s",
        ("   writes ", "dim"),
        (sparkline(traffic.writes, points // 2, 5), "accent"),
        f" {writes:>2} of {traffic.write_limit}/s",
    )
    if traffic.quota:
        right.append(f"   {traffic.quota}", "")
    return _ends(left, right, width, make)


def _last(series: Sequence[int]) -> int:
    return series[-1] if series else 0


def _ends(left: Text, right: Text, width: int, make: Make) -> Text:
    gap = width - 2 - left.cell_len - right.cell_len
    line = make()
    line.append_text(left)
    line.append(" " * max(gap, 2))
    line.append_text(right)
    return line


def _partition(part: PartitionLine, now: datetime, width: int, make: Make) -> Text:
    sign, tone = _STATES.get(part.state.split(":")[0].split(" ")[0], ("·", "dim"))
    name = fit(part.label or part.object, 22)
    if part.system == "attio":
        middle = f"{fit(f'{part.records:,}', 10, True)}   {_scanned(part, now)}"
    else:
        words = [f"{counted(part.pairs, 'pair')}", f"agreed {part.agreed:,}"]
        middle = f"{fit(words[0], 16, True)}   {fit(words[1], 14)}"
    left = make("  ", name, middle)
    if part.conflicts:
        left.append("   ")
        left.append_text(make((f"! {counted(part.conflicts, 'conflict')}", "conflict")))
    lag = f"lag {times.lag(part.lag_s)}   " if part.lag_s is not None else ""
    if part.progress is not None:
        right = make((bar(part.progress, 12), "accent"), f" {part.progress:4.0%}  ", (sign, tone))
    else:
        right = make((lag, "dim"), (f"{part.state} ", "dim" if tone == "good" else tone), (sign, tone))
    return _ends(left, right, width, make)


def _scanned(part: PartitionLine, now: datetime) -> str:
    if part.progress is not None:
        rate = f" · {part.rate:,.0f}/s" if part.rate else ""
        left = f" · {times.span(part.eta_s)} left" if part.eta_s is not None else ""
        return f"scanning{rate}{left}"
    return f"scanned {times.clock(part.scanned_at, now)}" if part.scanned_at else "not scanned yet"


def _listener(board: SyncBoard, make: Make) -> Text:
    sign = ("✔", "good") if board.listener_ok else ("○", "pending")
    return make("  ", fit("webhooks", 22), "   ", board.listener, "  ", sign)


def _dead(board: SyncBoard, make: Make) -> list[ProseLine]:
    lines = []
    waiting = [f"inbox {board.inbox:,}", f"outbox {board.headline.outbox:,}"]
    lines.append(ProseLine(make(("Waiting       ", "strong"), " · ".join(waiting))))
    dead = board.inbox_dead + board.outbox_dead + board.headline.refused
    if dead:
        words = (
            f"✕ {counted(board.inbox_dead, 'delivery', 'deliveries')} · {counted(board.outbox_dead, 'write')}"
            f" · {board.headline.refused:,} refused"
        )
        lines.append(
            ProseLine(
                make(("Dead letters  ", "strong"), (words, "danger"), ("   Enter to look", "dim")), "dead"
            )
        )
    else:
        lines.append(ProseLine(make(("Dead letters  ", "strong"), ("none", "dim"))))
    return lines


def _deliveries(board: SyncBoard, now: datetime, make: Make) -> list[ProseLine]:
    lines = [ProseLine(make("")), ProseLine(make(("Last deliveries", "strong")))]
    if not board.deliveries:
        lines.append(ProseLine(make(("  None yet.", "dim"))))
    for delivery in board.deliveries:
        tone = {"dead": "danger", "failed": "danger", "pending": "pending"}.get(delivery.state, "dim")
        lines.append(
            ProseLine(
                make(
                    "  ",
                    (fit(times.ago(delivery.at, now), 12), "dim"),
                    fit(delivery.event_types, 44),
                    (delivery.state, tone),
                )
            )
        )
    return lines
