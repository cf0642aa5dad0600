"""Records: looking, filtering, marking, editing, creating, deleting, as a person does them."""

from __future__ import annotations

from pathlib import Path

import workspace as w
from conftest import Open
from textual.widgets import Input

from attio_console.tui.dialogs.confirm import Confirm, PlanDialog
from attio_console.tui.dialogs.form import Form
from attio_console.tui.dialogs.pick import PickDialog


async def test_rows_are_there_and_text_of_a_crm_is_never_markup(desk: Open) -> None:
    async with desk() as d:
        text = d.screen_text()
        assert "[bold]Not Markup[/bold]" in text
        assert "\x1b" not in text
        assert d.records.records_table.total == 120
        assert "acme-prod" in text
        assert "? all keys" in text


async def test_moving_keeps_to_the_rows_there_are(desk: Open) -> None:
    async with desk() as d:
        table = d.records.records_table
        await d.press("k")
        assert table.cursor == 0
        await d.press("j", "down")
        assert table.cursor == 2
        await d.press("G")
        assert table.cursor == 119
        await d.press("j")
        assert table.cursor == 119
        await d.press("pageup")
        assert table.cursor == 119 - table.page_size
        await d.press("g")
        assert table.cursor == 0


async def test_the_filter_narrows_as_it_is_typed_and_escape_clears_it(desk: Open) -> None:
    async with desk() as d:
        await d.press("slash")
        await d.type("lovel")
        table = d.records.records_table
        assert table.total == 1
        assert table.current is not None and table.current.slots[0].text == "Ada Lovelace"
        assert "1 of 120" in d.screen_text()
        await d.press("enter")
        assert d.app.focused is table
        await d.press("escape")
        assert table.total == 120


async def test_letters_never_fire_while_a_filter_is_typed(desk: Open) -> None:
    async with desk() as d:
        await d.press("slash")
        await d.type("quD?1")
        assert d.app.is_running
        assert len(d.app.screen_stack) == 1
        assert d.app.main.pane is d.records


async def test_a_filter_that_is_not_understood_says_so(desk: Open) -> None:
    async with desk() as d:
        await d.press("slash")
        await d.type("jobtitle=x")
        assert "✕" in d.screen_text()
        await d.press("escape")
        assert "✕" not in d.screen_text()
        assert d.records.records_table.total == 120


async def test_nothing_found_is_a_sentence_with_a_key(desk: Open) -> None:
    async with desk() as d:
        await d.press("slash")
        await d.type("zzzz")
        text = d.screen_text()
        assert "Nothing matches “zzzz”." in text
        assert "Esc clears the filter." in text


async def test_objects_have_tabs(desk: Open) -> None:
    async with desk() as d:
        await d.press("J")
        assert d.records.collection == w.COMPANIES
        assert "株式会社ラブ" in d.screen_text()
        await d.press("K")
        assert d.records.collection == w.PEOPLE


async def test_sorting_by_the_column_under_the_cursor(desk: Open) -> None:
    async with desk() as d:
        await d.press("greater_than_sign")
        table = d.records.records_table
        await d.press("g")
        first = table.current
        assert first is not None and first.slots[0].text > "Person"
        assert "Name ▼" in d.screen_text()
        await d.press("greater_than_sign")
        assert "▼" not in d.screen_text()


async def test_columns_can_be_chosen(desk: Open) -> None:
    async with desk() as d:
        before = len(d.records.records_table.columns)
        await d.press("c")
        await d.press("down", "space", "enter")
        assert len(d.records.records_table.columns) == before - 1
        assert "Company" not in d.screen_text().splitlines()[4]


async def test_enter_opens_a_record_and_tabs_go_through_it(desk: Open) -> None:
    async with desk() as d:
        await d.press("slash")
        await d.type("lovejoy")
        await d.press("enter", "enter")
        assert "Lovejoy & Søn" in d.screen_text()
        await d.press("right_square_bracket")
        assert "She wants the contract by Friday." in d.screen_text()
        for _ in range(5):
            await d.press("right_square_bracket")
        assert '"record_id"' in d.screen_text()
        await d.press("escape")
        assert not d.records.opened


async def test_the_next_record_without_leaving_the_detail(desk: Open) -> None:
    async with desk() as d:
        await d.press("enter")
        first = d.records.view.detail
        await d.press("J")
        await d.until(lambda: d.records.view.detail != first, "the next record")
        await d.press("K")
        await d.until(lambda: d.records.view.detail == first, "the record before")


async def test_an_edit_shows_at_once_waits_in_the_outbox_and_is_undone(desk: Open) -> None:
    async with desk() as d:
        await d.press("slash")
        await d.type("lovelace")
        await d.press("enter", "enter")
        while (field := d.records.view.field) is None or field.slug != "job_title":
            await d.press("j")
        await d.press("e")
        assert isinstance(d.app.screen, Form)
        box = d.app.screen.query_one(Input)
        box.value = "Countess"
        await d.press("enter")
        await d.until(lambda: "Countess" in d.screen_text(), "the new value")
        assert "✎" in d.screen_text()
        assert d.app.verbs.headline().outbox == 1
        await d.press("escape", "u")
        await d.until(lambda: d.app.verbs.headline().outbox == 0, "the undo")
        assert any("Undone" in said for said in d.said)


async def test_a_value_that_does_not_fit_is_said_inside_the_editor(desk: Open) -> None:
    async with desk() as d:
        await d.press("enter")
        while (field := d.records.view.field) is None or field.slug != "score":
            await d.press("j")
        await d.press("e")
        d.app.screen.query_one(Input).value = "many"
        await d.press("enter")
        assert isinstance(d.app.screen, Form)
        assert "✕" in d.screen_text()
        assert d.app.screen.query_one(Input).value == "many"
        await d.press("escape")
        assert d.app.verbs.headline().outbox == 0


async def test_a_choice_is_picked_by_typing_a_part_of_it(desk: Open) -> None:
    async with desk() as d:
        await d.press("enter")
        while (field := d.records.view.field) is None or field.slug != "owner":
            await d.press("j")
        was = field.text
        await d.press("e")
        assert isinstance(d.app.screen, PickDialog)
        await d.type("omar" if was == "Jane Doe" else "jane")
        await d.press("enter")
        await d.until(lambda: d.app.verbs.headline().outbox == 1, "the edit")


async def test_several_choices_are_toggled_with_space(desk: Open) -> None:
    async with desk() as d:
        await d.press("enter")
        while (field := d.records.view.field) is None or field.slug != "tags":
            await d.press("j")
        await d.press("e", "space", "down", "space", "enter")
        await d.until(lambda: d.app.verbs.headline().outbox == 1, "the edit")
        assert "VIP" in d.screen_text() and "Partner" in d.screen_text()


async def test_a_reference_is_found_by_name(desk: Open) -> None:
    async with desk() as d:
        await d.press("enter")
        while (field := d.records.view.field) is None or field.slug != "company":
            await d.press("j")
        await d.press("e")
        await d.type("glob")
        await d.press("enter")
        await d.until(lambda: "Globex" in d.screen_text(), "the new company")


async def test_what_attio_keeps_itself_answers_with_the_reason(desk: Open) -> None:
    async with desk() as d:
        await d.press("enter", "G")
        field = d.records.view.field
        assert field is not None and not field.editable
        await d.press("e")
        assert any(field.title in said for said in d.said)
        assert len(d.app.screen_stack) == 1


async def test_marks_survive_a_filter_and_a_bulk_edit_shows_its_plan_first(desk: Open) -> None:
    async with desk() as d:
        await d.press("slash")
        await d.type("lov")
        await d.press("enter", "space", "space", "escape")
        # Esc takes the innermost thing away: the marks. Mark again, clear the filter through its box.
        assert not d.records.records_table.marks
        await d.press("g", "space", "space", "slash", "escape")
        table = d.records.records_table
        assert len(table.marks) == 2 and table.total == 120
        assert "● 2 marked" in d.screen_text()
        while table.current_column is None or table.current_column.slug != "job_title":
            await d.press("l")
        await d.press("e")
        d.app.screen.query_one(Input).value = "Partner"
        await d.press("enter")
        await d.until(lambda: isinstance(d.app.screen, PlanDialog), "the plan")
        assert d.app.verbs.headline().outbox == 0
        await d.press("y")
        await d.until(lambda: d.app.verbs.headline().outbox == 2, "the edits")
        await d.press("u")
        await d.until(lambda: d.app.verbs.headline().outbox == 0, "the undo of both")


async def test_ranges_inversion_and_same_value(desk: Open) -> None:
    async with desk() as d:
        table = d.records.records_table
        await d.press("v", "j", "j", "j", "v")
        assert len(table.marks) == 4
        await d.press("i")
        assert len(table.marks) == 116
        await d.press("asterisk")
        assert len(table.marks) == 120
        await d.press("asterisk")
        assert not table.marks
        await d.press("g", "shift+down", "shift+down")
        assert len(table.marks) == 3
        await d.press("escape", "l", "comma")
        assert len(table.marks) == 15


async def test_deleting_asks_and_the_answer_is_no(desk: Open) -> None:
    async with desk() as d:
        await d.press("D")
        assert isinstance(d.app.screen, Confirm)
        await d.press("enter")
        assert d.app.verbs.headline().outbox == 0
        await d.press("D", "y")
        await d.until(lambda: d.app.verbs.headline().outbox == 1, "the deletion")


async def test_deleting_many_needs_their_number(desk: Open) -> None:
    async with desk() as d:
        await d.press("asterisk", "D")
        await d.type("12")
        await d.press("enter")
        assert isinstance(d.app.screen, Confirm)
        await d.type("0")
        await d.press("enter")
        await d.until(lambda: d.app.verbs.headline().outbox == 120, "the deletions")


async def test_a_record_is_created_from_a_form(desk: Open) -> None:
    async with desk() as d:
        await d.press("a")
        assert isinstance(d.app.screen, Form)
        await d.type("Hopper, Grace")
        await d.press("enter")
        await d.until(lambda: any("Grace Hopper" in said for said in d.said), "the creation")
        assert d.app.verbs.headline().outbox == 1


async def test_a_note_and_a_task(desk: Open) -> None:
    async with desk() as d:
        await d.press("N")
        await d.type("Lunch")
        await d.press("tab")
        await d.type("She likes fish")
        await d.press("ctrl+s")
        await d.until(lambda: d.app.verbs.headline().outbox == 1, "the note")
        await d.press("T")
        await d.type("Send the fish menu")
        await d.press("enter")
        await d.until(lambda: d.app.verbs.headline().outbox == 2, "the task")


async def test_adding_to_a_list_asks_for_the_stage(desk: Open) -> None:
    async with desk() as d:
        await d.press("A", "enter")
        await d.until(
            lambda: isinstance(d.app.screen, PickDialog) and "stage" in d.screen_text(), "the stages"
        )
        await d.press("enter")
        await d.until(lambda: d.app.verbs.headline().outbox == 1, "the entry")


async def test_a_read_only_profile_answers_every_writing_key_with_the_reason(desk: Open) -> None:
    async with desk(read_only=True) as d:
        for key in ("e", "a", "D", "N", "T", "A", "u"):
            await d.press(key)
            assert len(d.app.screen_stack) == 1, key
        assert sum("read-only" in said for said in d.said) == 7
        assert "read-only" in d.screen_text()
        assert d.app.verbs.headline().outbox == 0


async def test_export_writes_what_is_shown(desk: Open, tmp_path: Path) -> None:
    async with desk() as d:
        await d.press("slash")
        await d.type("lovejoy")
        await d.press("enter", "x", "enter")
        path = tmp_path / "out.csv"
        d.app.screen.query_one(Input).value = str(path)
        await d.press("enter")
        await d.until(path.exists, "the file")
        await d.settled()
        text = path.read_text("utf-8")
        assert text.splitlines()[0].startswith("record_id,name")
        assert "Ada Lovejoy" in text


async def test_copying_fills_the_clipboard(desk: Open) -> None:
    async with desk() as d:
        await d.press("y")
        assert d.app.clipboard == d.records.records_table.cursor_key
        await d.press("Y")
        assert d.app.clipboard == "[bold]Not Markup[/bold]"


async def test_the_preview_follows_the_cursor_and_can_be_hidden(desk: Open) -> None:
    async with desk() as d:
        await d.press("j")
        await d.until(
            lambda: (
                d.records.view.detail
                and d.records.view.detail.record_id == d.records.records_table.cursor_key
            ),
            "the preview",
        )
        await d.press("p")
        assert not d.records.view.has_class("-shown")


async def test_the_preview_makes_room_where_the_screen_becomes_small(desk: Open) -> None:
    async with desk() as d:
        assert d.records.view.has_class("-shown")
        await d.pilot.resize_terminal(80, 24)
        await d.until(lambda: not d.records.view.has_class("-shown"), "the room")
        await d.press("p")
        assert d.records.view.has_class("-shown")
