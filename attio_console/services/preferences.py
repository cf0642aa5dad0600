"""What a person arranged on the screen, kept with the workspace: it is there again tomorrow, also after a kill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from attio_console.errors import NoSuchThing, UsageError
from attio_console.services.base import Bench
from attio_console.services.types import Done

SLOTS = 9
"""Saved views an object has room for: one for each digit."""

Sorts = tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class TableLook:
    """How one object's table is arranged: columns in their order, and the sort keys (slug, descending)."""

    columns: tuple[str, ...] = ()
    """Empty means the usual ones."""
    sorts: Sorts = ()


@dataclass(frozen=True, slots=True)
class SavedView:
    """A table as somebody wants it back: what it shows, in which order, with which columns."""

    slot: int
    name: str
    filter: str = ""
    sorts: Sorts = ()
    columns: tuple[str, ...] = ()


class PreferenceVerbs(Bench):
    """What the screen remembers for this profile. Nothing here is sent anywhere, so a read-only profile keeps it, too."""

    def preference(self, name: str) -> Any:
        """Return what was kept under a name, or None."""
        return self.store.state.get(self._kept(name))

    async def prefer(self, name: str, value: Any) -> None:
        """Keep a small JSON value under a name; None forgets it. It is on disk when this returns."""
        await self.store.state.put(self._kept(name), value)

    def _kept(self, name: str) -> str:
        return f"face:{self.profile.name}:{name}"

    # ------------------------------------------------------------------------------------------------- tables

    def table_look(self, collection: str) -> TableLook:
        """Return how an object's table was arranged; fields that are gone meanwhile are left out."""
        kept = self.preference(f"table:{collection}") or {}
        return TableLook(
            self._still_there(collection, kept.get("columns") or ()),
            self._still_sortable(collection, kept.get("sorts") or ()),
        )

    async def keep_table_look(self, collection: str, look: TableLook) -> None:
        """Remember how an object's table is arranged."""
        await self.prefer(
            f"table:{collection}",
            {"columns": list(look.columns), "sorts": [list(sort) for sort in look.sorts]},
        )

    def _still_there(self, collection: str, slugs: Sequence[str]) -> tuple[str, ...]:
        return tuple(slug for slug in slugs if self.attribute(collection, slug) is not None)

    def _still_sortable(self, collection: str, sorts: Sequence[Sequence[Any]]) -> Sorts:
        there = self._still_there(collection, [str(sort[0]) for sort in sorts])
        return tuple((str(slug), bool(descending)) for slug, descending in sorts if slug in there)

    # ------------------------------------------------------------------------------------------------- saved views

    def views(self, collection: str) -> list[SavedView]:
        """Return the saved views of an object, by slot."""
        kept: dict[str, Any] = self.preference(f"views:{collection}") or {}
        return [
            SavedView(
                int(slot),
                str(view["name"]),
                str(view.get("filter") or ""),
                self._still_sortable(collection, view.get("sorts") or ()),
                self._still_there(collection, view.get("columns") or ()),
            )
            for slot, view in sorted(kept.items())
        ]

    async def save_view(self, collection: str, view: SavedView) -> Done:
        """Keep a view in its slot; slot 0 takes the first free one. A view of the same name is replaced."""
        name = view.name.strip()
        if not name:
            raise UsageError("A view needs a name.")
        kept: dict[str, Any] = dict(self.preference(f"views:{collection}") or {})
        same = next((slot for slot, old in kept.items() if old["name"].casefold() == name.casefold()), None)
        free = next((str(n) for n in range(1, SLOTS + 1) if str(n) not in kept), None)
        slot = str(view.slot) if view.slot else same or free
        if slot is None or not slot.isdigit() or not 1 <= int(slot) <= SLOTS:
            raise UsageError(f"All {SLOTS} slots are taken.", hint="Delete a view, or save over one.")
        if same is not None and same != slot:
            del kept[same]
        kept[slot] = {
            "name": name,
            "filter": view.filter,
            "sorts": [list(sort) for sort in view.sorts],
            "columns": list(view.columns),
        }
        await self.prefer(f"views:{collection}", kept)
        return Done(f"View {slot} is {name}.", count=1)

    async def delete_view(self, collection: str, slot: int) -> Done:
        """Forget a saved view."""
        kept: dict[str, Any] = dict(self.preference(f"views:{collection}") or {})
        if str(slot) not in kept:
            raise NoSuchThing(f"There is no view {slot}.")
        name = kept.pop(str(slot))["name"]
        await self.prefer(f"views:{collection}", kept or None)
        return Done(f"View {slot}, {name}, is gone.", count=1)
