"""The saved views of an object: shown by their number, kept, and deleted."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.widgets import Input

from attio_console.services.preferences import SavedView
from attio_console.tui.dialogs.pick import Pick, PickDialog, among

SAVE, DELETE = "save", "delete"


class ViewsDialog(PickDialog):
    """A number shows its view at once; what else is typed narrows the list."""

    def __init__(self, title: str, views: Sequence[SavedView]) -> None:
        picks = [Pick(str(view.slot), f"{view.slot}  {view.name}", _detail(view)) for view in views]
        picks.append(Pick(SAVE, "Save what is shown as a view…", "filter, order and columns"))
        if views:
            picks.append(Pick(DELETE, "Delete a view…"))
        super().__init__(
            title,
            among(picks),
            placeholder="a number, or part of a name",
            note="" if views else "No view is saved yet.",
        )
        self._slots = {str(view.slot) for view in views}

    @on(Input.Changed)
    def _number_typed(self, event: Input.Changed) -> None:
        if event.value in self._slots:
            event.stop()
            self.dismiss((event.value,))


def _detail(view: SavedView) -> str:
    order = ", ".join(f"{slug} {'▼' if descending else '▲'}" for slug, descending in view.sorts)
    return "   ".join(part for part in (view.filter, order) if part)
