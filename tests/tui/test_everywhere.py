"""What works everywhere: panes, help, palette, finder, jump, undo, themes, size, colours, leaving."""

from __future__ import annotations

import workspace as w
from conftest import Desk, Open
from textual import events
from textual.widgets import Input, OptionList

from attio_console.errors import StoreUnavailable
from attio_console.services.opening import open_console
from attio_console.services.types import Changed
from attio_console.tui.app import ConsoleApp, run_app
from attio_console.tui.dialogs.about import About
from attio_console.tui.dialogs.pick import PickDialog
from attio_console.tui.header import PANES
from attio_console.tui.small import TooSmall


async def _visit(d: Desk, name: str) -> None:
    await d.press(str([pane for pane, _ in PANES].index(name) + 1))
    await d.until(lambda: d.app.main.pane is not None and name == d.app.main.pane.NAME, name)
    await d.settled()


async def test_five_keys_five_panes_and_the_way_back(desk: Open) -> None:
    async with desk(prepare=w.differ) as d:
        for name, title in PANES:
            await _visit(d, name)
            assert f"▌{title}" in d.screen_text()
        await d.press("minus")
        await d.until(lambda: d.app.main.pane is d.conflicts, "the pane before")
        await d.press("tab")
        await d.until(lambda: d.app.main.pane is d.outbox, "the next pane")


async def test_every_action_offered_anywhere_is_answered_there(desk: Open) -> None:
    async with desk(prepare=w.differ) as d:
        offered: set[str] = set()
        for name, _ in PANES:
            await _visit(d, name)
            contexts = d.app.contexts()
            for action in d.app.available(contexts):
                offered.add(action.id)
            if name == "records":
                await d.press("enter")
                offered |= {action.id for action in d.app.available(d.app.contexts())}
                await d.press("escape", "slash")
                offered |= {action.id for action in d.app.available(d.app.contexts())}
                await d.press("escape")
            if name == "conflicts":
                await d.press("enter")
                offered |= {action.id for action in d.app.available(d.app.contexts())}
                await d.press("escape")
        missing = (
            {action.id for action in d.app.keys.actions} - offered - {"close", "yes", "no", "copy-request"}
        )
        assert missing == set()


async def test_help_lists_what_works_here_and_runs_it(desk: Open) -> None:
    async with desk() as d:
        await d.press("question_mark")
        assert isinstance(d.app.screen, PickDialog)
        assert "Keys in Records" in d.screen_text()
        await d.type("next object")
        await d.press("enter")
        await d.until(lambda: d.records.collection == w.COMPANIES, "the action")


async def test_the_palette_finds_an_action_by_name(desk: Open) -> None:
    async with desk() as d:
        await d.press("ctrl+p")
        await d.type("conflicts")
        await d.press("enter")
        await d.until(lambda: d.app.main.pane is not None and d.app.main.pane.NAME == "conflicts", "the pane")


async def test_about_says_what_a_pane_is_for(desk: Open) -> None:
    async with desk() as d:
        await d.press("f1")
        assert isinstance(d.app.screen, About)
        assert "u takes it back" in d.screen_text().replace("\n", " ")
        await d.press("escape")
        assert len(d.app.screen_stack) == 1


async def test_the_finder_goes_to_a_record_anywhere(desk: Open) -> None:
    async with desk() as d:
        await d.press("ctrl+k")
        await d.type("hooli")
        await d.until(
            lambda: d.app.screen.query_one(OptionList).option_count and "Hooli" in d.screen_text(), "the hit"
        )
        await d.press("enter")
        await d.until(lambda: d.records.opened and d.records.collection == w.COMPANIES, "the record")


async def test_a_jump_takes_a_filter_along(desk: Open) -> None:
    async with desk() as d:
        await d.press("colon")
        await d.type("companies glob")
        await d.press("enter")
        await d.until(lambda: d.records.records_table.total == 1, "the filtered table")
        assert d.records.collection == w.COMPANIES
        await d.press("colon")
        await d.type("nowhere")
        await d.press("enter")
        assert "There is no place called 'nowhere'." in d.screen_text()
        d.app.screen.query_one(Input).value = "sales"
        await d.press("enter")
        await d.until(
            lambda: d.app.main.pane is not None and d.app.main.pane.NAME == "pipelines", "the board"
        )


async def test_undo_and_redo_of_nothing_say_so(desk: Open) -> None:
    async with desk() as d:
        await d.press("u")
        assert any("Nothing to undo" in said for said in d.said)
        await d.press("ctrl+y")
        assert any("Nothing to redo" in said for said in d.said)


async def test_history_undoes_any_action_not_only_the_newest(desk: Open) -> None:
    async with desk() as d:
        table = d.records.records_table
        first = table.cursor_key
        assert first is not None
        await d.app.verbs.edit(w.PEOPLE, [first], "job_title", "One")
        await d.app.verbs.edit(w.PEOPLE, [w.uid("person/1")], "job_title", "Two")
        await _visit(d, "outbox")
        assert "Waiting 2" in d.screen_text()
        await d.press("right_square_bracket")
        await d.until(lambda: "you" in d.screen_text(), "the history")
        await d.press("G", "U")
        await d.until(lambda: d.app.verbs.headline().outbox == 1, "the undo of the older one")


async def test_discarding_asks_first(desk: Open) -> None:
    async with desk() as d:
        await d.app.verbs.edit(w.PEOPLE, [w.uid("person/1")], "job_title", "Two")
        await _visit(d, "outbox")
        await d.press("t")
        assert any("sent by itself" in said for said in d.said)
        await d.press("D", "n")
        assert d.app.verbs.headline().outbox == 1
        await d.press("D", "y")
        await d.until(lambda: d.app.verbs.headline().outbox == 0, "the discard")
        await d.until(lambda: "Nothing waits" in d.screen_text(), "the sentence")


async def test_themes_are_seen_as_the_cursor_moves_and_escape_puts_the_old_one_back(desk: Open) -> None:
    async with desk() as d:
        before = d.app.theme
        await d.press("ctrl+t", "down")
        await d.until(lambda: d.app.theme != before, "the preview")
        await d.press("escape")
        await d.until(lambda: d.app.theme == before, "the old colours")


async def test_every_theme_draws(desk: Open) -> None:
    async with desk() as d:
        for theme in sorted(d.app.available_themes):
            d.app.theme = theme
            await d.pilot.pause()
            assert "Ada Lovelace" in d.screen_text(), theme


async def test_a_small_terminal_gets_a_sentence_and_nothing_is_lost(desk: Open) -> None:
    async with desk() as d:
        await d.press("slash")
        await d.type("lov")
        await d.press("enter", "j")
        cursor, total = d.records.records_table.cursor_key, d.records.records_table.total
        await d.pilot.resize_terminal(60, 20)
        await d.until(lambda: isinstance(d.app.screen, TooSmall), "the sentence")
        await d.pilot.pause()
        assert "80 × 24" in d.screen_text()
        await d.press("j", "D", "q")
        await d.pilot.resize_terminal(80, 24)
        await d.until(lambda: not isinstance(d.app.screen, TooSmall), "the console")
        assert d.records.records_table.cursor_key == cursor
        assert d.records.records_table.total == total


async def test_without_colour_every_state_still_has_its_sign(desk: Open, monkeypatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with desk(prepare=w.differ) as d:
        assert d.app.no_color
        text = d.screen_text()
        assert "!⇄" in text
        assert "▸" in text
        assert "◐ stale" in text


async def test_live_changes_keep_the_cursor_and_glow(desk: Open) -> None:
    async with desk() as d:
        table = d.records.records_table
        await d.press("j", "j")
        key = table.cursor_key
        await d.app.verbs.store.mirror.apply_page(w.PEOPLE, [w.person(13, name=[])])
        changed = w.person(2, job_title=w.text("Empress"))
        await d.app.verbs.store.mirror.apply_page(w.PEOPLE, [changed])
        d.app.store_changed(Changed(frozenset(("records",)), frozenset((w.PEOPLE,)), frozenset()))
        await d.until(lambda: "Empress" in d.screen_text(), "the change")
        assert table.cursor_key == key
        assert (w.uid("person/2"), 3) in table._glowing
        await d.until(lambda: not table._glowing, "the end of the glow")


async def test_a_frozen_table_counts_what_it_misses(desk: Open) -> None:
    async with desk() as d:
        await d.press("F")
        changed = w.person(2, job_title=w.text("Empress"))
        await d.app.verbs.store.mirror.apply_page(w.PEOPLE, [changed])
        d.app.store_changed(Changed(frozenset(("records",)), frozenset((w.PEOPLE,))))
        await d.settled()
        assert "Empress" not in d.screen_text()
        assert "1 change waiting" in d.screen_text()
        await d.press("F")
        await d.until(lambda: "Empress" in d.screen_text(), "the change")


async def test_escape_and_q_go_back_one_layer_before_they_leave(desk: Open) -> None:
    async with desk() as d:
        await d.press("enter", "q")
        assert not d.records.opened
        await d.press("space", "q")
        assert not d.records.records_table.marks
        await d.press("ctrl+c")
        assert any("quits" in said for said in d.said)
        await d.press("q")
        await d.until(lambda: d.app.return_value == 0, "leaving")


async def test_what_is_typed_ahead_goes_into_the_question_it_was_meant_for(desk: Open) -> None:
    async with desk() as d:
        for key in ["4", "1", "slash", *"ada lovel", "enter", "l", "l", "l", "e", *"Dy", "enter"]:
            character = {"slash": "/", "enter": "\r"}.get(key, key)
            d.app.post_message(events.Key("space" if key == " " else key, character))
        await d.until(lambda: d.app.verbs.headline().outbox == 1, "the edit")
        (line,) = d.app.verbs.outbox()
        assert line.what == "Job title: (empty) → Dy"


async def test_a_console_that_cannot_be_opened_is_a_sentence_and_code_one(tmp_path) -> None:
    (tmp_path / w.WORKSPACE).write_text("in the way")
    options = w.options(tmp_path)
    app = ConsoleApp(lambda: open_console(options), engine=False)
    async with app.run_test() as pilot:
        for _ in range(200):
            if app.failure is not None:
                break
            await pilot.pause(0.01)
    await app.wait_closed()
    assert isinstance(app.failure, StoreUnavailable)
    assert app.return_code == 1
    assert run_app is not None
