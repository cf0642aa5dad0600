"""The finder: complete for few records, best first for many, newest typing wins."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import pytest

from attio_console.errors import Superseded
from attio_console.model.schema import Attribute, ObjectSchema, Schema
from attio_console.store import Store
from attio_console.store.words import matches, searchable, terms

_NAMES = [
    "Ann Lee",
    "Anna Müller",
    "Bob O'Brien",
    "王小明",
    "Ørsted Næss",
    "José Ñandú",
    "Ye",
    "Дмитрий Иванов",
    "مريم حداد",
]


@pytest.mark.parametrize("settled", [False, True])
async def test_everything_that_matches_is_found_and_nothing_else(
    store: Store, made: Any, settled: bool
) -> None:
    rng = random.Random(4)
    names = {n: f"{rng.choice(_NAMES)} {rng.randrange(30)}" for n in range(45)}
    await store.mirror.apply_page(made.people, [made.person(n, name) for n, name in names.items()])
    if settled:
        await store.mirror.settle()
    typed = [
        *(name[at : at + k] for name in _NAMES for at in (0, 1, 3) for k in (1, 2, 3, 5)),
        "ann 1",
        "lee ann",
        "иван",
        "zzz",
        "!!",
    ]
    for text in typed:
        wanted = terms(text)
        expected = {made.id(n) for n, name in names.items() if wanted and matches(searchable(name), wanted)}
        found = [hit.record_id for hit in await store.mirror.find(text, limit=100)]
        assert len(found) == len(set(found))
        assert set(found) == expected, text


async def test_labels_that_begin_so_come_first_then_words_then_the_middle(store: Store, made: Any) -> None:
    people = [(1, "Joanna Smith"), (2, "Marian Annable"), (3, "Ann"), (4, "Annabel Lee"), (5, "Bob Lee")]
    await store.mirror.apply_page(made.people, [made.person(n, name) for n, name in people])
    await store.mirror.apply_page(made.people, [made.person(6, "Zed", email_addresses=["ann@x.example"])])
    await store.mirror.settle()
    hits = await store.mirror.find("ann")
    assert [hit.label for hit in hits] == ["Ann", "Annabel Lee", "Marian Annable", "Zed", "Joanna Smith"]
    assert hits[3].detail == "ann@x.example"
    assert [hit.label for hit in await store.mirror.find("x.example")] == ["Zed"]


async def test_entries_and_other_crms_are_found_only_where_they_are_named(store: Store, made: Any) -> None:
    await store.mirror.apply_page(made.people, [made.person(1, "Ann Lee")])
    await store.mirror.apply_page(made.pipeline, [made.entry(2, 1, stage="Lead")])
    await store.mirror.apply_page("hubspot:contacts", [b'{"id":"7","label":"Ann Lee","properties":{}}'])
    await store.mirror.apply_page("attio:notes", [made.note(3, 1, "Lunch", "with ann")])
    assert {hit.collection for hit in await store.mirror.find("ann")} == {made.people, "attio:notes"}
    for collection in (made.pipeline, "hubspot:contacts"):
        assert [hit.collection for hit in await store.mirror.find("ann", collection)] == [collection]


async def test_the_newest_question_wins(store: Store, made: Any) -> None:
    await store.mirror.apply_page(made.people, [made.person(n, f"Ann Lee{n}") for n in range(500)])
    asked = [asyncio.ensure_future(store.mirror.find(text)) for text in ("a", "an", "ann", "ann l")]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(answer, (list, Superseded)) for answer in answers)
    assert isinstance(answers[-1], list) and answers[-1]
    assert sum(isinstance(answer, Superseded) for answer in answers) >= 2


async def test_a_cancelled_question_leaves_the_reader_usable(store: Store, made: Any) -> None:
    await store.mirror.apply_page(made.people, [made.person(n, f"Ann Lee{n}") for n in range(300)])
    task = asyncio.ensure_future(store.mirror.find("lee"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await store.mirror.find("lee")


async def test_letters_inside_an_id_find_nothing(store: Store) -> None:
    schema = Schema(
        workspace_id="w",
        objects=(
            ObjectSchema(
                (
                    Attribute("a1", "record_id", "Record ID", "text", is_system=True),
                    Attribute("a2", "name", "Name", "text"),
                ),
                id="companies",
                slug="companies",
            ),
        ),
    )
    await store.mirror.put_schema(schema)
    key = "0acada4a-4dd4-45a9-b27b-4ab2b8f3b05d"
    raw = {
        "id": {"object_id": "companies", "record_id": key},
        "created_at": "2026-01-01T00:00:00Z",
        "values": {"record_id": [{"attribute_type": "text", "value": key}], "name": [{"value": "Globex"}]},
    }
    await store.mirror.apply_page("companies", [json.dumps(raw).encode()])
    await store.mirror.settle()
    assert await store.mirror.find("ada") == []
    assert [hit.label for hit in await store.mirror.find("glob")] == ["Globex"]
