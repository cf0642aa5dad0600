"""Answering `records/query` and `entries/query`: choose an index, filter, sort, cut the page, render it.

Without sorts the order is deliberately another one at every call: Attio promises none, and code that relies on one
should fail here rather than in production. With a lag, rows written within the last moments look as they did before.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import msgspec

from attio_console.sandbox.attio.filters import read_filter
from attio_console.sandbox.attio.matching import All, Holds, Node, matches
from attio_console.sandbox.attio.sorting import SortKey, only_created_at, read_sorts, sort_rows
from attio_console.sandbox.attio.state import Container, Crm, Row
from attio_console.sandbox.attio.table import Ref
from attio_console.sandbox.attio.values import row_json

BREATH = 2000
"""After so many rows looked at, the loop serves somebody else."""
_PAGE = 500

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Question:
    """A query, read."""

    filter: Node | None
    sorts: tuple[SortKey, ...]
    limit: int
    offset: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The part of a filter that an index answers; the whole filter is still checked on what it gives."""

    ids: frozenset[str] | None = None
    since: str | None = None
    until: str | None = None
    exact: bool = False
    """The index answers the whole filter: nothing is left to check."""


class Shuffle:
    """The chance behind the order of unsorted answers; apart from the world's, so that reading changes nothing."""

    def __init__(self, crm: Crm) -> None:
        self.random = Random(crm.world.seed)


def read_question(
    crm: Crm, container: Container, filter_json: Any, sorts: Any, limit: int, offset: int
) -> Question:
    """Read the parts of a query, or refuse them."""
    node = None if filter_json is None else read_filter(crm, container, filter_json)
    return Question(node, read_sorts(crm, container, sorts), limit, offset)


async def answer(crm: Crm, container: Container, question: Question) -> bytes:
    """Return the page as the JSON of a response."""
    bodies = [_body(crm, container, ref) for ref in await select(crm, container, question)]
    return b'{"data":[' + b",".join(bodies) + b"]}"


async def select(crm: Crm, container: Container, question: Question) -> list[Ref]:
    """Return the rows of the page."""
    past = past_rows(crm, container)
    stop = question.offset + question.limit
    newest_first = only_created_at(question.sorts)
    if question.filter is None and not past and (page := _by_position(crm, container, question)) is not None:
        return page
    plan = _plan(container, question.filter)
    node = None if plan.exact and not past else question.filter
    candidates = _candidates(crm, container, plan, past, ordered=newest_first, shuffled=not question.sorts)
    # Sorting needs everything; an order that the index gives, or none, needs only the page.
    enough = stop if newest_first is not None or not question.sorts else None
    rows: list[Ref] = []
    lookup = _lookup(crm)
    for looked, ref in enumerate(candidates, start=1):
        if looked % BREATH == 0:
            await asyncio.sleep(0)
        if node is None or matches(node, _row(container, ref), lookup):
            rows.append(ref)
            if enough is not None and len(rows) >= enough:
                break
    if question.sorts and newest_first is None:
        rows = sort_rows(question.sorts, [_row(container, ref) for ref in rows], lookup)
    return rows[question.offset : stop]


def past_rows(crm: Crm, container: Container) -> dict[str, Row | None]:
    """Return the rows that queries still show as they were, by id; None is a row that is not there yet."""
    now = crm.world.clock.monotonic()
    lagging = crm.lagging
    while lagging and lagging[0].until <= now:
        lagging.popleft()
    past: dict[str, Row | None] = {}
    for snapshot in lagging:
        if snapshot.container_id == container.id:
            past.setdefault(snapshot.row_id, snapshot.before)
    return past


def _by_position(crm: Crm, container: Container, question: Question) -> list[Ref] | None:
    """Cut the page out of the order of creation, or out of that order begun somewhere else."""
    table, size = container.table, len(container.table)
    newest_first = only_created_at(question.sorts)
    if question.sorts and newest_first is None:
        return None
    count = max(0, min(question.limit, size - question.offset))
    if newest_first is False:
        return table.slice(question.offset, count)
    if newest_first is True:
        return table.slice(size - question.offset - count, count)[::-1]
    if not count:
        return []
    start = (crm.workspace.part(_shuffle).random.randrange(size) + question.offset) % size
    page = table.slice(start, count)
    return page + table.slice(0, count - len(page))


def _shuffle(workspace: Any) -> Shuffle:
    return Shuffle(workspace.part(Crm))


def _plan(container: Container, node: Node | None) -> Plan:
    ids: frozenset[str] | None = None
    since: str | None = None
    until: str | None = None
    created, own = container.attribute("created_at"), container.attribute(container.id_slug)
    tests: list[tuple[bool, str]] = []
    for each in node.children if isinstance(node, All) else (node,):
        if not isinstance(each, Holds):
            tests.append((False, ""))
            continue
        attribute = container.attributes.get(each.attribute_id)
        for test in each.tests:
            if created is not None and each.attribute_id == created.id:
                tests.append((True, test.operator))
                if test.operator in {"$gte", "$gt", "$eq"}:
                    since = max(since or "", test.operand)
                if test.operator in {"$lte", "$lt", "$eq"}:
                    until = min(until or "\uffff", test.operand)
                continue
            tests.append((False, test.operator if attribute is own else ""))
            if attribute is not None and attribute.is_unique and test.operator in {"$eq", "$in"}:
                keys = test.operand if test.operator == "$in" else {test.operand}
                found = _holders(container, attribute.id, test.name, keys, own=own is attribute)
                if found is not None:
                    ids = found if ids is None else ids & found
    bounds = all(by_time and operator in {"$gte", "$lte"} for by_time, operator in tests)
    one_set_of_ids = len(tests) == 1 and not tests[0][0] and tests[0][1] in {"$eq", "$in"}
    return Plan(ids, since, until, node is not None and (bounds or one_set_of_ids))


def _holders(
    container: Container, attribute_id: str, name: str, keys: Any, *, own: bool
) -> frozenset[str] | None:
    if own:
        return frozenset(keys)
    if name not in {"value", "email_address", "domain", "phone_number"}:
        return None
    return frozenset(row_id for key in keys for row_id in container.table.holders(attribute_id, key))


def _candidates(
    crm: Crm,
    container: Container,
    plan: Plan,
    past: dict[str, Row | None],
    *,
    ordered: bool | None,
    shuffled: bool,
) -> Iterator[Ref]:
    """Return the rows that may match, oldest or newest first when `ordered` says so."""
    table = container.table
    if plan.ids is not None:
        rows = [
            row for row_id in sorted(plan.ids | past.keys()) if (row := _as_seen(container, past, row_id))
        ]
        if ordered is not None:
            rows.sort(key=lambda row: _created(container, row), reverse=ordered)
        elif shuffled:
            crm.workspace.part(_shuffle).random.shuffle(rows)
        return iter(rows)
    refs: Iterator[Ref]
    if shuffled and plan.since is None and plan.until is None:
        refs = _from_anywhere(crm, container)
    else:
        refs = table.refs(plan.since, plan.until, newest_first=bool(ordered))
    return _with_past(container, refs, past, newest_first=ordered) if past else refs


def _with_past(
    container: Container, refs: Iterator[Ref], past: dict[str, Row | None], *, newest_first: bool | None
) -> Iterator[Row]:
    """Show changed rows as they were, hide new ones, and put deleted ones back in their place."""
    gone = [row for row_id, row in past.items() if row is not None and container.table.get(row_id) is None]
    gone.sort(key=lambda row: _created(container, row), reverse=bool(newest_first))
    present = _as_they_were(container, refs, past)
    return heapq.merge(present, gone, key=lambda row: _created(container, row), reverse=bool(newest_first))


def _as_they_were(container: Container, refs: Iterator[Ref], past: dict[str, Row | None]) -> Iterator[Row]:
    for ref in refs:
        row = _row(container, ref)
        seen = past.get(row.id, row)
        if seen is not None:
            yield seen


def _from_anywhere(crm: Crm, container: Container) -> Iterator[Ref]:
    size = len(container.table)
    if not size:
        return
    start = crm.workspace.part(_shuffle).random.randrange(size)
    for first, last in ((start, size), (0, start)):
        for position in range(first, last, _PAGE):
            yield from container.table.slice(position, min(_PAGE, last - position))


def _as_seen(container: Container, past: dict[str, Row | None], row_id: str) -> Ref | None:
    return past[row_id] if row_id in past else container.table.ref(row_id)


def _created(container: Container, row: Row) -> str:
    attribute = container.attribute("created_at")
    assert attribute is not None
    text: str = row.get(attribute.id)[0].data["value"]
    return text


def _row(container: Container, ref: Ref) -> Row:
    return ref if isinstance(ref, Row) else container.table.row(ref)


def _body(crm: Crm, container: Container, ref: Ref) -> bytes:
    if not isinstance(ref, Row):
        body = container.table.body(ref)
        if body is not None:
            return body
    return _encode(row_json(crm, container, _row(container, ref)))


def _lookup(crm: Crm) -> Any:
    def find(container_id: str, row_id: str) -> Row | None:
        return crm.container(container_id).table.get(row_id)

    return find
