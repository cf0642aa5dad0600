"""The stages of a board and the cards of them that are held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from attio_console.services.types import BoardColumn, Card

PAGE = 50
"""Cards fetched at a time."""

_SEARCHED = 2_000


class CardSource(Protocol):
    """Where a board's cards come from."""

    async def cards(self, status_id: str, start: int, count: int) -> Sequence[Card]:
        """Return `count` cards of a stage from `start`."""


@dataclass
class Stage:
    """One column: what it says of itself, the cards read so far, where it is scrolled to and where its cursor is."""

    column: BoardColumn
    pages: dict[int, Sequence[Card]] = field(default_factory=dict)
    top: int = 0
    cursor: int = 0

    @property
    def count(self) -> int:
        """How many cards there are."""
        return self.column.count

    def card(self, index: int) -> Card | None:
        """Return a card if it has been read."""
        page = self.pages.get(index // PAGE)
        if page is None or index % PAGE >= len(page):
            return None
        return page[index % PAGE]

    def keep_in_view(self, rows: int) -> None:
        """Scroll so that the cursor is seen."""
        self.cursor = max(0, min(self.cursor, self.count - 1))
        if self.cursor < self.top:
            self.top = self.cursor
        elif self.cursor >= self.top + rows:
            self.top = self.cursor - rows + 1
        self.top = max(0, min(self.top, max(self.count - rows, 0)))

    async def load(self, source: CardSource, first: int, last: int) -> None:
        """Read the cards `first` to `last` where they are not held."""
        for page in range(max(first, 0) // PAGE, max(min(last, self.count - 1), 0) // PAGE + 1):
            if page not in self.pages and self.count:
                self.pages[page] = await source.cards(self.column.status_id, page * PAGE, PAGE)

    async def find(self, source: CardSource, entry_id: str) -> int | None:
        """Return where a card is in this stage, reading on where needed."""
        for start in range(0, min(self.count, _SEARCHED), PAGE):
            await self.load(source, start, start + PAGE - 1)
            for offset, card in enumerate(self.pages.get(start // PAGE, ())):
                if card.entry_id == entry_id:
                    return start + offset
        return None
