from __future__ import annotations

import pytest

from attio_console import errors


async def created(surface, kind: str) -> int:
    return sum(row["method"] == "POST" and kind in row["path"] for row in await surface.writes())


@pytest.mark.parametrize("action", ["commit_then_reset", "reset"])
async def test_a_create_whose_answer_is_lost_raises_and_is_not_repeated(attio, surface, action) -> None:
    await surface.fault(method="POST", path="/v2/objects/people/records", action=action, count=1)
    with pytest.raises(errors.ConnectionLost) as lost:
        await attio.records.create("people", {"email_addresses": ["once@example.org"]})
    assert lost.value.unknown_outcome
    found = await attio.records.query("people", filter={"email_addresses": "once@example.org"})
    assert len(found) == (1 if action == "commit_then_reset" else 0)


@pytest.mark.parametrize("action", ["commit_then_reset", "reset", "status", "timeout"])
async def test_a_lookup_by_a_unique_attribute_resolves_it_to_exactly_one(attio, surface, action) -> None:
    await surface.fault(method="POST", path="/v2/objects/people/records", action=action, count=1, seconds=2)
    made = await attio.records.create(
        "people", {"email_addresses": ["once@example.org"]}, lookup="email_addresses"
    )
    found = await attio.records.query("people", filter={"email_addresses": "once@example.org"})
    assert [one.id for one in found] == [made.id]


async def test_a_lookup_by_the_callers_own_question(attio, surface) -> None:
    async def find():
        hits = await attio.records.query("deals", filter={"name": "Only one"})
        return hits[0] if hits else None

    stage = (await attio.statuses.list("deals", "stage"))[0].title
    owner = (await attio.members.list())[0].email_address
    await surface.fault(method="POST", path="/v2/objects/deals/records", action="commit_then_reset", count=1)
    values = {"name": "Only one", "stage": stage, "owner": owner}
    made = await attio.records.create("deals", values, lookup=find)
    found = await attio.records.query("deals", filter={"name": "Only one"})
    assert [one.id for one in found] == [made.id]


async def test_a_lost_upsert_is_sent_again_and_makes_one(attio, surface) -> None:
    await surface.fault(method="PUT", path="/v2/objects/people/records", action="commit_then_reset", count=1)
    made = await attio.records.upsert(
        "people", "email_addresses", {"email_addresses": ["u@example.org"], "job_title": "Smith"}
    )
    found = await attio.records.query("people", filter={"email_addresses": "u@example.org"})
    assert [one.id for one in found] == [made.id]


async def test_a_lost_delete_was_done(attio, surface) -> None:
    made = await attio.records.create("people", {"email_addresses": ["d@example.org"]})
    await surface.fault(method="DELETE", action="commit_then_reset", count=1)
    await attio.records.delete("people", made.id)
    with pytest.raises(errors.NotFound):
        await attio.records.get("people", made.id)


async def test_adding_to_many_values_is_not_repeated_and_setting_one_is(attio, surface) -> None:
    made = await attio.records.create("people", {"email_addresses": ["p@example.org"]})
    await surface.fault(method="PATCH", action="commit_then_reset", count=2)
    with pytest.raises(errors.ConnectionLost):
        await attio.records.update("people", made.id, {"email_addresses": ["q@example.org"]})
    assert (await attio.records.update("people", made.id, {"job_title": "Smith"})).id == made.id


async def test_reads_get_through_a_bad_minute(attio, surface) -> None:
    await surface.fault(method="GET", action="status", status=502, count=1)
    await surface.fault(method="GET", action="malformed", count=1)
    await surface.fault(method="GET", action="truncate", count=1)
    assert await attio.objects.list()


async def test_a_stray_401_does_not_lose_the_token(attio, surface) -> None:
    await surface.fault(path="/v2/objects", action="status", status=401, count=1)
    assert await attio.objects.list()


async def test_a_429_is_waited_out_in_both_forms(attio, surface) -> None:
    await surface.fault(path="/v2/objects", action="status", status=429, retry_after=0.0, count=1)
    assert await attio.objects.list()


async def test_many_by_id_are_as_fresh_as_asked(attio, surface) -> None:
    await surface.settings(lag_s=1.0)
    made = await attio.records.create("people", {"email_addresses": ["fresh@example.org"]})
    now = attio.clock.now()
    assert await attio.records.get_many_raw("people", [made.id]) == []
    assert len(await attio.records.get_many_raw("people", [made.id], fresh_since=now)) == 1
