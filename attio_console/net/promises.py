"""An answer that is not what its system documents is that system's failure, never the end of the program."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec

from attio_console import errors

T = TypeVar("T")

# What taking apart a document of another shape ends in.
_MISTAKEN = (
    msgspec.MsgspecError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)


@contextmanager
def as_promised(system: str) -> Iterator[None]:
    """Turn every way in which an answer of the wrong shape breaks its reader into ServerFailed."""
    try:
        yield
    except _MISTAKEN as error:
        reason = str(error) or type(error).__name__
        if isinstance(error, LookupError):
            reason = f"{reason} is missing"
        raise errors.ServerFailed(
            f"An answer of {system.title()} is not what it documents: {reason[:200]}",
            system=system,
            code="malformed_answer",
        ) from error


def keeping_promises(system: str) -> Callable[[type[T]], type[T]]:
    """Guard every public coroutine and asynchronous iterator of a client with `as_promised`."""

    def guard(client: type[T]) -> type[T]:
        for name, found in inspect.getmembers(client, inspect.isfunction):
            if name.startswith("_"):
                continue
            if inspect.iscoroutinefunction(found):
                setattr(client, name, _guarded(system, found))
            elif inspect.isasyncgenfunction(found):
                setattr(client, name, _guarded_pages(system, found))
        return client

    return guard


def _guarded(system: str, method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    async def guarded(*arguments: Any, **named: Any) -> Any:
        with as_promised(system):
            return await method(*arguments, **named)

    return guarded


def _guarded_pages(system: str, method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    async def guarded(*arguments: Any, **named: Any) -> AsyncIterator[Any]:
        pages = method(*arguments, **named)
        try:
            while True:
                # What the reader of the pages does between two of them is not the system's fault.
                with as_promised(system):
                    try:
                        page = await anext(pages)
                    except StopAsyncIteration:
                        return
                yield page
        finally:
            await pages.aclose()

    return guarded
