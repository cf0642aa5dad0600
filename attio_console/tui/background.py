"""Work behind the screen: what is newer replaces what is older."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

from textual.dom import DOMNode


def replacing(node: DOMNode, group: str, work: Callable[[], Awaitable[Any]]) -> None:
    """Run this in place of what still runs of its group; it ends with the node.

    `work` is called only once its turn has come, so that what is replaced at once was never begun.
    """
    node.run_worker(cast(Callable[[], Any], work), group=group, exclusive=True)
