"""Bodies as they were sent, compressed with a dictionary that is trained on a collection's first page."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from typing import TypeAlias

import apsw
import zstandard

from attio_console.store.database import Work
from attio_console.store.sql import ask

_LEVEL = 3
_DICTIONARY_BYTES = 64 * 1024
_SAMPLES = 128
_ENOUGH_SAMPLES = 32
_ENOUGH_BYTES = 200_000

Packing: TypeAlias = tuple[int, Future[list[bytes]]]
"""The number of a dictionary, and the bodies that are being compressed with it."""


class Compressor:
    """Compresses in the writer thread, by collection."""

    def __init__(self) -> None:
        self._plain = zstandard.ZstdCompressor(level=_LEVEL)
        self._by_collection: dict[int, tuple[int, zstandard.ZstdCompressor]] = {}

    def prepare(self, work: Work, coll: int, raws: Sequence[bytes]) -> None:
        """Load the dictionary of a collection, or train one where this page is large enough."""
        if coll in self._by_collection:
            return
        rows = work.execute("SELECT no, data FROM dict WHERE coll = ? ORDER BY no DESC LIMIT 1", (coll,))
        if rows:
            no, data = rows[0]
        else:
            samples: list[bytes | bytearray | memoryview] = list(raws[:: max(1, len(raws) // _SAMPLES)])
            if len(samples) < _ENOUGH_SAMPLES or sum(map(len, samples)) < _ENOUGH_BYTES:
                return
            try:
                trained = zstandard.train_dictionary(_DICTIONARY_BYTES, samples, k=512, d=8)
            except zstandard.ZstdError:
                # Records too much alike, or too little: they go without a dictionary.
                return
            data = trained.as_bytes()
            work.execute("INSERT INTO dict (coll, data) VALUES (?, ?)", (coll, data))
            no = work.last_id()
        self._by_collection[coll] = (no, _compressor(data))

    def forget(self) -> None:
        """Read dictionaries again: the transaction that trained one may have been rolled back."""
        self._by_collection.clear()

    def compress(self, coll: int, raw: bytes) -> tuple[int, bytes]:
        """Return the number of the dictionary used (0 for none) and the compressed body."""
        no, compressor = self._by_collection.get(coll, (0, self._plain))
        return no, compressor.compress(raw)


class Packer:
    """Compresses many bodies at once, on a thread of its own, with the dictionary the writer has kept."""

    def __init__(self, pool: Executor) -> None:
        self._pool = pool
        self._known: tuple[int, int, zstandard.ZstdCompressor] | None = None

    def pack(self, connection: apsw.Connection, coll: int, raws: Sequence[bytes]) -> Packing | None:
        """Begin to compress; None where the collection has no dictionary yet."""
        if self._known is None or self._known[0] != coll:
            rows = ask(
                connection, "SELECT no, data FROM dict WHERE coll = ? ORDER BY no DESC LIMIT 1", (coll,)
            )
            if not rows:
                return None
            self._known = (coll, rows[0][0], _compressor(rows[0][1]))
        _, number, compressor = self._known
        try:
            return number, self._pool.submit(_compress, compressor, raws)
        except RuntimeError:
            # The store is being closed.
            return None


def _compress(compressor: zstandard.ZstdCompressor, raws: Sequence[bytes]) -> list[bytes]:
    # One call of C, in which the other threads go on.
    packed = compressor.multi_compress_to_buffer([*raws], threads=0)
    return [packed[at].tobytes() for at in range(len(packed))]


def _compressor(data: bytes) -> zstandard.ZstdCompressor:
    dictionary = zstandard.ZstdCompressionDict(data)
    dictionary.precompute_compress(level=_LEVEL)
    return zstandard.ZstdCompressor(level=_LEVEL, dict_data=dictionary)


class Decompressor:
    """Decompresses on any thread; a decompressor is not shared between threads."""

    def __init__(self) -> None:
        self._local = threading.local()

    def decompress(self, connection: apsw.Connection, dictionary: int, data: bytes) -> bytes:
        """Return the body as it was sent."""
        known: dict[int, zstandard.ZstdDecompressor] | None = getattr(self._local, "known", None)
        if known is None:
            known = self._local.known = {}
        decompressor = known.get(dictionary)
        if decompressor is None:
            if dictionary == 0:
                decompressor = zstandard.ZstdDecompressor()
            else:
                row = ask(connection, "SELECT data FROM dict WHERE no = ?", (dictionary,))
                decompressor = zstandard.ZstdDecompressor(dict_data=zstandard.ZstdCompressionDict(row[0][0]))
            known[dictionary] = decompressor
        try:
            body: bytes = decompressor.decompress(data)
        except zstandard.ZstdError as error:
            raise apsw.CorruptError(f"a body cannot be decompressed: {error}") from error
        return body
