"""What we wrote ourselves, so that its echo costs no request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from attio_console.model.clock import Clock

KEEP_S = 600.0

_ID_KEYS = ("record_id", "entry_id", "note_id", "task_id")


class OwnWrites:
    """A short memory of (id, what): an event by our own actor that matches one is an echo, each once.

    Another program may use the same token, so the actor alone proves nothing: what we do not remember is fetched.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._expected: Counter[tuple[str, str]] = Counter()
        self._order: list[tuple[float, tuple[str, str]]] = []
        self.actor_id: str | None = None

    def wrote(self, row_id: str, what: Iterable[str]) -> None:
        """Remember a write: `what` holds attribute ids, or the event type of a create or delete."""
        now = self._clock.monotonic()
        self._forget(now)
        for part in what:
            self._expected[row_id, part] += 1
            self._order.append((now, (row_id, part)))

    def is_echo(self, event: Mapping[str, Any]) -> bool:
        """Return whether this event only tells of a write of ours whose result is already in the mirror."""
        actor = event.get("actor") or {}
        if self.actor_id is None or actor.get("type") != "api-token" or actor.get("id") != self.actor_id:
            return False
        ids = event.get("id") or {}
        row_id = next((ids[key] for key in _ID_KEYS if key in ids), None)
        key = (str(row_id), str(ids.get("attribute_id") or event.get("event_type")))
        if self._expected[key] <= 0:
            return False
        self._expected[key] -= 1
        return True

    def _forget(self, now: float) -> None:
        old = [entry for entry in self._order if now - entry[0] > KEEP_S]
        if not old:
            return
        self._order = self._order[len(old) :]
        for _, key in old:
            self._expected[key] -= 1
            if self._expected[key] <= 0:
                del self._expected[key]
