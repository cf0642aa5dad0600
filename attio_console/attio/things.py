"""What Attio answers with besides records and entries, as typed things.

Every field has a default: Attio adds fields without notice and leaves some out, and neither is an error.
"""

from __future__ import annotations

from typing import Any

import msgspec

from attio_console.attio.wire import Thing


class Ids(msgspec.Struct, kw_only=True):
    """The compound id of a thing; only the parts that apply are set."""

    workspace_id: str = ""
    object_id: str = ""
    list_id: str = ""
    record_id: str = ""
    entry_id: str = ""
    attribute_id: str = ""
    option_id: str = ""
    status_id: str = ""
    note_id: str = ""
    task_id: str = ""
    comment_id: str = ""
    thread_id: str = ""
    meeting_id: str = ""
    call_recording_id: str = ""
    file_id: str = ""
    email_id: str = ""
    view_id: str = ""
    webhook_id: str = ""
    workspace_member_id: str = ""


class Actor(msgspec.Struct, frozen=True):
    """Who did something: an api-token, a workspace-member, an app, or the system (without an id)."""

    type: str | None = None
    id: str | None = None


class RecordLink(msgspec.Struct, kw_only=True):
    """A record something is linked to; which of the object's names is given differs by endpoint."""

    record_id: str | None = None
    object_id: str | None = None
    object_slug: str | None = None
    target_object_id: str | None = None
    target_record_id: str | None = None


class EntryLink(msgspec.Struct, kw_only=True):
    """A list entry something is linked to."""

    entry_id: str = ""
    list_id: str = ""


class Identity(Thing):
    """Whose token this is. A token Attio does not know is not an error but `active=False`."""

    active: bool = False
    workspace_id: str = ""
    workspace_name: str = ""
    workspace_slug: str = ""
    client_id: str = ""
    scope: str = ""
    token_type: str = ""
    authorized_by_workspace_member_id: str | None = None
    exp: float | None = None
    iat: float | None = None
    workspace_logo_url: str | None = None

    @property
    def token_id(self) -> str:
        """Return the id that the `api-token` actor of this token's own writes carries."""
        return self.client_id

    @property
    def scopes(self) -> frozenset[str]:
        """Return the granted scopes, such as `record_permission:read-write`."""
        return frozenset(self.scope.split())


class ObjectInfo(Thing):
    """An object's configuration."""

    id: Ids = msgspec.field(default_factory=Ids)
    api_slug: str | None = None
    singular_noun: str | None = None
    plural_noun: str | None = None
    created_at: str | None = None


class Relationship(msgspec.Struct, kw_only=True):
    """The attribute on another object that moves with this one."""

    id: Ids = msgspec.field(default_factory=Ids)
    object_slug: str | None = None
    title: str | None = None
    api_slug: str | None = None
    is_multiselect: bool = False


class CurrencyConfig(msgspec.Struct, kw_only=True):
    """How a currency attribute is counted and shown."""

    default_currency_code: str | None = None
    display_type: str | None = None


class ReferenceConfig(msgspec.Struct, kw_only=True):
    """Which objects a reference attribute may point to; None means any."""

    allowed_object_ids: list[str] | None = None


class AttributeConfig(msgspec.Struct, kw_only=True):
    """What is configured for some types only."""

    currency: CurrencyConfig | None = None
    record_reference: ReferenceConfig | None = None


class AttributeInfo(Thing):
    """An attribute's configuration."""

    id: Ids = msgspec.field(default_factory=Ids)
    title: str | None = None
    description: str | None = None
    api_slug: str | None = None
    type: str | None = None
    is_system_attribute: bool = False
    is_writable: bool = True
    is_required: bool = False
    is_unique: bool = False
    is_multiselect: bool = False
    is_default_value_enabled: bool = False
    is_archived: bool = False
    default_value: Any = None
    relationship: Relationship | None = None
    created_at: str | None = None
    config: AttributeConfig | None = None


class OptionInfo(Thing):
    """One choice of a select attribute."""

    id: Ids = msgspec.field(default_factory=Ids)
    title: str = ""
    is_archived: bool = False


class StatusInfo(Thing):
    """One status of a status attribute."""

    id: Ids = msgspec.field(default_factory=Ids)
    title: str = ""
    is_archived: bool = False
    celebration_enabled: bool = False
    target_time_in_status: str | None = None


class MemberAccess(msgspec.Struct, kw_only=True):
    """What one member may do with a list."""

    workspace_member_id: str = ""
    level: str = ""


class ListInfo(Thing):
    """A list's configuration. `parent_object` holds the slug of the object its entries stand for."""

    id: Ids = msgspec.field(default_factory=Ids)
    api_slug: str | None = None
    name: str | None = None
    parent_object: list[str] | str | None = None
    workspace_access: str | None = None
    workspace_member_access: list[MemberAccess] = msgspec.field(default_factory=list)
    created_by_actor: Actor | None = None
    created_at: str | None = None

    @property
    def parent(self) -> str:
        """Return the slug of the parent object."""
        if isinstance(self.parent_object, str):
            return self.parent_object
        return self.parent_object[0] if self.parent_object else ""


class MemberInfo(Thing):
    """A workspace member; never deleted, only suspended."""

    id: Ids = msgspec.field(default_factory=Ids)
    first_name: str | None = None
    last_name: str | None = None
    avatar_url: str | None = None
    email_address: str | None = None
    access_level: str | None = None
    created_at: str | None = None


class View(Thing):
    """A saved view of an object or a list."""

    id: Ids = msgspec.field(default_factory=Ids)
    title: str | None = None
    name: str | None = None
    view_type: str | None = None
    is_archived: bool = False
    created_at: str | None = None
    created_by_actor: Actor | None = None


class EntryRef(Thing):
    """One place a record has in a list, without the entry's values."""

    list_id: str = ""
    list_api_slug: str | None = None
    entry_id: str = ""
    created_at: str | None = None


class SearchHit(Thing):
    """One record found by Attio's own search."""

    id: Ids = msgspec.field(default_factory=Ids)
    object_slug: str | None = None
    record_text: str | None = None
    record_image: str | None = None
    email_addresses: list[str] = msgspec.field(default_factory=list)
    phone_numbers: list[str] = msgspec.field(default_factory=list)
    domains: list[str] = msgspec.field(default_factory=list)


class Note(Thing):
    """A note about a record."""

    id: Ids = msgspec.field(default_factory=Ids)
    parent_object: str | None = None
    parent_record_id: str | None = None
    title: str | None = None
    content_plaintext: str | None = None
    content_markdown: str | None = None
    tags: list[Any] = msgspec.field(default_factory=list)
    meeting_id: str | None = None
    created_by_actor: Actor | None = None
    created_at: str | None = None


class Assignee(msgspec.Struct, kw_only=True):
    """Whom a task is assigned to."""

    referenced_actor_type: str | None = None
    referenced_actor_id: str | None = None


class Task(Thing):
    """A task: a line of text with a deadline, assignees and linked records."""

    id: Ids = msgspec.field(default_factory=Ids)
    content_plaintext: str | None = None
    deadline_at: str | None = None
    is_completed: bool = False
    completed_at: str | None = None
    linked_records: list[RecordLink] = msgspec.field(default_factory=list)
    assignees: list[Assignee] = msgspec.field(default_factory=list)
    created_by_actor: Actor | None = None
    created_at: str | None = None


class Comment(Thing):
    """A comment. The head of a thread carries the thread's id as its own."""

    id: Ids = msgspec.field(default_factory=Ids)
    thread_id: str | None = None
    content_plaintext: str | None = None
    record: RecordLink | None = None
    entry: EntryLink | None = None
    author: Actor | None = None
    resolved_at: str | None = None
    resolved_by: Actor | None = None
    created_at: str | None = None


class Thread(Thing):
    """A thread of comments; `has_more_comments` says when not all replies are here."""

    id: Ids = msgspec.field(default_factory=Ids)
    comments: list[Comment] = msgspec.field(default_factory=list)
    has_more_comments: bool = False
    created_at: str | None = None


class When(msgspec.Struct, kw_only=True):
    """The start or end of a meeting: an instant, or a day for all-day meetings."""

    datetime: str | None = None
    timezone: str | None = None
    date: str | None = None


class Participant(msgspec.Struct, kw_only=True):
    """Somebody invited to a meeting."""

    status: str | None = None
    is_organizer: bool = False
    email_address: str | None = None


class Meeting(Thing):
    """A meeting."""

    id: Ids = msgspec.field(default_factory=Ids)
    title: str | None = None
    description: str | None = None
    is_all_day: bool = False
    start: When | None = None
    end: When | None = None
    participants: list[Participant] = msgspec.field(default_factory=list)
    linked_records: list[RecordLink] = msgspec.field(default_factory=list)
    created_by_actor: Actor | None = None
    created_at: str | None = None


class CallRecording(Thing):
    """A call recording of a meeting."""

    id: Ids = msgspec.field(default_factory=Ids)
    status: str | None = None
    web_url: str | None = None
    created_by_actor: Actor | None = None
    created_at: str | None = None


class Speaker(msgspec.Struct, kw_only=True):
    """Who speaks in a transcript."""

    name: str | None = None


class Speech(msgspec.Struct, kw_only=True):
    """One utterance of a transcript, with its times in seconds."""

    speech: str = ""
    start_time: float | None = None
    end_time: float | None = None
    speaker: Speaker | None = None


class Transcript(Thing):
    """A page of the transcript of a call recording."""

    id: Ids = msgspec.field(default_factory=Ids)
    transcript: list[Speech] = msgspec.field(default_factory=list)
    raw_transcript: str | None = None
    web_url: str | None = None


class File(Thing):
    """A file, folder or connected file of a record; `file_type` says which."""

    id: Ids = msgspec.field(default_factory=Ids)
    file_type: str | None = None
    name: str | None = None
    object_id: str | None = None
    object_slug: str | None = None
    record_id: str | None = None
    storage_provider: str | None = None
    content_type: str | None = None
    content_size: float | None = None
    parent_folder_id: str | None = None
    external_provider_file_id: str | None = None
    microsoft_drive_id: str | None = None
    created_by_actor: Actor | None = None
    created_at: str | None = None


class Email(Thing):
    """The metadata of an e-mail (an alpha operation: everything else is in `raw`)."""

    id: Any = None
    subject: str | None = None
    sent_at: str | None = None


class Webhook(Thing):
    """A webhook. `secret` is told once, in the answer to its creation."""

    id: Ids = msgspec.field(default_factory=Ids)
    target_url: str | None = None
    subscriptions: list[Any] = msgspec.field(default_factory=list)
    status: str | None = None
    created_at: str | None = None
    secret: str | None = None
