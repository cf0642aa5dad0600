"""`/v2/meetings` with their call recordings and transcripts."""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from attio_console.attio.configuration import Group, given
from attio_console.attio.refusals import not_as_promised
from attio_console.attio.things import CallRecording, Meeting, Transcript
from attio_console.attio.wire import data_of, nothing, read_thing, walk_cursor
from attio_console.net import Lane, Resend, Response

MEETINGS_PAGE = 200
Sort = Literal["start_asc", "start_desc"]


class Meetings(Group):
    """Meetings (beta)."""

    async def page(
        self,
        *,
        linked_object: str | None = None,
        linked_record_id: str | None = None,
        participants: Sequence[str] = (),
        sort: Sort | None = None,
        ends_from: str | None = None,
        starts_before: str | None = None,
        timezone: str | None = None,
        limit: int = MEETINGS_PAGE,
        cursor: str | None = None,
        lane: Lane = Lane.INTERACTIVE,
    ) -> tuple[builtins.list[Meeting], str | None]:
        """List a page of meetings and the cursor of the next one."""
        params = {
            "linked_object": linked_object,
            "linked_record_id": linked_record_id,
            "participants": ",".join(participants) or None,
            "sort": sort,
            "ends_from": ends_from,
            "starts_before": starts_before,
            "timezone": timezone,
            "limit": limit,
            "cursor": cursor,
        }
        return await self._wire.page(Meeting, "GET", ("meetings",), params=params, lane=lane)

    def iterate(
        self,
        *,
        linked_object: str | None = None,
        linked_record_id: str | None = None,
        participants: Sequence[str] = (),
        sort: Sort | None = None,
        ends_from: str | None = None,
        starts_before: str | None = None,
        timezone: str | None = None,
        lane: Lane = Lane.INTERACTIVE,
    ) -> AsyncIterator[Meeting]:
        """Iterate over meetings, by their start."""
        return walk_cursor(
            lambda cursor: self.page(
                linked_object=linked_object,
                linked_record_id=linked_record_id,
                participants=participants,
                sort=sort,
                ends_from=ends_from,
                starts_before=starts_before,
                timezone=timezone,
                cursor=cursor,
                lane=lane,
            )
        )

    async def get(self, meeting_id: str, *, lane: Lane = Lane.INTERACTIVE) -> Meeting:
        """Get one meeting."""
        return await self._wire.one(Meeting, "GET", ("meetings", meeting_id), lane=lane)

    async def create(
        self,
        *,
        title: str,
        start: Mapping[str, Any],
        end: Mapping[str, Any],
        external_ref: str | Mapping[str, Any],
        description: str = "",
        is_all_day: bool = False,
        participants: Sequence[Mapping[str, Any]] = (),
        linked_records: Sequence[Mapping[str, Any]] | None = None,
        lane: Lane = Lane.INTERACTIVE,
    ) -> Meeting:
        """Find the meeting with that external reference, or create it: safe to send twice for that reason."""
        data = {
            "title": title,
            "description": description,
            "start": dict(start),
            "end": dict(end),
            "is_all_day": is_all_day,
            "participants": [dict(one) for one in participants],
            "external_ref": external_ref if isinstance(external_ref, str) else dict(external_ref),
            **given(linked_records=linked_records),
        }
        return await self._wire.one(
            Meeting, "POST", ("meetings",), json={"data": data}, resend=Resend.FREELY, lane=lane
        )

    async def link(
        self,
        meeting_id: str,
        linked_records: Sequence[Mapping[str, Any]],
        *,
        replace: bool = False,
        lane: Lane = Lane.INTERACTIVE,
    ) -> Meeting:
        """Add linked records (`{"object", "record_id"}`) to a meeting, or replace them all."""
        body = {"data": {"linked_records": [dict(one) for one in linked_records]}}
        method = "PUT" if replace else "PATCH"
        return await self._wire.one(Meeting, method, ("meetings", meeting_id), json=body, lane=lane)

    async def delete(self, meeting_id: str, *, lane: Lane = Lane.INTERACTIVE) -> None:
        """Delete a meeting."""
        await self._wire.delete(("meetings", meeting_id), lane=lane)


class Recordings(Group):
    """Call recordings of a meeting, and what was said in them (beta)."""

    def iterate(self, meeting_id: str, *, lane: Lane = Lane.INTERACTIVE) -> AsyncIterator[CallRecording]:
        """Iterate over the recordings of a meeting."""
        path = ("meetings", meeting_id, "call_recordings")
        return walk_cursor(
            lambda cursor: self._wire.page(
                CallRecording, "GET", path, params={"limit": MEETINGS_PAGE, "cursor": cursor}, lane=lane
            )
        )

    async def get(
        self, meeting_id: str, call_recording_id: str, *, lane: Lane = Lane.INTERACTIVE
    ) -> CallRecording:
        """Get one recording."""
        path = ("meetings", meeting_id, "call_recordings", call_recording_id)
        return await self._wire.one(CallRecording, "GET", path, lane=lane)

    async def create(
        self, meeting_id: str, video_url: str, *, lane: Lane = Lane.INTERACTIVE
    ) -> CallRecording:
        """Have Attio fetch and transcribe a recording (one a second)."""
        path = ("meetings", meeting_id, "call_recordings")
        body = {"data": {"video_url": video_url}}
        return await self._wire.one(CallRecording, "POST", path, json=body, lane=lane)

    async def delete(self, meeting_id: str, call_recording_id: str, *, lane: Lane = Lane.INTERACTIVE) -> None:
        """Delete a recording."""
        path = ("meetings", meeting_id, "call_recordings", call_recording_id)
        await self._wire.send("DELETE", path, nothing, lane=lane)

    async def transcript(
        self, meeting_id: str, call_recording_id: str, *, lane: Lane = Lane.INTERACTIVE
    ) -> Transcript:
        """Get the whole transcript of a recording."""
        path = ("meetings", meeting_id, "call_recordings", call_recording_id, "transcript")
        whole: Transcript | None = None
        cursor: str | None = None
        while True:
            part, cursor = await self._wire.send("GET", path, _part, params={"cursor": cursor}, lane=lane)
            if whole is None:
                whole = part
            else:
                whole.transcript += part.transcript
            if cursor is None:
                return whole


class _Envelope(msgspec.Struct):
    pagination: dict[str, str | None] | None = None


def _part(response: Response) -> tuple[Transcript, str | None]:
    raw = data_of(response)
    try:
        pagination = msgspec.json.decode(response.content, type=_Envelope).pagination or {}
        return read_thing(Transcript, raw), pagination.get("next_cursor")
    except msgspec.DecodeError as error:
        raise not_as_promised(response, str(error)) from error
