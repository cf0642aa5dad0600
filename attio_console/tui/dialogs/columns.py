"""Which columns a table shows, and in which order."""

from __future__ import annotations

from collections.abc import Sequence

from attio_console.services.types import Column
from attio_console.tui.dialogs.pick import Pick, PickDialog, among


class ColumnsDialog(PickDialog):
    """Space shows or hides a column; columns appear in the order in which they were chosen."""

    def __init__(self, columns: Sequence[Column], shown: Sequence[str]) -> None:
        by_slug = {column.slug: column for column in columns}
        ordered = [by_slug[slug] for slug in shown if slug in by_slug]
        ordered += [column for column in columns if column.slug not in shown]
        super().__init__(
            "Columns",
            among(Pick(column.slug, column.title, column.type) for column in ordered),
            several=True,
            chosen=[column.slug for column in ordered if column.slug in shown],
            note="A column that is chosen again goes to the end.",
        )
