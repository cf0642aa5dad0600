"""Choosing from a list that narrows: what is taken is what was typed for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import workspace as w
from conftest import Desk, Open
from textual.app import App

from attio_console.tui.dialogs.pick import Pick, PickDialog


class Slow:
    """A finder that answers when it is let."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, text: str) -> Sequence[Pick]:
        await self.open.wait()
        return [Pick(name, name) for name in ("Ada", "Bob", "Cyd") if name.lower().startswith(text)]


class Asking(App[None]):
    """Nothing but a question."""

    answer: tuple[str, ...] | None = None

    async def ask(self, dialog: PickDialog) -> None:
        def taken(answer: tuple[str, ...] | None) -> None:
            self.answer = answer

        await self.push_screen(dialog, taken)


async def test_enter_before_the_answer_takes_what_was_typed_for() -> None:
    app, finder = Asking(), Slow()
    async with app.run_test() as pilot:
        await app.ask(PickDialog("Who?", finder))
        await pilot.pause()
        finder.open.clear()
        await pilot.press("b", "enter")
        assert app.answer is None
        finder.open.set()
        await pilot.pause()
        await pilot.pause()
        assert app.answer == ("Bob",)


async def test_space_and_enter_before_the_answer_choose_in_that_order() -> None:
    app, finder = Asking(), Slow()
    async with app.run_test() as pilot:
        await app.ask(PickDialog("Who?", finder, several=True))
        await pilot.pause()
        finder.open.clear()
        await pilot.press("c", "space", "enter")
        assert app.answer is None
        finder.open.set()
        await pilot.pause()
        await pilot.pause()
        assert app.answer == ("Cyd",)


async def on_company(d: Desk) -> None:
    await d.press("j", "enter")
    while (field := d.records.view.field) is None or field.slug != "company":
        await d.press("j")
    await d.press("e")


async def test_a_name_that_nobody_has_does_not_empty_the_field(desk: Open) -> None:
    async with desk() as d:
        await on_company(d)
        await d.type("zzqq")
        await d.press("enter")
        assert isinstance(d.app.screen, PickDialog)
        assert "No record has that name" in d.screen_text()
        await d.press("escape")
        assert d.app.verbs.editable_text(w.PEOPLE, w.uid("person/1"), "company") != ""


async def test_with_nothing_typed_a_field_can_be_emptied(desk: Open) -> None:
    async with desk() as d:
        await on_company(d)
        await d.press("up", "enter")
        assert "set. u undoes" in d.said[-1]
        assert d.records.view.field is not None
        assert d.app.verbs.editable_text(w.PEOPLE, d.records.view.detail.record_id, "company") == ""  # type: ignore[union-attr]
