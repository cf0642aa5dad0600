"""What a person arranged is kept with the workspace, per profile."""

from __future__ import annotations

from pathlib import Path

import pytest

from attio_console.errors import NoSuchThing, UsageError
from attio_console.services.preferences import SLOTS, SavedView, TableLook
from tests.unit.services.one_person import PEOPLE, desk


async def test_a_table_is_found_as_it_was_left_without_what_is_gone(tmp_path: Path) -> None:
    async with desk(tmp_path) as console:
        assert console.table_look(PEOPLE) == TableLook()
        look = TableLook(("nickname", "gone", "job_title"), (("job_title", True), ("gone", False)))
        await console.keep_table_look(PEOPLE, look)
        assert console.table_look(PEOPLE) == TableLook(("nickname", "job_title"), (("job_title", True),))


async def test_views_take_the_first_free_slot_and_a_name_is_there_once(tmp_path: Path) -> None:
    async with desk(tmp_path) as console:
        await console.save_view(
            PEOPLE, SavedView(0, "Poets", "job_title=Poet", (("name", False),), ("name",))
        )
        await console.save_view(PEOPLE, SavedView(0, "All"))
        assert [(view.slot, view.name) for view in console.views(PEOPLE)] == [(1, "Poets"), (2, "All")]
        await console.save_view(PEOPLE, SavedView(0, "poets", "x"))
        assert console.views(PEOPLE)[0] == SavedView(1, "poets", "x")
        await console.save_view(PEOPLE, SavedView(7, "All", "y"))
        assert [(view.slot, view.filter) for view in console.views(PEOPLE)] == [(1, "x"), (7, "y")]
        await console.delete_view(PEOPLE, 1)
        assert [view.slot for view in console.views(PEOPLE)] == [7]
        with pytest.raises(NoSuchThing):
            await console.delete_view(PEOPLE, 1)


async def test_views_have_names_and_nine_slots(tmp_path: Path) -> None:
    async with desk(tmp_path) as console:
        with pytest.raises(UsageError):
            await console.save_view(PEOPLE, SavedView(0, "  "))
        for number in range(SLOTS):
            await console.save_view(PEOPLE, SavedView(0, f"view {number}"))
        with pytest.raises(UsageError, match="9 slots"):
            await console.save_view(PEOPLE, SavedView(0, "one more"))


async def test_profiles_of_one_workspace_keep_their_own(tmp_path: Path) -> None:
    async with desk(tmp_path) as console:
        await console.prefer("pane", "sync")
        console.profile = console.profile.model_copy(update={"name": "other"})
        assert console.preference("pane") is None
