"""Everything on disk: the mirror of a workspace, the queues, pairs, conflicts, audit, and the cache.

    store = await Store.open(directory)

`store.types` has what goes in and comes out, `store.filter` the language of the filter box.
"""

from __future__ import annotations

from attio_console.store.store import Store

__all__ = ["Store"]
