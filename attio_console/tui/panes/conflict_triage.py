"""What the keys do with conflicts before they are decided: put away, hand over, talk, look back, save, make a rule."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attio_console.services.conflict_export import FORMATS
from attio_console.services.exporting import Format
from attio_console.services.rules import RulePlan
from attio_console.services.triage import CHANGE
from attio_console.services.types import ConflictField, ConflictLine, Done
from attio_console.tui.conflict_grid import side_title
from attio_console.tui.conflict_view import ConflictView
from attio_console.tui.dialogs.confirm import PlanDialog, plan_sentence
from attio_console.tui.dialogs.form import Form, FormField
from attio_console.tui.dialogs.pick import Pick, PickDialog, among
from attio_console.tui.dialogs.timeline import TimelineDialog
from attio_console.tui.exporting import SUFFIXES
from attio_console.tui.prose import counted
from attio_console.tui.table_actions import TableActions

_WHEN = ("1h", "4h", "tomorrow", "monday", "1w", CHANGE)
_TITLES = {
    Format.CSV: "CSV, one line a field",
    Format.JSONL: "JSON, one conflict a line",
    Format.JSON: "JSON, one list",
}


class ConflictTriage(TableActions):
    """Everything in the Conflicts pane that decides nothing yet, and rules."""

    view: ConflictView

    def line(self) -> ConflictLine | None:
        """Return the conflict under the cursor."""
        raise LookupError

    @property
    def queue_ids(self) -> list[int]:
        """The conflicts of the queue, in its order."""
        raise LookupError

    @property
    def opened(self) -> bool:
        """Whether the keys work on one conflict."""
        raise LookupError

    def skip_current(self) -> None:
        """Move the conflict under the cursor to the end of the queue."""
        raise LookupError

    def ids(self) -> list[int]:
        """Return the conflicts a key is for: the open one, the marked ones, or the one under the cursor."""
        line = self.line()
        if self.opened:
            return [line.conflict_id] if line is not None else []
        return [int(key) for key in self.targets()]

    def _of_them(self) -> str:
        line, ids = self.line(), self.ids()
        return line.label if len(ids) == 1 and line is not None else counted(len(ids), "conflict")

    # -- putting away -----------------------------------------------------------------------------------------

    def act_skip(self) -> None:
        """Move this conflict to the end of the queue."""
        self.skip_current()

    async def act_snooze(self) -> Done | None:
        """Put conflicts away until a time, or until a side changes."""
        ids = self.ids()

        async def save(values: Mapping[str, str]) -> Done:
            return await self.verbs.snooze_until(ids, values["until"])

        hint = f"4h, 2d, monday, 2026-12-01 14:00, or {CHANGE}: when a side changes"
        field = FormField("until", "Until", "tomorrow", hint, suggestions=_WHEN)
        done = await self.face.push_screen_wait(Form(f"Put away {self._of_them()} until", [field], save))
        if done is not None:
            self.table.set_marks(set())
        return done

    # -- handing over and talking -----------------------------------------------------------------------------

    async def act_assign(self) -> Done | None:
        """Make conflicts somebody's."""
        ids, line = self.ids(), self.line()
        picks = [Pick(choice.value, choice.title) for choice in self.verbs.members()]
        picks.append(Pick("nobody", "Nobody in particular"))
        title = f"Who looks at {self._of_them()}?"
        now = next((p.value for p in picks if line is not None and p.title == line.assignee), "")
        answer = await self.face.push_screen_wait(PickDialog(title, among(picks), chosen=(now,)))
        return await self.verbs.assign(ids, answer[0]) if answer else None

    async def act_comment(self) -> Done | None:
        """Say something about this conflict."""
        line = self.line()
        if line is None:
            return None
        said = self.verbs.comments(line.conflict_id)

        async def save(values: Mapping[str, str]) -> Done:
            return await self.verbs.comment(line.conflict_id, values["text"])

        note = "\n".join(f"{one.by}: {one.text}" for one in said[-6:])
        form = Form(
            f"Say something on {line.label}", [FormField("text", "Comment", long=True)], save, note=note
        )
        return await self.face.push_screen_wait(form)

    # -- looking ----------------------------------------------------------------------------------------------

    async def act_timeline(self) -> None:
        """Show what happened to this field on both sides."""
        line, field = self.line(), self.view.field
        if line is not None and field is not None:
            lines = await self.verbs.timeline(line.conflict_id, field.slug)
            await self.face.push_screen_wait(TimelineDialog(f"{field.title} of {line.label}", lines))

    async def act_export(self) -> Done | None:
        """Save the queue, or what is marked."""
        marked = [number for number in self.queue_ids if str(number) in self.table.marks]
        ids = marked or self.queue_ids
        picks = [Pick(form.value, _TITLES[form]) for form in FORMATS]
        answer = await self.face.push_screen_wait(
            PickDialog(f"Export {counted(len(ids), 'conflict')} as", among(picks))
        )
        if not answer:
            return None
        form = Format(answer[0])

        async def save(values: Mapping[str, str]) -> Done:
            return await self.verbs.export_conflicts(ids, form, values["path"])

        field = FormField("path", "File", f"conflicts.{SUFFIXES[form.value]}")
        return await self.face.push_screen_wait(Form("Export", [field], save))

    # -- rules ------------------------------------------------------------------------------------------------

    def why_not_rule(self, field: ConflictField | None) -> str | None:
        """Return why no rule can be made here, or None."""
        line = self.line()
        if field is None or line is None:
            return "No field is under the cursor."
        if line.system == "attio" or field.whole or line.kind != "field":
            return "A rule is about a field that differs between two systems; this one is not."
        return None

    async def act_make_rule(self) -> Done | None:
        """Remember a choice for this field as a rule, after a look at what it settles."""
        line, field, decision = self.line(), self.view.field, self.view.decision
        if line is None or field is None or decision is None:
            return None
        other = side_title(line.system)
        picks = [
            Pick("attio", f"Attio wins for {field.title}", "where both sides changed it"),
            Pick("external", f"{other} wins for {field.title}", "where both sides changed it"),
            Pick("newest", "The newest value wins", "by the times of both sides; left to review"),
            Pick("fill-blanks", "Only blanks are filled", "what differs stays as it is"),
        ]
        chosen = decision.choices.get(field.slug)
        start = chosen if isinstance(chosen, str) else field.suggestion or ""
        answer = await self.face.push_screen_wait(
            PickDialog(
                f"Rule for {field.title} with {other}",
                among(picks),
                chosen=(start,),
                placeholder="which rule",
            )
        )
        if not answer:
            return None
        plan = await self.verbs.preview_rule(line.conflict_id, field.slug, answer[0])
        if not await self.face.push_screen_wait(PlanDialog(plan.sentence, plan.writes, rule_note(plan))):
            return None
        return await self.verbs.make_rule(line.conflict_id, field.slug, answer[0])


def rule_note(plan: RulePlan) -> str:
    """Return what a rule would do with the open queue, and where it is written."""
    parts = [f"Settles {counted(len(plan.settles), 'open conflict')}"]
    if plan.partly:
        parts.append(f"this field of {plan.partly:,} more at the next comparison")
    if plan.left:
        parts.append(f"leaves {plan.left:,} for you")
    where = f"{'Makes' if plan.generated else 'Changes'} {Path(plan.path).name}"
    cost = f" {plan_sentence(plan.writes)}." if plan.writes else ""
    return f"{', '.join(parts)}.{cost} {where}."
