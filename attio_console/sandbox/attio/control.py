"""What somebody else does in Attio: the control surface's way in, past tokens and limits.

`object` names an object or a list by slug or id, or `notes`, `tasks`, `comments`, `meetings`, `files`, `webhooks`; with
`WORKSPACE/` in front it means another workspace than the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attio_console.sandbox.attio.bodies import Body
from attio_console.sandbox.attio.comments import Threads
from attio_console.sandbox.attio.errors import ApiError, bad_request, not_found
from attio_console.sandbox.attio.files import Files
from attio_console.sandbox.attio.journaling import actor_text
from attio_console.sandbox.attio.meetings import Meetings
from attio_console.sandbox.attio.merge import merge_records
from attio_console.sandbox.attio.notes import Notes
from attio_console.sandbox.attio.places import find_record
from attio_console.sandbox.attio.records import Author, create_row, delete_row, read_values, update_row
from attio_console.sandbox.attio.state import Container, Crm, List, Object, Row
from attio_console.sandbox.attio.tasks import Tasks
from attio_console.sandbox.attio.values import row_json
from attio_console.sandbox.attio.webhooks import Webhooks
from attio_console.sandbox.world import Actor, Workspace, World

_OTHERS = ("notes", "tasks", "comments", "meetings", "files", "webhooks")


def objects(world: World) -> list[str]:
    """Return what can be dumped of the first workspace."""
    crm = _first(world).part(Crm)
    return [*(each.slug for each in crm.containers()), *_OTHERS]


def dump(world: World, name: str) -> Iterator[Any]:
    """Return everything of one kind, each as the API's GET shows it."""
    workspace, name = _workspace(world, name)
    now = world.clock.now()
    match name:
        case "notes":
            notes = workspace.part(Notes)
            return map(notes.json, list(notes.by_id.values()))
        case "tasks":
            tasks = workspace.part(Tasks)
            return map(tasks.json, list(tasks.by_id.values()))
        case "comments":
            return _comments(workspace)
        case "meetings":
            meetings = workspace.part(Meetings)
            return map(meetings.json, list(meetings.by_id.values()))
        case "files":
            files = workspace.part(Files)
            return map(files.json, list(files.by_id.values()))
        case "webhooks":
            return (webhook.json(now) for webhook in list(workspace.part(Webhooks).by_id.values()))
        case _:
            return _rows(workspace.part(Crm), _container(workspace, name))


def edit(world: World, name: str, identifier: str | None, values: Mapping[str, Any], actor: str) -> str:
    """Set values of a record, entry, note or task as somebody else, or make one where no id is given.

    Given values replace what is there, as they do when a person types them. A new entry names its `parent_record_id`
    among its values, a new note its `parent_object`, `parent_record_id`, `title` and `content`.
    """
    workspace, name = _workspace(world, name)
    author = _author(workspace, actor)
    if name == "notes":
        done = _edit_note(workspace, identifier, Body(values, ["values"]), author.actor)
    elif name == "tasks":
        done = _edit_task(workspace, identifier, Body(values, ["values"]), author.actor)
    else:
        done = _edit_row(workspace, _container(workspace, name), identifier, values, author)
    note_edit(world, "EDIT" if identifier else "CREATE", name, done, dict(values), author.actor)
    return done


def delete(world: World, name: str, identifier: str, actor: str) -> None:
    """Delete a record, entry, note, task, comment or webhook as somebody else."""
    workspace, name = _workspace(world, name)
    author = _author(workspace, actor)
    if name == "notes" and (note := workspace.part(Notes).by_id.get(identifier)):
        workspace.part(Notes).remove(note, author.actor)
    elif name == "tasks" and (task := workspace.part(Tasks).by_id.get(identifier)):
        workspace.part(Tasks).remove(task, author.actor)
    elif name == "comments" and identifier in workspace.part(Threads).thread_of:
        workspace.part(Threads).remove(identifier, author.actor)
    elif name == "webhooks" and (webhook := workspace.part(Webhooks).by_id.get(identifier)):
        workspace.part(Webhooks).remove(webhook)
    elif name in _OTHERS:
        raise not_found(f'"{identifier}" was not found in {name}.')
    else:
        container = _container(workspace, name)
        _row(container, identifier)
        delete_row(workspace.part(Crm), container, identifier, author)
    note_edit(world, "DELETE", name, identifier, None, author.actor)


def merge(world: World, name: str, primary: str, other: str, actor: str) -> str:
    """Merge two records as somebody else, and return the id of the new one."""
    workspace, name = _workspace(world, name)
    author = _author(workspace, actor)
    target = _container(workspace, name)
    if not isinstance(target, Object):
        raise bad_request("validation_type", "Only records can be merged.")
    merged = merge_records(workspace.part(Crm), target, _row(target, primary), _row(target, other), author)
    body = {"primary_record_id": primary, "secondary_record_id": other}
    note_edit(world, "MERGE", name, merged.id, body, author.actor)
    return merged.id


def note_edit(world: World, method: str, name: str, identifier: str, body: Any, actor: Actor) -> None:
    """Journal what somebody else did."""
    world.journal.add("attio", method, "/_sandbox", name, identifier, body, actor_text(actor))


def _edit_row(
    workspace: Workspace,
    container: Container,
    identifier: str | None,
    values: Mapping[str, Any],
    author: Author,
) -> str:
    crm = workspace.part(Crm)
    if identifier is not None:
        row = _row(container, identifier)
        written = read_values(crm, container, values)
        return update_row(crm, container, row, written, author, "overwrite").id
    parent = None
    if isinstance(container, List):
        values = dict(values)
        record_id = str(values.pop("parent_record_id", ""))
        place = find_record(workspace, container.parent.id, record_id)
        parent = (place.object_id, place.record_id)
    return create_row(crm, container, read_values(crm, container, values), author, parent).id


def _edit_note(workspace: Workspace, identifier: str | None, body: Body, actor: Actor) -> str:
    notes = workspace.part(Notes)
    title = body.text("title") if "title" in body or identifier is None else None
    content = body.text("content") if "content" in body or identifier is None else None
    if identifier is None:
        place = find_record(workspace, body.text("parent_object"), body.text("parent_record_id"))
        return notes.add(place, title or "", content or "", actor, form="markdown").id
    note = notes.by_id.get(identifier)
    if note is None:
        raise not_found(f'Note with ID "{identifier}" was not found.')
    notes.change(note, actor, title=title, content=content, form="markdown")
    return note.id


def _edit_task(workspace: Workspace, identifier: str | None, body: Body, actor: Actor) -> str:
    tasks = workspace.part(Tasks)
    if identifier is None:
        return tasks.add(body.text("content", minimum=1), actor).id
    task = tasks.by_id.get(identifier)
    if task is None:
        raise not_found(f'Task with ID "{identifier}" was not found.')
    fields: dict[str, Any] = {}
    if "is_completed" in body:
        fields["is_completed"] = body.flag("is_completed")
    if "deadline_at" in body:
        fields["deadline_at"] = None if body.values["deadline_at"] is None else body.time("deadline_at")
    tasks.change(task, actor, **fields)
    return task.id


def _rows(crm: Crm, container: Container) -> Iterator[Any]:
    table = container.table
    # All refs at once: rows that go while a long dump is on its way were there when it began.
    for ref in list(table.refs()):
        body = table.body(ref)
        yield body if body is not None else row_json(crm, container, table.row(ref))


def _comments(workspace: Workspace) -> Iterator[Any]:
    threads = workspace.part(Threads)
    for thread in threads.by_id.values():
        for comment in thread.comments:
            yield threads.comment_json(thread, comment)


def _first(world: World) -> Workspace:
    return next(iter(world.workspaces.values()))


def _workspace(world: World, name: str) -> tuple[Workspace, str]:
    key, found, rest = name.partition("/")
    if not found:
        return _first(world), name
    for workspace in world.workspaces.values():
        if key in (workspace.id, workspace.slug):
            return workspace, rest
    raise not_found(f'Workspace "{key}" was not found.')


def _container(workspace: Workspace, name: str) -> Container:
    crm = workspace.part(Crm)
    found = crm.object(name) or crm.list(name)
    if found is None:
        raise not_found(f'Object or list "{name}" was not found.')
    return found


def _row(container: Container, identifier: str) -> Row:
    row = container.table.get(identifier)
    if row is None:
        raise not_found(f'"{identifier}" was not found in "{container.slug}".')
    return row


def _author(workspace: Workspace, key: str) -> Author:
    """Read who edits; the first member where nobody is named."""
    actor = workspace.actor(key or next(iter(workspace.members), "system"))
    if actor is None:
        raise ApiError(400, "value_not_found", f'No member "{key}" in workspace "{workspace.slug}".')
    return Author(actor, actor.id if actor.type == "workspace-member" else None)
