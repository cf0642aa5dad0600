"""A complete walk over what can only be paged by offset (notes, tasks), while others create and delete.

Each page starts at the last row of the page before. Where that row is not there any more, something in front of it
was deleted and rows moved forward: the walk steps back until it meets a row it has seen.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

import msgspec

from attio_console import errors
from attio_console.net import as_promised

_STALE_PAGES = 3

FetchPage = Callable[[int, int], Awaitable[Sequence[bytes]]]
"""(limit, offset) -> the rows as they came"""


class _Row(msgspec.Struct):
    id: dict[str, str]


_DECODER = msgspec.json.Decoder(_Row)


class OffsetCursor(msgspec.Struct, frozen=True):
    """Where a walk is: rows before `offset` were seen, and the last of them was `anchor`."""

    offset: int = 0
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class OffsetPage:
    """Rows not yielded before in this walk, and the cursor that goes on behind them."""

    raws: list[bytes]
    cursor: OffsetCursor
    last: bool


def row_id(raw: bytes, key: str) -> str:
    """Return the id of a row under that key of its `id`."""
    return _DECODER.decode(raw).id[key]


async def scan(
    fetch: FetchPage, key: str, limit: int, after: OffsetCursor | None = None
) -> AsyncIterator[OffsetPage]:
    """Yield every row that exists through the whole walk, from the cursor on; a row may come twice, never not at all."""
    anchor = after.anchor if after else ""
    start = max(0, after.offset - 1) if after else 0
    seen: set[str] = set()
    stale = 0
    while True:
        raws = await fetch(limit, start)
        with as_promised("attio"):
            ids = [row_id(raw, key) for raw in raws]
        if start > 0 and anchor not in ids and not (ids and ids[0] in seen):
            # Rows moved forward: go back a page and look there.
            start = max(0, start - limit + 1)
            continue
        fresh = [(raw, found) for raw, found in zip(raws, ids, strict=True) if found not in seen]
        seen.update(found for _, found in fresh)
        last = len(raws) < limit
        # After a step back a page may be known already, and the one behind it in part: no more than that.
        stale = 0 if fresh else stale + 1
        if stale > _STALE_PAGES and not last:
            raise errors.ServerFailed("Attio's pages repeat themselves.", code="malformed_answer")
        anchor = ids[-1] if ids else ""
        end = start + len(raws)
        yield OffsetPage([raw for raw, _ in fresh], OffsetCursor(end, anchor), last)
        if last:
            return
        start = end - 1
