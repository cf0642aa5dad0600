"""Creating something once though the answer may be lost: no idempotency key exists, so the outcome is looked up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from attio_console import errors
from attio_console.model.clock import Clock

T = TypeVar("T")
Find = Callable[[], Awaitable[T | None]]

# A query runs up to two seconds behind a write, and a write whose connection broke may still be on its way.
_LOOKS_S = (0.3, 0.8, 1.5, 2.5)
_ROUNDS = 3


async def create_or_find(create: Callable[[], Awaitable[T]], find: Find[T] | None, clock: Clock) -> T:
    """Create, and after a lost answer look whether it is there before creating again.

    Without `find` the error is raised as it is: it says that the outcome is unknown, and the caller decides.
    """
    for round_ in range(_ROUNDS):
        try:
            return await create()
        except errors.UniquenessConflict:
            # In a later round this is most likely what the lost attempt made.
            found = await find() if find is not None and round_ > 0 else None
            if found is None:
                raise
            return found
        except (errors.TimedOut, errors.ConnectionLost, errors.ServerFailed) as error:
            if find is None or not getattr(error, "unknown_outcome", True):
                raise
            for wait in _LOOKS_S:
                await clock.sleep(wait)
                found = await find()
                if found is not None:
                    return found
            if round_ == _ROUNDS - 1:
                raise
    raise AssertionError("unreachable")
