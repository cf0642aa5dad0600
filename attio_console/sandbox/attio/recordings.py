"""Call recordings of meetings and their transcripts; a recording is ready a moment after it was handed in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from attio_console.sandbox.attio.auth import token_of
from attio_console.sandbox.attio.bodies import cursor_page, data, path_uuid
from attio_console.sandbox.attio.errors import not_found
from attio_console.sandbox.attio.journaling import journal
from attio_console.sandbox.attio.meetings import find_meeting
from attio_console.sandbox.server import Request, Response, Router
from attio_console.sandbox.world import Actor, Workspace, stamp

_PROCESSING_S = 2.0
_SEGMENTS_PER_PAGE = 100
_LINES = (
    "Thanks for making the time today.",
    "Happy to. Shall we go through the open points first?",
    "Yes. The main question on our side is the rollout plan.",
    "We can start with the sales team and add support a month later.",
    "That works. I will send the numbers for procurement this week.",
)


@dataclass(slots=True)
class Recording:
    """One call recording."""

    id: str
    meeting_id: str
    created_at: str
    created_by: Actor
    status: str = "processing"
    segments: list[dict[str, Any]] = field(default_factory=list)


class Recordings:
    """The call recordings of one workspace (`workspace.part(Recordings)`)."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.by_id: dict[str, Recording] = {}

    def add(self, meeting_id: str, speakers: list[str], actor: Actor) -> Recording:
        """Hand in a recording; it is processed on the sandbox's clock, and the webhook comes then."""
        world = self.workspace.world
        recording = Recording(world.ids.uuid(), meeting_id, stamp(world.clock.now()), actor)
        self.by_id[recording.id] = recording

        def finish() -> None:
            if recording.id not in self.by_id:
                return
            recording.status = "completed"
            recording.segments = _segments(speakers)
            ids = {"meeting_id": meeting_id, "call_recording_id": recording.id}
            self.workspace.events.emit("call-recording.created", ids, actor)

        world.clock.later(_PROCESSING_S, finish)
        return recording

    def json(self, recording: Recording) -> dict[str, Any]:
        """Return a recording as the API shows it."""
        return {
            "id": self.ids(recording),
            "status": recording.status,
            "web_url": self.web_url(recording),
            "created_by_actor": recording.created_by.json(),
            "created_at": recording.created_at,
        }

    def ids(self, recording: Recording) -> dict[str, str]:
        """Return the three ids of a recording."""
        return {
            "workspace_id": self.workspace.id,
            "meeting_id": recording.meeting_id,
            "call_recording_id": recording.id,
        }

    def web_url(self, recording: Recording) -> str:
        """Return where a person would listen to it."""
        return f"https://app.attio.com/{self.workspace.slug}/calls/{recording.meeting_id}/{recording.id}"


def add_routes(router: Router) -> None:
    """Serve the call recordings of meetings."""
    base = "/v2/meetings/{meeting_id}/call_recordings"
    router.add("GET", base, _list)
    router.add("POST", base, _create)
    router.add("GET", base + "/{call_recording_id}", _get)
    router.add("DELETE", base + "/{call_recording_id}", _delete)
    router.add("GET", base + "/{call_recording_id}/transcript", _transcript)


def _list(request: Request) -> Response:
    meetings, meeting = find_meeting(request)
    recordings = meetings.workspace.part(Recordings)
    rows = [recording for recording in recordings.by_id.values() if recording.meeting_id == meeting.id]
    rows.sort(key=_order)
    page, cursor = cursor_page(request, rows, _order, default=50, maximum=200)
    shown = [recordings.json(recording) for recording in page]
    return Response.json({"data": shown, "pagination": {"next_cursor": cursor}})


def _create(request: Request) -> Response:
    meetings, meeting = find_meeting(request)
    body = data(request)
    url = body.text("video_url")
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise body.refuse("video_url", "Invalid url", "invalid_string")
    speakers = [str(participant["email_address"]) for participant in meeting.participants]
    recordings = meetings.workspace.part(Recordings)
    recording = recordings.add(meeting.id, speakers, token_of(request).actor)
    journal(request, "call_recordings", recording.id)
    return Response.json({"data": recordings.json(recording)})


def _get(request: Request) -> Response:
    recordings, recording = _one(request)
    return Response.json({"data": recordings.json(recording)})


def _delete(request: Request) -> Response:
    recordings, recording = _one(request)
    del recordings.by_id[recording.id]
    journal(request, "call_recordings", recording.id)
    return Response(204)


def _transcript(request: Request) -> Response:
    recordings, recording = _one(request)
    page, cursor = cursor_page(
        request,
        recording.segments,
        lambda segment: [f"{segment['start_time']:012.3f}"],
        default=_SEGMENTS_PER_PAGE,
        maximum=_SEGMENTS_PER_PAGE,
    )
    raw = "\n".join(f"{segment['speaker']['name']}: {segment['speech']}" for segment in recording.segments)
    shown = {
        "id": recordings.ids(recording),
        "transcript": page,
        "raw_transcript": raw,
        "web_url": recordings.web_url(recording),
    }
    return Response.json({"data": shown, "pagination": {"next_cursor": cursor}})


def _one(request: Request) -> tuple[Recordings, Recording]:
    meetings, meeting = find_meeting(request)
    recordings = meetings.workspace.part(Recordings)
    wanted = path_uuid(request, "call_recording_id")
    recording = recordings.by_id.get(wanted)
    if recording is None or recording.meeting_id != meeting.id:
        raise not_found(f'Call recording with ID "{wanted}" was not found.')
    return recordings, recording


def _order(recording: Recording) -> list[str]:
    return [recording.created_at, recording.id]


def _segments(speakers: list[str]) -> list[dict[str, Any]]:
    names = speakers or ["Speaker 1"]
    return [
        {
            "speech": line,
            "start_time": place * 4.5,
            "end_time": place * 4.5 + 4.0,
            "speaker": {"name": names[place % len(names)]},
        }
        for place, line in enumerate(_LINES)
    ]
