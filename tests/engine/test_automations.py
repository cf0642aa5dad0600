from __future__ import annotations

from pathlib import Path
from typing import Any

from attio_console.config.profiles import Automation
from attio_console.store.outbox import provisional_id
from attio_console.store.types import FieldEdit, NewItem
from tests.engine.conftest import Control, House, console
from tests.engine.test_outbox import add, edit, settled


def rule(list_slug: str, stage: str, **what: Any) -> Automation:
    return Automation(name="follow up", list=list_slug, stage=stage, **what)


async def stages(sandbox: Any, control: Control, directory: Path) -> tuple[str, str, str]:
    """Return a list's slug and two of its stages."""
    async with console(sandbox, directory, control) as house:
        await house.live()
        found = next(entry for entry in house.store.mirror.schema.lists if entry.status_attribute)
        status = found.status_attribute
        assert status is not None
        return found.slug, status.statuses[0].title, status.statuses[1].title


def stage_edit(house: House, slug: str, entry: str, title: str) -> NewItem:
    found = house.store.mirror.schema.list(slug)
    assert found is not None
    status = found.status_attribute
    assert status is not None
    option = status.option(title)
    assert option is not None
    return edit(house, slug, entry, status.slug, [{"id": option.id, "title": option.title}])


async def entries_not_in(house: House, slug: str, title: str, count: int = 1) -> list[str]:
    found = house.store.mirror.schema.list(slug)
    assert found is not None
    status = found.status_attribute
    assert status is not None
    rows = [house.store.mirror.row(found.id, row) for row in house.store.mirror.ids(found.id)]
    chosen = [
        row.record_id for row in rows if row and [i["title"] for i in row.values()[status.slug]] != [title]
    ]
    return chosen[:count]


def made_by_rule(house: House) -> list[str]:
    items = house.store.outbox.items(("pending", "sending", "confirmed", "refused", "dead"))
    return [item.kind for item in items if item.origin == "automation:follow up"]


async def test_entering_a_stage_writes_a_task_and_a_note_once(
    sandbox, control: Control, tmp_path: Path
) -> None:
    slug, _, second = await stages(sandbox, control, tmp_path / "a")
    automation = rule(slug, second, task="Call them", note="Entered the stage")
    async with console(sandbox, tmp_path / "b", control, automations=(automation,)) as house:
        await house.live()
        assert made_by_rule(house) == []
        (entry,) = await entries_not_in(house, slug, second)
        group = await add(house, stage_edit(house, slug, entry, second))
        assert await settled(house, group) == {"confirmed": 1}
        await house.until(lambda: len(made_by_rule(house)) == 2)
        await house.until(lambda: house.store.outbox.depth().pending == 0)
        await house.engine.sync_now()
        assert house.engine.puller is not None
        await house.engine.puller.settled()
        assert sorted(made_by_rule(house)) == ["note_create", "task_create"]
        tasks = [
            row for row in (await control.dump("tasks")).values() if row["content_plaintext"] == "Call them"
        ]
        assert len(tasks) == 1
        lines = [line for line in house.store.audit.recent(20) if line.action == "automation"]
        assert {line.field for line in lines} == {"task_create", "note_create"}


async def test_a_dry_run_only_says_what_it_would_do(sandbox, control: Control, tmp_path: Path) -> None:
    slug, _, second = await stages(sandbox, control, tmp_path / "a")
    automation = rule(slug, second, task="Call them", dry_run=True)
    async with console(sandbox, tmp_path / "b", control, automations=(automation,)) as house:
        await house.live()
        (entry,) = await entries_not_in(house, slug, second)
        await add(house, stage_edit(house, slug, entry, second))
        await house.until(
            lambda: any(line.action == "automation (dry run)" for line in house.store.audit.recent(20))
        )
        assert made_by_rule(house) == []


async def test_two_rules_that_chase_each_other_are_stopped(sandbox, control: Control, tmp_path: Path) -> None:
    slug, first, second = await stages(sandbox, control, tmp_path / "a")
    async with console(sandbox, tmp_path / "c", control) as house:
        await house.live()
        found = house.store.mirror.schema.list(slug)
        assert found is not None
        assert found.status_attribute is not None
        status = found.status_attribute.slug
    back = Automation(name="back", list=slug, stage=second, set={status: first})
    forth = Automation(name="forth", list=slug, stage=first, set={status: second})
    async with console(sandbox, tmp_path / "b", control, automations=(back, forth)) as house:
        await house.live()
        (entry,) = await entries_not_in(house, slug, second)
        await add(house, stage_edit(house, slug, entry, second))
        await house.until(lambda: any("too often" in text for text in house.engine.status().errors), 30)
        await house.until(lambda: house.store.outbox.depth().pending == 0)
        written = [
            item
            for item in house.store.outbox.items(("confirmed", "refused"))
            if item.origin.startswith("automation:")
        ]
        assert 2 <= len(written) <= 8


async def test_a_rule_that_names_nothing_says_so(sandbox, control: Control, tmp_path: Path) -> None:
    async with console(
        sandbox, tmp_path, control, automations=(rule("no_such_list", "x", note="n"),)
    ) as house:
        await house.live()
        record = next(iter(await control.dump("people")))
        await control.edit("people", record, {"job_title": "Anything"})
        await house.until(lambda: any("no_such_list" in text for text in house.engine.status().errors))


async def test_a_read_only_profile_sends_nothing_at_all(sandbox, control: Control, tmp_path: Path) -> None:
    seq = await control.seq()
    async with console(sandbox, tmp_path, control, read_only=True) as house:
        await house.live()
        record = next(iter(await control.dump("people")))
        edits = {"job_title": FieldEdit(house.value("people", record, "job_title"), ["Never"])}
        await house.store.outbox.add(
            [
                NewItem("attio", house.object_id("people"), record, "set", edits),
                NewItem("attio", "attio:notes", provisional_id(), "note_create", payload={}),
            ],
            "test",
        )
        house.bus.changed("outbox")
        await house.engine.sync_now()
        assert house.engine.puller is not None
        await house.engine.puller.settled()
        assert await control.writes(seq) == []
        assert house.engine.status().outbox.pending == 2
