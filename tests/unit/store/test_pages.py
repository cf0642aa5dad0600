"""Applying pages: what is new, what changed, what a scan saw, and what hangs on what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from attio_console.errors import StoreError
from attio_console.model.clock import FakeClock
from attio_console.store import Store
from attio_console.store.types import View


async def test_a_page_says_what_is_new_changed_and_the_same(store: Store, made: Any) -> None:
    first = await store.mirror.apply_page(made.people, [made.person(n, f"Ann Lee{n}") for n in range(120)])
    assert len(first.created) == 120 and not first.changed and first.unchanged == 0
    again = [made.person(n, f"Ann Lee{n}", score=5 if n < 3 else None) for n in range(120)]
    second = await store.mirror.apply_page(made.people, again)
    assert (second.created, second.changed, second.unchanged) == ([], [made.id(n) for n in range(3)], 117)
    assert store.mirror.size(made.people) == 120
    assert store.mirror.raw(made.people, made.id(2)) == again[2]


async def test_bodies_come_back_byte_for_byte_with_and_without_a_dictionary(store: Store, made: Any) -> None:
    few = [made.person(n, f"Few {n}", job_title="é" * 40) for n in range(5)]
    await store.mirror.apply_page(made.people, few)
    many = [made.person(n, f"Many {n}", job_title=f"title {n} " * 200) for n in range(100, 400)]
    await store.mirror.apply_page(made.people, many)
    more = [made.person(n, f"More {n}") for n in range(400, 420)]
    await store.mirror.apply_page(made.people, more)
    for raw in (*few, *many, *more):
        record_id = json.loads(raw)["id"]["record_id"]
        assert store.mirror.raw(made.people, record_id) == raw


async def test_an_unfinished_scan_goes_on_where_its_last_page_ended(
    tmp_path: Path, made: Any, clock: FakeClock
) -> None:
    store = await Store.open(tmp_path / "s", clock)
    state = await store.mirror.begin_scan(made.people)
    assert not state.resumed and state.cursor is None
    await store.mirror.apply_page(
        made.people, [made.person(n) for n in range(70)], scan=state.scan, cursor=b"page 1"
    )
    await store.close()
    store = await Store.open(tmp_path / "s", clock)
    again = await store.mirror.begin_scan(made.people)
    assert again.resumed and again.scan == state.scan and again.cursor == b"page 1" and again.seen == 70
    await store.mirror.finish_scan(made.people, again.scan)
    assert store.mirror.scan_state(made.people).finished_at == clock.now()
    fresh = await store.mirror.begin_scan(made.people)
    assert not fresh.resumed and fresh.scan > again.scan
    await store.close()


async def test_a_scan_names_the_rows_it_did_not_see_and_only_older_ones(store: Store, made: Any) -> None:
    await store.mirror.apply_page(made.people, [made.person(n) for n in range(200)])
    state = await store.mirror.begin_scan(made.people)
    await store.mirror.apply_page(
        made.people, [made.person(n) for n in range(100)], scan=state.scan, cursor=b"1"
    )
    # Created meanwhile and brought by a webhook, not by the scan.
    await store.mirror.apply_page(made.people, [made.person(999)])
    await store.mirror.apply_page(
        made.people, [made.person(n) for n in range(100, 195)], scan=state.scan, cursor=b"2"
    )
    assert sorted(await store.mirror.unseen(made.people, state.scan)) == [made.id(n) for n in range(195, 200)]
    await store.mirror.delete(made.people, [made.id(197)])
    assert len(await store.mirror.unseen(made.people, state.scan)) == 4


async def test_an_empty_last_page_still_keeps_its_cursor(store: Store, made: Any) -> None:
    state = await store.mirror.begin_scan(made.people)
    await store.mirror.apply_page(made.people, [], scan=state.scan, cursor=b"end")
    assert store.mirror.scan_state(made.people).cursor == b"end"


@pytest.mark.parametrize(
    "bad", [b"not json", b"[]", b"{}", b'{"id": {}}', b'{"id": null, "values": {}}', b"\xff\xfe"]
)
async def test_a_record_that_cannot_be_read_keeps_the_cursor_where_it_was(
    store: Store, made: Any, bad: bytes
) -> None:
    state = await store.mirror.begin_scan(made.people)
    page = [made.person(n) for n in range(60)]
    page[10] = bad
    with pytest.raises(StoreError):
        await store.mirror.apply_page(made.people, page, scan=state.scan, cursor=b"past it")
    assert store.mirror.scan_state(made.people).cursor is None
    assert (await store.mirror.apply_page(made.people, [made.person(1)])).created


@pytest.mark.parametrize(
    "raw",
    [
        b'{"id": {"record_id": "a"}, "values": {"name": 5}}',
        b'{"id": {"record_id": "a"}, "values": {"name": [{"full_name": {"x": 1}}]}}',
        b'{"id": {"record_id": "a"}, "values": [], "created_at": 5}',
        b'{"id": {"record_id": "a"}, "values": {"name": [null]}}',
        b'{"id": {"record_id": "a"}, "values": {"tags": [{"option": 5}]}, "linked_records": "no"}',
        b'{ "id" : {"record_id":"a"},"values":{}}',
    ],
)
async def test_surprising_shapes_are_kept_as_they_came(store: Store, made: Any, raw: bytes) -> None:
    await store.mirror.apply_page(made.people, [raw])
    assert store.mirror.raw(made.people, "a") == raw
    assert (await store.mirror.apply_page(made.people, [raw])).unchanged == 1


async def test_labels_come_from_names_titles_and_contents(store: Store, made: Any) -> None:
    await store.mirror.apply_page(
        made.people, [made.person(1, "Zoë Okafor"), made.person(2, email_addresses=["x@y.example"])]
    )
    await store.mirror.apply_page(made.deals, [made.record(3, made.deals, name="Big deal")])
    await store.mirror.apply_page("attio:notes", [made.note(4, 1, "Call", "went well")])
    await store.mirror.apply_page("attio:tasks", [made.task(5, [1, 2], "Send the offer\nsoon")])
    label = store.mirror.label
    assert [label(made.id(n)) for n in (1, 2, 3, 4, 5)] == [
        "Zoë Okafor",
        "x@y.example",
        "Big deal",
        "Call",
        "Send the offer",
    ]
    assert store.mirror.locate(made.id(3)) == made.deals and store.mirror.locate("nobody") is None
    assert [json.loads(raw)["title"] for raw in store.mirror.linked("attio:notes", made.id(1))] == ["Call"]
    assert len(store.mirror.linked("attio:tasks", made.id(2))) == 1
    assert store.mirror.linked("attio:notes", made.id(2)) == []


async def test_entries_are_called_like_their_parent_and_follow_its_name(store: Store, made: Any) -> None:
    # The entry may come before its parent.
    await store.mirror.apply_page(made.pipeline, [made.entry(50, 1, stage="Lead", why="met at a fair")])
    await store.mirror.apply_page(made.people, [made.person(1, "Ann Lee")])
    assert store.mirror.label(made.id(50)) == "Ann Lee"
    await store.mirror.apply_page(made.people, [made.person(1, "Ann Brown")])
    assert store.mirror.row(made.pipeline, made.id(50)).label == "Ann Brown"
    for text in ("brown", "fair", "ann met"):
        assert await store.mirror.count(View(made.pipeline, text=text)) == 1, text
    assert await store.mirror.count(View(made.pipeline, text="lee")) == 0
    assert [json.loads(raw)["id"]["entry_id"] for raw in store.mirror.linked(made.pipeline, made.id(1))] == [
        made.id(50)
    ]


async def test_merged_records_leave_and_what_hung_on_them_hangs_on_the_new_one(
    store: Store, made: Any
) -> None:
    await store.mirror.apply_page(made.people, [made.person(n, f"P {n}") for n in (1, 2, 3)])
    await store.mirror.apply_page(
        "attio:notes", [made.note(10, 1, "a", ""), made.note(11, 2, "b", ""), made.note(12, 3, "c", "")]
    )
    await store.mirror.move(made.people, [made.id(1), made.id(2)], made.id(3))
    assert store.mirror.ids(made.people) == [made.id(3)]
    assert len(store.mirror.linked("attio:notes", made.id(3))) == 3


async def test_rows_of_other_crms_are_kept_under_their_own_ids(store: Store) -> None:
    raws = [
        json.dumps(
            {
                "id": {"record_id": str(n)},
                "created_at": "",
                "label": f"Ada {n}",
                "search": f"ada{n}@x.example",
                "properties": {"firstname": "Ada"},
            }
        ).encode()
        for n in range(3)
    ]
    await store.mirror.apply_page("hubspot:contacts", raws)
    await store.mirror.apply_page(
        "salesforce:Contact", [b'{"attributes":{"type":"Contact"},"Id":"003","Name":"Ada S","Email":"s@x"}']
    )
    await store.mirror.apply_page(
        "hubspot:companies", [b'{"id":"1","properties":{"name":"Acme","domain":"acme.example"}}']
    )
    assert store.mirror.ids("hubspot:contacts") == ["0", "1", "2"]
    assert store.mirror.row("hubspot:companies", "1").label == "Acme"
    assert store.mirror.row("salesforce:Contact", "003").label == "Ada S"
    assert store.mirror.raws("hubspot:contacts", ["1", "7"]) == {"1": raws[1]}
    assert await store.mirror.count(View("hubspot:contacts", text="ada2")) == 1
    assert await store.mirror.delete("hubspot:contacts", ["1"]) == 1
    assert store.mirror.row("hubspot:companies", "1") is not None


async def test_deleted_rows_leave_every_index(store: Store, made: Any) -> None:
    await store.mirror.apply_page(made.people, [made.person(n, f"Ann Lee{n}") for n in range(10)])
    await store.mirror.settle()
    assert await store.mirror.delete(made.people, [made.id(3), made.id(3), "nobody"]) == 1
    for settled in (False, True):
        if settled:
            await store.mirror.settle()
        assert store.mirror.size(made.people) == 9
        assert await store.mirror.count(View(made.people, text="lee3")) == 0
        assert await store.mirror.find("lee3") == []
    assert await store.mirror.forget(made.people) == 9
    assert store.mirror.size(made.people) == 0


async def test_a_schema_says_what_is_different(store: Store, made: Any) -> None:
    from dataclasses import replace

    assert not await store.mirror.put_schema(made.schema)
    people, deals = made.schema.objects
    renamed = replace(people, plural="Humans")
    diff = await store.mirror.put_schema(
        replace(made.schema, objects=(renamed, replace(deals, id="new", slug="new")), members=())
    )
    assert (
        diff.added == ("new",)
        and diff.removed == (made.deals,)
        and diff.changed == (made.people,)
        and diff.members_changed
    )
