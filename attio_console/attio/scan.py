"""Walking all rows of an object or a list so that changes meanwhile shift nothing.

Attio pages by offset, which is not a snapshot: a row created or deleted during the walk moves every later page. So
the walk is by keyset: ascending by the attribute `created_at`, each page asking for what was created at or after
the last row, and dropping the rows of that same instant it has already seen.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from attio_console.attio.rows import head
from attio_console.net import as_promised

PAGE_SIZE = 500
Filter = Mapping[str, Any]
Fetch = Callable[[dict[str, Any]], Awaitable[list[bytes]]]

# From so many rows of one instant on, they are excluded by id instead of being sent again: cheaper, and the only
# way forward when an import gave more rows than a page holds the same instant.
_EXCLUDE_FROM = 20


@dataclass(frozen=True, slots=True)
class ScanCursor:
    """Where a scan stands: the creation stamp of its last row, and the rows of that instant already given."""

    created_at: str
    seen_ids: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RawPage:
    """One page of a scan: rows as they came, where to go on, and whether this was the end."""

    raws: list[bytes]
    cursor: ScanCursor | None
    last: bool


def both(*filters: Filter | None) -> Filter | None:
    """Return the filter that demands all of those given."""
    given = [one for one in filters if one]
    if len(given) < 2:
        return given[0] if given else None
    return {"$and": given}


async def scan(
    fetch: Fetch,
    id_slug: str,
    *,
    after: ScanCursor | None = None,
    filter: Filter | None = None,
    page_size: int = PAGE_SIZE,
) -> AsyncIterator[RawPage]:
    """Yield every row once, from the cursor on. `id_slug` is the attribute that holds a row's id."""
    cursor = after
    before: tuple[str, str] | None = None
    while True:
        conditions: list[Filter | None] = [filter]
        if cursor is not None:
            conditions.append({"created_at": {"$gte": cursor.created_at}})
            if len(cursor.seen_ids) >= min(_EXCLUDE_FROM, page_size // 2):
                conditions.append({"$not": {id_slug: {"$in": cursor.seen_ids}}})
        body: dict[str, Any] = {
            "sorts": [{"attribute": "created_at", "direction": "asc"}],
            "limit": page_size,
            "offset": 0,
        }
        wanted = both(*conditions)
        if wanted is not None:
            body["filter"] = wanted
        rows = await fetch(body)
        full = len(rows) >= page_size
        with as_promised("attio"):
            ends = (head(rows[0]).row_id, head(rows[-1]).row_id) if rows else None
            repeated = full and ends == before
            before = ends
            rows = _unseen(rows, cursor)
            cursor = _advance(rows, cursor)
            if repeated or (full and not rows):
                # Nothing new in a full page: the next question would be the same one, for ever.
                raise ValueError("a page that should go on repeats the one before")
        yield RawPage(rows, cursor, last=not full)
        if not full:
            return


def _unseen(rows: list[bytes], cursor: ScanCursor | None) -> list[bytes]:
    if cursor is None:
        return rows
    seen = set(cursor.seen_ids)
    fresh: list[bytes] = []
    for index, raw in enumerate(rows):
        # Rows of the cursor's instant come first; behind them nothing can be a repetition.
        top = head(raw)
        if top.created_at is not None and top.created_at != cursor.created_at:
            return fresh + rows[index:]
        if top.row_id not in seen:
            fresh.append(raw)
    return fresh


def _advance(rows: Sequence[bytes], cursor: ScanCursor | None) -> ScanCursor | None:
    instant: str | None = None
    ids: list[str] = []
    for raw in reversed(rows):
        top = head(raw)
        if top.created_at is None:
            continue
        if instant is None:
            instant = top.created_at
        elif top.created_at != instant:
            break
        ids.append(top.row_id)
    if instant is None:
        return cursor
    if cursor is not None and cursor.created_at == instant:
        ids += cursor.seen_ids
    return ScanCursor(instant, ids)
