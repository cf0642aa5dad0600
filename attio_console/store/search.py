"""The finder: the best records for what was typed so far, in tiers, never by a rank over every match."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import apsw

from attio_console.model.text import fold
from attio_console.store.mirror_schema import span
from attio_console.store.readers import Reader
from attio_console.store.sql import ask
from attio_console.store.types import Hit
from attio_console.store.words import INFIX, infix_query, matches, terms, words_query

_WORD_HITS = 200
_INFIX_HITS = 100
_TOP = "\U0010ffff"

_HIT = "r.id, r.record_id, r.label, r.sort, r.detail, r.search"


def find(
    connection: apsw.Connection, reader: Reader, text: str, collections: Sequence[tuple[int, str]], limit: int
) -> list[Hit]:
    """Return hits in those collections: labels that begin so, then words that begin so, then text that holds it."""
    wanted = terms(text)
    if not wanted:
        return []
    typed = fold(" ".join(text.split()))
    best: dict[int, tuple[tuple[int, int, int, str], Hit]] = {}
    for place, (no, name) in enumerate(collections):
        for tier, rows in enumerate(_tiers(connection, reader, no, typed, wanted, limit)):
            for row, record_id, label, sort, detail, search in rows:
                if row not in best and (tier == 0 or matches(search, wanted)):
                    rank = (_tier(tier, sort, typed, wanted, search), len(sort), place, sort)
                    best[row] = (rank, Hit(name, record_id, label, detail))
            if tier > 0 and len(best) >= limit * (place + 1):
                # Enough that are better; the weaker tiers cannot reach the list.
                break
        reader.check()
    return [hit for _, hit in sorted(best.values(), key=lambda pair: pair[0])[:limit]]


def _tier(tier: int, sort: str, typed: str, wanted: tuple[str, ...], search: str) -> int:
    if sort == typed:
        return 0
    if sort.startswith(typed):
        return 1
    if f" {wanted[0]}" in f" {sort}":
        return 2
    spaced = f" {search}"
    return 3 if tier <= 1 or all(f" {word}" in spaced for word in wanted) else 4


def _tiers(
    connection: apsw.Connection, reader: Reader, no: int, typed: str, wanted: tuple[str, ...], limit: int
) -> Any:
    low, high = span(no)
    yield ask(
        connection,
        f"SELECT {_HIT} FROM rec r WHERE r.coll = ? AND r.sort >= ? AND r.sort < ? ORDER BY r.sort LIMIT ?",
        (no, typed, typed + _TOP, limit),
    )
    reader.check()
    yield [
        *_full_text(connection, "words", words_query(wanted), low, high, _WORD_HITS),
        *ask(
            connection,
            f"SELECT {_HIT} FROM unindexed u CROSS JOIN rec r ON r.id = u.id WHERE u.id >= ? AND u.id < ?"
            " AND instr(r.search, ?) LIMIT ?",
            (low, high, wanted[0], _WORD_HITS),
        ),
    ]
    reader.check()
    long = tuple(word for word in wanted if len(word) >= INFIX)
    if long:
        yield _full_text(connection, "infix", infix_query(long), low, high, _INFIX_HITS)


def _full_text(
    connection: apsw.Connection, table: str, query: str, low: int, high: int, limit: int
) -> list[Any]:
    return ask(
        connection,
        f"SELECT {_HIT} FROM (SELECT rowid AS id FROM {table} WHERE {table} MATCH ? AND rowid >= ? AND rowid < ?"
        " ORDER BY rowid LIMIT ?) h CROSS JOIN rec r ON r.id = h.id",
        (query, low, high, limit),
    )
