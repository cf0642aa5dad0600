"""Editing while the record changes under the editor."""

from __future__ import annotations

import workspace as w
from conftest import Desk, Open
from textual.widgets import Input

from attio_console.tui.dialogs.confirm import PlanDialog
from attio_console.tui.dialogs.form import Form


async def on_title(d: Desk) -> None:
    await d.press("j", "enter")
    while (field := d.records.view.field) is None or field.slug != "job_title":
        await d.press("j")


async def test_what_a_colleague_wrote_meanwhile_is_shown_before_it_is_replaced(desk: Open) -> None:
    async with desk() as d:
        await on_title(d)
        await d.press("e")
        form = d.app.screen
        assert isinstance(form, Form)
        form.query_one(Input).value = "Mine"
        await d.app.verbs.store.mirror.apply_page(w.PEOPLE, [w.person(1, job_title=w.text("Theirs"))])
        await d.press("enter")
        assert d.app.screen is form
        assert "Somebody set it to “Theirs” while you typed" in " ".join(d.screen_text().split())
        await d.press("enter")
        assert d.app.verbs.editable_text(w.PEOPLE, w.uid("person/1"), "job_title") == "Mine"


async def test_a_plan_that_is_out_of_date_is_shown_again_before_anything_is_written(desk: Open) -> None:
    async with desk() as d:
        await d.press("space", "space", "l", "l", "l")
        column = d.records.records_table.current_column
        assert column is not None and column.slug == "job_title"
        await d.press("e")
        await d.type("Mine")
        await d.press("enter")
        assert isinstance(d.app.screen, PlanDialog)
        first = next(iter(d.records.records_table.marks))
        number = next(n for n in range(120) if w.uid(f"person/{n}") == first)
        await d.app.verbs.store.mirror.apply_page(w.PEOPLE, [w.person(number, job_title=w.text("Theirs"))])
        await d.press("y")
        assert isinstance(d.app.screen, PlanDialog)
        assert "Theirs" in d.screen_text()
        assert d.app.verbs.headline().outbox == 0
        await d.press("y")
        assert d.app.verbs.headline().outbox == 2


async def test_a_form_handed_in_twice_creates_one_record(desk: Open) -> None:
    async with desk() as d:
        await d.press("a")
        await d.type("Newton, Isaac")
        await d.pilot.press("enter", "enter")
        await d.settled()
        assert len(d.app.verbs.store.outbox.created(w.PEOPLE)) == 1


async def test_a_long_form_keeps_its_complaint_and_its_keys_in_sight(desk: Open) -> None:
    for size in ((80, 24), (120, 36)):
        async with desk(size=size) as d:
            await d.press("a", "tab", "tab")
            await d.type("nobody")
            await d.press("enter")
            await d.until(lambda d=d: "✕" in d.screen_text(), "the complaint")
            assert "Esc leaves everything" in d.screen_text()
            await d.press("escape")


async def test_a_new_record_is_asked_for_its_name(desk: Open) -> None:
    async with desk() as d:
        await d.press("a")
        assert isinstance(d.app.screen, Form)
        assert next(iter(d.app.screen.values())) == "name"
