"""The screen: panes over one console, keys through one table, and the engine at work in the same loop."""

from __future__ import annotations

import asyncio
import gc
import inspect
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.segment import Segments
from rich.traceback import Traceback
from textual import events, on
from textual.app import App
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, TextArea

from attio_console.errors import ConsoleError
from attio_console.model.clock import Clock, SystemClock
from attio_console.model.text import plain
from attio_console.services.actions import Action, Keymap, keymap
from attio_console.services.types import Changed, Done
from attio_console.tui import clipboard, theme
from attio_console.tui.main_screen import MainScreen
from attio_console.tui.pane import FilterBox
from attio_console.tui.session import Session
from attio_console.tui.small import MIN_HEIGHT, MIN_WIDTH, TooSmall
from attio_console.tui.typed_ahead import TypedAhead

if TYPE_CHECKING:
    from attio_console.services.console import Console

Opener = Callable[[], AbstractAsyncContextManager["Console"]]


class ConsoleApp(App[int], inherit_bindings=False):
    """Attio in a terminal. `opener` opens the console; the first picture does not wait for it."""

    TITLE = "attio-console"
    CSS_PATH = Path(__file__).with_name("console.tcss")
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - declared by Textual
        (0, "-narrow"),
        (100, "-wide"),
        (160, "-very-wide"),
    ]

    def __init__(
        self,
        opener: Opener,
        *,
        engine: bool = True,
        clock: Clock | None = None,
        keys: Keymap | None = None,
        mouse: bool = True,
        starting_theme: str = "",
    ) -> None:
        super().__init__()
        self.clock: Clock = clock or SystemClock()
        self.keys = keys or keymap()
        self.mouse = mouse
        self.starting_theme = starting_theme or theme.DARK.name
        self.failure: ConsoleError | None = None
        self._memory_settled = False
        self.ahead = TypedAhead(self)
        self.session = Session(self, opener, engine=engine)
        self._main = MainScreen()

    # -- life -------------------------------------------------------------------------------------------------

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return the colours of this program for themes that do not name them."""
        base = self.current_theme
        return theme.own_variables(base.to_color_system().generate())

    def on_load(self) -> None:
        """Register the themes before anything is styled."""
        for own in theme.THEMES:
            self.register_theme(own)
        self.theme = self.starting_theme

    def get_default_screen(self) -> Screen[object]:
        """Return the screen with the panes."""
        return self._main

    def on_mount(self) -> None:
        """Open the console behind the first picture."""
        self.run_worker(self.session.run(), group="session", exit_on_error=True)

    @property
    def verbs(self) -> Console:
        """What the operator can do; `console` is Textual's word for the terminal."""
        return self.session.console

    @property
    def main(self) -> MainScreen:
        """The screen with the panes."""
        return self._main

    def opened(self) -> None:
        """Fill the screen: the console is open."""
        kept = self.verbs.preference("theme") or {}
        # What was picked on screen holds until the config file says something new.
        if kept.get("over") == self.starting_theme and kept.get("name") in self.available_themes:
            self.theme = kept["name"]
        self._main.opened()

    def prefer(self, name: str, value: object) -> None:
        """Keep what a person arranged; it is on disk a moment later, whatever happens to the screen."""
        if self.session.ready:
            self.run_worker(self.verbs.prefer(name, value), group="preference", exit_on_error=True)

    def settle_memory(self) -> None:
        """Once the first rows are on screen: what exists now lives as long as the program.

        The collector need not walk it again and again, which is what a late key would wait for.
        """
        if not self._memory_settled:
            self._memory_settled = True
            self.call_after_refresh(self._freeze_memory)

    @staticmethod
    def _freeze_memory() -> None:
        gc.collect()
        gc.freeze()

    def _fatal_error(self) -> None:
        # Textual prints the values of local variables with a traceback; here they may be tokens and people's data.
        self.bell()
        trace = Traceback(show_locals=False, width=None)
        self._exit_renderables.append(Segments(self.console.render(trace, self.console.options)))
        self._close_messages_no_wait()

    def failed(self, error: ConsoleError) -> None:
        """Leave with a sentence: the console could not be opened."""
        self.failure = error
        self.exit(1, return_code=1)

    def store_changed(self, changed: Changed) -> None:
        """Tell the screen that the store is different."""
        self._main.store_changed(changed)

    # -- keys to actions --------------------------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        """Turn a key into an action before Textual sees it; what means nothing here goes on its usual way."""
        key = event if isinstance(event, events.Key) and not event.is_forwarded else None
        if key is not None and (self.ahead.hold(key) or self._take_key(key)):
            return
        await super().on_event(event)

    @on(TypedAhead.Released)
    async def _released(self) -> None:
        for key in self.ahead.take():
            await self.on_event(key)

    def _take_key(self, event: events.Key) -> bool:
        focused = self.focused
        if (
            isinstance(focused, Input | TextArea)
            and event.character is not None
            and event.is_printable
            and not _claims(focused, event.character)
        ):
            return False
        character = event.character
        key = (
            character
            if character and len(character) == 1 and event.is_printable and character != " "
            else event.key
        )
        action = self.keys.resolve(key, self.contexts())
        if action is None:
            return False
        event.stop()
        if isinstance(focused, FilterBox):
            # Behind the letters that are on their way into the box, and before whatever comes next.
            self.ahead.begin()
            focused.post_message(FilterBox.Asked(action))
        else:
            self.perform(action)
        return True

    @on(FilterBox.Asked)
    def _asked_in_filter(self, event: FilterBox.Asked) -> None:
        self.perform(event.action)
        self.ahead.end()

    def contexts(self) -> tuple[str, ...]:
        """Return the contexts that hold now, narrowest first."""
        screen = self.screen
        focused = self.focused
        for place in (focused, screen):
            asked = getattr(place, "contexts", None)
            if asked is not None:
                found: tuple[str, ...] = asked()
                return found
        return ()

    def perform(self, action: Action) -> None:
        """Do what a key, the palette or `?` asked for, or answer with the reason why not."""
        handler, _ = self._handler(action)
        if handler is None:
            return
        reason = self.reason_against(action)
        if reason:
            self.refuse(reason)
        else:
            self._call(handler)

    def available(self, contexts: Sequence[str]) -> list[Action]:
        """Return what can be asked for here: actions that a key reaches and that something on screen answers to."""
        return [action for action in self.keys.available(contexts) if self._handler(action)[0] is not None]

    def reason_against(self, action: Action) -> str | None:
        """Return why an action cannot be done now, or None."""
        if action.writes and self.session.ready and self.verbs.read_only:
            return "This profile is read-only: nothing can be changed from here."
        _, place = self._handler(action)
        ask = getattr(place, "why_not", None)
        answer: str | None = ask(action.id) if ask is not None else None
        return answer

    def _handler(self, action: Action) -> tuple[Callable[[], object] | None, object]:
        name = "act_" + action.id.replace("-", "_")
        for place in self._places():
            handler = getattr(place, name, None)
            if handler is not None:
                return handler, place
        return None, None

    def _places(self) -> list[object]:
        screen = self.screen
        places: list[object] = list(self.focused.ancestors_with_self) if self.focused else [screen]
        if screen is self._main and self._main.pane is not None and self._main.pane not in places:
            places.insert(0, self._main.pane)
        if self not in places:
            places.append(self)
        return places

    def _call(self, handler: Callable[[], object]) -> None:
        try:
            result = handler()
        except ConsoleError as error:
            self.say_error(error)
            return
        if inspect.isawaitable(result):
            self.start(result)

    def start(self, work: Awaitable[object]) -> None:
        """Let something a person asked for run, and say how it ended.

        What is typed before it has asked its question, or has ended, is for what comes of it and waits that long.
        """
        self.ahead.begin()
        self.run_worker(self._finish(work), group="action", exit_on_error=True)

    async def _finish(self, result: Awaitable[object]) -> None:
        try:
            done = await result
        except ConsoleError as error:
            self.say_error(error)
            return
        finally:
            self.ahead.end()
        if isinstance(done, Done):
            self.say(done.message)
        self._main.refresh_lines()

    # -- words ------------------------------------------------------------------------------------------------

    def say(self, sentence: str) -> None:
        """Tell what was done."""
        if sentence:
            self.notify(plain(sentence), markup=False, timeout=4)

    def refuse(self, reason: str) -> None:
        """Tell why a key does nothing now."""
        self.notify(plain(reason), severity="warning", markup=False, timeout=4)

    def say_error(self, error: ConsoleError) -> None:
        """Tell what went wrong and what helps."""
        words = error.advice
        self.notify(plain(words), title=error.title, severity="error", markup=False, timeout=8)

    # -- size -------------------------------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        """Cover a terminal that is too small with a sentence, and give everything back when it grows."""
        small = event.size.width < MIN_WIDTH or event.size.height < MIN_HEIGHT
        covered = isinstance(self.screen, TooSmall)
        if small and not covered:
            self.push_screen(TooSmall())
        elif not small and covered:
            self.pop_screen()

    # -- actions of the whole program -------------------------------------------------------------------------

    def act_quit(self) -> None:
        """Leave; what waits stays on disk."""
        self.exit(0)

    def act_interrupt(self) -> None:
        """Copy the selected text, or say how to leave."""
        selected = self.screen.get_selected_text()
        if selected:
            self.copy_to_clipboard(selected)
            self.say(f"Copied {len(selected)} characters.")
        else:
            self.say(f"{self.keys.key('quit')} quits. What waits to be sent is kept.")

    def act_close(self) -> None:
        """Close a dialog without doing anything."""
        self.screen.dismiss(None)

    def copy(self, values: Sequence[str]) -> None:
        """Put text on the clipboard and say how much of it there is."""
        text = "\n".join(values)
        if len(text) > clipboard.LIMIT:
            self.refuse(
                f"That is {len(text):,} characters; terminals take {clipboard.LIMIT:,}. x saves it to a file."
            )
            return
        self.copy_to_clipboard(text)
        self.run_worker(clipboard.copy_natively(text), group="clipboard", exit_on_error=False)
        shown = (
            values[0]
            if len(values) == 1 and len(values[0]) <= 40
            else f"{len(values):,} values, {len(text):,} characters"
        )
        self.say(f"Copied {shown}.")

    async def wait_closed(self) -> None:
        """Wait until store and engine have been put away."""
        await self.session.closed.wait()


def _claims(focused: Widget, character: str) -> bool:
    claims = getattr(focused, "claims", None)
    return bool(claims is not None and claims(character))


async def run_app(app: ConsoleApp) -> int:
    """Run the app to its end and return the exit code."""
    code = await app.run_async(mouse=app.mouse)
    if app.session.started:
        await app.wait_closed()
    return code if code is not None else (app.return_code or 0)


def run_until_closed(app: ConsoleApp) -> int:
    """Run the app on a loop of its own."""
    return asyncio.run(run_app(app))
