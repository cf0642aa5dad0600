from __future__ import annotations

import pytest

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def note_on(record, **fields):
    body = {
        "parent_object": "companies",
        "parent_record_id": record,
        "title": "T",
        "format": "plaintext",
        "content": "c",
    }
    return {"data": {**body, **fields}}


def task_for(*links, **fields):
    body = {"content": "do", "format": "plaintext", "deadline_at": None, "is_completed": False}
    linked = [{"target_object": "companies", "target_record_id": record} for record in links]
    return {"data": {**body, "linked_records": linked, "assignees": [], **fields}}


async def test_a_note_is_written_read_changed_and_deleted(lab):
    async with lab() as it:
        company = await it.record()
        made = await it.ok(
            "POST", "/notes", note_on(company, format="markdown", content="# Hi\n\n- **bold** [a](http://b)")
        )
        assert made["content_plaintext"] == "Hi\n\nbold a"
        assert made["content_markdown"].startswith("# Hi")
        assert made["parent_object"] == "companies" and made["tags"] == [] and made["meeting_id"] is None
        path = f"/notes/{made['id']['note_id']}"
        assert await it.ok("GET", path) == made
        changed = await it.ok("PATCH", path, {"data": {"title": "New"}})
        assert changed == {**made, "title": "New"}
        changed = await it.ok("PATCH", path, {"data": {"format": "plaintext", "content": "plain"}})
        assert changed["content_plaintext"] == changed["content_markdown"] == "plain"
        await it.ok("DELETE", path)
        assert (await it.refused(404, "GET", path))["code"] == "not_found"


async def test_notes_come_ten_a_page_and_fifty_at_most(lab):
    async with lab() as it:
        company, other = await it.record(), await it.record()
        for number in range(12):
            await it.ok("POST", "/notes", note_on(company, title=str(number)))
        await it.ok("POST", "/notes", note_on(other))
        assert len(await it.ok("GET", "/notes")) == 10
        mine = await it.ok(
            "GET", f"/notes?parent_object=companies&parent_record_id={company}&limit=50&offset=2"
        )
        assert [note["title"] for note in mine] == [str(number) for number in range(2, 12)]
        assert (await it.refused(400, "GET", "/notes?limit=51"))["code"] == "validation_type"
        await it.refused(400, "GET", "/notes?limit=ten")
        await it.refused(404, "GET", f"/notes?parent_object=companies&parent_record_id={UNKNOWN}")
        await it.refused(404, "GET", "/notes?parent_object=nonsense")


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"title": None}, 400),
        ({"format": "html"}, 400),
        ({"parent_record_id": "x"}, 400),
        ({"parent_record_id": UNKNOWN}, 404),
        ({"parent_object": "nothing"}, 404),
        ({"meeting_id": UNKNOWN}, 404),
        ({"created_at": "yesterday"}, 400),
        ({"content": "x" * 1_100_000}, 413),
    ],
)
async def test_a_note_that_cannot_be_is_refused(lab, fields, status):
    async with lab() as it:
        refusal = await it.refused(status, "POST", "/notes", note_on(await it.record(), **fields))
        assert refusal["message"]
        assert await it.ok("GET", "/notes") == []


async def test_a_note_can_be_backdated(lab):
    async with lab() as it:
        made = await it.ok(
            "POST", "/notes", note_on(await it.record(), created_at="2020-01-02T03:04:05.678+01:00")
        )
        assert made["created_at"] == "2020-01-02T02:04:05.678000000Z"


async def test_a_task_is_made_changed_and_done(lab):
    async with lab() as it:
        company, member = await it.record(), await it.member()
        made = await it.ok("POST", "/tasks", task_for(company, deadline_at="2026-12-01"))
        assert made["linked_records"] == [{"target_object_id": "companies", "target_record_id": company}]
        assert made["deadline_at"] == "2026-12-01T00:00:00.000000000Z"
        path = f"/tasks/{made['id']['task_id']}"
        email = (await it.ok("GET", "/workspace_members"))[0]["email_address"]
        changed = await it.ok(
            "PATCH",
            path,
            {
                "data": {
                    "is_completed": True,
                    "assignees": [{"workspace_member_email_address": email}],
                    "linked_records": [],
                }
            },
        )
        assert changed["is_completed"] and changed["completed_at"]
        assert changed["assignees"] == [
            {"referenced_actor_type": "workspace-member", "referenced_actor_id": member}
        ]
        assert changed["linked_records"] == [] and changed["content_plaintext"] == "do"
        await it.refused(400, "PATCH", path, {"data": {"content": "other"}})
        await it.ok("DELETE", path)
        await it.refused(404, "GET", path)


async def test_a_task_can_be_linked_by_a_unique_value(lab):
    async with lab() as it:
        company = await it.record(name="Acme", domains=["acme.com"])
        link = {"target_object": "companies", "domains": [{"domain": "acme.com"}]}
        made = await it.ok("POST", "/tasks", task_for(linked_records=[link]))
        assert made["linked_records"][0]["target_record_id"] == company
        link = {"target_object": "companies", "domains": [{"domain": "other.com"}]}
        assert (await it.refused(400, "POST", "/tasks", task_for(linked_records=[link])))[
            "code"
        ] == "value_not_found"


async def test_tasks_are_filtered_and_sorted(lab):
    async with lab() as it:
        company, member = await it.record(), await it.member()
        someone = [{"referenced_actor_type": "workspace-member", "referenced_actor_id": member}]
        for content, fields in (("a", {}), ("b", {"assignees": someone}), ("c", {"is_completed": True})):
            await it.ok("POST", "/tasks", task_for(company, content=content, **fields))
        await it.ok("POST", "/tasks", task_for(content="d"))

        async def contents(query):
            return "".join(task["content_plaintext"] for task in await it.ok("GET", f"/tasks?{query}"))

        assert await contents("") == "abcd"
        assert await contents("sort=created_at:desc&limit=2") == "dc"
        assert await contents(f"linked_object=companies&linked_record_id={company}") == "abc"
        assert await contents(f"assignee={member}") == "b"
        assert await contents("assignee=null") == await contents("assignee=") == "acd"
        assert await contents("assignee=nobody@nowhere.example") == ""
        assert await contents("is_completed=true") == "c"
        assert await contents("sort=completed_at:desc&limit=1") == "c"
        await it.refused(400, "GET", "/tasks?is_completed=maybe")
        await it.refused(400, "GET", "/tasks?linked_object=companies")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"content": "x" * 2001}, "validation_type"),
        ({"format": "markdown"}, "validation_type"),
        ({"deadline_at": "soon"}, "validation_type"),
        ({"is_completed": "perhaps"}, "validation_type"),
        ({"assignees": [{"workspace_member_email_address": "no@no.no"}]}, "value_not_found"),
        (
            {"assignees": [{"referenced_actor_type": "system", "referenced_actor_id": UNKNOWN}]},
            "validation_type",
        ),
    ],
)
async def test_a_task_that_cannot_be_is_refused(lab, fields, code):
    async with lab() as it:
        assert (await it.refused(400, "POST", "/tasks", task_for(**fields)))["code"] == code


async def test_notes_and_tasks_follow_their_records(lab):
    async with lab() as it:
        first, second, third = [await it.record() for _ in range(3)]
        note = (await it.ok("POST", "/notes", note_on(first)))["id"]["note_id"]
        gone = (await it.ok("POST", "/notes", note_on(third)))["id"]["note_id"]
        task = (await it.ok("POST", "/tasks", task_for(first, second, third)))["id"]["task_id"]
        merged = await it.ok(
            "POST",
            "/objects/companies/records/merge",
            {"data": {"primary_record_id": first, "secondary_record_id": second}},
        )
        await it.ok("DELETE", f"/objects/companies/records/{third}")
        new = merged["new_record_id"]
        assert (await it.ok("GET", f"/notes/{note}"))["parent_record_id"] == new
        await it.refused(404, "GET", f"/notes/{gone}")
        links = (await it.ok("GET", f"/tasks/{task}"))["linked_records"]
        assert [link["target_record_id"] for link in links] == [new]
