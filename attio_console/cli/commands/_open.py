"""How a command gets at an open profile."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

import click

from attio_console.cli.app import Globals, run_async

if TYPE_CHECKING:
    from attio_console.services.console import Console
    from attio_console.services.desk import Desk
    from attio_console.services.opening import OpenOptions

T = TypeVar("T")


def open_options(given: Globals) -> OpenOptions:
    """Return the options that open the profile this command line names."""
    from attio_console.services.opening import OpenOptions

    return OpenOptions(
        profile=given.profile, data_dir=given.data_dir, base_url=given.base_url, read_only=given.read_only
    )


@asynccontextmanager
async def _opened(given: Globals) -> AsyncIterator[Console]:
    from attio_console.services.opening import open_console

    async with open_console(open_options(given)) as console:
        yield console


def with_console(work: Callable[[Console], Awaitable[T]]) -> T:
    """Open the profile of the running command, do one piece of work with it, and close it."""
    given = click.get_current_context().find_object(Globals)
    assert given is not None

    async def opened_work() -> T:
        async with _opened(given) as console:
            return await work(console)

    return run_async(opened_work)


def with_desk(work: Callable[[Desk], Awaitable[T]]) -> T:
    """Do one piece of work that this disk alone can answer: no engine is loaded for it."""
    given = click.get_current_context().find_object(Globals)
    assert given is not None

    async def opened_work() -> T:
        from attio_console.services.opening import open_desk

        async with open_desk(open_options(given)) as desk:
            return await work(desk)

    return run_async(opened_work)
