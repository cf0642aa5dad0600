from __future__ import annotations

from attio_console.sync import kinds
from tests.engine.crm.conftest import Linked


async def edit(linked: Linked, system: str, kind: str, record_id: str, **values: object) -> None:
    await linked.control.post("/edit", system=system, object=kind, id=record_id, values=values)


async def test_an_edit_in_attio_reaches_the_other_side_as_one_field(linked: Linked) -> None:
    pair = linked.pair_of("hubspot", "people")
    seq = await linked.control.seq()
    await edit(linked, "attio", "people", pair.record_id, job_title="Admiral")
    await linked.until(lambda: linked.store.pairs.bases(pair.id)["job_title"].items == ["Admiral"])
    written = await linked.writes("hubspot", seq)
    assert [w["body"]["properties"] for w in written] == [{"jobtitle": "Admiral"}]
    await linked.rounds(2)
    assert len(await linked.writes("hubspot", seq)) == 1


async def test_an_edit_there_reaches_attio_and_does_not_come_back(linked: Linked) -> None:
    pair = linked.pair_of("salesforce", "people")
    seq = await linked.control.seq()
    await edit(linked, "salesforce", "Contact", pair.external_id, Title="Captain")
    await linked.until(lambda: linked.store.pairs.bases(pair.id)["job_title"].items == ["Captain"])
    assert linked.value("people", pair.record_id, "job_title") == ["Captain"]
    await linked.rounds(3)
    assert len([w for w in await linked.writes("attio", seq) if w["method"] in {"PATCH", "PUT"}]) == 1
    assert await linked.writes("salesforce", seq) == []


async def test_a_record_with_two_counterparts_carries_a_change_across(linked: Linked) -> None:
    both = next(
        pair
        for pair in linked.store.pairs.list("hubspot", object_key="people", state="confirmed", limit=5000)
        if [
            p
            for p in linked.store.pairs.by_record(pair.record_id, "salesforce")
            if p.external_type == "Contact"
        ]
        and not linked.store.conflicts.for_record(pair.record_id)
    )
    [there] = [
        p for p in linked.store.pairs.by_record(both.record_id, "salesforce") if p.external_type == "Contact"
    ]
    await edit(linked, "hubspot", "contacts", both.external_id, jobtitle="Navigator")
    await linked.until(lambda: linked.store.pairs.bases(there.id)["job_title"].items == ["Navigator"])
    assert (await linked.dump("salesforce", "Contact"))[there.external_id]["Title"] == "Navigator"


async def test_both_sides_at_once_are_a_conflict_with_the_base_between_them(linked: Linked) -> None:
    pair = linked.pair_of("hubspot", "people")
    base = linked.store.pairs.bases(pair.id)["job_title"].items
    seq = await linked.control.seq()
    await linked.engine.pause()
    await edit(linked, "hubspot", "contacts", pair.external_id, jobtitle="Cook")
    await edit(linked, "attio", "people", pair.record_id, job_title="Admiral")
    await linked.engine.resume()
    await linked.until(lambda: bool(linked.store.conflicts.for_pair(pair.id)))
    await linked.rounds(1)
    [row] = linked.store.conflicts.for_pair(pair.id)
    [field] = row.fields
    assert (field["base"], field["attio"], field["external"]) == (base, ["Admiral"], ["Cook"])
    assert field["attio_by"] and field["external_by"] and field["external_at"]
    assert await linked.writes("hubspot", seq) == []


async def test_a_conflict_whose_sides_become_equal_closes_itself(linked: Linked) -> None:
    row = next(
        c
        for c in linked.open_conflicts(kinds.FIELD)
        if c.system == "salesforce" and c.fields[0]["slug"] == "job_title"
    )
    seq = await linked.control.seq()
    await edit(linked, "salesforce", "Contact", row.external_id, Title=row.fields[0]["attio"][0])
    await linked.until(lambda: linked.store.conflicts.get(row.id).state == "closed")  # type: ignore[union-attr]
    assert await linked.writes("salesforce", seq) == []


async def test_a_blank_never_overwrites_by_itself(linked: Linked) -> None:
    pair = linked.pair_of(
        "hubspot", "people", fits=lambda p: bool(linked.value("people", p.record_id, "job_title"))
    )
    seq = await linked.control.seq()
    await edit(linked, "hubspot", "contacts", pair.external_id, jobtitle="")
    await linked.until(lambda: bool(linked.store.conflicts.for_pair(pair.id)))
    [row] = linked.store.conflicts.for_pair(pair.id)
    assert row.fields[0]["external"] == []
    assert row.fields[0]["suggestion"] == "attio"
    assert [w for w in await linked.writes("attio", seq) if w["method"] in {"PATCH", "PUT"}] == []


async def test_a_moved_deal_moves_its_stage_there(linked: Linked) -> None:
    pair = linked.pair_of(
        "hubspot", "deals", fits=lambda p: linked.value("deals", p.record_id, "stage")[0]["title"] == "Lead"
    )
    await edit(linked, "attio", "deals", pair.record_id, stage="Won 🎉")
    await linked.until(lambda: linked.store.pairs.bases(pair.id)["stage"].items[0]["title"] == "Won 🎉")
    assert (await linked.dump("hubspot", "deals"))[pair.external_id]["dealstage"] == "closedwon"


async def test_a_person_who_changes_company_changes_it_there(linked: Linked) -> None:
    pair = linked.pair_of(
        "salesforce", "people", fits=lambda p: bool(linked.value("people", p.record_id, "company"))
    )
    target = linked.pair_of(
        "salesforce",
        "companies",
        fits=lambda c: (
            c.record_id != linked.value("people", pair.record_id, "company")[0]["target_record_id"]
        ),
    )
    await edit(
        linked,
        "attio",
        "people",
        pair.record_id,
        company={"target_object": "companies", "target_record_id": target.record_id},
    )
    await linked.until(
        lambda: linked.store.pairs.bases(pair.id)["company"].items[0]["target_record_id"] == target.record_id
    )
    assert (await linked.dump("salesforce", "Contact"))[pair.external_id]["AccountId"] == target.external_id


async def test_a_deletion_there_is_asked_about(linked: Linked) -> None:
    pair = linked.pair_of("salesforce", "people")
    await linked.control.post("/delete", system="salesforce", object="Contact", id=pair.external_id)
    for link in linked.engine.links:
        assert link.sync is not None
        link.sync.sweep_next()
    await linked.rounds(1)
    [row] = linked.store.conflicts.for_pair(pair.id)
    assert row.kind == kinds.DELETE
    assert linked.document("people", pair.record_id) is not None


async def test_a_merge_there_is_followed_by_the_pair(linked: Linked) -> None:
    pair = linked.pair_of("hubspot", "people")
    made = await linked.control.post(
        "/edit",
        system="hubspot",
        object="contacts",
        id=None,
        values={"email": "twin@nowhere.example", "firstname": "Twin"},
    )
    merged = await linked.control.post(
        "/merge", system="hubspot", object="contacts", id=pair.external_id, other_id=made["id"]
    )
    kept = str(merged["id"])
    await linked.rounds(2)
    [followed] = [
        p for p in linked.store.pairs.by_record(pair.record_id, "hubspot") if p.state == "confirmed"
    ]
    assert followed.external_id == kept
    assert linked.store.pairs.bases(followed.id)
    await edit(linked, "attio", "people", pair.record_id, job_title="Survivor")
    await linked.until(lambda: linked.store.pairs.bases(followed.id)["job_title"].items == ["Survivor"])
