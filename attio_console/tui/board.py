"""A pipeline as columns of cards, drawn line by line: no widget per card, however many there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip

from attio_console.errors import ConsoleError, Superseded
from attio_console.services.types import Board, Card
from attio_console.tui import times
from attio_console.tui.background import replacing
from attio_console.tui.cells import fit, steady
from attio_console.tui.prose import CONFLICT, EDIT_SIGNS, OVERDUE, TONES, Toned
from attio_console.tui.stages import CardSource, Stage

CARD_LINES = 3
_HEAD_LINES = 2
_MIN_WIDTH = 25
_GLOW_S = 1.0


class BoardView(Toned, can_focus=True):
    """Draws stages side by side. Cursor and marks are known by entry id."""

    COMPONENT_CLASSES = {"board--card", "board--cursor", "table--glow", *(f"tone--{tone}" for tone in TONES)}  # noqa: RUF012 - Textual reads it off the class

    @dataclass
    class CursorMoved(Message):
        """The cursor is on another card (or on none)."""

        entry_id: str | None

    @dataclass
    class Opened(Message):
        """A card was double-clicked."""

        entry_id: str

    @dataclass
    class Dropped(Message):
        """A card was dragged to another stage."""

        entry_id: str
        status_id: str

    @dataclass
    class LoadFailed(Message):
        """Cards could not be read."""

        error: ConsoleError

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.stages: list[Stage] = []
        self.at = 0
        self.marks: set[str] = set()
        self.notice: tuple[str, ...] = ()
        self._source: CardSource | None = None
        self._first = 0
        self._follow: tuple[str, str] | None = None
        self._glowing: set[str] = set()
        self._dragged: str | None = None

    # -- what it shows ----------------------------------------------------------------------------------------

    @property
    def stage(self) -> Stage | None:
        """The stage under the cursor."""
        return self.stages[self.at] if self.at < len(self.stages) else None

    @property
    def current(self) -> Card | None:
        """The card under the cursor."""
        stage = self.stage
        return stage.card(stage.cursor) if stage is not None else None

    @property
    def rows(self) -> int:
        """How many cards of a stage are seen at once."""
        return max((self.size.height - _HEAD_LINES) // CARD_LINES, 1)

    def follow(self, entry_id: str, status_id: str) -> None:
        """Put the cursor on this card in this stage when it is next read."""
        self._follow = (entry_id, status_id)

    def forget(self) -> None:
        """Start over: another list is shown."""
        self.stages, self.at, self._first = [], 0, 0
        self.marks.clear()
        self._follow = None

    async def show(self, board: Board, source: CardSource) -> None:
        """Show a board, keeping the cursor on its card, whichever stage that is in now."""
        held = {stage.column.status_id: stage for stage in self.stages}
        before = self._texts()
        current = self.current
        follow = self._follow
        if follow is None and current is not None and self.stage is not None:
            follow = (current.entry_id, self.stage.column.status_id)
        self._source = source
        stages = []
        for column in board.columns:
            old = held.get(column.status_id)
            stages.append(Stage(column, top=old.top if old else 0, cursor=old.cursor if old else 0))
        try:
            at = await self._place_cursor(stages, source, follow)
            for stage in stages:
                stage.keep_in_view(self.rows)
                await stage.load(source, stage.top, stage.top + self.rows)
        except Superseded:
            return
        except ConsoleError as error:
            self.post_message(self.LoadFailed(error))
            return
        self.stages, self.at, self._follow = stages, at, None
        self._light_up(before)
        self._keep_stage_in_view()
        self.refresh()
        self.post_message(self.CursorMoved(self.current.entry_id if self.current else None))

    async def _place_cursor(
        self, stages: Sequence[Stage], source: CardSource, follow: tuple[str, str] | None
    ) -> int:
        at = min(self.at, max(len(stages) - 1, 0))
        if follow is None:
            return next((n for n, stage in enumerate(stages) if stage.count), 0) if not self.stages else at
        entry_id, status_id = follow
        ordered = sorted(enumerate(stages), key=lambda pair: pair[1].column.status_id != status_id)
        for number, stage in ordered:
            found = await stage.find(source, entry_id)
            if found is not None:
                stage.cursor = found
                return number
        return at

    def _texts(self) -> dict[str, tuple[str, str, str]]:
        return {
            card.entry_id: (card.label, card.value, stage.column.status_id)
            for stage in self.stages
            for page in stage.pages.values()
            for card in page
        }

    def _light_up(self, before: dict[str, tuple[str, str, str]]) -> None:
        if not before:
            return
        after = self._texts()
        ours = {
            card.entry_id
            for stage in self.stages
            for page in stage.pages.values()
            for card in page
            if card.edit
        }
        lit = {
            key for key, texts in after.items() if key in before and before[key] != texts and key not in ours
        }
        if lit:
            self._glowing |= lit
            self.set_timer(_GLOW_S, lambda: self._dim(lit))

    def _dim(self, lit: set[str]) -> None:
        self._glowing -= lit
        self.refresh()

    # -- moving -----------------------------------------------------------------------------------------------

    def move(self, step: int) -> None:
        """Move the cursor within its stage."""
        stage = self.stage
        if stage is None:
            return
        stage.cursor += step
        self._settle(stage)

    def move_stage(self, step: int) -> None:
        """Move the cursor to a neighbouring stage."""
        at = max(0, min(self.at + step, len(self.stages) - 1))
        if at != self.at and self.stages:
            self.at = at
            self._settle(self.stages[at])

    def _settle(self, stage: Stage) -> None:
        stage.keep_in_view(self.rows)
        self._keep_stage_in_view()
        self.refresh()
        if (
            stage.count and stage.card(min(stage.top + self.rows, stage.count - 1)) is None
        ) or self.current is None:
            replacing(self, "cards", partial(self._read, stage))
        self.post_message(self.CursorMoved(self.current.entry_id if self.current else None))

    async def _read(self, stage: Stage) -> None:
        if self._source is None:
            return
        try:
            await stage.load(self._source, stage.top, stage.top + self.rows)
        except Superseded:
            return
        except ConsoleError as error:
            self.post_message(self.LoadFailed(error))
            return
        self.refresh()
        self.post_message(self.CursorMoved(self.current.entry_id if self.current else None))

    def _shown_stages(self) -> int:
        return max(1, min(len(self.stages), self.size.width // _MIN_WIDTH))

    def _keep_stage_in_view(self) -> None:
        shown = self._shown_stages()
        if self.at < self._first:
            self._first = self.at
        elif self.at >= self._first + shown:
            self._first = self.at - shown + 1
        self._first = max(0, min(self._first, len(self.stages) - shown))

    def toggle_mark(self) -> None:
        """Mark the card under the cursor, or take its mark away."""
        if self.current is not None:
            self.marks ^= {self.current.entry_id}
            self.refresh()

    def on_resize(self, _: events.Resize) -> None:
        """Show as many stages as fit."""
        self._keep_stage_in_view()
        for stage in self.stages:
            stage.keep_in_view(self.rows)
            self.call_later(self._read, stage)

    def on_focus(self) -> None:
        """Draw the cursor strongly."""
        self.refresh()

    def on_blur(self) -> None:
        """Draw the cursor quietly."""
        self.refresh()

    # -- drawing ----------------------------------------------------------------------------------------------

    def _widths(self) -> list[int]:
        shown = self._shown_stages()
        width = self.size.width - 1
        each, spare = divmod(width - (shown - 1), shown)
        return [each + (1 if number < spare else 0) for number in range(shown)]

    def render_line(self, y: int) -> Strip:
        """Draw one line across all stages in view."""
        width = self.size.width
        base = self.get_component_rich_style("board--card")
        if not self.stages:
            text = self.notice[y - 1] if 0 < y <= len(self.notice) else ""
            return Strip(
                [Segment("   " + text, base if y == 1 else base + self.tone("dim"))]
            ).adjust_cell_length(width, base)
        segments: list[Segment] = []
        rule = base + self.tone("rule")
        for place, cells in enumerate(self._widths()):
            if place:
                segments.append(Segment("┼" if y == 1 else "│", rule))
            number = self._first + place
            segments.extend(self._stage_segments(number, y, cells, base))
        return Strip(segments).adjust_cell_length(width, base)

    def _stage_segments(self, number: int, y: int, cells: int, base: Style) -> list[Segment]:
        stage = self.stages[number]
        if y == 0:
            return self._head(number, stage, cells, base)
        if y == 1:
            return [Segment("─" * cells, base + self.tone("rule"))]
        row, line = divmod(y - _HEAD_LINES, CARD_LINES)
        index = stage.top + row
        if index >= stage.count:
            words = "  —" if stage.count == 0 and y == _HEAD_LINES else ""
            return [Segment(fit(words, cells), base + self.tone("dim"))]
        card = stage.card(index)
        if card is None:
            return [Segment(fit("  ·" if line == 0 else "", cells), base + self.tone("dim"))]
        at_cursor = number == self.at and index == stage.cursor
        return self._card_segments(card, line, cells, base, at_cursor=at_cursor)

    def _head(self, number: int, stage: Stage, cells: int, base: Style) -> list[Segment]:
        column = stage.column
        more = ("‹" if number == self._first and self._first else " ") if number < self.at + 1 else " "
        if number == self._first + self._shown_stages() - 1 and number < len(self.stages) - 1:
            tail = "›"
        else:
            tail = " "
        right = f"{column.count:,}" + (f"  {column.total}" if column.total else "")
        room = cells - len(right) - 3
        if room < 6:
            right, room = f"{column.count:,}", cells - len(f"{column.count:,}") - 3
        title = "strong" if number == self.at else "dim"
        return [
            Segment(more, base + self.tone("accent")),
            Segment(fit(column.title, room), base + self.tone(title)),
            Segment(f" {right}", base + self.tone("dim")),
            Segment(tail, base + self.tone("accent")),
        ]

    def _card_segments(
        self, card: Card, line: int, cells: int, base: Style, *, at_cursor: bool
    ) -> list[Segment]:
        if line == CARD_LINES - 1:
            return [Segment(" " * cells, base)]
        if at_cursor:
            base += self.get_component_rich_style("board--cursor", partial=True)
        if card.entry_id in self._glowing:
            base += self.get_component_rich_style("table--glow", partial=True)
        marked = card.entry_id in self.marks
        accent = base + self.tone("accent")
        if line == 0:
            sign = ("▸" if self.has_focus else "›") if at_cursor else ("●" if marked else " ")
            value = fit(card.value, min(cell_len(card.value), cells // 2), True) if card.value else ""
            name_style = base + self.tone("accent") if marked else base
            return [
                Segment(sign, accent),
                Segment(fit(card.label, cells - len(value) - 3), name_style),
                Segment(f" {value}", base + self.tone("strong" if at_cursor else "")),
                Segment("▌" if at_cursor else " ", accent),
            ]
        signs = self._signs(card)
        width = sum(len(text) + 1 for text, _ in signs)
        age = f" · {times.span(card.age_days * 86_400)}" if card.age_days is not None else ""
        name = card.owner or "nobody"
        owner = fit(name, max(min(cell_len(steady(name)), cells - width - len(age) - 2), 0))
        segments = [
            Segment("●" if marked and at_cursor else " ", accent),
            Segment(fit(owner + age, cells - width - 2), base + self.tone("dim")),
        ]
        for text, tone in signs:
            segments.append(Segment(f" {text}", base + self.tone(tone)))
        segments.append(Segment("▌" if at_cursor else " ", accent))
        return segments

    @staticmethod
    def _signs(card: Card) -> list[tuple[str, str]]:
        signs = []
        if card.conflict:
            signs.append((CONFLICT, "conflict"))
        if card.edit:
            signs.append(EDIT_SIGNS[card.edit])
        if card.overdue:
            signs.append((OVERDUE, "pending"))
        return signs

    # -- the mouse --------------------------------------------------------------------------------------------

    def _spot(self, x: int, y: int) -> tuple[int, int] | None:
        start = 0
        for place, cells in enumerate(self._widths()):
            if start <= x < start + cells + 1:
                number = self._first + place
                return number, self.stages[number].top + (y - _HEAD_LINES) // CARD_LINES
            start += cells + 1
        return None

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Put the cursor where the button went down; a drag starts there."""
        spot = self._spot(event.x, event.y) if self.stages else None
        if spot is None:
            return
        self.at, index = spot
        stage = self.stages[self.at]
        if event.y >= _HEAD_LINES and index < stage.count:
            stage.cursor = index
            self._dragged = self.current.entry_id if self.current else None
            self.capture_mouse()
        self._settle(stage)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Drop the card where the button went up."""
        self.release_mouse()
        dragged, self._dragged = self._dragged, None
        spot = self._spot(event.x, event.y) if self.stages and dragged is not None else None
        if spot is not None and dragged is not None and spot[0] != self.at:
            self.post_message(self.Dropped(dragged, self.stages[spot[0]].column.status_id))

    def on_click(self, event: events.Click) -> None:
        """Open on a double click."""
        if event.chain == 2 and self.current is not None and event.y >= _HEAD_LINES:
            self.post_message(self.Opened(self.current.entry_id))

    def on_mouse_scroll_down(self) -> None:
        """Go down."""
        self.move(1)

    def on_mouse_scroll_up(self) -> None:
        """Go up."""
        self.move(-1)
