"""`/v2/notes`."""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Literal

from attio_console.attio.configuration import Group, given
from attio_console.attio.creating import create_or_find
from attio_console.attio.things import Note
from attio_console.attio.wire import walk_offset
from attio_console.net import Lane

NOTES_PAGE = 50
Format = Literal["plaintext", "markdown"]


class Notes(Group):
    """Notes about records."""

    async def list(
        self,
        *,
        parent_object: str | None = None,
        parent_record_id: str | None = None,
        limit: int = NOTES_PAGE,
        offset: int = 0,
        lane: Lane = Lane.INTERACTIVE,
    ) -> builtins.list[Note]:
        """List a page of notes, of one record or of all; Attio gives at most 50 and, unasked, only 10."""
        params = {
            "parent_object": parent_object,
            "parent_record_id": parent_record_id,
            "limit": limit,
            "offset": offset,
        }
        return await self._wire.many(Note, "GET", ("notes",), params=params, lane=lane)

    def iterate(
        self,
        *,
        parent_object: str | None = None,
        parent_record_id: str | None = None,
        lane: Lane = Lane.INTERACTIVE,
    ) -> AsyncIterator[Note]:
        """Iterate over all notes, of one record or of the workspace."""
        return walk_offset(
            lambda offset: self.list(
                parent_object=parent_object, parent_record_id=parent_record_id, offset=offset, lane=lane
            ),
            lambda note: note.id.note_id,
            NOTES_PAGE,
        )

    async def get(self, note_id: str, *, lane: Lane = Lane.INTERACTIVE) -> Note:
        """Get one note."""
        return await self._wire.one(Note, "GET", ("notes", note_id), lane=lane)

    async def create(
        self,
        *,
        parent_object: str,
        parent_record_id: str,
        title: str,
        content: str,
        format: Format = "plaintext",
        created_at: str | None = None,
        meeting_id: str | None = None,
        lookup: Callable[[], Awaitable[Note | None]] | None = None,
        lane: Lane = Lane.INTERACTIVE,
    ) -> Note:
        """Write a note; a lost answer is raised unless `lookup` can tell whether it was written."""
        data = {
            "parent_object": parent_object,
            "parent_record_id": parent_record_id,
            "title": title,
            "format": format,
            "content": content,
            **given(created_at=created_at, meeting_id=meeting_id),
        }
        return await create_or_find(
            lambda: self._wire.one(Note, "POST", ("notes",), json={"data": data}, lane=lane),
            lookup,
            self._wire.caller.clock,
        )

    async def update(
        self,
        note_id: str,
        *,
        title: str | None = None,
        content: str | None = None,
        format: Format = "plaintext",
        lane: Lane = Lane.INTERACTIVE,
    ) -> Note:
        """Change a note's title, or its text with its format."""
        data = given(title=title, content=content)
        if content is not None:
            data["format"] = format
        return await self._wire.one(Note, "PATCH", ("notes", note_id), json={"data": data}, lane=lane)

    async def delete(self, note_id: str, *, lane: Lane = Lane.INTERACTIVE) -> None:
        """Delete a note."""
        await self._wire.delete(("notes", note_id), lane=lane)
