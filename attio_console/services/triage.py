"""The conflict queue as people work through it: in windows, filtered, put away, handed over, talked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import MappingProxyType

from attio_console.errors import NoSuchThing, UsageError
from attio_console.model.schema import Member
from attio_console.model.text import fold, plain
from attio_console.services import conflict_filter
from attio_console.services.conflicts import ConflictVerbs
from attio_console.services.times import time_to_come
from attio_console.services.types import Choice, ConflictLine, Done
from attio_console.store.conflict_desk import DeskNote

CHANGE = "change"
"""What is typed to put a conflict away until a side changes."""


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody said about a conflict."""

    at: datetime
    by: str
    text: str


class TriageVerbs(ConflictVerbs):
    """Everything one does with conflicts before deciding them."""

    _finding: Mapping[int, conflict_filter.Found] = MappingProxyType({})

    # ------------------------------------------------------------------------------------------------- the queue

    def conflict_ids(self, filter: str = "") -> list[int]:
        """Return the open conflicts the filter shows, oldest first. Raises InvalidFilter."""
        tests = conflict_filter.parse(filter)
        order = self.store.conflict_desk.order()
        if not tests:
            return [conflict_id for conflict_id, _ in order]
        known = self._found_by(order)
        names = {
            conflict_id: fold(self.member_name(member))
            for conflict_id, member in self.store.conflict_desk.assigned().items()
        }
        now = self.store.queue.now()
        return [
            conflict_id
            for conflict_id, _ in order
            if (found := known.get(conflict_id)) is not None
            and all(test(found, names.get(conflict_id, ""), now) for test in tests)
        ]

    def _found_by(self, order: Sequence[tuple[int, int]]) -> dict[int, conflict_filter.Found]:
        # What a conflict is found by is read once and kept: every letter typed asks again.
        before = self._finding
        known = {
            conflict_id: found
            for conflict_id, revision in order
            if (found := before.get(conflict_id)) is not None and found.revision == revision
        }
        missing = [conflict_id for conflict_id, _ in order if conflict_id not in known]
        lines = self.store.conflict_desk.index(missing) if missing else []
        titles = {name: self._object_names(name) for name in {line.collection for line in lines}}
        for line in lines:
            known[line.id] = conflict_filter.found_by(line, titles[line.collection])
        self._finding = known
        return known

    def _object_names(self, collection: str) -> str:
        shape = self.schema.collection(collection)
        return f"{shape.slug} {self.title_of(collection)}" if shape is not None else collection

    def conflict_lines(self, ids: Sequence[int]) -> list[ConflictLine]:
        """Return these conflicts as the queue shows them, in that order."""
        notes = self.store.conflict_desk.notes(ids)
        return [
            replace(self._line(row), assignee=self.member_name(note.assignee), comments=len(note.comments))
            if (note := notes.get(row.id)) is not None
            else self._line(row)
            for row in self.store.conflicts.some(ids)
        ]

    def conflicts(self, start: int = 0, count: int = 100, filter: str = "") -> list[ConflictLine]:
        """Return open conflicts, oldest first; `filter` is words and terms. Raises InvalidFilter."""
        return self.conflict_lines(self.conflict_ids(filter)[start : start + count])

    # ------------------------------------------------------------------------------------------------- putting away

    async def snooze_until(self, ids: Sequence[int], text: str) -> Done:
        """Put conflicts away until a time (4h, tomorrow, monday, 2026-12-01) or until a side changes (change)."""
        change = text.strip().casefold() == CHANGE
        until = None if change else time_to_come(text, self.clock.now())
        for conflict_id in ids:
            self._open_row(conflict_id)
        count = await self.store.conflict_desk.put_away(ids, None if until is None else until.timestamp())
        self.bus.changed("conflicts")
        what = self._all_of(ids)
        when = "when a side changes" if until is None else f"{until.astimezone():%a %d %b %H:%M}"
        return Done(f"{what} {'comes' if count == 1 else 'come'} back {when}.", count=count)

    async def wake_conflicts(self) -> int:
        """Bring back what was put away and is due; asks an index first, so that it costs nothing to call often."""
        woken = await self.store.conflict_desk.wake()
        if woken:
            self.bus.changed("conflicts")
        return woken

    def _all_of(self, ids: Sequence[int]) -> str:
        if len(ids) != 1:
            return f"{len(ids):,} conflicts"
        row = self._open_row(ids[0])
        return plain(row.label) or "The conflict"

    # ------------------------------------------------------------------------------------------------- handing over

    def members(self) -> list[Choice]:
        """Return who a conflict can be for."""
        return [Choice(member.id, plain(member.name)) for member in self.schema.members]

    def member_name(self, member_id: str) -> str:
        """Return the name of a member; nothing for nobody."""
        member = self.schema.member(member_id) if member_id else None
        return plain(member.name) if member is not None else plain(member_id)

    async def assign(self, ids: Sequence[int], who: str) -> Done:
        """Make conflicts somebody's, by name, e-mail address or id; nobody takes it back."""
        for conflict_id in ids:
            self._open_row(conflict_id)
        member = None if who.strip().casefold() in {"", "nobody"} else self._member(who.strip())
        await self.store.conflict_desk.assign(ids, member.id if member else "")
        self.bus.changed("conflicts")
        whose = f"for {plain(member.name)}" if member else "for nobody in particular"
        verb = "is" if len(ids) == 1 else "are"
        return Done(f"{self._all_of(ids)} {verb} {whose} now.", count=len(ids))

    def _member(self, who: str) -> Member:
        wanted = fold(who)
        members = self.schema.members
        exact = [m for m in members if wanted in {fold(m.id), fold(m.email or ""), fold(m.name)}]
        found = exact or [m for m in members if wanted in fold(m.name)]
        if len(found) != 1:
            names = ", ".join(plain(m.name) for m in found or members)
            raise NoSuchThing(
                f"{'Several members are' if found else 'No member is'} called {who!r}.",
                hint=f"There are: {names}",
            )
        return found[0]

    # ------------------------------------------------------------------------------------------------- talking

    def comments(self, conflict_id: int) -> list[Comment]:
        """Return what was said about a conflict, oldest first."""
        return [
            Comment(datetime.fromtimestamp(c["at"], UTC), plain(str(c["by"])), plain(str(c["text"])))
            for c in self.desk_note(conflict_id).comments
        ]

    def desk_note(self, conflict_id: int) -> DeskNote:
        """Return whose a conflict is and what was said, as it is kept."""
        return self.store.conflict_desk.note(conflict_id)

    async def comment(self, conflict_id: int, text: str) -> Done:
        """Say something about a conflict; it stays beside it."""
        row = self._open_row(conflict_id)
        if not text.strip():
            raise UsageError("There is nothing to say yet.")
        await self.store.conflict_desk.comment(conflict_id, "you", text.strip())
        self.bus.changed("conflicts")
        return Done(f"Said on {plain(row.label)}.", count=1)
