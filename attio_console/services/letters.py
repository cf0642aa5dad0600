"""Dead letters: deliveries and writes that ran out of attempts and wait for a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from attio_console.errors import NoSuchThing
from attio_console.model.text import plain
from attio_console.services.health import HealthVerbs
from attio_console.services.types import Done


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One dead letter; its id is in-N for a delivery, out-N for a write."""

    letter_id: str
    what: str
    attempts: int
    error: str
    at: datetime
    body: str


class LetterVerbs(HealthVerbs):
    """Everything about dead letters."""

    def dead_letters(self) -> list[DeadLetter]:
        """Return every dead letter, deliveries first."""
        deliveries = [
            DeadLetter(
                letter_id=f"in-{row.id}",
                what="delivery",
                attempts=row.attempts,
                error=plain(row.error),
                at=row.received_at,
                body=row.body.decode("utf-8", "replace"),
            )
            for row in self.store.inbox.dead(10_000)
        ]
        writes = [
            DeadLetter(
                letter_id=f"out-{item.id}",
                what=f"{item.system}: {self._what(item)}",
                attempts=item.attempts,
                error=plain(item.error),
                at=item.created_at,
                body="",
            )
            for item in self.store.outbox.items(("dead",), 10_000)
        ]
        return deliveries + writes

    async def revive_letters(self, letter_ids: Sequence[str] | None) -> Done:
        """Try these again, or all of them."""
        self.refuse_when_read_only("Retrying")
        incoming, outgoing = self._numbers(letter_ids)
        count = await self.store.inbox.revive(incoming) + await self.store.outbox.revive(outgoing)
        self.bus.changed("inbox")
        self.bus.changed("outbox")
        return Done(f"{count} back in line." if count else "Nothing to retry.", count=count)

    async def discard_letters(self, letter_ids: Sequence[str]) -> Done:
        """Drop these for good."""
        self.refuse_when_read_only("Discarding")
        incoming, outgoing = self._numbers(letter_ids)
        count = await self.store.inbox.discard(incoming) + await self.store.outbox.discard(outgoing)
        self.bus.changed("inbox")
        self.bus.changed("outbox")
        return Done(f"{count} discarded.", count=count)

    def _numbers(self, letter_ids: Sequence[str] | None) -> tuple[list[int], list[int]]:
        known = {letter.letter_id for letter in self.dead_letters()}
        chosen = known if letter_ids is None else set(letter_ids)
        unknown = chosen - known
        if unknown:
            raise NoSuchThing(f"There is no dead letter {min(unknown)}.")
        incoming = [int(name.removeprefix("in-")) for name in chosen if name.startswith("in-")]
        return incoming, [int(name.removeprefix("out-")) for name in chosen if name.startswith("out-")]
