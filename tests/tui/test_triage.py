"""The conflict queue worked through by keys: put away, handed over, talked about, looked back on, saved, made a rule."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec
import workspace as w
from conftest import Desk, Open

from attio_console.crm.protocol import CrmField, CrmObject
from attio_console.store import Store
from attio_console.store.types import NewConflict, NewPair
from attio_console.sync.crm_context import CrmContext, save_context
from attio_console.sync.mapping import FieldMapping, Mapping, ObjectMapping
from attio_console.sync.mapping_edit import own_mapping
from attio_console.tui.dialogs.confirm import PlanDialog
from attio_console.tui.dialogs.pick import PickDialog
from attio_console.tui.dialogs.timeline import TimelineDialog


async def _queue(d: Desk) -> None:
    await d.press("4")
    await d.until(lambda: d.app.main.query("ConflictsPane") and d.conflicts.table.loaded, "the queue")
    await d.settled()


def titles_differ(count: int) -> Callable[[Store], Awaitable[None]]:
    """So many people whose job title differs in Salesforce, and what is needed to decide about it."""

    async def prepare(store: Store) -> None:
        fields = (FieldMapping("job_title", ("Title",)),)
        mapping = Mapping("salesforce", (ObjectMapping("people", "Contact", fields),))
        contact = CrmObject("Contact", "Contact", (CrmField("Title", "Title", "text"),))
        await save_context(store, CrmContext(mapping, {"Contact": contact}, ()))
        rows = [
            msgspec.json.encode(
                {
                    "id": {"record_id": f"003{n}"},
                    "created_at": "",
                    "modified_at": "",
                    "label": "",
                    "search": "",
                    "properties": {"Title": f"There {n}"},
                }
            )
            for n in range(count)
        ]
        await store.mirror.apply_page("salesforce:Contact", rows)
        pairs = await store.pairs.put(
            [
                NewPair(
                    "salesforce", "people", w.PEOPLE, w.uid(f"person/{n}"), "Contact", f"003{n}", "confirmed", "test"
                )
                for n in range(count)
            ]
        )  # fmt: skip

        def job(tx: Any) -> None:
            for n, pair in enumerate(pairs):
                here = ["Head of Procurement"] if n % 3 else []
                document = {
                    "slug": "job_title", "title": "Job title", "type": "text", "multi": False, "has_base": True,
                    "base": ["Buyer"], "attio": here, "external": [f"There {n}"], "suggestion": None, "why": "",
                    "external_field": "Title", "attio_by": "Omar Khan", "attio_at": (w.NOW - timedelta(days=1)).isoformat(),
                }  # fmt: skip
                label = w.NAMES[n] if n < len(w.NAMES) else f"Person {n:06d}"
                store.conflicts.open_in(
                    tx,
                    NewConflict(
                        "field", "salesforce", w.PEOPLE, w.uid(f"person/{n}"), label, [document], pair, "Contact", f"003{n}"
                    ),
                )  # fmt: skip

        await store.queue.run(job)

    return prepare


async def test_a_rule_is_looked_at_then_made_and_one_undo_takes_it_back(desk: Open, tmp_path: Path) -> None:
    async with desk(size=(140, 45), prepare=titles_differ(5)) as d:
        await _queue(d)
        await d.press("enter", "l", "exclamation_mark")
        assert isinstance(d.app.screen, PickDialog)
        assert "Salesforce wins for Job title" in d.screen_text()
        await d.press("enter")
        assert isinstance(d.app.screen, PlanDialog)
        text = " ".join(d.screen_text().split())
        assert "Job title of people with Salesforce: Salesforce wins." in text
        assert "Settles 5 open conflicts" in text and "Makes" in text
        await d.press("n")
        assert d.app.verbs.conflict_count() == 5
        await d.press("exclamation_mark", "enter", "y")
        await d.until(lambda: d.app.verbs.conflict_count() == 0, "the rule")
        path = own_mapping(tmp_path / w.WORKSPACE, "salesforce")
        assert 'rule = "external"' in path.read_text()
        await d.press("u")
        await d.until(lambda: d.app.verbs.conflict_count() == 5, "the undo")
        assert 'rule = "external"' not in path.read_text()


async def test_a_read_only_profile_makes_no_rule(desk: Open) -> None:
    async with desk(prepare=titles_differ(1), read_only=True) as d:
        await _queue(d)
        await d.press("enter", "exclamation_mark")
        assert any("read-only" in said for said in d.said)


async def test_no_rule_is_offered_about_whole_records(desk: Open) -> None:
    async def merged(store: Store) -> None:
        document = {
            "slug": "record",
            "title": "Record",
            "type": "text",
            "base": [],
            "attio": [],
            "external": [],
        }
        await store.conflicts.open(NewConflict("merge", "hubspot", w.PEOPLE, "x", "Ada", [document]))

    async with desk(prepare=merged) as d:
        await _queue(d)
        await d.press("enter", "exclamation_mark")
        assert any("A rule is about a field" in said for said in d.said)


async def test_marked_conflicts_are_handed_over_and_found_again(desk: Open) -> None:
    async with desk(size=(160, 45), prepare=titles_differ(4)) as d:
        await _queue(d)
        await d.press("space", "space", "a")
        await d.type("omar")
        await d.press("enter")
        await d.until(lambda: "for Omar Khan" in d.screen_text(), "the name")
        await d.press("escape", "slash")
        await d.type("assigned=omar")
        await d.press("enter")
        assert d.conflicts.table.total == 2
        await d.press("slash", "escape", "slash")
        await d.type("sytem=x")
        assert "Did you mean system?" in d.screen_text()


async def test_a_comment_and_a_timeline(desk: Open) -> None:
    async with desk(size=(150, 45), prepare=w.differ) as d:
        await _queue(d)
        await d.press("enter", "c")
        await d.type("ask Omar first")
        await d.press("ctrl+s")
        await d.until(lambda: "you, just now: ask Omar first" in d.screen_text(), "the comment")
        await d.press("t")
        assert isinstance(d.app.screen, TimelineDialog)
        text = d.screen_text()
        assert "Phone numbers of Ada Lovejoy" in text
        assert "integration user" in text and "last agreed on" in text
        await d.press("escape")


async def test_put_away_until_a_side_changes(desk: Open) -> None:
    async with desk(prepare=titles_differ(2)) as d:
        await _queue(d)
        await d.press("w")
        await d.type("x")
        await d.press("enter")
        assert "is no time" in d.screen_text()
        await d.press("ctrl+u")
        await d.type("change")
        await d.press("enter")
        await d.until(lambda: d.conflicts.table.total == 1, "its leaving")
        (number,) = [row.id for row in d.app.verbs.store.conflicts.list("snoozed", 0, 5)]
        row = d.app.verbs.store.conflicts.get(number)
        assert row is not None
        moved = [{**row.fields[0], "external": ["Else"]}]
        await d.app.verbs.store.conflicts.update(number, fields=moved)
        await d.until(lambda: d.conflicts.table.total == 2, "its return")


async def test_the_queue_is_saved_as_a_file(desk: Open, tmp_path: Path) -> None:
    async with desk(prepare=titles_differ(3)) as d:
        await _queue(d)
        await d.press("space", "x", "enter")
        await d.press("ctrl+u")
        await d.type(str(tmp_path / "queue.csv"))
        await d.press("enter")
        await d.until(lambda: (tmp_path / "queue.csv").exists(), "the file")
        assert len((tmp_path / "queue.csv").read_text().splitlines()) == 2


async def test_skipping_puts_it_last_and_the_rest_stays(desk: Open) -> None:
    async with desk(prepare=titles_differ(3)) as d:
        await _queue(d)
        first = d.conflicts.table.cursor_key
        await d.press("full_stop")
        await d.settled()
        assert d.conflicts.queue_ids[-1] == int(first or 0)
        assert d.conflicts.table.cursor_key == str(d.conflicts.queue_ids[0])
        await d.press("G")
        assert d.conflicts.table.cursor_key == first


async def test_ten_thousand_open_conflicts_are_read_in_windows(desk: Open) -> None:
    async with desk(size=(140, 45), people=10, prepare=titles_differ(10_000)) as d:
        await _queue(d)
        assert d.conflicts.table.total == 10_000
        assert "1 of 10,000" in d.screen_text()
        asked: list[int] = []
        rows = d.app.verbs.store.queue.rows

        def counted(sql: str, bindings: Any = ()) -> list[Any]:
            asked.append(1)
            return rows(sql, bindings)

        d.app.verbs.store.queue.rows = counted  # type: ignore[method-assign]  # counts questions, answers them all
        verbs = d.app.verbs
        started = perf_counter()
        ids = verbs.conflict_ids()
        lines = verbs.conflict_lines(ids[5_000:5_050])
        first = perf_counter() - started
        assert len(lines) == 50 and len(asked) == 3
        verbs.conflict_ids("person")
        asked.clear()
        started = perf_counter()
        assert len(verbs.conflict_ids("009999")) == 1
        typed = perf_counter() - started
        assert len(asked) <= 2
        # Generous: it is a few milliseconds where nothing else runs.
        assert first < 0.25 and typed < 0.25
        await d.press("G")
        assert "Person 009999" in d.screen_text()
