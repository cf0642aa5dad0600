from __future__ import annotations

import pytest

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def comment(author, content="Hello", **target):
    return {
        "data": {
            "format": "plaintext",
            "content": content,
            "author": {"type": "workspace-member", "id": author},
            **target,
        }
    }


def on_record(company):
    return {"record": {"object": "companies", "record_id": company}}


async def test_a_comment_heads_a_thread_that_others_answer(lab):
    async with lab() as it:
        company, author = await it.record(), await it.member()
        head = await it.ok("POST", "/comments", comment(author, "Shall we?", **on_record(company)))
        assert head["thread_id"] == head["id"]["comment_id"]
        assert head["entry"] is None and head["record"]["record_id"] == company
        assert head["author"] == {"type": "workspace-member", "id": author}
        assert head["resolved_at"] is None
        reply = await it.ok("POST", "/comments", comment(author, "Yes", thread_id=head["thread_id"]))
        assert reply["thread_id"] == head["thread_id"] and reply["record"] == head["record"]
        assert await it.ok("GET", f"/comments/{reply['id']['comment_id']}") == reply
        (thread,) = await it.ok("GET", f"/threads?object=companies&record_id={company}")
        assert [each["content_plaintext"] for each in thread["comments"]] == ["Shall we?", "Yes"]
        assert thread["has_more_comments"] is False
        await it.ok("DELETE", f"/comments/{reply['id']['comment_id']}")
        whole = await it.ok("GET", f"/threads/{head['thread_id']}")
        assert whole["comments"] == [head]
        await it.ok("DELETE", f"/comments/{head['thread_id']}")
        await it.refused(404, "GET", f"/threads/{head['thread_id']}")


async def test_deleting_the_first_comment_deletes_the_thread(lab):
    async with lab() as it:
        company, author = await it.record(), await it.member()
        head = await it.ok("POST", "/comments", comment(author, **on_record(company)))
        reply = await it.ok("POST", "/comments", comment(author, thread_id=head["thread_id"]))
        await it.ok("DELETE", f"/comments/{head['thread_id']}")
        await it.refused(404, "GET", f"/comments/{reply['id']['comment_id']}")
        assert await it.ok("GET", f"/threads?object=companies&record_id={company}") == []


async def test_comments_on_entries_stand_apart_from_those_on_records(lab):
    async with lab() as it:
        company, author = await it.record(), await it.member()
        list_id = await it.pipeline()
        entry = await it.entry(company)
        made = await it.ok("POST", "/comments", comment(author, entry={"list": "sales", "entry_id": entry}))
        assert made["entry"] == {"list_id": list_id, "entry_id": entry}
        assert made["record"]["record_id"] == company
        assert await it.ok("GET", f"/threads?object=companies&record_id={company}") == []
        assert len(await it.ok("GET", f"/threads?list=sales&entry_id={entry}")) == 1
        await it.ok("DELETE", f"/lists/sales/entries/{entry}")
        await it.refused(404, "GET", f"/comments/{made['id']['comment_id']}")


async def test_threads_come_ten_a_page_and_show_eighty_replies(lab):
    async with lab() as it:
        company, author = await it.record(), await it.member()
        heads = [
            await it.ok("POST", "/comments", comment(author, str(n), **on_record(company))) for n in range(11)
        ]
        for number in range(85):
            await it.ok("POST", "/comments", comment(author, str(number), thread_id=heads[0]["thread_id"]))
        query = f"/threads?object=companies&record_id={company}"
        page = await it.ok("GET", query)
        assert len(page) == 10
        assert len(page[0]["comments"]) == 81 and page[0]["has_more_comments"] is True
        assert len(await it.ok("GET", f"{query}&limit=50")) == 11
        await it.refused(400, "GET", f"{query}&limit=51")
        path = f"/v2/threads/{heads[0]['thread_id']}"
        seen, cursor = [], ""
        while cursor is not None:
            answer = (await it.attio.get(f"{path}?limit=40{cursor and '&cursor=' + cursor}")).json()
            seen += [each["id"]["comment_id"] for each in answer["data"]["comments"]]
            cursor = answer["pagination"]["next_cursor"]
        assert len(seen) == len(set(seen)) == 86


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ({}, 400),
        ({"thread_id": UNKNOWN}, 400),
        ({"record": {"object": "companies", "record_id": UNKNOWN}}, 404),
        ({"record": {"object": "nothing", "record_id": UNKNOWN}}, 404),
        ({"entry": {"list": "nothing", "entry_id": UNKNOWN}}, 404),
        ({"thread_id": UNKNOWN, "record": {"object": "companies", "record_id": UNKNOWN}}, 400),
    ],
)
async def test_a_comment_without_a_place_is_refused(lab, target, status):
    async with lab() as it:
        await it.refused(status, "POST", "/comments", comment(await it.member(), **target))


async def test_only_members_comment(lab):
    async with lab() as it:
        company = await it.record()
        refusal = await it.refused(400, "POST", "/comments", comment(UNKNOWN, **on_record(company)))
        assert refusal["code"] == "value_not_found"


async def test_threads_are_of_a_record_or_of_an_entry_never_both(lab):
    async with lab() as it:
        await it.refused(400, "GET", "/threads")
        await it.refused(
            400, "GET", f"/threads?object=companies&record_id={UNKNOWN}&list=x&entry_id={UNKNOWN}"
        )
        await it.refused(400, "GET", "/threads?object=companies")
