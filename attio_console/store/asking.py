"""Many records of the mirror: windows of a view, counts, places, the finder and boards, off the event loop."""

from __future__ import annotations

import apsw

from attio_console.model.schema import Schema
from attio_console.store import search
from attio_console.store.boards import board_columns
from attio_console.store.database import Database, Work
from attio_console.store.mirror_schema import SHIFT
from attio_console.store.orders import Orders
from attio_console.store.pages import PageWriter
from attio_console.store.questions import axis_slugs, bind
from attio_console.store.reading import Reading
from attio_console.store.sql import ask
from attio_console.store.types import Board, Hit, Row, Sort, Term, TermKind, View, Window
from attio_console.store.views import Views

_SMALL = 3000
"""Axes of collections up to this size are made while the first window waits for them."""


class Asking(Reading):
    """What is asked of a whole collection. Axes that a question needs are begun by asking it."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._writer = PageWriter()
        self._orders = Orders()
        self._views = Views(database, self._decompressor, self._orders)
        self.schema = Schema()

    async def window(self, view: View, start: int, count: int) -> Window:
        """Return some consecutive rows of a view."""
        state = self._state(view.collection)
        if state is None:
            return Window([], start)
        no, size, version = state
        building: float | None = None
        axes = await self._axes(no, view, wait=bool(view.terms) or size <= _SMALL)
        if axes is None:
            building = self._progress(no)
            view = View(view.collection, view.text, view.terms)
            axes = {}
        rows = await self._views.window(
            view, bind(view, no, axes), view.collection, size, version, start, count
        )
        return Window(rows, start, building)

    async def count(self, view: View) -> int:
        """Return how many rows a view holds."""
        state = self._state(view.collection)
        if state is None:
            return 0
        no, size, version = state
        question = bind(View(view.collection, view.text, view.terms), no, {})
        if not question.narrowed:
            return size
        question.axes = await self._axes(no, View(view.collection, terms=view.terms), wait=True) or {}
        return await self._views.count(view, question, version)

    async def index_of(self, view: View, record_id: str) -> int | None:
        """Return the position of a record in a view; None where the view leaves it out."""
        state = self._state(view.collection)
        if state is None:
            return None
        no, _, version = state
        found = self._database.one("SELECT id FROM rec WHERE record_id = ? AND coll = ?", (record_id, no))
        if found is None:
            return None
        axes = await self._axes(no, view, wait=True) or {}
        return await self._views.index_of(view, bind(view, no, axes), version, found[0])

    async def prepare(self, view: View) -> None:
        """Wait until the axes that a view sorts and filters by are made."""
        state = self._state(view.collection)
        if state is not None:
            await self._axes(state[0], view, wait=True)

    def _state(self, collection: str) -> tuple[int, int, int] | None:
        row = self._database.one("SELECT no, size, version FROM collection WHERE name = ?", (collection,))
        return None if row is None else (row[0], row[1], row[2])

    async def _axes(self, no: int, view: View, *, wait: bool) -> dict[str, int] | None:
        """Return the number of each axis a view needs, making those that are missing; None where one is not ready."""
        wanted = list(dict.fromkeys(axis_slugs(view)))
        if not wanted:
            return {}
        known = self._known_axes(no)
        missing = [slug for slug in wanted if slug not in known]
        if missing:

            def begin(work: Work) -> None:
                for slug in missing:
                    self._writer.axes.begin(work, no, slug)

            await self._database.run(begin)
            known = self._known_axes(no)
        for slug in wanted:
            number, ready = known[slug]
            if not ready and not wait:
                return None
            if not ready:
                await self._build(number)
        return {slug: known[slug][0] for slug in wanted}

    def _known_axes(self, no: int) -> dict[str, tuple[int, int]]:
        rows = self._database.rows("SELECT slug, no, ready FROM ax WHERE coll = ?", (no,))
        return {slug: (number, ready) for slug, number, ready in rows}

    async def _build(self, axis: int) -> None:
        def job(work: Work) -> bool:
            return self._writer.axes.build_some(work, self._writer.schema, axis)

        while await self._database.run(job):
            pass

    def _progress(self, no: int) -> float:
        row = self._database.one(
            "SELECT min(CAST(a.done & ? AS REAL) / max(c.next_seq - 1, 1)) FROM ax a JOIN collection c ON c.no = a.coll"
            " WHERE a.coll = ? AND NOT a.ready",
            ((1 << SHIFT) - 1, no),
        )
        return 1.0 if row is None or row[0] is None else min(float(row[0]), 1.0)

    # ------------------------------------------------------------------------------------------- finding

    async def find(self, text: str, collection: str | None = None, limit: int = 50) -> list[Hit]:
        """Return the best records for what was typed; a newer call interrupts this one, which raises Superseded.

        Without a collection: objects, notes and tasks. List entries are called like their parents, and rows of other
        CRMs like their pairs, so those are found only where their collection is named.
        """
        rows = self._database.rows("SELECT no, name FROM collection WHERE size > 0 ORDER BY no")
        wanted = [
            (no, name)
            for no, name in rows
            if (name == collection if collection else self._found_everywhere(name))
        ]
        reader = self._database.reader("find")
        return await reader.run(lambda c: search.find(c, reader, text, wanted, limit), topic="find")

    def _found_everywhere(self, name: str) -> bool:
        if name.startswith("attio:"):
            return True
        return ":" not in name and self.schema.list(name) is None

    def warm(self) -> None:
        """Begin to read what the first keystroke will need into the page cache; nobody waits for it."""

        def read(connection: apsw.Connection) -> None:
            ask(connection, "SELECT sort FROM rec ORDER BY coll, sort LIMIT 200")
            for table in ("words", "infix"):
                ask(connection, f"SELECT rowid FROM {table} WHERE {table} MATCH '\"ann\"*' LIMIT 1")

        self._database.reader("find").post(read, lambda _: None)

    # ------------------------------------------------------------------------------------------- boards

    async def board(self, list_id: str, status_slug: str, value_slug: str | None = None) -> Board:
        """Return how many rows stand in each status of a list or object, and the sum of a number over them."""
        state = self._state(list_id)
        if state is None:
            return Board(list_id, status_slug, ())
        sorts = (Sort(status_slug), *((Sort(value_slug),) if value_slug else ()))
        axes = await self._axes(state[0], View(list_id, sorts=sorts), wait=True) or {}
        fields = self.schema.collection(list_id)
        attribute = fields.attribute(status_slug) if fields else None
        columns = await self._database.reader("windows").run(
            lambda c: board_columns(c, axes[status_slug], axes[value_slug] if value_slug else None, attribute)
        )
        return Board(list_id, status_slug, columns)

    async def column(
        self, list_id: str, status_slug: str, status_id: str, start: int, count: int
    ) -> list[Row]:
        """Return some rows of one status, by label; '' stands for rows without a status."""
        if status_id:
            term = Term(status_slug, "=", TermKind.REF, (status_id,))
        else:
            term = Term(status_slug, "?", TermKind.SET, (), negated=True)
        return (await self.window(View(list_id, terms=(term,)), start, count)).rows
