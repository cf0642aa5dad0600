"""Choosing from what there is: options, stages, members, records, actions, themes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from attio_console.errors import ConsoleError, Superseded
from attio_console.model.text import fold
from attio_console.tui.background import replacing
from attio_console.tui.cells import fit
from attio_console.tui.dialogs.base import Dialog, words


@dataclass(frozen=True, slots=True)
class Pick:
    """One thing to choose: what is handed back, what is read, what stands beside it.

    `why_not` greys it out; `keys` stand before the title.
    """

    value: str
    title: str
    detail: str = ""
    why_not: str = ""
    keys: str = ""


Loader = Callable[[str], Awaitable[Sequence[Pick]]]


def among(picks: Iterable[Pick]) -> Loader:
    """Return a loader over what is all there already: every typed word has to occur."""
    known = [(pick, fold(f"{pick.title} {pick.detail}")) for pick in picks]

    async def load(text: str) -> Sequence[Pick]:
        wanted = fold(text).split()
        found = [pick for pick, folded in known if all(word in folded for word in wanted)]
        return (
            sorted(found, key=lambda pick: not fold(pick.title).startswith(fold(text).strip()))
            if wanted
            else found
        )

    return load


class SearchBox(Input):
    """The box above the choices. Where several may be chosen, Space chooses instead of being typed."""

    def __init__(self, placeholder: str, *, space_chooses: bool) -> None:
        super().__init__(placeholder=placeholder)
        self.cursor_blink = False
        self._space_chooses = space_chooses

    class SpacePressed(Message):
        """Space was pressed where it chooses."""

    def on_key(self, event: events.Key) -> None:
        """Take Space away from the text where it chooses."""
        if event.key == "space" and self._space_chooses:
            event.stop()
            event.prevent_default()
            self.post_message(self.SpacePressed())


class PickDialog(Dialog[tuple[str, ...]]):
    """A list that narrows as you type. Enter answers with what is chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("up", "step(-1)", ""),
        ("down", "step(1)", ""),
        ("pageup", "step(-10)", ""),
        ("pagedown", "step(10)", ""),
    ]

    def __init__(
        self,
        title: str,
        loader: Loader,
        *,
        several: bool = False,
        chosen: Iterable[str] = (),
        placeholder: str = "type to narrow",
        note: str = "",
        start: str = "",
        on_highlight: Callable[[str], None] | None = None,
        empty: str = "Nothing matches.",
        wide: bool = False,
    ) -> None:
        super().__init__()
        self._title = title
        self._loader = loader
        self._several = several
        self._chosen = list(chosen)
        self._placeholder = placeholder
        self._note = note
        self._start = start
        self._tell = on_highlight
        self._empty = empty
        self._wide = wide
        self._picks: list[Pick] = []
        self._shown_for: str | None = None
        self._then: list[Callable[[], object]] = []

    def compose(self) -> ComposeResult:
        """Make the box and the list."""
        with Vertical(classes="box -wide" if self._wide else "box"):
            yield words(self._title, "heading")
            if self._note:
                yield words(self._note, "dim")
            yield SearchBox(self._placeholder, space_chooses=self._several)
            choices = OptionList(markup=False)
            choices.can_focus = False
            yield choices
            yield words("", "error")
            several = "Space chooses · Enter accepts" if self._several else "Enter chooses"
            yield words(f"{several} · ↑ ↓ move · Esc leaves everything as it is", "hint")

    def on_mount(self) -> None:
        """Show what there is."""
        box = self.query_one(SearchBox)
        box.value = self._start
        box.focus()
        self._search(self._start)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._search(event.value)

    def _search(self, text: str) -> None:
        replacing(self, "pick", partial(self._load, text))

    async def _load(self, text: str) -> None:
        try:
            picks = await self._loader(text)
        except Superseded:
            return
        except ConsoleError as error:
            self._then.clear()
            self.complain(error)
            return
        self.accept_again()
        self._picks = list(picks)
        self._shown_for = text
        self._draw(0)
        if not text and not self._several:
            number = next((n for n, pick in enumerate(self._picks) if pick.value in self._chosen), 0)
            self.query_one(OptionList).highlighted = number if self._picks else None
        waiting, self._then = self._then, []
        for then in waiting:
            then()

    def _once_found(self, then: Callable[[], object]) -> bool:
        """Return whether the list answers to what is typed; else `then` follows once it does.

        Fast fingers must not choose from the list of what was typed before.
        """
        if self._shown_for == self.query_one(SearchBox).value:
            return True
        self._then.append(then)
        return False

    def _draw(self, highlighted: int) -> None:
        choices = self.query_one(OptionList)
        choices.clear_options()
        if not self._picks:
            choices.add_option(Option(Text(self._empty, "dim"), disabled=True))
            return
        width = min(110 if self._wide else 72, int(self.app.size.width * 0.96)) - 7
        choices.add_options(
            Option(self._prompt(pick, width), disabled=bool(pick.why_not)) for pick in self._picks
        )
        choices.highlighted = min(highlighted, len(self._picks) - 1)

    def _prompt(self, pick: Pick, width: int) -> Text:
        if pick.keys:
            return self._key_prompt(pick, width)
        mark = ("☑ " if pick.value in self._chosen else "☐ ") if self._several else ""
        detail = pick.why_not or pick.detail
        right = min(len(detail), width // 2)
        text = Text(mark + fit(pick.title, width - right - len(mark) - 1) + " ", no_wrap=True)
        text.append(fit(detail, right, True), "dim")
        return text

    @staticmethod
    def _key_prompt(pick: Pick, width: int) -> Text:
        text = Text(no_wrap=True)
        text.append(fit(pick.keys, 14, True) + "  ", "bold")
        text.append(fit(pick.title, 18) + " ", "bold" if not pick.why_not else "")
        text.append(fit(pick.why_not or pick.detail, width - 35), "dim")
        return text

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if self._tell is not None and event.option_index < len(self._picks):
            self._tell(self._picks[event.option_index].value)

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        if event.option_index < len(self._picks):
            self._take(self._picks[event.option_index])

    def action_step(self, step: int) -> None:
        """Move in the list while typing goes on."""
        choices = self.query_one(OptionList)
        if not self._picks:
            return
        now = choices.highlighted or 0
        number = now + step
        number = number % len(self._picks) if abs(step) == 1 else max(0, min(number, len(self._picks) - 1))
        choices.highlighted = number

    @on(SearchBox.SpacePressed)
    def action_choose(self) -> None:
        """Choose or unchoose what is highlighted."""
        if not self._once_found(self.action_choose):
            return
        number = self.query_one(OptionList).highlighted
        if self._several and number is not None and number < len(self._picks):
            self._toggle(self._picks[number].value)
            self._draw(number)

    def _toggle(self, value: str) -> None:
        if value in self._chosen:
            self._chosen.remove(value)
        else:
            self._chosen.append(value)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        if not self._once_found(self._submitted):
            return
        if self._several:
            self.dismiss(tuple(self._chosen))
            return
        number = self.query_one(OptionList).highlighted
        if number is not None and number < len(self._picks):
            self._take(self._picks[number])

    def _take(self, pick: Pick) -> None:
        if pick.why_not:
            return
        if self._several:
            self.action_choose()
        else:
            self.dismiss((pick.value,))
