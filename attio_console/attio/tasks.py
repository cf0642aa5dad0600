"""`/v2/tasks`."""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

from attio_console.attio.configuration import Group
from attio_console.attio.creating import create_or_find
from attio_console.attio.things import Task
from attio_console.attio.wire import walk_offset
from attio_console.net import Lane, Resend

TASKS_PAGE = 500


class Tasks(Group):
    """Tasks."""

    async def list(
        self,
        *,
        linked_object: str | None = None,
        linked_record_id: str | None = None,
        assignee: str | None = None,
        is_completed: bool | None = None,
        sort: str = "created_at:asc",
        limit: int = TASKS_PAGE,
        offset: int = 0,
        lane: Lane = Lane.INTERACTIVE,
    ) -> builtins.list[Task]:
        """List a page of tasks. `assignee` is an e-mail address, an id, or "null" for nobody's."""
        params = {
            "linked_object": linked_object,
            "linked_record_id": linked_record_id,
            "assignee": assignee,
            "is_completed": is_completed,
            "sort": sort,
            "limit": limit,
            "offset": offset,
        }
        return await self._wire.many(Task, "GET", ("tasks",), params=params, lane=lane)

    def iterate(
        self,
        *,
        linked_object: str | None = None,
        linked_record_id: str | None = None,
        assignee: str | None = None,
        is_completed: bool | None = None,
        lane: Lane = Lane.INTERACTIVE,
    ) -> AsyncIterator[Task]:
        """Iterate over all tasks, oldest first."""
        return walk_offset(
            lambda offset: self.list(
                linked_object=linked_object,
                linked_record_id=linked_record_id,
                assignee=assignee,
                is_completed=is_completed,
                offset=offset,
                lane=lane,
            ),
            lambda task: task.id.task_id,
            TASKS_PAGE,
        )

    async def get(self, task_id: str, *, lane: Lane = Lane.INTERACTIVE) -> Task:
        """Get one task."""
        return await self._wire.one(Task, "GET", ("tasks", task_id), lane=lane)

    async def create(
        self,
        content: str,
        *,
        deadline_at: str | None = None,
        is_completed: bool = False,
        linked_records: Sequence[Mapping[str, Any]] = (),
        assignees: Sequence[Mapping[str, Any]] = (),
        lookup: Callable[[], Awaitable[Task | None]] | None = None,
        lane: Lane = Lane.INTERACTIVE,
    ) -> Task:
        """Create a task; its text cannot be changed later. A lost answer is raised unless `lookup` can tell."""
        data = {
            "content": content,
            "format": "plaintext",
            "deadline_at": deadline_at,
            "is_completed": is_completed,
            "linked_records": [dict(one) for one in linked_records],
            "assignees": [dict(one) for one in assignees],
        }
        return await create_or_find(
            lambda: self._wire.one(Task, "POST", ("tasks",), json={"data": data}, lane=lane),
            lookup,
            self._wire.caller.clock,
        )

    async def update(
        self, task_id: str, changes: Mapping[str, Any], *, once: bool = False, lane: Lane = Lane.INTERACTIVE
    ) -> Task:
        """Change what is named in `changes`: `deadline_at` (None clears it), `is_completed`, `linked_records`, `assignees`."""
        return await self._wire.one(
            Task,
            "PATCH",
            ("tasks", task_id),
            json={"data": dict(changes)},
            resend=Resend.ONCE if once else None,
            lane=lane,
        )

    async def delete(self, task_id: str, *, lane: Lane = Lane.INTERACTIVE) -> None:
        """Delete a task."""
        await self._wire.delete(("tasks", task_id), lane=lane)
