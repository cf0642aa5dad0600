"""What the keys do with conflicts: in the queue, and field by field."""

from __future__ import annotations

from collections.abc import Sequence

from attio_console.errors import ConsoleError
from attio_console.services.types import ConflictField, ConflictLine, Done, PlannedWrite, Side
from attio_console.tui.conflict_grid import side_title
from attio_console.tui.conflict_view import ConflictView
from attio_console.tui.deciding import Chosen
from attio_console.tui.dialogs.confirm import Confirm, PlanDialog
from attio_console.tui.editors import edit_field
from attio_console.tui.panes.conflict_triage import ConflictTriage
from attio_console.tui.prose import counted
from attio_console.tui.record_view import system_name

_FIELD_CHOICES = {
    "choose-attio", "choose-other", "choose-base", "choose-both", "choose-edit", "choose-suggested", "choose-none",
}  # fmt: skip
_NEEDS_CONFLICT = {
    "open",
    "take-attio-all",
    "take-other-all",
    "take-suggested",
    "skip",
    "snooze",
    "assign",
    "comment",
    "timeline",
    "mark",
    "copy",
}


class ConflictActions(ConflictTriage):
    """The actions of the Conflicts pane; the pane itself holds the parts."""

    view: ConflictView

    def lines_of(self, keys: list[str]) -> list[ConflictLine]:
        """Return conflicts by their keys in the queue."""
        raise LookupError(keys)

    def open_conflict(self) -> None:
        """Let the keys work on the conflict under the cursor."""
        raise LookupError

    def step_conflict(self, step: int) -> None:
        """Go to a neighbouring conflict."""
        raise LookupError(step)

    # -- reasons ----------------------------------------------------------------------------------------------

    def why_not(self, action: str) -> str | None:
        """Return why an action cannot be done now, or None."""
        if action in _NEEDS_CONFLICT and not self.targets():
            return "No conflict is under the cursor."
        if action in _FIELD_CHOICES:
            return self._why_not_choose(action, self.view.field)
        if action == "apply":
            return self._why_not_apply()
        if action == "make-rule":
            return self.why_not_rule(self.view.field)
        if action == "export" and not self.queue_ids:
            return "There is nothing to export."
        if action == "undo-choice":
            return None
        if action == "merged" and (self.view.decision is None or not self.view.decision.detail.merged):
            return "No other field of this pair changed."
        if action in {"conflict-next", "conflict-previous"} and self.table.total < 2:
            return "This is the only conflict."
        return None

    def _why_not_choose(self, action: str, field: ConflictField | None) -> str | None:
        if field is None:
            return "No field is under the cursor."
        if action == "choose-both" and not field.multi:
            return f"{field.title} holds one value only: ← or → takes a side."
        if action == "choose-suggested" and field.suggestion is None:
            return f"There is no suggestion for {field.title}: {field.why or 'the rules leave it to you'}."
        if action == "choose-edit" and self.verbs.attribute(self._collection(), field.slug) is None:
            return "This is about the whole record: ← or → decides it."
        if action == "choose-base" and not field.compared and not field.whole:
            return "Both sides never agreed on a value before; there is no base."
        return None

    def _why_not_apply(self) -> str | None:
        decision = self.view.decision
        if decision is None:
            return "No conflict is open."
        if decision.undecided:
            return f"No choice yet for {', '.join(decision.undecided)}: ← Attio, → the other side, Space the suggestion."
        return None

    def _collection(self) -> str:
        decision = self.view.decision
        return decision.detail.line.collection if decision is not None else ""

    # -- the queue --------------------------------------------------------------------------------------------

    def act_open(self) -> None:
        """Open the conflict under the cursor."""
        self.open_conflict()

    async def _sure(self, writes: Sequence[PlannedWrite]) -> bool:
        """Ask before a decision that deletes records: nothing takes that back."""
        gone = [write for write in writes if write.deletes]
        if not gone:
            return True
        what = (
            f"{gone[0].label} in {system_name(gone[0].system)}"
            if len(gone) == 1
            else f"{len(gone):,} records"
        )
        detail = "It was deleted on the other side. This cannot be undone."
        sure = await self.face.push_screen_wait(Confirm(f"Delete {what}?", detail, count=len(gone)))
        return sure is True

    async def act_take_attio_all(self) -> Done | None:
        """Take Attio's values for all marked conflicts."""
        return await self._take_all("attio", "Attio")

    async def act_take_other_all(self) -> Done | None:
        """Take the other system's values for all marked conflicts."""
        systems = {side_title(line.system) for line in self.lines_of(self.targets())}
        return await self._take_all("external", " and ".join(sorted(systems)))

    async def _take_all(self, side: Side, name: str) -> Done | None:
        ids = [line.conflict_id for line in self.lines_of(self.targets())]
        details = [detail for number in ids if (detail := self.verbs.conflict(number)) is not None]
        plans = [
            (detail.line.conflict_id, {field.slug: side for field in detail.fields}, detail.revision)
            for detail in details
        ]
        writes = await self.verbs.preview_many(ids, side)
        title = f"Take {name} for {counted(len(ids), 'conflict')}"
        if not await self.face.push_screen_wait(PlanDialog(title, writes)) or not await self._sure(writes):
            return None
        self.table.set_marks(set())
        return await self.verbs.resolve_plans(plans)

    async def act_take_suggested(self) -> Done | None:
        """Resolve as suggested, after a look at the plan."""
        plans: list[tuple[int, dict[str, Chosen], int]] = []
        writes = []
        left = 0
        for line in self.lines_of(self.targets()):
            detail = self.verbs.conflict(line.conflict_id)
            if detail is None or any(field.suggestion is None for field in detail.fields):
                left += 1
                continue
            choices: dict[str, Chosen] = {field.slug: str(field.suggestion) for field in detail.fields}
            writes += self.verbs.preview_resolution(line.conflict_id, choices)
            plans.append((line.conflict_id, choices, detail.revision))
        if not plans:
            self.face.refuse("Not every field has a suggestion; Enter opens the conflict.")
            return None
        note = f"{counted(left, 'conflict')} without a full suggestion stay in the queue." if left else ""
        if not await self.face.push_screen_wait(
            PlanDialog(f"Resolve {len(plans):,} as suggested", writes, note)
        ) or not await self._sure(writes):
            return None
        self.table.set_marks(set())
        return await self.verbs.resolve_plans(plans)

    # -- one conflict -----------------------------------------------------------------------------------------

    def act_down(self) -> None:
        """Go one row or field down."""
        if self.opened:
            self.view.grid.move(1)
        else:
            super().act_down()

    def act_up(self) -> None:
        """Go one row or field up."""
        if self.opened:
            self.view.grid.move(-1)
        else:
            super().act_up()

    def act_page_down(self) -> None:
        """Go a screenful down."""
        if self.opened:
            self.view.grid.scroll_page_down(animate=False)
        else:
            super().act_page_down()

    def act_page_up(self) -> None:
        """Go a screenful up."""
        if self.opened:
            self.view.grid.scroll_page_up(animate=False)
        else:
            super().act_page_up()

    def act_top(self) -> None:
        """Go to the first row or field."""
        if self.opened:
            self.view.grid.move(-1_000)
        else:
            super().act_top()

    def act_bottom(self) -> None:
        """Go to the last row or field."""
        if self.opened:
            self.view.grid.move(1_000)
        else:
            super().act_bottom()

    def _choose(self, choice: Chosen | None, *, go_on: bool = True) -> None:
        field, decision = self.view.field, self.view.decision
        if field is None or decision is None:
            return
        decision.choose(field.slug, choice)
        if go_on and choice is not None and decision.undecided:
            self._to_next_undecided()
        self.view.redraw()

    def _to_next_undecided(self) -> None:
        decision = self.view.decision
        if decision is None:
            return
        slugs = [field.slug for field in decision.detail.fields]
        now = slugs.index(self.view.grid.cursor_key) if self.view.grid.cursor_key in slugs else 0
        for step in range(1, len(slugs)):
            number = (now + step) % len(slugs)
            if slugs[number] not in decision.choices:
                self.view.grid.move(number - now)
                return

    def act_choose_attio(self) -> None:
        """Take Attio's value."""
        self._choose("attio")

    def act_choose_other(self) -> None:
        """Take the other system's value."""
        self._choose("external")

    def act_choose_base(self) -> None:
        """Take the value both sides last agreed on."""
        self._choose("base")

    def act_choose_both(self) -> None:
        """Keep the values of both sides."""
        self._choose("both")

    def act_choose_suggested(self) -> None:
        """Take the suggestion."""
        field = self.view.field
        if field is not None and field.suggestion is not None:
            self._choose(field.suggestion)

    def act_choose_none(self) -> None:
        """Take the choice back."""
        self._choose(None, go_on=False)

    async def act_choose_edit(self) -> None:
        """Write the value oneself."""
        field, decision = self.view.field, self.view.decision
        attribute = self.verbs.attribute(self._collection(), field.slug) if field is not None else None
        if field is None or decision is None or attribute is None:
            return
        line = decision.detail.line

        async def save(text: str) -> Done:
            # Asking for the plan reads the text as the service would: what does not fit is refused here.
            self.verbs.preview_resolution(line.conflict_id, {field.slug: ("set", text)})
            decision.choose(field.slug, ("set", text))
            return Done("")

        start = decision.result(field) or field.attio.text
        await edit_field(
            self.face,
            line.collection,
            attribute,
            f"{field.title} of {line.label}",
            start,
            save,
            "Both sides get this value.",
        )
        self.view.redraw()

    async def act_apply(self) -> Done | None:
        """Write the chosen values to both sides."""
        decision = self.view.decision
        if decision is None:
            return None
        detail = decision.detail
        writes = self.verbs.preview_resolution(detail.line.conflict_id, decision.choices)
        if not await self._sure(writes):
            return None
        try:
            return await self.verbs.resolve(detail.line.conflict_id, decision.choices, detail.revision)
        except ConsoleError:
            self.view.show(self.verbs.conflict(detail.line.conflict_id), "")
            raise

    async def act_undo_choice(self) -> Done | None:
        """Take the last choice back, or the last decision."""
        decision = self.view.decision
        if decision is not None and decision.past:
            slug = decision.undo()
            titles = {field.slug: field.title for field in decision.detail.fields}
            self.view.redraw()
            return Done(f"Choice for {titles.get(slug or '', 'the field')} taken back.")
        return await self.face.main.act_undo()

    def act_conflict_next(self) -> None:
        """Go to the next conflict."""
        self.step_conflict(1)

    def act_conflict_previous(self) -> None:
        """Go to the previous conflict."""
        self.step_conflict(-1)

    def act_merged(self) -> None:
        """Show or hide the fields that merge by themselves."""
        self.view.show_merged = not self.view.show_merged
        self.view.redraw()

    # -- leaving ----------------------------------------------------------------------------------------------

    def act_zoom(self) -> None:
        """Give the conflict the whole screen, or give it back."""
        self.toggle_class("-opened")
        self.call_after_refresh(self.view.redraw)

    def act_back(self) -> None:
        """Close or clear the innermost thing."""
        self.clear_layer()

    def act_leave(self) -> None:
        """Close or clear the innermost thing, or quit."""
        if not self.clear_layer():
            self.face.act_quit()
