"""Sync: the health of everything in one look."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult

from attio_console.services.types import Changed
from attio_console.tui.lines import LinesView
from attio_console.tui.pane import Pane, focus_now
from attio_console.tui.sync_lines import sync_lines


class SyncPane(Pane):
    """The third pane."""

    NAME = "sync"
    ABOUT = (
        "Every object and list with its last scan, its progress and how far behind it is; the two limits of the API and "
        "how much of them is used; the listener for webhooks and its last deliveries; what ran out of attempts.\n\n"
        "R asks both sides for news now, P pauses and goes on, Enter on a partition shows its records or conflicts, "
        "Enter on the dead letters shows the outbox."
    )

    def __init__(self) -> None:
        super().__init__(id="sync")
        self.lines = LinesView()
        self.frozen = False

    def compose(self) -> ComposeResult:
        """Make the parts."""
        yield self.lines

    def contexts(self) -> tuple[str, ...]:
        """Return the contexts that hold here now, narrowest first."""
        return ("sync", "global")

    def shown(self) -> None:
        """Read the board."""
        self.call_after_refresh(self._draw)

    def store_changed(self, changed: Changed) -> None:  # noqa: ARG002 - everything shows here
        """Read again."""
        self._draw()

    def tick(self) -> None:
        """Bring lags and countdowns up to date."""
        self._draw()

    def _draw(self) -> None:
        width = self.lines.size.width
        if width and not self.frozen:
            self.lines.show(
                sync_lines(self.verbs.sync_board(), self.face.clock.now(), width, self.lines.line)
            )

    def take_focus(self) -> None:
        """Put the focus where the keys of this pane work."""
        focus_now(self.lines)

    def footer_left(self) -> str:
        """Return whether the pane is frozen."""
        return "frozen" if self.frozen else ""

    async def act_look(self) -> None:
        """Show what the line under the cursor is about."""
        key = self.lines.cursor_key or ""
        if key == "dead":
            await self.face.main.bring("outbox")
            return
        _, system, name = key.split(":", 2)
        if system != "attio":
            await self.face.main.bring("conflicts")
        elif self.verbs.schema.object(name) is not None:
            await self.face.main.open_table("object", name)
        elif self.verbs.schema.list(name) is not None:
            await self.face.main.open_table("list", name)
        else:
            await self.face.main.bring("records")

    @on(LinesView.Opened)
    def _opened(self) -> None:
        self.face.start(self.act_look())

    def why_not(self, action: str) -> str | None:
        """Return why an action cannot be done now, or None."""
        if action == "look" and self.lines.cursor_key is None:
            return "Nothing is under the cursor."
        return None

    def act_line_down(self) -> None:
        """Go one line down."""
        self.lines.move(1)

    def act_line_up(self) -> None:
        """Go one line up."""
        self.lines.move(-1)

    def act_line_page_down(self) -> None:
        """Go a screenful down."""
        self.lines.scroll_page_down(animate=False)

    def act_line_page_up(self) -> None:
        """Go a screenful up."""
        self.lines.scroll_page_up(animate=False)

    def act_freeze(self) -> None:
        """Hold the pane still, or let it go."""
        self.frozen = not self.frozen
        self._draw()
        self.face.say("Frozen: the screen holds still." if self.frozen else "Following the store again.")
        self.face.main.refresh_footer()

    def act_leave(self) -> None:
        """Quit: nothing is open that could be closed."""
        self.face.act_quit()
