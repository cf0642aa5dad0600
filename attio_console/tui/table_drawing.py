"""How a table looks: columns laid out in its width, a header, rows as strips that are kept until they change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from attio_console.services.types import Column
from attio_console.tui.cells import fit
from attio_console.tui.columns import GAP, Placed, place
from attio_console.tui.rows import Held, Line

_MARGIN = 2  # the cursor's and the mark's sign, before the first column
_SIGNS = 2  # the signs behind the first column
_STRIPS = 512


class DrawnTable(ScrollView):
    """Draws the rows that are held; what is not held yet is asked for through `_fetch_missing`."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--header", "table--cursor", "table--cell", "table--marked", "table--glow", "table--cell-cursor",
        "tone--dim", "tone--accent", "tone--pending", "tone--conflict", "tone--danger", "tone--good", "tone--strong",
    }  # fmt: skip

    def __init__(
        self, *, id: str | None = None, classes: str | None = None, header: bool = True, cells: bool = True
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.columns: tuple[Column, ...] = ()
        self.sorts: tuple[tuple[str, bool], ...] = ()
        self.marks: set[str] = set()
        self.cursor = 0
        self.cursor_key: str | None = None
        self.cursor_column = 0
        self.loaded = False
        self._header = 1 if header else 0
        self._cells = cells
        self._held = Held()
        self._placed: tuple[Placed, ...] = ()
        self._strips: dict[tuple[object, ...], Strip] = {}
        self._styles_by_name: dict[str, Style] = {}
        self._glowing: set[tuple[str, int]] = set()
        self.notice: tuple[str, ...] = ()

    # -- what it shows ----------------------------------------------------------------------------------------

    @property
    def total(self) -> int:
        """How many rows there are."""
        return self._held.total

    @property
    def current(self) -> Line | None:
        """The row under the cursor, if it has been read."""
        return self._held.line(self.cursor)

    @property
    def current_column(self) -> Column | None:
        """The column under the cursor."""
        return self.columns[self.cursor_column] if self.cursor_column < len(self.columns) else None

    @property
    def shown_columns(self) -> tuple[Column, ...]:
        """The columns that fit."""
        return tuple(placed.column for placed in self._placed)

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Show these columns, in this order; the rows have to be read again to match."""
        self.columns = tuple(columns)
        self.cursor_column = min(self.cursor_column, max(len(self.columns) - 1, 0))
        self._lay_out()

    @property
    def page_size(self) -> int:
        """How many rows are seen at once."""
        return max(self.size.height - self._header, 1)

    def _keep_in_view(self) -> bool:
        top = self.scroll_offset.y
        rows = self.page_size
        if self.cursor < top:
            target = self.cursor
        elif self.cursor >= top + rows:
            target = self.cursor - rows + 1
        else:
            return False
        self.scroll_to(y=target, animate=False)
        return True

    def _refresh_row(self, index: int) -> None:
        y = index - self.scroll_offset.y + self._header
        if self._header <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    # -- drawing ----------------------------------------------------------------------------------------------

    def on_resize(self, _: events.Resize) -> None:
        """Lay the columns out for the new width."""
        self._lay_out()
        self._keep_in_view()

    def _lay_out(self) -> None:
        width = self.scrollable_content_region.width - _MARGIN - _SIGNS - 1
        if width <= 0:
            return
        self._placed = place(self.columns, width, self.cursor_column)
        self._strips.clear()
        self._resize_content()
        self.refresh()

    def _resize_content(self) -> None:
        self.virtual_size = Size(max(self.scrollable_content_region.width, 1), self.total + self._header)

    def notify_style_update(self) -> None:
        """Forget what was drawn in the old colours."""
        super().notify_style_update()
        self._styles_by_name.clear()
        self._strips.clear()

    def on_focus(self) -> None:
        """Draw the cursor strongly."""
        self._strips.clear()
        self.refresh()

    def on_blur(self) -> None:
        """Draw the cursor quietly."""
        self._strips.clear()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw one line of what is seen."""
        width = self.size.width
        if y < self._header:
            return self._header_strip(width)
        index = self.scroll_offset.y + y - self._header
        if not self.total and self.loaded and 0 < y - self._header <= len(self.notice):
            return self._notice_strip(y - self._header - 1, width)
        if index >= self.total:
            return Strip.blank(width, self._style("table--cell"))
        line = self._held.line(index)
        if line is None:
            self._fetch_missing()
            style = self._style("table--cell") + self._style("tone--dim")
            return Strip([Segment("  ·".ljust(width), style)], width)
        at_cursor = index == self.cursor
        key = (id(line), at_cursor and (self.cursor_column, self.has_focus), line.key in self.marks, width)
        strip = self._strips.get(key)
        if strip is None:
            if len(self._strips) > _STRIPS:
                self._strips.clear()
            strip = self._strips[key] = self._row_strip(line, width, at_cursor)
        return strip

    def _header_strip(self, width: int) -> Strip:
        style = self._style("table--header")
        arrows = {slug: "▼" if descending else "▲" for slug, descending in self.sorts}
        segments = [Segment(" " * _MARGIN, style)]
        for place_number, placed in enumerate(self._placed):
            arrow = arrows.get(placed.column.slug, "")
            title = f"{placed.column.title} {arrow}" if arrow else placed.column.title
            here = self._cells and placed.number == self.cursor_column and self.has_focus
            segments.append(
                Segment(
                    fit(title, placed.width, placed.column.numeric),
                    style + self._style("tone--strong") if here else style,
                )
            )
            segments.append(Segment(" " * (GAP + (_SIGNS if place_number == 0 else 0)), style))
        return Strip(segments).adjust_cell_length(width, style)

    def _notice_strip(self, number: int, width: int) -> Strip:
        style = self._style("table--cell")
        if number:
            style += self._style("tone--dim")
        return Strip([Segment("   " + self.notice[number], style)]).adjust_cell_length(width, style)

    def _row_strip(self, line: Line, width: int, at_cursor: bool) -> Strip:
        marked = line.key in self.marks
        base = self._style("table--cell")
        if marked:
            base += self._style("table--marked")
        if line.tone:
            base += self._style(f"tone--{line.tone}")
        if at_cursor:
            base += self._style("table--cursor")
        accent = base + self._style("tone--accent")
        cursor_sign = ("▸" if self.has_focus else "›") if at_cursor else " "
        segments = [Segment(cursor_sign, accent), Segment("●" if marked else " ", accent)]
        for place_number, placed in enumerate(self._placed):
            if placed.number < len(line.slots):
                slot = line.slots[placed.number]
            else:
                segments.append(Segment(" " * (placed.width + GAP), base))
                continue
            style = base + self._style(f"tone--{slot.tone}") if slot.tone else base
            if self._cells and at_cursor and self.has_focus and placed.number == self.cursor_column:
                style += self._style("table--cell-cursor")
            if (line.key, placed.number) in self._glowing:
                style += self._style("table--glow")
            text = f"{slot.sign} {slot.text}" if slot.sign else slot.text
            segments.append(Segment(fit(text, placed.width, placed.column.numeric), style))
            if place_number == 0:
                segments.extend(self._sign_segments(line, base))
            segments.append(Segment(" " * (GAP - 1 if place_number == 0 else GAP), base))
        return Strip(segments).adjust_cell_length(width, base)

    def _sign_segments(self, line: Line, base: Style) -> list[Segment]:
        segments = [Segment(" ", base)]
        for number in range(_SIGNS):
            sign, tone = line.signs[number] if number < len(line.signs) else (" ", "")
            segments.append(Segment(sign, base + self._style(f"tone--{tone}") if tone else base))
        return segments

    def _style(self, name: str) -> Style:
        style = self._styles_by_name.get(name)
        if style is None:
            partial = name.startswith("tone--") or name in {
                "table--marked",
                "table--glow",
                "table--cursor",
                "table--cell-cursor",
            }
            style = self.get_component_rich_style(name, partial=partial)
            self._styles_by_name[name] = style
        return style

    def _fetch_missing(self) -> None:
        """Ask for the rows that are seen and not held."""
        raise LookupError

    def _placed_at(self, x: int) -> Placed | None:
        x -= _MARGIN
        for place_number, placed in enumerate(self._placed):
            start = placed.x + (_SIGNS if place_number else 0)
            if start <= x < start + placed.width + GAP:
                return placed
        return None
