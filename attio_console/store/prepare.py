"""What of a page can be done before it is the writer's turn, on a thread of its own: hashes, extracts, compressed bodies.

The writer decides; what it is handed here only saves it the work. Long calls of C leave the other threads alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from concurrent.futures import Executor

import apsw
import msgspec

from attio_console.errors import StoreError
from attio_console.store.bodies import Packer, Packing
from attio_console.store.extract import Extract, Extractor
from attio_console.store.sql import ask

_LEADING_ID = re.compile(
    rb'\s*\{\s*"id"\s*:\s*\{[^{}\\]*?"(?:record_id|entry_id|note_id|task_id)"\s*:\s*"([^"\\]+)"'
)

_UNCHANGED = (
    "SELECT json_group_array(json_array(j.key, r.id)) FROM json_each(?) j"
    " CROSS JOIN rec r ON r.record_id = j.value ->> 0 AND r.coll = ? WHERE hex(r.hash) = j.value ->> 1"
)


class Prepared:
    """A raw record and what is known of it already."""

    __slots__ = ("digest", "extract", "packing", "place", "raw", "record_id", "row")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.digest = b""
        self.record_id: str | None = None
        self.row: int | None = None
        """The row that holds just these bytes; None where that is not known."""
        self.extract: Extract | None = None
        self.packing: Packing | None = None
        """Where its body is being compressed, with others; it is the one at `place`."""
        self.place = 0

    def identify(self) -> None:
        """Hash the record and find its id, where that needs no decoding."""
        if not self.digest:
            self.digest = hashlib.blake2b(self.raw, digest_size=16).digest()
            self.record_id = quick_id(self.raw)

    def body(self) -> tuple[int, bytes] | None:
        """Return the number of the dictionary and the compressed body, once it is ready; None where nobody began."""
        if self.packing is None:
            return None
        dictionary, bodies = self.packing
        return dictionary, bodies.result()[self.place]


class Preparer:
    """Prepares the rows of one collection. Lives in a reader's thread and writes nothing."""

    def __init__(self, extractor: Extractor, pool: Executor) -> None:
        self._extractor = extractor
        self._packer = Packer(pool)

    def prepare(self, connection: apsw.Connection, name: str, raws: Sequence[bytes]) -> list[Prepared]:
        """Find out what is new or different, and take that apart."""
        rows = [Prepared(raw) for raw in raws]
        for row in rows:
            row.identify()
        numbers = ask(connection, "SELECT no FROM collection WHERE name = ?", (name,))
        if not numbers:
            return rows
        no: int = numbers[0][0]
        self._recognise(connection, no, rows)
        fresh = [row for row in rows if row.row is None]
        if not fresh:
            return rows
        packing = self._packer.pack(connection, no, [row.raw for row in fresh])
        for place, row in enumerate(fresh):
            row.packing, row.place = packing, place
            try:
                row.extract = self._extractor.extract(row.raw, _whose_parent)
            except (_NeedsParentError, StoreError):
                # The writer knows the parents' labels, and tells of what is no record.
                continue
            row.record_id = row.extract.record_id
        return rows

    def _recognise(self, connection: apsw.Connection, no: int, rows: Sequence[Prepared]) -> None:
        # One statement with one row of an answer: each step of a statement hands the interpreter over and back.
        wanted = [(row.record_id, row.digest.hex().upper()) for row in rows]
        found = ask(connection, _UNCHANGED, (msgspec.json.encode(wanted).decode(), no))[0][0]
        for at, row_id in msgspec.json.decode(found):
            rows[at].row = row_id


class _NeedsParentError(Exception):
    """The label of another record is part of this one's."""


def _whose_parent(_record_id: str) -> str | None:
    raise _NeedsParentError


def quick_id(raw: bytes) -> str | None:
    """Return the id of a record as Attio writes them, from its first bytes; None where it must be decoded.

    An unchanged record is recognised by its id and its hash: for that the rest need not be parsed.
    """
    found = _LEADING_ID.match(raw, 0, 400)
    return None if found is None else found.group(1).decode()
