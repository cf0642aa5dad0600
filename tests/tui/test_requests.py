"""The log of requests on screen."""

from __future__ import annotations

import workspace as w
from conftest import Open

from attio_console.net.log import RECENT, RequestRecord
from attio_console.tui.dialogs.requests import RequestsDialog


def _asked(number: int, outcome: str = "200") -> None:
    record = RequestRecord(
        w.NOW, "attio", "GET", f"/v2/objects/{number}", outcome, 0.041, 0, "scan", 1, 900, f"exec-{number}"
    )
    RECENT.add(record)


async def test_requests_are_shown_as_they_come_with_their_ids(desk: Open) -> None:
    async with desk(size=(160, 40)) as d:
        _asked(1)
        _asked(2, "TimedOut")
        await d.press("ctrl+g")
        assert isinstance(d.app.screen, RequestsDialog)
        text = d.screen_text()
        assert "GET /v2/objects/2" in text and "✕ TimedOut" in text and "exec-1" in text and "41" in text
        await d.press("j", "y")
        assert "Copied exec-1." in d.said
        _asked(3)
        await d.until(lambda: "exec-3" in d.screen_text(), "the new request")
        await d.press("y")
        assert d.said[-1] == "Copied exec-1."
        await d.press("escape")
        assert not isinstance(d.app.screen, RequestsDialog)
