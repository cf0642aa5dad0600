"""The five panes by name."""

from __future__ import annotations

from attio_console.tui.pane import Pane
from attio_console.tui.panes.conflicts import ConflictsPane
from attio_console.tui.panes.outbox import OutboxPane
from attio_console.tui.panes.pipelines import PipelinesPane
from attio_console.tui.panes.records import RecordsPane
from attio_console.tui.panes.sync import SyncPane

PANE_TYPES: dict[str, type[Pane]] = {
    pane.NAME: pane for pane in (RecordsPane, PipelinesPane, SyncPane, ConflictsPane, OutboxPane)
}
