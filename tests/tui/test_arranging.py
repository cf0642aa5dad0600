"""What a person arranged on the screen is there again: columns, order, colours, the pane, and saved views."""

from __future__ import annotations

from pathlib import Path

import workspace as w
from conftest import Open

from attio_console.model.clock import FakeClock
from attio_console.services.actions import keymap
from attio_console.services.opening import open_console
from attio_console.store import Store
from attio_console.tui.app import ConsoleApp
from attio_console.tui.dialogs.views import ViewsDialog


async def test_columns_order_colours_object_and_pane_are_there_the_next_day(desk: Open) -> None:
    async with desk() as d:
        before = [column.slug for column in d.records.records_table.columns]
        await d.press(">", "c")
        await d.type("company")
        await d.press("space", "enter")
        after = [column.slug for column in d.records.records_table.columns]
        assert after == [slug for slug in before if slug != "company"]
        await d.press("p", "ctrl+t", "down", "enter")
        theme, preview = d.app.theme, d.records.preview_is_on()
        await d.press("J", "J", "2")
        await d.until(lambda: d.app.main.query("PipelinesPane"), "the board")
        await d.press("J", "1")
    async with desk() as d:
        assert [column.slug for column in d.records.records_table.columns] == after
        assert d.records.sorts == (("name", True),)
        assert d.records.records_table.current is not None
        assert d.app.theme == theme
        assert d.records.preview_is_on() == preview
        await d.press("2")
        await d.until(lambda: d.app.main.query("PipelinesPane"), "the board")
        assert d.pipelines.list_id == w.HIRING


async def test_the_pane_in_front_comes_back(desk: Open, tmp_path: Path) -> None:
    async with desk() as d:
        await d.press("4")
        await d.until(lambda: d.app.main.query("ConflictsPane"), "the queue")
        await d.settled()
    options = w.options(tmp_path)
    app = ConsoleApp(lambda: open_console(options), engine=False, clock=options.clock)
    async with app.run_test(size=(120, 36)) as pilot:
        while app.main.pane is None:
            await pilot.pause(0.01)
        assert app.main.pane.NAME == "conflicts"
    await app.wait_closed()


async def test_an_order_is_on_disk_while_the_console_still_runs(desk: Open, tmp_path: Path) -> None:
    async with desk() as d:
        await d.press("<")
        other = await Store.open(tmp_path / w.WORKSPACE, FakeClock(w.NOW))
        try:
            assert other.state.get(f"face:acme-prod:table:{w.PEOPLE}")["sorts"] == [["name", False]]
        finally:
            await other.close()


async def test_a_theme_of_the_config_file_holds_until_another_is_picked(desk: Open, tmp_path: Path) -> None:
    async with desk() as d:
        await d.press("ctrl+t", "down", "enter")
        picked = d.app.theme
    options = w.options(tmp_path)
    for starting, expected in (("", picked), ("nord", "nord")):
        app = ConsoleApp(
            lambda: open_console(options), engine=False, clock=options.clock, starting_theme=starting
        )
        async with app.run_test() as pilot:
            while app.main.pane is None:
                await pilot.pause(0.01)
            assert app.theme == expected
        await app.wait_closed()


async def test_a_saved_view_brings_filter_order_and_columns_back(desk: Open) -> None:
    async with desk() as d:
        await d.press("slash")
        await d.type("lov")
        await d.press("enter", "<", "V")
        assert isinstance(d.app.screen, ViewsDialog)
        assert "No view is saved yet." in d.screen_text()
        await d.press("enter")
        await d.type("Lovely people")
        await d.press("enter")
        assert "View 1 is Lovely people." in d.said
        await d.press("escape", ">")
        await d.until(lambda: d.records.records_table.total == 120, "everybody")
        await d.press("V", "1")
        await d.until(lambda: d.records.records_table.total == 3, "the view")
        assert d.records.sorts == (("name", False),)
        await d.press("V")
        assert "1  Lovely people" in d.screen_text()
        await d.type("delete")
        await d.press("enter", "enter")
        await d.until(lambda: d.app.verbs.views(w.PEOPLE) == [], "the end of it")


async def test_keys_of_a_person_work_and_are_shown(tmp_path: Path) -> None:
    async with w.filled(tmp_path):
        pass
    options = w.options(tmp_path)
    keys = keymap({"filter": "F7", "sort": "none"})
    app = ConsoleApp(lambda: open_console(options), engine=False, clock=options.clock, keys=keys)
    async with app.run_test(size=(160, 36)) as pilot:
        while app.main.pane is None or not app.main.query("VirtualTable"):
            await pilot.pause(0.01)
        await pilot.pause(0.1)
        await pilot.press("f7")
        assert type(app.focused).__name__ == "FilterBox"
    await app.wait_closed()
