"""The screen with the panes: status above, keys below, one pane in front."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widget import Widget

from attio_console.errors import StoreError
from attio_console.services.types import Changed
from attio_console.tui import global_actions
from attio_console.tui.header import PANES, Banner, FooterLine, PaneAsked, StatusLine
from attio_console.tui.pane import Pane, Rule

if TYPE_CHECKING:
    from attio_console.tui.app import ConsoleApp


class MainScreen(global_actions.GlobalActions, Screen[object]):
    """Holds the panes; each is made when it is first asked for."""

    def __init__(self) -> None:
        super().__init__(id="main")
        self.pane: Pane | None = None
        self.previous = "records"
        self._made: dict[str, Pane] = {}

    @property
    def face(self) -> ConsoleApp:
        """The app, by its own type."""
        from attio_console.tui.app import ConsoleApp

        assert isinstance(self.app, ConsoleApp)
        return self.app

    def compose(self) -> ComposeResult:
        """Make what is always there."""
        yield StatusLine()
        yield Banner()
        yield Container(id="panes")
        yield Rule()
        yield FooterLine()

    def opened(self) -> None:
        """Show the pane that was in front last: the console is open."""
        self.set_interval(1.0, self._tick)
        kept = self.face.verbs.preference("pane")
        self.go(kept if kept in dict(PANES) else "records")

    def go(self, name: str) -> None:
        """Bring a pane to the front."""
        self.run_worker(self.bring(name), group="pane")

    async def bring(self, name: str) -> Pane:
        """Bring a pane to the front and return it once its parts exist."""
        if self.pane is not None and name != self.pane.NAME:
            self.previous = self.pane.NAME
            self.pane.display = False
        pane = self._made.get(name)
        if pane is None:
            pane = self.pane = self._made[name] = _make(name)
            await self.query_one("#panes").mount(pane)
        else:
            pane.display = True
            self.pane = pane
        if pane is self.pane:
            self._arrived(pane)
            self.face.prefer("pane", name)
        return pane

    def _arrived(self, pane: Pane) -> None:
        pane.shown()
        pane.take_focus()
        self.refresh_lines()

    def store_changed(self, changed: Changed) -> None:
        """Let the pane in front read again; the others do when they come back."""
        if self.pane is not None and self.pane.is_attached and self.pane.children:
            self.pane.store_changed(changed)
        self.refresh_lines()

    def set_focus(
        self, widget: Widget | None, scroll_visible: bool = True, from_app_focus: bool = False
    ) -> None:
        """Keep the focus where the keys work.

        A widget that is hidden gives the focus up a moment later, when the next one has it already; and a click on
        nothing must not leave letters without a place to go.
        """
        if widget is None and self.focused is not None and self.focused in self._in_front():
            return
        super().set_focus(widget, scroll_visible, from_app_focus)

    def _in_front(self) -> list[DOMNode]:
        return [] if self.pane is None else [self.pane, *self.pane.walk_children()]

    def contexts(self) -> tuple[str, ...]:
        """Return the contexts that hold now, narrowest first."""
        return self.pane.contexts() if self.pane is not None else ("global",)

    def refresh_lines(self) -> None:
        """Bring the status line, the banner and the footer up to date."""
        app = self.face
        # While the program ends, the lines go before what would write on them.
        if not self.is_mounted or not app.session.ready or not self.query(StatusLine):
            return
        headline = app.verbs.headline()
        active = self.pane.NAME if self.pane is not None else "records"
        self.query_one(StatusLine).show(headline, active)
        banner = self.query_one(Banner)
        if app.session.engine_failure:
            banner.show(
                f"✕ {app.session.engine_failure} {app.keys.key('sync-now')} starts it again.", "danger"
            )
        elif headline.liveness not in {"live", "starting"}:
            banner.show(headline.sentence)
        else:
            banner.show("")
        self.refresh_footer()

    def refresh_footer(self) -> None:
        """Show the keys that work now."""
        if not self.is_current or self.pane is None or not self.query(FooterLine):
            return
        app, contexts = self.face, self.face.contexts()
        actions = [action for action in app.available(contexts) if action.in_footer(contexts)]
        self.query_one(FooterLine).show(app.keys, actions, self.pane.footer_left(), self.pane.other_side())

    def on_descendant_focus(self) -> None:
        """Show the keys of what has the focus now."""
        self.refresh_footer()

    async def _tick(self) -> None:
        try:
            await self.face.verbs.wake_conflicts()
        except StoreError as error:
            self.face.say_error(error)
        if self.pane is not None and self.pane.children:
            self.pane.tick()
        self.refresh_lines()

    @on(PaneAsked)
    def _pane_asked(self, event: PaneAsked) -> None:
        self.go(event.pane)


def _make(name: str) -> Pane:
    from attio_console.tui.panes import PANE_TYPES

    return PANE_TYPES[name]()
