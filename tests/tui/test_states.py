"""What a person sees when something is wrong: a sentence, a key, and a console that goes on."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import workspace as w
from conftest import Desk, Open

from attio_console.config.secrets import MemorySecrets
from attio_console.sandbox import SandboxOptions, running
from attio_console.services.console import Console
from attio_console.services.demo import demo_options
from attio_console.services.opening import OpenOptions, open_console
from attio_console.tui.app import ConsoleApp


@contextlib.asynccontextmanager
async def console_on(options: OpenOptions, *, engine: bool = True) -> AsyncIterator[Desk]:
    app = ConsoleApp(lambda: open_console(options), engine=engine)
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        desk = Desk(app, pilot)
        await desk.until(lambda: app.session.ready and app.main.query("RecordsPane"), "the console", 20)
        yield desk
    await app.wait_closed()


async def test_an_engine_that_dies_is_said_and_the_console_goes_on(tmp_path: Path) -> None:
    async with w.filled(tmp_path, 30):
        pass
    runs: list[int] = []

    @contextlib.asynccontextmanager
    async def opener() -> AsyncIterator[Console]:
        async with open_console(w.options(tmp_path)) as console:

            async def dies() -> None:
                runs.append(1)
                raise RuntimeError("a bolt came loose")

            console.run_engine = dies  # type: ignore[method-assign]
            yield console

    app = ConsoleApp(opener)
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        desk = Desk(app, pilot)
        await desk.until(lambda: "a bolt came loose" in desk.screen_text(), "the sentence")
        await desk.until(lambda: "Ada Lovelace" in desk.screen_text(), "the records")
        assert "R starts it again" in desk.screen_text()
        await desk.press("R")
        await desk.until(lambda: len(runs) == 2, "the second start")
        await desk.press("slash")
        await desk.type("lovelace")
        assert desk.records.records_table.total == 1
    await app.wait_closed()


async def test_offline_is_a_state_in_which_edits_keep_working(tmp_path: Path) -> None:
    async with running(SandboxOptions(records=30, seed=1, webhook_http=True)) as sandbox:
        options = demo_options(json.loads(sandbox.line()), tmp_path)
        async with console_on(options) as d:
            await d.until(lambda: d.records.records_table.total == 30, "the pull", 30)
            await d.until(lambda: d.app.verbs.headline().liveness == "live", "being live", 30)
    async with console_on(options) as d:
        await d.until(lambda: d.records.records_table.total == 30, "what was pulled before")
        await d.until(lambda: d.app.verbs.headline().liveness == "offline", "being offline", 30)
        await d.until(lambda: "Edits wait in the outbox" in d.screen_text(), "the sentence")
        assert "○ offline" in d.screen_text()
        key = d.records.records_table.cursor_key
        assert key is not None
        await d.app.verbs.edit(d.records.collection, [key], "job_title", "Tunnel digger")
        await d.until(lambda: "Tunnel digger" in d.screen_text(), "the edit")
        assert "Outbox 1" in d.screen_text()


async def test_a_token_that_is_not_accepted_keeps_the_mirror_on_offer(tmp_path: Path) -> None:
    async with running(SandboxOptions(records=30, seed=1, webhook_http=True)) as sandbox:
        options = demo_options(json.loads(sandbox.line()), tmp_path)
        async with console_on(options) as d:
            await d.until(lambda: d.app.verbs.headline().liveness == "live", "being live", 30)
            workspace = d.app.verbs.profile.workspace_id
        assert options.profile_object is not None
        profile = options.profile_object.model_copy(update={"workspace_id": workspace})
        refused = replace(options, profile_object=profile, secrets=MemorySecrets({"attio": "wrong"}))
        async with console_on(refused) as d:
            await d.until(lambda: d.app.verbs.headline().liveness == "not authorised", "the refusal", 30)
            await d.until(lambda: "✕ not authorised" in d.screen_text(), "the sign")
            await d.until(lambda: d.records.records_table.total == 30, "the records")


async def test_an_empty_mirror_says_what_is_going_on(tmp_path: Path) -> None:
    async with console_on(w.options(tmp_path), engine=False) as d:
        for key, words in (("1", "Nothing is mirrored yet."), ("2", "No list with stages yet."), ("3", "Nothing has been pulled yet"),
                           ("4", "No conflicts."), ("5", "Nothing waits")):  # fmt: skip
            await d.press(key)
            await d.until(lambda words=words: words in d.screen_text(), words)
        await d.press("1", "e", "slash", "s", "D")
        assert any("Nothing is mirrored yet" in said for said in d.said)


async def test_every_pane_stands_at_every_size(desk: Open) -> None:
    async with desk(prepare=w.differ) as d:
        for width, height in ((80, 24), (100, 30), (120, 36), (160, 45), (200, 60)):
            await d.pilot.resize_terminal(width, height)
            for key in "12345":
                await d.press(key)
                lines = d.screen_text().splitlines()
                assert len(lines) == height
                assert lines[0].startswith(" acme-prod")
                assert "? all keys" in lines[-1], (width, key)
