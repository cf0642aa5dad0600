"""The conflict queue as people work through it, on a real store."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from attio_console.errors import InvalidFilter, InvalidValue, NoSuchThing, UsageError
from attio_console.model.schema import Member
from attio_console.services.console import Console
from attio_console.services.exporting import Format
from attio_console.services.times import time_to_come
from attio_console.store.types import AuditEntry, NewConflict
from tests.unit.services.one_person import ADA, PEOPLE, desk

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def differs(
    number: int, system: str = "hubspot", slug: str = "job_title", kind: str = "field"
) -> NewConflict:
    document = {
        "slug": slug, "title": slug.replace("_", " ").title(), "type": "text", "multi": False, "has_base": True,
        "base": ["Poet"], "attio": ["=1+1"], "external": [f"Number {number}"], "suggestion": "attio", "why": "edited later",
        "attio_by": "Omar", "attio_at": "2026-11-22T10:00:00+00:00", "external_field": "jobtitle",
    }  # fmt: skip
    label = f"Zoë {number}"
    return NewConflict(
        kind,
        system,
        PEOPLE,
        f"r{number}" if number else ADA,
        label,
        [document],
        None,
        "contacts",
        str(number),
    )


async def queue(console: Console) -> list[int]:
    conflicts = console.store.conflicts
    return [
        await conflicts.open(differs(0)),
        await conflicts.open(differs(1, "salesforce")),
        await conflicts.open(differs(2, slug="nickname")),
        await conflicts.open(differs(3, kind="merge")),
    ]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("", [0, 1, 2, 3]), ("zoe 2", [2]), ("system=hub", [0, 2, 3]), ("!system=hubspot", [1]), ("field=nick", [2]),
        ("kind=merge", [3]), ("object=people", [0, 1, 2, 3]), ("object=contacts system=salesforce", [1]), ("object=deal", []),
        ("age<1h", [0, 1, 2, 3]), ("age>1h", []), ("system=", [0, 1, 2, 3]), ("assigned=nobody zoe", [0, 1, 2, 3]),
    ],
)  # fmt: skip
async def test_words_and_terms_narrow_the_queue(tmp_path: Path, text: str, places: list[int]) -> None:
    async with desk(tmp_path) as console:
        ids = await queue(console)
        assert console.conflict_ids(text) == [ids[place] for place in places]


@pytest.mark.parametrize("text", ["sytem=x", "age=2d", "age>soon", "field>2"])
async def test_a_term_that_is_none_is_said(tmp_path: Path, text: str) -> None:
    async with desk(tmp_path) as console:
        with pytest.raises(InvalidFilter):
            console.conflict_ids(text)


async def test_a_filter_sees_what_changed_since(tmp_path: Path) -> None:
    async with desk(tmp_path) as console:
        ids = await queue(console)
        assert console.conflict_ids("field=nick") == [ids[2]]
        await console.store.conflicts.update(ids[0], fields=list(differs(0, slug="nickname").fields))
        await console.store.conflicts.close(ids[2])
        assert console.conflict_ids("field=nick") == [ids[0]]


async def test_a_conflict_is_somebodys_and_is_found_by_it(tmp_path: Path) -> None:
    async with desk(tmp_path) as console:
        schema = console.schema
        members = (
            Member("m1", "Jane", "Doe", "jane@x.example"),
            Member("m2", "Omar", "Khan", "omar@x.example"),
        )
        await console.store.mirror.put_schema(
            type(schema)(workspace_id=schema.workspace_id, objects=schema.objects, members=members)
        )
        ids = await queue(console)
        assert (await console.assign(ids[:2], "jane")).count == 2
        assert console.conflict_ids("assigned=jane") == ids[:2]
        assert [line.assignee for line in console.conflict_lines(ids)] == ["Jane Doe", "Jane Doe", "", ""]
        await console.assign(ids[:1], "nobody")
        assert console.conflict_ids("jane") == [ids[1]]
        with pytest.raises(NoSuchThing, match="nope"):
            await console.assign(ids, "nope")


async def test_comments_stay_beside_it(tmp_path: Path) -> None:
    async with desk(tmp_path) as console:
        ids = await queue(console)
        await console.comment(ids[0], "Called her: \x1b[31mred\x1b[0m")
        assert [comment.text for comment in console.comments(ids[0])] == ["Called her: red"]
        assert console.conflict_lines(ids[:1])[0].comments == 1
        with pytest.raises(UsageError):
            await console.comment(ids[0], "  ")


async def test_put_away_until_a_change_and_back(tmp_path: Path) -> None:
    async with desk(tmp_path) as console:
        ids = await queue(console)
        done = await console.snooze_until(ids[:2], "change")
        assert done.message == "2 conflicts come back when a side changes."
        assert console.conflict_ids() == ids[2:]
        assert await console.wake_conflicts() == 0
        moved = [{**differs(0).fields[0], "external": ["Else"]}]
        await console.store.conflicts.update(ids[0], fields=moved)
        assert await console.wake_conflicts() == 1
        assert console.conflict_ids() == [ids[0], *ids[2:]]
        with pytest.raises(InvalidValue):
            await console.snooze_until(ids[:1], "whenever")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4h", NOW + timedelta(hours=4)),
        ("1w", NOW + timedelta(days=7)),
        ("tomorrow", datetime(2026, 11, 24, 9, tzinfo=UTC)),
        ("monday", datetime(2026, 11, 30, 9, tzinfo=UTC)),
        ("fri", datetime(2026, 11, 27, 9, tzinfo=UTC)),
        ("2026-12-01", datetime(2026, 12, 1, 9, tzinfo=UTC)),
        ("2026-12-01 14:05", datetime(2026, 12, 1, 14, 5, tzinfo=UTC)),
    ],
)
def test_times_to_come_as_people_type_them(text: str, expected: datetime) -> None:
    assert time_to_come(text, NOW, UTC) == expected


def test_a_morning_is_the_persons_own_and_the_past_is_refused() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    assert time_to_come("tomorrow", NOW, tokyo) == datetime(2026, 11, 24, 9, tzinfo=tokyo)
    with pytest.raises(InvalidValue, match="over"):
        time_to_come("2026-11-01", NOW, UTC)


async def test_the_queue_as_csv_has_a_line_a_field_and_nothing_a_spreadsheet_runs(tmp_path: Path) -> None:
    async with desk(tmp_path) as console:
        ids = await queue(console)
        done = await console.export_conflicts(ids, Format.CSV, str(tmp_path / "queue.csv"))
        assert done.count == 4
        rows = list(csv.DictReader(io.StringIO((tmp_path / "queue.csv").read_text())))
        assert [row["other"] for row in rows] == ["Number 0", "Number 1", "Number 2", "Number 3"]
        assert rows[0]["attio"] == "'=1+1"
        assert rows[0]["object"] == "people"
        with pytest.raises(UsageError, match="exists"):
            await console.export_conflicts(ids, Format.CSV, str(tmp_path / "queue.csv"))


@pytest.mark.parametrize("form", [Format.JSON, Format.JSONL])
async def test_the_queue_as_json_has_both_sides_and_base(tmp_path: Path, form: Format) -> None:
    async with desk(tmp_path) as console:
        ids = await queue(console)
        text = "".join(console.written_conflicts(ids, form))
        found = json.loads(text) if form is Format.JSON else [json.loads(line) for line in text.splitlines()]
        assert [one["conflict_id"] for one in found] == ids
        value = found[0]["values"][0]
        assert (value["base"], value["attio"]["text"], value["attio"]["by"]) == ("Poet", "=1+1", "Omar")


async def test_a_timeline_has_both_sides_their_base_and_what_was_written_here(tmp_path: Path) -> None:
    async with desk(tmp_path) as console:
        ids = await queue(console)
        await console.store.audit.append(
            AuditEntry("sync", "write", "hubspot", "0", "jobtitle", "Bard", "Poet", "rule attio", at=NOW)
        )
        lines = await console.timeline(ids[0], "job_title")
        told = [(line.where, line.before, line.after, line.by) for line in lines]
        assert told[0] == ("HubSpot", "Bard", "Poet", "sync")
        assert ("Attio", "Poet", "=1+1", "Omar") in told
        assert ("both", "", "Poet", "") in told
        with pytest.raises(NoSuchThing):
            await console.timeline(ids[0], "nickname")
