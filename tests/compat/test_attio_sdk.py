"""The published Python SDK `attio`, unmodified, against the sandbox: its response models are strict and not ours."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future

import pytest

from attio_console.sandbox import SandboxOptions, running

attio = pytest.importorskip("attio", reason="pip install -e '.[compat]'")

pytestmark = pytest.mark.compat


@pytest.fixture(scope="module")
def sandbox():
    """A sandbox on a loop in another thread, because the SDK's calls block."""
    started: Future = Future()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def live():
        options = SandboxOptions(records=0, limits=False, webhook_http=True)
        async with running(options) as it:
            started.set_result(it)
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(live(),))
    thread.start()
    yield started.result(timeout=60)
    loop.call_soon_threadsafe(stop.set)
    thread.join(timeout=30)
    loop.close()


@pytest.fixture(scope="module")
def sdk(sandbox):
    with attio.SDK(oauth2=sandbox.token, server_url=sandbox.attio) as client:
        yield client


@pytest.fixture(scope="module")
def member(sdk):
    return sdk.workspace_members.get_v2_workspace_members().data[0].id.workspace_member_id


@pytest.fixture(scope="module")
def company(sdk):
    made = sdk.records.post_v2_objects_object_records(
        object="companies", data={"values": {"name": ["Acme"], "domains": ["acme.example"]}}
    )
    return made.data.id.record_id


@pytest.fixture(scope="module")
def pipeline(sdk):
    made = sdk.lists.post_v2_lists(
        data={
            "name": "Sales",
            "api_slug": "sales",
            "parent_object": "companies",
            "workspace_access": "full-access",
            "workspace_member_access": [],
        }
    )
    stage = sdk.attributes.post_v2_target_identifier_attributes(
        target="lists",
        identifier="sales",
        data={
            "title": "Stage",
            "description": None,
            "api_slug": "stage",
            "type": "status",
            "is_required": False,
            "is_unique": False,
            "is_multiselect": False,
            "config": {},
        },
    )
    for title in ("Lead", "Won"):
        sdk.attributes.post_v2_target_identifier_attributes_attribute_statuses(
            target="lists", identifier="sales", attribute="stage", data={"title": title}
        )
    assert stage.data.api_slug == "stage"
    return made.data.id.list_id


def test_the_token_introduces_itself(sdk, sandbox):
    me = sdk.meta.get_v2_self()
    assert me.active
    assert me.workspace_slug == "northwind"


def test_a_record_is_created_queried_upserted_changed_and_deleted(sdk, company):
    made = sdk.records.post_v2_objects_object_records(
        object="people",
        data={
            "values": {
                "name": [{"first_name": "Ada", "last_name": "Lovelace", "full_name": "Ada Lovelace"}],
                "email_addresses": ["ada@acme.example"],
                "phone_numbers": [{"original_phone_number": "+442079460000"}],
                "company": [{"target_object": "companies", "target_record_id": company}],
            }
        },
    )
    person = made.data.id.record_id
    again = sdk.records.put_v2_objects_object_records(
        object="people",
        matching_attribute="email_addresses",
        data={"values": {"email_addresses": ["ada@acme.example"], "job_title": ["Analyst"]}},
    )
    assert again.data.id.record_id == person
    found = sdk.records.post_v2_objects_object_records_query(
        object="people",
        filter_={"email_addresses": "ada@acme.example"},
        sorts=[{"attribute": "created_at", "direction": "asc"}],
        limit=10,
        offset=0,
    )
    assert [record.id.record_id for record in found.data] == [person]
    assert found.data[0].values["job_title"][0].value == "Analyst"
    assert found.data[0].values["company"][0].target_record_id == company
    sdk.records.patch_v2_objects_object_records_record_id_(
        object="people", record_id=person, data={"values": {"job_title": ["Countess"]}}
    )
    sdk.records.put_v2_objects_object_records_record_id_(
        object="people", record_id=person, data={"values": {"phone_numbers": []}}
    )
    got = sdk.records.get_v2_objects_object_records_record_id_(object="people", record_id=person)
    assert got.data.values["phone_numbers"] == []
    history = sdk.records.get_v2_objects_object_records_record_id_attributes_attribute_values(
        object="companies", record_id=company, attribute="domains", show_historic=True
    )
    assert len(history.data) == 1
    search = sdk.records.post_v2_objects_records_search(
        query="ada", objects=["people"], request_as={"type": "workspace"}, limit=5
    )
    assert [hit.id.record_id for hit in search.data] == [person]
    sdk.records.delete_v2_objects_object_records_record_id_(object="people", record_id=person)
    with pytest.raises(attio.errors.SDKError) as refused:
        sdk.records.get_v2_objects_object_records_record_id_(object="people", record_id=person)
    assert refused.value.status_code == 404


def test_two_records_become_a_third(sdk):
    ids = [
        sdk.records.post_v2_objects_object_records(
            object="companies", data={"values": {"name": [name]}}
        ).data.id.record_id
        for name in ("Twin", "Twin Inc")
    ]
    merged = sdk.records.post_v2_objects_object_records_merge(
        object="companies", data={"primary_record_id": ids[0], "secondary_record_id": ids[1]}
    )
    assert merged.data.new_record_id not in ids


def test_an_entry_is_added_moved_and_removed(sdk, company, pipeline):
    entry = sdk.entries.post_v2_lists_list_entries(
        list_id="sales",
        data={"parent_record_id": company, "parent_object": "companies", "entry_values": {"stage": ["Lead"]}},
    ).data
    sdk.entries.patch_v2_lists_list_entries_entry_id_(
        list_id="sales", entry_id=entry.id.entry_id, data={"entry_values": {"stage": ["Won"]}}
    )
    again = sdk.entries.put_v2_lists_list_entries(
        list_id="sales", data={"parent_record_id": company, "parent_object": "companies", "entry_values": {}}
    )
    assert again.data.id.entry_id == entry.id.entry_id
    (found,) = sdk.entries.post_v2_lists_list_entries_query(list_id=pipeline, filter_={"stage": "Won"}).data
    assert found.entry_values["stage"][0].status.title == "Won"
    moves = sdk.entries.get_v2_lists_list_entries_entry_id_attributes_attribute_values(
        list_id="sales", entry_id=entry.id.entry_id, attribute="stage", show_historic=True
    )
    assert [value.status.title for value in moves.data] == ["Lead", "Won"]
    memberships = sdk.records.get_v2_objects_object_records_record_id_entries(
        object="companies", record_id=company
    )
    assert [each.list_api_slug for each in memberships.data] == ["sales"]
    sdk.entries.delete_v2_lists_list_entries_entry_id_(list_id="sales", entry_id=entry.id.entry_id)


def test_a_note_is_written_changed_and_deleted(sdk, company):
    note = sdk.notes.post_v2_notes(
        data={
            "parent_object": "companies",
            "parent_record_id": company,
            "title": "Call",
            "format_": "markdown",
            "content": "# Next\n\n- send **quote**",
        }
    ).data
    assert note.content_plaintext == "Next\n\nsend quote"
    changed = sdk.notes.patch_v2_notes_note_id_(note_id=note.id.note_id, data={"title": "Second call"})
    assert changed.data.title == "Second call"
    listed = sdk.notes.get_v2_notes(parent_object="companies", parent_record_id=company, limit=50)
    assert [each.id.note_id for each in listed.data] == [note.id.note_id]
    sdk.notes.delete_v2_notes_note_id_(note_id=note.id.note_id)


def test_a_task_is_made_done_and_deleted(sdk, company, member):
    task = sdk.tasks.post_v2_tasks(
        data={
            "content": "Send the quote",
            "format_": "plaintext",
            "deadline_at": "2026-12-01T09:00:00Z",
            "is_completed": False,
            "linked_records": [{"target_object": "companies", "target_record_id": company}],
            "assignees": [{"referenced_actor_type": "workspace-member", "referenced_actor_id": member}],
        }
    ).data
    done = sdk.tasks.patch_v2_tasks_task_id_(task_id=task.id.task_id, data={"is_completed": True})
    assert done.data.is_completed and done.data.completed_at
    listed = sdk.tasks.get_v2_tasks(linked_object="companies", linked_record_id=company, is_completed=True)
    assert [each.id.task_id for each in listed.data] == [task.id.task_id]
    sdk.tasks.delete_v2_tasks_task_id_(task_id=task.id.task_id)


def test_a_comment_starts_a_thread(sdk, company, member):
    author = {"type": "workspace-member", "id": member}
    head = sdk.comments.post_v2_comments(
        data={
            "format_": "plaintext",
            "content": "Shall we?",
            "author": author,
            "record": {"object": "companies", "record_id": company},
        }
    ).data
    sdk.comments.post_v2_comments(
        data={"format_": "plaintext", "content": "Yes", "author": author, "thread_id": head.thread_id}
    )
    (thread,) = sdk.threads.get_v2_threads(object="companies", record_id=company).data
    assert [comment.content_plaintext for comment in thread.comments] == ["Shall we?", "Yes"]
    whole = sdk.threads.get_v2_threads_thread_id_(thread_id=head.thread_id)
    assert len(whole.data.comments) == 2 and whole.pagination.next_cursor is None
    sdk.comments.delete_v2_comments_comment_id_(comment_id=head.id.comment_id)
    assert sdk.threads.get_v2_threads(object="companies", record_id=company).data == []


def test_a_webhook_is_registered_changed_and_removed(sdk):
    subscription = {"event_type": "record.updated", "filter_": None}
    made = sdk.webhooks.post_v2_webhooks(
        data={"target_url": "https://example.com/hook", "subscriptions": [subscription]}
    ).data
    assert made.secret and made.status == "active"
    webhook_id = made.id.webhook_id
    sdk.webhooks.patch_v2_webhooks_webhook_id_(
        webhook_id=webhook_id, data={"target_url": "https://example.com/other"}
    )
    assert sdk.webhooks.get_v2_webhooks_webhook_id_(webhook_id=webhook_id).data.target_url.endswith("other")
    assert [each.id.webhook_id for each in sdk.webhooks.get_v2_webhooks(limit=10).data] == [webhook_id]
    sdk.webhooks.delete_v2_webhooks_webhook_id_(webhook_id=webhook_id)


def test_a_meeting_is_made_linked_and_has_recordings(sdk, company, sandbox):
    meeting = {
        "title": "Kick-off",
        "description": "First call",
        "start": {"datetime_": "2026-12-01T09:00:00.000Z", "timezone": "Europe/Berlin"},
        "end": {"datetime_": "2026-12-01T10:00:00.000Z", "timezone": "Europe/Berlin"},
        "is_all_day": False,
        "participants": [{"email_address": "ada@acme.example", "is_organizer": True, "status": "accepted"}],
        "linked_records": [{"object": "companies", "record_id": company}],
    }
    first = sdk.meetings.post_v2_meetings(data=meeting).data
    assert [each.id for each in sdk.meetings.get_v2_meetings().data] == [first.id]
    meeting_id = first.id.meeting_id
    sdk.meetings.put_v2_meetings_meeting_id_(meeting_id=meeting_id, data={"linked_records": []})
    recording = sdk.call_recordings.post_v2_meetings_meeting_id_call_recordings(
        meeting_id=meeting_id, data={"video_url": "https://example.com/call.mp4"}
    ).data
    recording_id = recording.id.call_recording_id
    transcript = sdk.transcripts.get_v2_meetings_meeting_id_call_recordings_call_recording_id_transcript(
        meeting_id=meeting_id, call_recording_id=recording_id
    )
    assert transcript.data.id.call_recording_id == recording_id
    sdk.call_recordings.delete_v2_meetings_meeting_id_call_recordings_call_recording_id_(
        meeting_id=meeting_id, call_recording_id=recording_id
    )
    sdk.meetings.delete_v2_meetings_meeting_id_(meeting_id=meeting_id)


def test_a_file_is_put_on_a_record_and_read_back(sdk, company):
    folder = sdk.files.post_v2_files(
        request={"object": "companies", "record_id": company, "file_type": "folder", "name": "Contracts"}
    ).data
    file = sdk.files.post_v2_files_upload(
        file={"file_name": "a.txt", "content": b"\x00bytes\r\n--", "content_type": "text/plain"},
        object="companies",
        record_id=company,
        parent_folder_id=folder.id.file_id,
    ).data
    assert (file.name, file.content_size) == ("a.txt", 10)
    listed = sdk.files.get_v2_files(object="companies", record_id=company)
    assert {each.file_type for each in listed.data} == {"folder", "file"}
    assert sdk.files.get_v2_files_file_id_(file_id=file.id.file_id).data.name == "a.txt"
    sdk.files.delete_v2_files_file_id_(file_id=folder.id.file_id)
    assert sdk.files.get_v2_files(object="companies", record_id=company).data == []


def test_objects_attributes_options_and_views_can_be_read_and_made(sdk):
    slugs = {each.api_slug for each in sdk.objects.get_v2_objects().data}
    assert {"people", "companies", "deals"} <= slugs
    made = sdk.objects.post_v2_objects(
        data={"api_slug": "projects", "singular_noun": "Project", "plural_noun": "Projects"}
    )
    sdk.objects.patch_v2_objects_object_(object=made.data.id.object_id, data={"plural_noun": "All projects"})
    attribute = sdk.attributes.post_v2_target_identifier_attributes(
        target="objects",
        identifier="projects",
        data={
            "title": "Size",
            "description": "How big",
            "api_slug": "size",
            "type": "select",
            "is_required": False,
            "is_unique": False,
            "is_multiselect": True,
            "config": {},
        },
    )
    option = sdk.attributes.post_v2_target_identifier_attributes_attribute_options(
        target="objects", identifier="projects", attribute="size", data={"title": "Big"}
    )
    sdk.attributes.patch_v2_target_identifier_attributes_attribute_options_option_(
        target="objects",
        identifier="projects",
        attribute="size",
        option=option.data.id.option_id,
        data={"is_archived": True},
    )
    options = sdk.attributes.get_v2_target_identifier_attributes_attribute_options(
        target="objects", identifier="projects", attribute="size", show_archived=True
    )
    assert [each.is_archived for each in options.data] == [True]
    listed = sdk.attributes.get_v2_target_identifier_attributes(target="objects", identifier="projects")
    assert attribute.data.id in [each.id for each in listed.data]
    assert sdk.objects.get_v2_objects_object_views(object="projects").data == []
    sdk.objects.delete_v2_objects_object_(object="projects")


def test_a_validation_error_is_an_error_of_the_sdk(sdk):
    with pytest.raises(attio.errors.SDKError) as refused:
        sdk.records.post_v2_objects_object_records(object="people", data={"values": {"nonsense": [1]}})
    assert refused.value.status_code == 400
