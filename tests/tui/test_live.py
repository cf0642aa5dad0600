"""The screen over the real engine, the engine over HTTP to a sandbox in which somebody else works, too."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
from conftest import Desk

from attio_console.sandbox import Sandbox, SandboxOptions, running
from attio_console.services.demo import demo_options
from attio_console.services.opening import open_console
from attio_console.tui.app import ConsoleApp


class Hand:
    """Somebody else, through the sandbox's control surface."""

    def __init__(self, sandbox: Sandbox, client: httpx.AsyncClient) -> None:
        self._base = sandbox.control
        self._client = client

    async def writes(self, system: str = "attio") -> list[dict[str, Any]]:
        found = (await self._client.get(f"{self._base}/writes", params={"after": 0})).json()
        return [write for write in found if write["system"] == system]

    async def edit(self, kind: str, record_id: str, values: dict[str, Any]) -> None:
        body = {"system": "attio", "object": kind, "id": record_id, "values": values}
        (await self._client.post(f"{self._base}/edit", json=body)).raise_for_status()


@contextlib.asynccontextmanager
async def living(directory: Path, size: tuple[int, int] = (140, 40)) -> AsyncIterator[tuple[Desk, Hand]]:
    async with (
        running(SandboxOptions(records=60, seed=1, webhook_http=True)) as sandbox,
        httpx.AsyncClient(timeout=10) as client,
    ):
        options = demo_options(json.loads(sandbox.line()), directory)
        app = ConsoleApp(lambda: open_console(options))
        async with app.run_test(size=size, notifications=True) as pilot:
            desk = Desk(app, pilot)
            await desk.until(
                lambda: app.main.query("RecordsPane") and desk.records.records_table.total == 60,
                "the pull",
                30,
            )
            await desk.until(lambda: app.verbs.headline().liveness == "live", "being live", 30)
            yield desk, Hand(sandbox, client)
        await app.wait_closed()


async def test_records_come_by_themselves_and_a_change_elsewhere_shows_under_a_cursor_that_stays(
    tmp_path: Path,
) -> None:
    async with living(tmp_path) as (d, hand):
        await d.press("j", "j", "j")
        table = d.records.records_table
        key = table.cursor_key
        assert key is not None
        await hand.edit("people", key, {"job_title": [{"value": "Minister of Silly Walks"}]})
        await d.until(lambda: "Minister of Silly Walks" in d.screen_text(), "the change", 10)
        assert table.cursor_key == key


async def test_a_moved_card_is_written_exactly_once_and_undone_with_one_key(tmp_path: Path) -> None:
    async with living(tmp_path) as (d, hand):
        await d.press("2")
        await d.until(
            lambda: d.app.main.query("PipelinesPane") and d.pipelines.board.current, "the board", 10
        )
        before = len(await hand.writes())
        await d.press("L")
        await d.until(
            lambda: (
                d.app.verbs.headline().outbox == 0
                and d.pipelines.board.current
                and not d.pipelines.board.current.edit
            ),
            "the write",
            15,
        )
        written = (await hand.writes())[before:]
        assert len(written) == 1
        await d.press("u")
        await d.until(
            lambda: d.pipelines.board.current and d.app.verbs.headline().outbox == 0, "the undo", 15
        )
        assert any("Undone" in said for said in d.said)
        assert len((await hand.writes())[before:]) == 2


def _deciding(writes: list[dict[str, Any]], record: str) -> list[dict[str, Any]]:
    """Leave out the writes by which pairs are named on the other side, and those of other records; they go on."""
    stamps = ("Attio_Id__c", "attio_record_id")
    about = [write for write in writes if record in json.dumps(write)]
    return [write for write in about if not any(stamp in json.dumps(write) for stamp in stamps)]


async def test_a_conflict_is_resolved_with_two_keys_and_both_sides_agree(tmp_path: Path) -> None:
    async with living(tmp_path) as (d, hand):
        await d.press("4")
        await d.until(lambda: d.app.verbs.conflict_count() >= 3, "conflicts", 40)
        await d.until(lambda: d.conflicts.table.current, "the queue", 10)
        for _ in range(d.conflicts.table.total):
            line = d.conflicts.line()
            if line is not None and line.kind == "field" and len(line.fields) == 1:
                break
            await d.press("j")
        line = d.conflicts.line()
        assert line is not None
        detail = d.app.verbs.conflict(line.conflict_id)
        assert detail is not None
        there = detail.external_id
        before = len(_deciding(await hand.writes(line.system), there))
        await d.press("enter", "left", "enter")
        await d.until(lambda: any("Resolved" in said for said in d.said), "the decision", 10)
        await d.until(lambda: d.app.verbs.headline().outbox == 0, "the write", 20)
        assert len(_deciding(await hand.writes(line.system), there)) == before + 1
        await d.until(
            lambda: all(c.conflict_id != line.conflict_id for c in d.app.verbs.conflicts()), "its leaving"
        )


async def test_the_sync_pane_shows_every_partition(tmp_path: Path) -> None:
    async with living(tmp_path) as (d, _):
        await d.press("3")
        await d.until(
            lambda: "Salesforce" in d.screen_text() and "HubSpot" in d.screen_text(), "the systems", 20
        )
        text = d.screen_text()
        for words in ("People", "Companies", "reads", "listening", "Dead letters"):
            assert words in text, words
