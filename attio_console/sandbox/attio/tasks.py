"""`/v2/tasks`: things to do, with who should do them and for which records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from attio_console.sandbox.attio.auth import token_of
from attio_console.sandbox.attio.bodies import (
    Body,
    bad_query,
    data,
    path_uuid,
    query_choice,
    query_flag,
    query_uuid,
    window,
)
from attio_console.sandbox.attio.errors import bad_request, not_found
from attio_console.sandbox.attio.journaling import journal
from attio_console.sandbox.attio.places import RecordPlace, find_object, find_record, match_record, slug_of
from attio_console.sandbox.server import Request, Response, Router
from attio_console.sandbox.world import Actor, Event, Workspace, stamp

_LIST_CAP = 1000


@dataclass(slots=True)
class Task:
    """One task."""

    id: str
    content: str
    created_at: str
    created_by: Actor
    deadline_at: str | None = None
    completed_at: str | None = None
    linked: list[tuple[str, str]] = field(default_factory=list)
    """(object id, record id)"""
    assignees: list[str] = field(default_factory=list)
    """Member ids."""


class Tasks:
    """The tasks of one workspace (`workspace.part(Tasks)`)."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.by_id: dict[str, Task] = {}
        workspace.events.subscribe(self._happened)

    def add(
        self,
        content: str,
        actor: Actor,
        *,
        deadline_at: str | None = None,
        is_completed: bool = False,
        linked: Sequence[RecordPlace] = (),
        assignees: Sequence[str] = (),
        created_at: str | None = None,
        quiet: bool = False,
    ) -> Task:
        """Make a task; `quiet` is for seeding, and tells nobody."""
        now = stamp(self.workspace.world.clock.now())
        task = Task(
            id=self.workspace.world.ids.uuid(),
            content=content,
            created_at=created_at or now,
            created_by=actor,
            deadline_at=deadline_at,
            completed_at=now if is_completed else None,
            linked=[(place.object_id, place.record_id) for place in linked],
            assignees=list(dict.fromkeys(assignees)),
        )
        self.by_id[task.id] = task
        if not quiet:
            self._emit("task.created", task, actor)
        return task

    def change(self, task: Task, actor: Actor, **fields: Any) -> None:
        """Change deadline_at, is_completed, linked or assignees, and tell if anything is different."""
        before = (task.deadline_at, task.completed_at, list(task.linked), list(task.assignees))
        if "deadline_at" in fields:
            task.deadline_at = fields["deadline_at"]
        if "is_completed" in fields and fields["is_completed"] != (task.completed_at is not None):
            task.completed_at = stamp(self.workspace.world.clock.now()) if fields["is_completed"] else None
        if "linked" in fields:
            task.linked = [(place.object_id, place.record_id) for place in fields["linked"]]
        if "assignees" in fields:
            task.assignees = list(dict.fromkeys(fields["assignees"]))
        if before != (task.deadline_at, task.completed_at, task.linked, task.assignees):
            self._emit("task.updated", task, actor)

    def remove(self, task: Task, actor: Actor) -> None:
        """Delete a task."""
        del self.by_id[task.id]
        self._emit("task.deleted", task, actor)

    def json(self, task: Task) -> dict[str, Any]:
        """Return a task as the API shows it."""
        return {
            "id": {"workspace_id": self.workspace.id, "task_id": task.id},
            "content_plaintext": task.content,
            "deadline_at": task.deadline_at,
            "is_completed": task.completed_at is not None,
            "completed_at": task.completed_at,
            "linked_records": [
                {"target_object_id": slug_of(self.workspace, object_id), "target_record_id": record_id}
                for object_id, record_id in task.linked
            ],
            "assignees": [
                {"referenced_actor_type": "workspace-member", "referenced_actor_id": member}
                for member in task.assignees
            ],
            "created_by_actor": task.created_by.json(),
            "created_at": task.created_at,
        }

    def _emit(self, event_type: str, task: Task, actor: Actor) -> None:
        self.workspace.events.emit(event_type, {"task_id": task.id}, actor)

    def _happened(self, event: Event) -> None:
        """Follow records: a deleted one is unlinked, a merged one hands its tasks on."""
        if event.event_type == "record.deleted":
            gone = event.id["record_id"]
            for task in self.by_id.values():
                task.linked = [link for link in task.linked if link[1] != gone]
        elif event.event_type == "record.merged":
            gone, kept = event.extra["duplicate_record_id"], event.id["record_id"]
            for task in self.by_id.values():
                moved = [(o, kept if r == gone else r) for o, r in task.linked]
                task.linked = list(dict.fromkeys(moved))


def add_routes(router: Router) -> None:
    """Serve `/v2/tasks`."""
    router.add("GET", "/v2/tasks", _list)
    router.add("POST", "/v2/tasks", _create)
    router.add("GET", "/v2/tasks/{task_id}", _get)
    router.add("PATCH", "/v2/tasks/{task_id}", _update)
    router.add("DELETE", "/v2/tasks/{task_id}", _delete)


def _list(request: Request) -> Response:
    workspace = token_of(request).workspace
    tasks = workspace.part(Tasks)
    rows = _linked_rows(request, workspace, list(tasks.by_id.values()))
    if "assignee" in request.query:
        wanted = request.query["assignee"]
        if wanted in ("", "null"):
            rows = [task for task in rows if not task.assignees]
        else:
            member = workspace.member(wanted)
            rows = [task for task in rows if member is not None and member.id in task.assignees]
    completed = query_flag(request, "is_completed")
    if completed is not None:
        rows = [task for task in rows if (task.completed_at is not None) == completed]
    sort = query_choice(
        request,
        "sort",
        "created_at:asc",
        "created_at:asc",
        "created_at:desc",
        "completed_at:asc",
        "completed_at:desc",
    )
    name, _, direction = sort.partition(":")
    if name == "created_at":
        rows.sort(key=lambda task: (task.created_at, task.id), reverse=direction == "desc")
    else:
        # What is not done yet stands at the end, whichever way the rest is sorted.
        done = [task for task in rows if task.completed_at is not None]
        done.sort(key=lambda task: (task.completed_at or "", task.id), reverse=direction == "desc")
        rows = done + [task for task in rows if task.completed_at is None]
    page = window(request, rows, default=500, maximum=_LIST_CAP)
    return Response.json({"data": [tasks.json(task) for task in page]})


def _linked_rows(request: Request, workspace: Workspace, rows: list[Task]) -> list[Task]:
    key = request.query.get("linked_object")
    record_id = query_uuid(request, "linked_record_id")
    if key is None and record_id is None:
        return rows
    if key is None or record_id is None:
        missing = "linked_object" if key is None else "linked_record_id"
        raise bad_query(missing, "linked_object and linked_record_id must be given together", "custom")
    link = (find_object(workspace, key).id, record_id)
    return [task for task in rows if link in task.linked]


def _create(request: Request) -> Response:
    token = token_of(request)
    body = data(request)
    content = body.text("content", minimum=1, maximum=2000)
    body.one_of("format", "plaintext")
    tasks = token.workspace.part(Tasks)
    task = tasks.add(
        content,
        token.actor,
        deadline_at=_deadline(body),
        is_completed=body.flag("is_completed"),
        linked=_links(body, token.workspace),
        assignees=_assignees(body, token.workspace),
    )
    journal(request, "tasks", task.id)
    return Response.json({"data": tasks.json(task)})


def _get(request: Request) -> Response:
    tasks, task = _one(request)
    return Response.json({"data": tasks.json(task)})


def _update(request: Request) -> Response:
    tasks, task = _one(request)
    body = data(request)
    body.only("deadline_at", "is_completed", "linked_records", "assignees")
    fields: dict[str, Any] = {}
    if "deadline_at" in body:
        fields["deadline_at"] = _deadline(body)
    if "is_completed" in body:
        fields["is_completed"] = body.flag("is_completed")
    if "linked_records" in body:
        fields["linked"] = _links(body, tasks.workspace)
    if "assignees" in body:
        fields["assignees"] = _assignees(body, tasks.workspace)
    tasks.change(task, token_of(request).actor, **fields)
    journal(request, "tasks", task.id)
    return Response.json({"data": tasks.json(task)})


def _delete(request: Request) -> Response:
    tasks, task = _one(request)
    tasks.remove(task, token_of(request).actor)
    journal(request, "tasks", task.id)
    return Response.json({})


def _one(request: Request) -> tuple[Tasks, Task]:
    tasks = token_of(request).workspace.part(Tasks)
    wanted = path_uuid(request, "task_id")
    task = tasks.by_id.get(wanted)
    if task is None:
        raise not_found(f'Task with ID "{wanted}" was not found.')
    return tasks, task


def _deadline(body: Body) -> str | None:
    return None if body.any("deadline_at") is None else body.time("deadline_at")


def _links(body: Body, workspace: Workspace) -> list[RecordPlace]:
    places: dict[tuple[str, str], RecordPlace] = {}
    for link in body.bodies("linked_records"):
        key = link.text("target_object")
        if "target_record_id" in link:
            place = find_record(workspace, key, link.uuid("target_record_id"))
        else:
            others = [name for name in link.values if name != "target_object"]
            if len(others) != 1:
                raise link.refuse("target_record_id", "Required")
            place = match_record(workspace, key, others[0], link.values[others[0]], [*link.path, others[0]])
        places[place.object_id, place.record_id] = place
    return list(places.values())


def _assignees(body: Body, workspace: Workspace) -> list[str]:
    assignees = []
    for item in body.bodies("assignees"):
        if "workspace_member_email_address" in item:
            key = item.text("workspace_member_email_address")
        else:
            item.one_of("referenced_actor_type", "workspace-member")
            key = item.uuid("referenced_actor_id")
        member = workspace.member(key)
        if member is None:
            raise bad_request("value_not_found", f'Workspace member "{key}" was not found.')
        assignees.append(member.id)
    return assignees
