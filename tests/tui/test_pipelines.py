"""Pipelines: a board whose cards move with one key."""

from __future__ import annotations

import workspace as w
from conftest import Desk, Open

from attio_console.tui.dialogs.pick import PickDialog


async def _board(d: Desk) -> None:
    await d.press("2")
    await d.until(lambda: d.app.main.query("PipelinesPane") and d.pipelines.board.stages, "the board")
    await d.settled()


async def test_stages_show_count_and_sum(desk: Open) -> None:
    async with desk(size=(160, 45)) as d:
        await _board(d)
        text = d.screen_text()
        for stage in ("Lead", "Qualified", "Proposal", "Negotiation", "Won", "Lost"):
            assert stage in text
        assert "8 cards" in text
        assert "€ 72 k" in text
        assert "▲" in text


async def test_a_card_moves_with_one_key_and_the_cursor_goes_with_it(desk: Open) -> None:
    async with desk() as d:
        await _board(d)
        card = d.pipelines.board.current
        assert card is not None
        await d.press("L")
        await d.until(lambda: d.pipelines.board.at == 1, "the move")
        moved = d.pipelines.board.current
        assert moved is not None and moved.entry_id == card.entry_id
        assert moved.edit == "pending"
        assert d.app.verbs.headline().outbox == 1
        await d.press("u")
        await d.until(lambda: d.pipelines.board.at == 0, "the undo")
        await d.press("shift+right")
        await d.until(lambda: d.pipelines.board.at == 1, "the same with an arrow")


async def test_the_ends_answer_with_the_reason(desk: Open) -> None:
    async with desk() as d:
        await _board(d)
        await d.press("H")
        assert "This is the first stage." in d.said
        assert d.app.verbs.headline().outbox == 0


async def test_the_stage_can_be_named(desk: Open) -> None:
    async with desk() as d:
        await _board(d)
        await d.press("m")
        assert isinstance(d.app.screen, PickDialog)
        await d.type("won")
        await d.press("enter")
        await d.until(lambda: d.pipelines.board.at == 4, "the move")
        assert "Won" in d.screen_text()


async def test_marked_cards_move_together(desk: Open) -> None:
    async with desk() as d:
        await _board(d)
        await d.press("space", "space")
        assert "● 2 marked" in d.screen_text()
        await d.press("L")
        await d.until(lambda: d.app.verbs.headline().outbox == 2, "both moves")
        await d.press("u")
        await d.until(lambda: d.app.verbs.headline().outbox == 0, "the undo of both")


async def test_lists_filter_and_the_record_behind_a_card(desk: Open) -> None:
    async with desk() as d:
        await _board(d)
        await d.press("J")
        await d.until(lambda: d.pipelines.list_id == w.HIRING, "the next list")
        await d.press("K", "slash")
        await d.type("globex")
        await d.until(lambda: "1 card" in d.screen_text(), "the filter")
        await d.press("enter")
        while d.pipelines.board.current is None:
            await d.press("l")
        await d.press("enter")
        await d.until(lambda: d.app.main.pane is d.records and d.records.opened, "the record")
        await d.until(lambda: "Globex" in d.screen_text(), "its name")


async def test_a_value_of_the_entry_is_edited(desk: Open) -> None:
    async with desk() as d:
        await _board(d)
        await d.press("e")
        await d.type("value")
        await d.press("enter")
        await d.until(lambda: d.app.screen.query("Form Input"), "the editor")
        d.app.screen.query_one("Input").value = "99000"  # type: ignore[attr-defined]
        await d.press("enter")
        await d.until(lambda: "99,000" in d.screen_text(), "the new value")


async def test_an_empty_list_and_a_narrow_screen(desk: Open) -> None:
    async with desk(size=(80, 24)) as d:
        await _board(d)
        assert "›" in d.screen_text()
        for _ in range(5):
            await d.press("l")
        assert d.pipelines.board.at == 5
        assert "Lost" in d.screen_text()
        await d.press("L")
        assert "No card is under the cursor." in d.said
