"""A thread with its own read-only connection, for questions that may take longer than a frame."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import apsw

from attio_console.errors import StoreError, StoreUnavailable, Superseded

T = TypeVar("T")


class _Question:
    __slots__ = ("dropped", "fn", "future", "loop", "topic")

    def __init__(
        self,
        fn: Callable[[apsw.Connection], Any],
        topic: str | None,
        loop: asyncio.AbstractEventLoop,
        future: asyncio.Future[Any],
    ) -> None:
        self.fn = fn
        self.topic = topic
        self.loop = loop
        self.future = future
        self.dropped = False


class Reader:
    """Answers questions one after another; a newer question of the same topic interrupts and replaces the older."""

    def __init__(
        self,
        name: str,
        path: Path,
        connect: Callable[[], apsw.Connection],
        fail: Callable[[apsw.Error], StoreError],
    ) -> None:
        self._path = path
        self._connect = connect
        self._fail = fail
        self._connection: apsw.Connection | None = None
        self._waiting: deque[_Question] = deque()
        self._current: _Question | None = None
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._loop, name=f"read {path.name} {name}", daemon=True)
        self._thread.start()

    async def run(self, fn: Callable[[apsw.Connection], T], *, topic: str | None = None) -> T:
        """Answer off the loop. Raises Superseded in whoever asked earlier about the same topic."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        question = _Question(fn, topic, loop, future)
        with self._changed:
            if self._closing:
                raise StoreUnavailable(f"The store at {self._path.parent} is closed.")
            if topic is not None:
                self._supersede(topic)
            self._waiting.append(question)
            self._changed.notify()
        try:
            return await future
        except asyncio.CancelledError:
            self._drop(question)
            raise

    def post(self, fn: Callable[[apsw.Connection], T], then: Callable[[T], None]) -> None:
        """Answer off the loop and hand the answer to `then` on it; a failure is left to whoever asks for it aloud."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def done(answered: asyncio.Future[T]) -> None:
            if not answered.cancelled() and answered.exception() is None:
                then(answered.result())

        future.add_done_callback(done)
        with self._changed:
            if not self._closing:
                self._waiting.append(_Question(fn, None, loop, future))
                self._changed.notify()

    def check(self) -> None:
        """Stop a question of several statements between two of them, once it was replaced."""
        current = self._current
        if current is not None and current.dropped:
            raise Superseded("A newer question replaced this one.")

    def _supersede(self, topic: str) -> None:
        for other in [q for q in self._waiting if q.topic == topic]:
            self._waiting.remove(other)
            other.dropped = True
            _answer(other, None, Superseded("A newer question replaced this one."))
        if self._current is not None and self._current.topic == topic:
            self._interrupt(self._current)

    def _drop(self, question: _Question) -> None:
        with self._changed:
            if question in self._waiting:
                self._waiting.remove(question)
            elif self._current is question:
                self._interrupt(question)

    def _interrupt(self, question: _Question) -> None:
        question.dropped = True
        if self._connection is not None:
            self._connection.interrupt()

    def _loop(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closing:
                    self._changed.wait()
                if self._closing:
                    break
                question = self._current = self._waiting.popleft()
            result: Any = None
            error: BaseException | None = None
            try:
                if self._connection is None:
                    self._connection = self._connect()
                result = question.fn(self._connection)
            except apsw.InterruptError:
                error = Superseded("A newer question replaced this one.")
            except apsw.Error as failure:
                error = self._fail(failure)
            except BaseException as failure:  # noqa: BLE001 - it is handed to the caller, on the caller's own thread
                error = failure
            with self._changed:
                self._current = None
                if question.dropped and error is None:
                    error = Superseded("A newer question replaced this one.")
            _answer(question, result, error)
        if self._connection is not None:
            self._connection.close()

    def close(self) -> None:
        """Interrupt what runs, refuse what waits, stop the thread."""
        with self._changed:
            self._closing = True
            for question in self._waiting:
                _answer(question, None, StoreUnavailable(f"The store at {self._path.parent} is closed."))
            self._waiting.clear()
            if self._current is not None:
                self._interrupt(self._current)
            self._changed.notify()
        self._thread.join()


def _answer(question: _Question, result: Any, error: BaseException | None) -> None:
    def settle() -> None:
        if question.future.done():
            return
        if error is not None:
            question.future.set_exception(error)
        else:
            question.future.set_result(result)

    if not question.loop.is_closed():
        question.loop.call_soon_threadsafe(settle)
