"""`/v2/files` and `/v2/emails`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Literal

from attio_console.attio.configuration import Group, given
from attio_console.attio.refusals import REQUEST_ID, not_as_promised
from attio_console.attio.things import Email, File
from attio_console.attio.wire import Wire, walk_cursor
from attio_console.net import HttpClient, Lane, Response

FILES_PAGE = 200
Provider = Literal["attio", "dropbox", "box", "google-drive", "microsoft-onedrive"]


class Files(Group):
    """Files, folders and links to files of other providers, on records (beta)."""

    def __init__(self, wire: Wire, http: HttpClient) -> None:
        super().__init__(wire)
        self._http = http

    def iterate(
        self,
        object_id: str,
        record_id: str,
        *,
        storage_provider: Provider | None = None,
        parent_folder_id: str | None = None,
        lane: Lane = Lane.INTERACTIVE,
    ) -> AsyncIterator[File]:
        """Iterate over the files of a record."""
        return walk_cursor(
            lambda cursor: self._wire.page(
                File,
                "GET",
                ("files",),
                params={
                    "object": object_id,
                    "record_id": record_id,
                    "storage_provider": storage_provider,
                    "parent_folder_id": parent_folder_id,
                    "limit": FILES_PAGE,
                    "cursor": cursor,
                },
                lane=lane,
            )
        )

    async def get(self, file_id: str, *, lane: Lane = Lane.INTERACTIVE) -> File:
        """Get what is known of one file."""
        return await self._wire.one(File, "GET", ("files", file_id), lane=lane)

    async def create_folder(
        self,
        object_id: str,
        record_id: str,
        name: str,
        *,
        parent_folder_id: str | None = None,
        lane: Lane = Lane.INTERACTIVE,
    ) -> File:
        """Create a folder on a record."""
        data = {
            "file_type": "folder",
            "object": object_id,
            "record_id": record_id,
            "storage_provider": "attio",
            "name": name,
            **given(parent_folder_id=parent_folder_id),
        }
        return await self._wire.one(File, "POST", ("files",), json=data, lane=lane)

    async def connect(
        self,
        object_id: str,
        record_id: str,
        external_provider_file_id: str,
        *,
        storage_provider: Provider,
        folder: bool = False,
        microsoft_drive_id: str | None = None,
        lane: Lane = Lane.INTERACTIVE,
    ) -> File:
        """Link a file or folder of another provider to a record."""
        data = {
            "file_type": "connected-folder" if folder else "connected-file",
            "object": object_id,
            "record_id": record_id,
            "storage_provider": storage_provider,
            "external_provider_file_id": external_provider_file_id,
            **given(microsoft_drive_id=microsoft_drive_id),
        }
        return await self._wire.one(File, "POST", ("files",), json=data, lane=lane)

    async def upload(
        self,
        object_id: str,
        record_id: str,
        name: str,
        content: bytes,
        *,
        content_type: str = "application/octet-stream",
        parent_folder_id: str | None = None,
        lane: Lane = Lane.INTERACTIVE,
    ) -> File:
        """Upload a file to a record: at most 50 MB, one a second."""
        form = {"object": object_id, "record_id": record_id, **given(parent_folder_id=parent_folder_id)}
        return await self._wire.one(
            File,
            "POST",
            ("files", "upload"),
            files={"file": (name, content, content_type)},
            form=form,
            lane=lane,
        )

    async def download(self, file_id: str, *, lane: Lane = Lane.INTERACTIVE) -> bytes:
        """Return the bytes of a file that Attio stores."""
        answer = await self._wire.send(
            "GET", ("files", file_id, "download"), lambda response: response, lane=lane
        )
        if answer.status < 300:
            return answer.content
        # The bytes are elsewhere, at a signed address that must not be shown the token.
        address = answer.headers.get("location") or ""
        if not address.startswith(("https://", "http://")):
            raise not_as_promised(answer, "a file without an address")
        found: Response = await self._http.request("GET", address, headers={"accept": "*/*"})
        if found.status != 200:
            raise not_as_promised(
                Response(
                    found.status, {REQUEST_ID: answer.headers.get(REQUEST_ID) or ""}, b"", found.elapsed
                ),
                f"the file's own address answered {found.status}",
            )
        return found.content

    async def delete(self, file_id: str, *, lane: Lane = Lane.INTERACTIVE) -> None:
        """Delete a file or folder, or unlink one of another provider."""
        await self._wire.delete(("files", file_id), lane=lane)


class Emails(Group):
    """Metadata of synced e-mails (alpha)."""

    def iterate(
        self,
        *,
        linked_object: str | None = None,
        linked_record_ids: Sequence[str] = (),
        participants: Sequence[str] = (),
        domain: str | None = None,
        sent_after: str | None = None,
        sent_before: str | None = None,
        exclude_automated_participants: bool | None = None,
        lane: Lane = Lane.INTERACTIVE,
    ) -> AsyncIterator[Email]:
        """Iterate over e-mails; a record, a participant or a domain has to be named."""
        return walk_cursor(
            lambda cursor: self._wire.page(
                Email,
                "GET",
                ("emails",),
                params={
                    "linked_object": linked_object,
                    "linked_record_ids": ",".join(linked_record_ids) or None,
                    "participants": ",".join(participants) or None,
                    "domain": domain,
                    "sent_after": sent_after,
                    "sent_before": sent_before,
                    "exclude_automated_participants": exclude_automated_participants,
                    "cursor": cursor,
                },
                lane=lane,
            )
        )
