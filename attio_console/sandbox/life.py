"""Other people keep working: every few seconds somebody edits a record, moves a card or adds a note."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

from attio_console.sandbox.attio import control
from attio_console.sandbox.attio.notes import Notes
from attio_console.sandbox.attio.places import RecordPlace
from attio_console.sandbox.attio.state import Attribute, Container, Crm, Row
from attio_console.sandbox.server import HttpError
from attio_console.sandbox.world import Actor, Member, Workspace, World

EVERY_S = 4.0
_TITLES = (
    "Head of Sales", "VP Engineering", "Chief Financial Officer", "Procurement Lead", "Account Director",
    "Operations Manager", "Product Designer", "Data Analyst", "Head of Partnerships", "Customer Success Manager",
)  # fmt: skip
_NOTES = (
    ("Call", "They want a shorter contract and a second quote."),
    ("Follow-up", "Sent the security questionnaire, answers by Friday."),
    ("Meeting", "Good talk about the rollout; **budget** is approved.\n\n- pilot in March\n- ten seats"),
    ("Lunch", "New contact in procurement, to be added."),
)
_DESCRIPTIONS = (
    "Renewal is due next quarter.",
    "Moved to the enterprise plan.",
    "Evaluating two other vendors.",
    "Happy customer, open to a case study.",
)


class Life:
    """The colleagues of the first workspace (`world.part(Life)`); `run` lets them work while life is switched on."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.every_s = EVERY_S
        self._random = Random(f"life {world.seed}")
        self._switched = asyncio.Event()

    def switched(self) -> None:
        """Notice that life was switched on or off."""
        self._switched.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            if not self.world.settings.life:
                self._switched.clear()
                await self._switched.wait()
                continue
            await self.world.clock.sleep(self.every_s * self._random.uniform(0.5, 1.5))
            if self.world.settings.life:
                self.step()

    def step(self) -> str:
        """Let one person do one thing, and say what it was."""
        workspace = next(iter(self.world.workspaces.values()))
        members = [member for member in workspace.members.values() if member.access_level != "suspended"]
        if not members:
            return "nobody"
        member = self._random.choice(members)
        deeds = [self._edit_person, self._edit_company, self._move_deal, self._move_entry, self._add_note]
        deed = self._random.choices(deeds, weights=[3, 2, 3, 3, 2])[0]
        try:
            done = deed(workspace, member)
        except HttpError:
            # A colleague's edit may be refused as anybody's; they shrug and do something else later.
            return f"{deed.__name__.strip('_')}: refused"
        return f"{deed.__name__.strip('_')}: {'done' if done else 'nothing to do'}"

    def _edit_person(self, workspace: Workspace, member: Member) -> bool:
        return self._edit(workspace, member, "people", "job_title", self._random.choice(_TITLES))

    def _edit_company(self, workspace: Workspace, member: Member) -> bool:
        return self._edit(workspace, member, "companies", "description", self._random.choice(_DESCRIPTIONS))

    def _move_deal(self, workspace: Workspace, member: Member) -> bool:
        return self._move(member, workspace.part(Crm).object("deals"))

    def _move_entry(self, workspace: Workspace, member: Member) -> bool:
        lists = list(workspace.part(Crm).lists.values())
        return bool(lists) and self._move(member, self._random.choice(lists))

    def _add_note(self, workspace: Workspace, member: Member) -> bool:
        people = workspace.part(Crm).object("people")
        row = self._any_row(people)
        if people is None or row is None:
            return False
        title, content = self._random.choice(_NOTES)
        actor = Actor("workspace-member", member.id)
        place = RecordPlace(people.id, row.id)
        note = workspace.part(Notes).add(place, title, content, actor, form="markdown")
        control.note_edit(self.world, "CREATE", "notes", note.id, {"title": title}, actor)
        return True

    def _edit(self, workspace: Workspace, member: Member, slug: str, attribute: str, value: str) -> bool:
        target = workspace.part(Crm).object(slug)
        row = self._any_row(target)
        if target is None or row is None or target.attribute(attribute) is None:
            return False
        control.edit(self.world, slug, row.id, {attribute: value}, member.id)
        return True

    def _move(self, member: Member, container: Container | None) -> bool:
        row = self._any_row(container)
        if container is None or row is None:
            return False
        status = next((each for each in container.visible() if each.type == "status"), None)
        if status is None:
            return False
        stage = self._next_stage(status, row)
        if stage is None:
            return False
        control.edit(self.world, container.slug, row.id, {status.slug: stage}, member.id)
        return True

    def _next_stage(self, status: Attribute, row: Row) -> str | None:
        stages = [each.id for each in status.statuses.values() if not each.is_archived]
        now: Any = row.get(status.id)[0].data["status"] if row.get(status.id) else None
        if len(stages) < 2:
            return None
        if now not in stages:
            return stages[0]
        place = stages.index(now)
        # Mostly forward by one, sometimes back, never out of the board.
        step = self._random.choice((1, 1, 1, -1))
        return (
            stages[max(0, min(place + step, len(stages) - 1))]
            if 0 <= place + step < len(stages)
            else stages[0]
        )

    def _any_row(self, container: Container | None) -> Row | None:
        if container is None or len(container.table) == 0:
            return None
        place = self._random.randrange(len(container.table))
        refs = container.table.slice(place, 1)
        return container.table.row(refs[0]) if refs else None


def switch(world: World, *, on: bool, every_s: float | None = None) -> None:
    """Let the colleagues work, or send them home."""
    life = world.part(Life)
    world.settings.life = on
    if every_s is not None and every_s > 0:
        life.every_s = every_s
    life.switched()
