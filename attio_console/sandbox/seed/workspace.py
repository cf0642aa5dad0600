"""Rows into the Attio workspace: members, the attributes and lists of its own, records, entries, notes, tasks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attio_console.sandbox.attio.kernel import load_row
from attio_console.sandbox.attio.notes import Notes
from attio_console.sandbox.attio.places import RecordPlace
from attio_console.sandbox.attio.schema import new_attribute, new_list, new_option, new_status
from attio_console.sandbox.attio.state import Attribute, Container, Crm, Object
from attio_console.sandbox.attio.tasks import Tasks
from attio_console.sandbox.seed.pipelines import LISTS, AttributePlan
from attio_console.sandbox.seed.rows import EntryRow, MemberRow, NoteRow, Row, TaskRow
from attio_console.sandbox.seed.words import TAGS
from attio_console.sandbox.world import Actor, Member, Workspace, stamp

_CELEBRATED = frozenset({"Won 🎉", "Hired"})


class Loader:
    """Knows the ids that rows got, so that later rows can refer to them."""

    def __init__(self, workspace: Workspace, members: list[MemberRow]) -> None:
        self.workspace = workspace
        self.crm = workspace.part(Crm)
        self.members = [_member(workspace, row) for row in members]
        self.ids: dict[str, str] = {}
        """Key of a row -> record id."""

    def actor(self, author: int) -> Actor:
        """Return a member as the author of something."""
        return Actor("workspace-member", self.members[author].id)

    def object(self, slug: str) -> Object:
        """Return an object that must be there."""
        target = self.crm.object(slug)
        if target is None:
            raise LookupError(slug)
        return target

    def schema(self) -> None:
        """Add the attributes and the lists that this workspace has beside the standard ones."""
        people, deals = self.object("people"), self.object("deals")
        tags = new_attribute(self.crm, people, slug="tags", title="Tags", type="select", is_multiselect=True)
        for title in TAGS:
            new_option(self.crm, people, tags, title)
        new_attribute(self.crm, deals, slug="close_date", title="Close date", type="date")
        for plan in LISTS:
            target = new_list(self.crm, plan.slug, plan.name, self.object(plan.parent), self.actor(0))
            for attribute in plan.attributes:
                self._attribute(target, attribute)

    def _attribute(self, container: Container, plan: AttributePlan) -> Attribute:
        made = new_attribute(
            self.crm, container, slug=plan.slug, title=plan.title, type=plan.type, is_multiselect=plan.multi
        )
        if plan.type == "currency":
            made.default_currency_code, made.display_type = "USD", "symbol"
        for title in plan.choices:
            if plan.type == "status":
                new_status(self.crm, container, made, title, celebration_enabled=title in _CELEBRATED)
            else:
                new_option(self.crm, container, made, title)
        return made

    def records(self, slug: str, rows: list[Row]) -> None:
        """Load records, the oldest first."""
        target = self.object(slug)
        targets = {"company": "companies", "associated_company": "companies", "associated_people": "people"}
        for row in sorted(rows, key=lambda one: one.created_at):
            values = self._owned(row.values)
            for attribute, keys in row.links.items():
                values[attribute] = [
                    {"target_object": targets[attribute], "target_record_id": self.ids[key]} for key in keys
                ]
            made = load_row(
                self.workspace, target, values, created_at=row.created_at, actor=self.actor(row.author)
            )
            self.ids[row.key] = made.id

    def entries(self, rows: list[EntryRow]) -> None:
        """Load list entries, the oldest first."""
        for row in sorted(rows, key=lambda one: one.created_at):
            target = self.crm.list(row.list)
            if target is None:
                raise LookupError(row.list)
            load_row(
                self.workspace,
                target,
                self._owned(row.values),
                created_at=row.created_at,
                actor=self.actor(row.author),
                parent_id=self.ids[row.parent],
            )

    def notes(self, rows: list[NoteRow]) -> None:
        """Load notes, the oldest first."""
        notes = self.workspace.part(Notes)
        for row in sorted(rows, key=lambda one: one.created_at):
            notes.add(
                self._place(row.parent),
                row.title,
                row.content,
                self.actor(row.author),
                form="markdown",
                created_at=stamp(row.created_at),
                quiet=True,
            )

    def tasks(self, rows: list[TaskRow]) -> None:
        """Load tasks, the oldest first."""
        tasks = self.workspace.part(Tasks)
        for row in sorted(rows, key=lambda one: one.created_at):
            tasks.add(
                row.content,
                self.actor(row.author),
                deadline_at=_stamp(row.deadline_at),
                is_completed=row.is_completed,
                linked=[self._place(key) for key in row.linked],
                assignees=[self.members[row.assignee].id],
                created_at=stamp(row.created_at),
                quiet=True,
            )

    def _place(self, key: str) -> RecordPlace:
        return RecordPlace(self.object(key.partition(":")[0]).id, self.ids[key])

    def _owned(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Turn the number of a member into what the API takes for one."""
        ready = dict(values)
        if "owner" in ready:
            ready["owner"] = self.members[ready["owner"]].email_address
        return ready


def _member(workspace: Workspace, row: MemberRow) -> Member:
    known = workspace.member(row.email)
    if known is None:
        return workspace.add_member(row.first_name, row.last_name, row.email, row.access_level)
    # Somebody let the first one in already, to have a person behind the token.
    known.first_name, known.last_name, known.access_level = row.first_name, row.last_name, row.access_level
    return known


def _stamp(moment: datetime | None) -> str | None:
    return stamp(moment) if moment else None
