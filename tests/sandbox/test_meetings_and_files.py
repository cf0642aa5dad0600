from __future__ import annotations

import asyncio

import pytest

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def meeting(reference="crm-1", at="2026-12-01T09:00:00.000Z", until="2026-12-01T10:00:00.000Z", **fields):
    body = {
        "title": "Kick-off",
        "description": "First call",
        "start": {"datetime": at, "timezone": None},
        "end": {"datetime": until, "timezone": None},
        "is_all_day": False,
        "participants": [{"email_address": "ada@acme.com", "is_organizer": True, "status": "accepted"}],
        "external_ref": reference,
    }
    return {"data": {**body, **fields}}


async def test_a_meeting_is_found_by_its_reference_and_linked(lab):
    async with lab() as it:
        first, second = await it.record(), await it.record()
        link = {"object": "companies", "record_id": first}
        made = await it.ok("POST", "/meetings", meeting(linked_records=[link]))
        assert made["start"] == {"datetime": "2026-12-01T09:00:00.000Z", "timezone": None}
        assert [each["record_id"] for each in made["linked_records"]] == [first]
        assert (await it.ok("POST", "/meetings", meeting(title="Other")))["id"] == made["id"]
        path = f"/meetings/{made['id']['meeting_id']}"
        assert await it.ok("GET", path) == made
        more = {"data": {"linked_records": [{"object": "companies", "record_id": second}]}}
        assert len((await it.ok("PATCH", path, more))["linked_records"]) == 2
        replaced = await it.ok("PUT", path, more)
        assert [each["record_id"] for each in replaced["linked_records"]] == [second]
        await it.refused(400, "PATCH", path, {"data": {"title": "New"}})
        refusal = await it.refused(
            400, "PUT", path, {"data": {"linked_records": [{"object": "companies", "record_id": UNKNOWN}]}}
        )
        assert refusal["code"] == "value_not_found"
        await it.ok("DELETE", path)
        await it.refused(404, "GET", path)


async def test_meetings_are_listed_in_order_a_page_at_a_time(lab):
    async with lab() as it:
        for day in (3, 1, 2, 5, 4):
            date = f"2026-12-0{day}T09:00:00Z"
            await it.ok("POST", "/meetings", meeting(str(day), date, date, title=str(day)))

        async def titles(query=""):
            seen, cursor = "", ""
            while cursor is not None:
                answer = (
                    await it.attio.get(f"/v2/meetings?limit=2{query}{cursor and '&cursor=' + cursor}")
                ).json()
                seen += "".join(each["title"] for each in answer["data"])
                cursor = answer["pagination"]["next_cursor"]
            return seen

        assert await titles() == "12345"
        assert await titles("&sort=start_desc") == "54321"
        assert await titles("&ends_from=2026-12-04T09:00:00Z") == "45"
        assert await titles("&starts_before=2026-12-02") == "1"
        assert await titles("&participants=x@y.z,ADA@acme.com") == "12345"
        assert await titles("&participants=x@y.z") == ""
        await it.refused(400, "GET", "/meetings?limit=201")
        await it.refused(400, "GET", "/meetings?cursor=nonsense!")
        await it.refused(400, "GET", "/meetings?timezone=Mars/Olympus")


async def test_days_and_zones_are_kept(lab):
    async with lab() as it:
        day = {"start": {"date": "2026-12-24"}, "end": {"date": "2026-12-26"}, "is_all_day": True}
        made = await it.ok("POST", "/meetings", meeting("days", **day))
        assert made["start"] == {"date": "2026-12-24"}
        zoned = {
            "start": {"datetime": "2026-07-01T09:00:00", "timezone": "Europe/Berlin"},
            "end": {"datetime": "2026-07-01T08:00:00Z", "timezone": "Europe/Berlin"},
        }
        made = await it.ok("POST", "/meetings", meeting("zone", **zoned))
        assert made["start"]["datetime"] == "2026-07-01T09:00:00.000+02:00"
        assert made["end"]["datetime"] == "2026-07-01T10:00:00.000+02:00"


@pytest.mark.parametrize(
    "fields",
    [
        {"is_all_day": True},
        {"start": {"datetime": "later"}},
        {"end": {"datetime": "2020-01-01T00:00:00Z"}},
        {"external_ref": ""},
        {"participants": [{"email_address": "a@b.c", "is_organizer": True, "status": "unsure"}]},
        {"title": 7},
    ],
)
async def test_a_meeting_that_cannot_be_is_refused(lab, fields):
    async with lab() as it:
        assert (await it.refused(400, "POST", "/meetings", meeting(**fields)))["code"] == "validation_type"


async def test_a_recording_is_processed_and_transcribed(lab, receiver):
    async with lab() as it:
        subscription = {"event_type": "call-recording.created", "filter": None}
        await it.ok(
            "POST", "/webhooks", {"data": {"target_url": receiver.url, "subscriptions": [subscription]}}
        )
        meeting_id = (await it.ok("POST", "/meetings", meeting()))["id"]["meeting_id"]
        base = f"/meetings/{meeting_id}/call_recordings"
        made = await it.ok("POST", base, {"data": {"video_url": "https://example.com/a.mp4"}})
        assert made["status"] == "processing"
        path = f"{base}/{made['id']['call_recording_id']}"
        assert (await it.ok("GET", f"{path}/transcript"))["transcript"] == []
        await it.steer("clock", advance_s=5)
        await receiver.wait_for(1)
        assert (await it.ok("GET", path))["status"] == "completed"
        transcript = await it.ok("GET", f"{path}/transcript")
        assert transcript["transcript"][0]["speaker"] == {"name": "ada@acme.com"}
        assert transcript["raw_transcript"].startswith("ada@acme.com: ")
        assert len(await it.ok("GET", base)) == 1
        gone = await it.attio.delete(f"/v2{path}")
        assert (gone.status_code, gone.content) == (204, b"")
        await it.refused(404, "GET", path)
        await it.refused(400, "POST", base, {"data": {"video_url": "not a url"}})


async def test_a_file_is_uploaded_listed_downloaded_and_deleted(lab):
    async with lab() as it:
        company = await it.record()
        place = {"object": "companies", "record_id": company}
        folder = await it.ok("POST", "/files", {**place, "file_type": "folder", "name": "Contracts"})
        content = b"\x00\r\n--bytes\r\n" * 1000
        form = {**place, "parent_folder_id": folder["id"]["file_id"]}
        answer = await it.attio.post(
            "/v2/files/upload", data=form, files={"file": ("ä.pdf", content, "application/pdf")}
        )
        assert answer.status_code == 201, answer.text
        file = answer.json()["data"]
        assert (file["name"], file["content_size"], file["content_type"]) == (
            "ä.pdf",
            len(content),
            "application/pdf",
        )
        connected = {
            **place,
            "file_type": "connected-file",
            "storage_provider": "dropbox",
            "external_provider_file_id": "x",
        }
        await it.ok("POST", "/files", connected)
        query = f"/files?object=companies&record_id={company}"
        assert len(await it.ok("GET", query)) == 3
        assert len(await it.ok("GET", f"{query}&storage_provider=dropbox")) == 1
        assert await it.ok("GET", f"{query}&parent_folder_id={folder['id']['file_id']}") == [file]
        path = f"/files/{file['id']['file_id']}"
        assert await it.ok("GET", path) == file
        redirect = await it.attio.get(f"/v2{path}/download")
        assert redirect.status_code == 302
        assert (await it.control.get(redirect.headers["location"])).content == content
        await it.steer("clock", advance_s=301)
        assert (await it.control.get(redirect.headers["location"])).status_code == 403
        await it.ok("DELETE", f"/files/{folder['id']['file_id']}")
        await it.refused(404, "GET", path)


async def test_a_file_without_a_place_or_bytes_is_refused(lab):
    async with lab() as it:
        company = await it.record()
        await it.refused(400, "GET", "/files?object=companies")
        await it.refused(404, "GET", f"/files?object=companies&record_id={UNKNOWN}")
        await it.refused(400, "POST", "/files/upload", {"object": "companies"})
        form = {"object": "companies", "record_id": company}
        refused = await it.attio.post("/v2/files/upload", data=form, files={"other": ("a", b"b")})
        assert refused.status_code == 400
        place = {
            "object": "companies",
            "record_id": company,
            "file_type": "folder",
            "name": "F",
            "parent_folder_id": UNKNOWN,
        }
        await it.refused(404, "POST", "/files", place)


async def test_emails_are_empty_but_the_question_must_be_one(lab):
    async with lab() as it:
        answer = (await it.attio.get("/v2/emails?domain=acme.com")).json()
        assert answer == {"data": [], "pagination": {"next_cursor": None}}
        await it.refused(400, "GET", "/emails")
        await it.refused(400, "GET", "/emails?domain=a.com&limit=500")


async def test_views_are_listed_and_queried_by(lab):
    from attio_console.sandbox.attio.state import Crm
    from attio_console.sandbox.attio.views import Views

    async with lab() as it:
        workspace = next(iter(it.sandbox.world.workspaces.values()))
        companies = workspace.part(Crm).object("companies")
        view = workspace.part(Views).add(companies.id, "Acme only", {"name": "Acme"})
        workspace.part(Views).add(companies.id, "Old", None, is_archived=True)
        await asyncio.gather(it.record(name="Acme"), it.record(name="Other"))
        (shown,) = await it.ok("GET", "/objects/companies/views")
        assert shown["id"]["view_id"] == view.id and shown["title"] == "Acme only"
        assert len(await it.ok("GET", "/objects/companies/views?show_archived=true")) == 2
        rows = await it.ok("POST", "/objects/companies/records/query", {"filter_view_id": view.id})
        assert [row["values"]["name"][0]["value"] for row in rows] == ["Acme"]
        await it.pipeline()
        assert await it.ok("GET", "/lists/sales/views") == []
        await it.refused(404, "GET", "/lists/nothing/views")
