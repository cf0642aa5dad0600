"""What the keys of a table do, for every pane that has one."""

from __future__ import annotations

from attio_console.tui.pane import Pane
from attio_console.tui.prose import counted
from attio_console.tui.table import VirtualTable


class TableActions(Pane):
    """Moving, marking and copying in `self.table`."""

    @property
    def table(self) -> VirtualTable:
        """The table that the keys work on."""
        raise LookupError(f"{type(self).__name__} names no table")

    def targets(self) -> list[str]:
        """Return the keys of the marked rows, or else of the row under the cursor."""
        if self.table.marks:
            return sorted(self.table.marks)
        return [self.table.cursor_key] if self.table.cursor_key is not None else []

    def footer_left(self) -> str:
        """Return how many rows are marked, and whether the table is frozen."""
        table = self.table
        words = []
        if table.marks:
            words.append(f"● {len(table.marks):,} marked")
        if table.range_from is not None:
            words.append("range: go to its other end and press again")
        if table.frozen:
            words.append(f"frozen, {counted(table.missed, 'change')} waiting")
        return " · ".join(words)

    def _marked(self) -> None:
        self.face.main.refresh_footer()

    # -- moving -----------------------------------------------------------------------------------------------

    def act_down(self) -> None:
        """Go one row down."""
        self.table.move(self.table.cursor + 1)

    def act_up(self) -> None:
        """Go one row up."""
        self.table.move(self.table.cursor - 1)

    def act_left(self) -> None:
        """Go one column left."""
        self.table.move_column(-1)

    def act_right(self) -> None:
        """Go one column right."""
        self.table.move_column(1)

    def act_page_down(self) -> None:
        """Go a screenful down."""
        self.table.move(self.table.cursor + self.table.page_size)

    def act_page_up(self) -> None:
        """Go a screenful up."""
        self.table.move(self.table.cursor - self.table.page_size)

    def act_top(self) -> None:
        """Go to the first row."""
        self.table.move(0)

    def act_bottom(self) -> None:
        """Go to the last row."""
        self.table.move(self.table.total - 1)

    def act_reload(self) -> None:
        """Read again."""
        self.table.missed = 0
        self.table.reload()

    # -- marking ----------------------------------------------------------------------------------------------

    def act_mark(self) -> None:
        """Mark this row and go on."""
        self.table.toggle_mark()
        self.table.move(self.table.cursor + 1)
        self._marked()

    def act_mark_down(self) -> None:
        """Mark this row and the next."""
        self._mark_towards(1)

    def act_mark_up(self) -> None:
        """Mark this row and the one above."""
        self._mark_towards(-1)

    def _mark_towards(self, step: int) -> None:
        table = self.table
        before = table.cursor_key
        table.move(table.cursor + step)
        table.set_marks(table.marks | {key for key in (before, table.cursor_key) if key is not None})
        self._marked()

    async def act_mark_range(self) -> None:
        """Start a range, or mark everything up to here."""
        table = self.table
        if table.range_from is None:
            table.range_from = table.cursor_key
            self._marked()
            return
        start, table.range_from = table.range_from, None
        keys = await table.all_keys()
        if start in keys and table.cursor_key in keys:
            first, last = sorted((keys.index(start), keys.index(table.cursor_key)))
            table.set_marks(table.marks | set(keys[first : last + 1]))
        self._marked()

    async def act_mark_all(self) -> None:
        """Mark everything the filter shows, or take all those marks away."""
        keys = set(await self.table.all_keys())
        self.table.set_marks(self.table.marks - keys if keys <= self.table.marks else self.table.marks | keys)
        self._marked()

    async def act_mark_invert(self) -> None:
        """Mark what is not marked, and the other way round."""
        self.table.set_marks(set(await self.table.all_keys()) ^ self.table.marks)
        self._marked()

    async def act_mark_same(self) -> None:
        """Mark the rows with the same value in this column."""
        table = self.table
        current = table.current
        number = table.cursor_column
        if current is None or number >= len(current.slots):
            return
        text = current.slots[number].text
        found = {line.key for line in await table.all_lines() if line.slots[number].text == text}
        table.set_marks(table.marks | found)
        self._marked()
        self.face.say(f"Marked {counted(len(found), 'row')} with “{text}”.")

    # -- copying ----------------------------------------------------------------------------------------------

    def act_copy(self) -> None:
        """Copy the ids of the marked rows, or of this one."""
        keys = self.targets()
        if keys:
            self.face.copy(keys)

    def act_freeze(self) -> None:
        """Hold the table still, or let it go."""
        self.table.freeze(not self.table.frozen)
        self._marked()
        self.face.say(
            "Frozen: the screen holds still." if self.table.frozen else "Following the store again."
        )

    def clear_layer(self) -> bool:
        """Take away the innermost of what was started: a range, the marks."""
        table = self.table
        if table.range_from is not None:
            table.range_from = None
        elif table.marks:
            table.set_marks(set())
        else:
            return False
        self._marked()
        return True
