"""An edit replaces what its author saw, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from attio_console.errors import UsageError
from attio_console.services.console import Console
from tests.unit.services.one_person import ADA, PEOPLE, ada, desk


def title(console: Console) -> str:
    return console.editable_text(PEOPLE, ADA, "job_title")


async def test_a_value_that_came_while_typing_is_shown_before_it_is_replaced(tmp_path: Path) -> None:
    async with desk(tmp_path) as console:
        seen = console.current(PEOPLE, ADA, "job_title")
        await console.store.mirror.apply_page(PEOPLE, [ada("Countess")])
        with pytest.raises(UsageError, match="Countess"):
            await console.edit(PEOPLE, [ADA], "job_title", "Programmer", seen=seen)
        assert title(console) == "Countess"
        now = console.current(PEOPLE, ADA, "job_title")
        await console.edit(PEOPLE, [ADA], "job_title", "Programmer", seen=now)
        assert title(console) == "Programmer"


async def test_typing_what_somebody_else_just_wrote_is_no_quarrel(tmp_path: Path) -> None:
    async with desk(tmp_path) as console:
        seen = console.current(PEOPLE, ADA, "job_title")
        await console.store.mirror.apply_page(PEOPLE, [ada("Countess")])
        done = await console.edit(PEOPLE, [ADA], "job_title", "Countess", seen=seen)
        assert done.message.startswith("Nothing to change")


async def test_saving_what_the_editor_started_with_changes_nothing(tmp_path: Path) -> None:
    async with desk(tmp_path) as console:
        for slug in ("job_title", "home", "name"):
            text = console.editable_text(PEOPLE, ADA, slug)
            assert text
            assert (await console.edit(PEOPLE, [ADA], slug, text)).message.startswith("Nothing to change"), (
                slug
            )


async def test_one_part_of_a_place_changes_alone(tmp_path: Path) -> None:
    async with desk(tmp_path) as console:
        before = console.current(PEOPLE, ADA, "home")[0]
        text = console.editable_text(PEOPLE, ADA, "home").replace("Postcode: SW1Y", "Postcode: SW2A")
        await console.edit(PEOPLE, [ADA], "home", text)
        assert console.current(PEOPLE, ADA, "home")[0] == before | {"postcode": "SW2A"}
