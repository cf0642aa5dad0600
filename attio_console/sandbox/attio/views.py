"""Saved views of objects and lists: people make them in the app, the API reads them and queries by them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from attio_console.sandbox.attio.auth import token_of
from attio_console.sandbox.attio.bodies import cursor_page, query_flag
from attio_console.sandbox.attio.places import find_list, find_object
from attio_console.sandbox.attio.state import List
from attio_console.sandbox.server import Request, Response, Router
from attio_console.sandbox.world import Workspace, stamp


@dataclass(slots=True)
class View:
    """A saved view: its filter is what `filter_view_id` applies."""

    id: str
    container_id: str
    title: str
    filter: Any
    created_at: str
    is_archived: bool = False


class Views:
    """The views of one workspace (`workspace.part(Views)`)."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.by_id: dict[str, View] = {}

    def add(
        self, container_id: str, title: str, view_filter: Any = None, *, is_archived: bool = False
    ) -> View:
        """Save a view of an object or list."""
        world = self.workspace.world
        view = View(world.ids.uuid(), container_id, title, view_filter, stamp(world.clock.now()), is_archived)
        self.by_id[view.id] = view
        return view

    def find(self, view_id: str, container_id: str) -> View | None:
        """Return the view of that id, if it is one of that object or list."""
        view = self.by_id.get(view_id)
        return view if view is not None and view.container_id == container_id else None


def add_routes(router: Router) -> None:
    """Serve the views of objects and lists."""
    router.add("GET", "/v2/objects/{object}/views", _list)
    router.add("GET", "/v2/lists/{list}/views", _list)


def _list(request: Request) -> Response:
    workspace = token_of(request).workspace
    key = request.params.get("object")
    container = (
        find_object(workspace, key) if key is not None else find_list(workspace, request.params["list"])
    )
    archived = query_flag(request, "show_archived") or False
    rows = [
        view
        for view in workspace.part(Views).by_id.values()
        if view.container_id == container.id and (archived or not view.is_archived)
    ]
    rows.sort(key=_order)
    page, cursor = cursor_page(request, rows, _order, default=500, maximum=1000)
    of = "list_id" if isinstance(container, List) else "object_id"
    shown = [
        {
            "id": {"workspace_id": workspace.id, of: container.id, "view_id": view.id},
            "title": view.title,
            "created_at": view.created_at,
        }
        for view in page
    ]
    return Response.json({"data": shown, "pagination": {"next_cursor": cursor}})


def _order(view: View) -> list[str]:
    return [view.created_at, view.id]
