"""The options of select attributes and the statuses of status attributes."""

from __future__ import annotations

from typing import Any

from attio_console.sandbox.attio import schema
from attio_console.sandbox.attio.auth import token_of
from attio_console.sandbox.attio.bodies import Body, data, query_flag
from attio_console.sandbox.attio.callers import attribute_of
from attio_console.sandbox.attio.coerce import find_option
from attio_console.sandbox.attio.errors import ApiError, bad_request
from attio_console.sandbox.attio.journaling import journal
from attio_console.sandbox.attio.routes_schema import answer, container_of, slug_conflict
from attio_console.sandbox.attio.state import Attribute, Container, Crm, Option
from attio_console.sandbox.attio.values import option_json, status_json
from attio_console.sandbox.attio.words import is_duration
from attio_console.sandbox.server import Request, Response, Router


def add_routes(router: Router) -> None:
    """Serve options and statuses."""
    for target in ("objects", "lists"):
        base = f"/v2/{target}/{{{target[:-1]}}}/attributes/{{attribute}}"
        router.add("GET", f"{base}/options", _options)
        router.add("POST", f"{base}/options", _create_option)
        router.add("PATCH", f"{base}/options/{{option}}", _update_option)
        router.add("GET", f"{base}/statuses", _statuses)
        router.add("POST", f"{base}/statuses", _create_status)
        router.add("PATCH", f"{base}/statuses/{{status}}", _update_status)


def _select_attribute(request: Request, kind: str) -> tuple[Crm, Container, Attribute]:
    crm, container = container_of(request)
    attribute = attribute_of(container, request.params["attribute"])
    if attribute.type != kind:
        raise ApiError(400, "validation_type", f"This attribute is not a {kind} attribute.")
    return crm, container, attribute


def _options(request: Request) -> Response:
    crm, _, attribute = _select_attribute(request, "select")
    return answer(schema.options_json(crm, attribute, archived=query_flag(request, "show_archived") or False))


def _statuses(request: Request) -> Response:
    crm, _, attribute = _select_attribute(request, "status")
    return answer(
        schema.statuses_json(crm, attribute, archived=query_flag(request, "show_archived") or False)
    )


def _create_option(request: Request) -> Response:
    crm, container, attribute = _select_attribute(request, "select")
    title = data(request).text("title", minimum=1)
    if any(o.title == title for o in attribute.options.values()):
        raise slug_conflict(f'There is already another select option with the title "{title}".')
    option = schema.new_option(crm, container, attribute, title)
    return _told(request, crm, container, attribute, option, option_json(crm, attribute, option.id))


def _update_option(request: Request) -> Response:
    crm, container, attribute = _select_attribute(request, "select")
    body = data(request)
    key = request.params["option"]
    option = attribute.options.get(key) or find_option(attribute.options, key)
    if option is None:
        raise bad_request(
            "value_not_found", f'Cannot find select attribute with select option title "{key}".'
        )
    _retitle(body, option, attribute.options, "select option")
    return _told(request, crm, container, attribute, option, option_json(crm, attribute, option.id))


def _create_status(request: Request) -> Response:
    crm, container, attribute = _select_attribute(request, "status")
    body = data(request)
    title = body.text("title", minimum=1)
    if any(s.title == title for s in attribute.statuses.values()):
        raise slug_conflict(f'There is already another status with the title "{title}".')
    celebrate = body.flag("celebration_enabled") if "celebration_enabled" in body else False
    status = schema.new_status(
        crm,
        container,
        attribute,
        title,
        celebration_enabled=celebrate,
        target_time_in_status=_target_time(body),
    )
    return _told(request, crm, container, attribute, status, status_json(crm, attribute, status.id))


def _update_status(request: Request) -> Response:
    crm, container, attribute = _select_attribute(request, "status")
    body = data(request)
    key = request.params["status"]
    found = find_option(attribute.statuses, key)
    status = attribute.statuses.get(found.id if found else key)
    if status is None:
        raise bad_request(
            "value_not_found", f'Cannot find status attribute with status option title "{key}".'
        )
    target_time = _target_time(body) if "target_time_in_status" in body else status.target_time_in_status
    celebrate = (
        body.flag("celebration_enabled") if "celebration_enabled" in body else status.celebration_enabled
    )
    _retitle(body, status, attribute.statuses, "status")
    status.target_time_in_status, status.celebration_enabled = target_time, celebrate
    return _told(request, crm, container, attribute, status, status_json(crm, attribute, status.id))


def _target_time(body: Body) -> str | None:
    if body.values.get("target_time_in_status") is None:
        return None
    text = body.text("target_time_in_status")
    if not is_duration(text):
        raise body.refuse("target_time_in_status", "Invalid ISO 8601 duration", "invalid_string")
    return text


def _retitle(body: Body, option: Option, choices: dict[str, Any], kind: str) -> None:
    title = body.text("title", minimum=1) if "title" in body else option.title
    archived = body.flag("is_archived") if "is_archived" in body else option.is_archived
    if any(o.title == title for o in choices.values() if o is not option):
        raise slug_conflict(f'There is already another {kind} with the title "{title}".')
    option.title, option.is_archived = title, archived


def _told(
    request: Request, crm: Crm, container: Container, attribute: Attribute, option: Option, shown: Any
) -> Response:
    container.version += 1
    schema.attribute_event(crm, container, attribute, token_of(request).actor, "updated")
    journal(request, attribute.slug, option.id)
    return answer(shown)
