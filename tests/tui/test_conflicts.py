"""Conflicts: the queue, and one of them field by field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import workspace as w
from conftest import Desk, Open
from textual.widgets import Input

from attio_console.services.types import ConflictDetail, ConflictField, ConflictLine, ConflictSide
from attio_console.store.types import NewConflict
from attio_console.tui.deciding import Decision, difference, sign_of
from attio_console.tui.dialogs.confirm import Confirm


async def _queue(d: Desk) -> None:
    await d.press("4")
    await d.until(lambda: d.app.main.query("ConflictsPane") and d.conflicts.table.loaded, "the queue")
    await d.settled()


async def test_the_queue_says_what_with_whom_and_what_is_suggested(desk: Open) -> None:
    async with desk(size=(160, 45), prepare=w.differ) as d:
        await _queue(d)
        text = d.screen_text()
        assert "Ada Lovejoy" in text
        assert "Salesforce" in text
        assert "edited later by a person" in text
        assert "Conflicts 1" in text


async def test_no_conflicts_is_a_sentence(desk: Open) -> None:
    async with desk() as d:
        await _queue(d)
        assert "No conflicts." in d.screen_text()
        await d.press("enter")
        assert "No conflict is under the cursor." in d.said


async def test_both_sides_base_and_who_when_are_shown(desk: Open) -> None:
    async with desk(prepare=w.differ) as d:
        await _queue(d)
        await d.press("enter")
        text = d.screen_text()
        for words in (
            "Base",
            "Attio",
            "Salesforce",
            "Result",
            "Omar Khan · 5 m",
            "integration user · 3 h",
            "+45 32 10 00 07",
        ):
            assert words in text, words
        assert "1 more field changed on one side only" in text
        await d.press("tab")
        assert "✔ Score" in d.screen_text()


async def test_choosing_goes_on_to_the_next_undecided_field(desk: Open) -> None:
    async with desk(prepare=w.differ) as d:
        await _queue(d)
        await d.press("enter")
        view = d.conflicts.view
        assert view.field is not None and view.field.slug == "phone_numbers"
        await d.press("left")
        assert view.decision is not None and view.decision.choices == {"phone_numbers": "attio"}
        assert view.field.slug == "job_title"
        await d.press("l")
        assert view.decision.choices["job_title"] == "external"
        assert view.decision.undecided == ()
        await d.press("u")
        assert "job_title" not in view.decision.choices
        await d.press("backspace")
        await d.press("k", "backspace")
        assert view.decision.choices == {}


async def test_apply_answers_with_the_reason_until_nothing_is_open(desk: Open) -> None:
    async with desk(prepare=w.differ) as d:
        await _queue(d)
        await d.press("enter", "enter")
        assert any("No choice yet for Phone numbers, Job title" in said for said in d.said)
        assert "Not ready" in d.screen_text()
        assert d.app.verbs.conflict_count() == 1


async def test_keys_that_do_not_fit_a_field_say_why(desk: Open) -> None:
    async with desk(prepare=w.differ) as d:
        await _queue(d)
        await d.press("enter", "j", "b", "space")
        assert any("holds one value only" in said for said in d.said)
        assert any("There is no suggestion for Job title" in said for said in d.said)
        await d.press("k", "b")
        assert d.conflicts.view.decision is not None
        assert d.conflicts.view.decision.choices == {"phone_numbers": "both"}


async def test_the_screen_stacks_where_it_is_narrow(desk: Open) -> None:
    async with desk(size=(80, 24), prepare=w.differ) as d:
        await _queue(d)
        await d.press("enter")
        text = d.screen_text()
        lines = text.splitlines()
        assert any("Base" in line and "+45 32 10 00 00" in line for line in lines)
        assert any("Salesforce" in line and "integration user" in line for line in lines)
        assert "Enter apply" in text
        await d.press("escape")
        assert "Suggestion" in d.screen_text() or "What" in d.screen_text()


async def test_snoozing_takes_it_out_of_the_queue(desk: Open) -> None:
    async with desk(prepare=w.differ) as d:
        await _queue(d)
        await d.press("w", "enter")
        await d.until(lambda: d.conflicts.table.total == 0, "the empty queue")


async def test_the_filter_of_the_queue(desk: Open, tmp_path: Path) -> None:
    async with desk(prepare=w.differ) as d:
        await _queue(d)
        await d.press("slash")
        await d.type("hubspot")
        await d.until(lambda: d.conflicts.table.total == 0, "nothing of HubSpot")
        assert "No conflict matches." in d.screen_text()
        await d.press("escape")
        await d.until(lambda: d.conflicts.table.total == 1, "all of them")


async def test_one_can_write_the_value_oneself(desk: Open) -> None:
    async with desk(prepare=w.differ) as d:
        await _queue(d)
        await d.press("enter", "j", "e")
        await d.until(lambda: d.app.screen.query(Input), "the editor")
        assert d.app.screen.query_one(Input).value == "Head of Procurement"
        await d.press("escape")


def _side(text: str) -> ConflictSide:
    return ConflictSide(text, (text,) if text else ())


def _detail(revision: int = 1, attio: str = "a") -> ConflictDetail:
    line = ConflictLine(1, "field", "hubspot", "X", "Name differs", "?", "open", w.NOW, ("Name",), "r", "c")
    fields = (
        ConflictField("name", "Name", "text", False, _side("b"), _side(attio), _side("e"), "name", None, ""),
        ConflictField(
            "tags", "Tags", "select", True, _side("x"), _side("x, y"), _side("x, z"), "tags", "attio", ""
        ),
    )
    return ConflictDetail(line, "", "contacts", "1", "poll", fields, (), revision)


def test_a_side_that_moves_takes_only_its_own_choice_away() -> None:
    decision = Decision(_detail())
    decision.choose("name", "attio")
    decision.choose("tags", "both")
    assert decision.moved(_detail(2, attio="changed")) == ("Name",)
    assert decision.choices == {"tags": "both"}
    assert decision.undecided == ("Name",)
    assert decision.undo() == "tags"
    assert decision.undo() is None


def test_results_are_what_each_choice_comes_to() -> None:
    decision = Decision(_detail())
    name, tags = decision.detail.fields
    assert decision.result(name) is None
    for choice, result in (
        ("attio", "a"),
        ("external", "e"),
        ("base", "b"),
        ("empty", ""),
        (("set", "mine"), "mine"),
    ):
        decision.choose("name", choice)
        assert decision.result(name) == result
        assert sign_of(decision.choices["name"]) != "?"
    decision.choose("tags", "both")
    assert decision.result(tags) == "x, y, z"


def test_only_what_differs_is_pointed_out() -> None:
    assert difference("+45 32 10 00 99", "+45 32 10 00 07") == (13, 15)
    assert difference("same", "same") == (4, 4)
    assert difference("ab", "aXb") == (1, 2)


async def never_compared(store: Any) -> None:
    number = await w.differ(store)
    row = store.conflicts.get(number)
    fields = [field | {"has_base": False, "base": None} for field in row.fields]
    await store.conflicts.update(number, fields=fields)


async def test_without_a_base_there_is_none_to_take(desk: Open) -> None:
    async with desk(prepare=never_compared) as d:
        await _queue(d)
        await d.press("enter", "0")
        assert "Both sides never agreed on a value before; there is no base." in d.said
        assert "? not decided" in d.screen_text()


async def gone_there(store: Any) -> None:
    """HubSpot deleted what was changed here."""
    document = {
        "slug": "record", "title": "Record", "type": "text", "multi": False, "has_base": True, "base": ["Ada Lovejoy"],
        "attio": ["Ada Lovejoy"], "external": [], "suggestion": "attio", "why": "deleted in HubSpot",
    }  # fmt: skip
    await store.conflicts.open(
        NewConflict(
            "delete-against-edit",
            "hubspot",
            w.PEOPLE,
            w.uid("person/1"),
            "Ada Lovejoy",
            [document],
            None,
            "contacts",
            "77",
            "poll",
        )
    )


async def test_following_a_deletion_is_named_and_asked_about(desk: Open) -> None:
    async with desk(prepare=gone_there) as d:
        await _queue(d)
        await d.press("enter", "left")
        assert "Keeps Ada Lovejoy in Attio; it has no counterpart in HubSpot any more." in d.screen_text()
        await d.press("right")
        assert "Deletes Ada Lovejoy in Attio, too. This cannot be undone." in d.screen_text()
        await d.press("enter")
        assert isinstance(d.app.screen, Confirm)
        await d.until(lambda: "Delete Ada Lovejoy in Attio?" in d.screen_text(), "the question")
        await d.press("n")
        assert d.app.verbs.conflict_count() == 1
        await d.press("enter", "y")
        assert d.app.verbs.conflict_count() == 0
        assert [item.kind for item in d.app.verbs.store.outbox.items()] == ["delete"]


async def doubtful(store: Any) -> None:
    """Two contacts of HubSpot could be the same person."""
    candidates = [
        {
            "object_key": "people", "collection": w.PEOPLE, "record_id": w.uid("person/1"), "external_type": "contacts",
            "external_id": number, "score": 0.9, "label": f"Ada {number}",
        }
        for number in ("77", "78")
    ]  # fmt: skip
    document = {
        "slug": "record", "title": "Record", "type": "text", "multi": False, "has_base": False, "base": [],
        "attio": ["Ada Lovejoy (1)"], "external": ["Ada (77)", "Ada (78)"], "suggestion": None, "why": "two look like it",
    }  # fmt: skip
    await store.conflicts.open(
        NewConflict(
            "ambiguous-pair",
            "hubspot",
            w.PEOPLE,
            w.uid("person/1"),
            "Ada Lovejoy",
            [document],
            None,
            "contacts",
            "77",
            "poll",
            {"candidates": candidates},
        )
    )


async def test_choosing_a_counterpart_says_who_is_linked_with_whom(desk: Open) -> None:
    async with desk(prepare=doubtful, size=(160, 40)) as d:
        await _queue(d)
        await d.press("enter", "right")
        assert "Links Ada Lovejoy with HubSpot Ada 77 (77). The other one stays apart." in d.screen_text()
        await d.press("0")
        assert "Links Ada Lovejoy with none of them: they are not the same." in d.screen_text()
        await d.press("enter")
        states = [pair.state for pair in d.app.verbs.store.pairs.by_record(w.uid("person/1"), "hubspot")]
        assert states == ["rejected", "rejected"]
