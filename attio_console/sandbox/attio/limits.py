"""What Attio counts: requests a second per token, per endpoint, and the score of queries per workspace.

The numbers for requests and for single endpoints are Attio's; those for scores are not published, so the ones here
are chosen to let a full scan of a million records pass at 100 pages a second and to stop filters piled on sorts.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, Literal

READS_PER_S = 100
WRITES_PER_S = 25
DELIVERIES_PER_S = 25
SCORE_WINDOW_S = 10.0
SCORE_PER_QUERY = 500
SCORE_PER_WINDOW = 10_000

ENDPOINT_LIMITS: Mapping[tuple[str, str], int] = {
    ("GET", "/v2/notes"): 10,
    ("POST", "/v2/objects/{}/records/merge"): 5,
    ("POST", "/v2/sql"): 2,
    ("POST", "/v2/files/upload"): 1,
    ("POST", "/v2/meetings/{}/call_recordings"): 1,
}
"""Requests a second on top of the token's own limits, by method and anonymous path template."""

READING_POSTS = ("/query", "/search", "/sql")
"""A POST whose path ends like this asks a question, and counts as a read."""


class SlidingWindow:
    """Never more than `limit` in any `span_s` seconds."""

    def __init__(self, limit: float, span_s: float, monotonic: Callable[[], float]) -> None:
        self.limit = limit
        self.span_s = span_s
        self._monotonic = monotonic
        self._taken: deque[tuple[float, float]] = deque()
        self._sum = 0.0

    def take(self, weight: float = 1.0) -> float:
        """Count one event and return 0.0, or count nothing and return the seconds until there is room."""
        now = self._monotonic()
        self._forget(now)
        if self._sum + weight <= self.limit:
            self._taken.append((now, weight))
            self._sum += weight
            return 0.0
        room = self.limit - self._sum
        for at, taken in self._taken:
            room += taken
            if room >= weight:
                return max(at + self.span_s - now, 0.001)
        return self.span_s

    @property
    def used(self) -> float:
        """What counts right now."""
        self._forget(self._monotonic())
        return self._sum

    def _forget(self, now: float) -> None:
        taken = self._taken
        while taken and taken[0][0] <= now - self.span_s:
            self._sum -= taken.popleft()[1]
        if not taken:
            self._sum = 0.0


def is_read(method: str, path: str) -> bool:
    """Tell whether Attio counts this request against the read limit."""
    return method in {"GET", "HEAD"} or (method == "POST" and path.endswith(READING_POSTS))


def query_score(total_rows: int, body: Mapping[str, Any]) -> int:
    """Score a records or entries query by its sorts, its filter and the number of rows it chooses from."""
    size = max(0.0, math.log10(max(total_rows, 1) / 1000))
    sorts = body.get("sorts") or []
    terms, steps = _count(body.get("filter"))
    steps += sum(
        len(sort["path"]) for sort in sorts if isinstance(sort, dict) and isinstance(sort.get("path"), list)
    )
    return round(size * (len(sorts) + 2 * terms + 5 * steps))


def _count(node: Any) -> tuple[int, int]:
    """Return how many conditions a filter has, and how many path steps."""
    if isinstance(node, list):
        counted = [_count(child) for child in node]
        return sum(terms for terms, _ in counted), sum(steps for _, steps in counted)
    if not isinstance(node, dict):
        return (1, 0) if node is not None else (0, 0)
    path = node.get("path")
    if isinstance(path, list):
        terms, steps = _count(node.get("constraints"))
        return terms, steps + len(path)
    total_terms = total_steps = 0
    for key, child in node.items():
        if key == "$in":
            total_terms += 1
            continue
        terms, steps = _count(child)
        total_terms += terms
        total_steps += steps
    return total_terms, total_steps


def retry_after(seconds: float, form: Literal["date", "seconds"]) -> str:
    """Say when to try again: as an HTTP date on the machine's clock (as `Date` is), or as whole seconds."""
    if form == "seconds":
        return str(math.ceil(seconds))
    return formatdate(math.ceil(time.time() + seconds), usegmt=True)


@dataclass(slots=True)
class _TokenWindows:
    reads: SlidingWindow
    writes: SlidingWindow
    endpoints: dict[tuple[str, str], SlidingWindow] = field(default_factory=dict)


class Limits:
    """All windows of one sandbox; `enabled=False` lets everything through."""

    def __init__(
        self,
        monotonic: Callable[[], float],
        *,
        enabled: bool = True,
        reads_per_s: int = READS_PER_S,
        writes_per_s: int = WRITES_PER_S,
        score_per_query: int = SCORE_PER_QUERY,
        score_per_window: int = SCORE_PER_WINDOW,
        retry_after_form: Literal["date", "seconds"] = "date",
    ) -> None:
        self.enabled = enabled
        self.reads_per_s = reads_per_s
        self.writes_per_s = writes_per_s
        self.score_per_query = score_per_query
        self.score_per_window = score_per_window
        self.retry_after_form: Literal["date", "seconds"] = retry_after_form
        self._monotonic = monotonic
        self._tokens: dict[str, _TokenWindows] = {}
        self._scores: dict[str, SlidingWindow] = {}

    def check(self, token: str, method: str, path: str, template: str) -> float:
        """Count one request of a token; 0.0 lets it pass, anything else is the seconds to wait."""
        if not self.enabled:
            return 0.0
        windows = self._tokens.get(token)
        if windows is None:
            windows = self._tokens[token] = _TokenWindows(
                SlidingWindow(self.reads_per_s, 1.0, self._monotonic),
                SlidingWindow(self.writes_per_s, 1.0, self._monotonic),
            )
        limit = ENDPOINT_LIMITS.get((method, template))
        if limit is not None:
            key = (method, template)
            own = windows.endpoints.setdefault(key, SlidingWindow(limit, 1.0, self._monotonic))
            if wait := own.take():
                return wait
        return (windows.reads if is_read(method, path) else windows.writes).take()

    def check_score(self, workspace_id: str, score: int) -> float:
        """Count one query's score in its workspace; 0.0 lets it pass, anything else is the seconds to wait."""
        if not self.enabled:
            return 0.0
        if score > self.score_per_query:
            return SCORE_WINDOW_S
        window = self._scores.get(workspace_id)
        if window is None:
            window = SlidingWindow(self.score_per_window, SCORE_WINDOW_S, self._monotonic)
            self._scores[workspace_id] = window
        return window.take(score) if score else 0.0

    def after(self, wait_s: float) -> str:
        """Return the `Retry-After` header for that wait, in the form this sandbox was asked to use."""
        return retry_after(wait_s, self.retry_after_form)
