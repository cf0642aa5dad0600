from __future__ import annotations

import msgspec
import pytest

from attio_console import errors
from attio_console.attio import AsyncAttio
from attio_console.attio.values import EmailAddressValue, PersonalNameValue, UnknownValue


async def rows(iterator) -> list:
    return [one async for one in iterator]


async def test_whose_token_it_is(attio, sandbox) -> None:
    identity = await attio.self_()
    assert identity.active and identity.workspace_slug and identity.token_id
    assert "record_permission:read-write" in identity.scopes
    async with AsyncAttio("not-a-token-anybody-has", base_url=sandbox.attio) as stranger:
        assert (await stranger.self_()).active is False
        with pytest.raises(errors.NotAuthorised):
            await stranger.objects.list()
        with pytest.raises(errors.NotAuthorised):
            await stranger.schema()


async def test_the_schema_in_one_go(attio) -> None:
    schema = await attio.schema()
    people = schema.object("people")
    assert people is not None and people.attribute("email_addresses").is_unique
    assert people.attribute("company").relationship == "team"
    deals = schema.object("deals")
    assert [s.title for s in deals.attribute("stage").statuses]
    assert deals.attribute("value").currency_code
    assert schema.object(people.id) is people
    pipeline = next(one for one in schema.lists if one.status_attribute)
    assert pipeline.parent_object
    assert schema.members and schema.member(schema.members[0].email) is schema.members[0]


async def test_objects(attio) -> None:
    made = await attio.objects.create(api_slug="ships", singular_noun="Ship", plural_noun="Ships")
    assert (await attio.objects.get("ships")).id.object_id == made.id.object_id
    renamed = await attio.objects.update("ships", plural_noun="Fleet")
    assert renamed.plural_noun == "Fleet"
    with pytest.raises(errors.UniquenessConflict):
        await attio.objects.create(api_slug="ships", singular_noun="Ship", plural_noun="Ships")
    assert "ships" in [one.api_slug for one in await attio.objects.list()]
    await attio.objects.delete("ships")
    with pytest.raises(errors.NotFound):
        await attio.objects.get("ships")


async def test_attributes_options_and_statuses(attio) -> None:
    tier = await attio.attributes.create("people", title="Tier", api_slug="tier", type="select")
    assert (await attio.attributes.get("people", "tier")).id.attribute_id == tier.id.attribute_id
    gold = await attio.options.create("people", "tier", "Gold")
    await attio.options.update("people", "tier", gold.id.option_id, title="Platinum")
    assert [one.title for one in await attio.options.list("people", "tier")] == ["Platinum"]
    await attio.options.update("people", "tier", gold.id.option_id, is_archived=True)
    assert await attio.options.list("people", "tier") == []
    assert len(await attio.options.list("people", "tier", show_archived=True)) == 1

    won = await attio.statuses.create("deals", "stage", "Paid", celebration_enabled=True)
    changed = await attio.statuses.update("deals", "stage", won.id.status_id, {"title": "Settled"})
    assert changed.title == "Settled"
    assert "Settled" in [one.title for one in await attio.statuses.list("deals", "stage")]

    await attio.attributes.update("people", "tier", {"is_archived": True})
    slugs = [one.api_slug for one in await attio.attributes.list("people")]
    assert "tier" not in slugs
    assert len(await attio.attributes.list("people", limit=3, offset=1)) == 3


async def test_a_record_from_birth_to_death(attio) -> None:
    made = await attio.records.create(
        "people",
        {
            "name": {"first_name": "Ada", "last_name": "Lovelace", "full_name": "Ada Lovelace"},
            "email_addresses": ["ada@analytical.example"],
        },
    )
    ada = made.decode()
    assert (
        isinstance(ada.values["name"][0], PersonalNameValue) and ada.values["name"][0].last_name == "Lovelace"
    )
    assert isinstance(ada.values["email_addresses"][0], EmailAddressValue)
    assert not any(isinstance(v, UnknownValue) for values in ada.values.values() for v in values)
    assert ada.values["name"][0].created_by.id == (await attio.self_()).token_id

    added = await attio.records.update("people", made.id, {"email_addresses": ["countess@example.org"]})
    assert [v.email_address for v in added.decode().values["email_addresses"]] == [
        "countess@example.org",
        "ada@analytical.example",
    ]
    over = await attio.records.overwrite("people", made.id, {"email_addresses": ["ada@analytical.example"]})
    assert [v.email_address for v in over.decode().values["email_addresses"]] == ["ada@analytical.example"]

    same = await attio.records.upsert(
        "people", "email_addresses", {"email_addresses": ["ada@analytical.example"], "job_title": "Analyst"}
    )
    assert same.id == made.id
    assert (await attio.records.get("people", made.id)).decode().values["job_title"][0].value == "Analyst"
    assert await attio.records.get_raw("people", made.id)

    await attio.attributes.create("people", title="Nickname", api_slug="nickname", type="text")
    for name in ("Lady Ada", "Enchantress"):
        await attio.records.update("people", made.id, {"nickname": name})
    past = await attio.records.history("people", made.id, "nickname")
    assert [(v.value, v.active_until is None) for v in past] == [("Lady Ada", False), ("Enchantress", True)]
    now = await attio.records.history("people", made.id, "nickname", show_historic=False)
    assert [v.value for v in now] == ["Enchantress"]
    with pytest.raises(errors.Refused):
        await attio.records.history("people", made.id, "job_title")

    with pytest.raises(errors.UniquenessConflict):
        await attio.records.create("people", {"email_addresses": ["ada@analytical.example"]})
    await attio.records.delete("people", made.id)
    with pytest.raises(errors.NotFound) as gone:
        await attio.records.get("people", made.id)
    assert gone.value.status == 404 and gone.value.code == "not_found" and gone.value.request_id
    with pytest.raises(errors.NotFound):
        await attio.records.delete("people", made.id)


async def test_history_can_be_replaced(attio) -> None:
    await attio.attributes.create("companies", title="Phase", api_slug="phase", type="text")
    made = await attio.records.create("companies", {"name": "Acme"})
    values = [
        {"value": "seed", "active_from": "2024-01-01T00:00:00Z", "active_until": "2025-01-01T00:00:00Z"},
        {"value": "growth", "active_from": "2025-01-01T00:00:00Z", "active_until": None},
    ]
    written = await attio.records.set_history("companies", made.id, "phase", values)
    assert [v.value for v in written] == ["seed", "growth"]
    assert [v.value for v in await attio.records.history("companies", made.id, "phase")] == ["seed", "growth"]


async def test_a_merge_gives_a_new_id(attio) -> None:
    one = await attio.records.create("people", {"email_addresses": ["x1@example.org"]})
    two = await attio.records.create("people", {"email_addresses": ["x2@example.org"]})
    merged = await attio.records.merge("people", one.id, two.id)
    assert merged not in (one.id, two.id)
    addresses = {
        v.email_address
        for v in (await attio.records.get("people", merged)).decode().values["email_addresses"]
    }
    assert addresses == {"x1@example.org", "x2@example.org"}
    for old in (one.id, two.id):
        with pytest.raises(errors.NotFound):
            await attio.records.get("people", old)


async def test_queries_and_many_by_id(attio) -> None:
    people = await attio.records.query(
        "people", sorts=[{"attribute": "created_at", "direction": "asc"}], limit=10
    )
    assert len(people) == 10
    wanted = [one.id for one in people[:3]] + ["00000000-0000-4000-8000-000000000000"]
    found = await attio.records.get_many_raw("people", wanted)
    assert {msgspec.json.decode(raw)["id"]["record_id"] for raw in found} == set(wanted[:3])
    assert await attio.records.get_many_raw("people", []) == []
    with pytest.raises(errors.Refused) as refused:
        await attio.records.query("people", filter={"nonsense": {"$eq": 1}})
    assert refused.value.hint
    with pytest.raises(errors.NotFound):
        await attio.records.query("unicorns")
    email = await attio.records.create("people", {"email_addresses": ["find@me.example"]})
    hits = [r async for r in attio.records.iterate("people", filter={"email_addresses": "find@me.example"})]
    assert [r.record_id for r in hits] == [email.id]


async def test_search(attio) -> None:
    await attio.records.create("companies", {"name": "Zyzzyva Instruments", "domains": ["zyzzyva.example"]})
    hits = await attio.records.search("zyzzyva", ["companies", "people"])
    assert hits[0].record_text == "Zyzzyva Instruments" and hits[0].object_slug == "companies"
    with pytest.raises(errors.Refused) as refused:
        await attio.records.search("x", [])
    assert refused.value.issues and refused.value.issues[0].path == ("objects",)


async def test_lists_and_their_entries(attio) -> None:
    made = await attio.lists.create(name="Leads", api_slug="leads", parent_object="people")
    assert (await attio.lists.get("leads")).parent == "people"
    assert (await attio.lists.update("leads", {"name": "Warm leads"})).name == "Warm leads"
    assert "leads" in [one.api_slug for one in await attio.lists.list()]
    await attio.attributes.create("leads", title="Stage", api_slug="stage", type="status", target="lists")
    for title in ("New", "Met"):
        await attio.statuses.create("leads", "stage", title, target="lists")
    person = await attio.records.create("people", {"email_addresses": ["lead@example.org"]})

    entries = attio.lists.entries
    entry = await entries.create(made.id.list_id, "people", person.id, {"stage": "New"})
    assert entry.decode().parent_record_id == person.id
    met = await entries.update("leads", entry.id, {"stage": [{"status": "Met"}]})
    assert met.decode().values["stage"][0].title == "Met"
    back = await entries.overwrite("leads", entry.id, {"stage": "New"})
    assert back.decode().values["stage"][0].title == "New"
    again = await entries.upsert("leads", "people", person.id, {"stage": "Met"})
    assert again.id == entry.id
    moves = await entries.history("leads", entry.id, "stage")
    assert [v.title for v in moves] == ["New", "Met", "New", "Met"]
    assert [e.id for e in await entries.of_record("leads", person.id)] == [entry.id]
    assert [e.id for e in await entries.query("leads", filter={"stage": "Met"})] == [entry.id]
    assert len(await entries.get_many_raw("leads", [entry.id])) == 1
    assert [ref.entry_id async for ref in attio.records.entries("people", person.id)] == [entry.id]
    assert (await entries.get("leads", entry.id)).id == entry.id
    await entries.delete("leads", entry.id)
    with pytest.raises(errors.NotFound):
        await entries.get("leads", entry.id)


async def test_notes(attio) -> None:
    person = await attio.records.create("people", {"email_addresses": ["n@example.org"]})
    note = await attio.notes.create(
        parent_object="people", parent_record_id=person.id, title="Call", content="**hi**", format="markdown"
    )
    assert note.content_plaintext == "hi"
    assert (await attio.notes.update(note.id.note_id, title="Called")).title == "Called"
    assert (await attio.notes.update(note.id.note_id, content="bye")).content_plaintext == "bye"
    for number in range(60):
        await attio.notes.create(
            parent_object="people", parent_record_id=person.id, title=f"n{number}", content="x"
        )
    found = await rows(attio.notes.iterate(parent_object="people", parent_record_id=person.id))
    assert len(found) == 61
    assert (await attio.notes.get(note.id.note_id)).title == "Called"
    assert msgspec.json.decode(found[0].raw)["id"]["note_id"] == found[0].id.note_id
    await attio.notes.delete(note.id.note_id)
    with pytest.raises(errors.NotFound):
        await attio.notes.get(note.id.note_id)


async def test_tasks(attio) -> None:
    member = (await attio.members.list())[0]
    person = await attio.records.create("people", {"email_addresses": ["t@example.org"]})
    task = await attio.tasks.create(
        "Ring",
        deadline_at="2026-12-24T09:00:00.000Z",
        linked_records=[{"target_object": "people", "target_record_id": person.id}],
        assignees=[
            {
                "referenced_actor_type": "workspace-member",
                "referenced_actor_id": member.id.workspace_member_id,
            }
        ],
    )
    assert task.linked_records[0].target_record_id == person.id
    done = await attio.tasks.update(task.id.task_id, {"is_completed": True, "deadline_at": None})
    assert done.is_completed and done.deadline_at is None
    linked = await rows(attio.tasks.iterate(linked_object="people", linked_record_id=person.id))
    assert [one.id.task_id for one in linked] == [task.id.task_id]
    assert (await attio.tasks.get(task.id.task_id)).content_plaintext == "Ring"
    assert await attio.tasks.list(is_completed=False, limit=3)
    await attio.tasks.delete(task.id.task_id)
    with pytest.raises(errors.NotFound):
        await attio.tasks.get(task.id.task_id)


async def test_comments_and_threads(attio) -> None:
    author = (await attio.members.list())[0].id.workspace_member_id
    person = await attio.records.create("people", {"email_addresses": ["c@example.org"]})
    head = await attio.comments.on_record("people", person.id, "First", author=author)
    assert head.thread_id == head.id.comment_id
    reply = await attio.comments.reply(head.thread_id, "Second", author=author)
    assert (await attio.comments.get(reply.id.comment_id)).content_plaintext == "Second"
    threads = await rows(attio.threads.iterate(object_id="people", record_id=person.id))
    assert len(threads) == 1
    whole = await attio.threads.get(head.thread_id)
    assert {one.content_plaintext for one in whole.comments} == {"First", "Second"}

    await attio.lists.create(name="L", api_slug="talk", parent_object="people")
    entry = await attio.lists.entries.create("talk", "people", person.id)
    said = await attio.comments.on_entry("talk", entry.id, "On the entry", author=author)
    assert said.entry.entry_id == entry.id
    assert len(await attio.threads.list(list_id="talk", entry_id=entry.id)) == 1

    await attio.comments.delete(head.id.comment_id)
    with pytest.raises(errors.NotFound):
        await attio.comments.get(reply.id.comment_id)


async def test_meetings_recordings_and_transcripts(attio) -> None:
    person = await attio.records.create("people", {"email_addresses": ["m@example.org"]})
    how = {
        "title": "Kick-off",
        "start": {"datetime": "2026-12-01T10:00:00Z", "timezone": "Europe/London"},
        "end": {"datetime": "2026-12-01T11:00:00Z", "timezone": "Europe/London"},
        "participants": [{"email_address": "m@example.org", "is_organizer": True, "status": "accepted"}],
        "external_ref": "kick-off-1",
    }
    meeting = await attio.meetings.create(**how)
    assert (await attio.meetings.create(**how)).id.meeting_id == meeting.id.meeting_id
    linked = await attio.meetings.link(meeting.id.meeting_id, [{"object": "people", "record_id": person.id}])
    assert person.id in [one.record_id for one in linked.linked_records]
    await attio.meetings.link(meeting.id.meeting_id, [], replace=True)
    assert meeting.id.meeting_id in [one.id.meeting_id async for one in attio.meetings.iterate()]
    recording = await attio.recordings.create(meeting.id.meeting_id, "https://example.org/v.mp4")
    ids = (meeting.id.meeting_id, recording.id.call_recording_id)
    assert (await attio.recordings.get(*ids)).id.call_recording_id == ids[1]
    assert len(await rows(attio.recordings.iterate(ids[0]))) == 1
    await attio.recordings.transcript(*ids)
    await attio.recordings.delete(*ids)
    await attio.meetings.delete(ids[0])
    with pytest.raises(errors.NotFound):
        await attio.meetings.get(ids[0])


async def test_files(attio) -> None:
    person = await attio.records.create("people", {"email_addresses": ["f@example.org"]})
    folder = await attio.files.create_folder("people", person.id, "Contracts")
    content = bytes(range(256)) * 40
    file = await attio.files.upload(
        "people",
        person.id,
        "nda.pdf",
        content,
        content_type="application/pdf",
        parent_folder_id=folder.id.file_id,
    )
    assert (file.name, file.content_size) == ("nda.pdf", len(content))
    assert await attio.files.download(file.id.file_id) == content
    link = await attio.files.connect("people", person.id, "gd-1", storage_provider="google-drive")
    assert (await attio.files.get(link.id.file_id)).external_provider_file_id == "gd-1"
    assert len(await rows(attio.files.iterate("people", person.id))) == 3
    await attio.files.delete(file.id.file_id)
    with pytest.raises(errors.NotFound):
        await attio.files.get(file.id.file_id)


async def test_emails_views_and_members(attio) -> None:
    assert await rows(attio.emails.iterate(domain="example.org")) == []
    assert isinstance(await rows(attio.objects.views("people")), list)
    assert isinstance(await rows(attio.views.list("sales_pipeline", target="lists")), list)
    assert isinstance(await rows(attio.lists.views("sales_pipeline", show_archived=True)), list)
    member = (await attio.members.list())[0]
    assert (await attio.members.get(member.id.workspace_member_id)).email_address == member.email_address


async def test_webhooks(attio) -> None:
    hook = await attio.webhooks.create("https://example.org/hook", [{"event_type": "record.updated"}])
    assert hook.secret and hook.status == "active"
    assert (await attio.webhooks.get(hook.id.webhook_id)).secret is None
    with pytest.raises(errors.UniquenessConflict):
        await attio.webhooks.create("https://example.org/hook", [{"event_type": "record.updated"}])
    changed = await attio.webhooks.update(
        hook.id.webhook_id, subscriptions=[{"event_type": "task.created", "filter": None}]
    )
    assert [one["event_type"] for one in changed.subscriptions] == ["task.created"]
    assert hook.id.webhook_id in [one.id.webhook_id async for one in attio.webhooks.iterate()]
    await attio.webhooks.delete(hook.id.webhook_id)
    with pytest.raises(errors.NotFound):
        await attio.webhooks.get(hook.id.webhook_id)


async def test_an_operation_without_a_method_yet(attio) -> None:
    raw = await attio.request("GET", "objects/people")
    assert msgspec.json.decode(raw)["data"]["api_slug"] == "people"
    with pytest.raises(errors.NotFound) as missing:
        await attio.request("GET", "starships")
    assert "Attio does not offer" in missing.value.hint
