"""`/v2/meetings`: found or made by an external reference, linked to records."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from attio_console.sandbox.attio.auth import token_of
from attio_console.sandbox.attio.bodies import (
    Body,
    bad_query,
    cursor_page,
    data,
    names_zone,
    parse_time,
    path_uuid,
    query_choice,
    query_uuid,
)
from attio_console.sandbox.attio.errors import ApiError, bad_request, not_found
from attio_console.sandbox.attio.journaling import journal
from attio_console.sandbox.attio.places import RecordPlace, find_object, find_record, slug_of
from attio_console.sandbox.server import Request, Response, Router
from attio_console.sandbox.world import Actor, Event, Workspace, stamp


@dataclass(slots=True)
class Meeting:
    """One meeting."""

    id: str
    reference: str
    title: str
    description: str
    is_all_day: bool
    start: dict[str, Any]
    end: dict[str, Any]
    participants: list[dict[str, Any]]
    created_at: str
    created_by: Actor
    linked: list[RecordPlace] = field(default_factory=list)

    @property
    def starts(self) -> datetime:
        """Return when it starts, in UTC; an all-day meeting at midnight."""
        return _moment(self.start)

    @property
    def ends(self) -> datetime:
        """Return when it ends, in UTC."""
        return _moment(self.end)


class Meetings:
    """The meetings of one workspace (`workspace.part(Meetings)`)."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.by_id: dict[str, Meeting] = {}
        self.by_reference: dict[str, str] = {}
        workspace.events.subscribe(self._happened)

    def add(self, reference: str, actor: Actor, **fields: Any) -> Meeting:
        """Return the meeting of that reference, or make it; there are no webhook events for meetings."""
        known = self.by_reference.get(reference)
        if known is not None:
            return self.by_id[known]
        meeting = Meeting(
            id=self.workspace.world.ids.uuid(),
            reference=reference,
            created_at=stamp(self.workspace.world.clock.now()),
            created_by=actor,
            **fields,
        )
        self.by_id[meeting.id] = meeting
        self.by_reference[reference] = meeting.id
        return meeting

    def link(self, meeting: Meeting, records: Sequence[RecordPlace], *, replace: bool) -> None:
        """Link records to a meeting, beside or instead of those it has."""
        before = [] if replace else meeting.linked
        meeting.linked = list(dict.fromkeys([*before, *records]))

    def remove(self, meeting: Meeting) -> None:
        """Delete a meeting."""
        del self.by_id[meeting.id]
        del self.by_reference[meeting.reference]

    def json(self, meeting: Meeting) -> dict[str, Any]:
        """Return a meeting as the API shows it."""
        return {
            "id": {"workspace_id": self.workspace.id, "meeting_id": meeting.id},
            "title": meeting.title,
            "description": meeting.description,
            "is_all_day": meeting.is_all_day,
            "start": meeting.start,
            "end": meeting.end,
            "participants": meeting.participants,
            "linked_records": [
                {
                    "object_slug": slug_of(self.workspace, place.object_id),
                    "object_id": place.object_id,
                    "record_id": place.record_id,
                }
                for place in meeting.linked
            ],
            "created_at": meeting.created_at,
            "created_by_actor": meeting.created_by.json(),
        }

    def _happened(self, event: Event) -> None:
        """Follow records: a deleted one is unlinked, a merged one hands its meetings on."""
        if event.event_type == "record.deleted":
            for meeting in self.by_id.values():
                meeting.linked = [
                    place for place in meeting.linked if place.record_id != event.id["record_id"]
                ]
        elif event.event_type == "record.merged":
            gone, kept = event.extra["duplicate_record_id"], event.id["record_id"]
            for meeting in self.by_id.values():
                moved = [
                    RecordPlace(p.object_id, kept if p.record_id == gone else p.record_id)
                    for p in meeting.linked
                ]
                meeting.linked = list(dict.fromkeys(moved))


def add_routes(router: Router) -> None:
    """Serve `/v2/meetings`."""
    router.add("GET", "/v2/meetings", _list)
    router.add("POST", "/v2/meetings", _create)
    router.add("GET", "/v2/meetings/{meeting_id}", _get)
    router.add("PATCH", "/v2/meetings/{meeting_id}", _link)
    router.add("PUT", "/v2/meetings/{meeting_id}", _link)
    router.add("DELETE", "/v2/meetings/{meeting_id}", _delete)


def find_meeting(request: Request) -> tuple[Meetings, Meeting]:
    """Return the meeting that a request's path names, or refuse with 404."""
    meetings = token_of(request).workspace.part(Meetings)
    wanted = path_uuid(request, "meeting_id")
    meeting = meetings.by_id.get(wanted)
    if meeting is None:
        raise not_found(f'Meeting with ID "{wanted}" was not found.')
    return meetings, meeting


def _list(request: Request) -> Response:
    workspace = token_of(request).workspace
    meetings = workspace.part(Meetings)
    rows = _filtered(request, workspace, list(meetings.by_id.values()))
    descending = query_choice(request, "sort", "start_asc", "start_asc", "start_desc") == "start_desc"
    rows.sort(key=_order, reverse=descending)
    page, cursor = cursor_page(request, rows, _order, default=50, maximum=200, descending=descending)
    shown = [meetings.json(meeting) for meeting in page]
    return Response.json({"data": shown, "pagination": {"next_cursor": cursor}})


def _filtered(request: Request, workspace: Workspace, rows: list[Meeting]) -> list[Meeting]:
    key = request.query.get("linked_object")
    record_id = query_uuid(request, "linked_record_id")
    if (key is None) != (record_id is None):
        missing = "linked_object" if key is None else "linked_record_id"
        raise bad_query(missing, "linked_object and linked_record_id must be given together", "custom")
    if key is not None and record_id is not None:
        place = RecordPlace(find_object(workspace, key).id, record_id)
        rows = [meeting for meeting in rows if place in meeting.linked]
    wanted = {
        email.strip().casefold()
        for email in request.query.get("participants", "").split(",")
        if email.strip()
    }
    if wanted:
        rows = [m for m in rows if wanted & {str(p["email_address"]).casefold() for p in m.participants}]
    zone = _zone(request)
    if (ends_from := _bound(request, "ends_from", zone)) is not None:
        rows = [meeting for meeting in rows if _moment(meeting.end, zone) >= ends_from]
    if (starts_before := _bound(request, "starts_before", zone)) is not None:
        rows = [meeting for meeting in rows if _moment(meeting.start, zone) < starts_before]
    return rows


def _create(request: Request) -> Response:
    token = token_of(request)
    body = data(request)
    is_all_day = body.flag("is_all_day")
    start, end = _when(body, "start", is_all_day), _when(body, "end", is_all_day)
    if _moment(end) < _moment(start):
        raise body.refuse("end", "The meeting must not end before it starts", "custom")
    participants = [
        {
            "status": item.one_of("status", "accepted", "tentative", "declined", "pending"),
            "is_organizer": item.flag("is_organizer"),
            "email_address": item.text("email_address", minimum=3),
            "name": None,
        }
        for item in body.bodies("participants")
    ]
    linked = _records(body, token.workspace) if "linked_records" in body else []
    meetings = token.workspace.part(Meetings)
    # Since 2026 a meeting may come without a reference; then every request makes another one.
    reference = _reference(body) if "external_ref" in body else token.workspace.world.ids.uuid()
    meeting = meetings.add(
        reference,
        token.actor,
        title=body.text("title"),
        description=body.text("description"),
        is_all_day=is_all_day,
        start=start,
        end=end,
        participants=participants,
    )
    meetings.link(meeting, linked, replace=False)
    journal(request, "meetings", meeting.id)
    return Response.json({"data": meetings.json(meeting)})


def _get(request: Request) -> Response:
    meetings, meeting = find_meeting(request)
    return Response.json({"data": meetings.json(meeting)})


def _link(request: Request) -> Response:
    """Serve PATCH, which adds linked records, and PUT, which replaces them; nothing else can be changed."""
    meetings, meeting = find_meeting(request)
    body = data(request)
    body.only("linked_records")
    try:
        records = _records(body, meetings.workspace)
    except ApiError as error:
        if error.status == 404:
            raise bad_request("value_not_found", error.message) from error
        raise
    meetings.link(meeting, records, replace=request.method == "PUT")
    journal(request, "meetings", meeting.id)
    return Response.json({"data": meetings.json(meeting)})


def _delete(request: Request) -> Response:
    meetings, meeting = find_meeting(request)
    meetings.remove(meeting)
    journal(request, "meetings", meeting.id)
    return Response.json({})


def _records(body: Body, workspace: Workspace) -> list[RecordPlace]:
    return [
        find_record(workspace, item.text("object"), item.uuid("record_id"))
        for item in body.bodies("linked_records")
    ]


def _reference(body: Body) -> str:
    given = body.any("external_ref")
    if isinstance(given, str):
        return json.dumps(body.text("external_ref", minimum=1))
    reference = body.body("external_ref")
    uid = reference.text("ical_uid")
    provider = reference.one_of("provider", "google", "microsoft")
    original = reference.time("original_start_time") if reference.flag("is_recurring") else None
    return json.dumps([uid, provider, original])


def _when(body: Body, name: str, is_all_day: bool) -> dict[str, Any]:
    given = body.body(name)
    if is_all_day:
        given.only("date")
        text = given.text("date")
        moment = parse_time(text)
        if moment is None or len(text) < 10:
            raise given.refuse("date", "Invalid date", "invalid_string")
        return {"date": text[:10]}
    given.only("datetime", "timezone")
    text = given.text("datetime")
    moment = parse_time(text)
    if moment is None:
        raise given.refuse("datetime", "Invalid datetime", "invalid_string")
    name_of_zone = given.values.get("timezone")
    if name_of_zone is None:
        return {
            "datetime": moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "timezone": None,
        }
    zone = _load_zone(given.text("timezone"))
    if zone is None:
        raise given.refuse("timezone", "Invalid timezone", "invalid_string")
    local = moment.astimezone(zone) if names_zone(text) else moment.replace(tzinfo=zone)
    return {"datetime": local.isoformat(timespec="milliseconds"), "timezone": str(zone)}


def _moment(when: dict[str, Any], zone: ZoneInfo | None = None) -> datetime:
    if "date" in when:
        return datetime.fromisoformat(when["date"]).replace(tzinfo=zone or UTC)
    return datetime.fromisoformat(when["datetime"])


def _order(meeting: Meeting) -> list[str]:
    return [stamp(meeting.starts), meeting.id]


def _zone(request: Request) -> ZoneInfo:
    zone = _load_zone(request.query.get("timezone", "UTC"))
    if zone is None:
        raise bad_query("timezone", "Invalid timezone", "invalid_string")
    return zone


def _load_zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _bound(request: Request, name: str, zone: ZoneInfo) -> datetime | None:
    text = request.query.get(name)
    if not text:
        return None
    moment = parse_time(text)
    if moment is None:
        raise bad_query(name, "Invalid datetime", "invalid_string")
    # A bare date means the start of that day in the zone that was asked for.
    return moment.replace(tzinfo=zone) if len(text.strip()) == 10 else moment
