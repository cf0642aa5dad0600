"""Windows of a view: some consecutive rows of up to a million, in milliseconds wherever they are."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Sequence

import apsw

from attio_console.store.axes import BY_LABEL
from attio_console.store.bodies import Decompressor
from attio_console.store.database import Database
from attio_console.store.order_sql import blanks, from_place, lane, position, read_order, walk
from attio_console.store.orders import Order, Orders, Place
from attio_console.store.questions import FEW, Question
from attio_console.store.readers import Reader
from attio_console.store.sql import ask
from attio_console.store.types import Row, View

_NEAR = 2000
_KEPT = 6


class Views:
    """Answers windows, counts and positions; remembers orders and the row ids of filtered views."""

    def __init__(self, database: Database, decompressor: Decompressor, orders: Orders) -> None:
        self._database = database
        self._decompressor = decompressor
        self._orders = orders
        self._reading: set[tuple[int, int]] = set()
        self._collected: OrderedDict[View, tuple[int, array[int]]] = OrderedDict()
        self._counts: OrderedDict[View, tuple[int, int]] = OrderedDict()

    # ------------------------------------------------------------------------------------------- windows

    async def window(
        self, view: View, question: Question, collection: str, size: int, version: int, start: int, count: int
    ) -> list[Row]:
        """Return the rows at `start`, …"""
        if count <= 0 or start >= size:
            return []
        if not question.narrowed and len(question.sorts) <= 1:
            return await self._in_order(question, collection, size, version, max(start, 0), count)
        known = self._collected.get(view)
        if known is not None and known[0] == version:
            ids: Sequence[int] = known[1][start : start + count]
            return await self._reader.run(lambda connection: self.rows(connection, ids, collection))
        if start + count <= _NEAR and question.narrowed and len(question.sorts) <= 1:
            rows = await self._reader.run(lambda c: self._walk(c, question, collection, start, count))
            if rows is not None:
                return rows
        ids = (await self.collect(view, question, version))[start : start + count]
        return await self._reader.run(lambda connection: self.rows(connection, ids, collection))

    @property
    def _reader(self) -> Reader:
        return self._database.reader("windows")

    async def collect(self, view: View, question: Question, version: int) -> array[int]:
        """Return the ids of all rows of a view, in its order."""
        known = self._collected.get(view)
        if known is not None and known[0] == version:
            self._collected.move_to_end(view)
            return known[1]

        def read(connection: apsw.Connection) -> array[int]:
            sql = question.ids(ordered=True)
            return array("q", (row for (row,) in ask(connection, sql, question.bindings)))

        ids = await self._database.reader("scan").run(read)
        self._collected[view] = (version, ids)
        while len(self._collected) > _KEPT:
            self._collected.popitem(last=False)
        return ids

    def _walk(
        self, connection: apsw.Connection, question: Question, collection: str, start: int, count: int
    ) -> list[Row] | None:
        """Answer the first windows of a view that many rows match: walk its order until enough are found.

        None where few match: then collecting and sorting them is quicker, and serves every later window.
        """
        if question.words:
            probe = f"SELECT count(*) FROM (SELECT 1 FROM ({question.hits()}) LIMIT {FEW})"
            if ask(connection, probe, question.bindings)[0][0] < FEW:
                return None
        found: list[int] = []
        skip = start
        for source, condition, order in _segments(question):
            wanted = f"{question.holds_words()} AND {question.holds_terms()}"
            sql = (
                f"SELECT r.id FROM {source} WHERE {condition} AND {wanted} ORDER BY {order}"
                f" LIMIT {count - len(found) + skip}"
            )
            ids = [row for (row,) in ask(connection, sql, question.bindings)]
            found += ids[skip:]
            skip = max(skip - len(ids), 0)
            if len(found) >= count:
                break
        return self.rows(connection, found, collection)

    async def _in_order(
        self, question: Question, collection: str, size: int, version: int, start: int, count: int
    ) -> list[Row]:
        axis = question.first_axis
        at = lane(question.no, axis)
        order = self._orders.get(question.no, axis)
        if order is not None and order.version < version:
            # A commit that it has not heard of yet: one of another process, or one of just now.
            order = None
        if order is None and start + count > _NEAR and size > _NEAR:
            self._begin_order(question.no, axis)
        if order is None:

            def near(connection: apsw.Connection) -> list[Row]:
                ids = walk(connection, at, start, count, descending=question.descending)
                return self.rows(connection, ids, collection)

            return await self._reader.run(near)
        filled = order.filled
        first: tuple[Place | None, int] = (None, 0)
        wanted = 0
        blanks_from = 0
        if start < filled:
            wanted = min(count, filled - start)
            first = order.seek(filled - start - wanted if question.descending else start)
        else:
            blanks_from = start - filled

        def read(connection: apsw.Connection) -> list[Row]:
            ids = from_place(connection, at, *first, wanted) if wanted else []
            if question.descending:
                ids.reverse()
            if len(ids) < count:
                ids += blanks(connection, at, blanks_from, count - len(ids), descending=question.descending)
            return self.rows(connection, ids, collection)

        return await self._reader.run(read)

    def _begin_order(self, no: int, axis: int) -> None:
        """Read an order behind the scenes; this window is found by counting, the next ones by the order."""
        if (no, axis) in self._reading:
            return
        self._reading.add((no, axis))

        def keep(order: Order) -> None:
            self._reading.discard((no, axis))
            self._orders.put(no, axis, order)

        self._database.reader("scan").post(lambda c: read_order(c, no, axis), keep)

    def rows(self, connection: apsw.Connection, ids: Sequence[int], collection: str) -> list[Row]:
        """Return rows by their ids, in that order; one that was deleted meanwhile is left out."""
        found = []
        for row in ids:
            for record_id, label, dictionary, data in ask(
                connection,
                "SELECT r.record_id, r.label, b.dict, b.data FROM rec r JOIN body b ON b.id = r.id WHERE r.id = ?",
                (row,),
            ):
                raw = self._decompressor.decompress(connection, dictionary, data)
                found.append(Row(record_id, label, raw, collection))
        return found

    # ------------------------------------------------------------------------------------------- counts and places

    async def count(self, view: View, question: Question, version: int) -> int:
        """Return how many rows a filtered view holds."""
        collected = self._collected.get(view)
        if collected is not None and collected[0] == version:
            return len(collected[1])
        # The order does not matter for how many they are.
        key = View(view.collection, view.text, view.terms)
        known = self._counts.get(key)
        if known is not None and known[0] == version:
            return known[1]

        def read(connection: apsw.Connection) -> int:
            sql = f"SELECT count(*) FROM ({question.ids(ordered=False)})"
            return int(ask(connection, sql, question.bindings)[0][0])

        number = await self._database.reader("scan").run(read)
        self._counts[key] = (version, number)
        while len(self._counts) > _KEPT * 4:
            self._counts.popitem(last=False)
        return number

    async def index_of(self, view: View, question: Question, version: int, row: int) -> int | None:
        """Return the position of a row in a view."""
        if question.narrowed or len(question.sorts) > 1:
            ids = await self.collect(view, question, version)
            return ids.index(row) if row in ids else None
        axis = question.first_axis
        order = self._orders.get(question.no, axis)
        if order is None or order.version < version:
            order = await self._database.reader("scan").run(lambda c: read_order(c, question.no, axis))
            self._orders.put(question.no, axis, order)
        counted = order
        return await self._reader.run(
            lambda c: position(c, lane(question.no, axis), counted, row, descending=question.descending)
        )


def _segments(question: Question) -> list[tuple[str, str, str]]:
    """Return source, condition and order of the filled rows, then of the blank ones."""
    axis, way = question.first_axis, " DESC" if question.descending else ""
    if axis == BY_LABEL:
        return [
            ("rec r", f"r.coll = {question.no} AND r.sort > ''", f"r.sort{way}, r.id{way}"),
            ("rec r", f"r.coll = {question.no} AND r.sort = ''", f"r.id{way}"),
        ]
    joined = f"ax_{axis} s CROSS JOIN rec r ON r.id = s.id"
    return [
        (joined, "s.pos = 0 AND s.key >= -9e999", f"s.key{way}, s.id{way}"),
        (joined, "s.pos = 0 AND s.key IS NULL", f"s.id{way}"),
    ]
