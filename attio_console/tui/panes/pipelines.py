"""Pipelines: a board per list, cards that move with one key."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from attio_console.errors import ConsoleError, Superseded
from attio_console.services.types import Card, Changed, Done, Pipeline
from attio_console.tui.board import BoardView
from attio_console.tui.dialogs.pick import Pick, PickDialog, among
from attio_console.tui.editors import edit_field
from attio_console.tui.pane import CountLabel, FilterBox, Pane, Rule, TabLine, TabStrip, focus_now
from attio_console.tui.prose import counted

_NEEDS_CARD = {
    "card-open", "card-move-left", "card-move-right", "card-stage", "card-edit", "card-mark", "copy", "browser",
}  # fmt: skip


class _Cards:
    """The cards of a board as the board asks for them."""

    def __init__(self, pane: PipelinesPane, list_id: str, text: str) -> None:
        self._pane = pane
        self._list_id = list_id
        self._text = text

    async def cards(self, status_id: str, start: int, count: int) -> Sequence[Card]:
        """Return `count` cards of a stage from `start`."""
        return await self._pane.verbs.cards(self._list_id, status_id, start, count, self._text)


class PipelinesPane(Pane):
    """The second pane."""

    NAME = "pipelines"
    ABOUT = (
        "A board for every list that has stages. H and L (or Shift and an arrow) move the card under the cursor, or all "
        "marked ones; m names the stage; J and K go through the lists. A moved card shows ✎ until Attio has it, "
        "and u takes the move back.\n\n▲ the card is longer in its stage than the stage's target · ! it has a conflict."
    )

    def __init__(self) -> None:
        super().__init__(id="pipelines")
        self._strip = TabStrip()
        self._filter = FilterBox()
        self._count = CountLabel()
        self.board = BoardView()
        self.list_id = ""
        self.frozen = False
        self._missed = 0
        self._reading = False
        self._again = False
        self._settled = asyncio.Event()

    def compose(self) -> ComposeResult:
        """Make the parts."""
        self._filter.placeholder = "words in a card"
        yield TabLine(self._strip, self._filter, self._count)
        yield Rule()
        yield self.board

    # -- showing ----------------------------------------------------------------------------------------------

    def shown(self) -> None:
        """Read the board."""
        pipelines = self.verbs.pipelines()
        if not pipelines:
            self.board.forget()
            self.board.notice = (
                "No list with stages yet.",
                f"Lists come with the first pull; {self.face.keys.key('pane-sync')} shows how far it is.",
            )
            self._strip.show((), 0)
            self.board.refresh()
            return
        if not any(known.list_id == self.list_id for known in pipelines):
            kept = self.verbs.preference("list")
            self.open_collection(
                next((known.list_id for known in pipelines if known.list_id == kept), pipelines[0].list_id)
            )
        else:
            self._read()

    def open_collection(self, list_id: str, text: str = "") -> None:
        """Show another list, with a filter."""
        self.list_id = list_id
        self.face.prefer("list", list_id)
        self._filter.value = text
        self._filter.settle()
        self.board.forget()
        self._read()

    def pipeline(self) -> Pipeline | None:
        """Return the list that is shown."""
        return next((known for known in self.verbs.pipelines() if known.list_id == self.list_id), None)

    def _read(self) -> None:
        pipelines = self.verbs.pipelines()
        active = next((n for n, known in enumerate(pipelines) if known.list_id == self.list_id), 0)
        self._strip.show(tuple(known.name for known in pipelines), active)
        if self._reading:
            self._again = True
            return
        self._reading = True
        self._settled.clear()
        self.run_worker(self._load(), group="board", exit_on_error=True)

    async def _load(self) -> None:
        try:
            while True:
                self._again = False
                list_id, text = self.list_id, self._filter.value.strip()
                board = await self.verbs.board(list_id, text)
                await self.board.show(board, _Cards(self, list_id, text))
                words = [f"{counted(board.count, 'card')}", board.total]
                self._count.show((" · ".join(word for word in words if word), "dim"))
                if not self._again:
                    break
        except Superseded:
            pass
        except ConsoleError as error:
            self.face.say_error(error)
        finally:
            self._reading = False
            self._settled.set()

    def store_changed(self, changed: Changed) -> None:
        """Read again what may be different."""
        if not self.list_id or "schema" in changed.what:
            self.shown()
        elif self.frozen:
            self._missed += 1
            self.face.main.refresh_footer()
        elif changed.what & {"outbox", "conflicts"} or (
            "records" in changed.what and (not changed.collections or self.list_id in changed.collections)
        ):
            self._read()

    def take_focus(self) -> None:
        """Put the focus where the keys of this pane work."""
        focus_now(self.board)

    def footer_left(self) -> str:
        """Return how many cards are marked, and whether the board is frozen."""
        words = [f"● {len(self.board.marks):,} marked"] if self.board.marks else []
        if self.frozen:
            words.append(f"frozen, {counted(self._missed, 'change')} waiting")
        return " · ".join(words)

    @on(TabStrip.Chosen)
    def _chosen(self, event: TabStrip.Chosen) -> None:
        pipelines = self.verbs.pipelines()
        if event.number < len(pipelines):
            self.open_collection(pipelines[event.number].list_id)

    @on(BoardView.LoadFailed)
    def _failed(self, event: BoardView.LoadFailed) -> None:
        self.face.say_error(event.error)

    # -- reasons ----------------------------------------------------------------------------------------------

    def why_not(self, action: str) -> str | None:
        """Return why an action cannot be done now, or None."""
        if action in _NEEDS_CARD and self.board.current is None and not self.board.marks:
            return "No card is under the cursor."
        if action == "card-move-left" and self.board.at == 0:
            return "This is the first stage."
        if action == "card-move-right" and self.board.at >= len(self.board.stages) - 1:
            return "This is the last stage."
        if action in {"list-next", "list-previous"} and len(self.verbs.pipelines()) < 2:
            return "There is no other list with stages."
        return None

    # -- keys -------------------------------------------------------------------------------------------------

    def act_card_left(self) -> None:
        """Go to the stage on the left."""
        self.board.move_stage(-1)

    def act_card_right(self) -> None:
        """Go to the stage on the right."""
        self.board.move_stage(1)

    def act_card_down(self) -> None:
        """Go to the next card."""
        self.board.move(1)

    def act_card_up(self) -> None:
        """Go to the card above."""
        self.board.move(-1)

    def act_card_top(self) -> None:
        """Go to the first card."""
        self.board.move(-1_000_000_000)

    def act_card_bottom(self) -> None:
        """Go to the last card."""
        self.board.move(1_000_000_000)

    def act_card_page_down(self) -> None:
        """Go a screenful down."""
        self.board.move(self.board.rows)

    def act_card_page_up(self) -> None:
        """Go a screenful up."""
        self.board.move(-self.board.rows)

    def act_card_mark(self) -> None:
        """Mark this card and go on."""
        self.board.toggle_mark()
        self.board.move(1)
        self.face.main.refresh_footer()

    def _entries(self) -> list[str]:
        if self.board.marks:
            return sorted(self.board.marks)
        return [self.board.current.entry_id] if self.board.current else []

    async def act_card_move_left(self) -> Done:
        """Move to the stage on the left."""
        return await self._move(self.board.stages[self.board.at - 1].column.status_id)

    async def act_card_move_right(self) -> Done:
        """Move to the stage on the right."""
        return await self._move(self.board.stages[self.board.at + 1].column.status_id)

    async def _move(self, status_id: str, entries: list[str] | None = None) -> Done:
        entries = self._entries() if entries is None else entries
        if self.board.current is not None:
            self.board.follow(self.board.current.entry_id, status_id)
        done = await self.verbs.move(self.list_id, entries, status_id)
        self.board.marks.clear()
        self._read()
        return done

    async def act_card_stage(self) -> Done | None:
        """Choose the stage by name or number."""
        picks = [
            Pick(stage.column.status_id, f"{number}  {stage.column.title}", counted(stage.count, "card"))
            for number, stage in enumerate(self.board.stages, 1)
        ]
        now = self.board.stage.column.status_id if self.board.stage else ""
        answer = await self.face.push_screen_wait(
            PickDialog(f"Move {counted(len(self._entries()), 'card')} to", among(picks), chosen=(now,))
        )
        return await self._move(answer[0]) if answer else None

    @on(BoardView.Dropped)
    def _dropped(self, event: BoardView.Dropped) -> None:
        if self.verbs.read_only:
            self.face.refuse("This profile is read-only: nothing can be changed from here.")
            return
        self.board.follow(event.entry_id, event.status_id)
        self.face.start(self._move(event.status_id, [event.entry_id]))

    async def act_card_edit(self) -> Done | None:
        """Edit a value of the entry."""
        card, known = self.board.current, self.verbs.schema.list(self.list_id)
        if card is None or known is None:
            return None
        attributes = [a for a in known.attributes if a.is_writable and not a.is_archived]
        picks = [
            Pick(a.slug, a.title, self.verbs.editable_text(self.list_id, card.entry_id, a.slug))
            for a in attributes
        ]
        answer = await self.face.push_screen_wait(
            PickDialog(f"Edit which value of {card.label}?", among(picks))
        )
        attribute = known.attribute(answer[0]) if answer else None
        if attribute is None:
            return None
        list_id, entry_id, slug = self.list_id, card.entry_id, attribute.slug

        async def save(text: str) -> Done:
            return await self.verbs.edit(list_id, [entry_id], slug, text)

        text = self.verbs.editable_text(list_id, entry_id, slug)
        return await edit_field(
            self.face, list_id, attribute, f"{attribute.title} of {card.label}", text, save
        )

    async def act_card_open(self) -> None:
        """Open the record of the card."""
        card, pipeline = self.board.current, self.pipeline()
        parent = self.verbs.schema.object(pipeline.parent_object) if pipeline else None
        if card is not None and parent is not None:
            await self.face.main.show_record(parent.id, card.record_id)

    @on(BoardView.Opened)
    def _opened(self) -> None:
        self.face.start(self.act_card_open())

    async def act_browser(self) -> None:
        """Open the record of the card in the browser."""
        card, pipeline = self.board.current, self.pipeline()
        parent = self.verbs.schema.object(pipeline.parent_object) if pipeline else None
        if card is not None and parent is not None:
            detail = await self.verbs.detail(parent.id, card.record_id)
            self.face.main.open_in_browser(detail.web_url if detail else "")

    def act_copy(self) -> None:
        """Copy the entry ids."""
        self.face.copy(self._entries())

    def act_list_next(self) -> None:
        """Show the next list."""
        self._step_list(1)

    def act_list_previous(self) -> None:
        """Show the previous list."""
        self._step_list(-1)

    def _step_list(self, step: int) -> None:
        pipelines = self.verbs.pipelines()
        now = next((n for n, known in enumerate(pipelines) if known.list_id == self.list_id), 0)
        self.open_collection(pipelines[(now + step) % len(pipelines)].list_id)

    def act_reload(self) -> None:
        """Read again."""
        self._missed = 0
        self._read()

    def act_freeze(self) -> None:
        """Hold the board still, or let it go."""
        self.frozen = not self.frozen
        if not self.frozen and self._missed:
            self._missed = 0
            self._read()
        self.face.say("Frozen: the board holds still." if self.frozen else "Following the store again.")
        self.face.main.refresh_footer()

    # -- the filter -------------------------------------------------------------------------------------------

    @on(Input.Changed)
    def _typed(self) -> None:
        if self.list_id:
            self._read()

    def act_filter(self) -> None:
        """Type a filter."""
        self._filter.open()

    async def act_filter_keep(self) -> None:
        """Go to the board and keep the filter."""
        self._read()
        self._filter.settle()
        focus_now(self.board)
        await self._settled.wait()

    def act_filter_clear(self) -> None:
        """Clear the filter and go to the board."""
        self._filter.value = ""
        self._filter.settle()
        focus_now(self.board)

    def act_back(self) -> None:
        """Clear the marks, or else the filter."""
        self._clear_layer()

    def _clear_layer(self) -> bool:
        if self.board.marks:
            self.board.marks.clear()
            self.board.refresh()
            self.face.main.refresh_footer()
        elif self._filter.value:
            self.act_filter_clear()
        else:
            return False
        return True

    def act_leave(self) -> None:
        """Clear the marks or the filter, or quit."""
        if not self._clear_layer():
            self.face.act_quit()
