"""What people say about other syncs, each thing once, played in the small world: it must not be said about this one."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from attio_console.model.merge import Rule
from attio_console.store.types import FieldEdit, NewItem
from attio_console.sync import kinds
from attio_console.sync.crm_context import load_context
from attio_console.sync.plan import make_plan
from attio_console.sync.resolve import Resolver
from tests.engine.crm.stage import Stage, small_world
from tests.engine.crm.truth import KINDS, read_truth

if TYPE_CHECKING:
    from attio_console.store.types import Pair
    from attio_console.sync.mapping import ObjectMapping


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with small_world(tmp_path) as opened:
        await opened.quiet()
        yield opened


def pair_in(stage: Stage, system: str, kind: str = "people", label: str = "Both0 Shared") -> Pair:
    """Return the pair of a record that is in all three systems."""
    return next(
        p
        for p in stage.store.pairs.list(system, object_key=kind, state="confirmed", limit=1000)
        if stage.store.mirror.label(p.record_id) == label
    )


def seq(stage: Stage) -> int:
    return len(stage.sandbox.world.journal.after(0))


def meant(stage: Stage, after: int) -> list[tuple[str, str, Any]]:
    """Return the writes to anything but the fields in which the sync keeps who is whose counterpart."""
    own = {"attio_record_id", "Attio_Id__c", "attributes"}
    return [one for one in sent(stage, after) if set(one[2].get("properties") or one[2]) - own]


def sent(stage: Stage, after: int = 0) -> list[tuple[str, str, Any]]:
    """Return what came in over the APIs since then."""
    return [
        (w.system, w.id, w.body)
        for w in stage.sandbox.world.journal.after(after)
        if not w.path.startswith("/_sandbox") and "webhook" not in w.path
    ]


async def title(stage: Stage, system: str, pair: Pair) -> str | None:
    if system == "attio":
        held = (await stage.control.dump("people"))[pair.record_id]["values"]["job_title"]
        return held[0]["value"] if held else None
    row = (await stage.rows(system, pair.external_type))[pair.external_id]
    return row.get("jobtitle" if system == "hubspot" else "Title")


async def set_title(stage: Stage, system: str, pair: Pair, text: str) -> None:
    if system == "attio":
        values: dict[str, Any] = {"job_title": text or []}
        assert await stage.other("edit", "attio", "people", id=pair.record_id, values=values)
    else:
        values = {"jobtitle" if system == "hubspot" else "Title": text}
        assert await stage.other("edit", system, pair.external_type, id=pair.external_id, values=values)


def rule(slug: str, chosen: Rule) -> Any:
    def change(one: ObjectMapping) -> ObjectMapping:
        fields = (dataclasses.replace(f, rule=chosen) if f.attio == slug else f for f in one.fields)
        return dataclasses.replace(one, fields=tuple(fields))

    return change


def no_salesforce(stage: Stage) -> Pair:
    """Return a HubSpot pair of a person who is in no other system, at peace."""
    return next(
        p
        for p in stage.store.pairs.list("hubspot", object_key="people", state="confirmed", limit=1000)
        if not stage.store.pairs.by_record(p.record_id, "salesforce")
        and not stage.store.conflicts.for_pair(p.id)
    )


async def test_last_write_wins_says_what_it_overwrote_and_gives_it_back(stage: Stage) -> None:
    await stage.remap("hubspot", rule("job_title", Rule.NEWEST))
    await stage.quiet()
    pair = no_salesforce(stage)
    async with stage.fence():
        await set_title(stage, "attio", pair, "Older")
        await stage.pass_time(5)
        await set_title(stage, "hubspot", pair, "Newer")
    await stage.quiet()
    assert [await title(stage, s, pair) for s in ("attio", "hubspot")] == ["Newer", "Newer"]
    [row] = [c for c in stage.store.conflicts.for_pair(pair.id) if c.kind == kinds.SETTLED]
    assert (row.fields[0]["attio"], row.fields[0]["external"]) == (["Older"], ["Newer"])
    await Resolver(stage.store, stage.bus, stage.clock).apply(row, {"job_title": "attio"})
    await stage.quiet()
    assert [await title(stage, s, pair) for s in ("attio", "hubspot")] == ["Older", "Older"]


async def test_neither_a_first_sync_nor_a_second_first_sync_makes_doubles(stage: Stage) -> None:
    def creating(one: ObjectMapping) -> ObjectMapping:
        return dataclasses.replace(one, create_attio="on", create_external="on")

    for system in KINDS:
        await stage.remap(system, creating)
    await stage.quiet()
    await stage.crash()
    await stage.quiet()
    before = await read_truth(stage)
    pairs = {
        (p.system, p.record_id, p.external_id) for p in stage.store.pairs.list(state="confirmed", limit=1000)
    }
    await stage.forget()
    await stage.quiet()
    after = await read_truth(stage)
    for kind in ("people", "companies", "deals"):
        assert after.attio[kind].keys() == before.attio[kind].keys()
        for system in KINDS:
            assert after.external(system, kind).keys() == before.external(system, kind).keys()
    again = {
        (p.system, p.record_id, p.external_id) for p in stage.store.pairs.list(state="confirmed", limit=1000)
    }
    assert pairs == again


async def test_nothing_is_written_before_its_preview_was_accepted(tmp_path: Path) -> None:
    async with small_world(tmp_path, accepted=False) as stage:
        await stage.quiet()
        assert sent(stage) == []
        planned: list[tuple[str, str, str]] = []
        for link in stage.engine.links:
            assert link.sync is not None
            plan = await make_plan(stage.store, load_context(stage.store, link.system), link.sync.client)
            planned += [(line.system, line.record_id, line.field) for line in plan.writes]
            await link.sync.accept()
        await stage.quiet()
        written = [
            (system, record, name)
            for system, record, body in sent(stage)
            for name in (body.get("properties") or body.get("data", {}).get("values") or body)
            if name != "attributes"
        ]
        assert planned
        assert sorted(written) == sorted(planned)


async def test_one_mistake_is_one_question_however_often_it_is_looked_at(stage: Stage) -> None:
    pair = pair_in(stage, "salesforce")
    begun = seq(stage)
    await set_title(stage, "attio", pair, "Very " * 40 + "senior")
    await stage.quiet()
    [row] = stage.store.conflicts.for_pair(pair.id)
    assert "128" in row.fields[0]["why"]
    for _ in range(3):
        await stage.look(everything=True)
    [again] = stage.store.conflicts.for_pair(pair.id)
    assert (again.id, again.revision) == (row.id, row.revision)
    assert [w for w in sent(stage, begun) if w[0] == "salesforce"] == []
    await set_title(stage, "attio", pair, "Senior")
    await stage.quiet()
    assert await title(stage, "salesforce", pair) == "Senior"
    assert stage.store.conflicts.for_pair(pair.id) == []


async def test_a_form_that_was_open_too_long_does_not_overwrite_a_newer_title(stage: Stage) -> None:
    pair = pair_in(stage, "hubspot")
    async with stage.fence():
        item = NewItem(
            "attio",
            pair.collection,
            pair.record_id,
            "set",
            {"job_title": FieldEdit(["Clerk"], ["From an old form"])},
            actor="operator",
        )
        await stage.store.outbox.add([item], "Edit")
        await set_title(stage, "hubspot", pair, "Newest")
        await set_title(stage, "attio", pair, "Newest")
    await stage.quiet()
    assert [await title(stage, system, pair) for system in ("attio", "hubspot")] == ["Newest", "Newest"]
    [row] = [c for c in stage.store.conflicts.for_record(pair.record_id) if c.kind == kinds.EDIT]
    assert row.fields[0]["external"] == ["From an old form"]


async def test_an_older_change_that_is_heard_of_later_does_not_win_as_the_newest(stage: Stage) -> None:
    await stage.remap("hubspot", rule("job_title", Rule.NEWEST))
    await stage.quiet()
    pair = no_salesforce(stage)
    async with stage.fence():
        await set_title(stage, "hubspot", pair, "Earlier")
        await stage.pass_time(30)
        await set_title(stage, "attio", pair, "Later")
        await stage.pass_time(30)
        # Touches the record, not the field: a stamp of the record would make the older value the newer one.
        await stage.other("edit", "hubspot", "contacts", id=pair.external_id, values={"city": "Oslo"})
    await stage.quiet()
    assert [await title(stage, s, pair) for s in ("attio", "hubspot")] == ["Later", "Later"]


@pytest.mark.parametrize("blanked", ["attio", "hubspot", "salesforce"])
async def test_a_blank_overwrites_nothing(stage: Stage, blanked: str) -> None:
    pair = pair_in(stage, "salesforce" if blanked == "salesforce" else "hubspot")
    begun = seq(stage)
    await set_title(stage, blanked, pair, "")
    await stage.quiet()
    assert sent(stage, begun) == []
    [row] = stage.store.conflicts.for_pair(pair.id)
    assert row.fields[0]["base"] == ["Clerk"]


async def test_the_same_value_in_another_form_is_written_nowhere(stage: Stage) -> None:
    async def put(system: str, kind: str, label: str, **values: Any) -> None:
        pair = pair_in(stage, system, kind, label)
        row_id = pair.record_id if system == "attio" else pair.external_id
        assert await stage.other("edit", system, pair.external_type, id=row_id, values=values)

    both = pair_in(stage, "hubspot")
    await stage.other(
        "edit", "attio", "people", id=both.record_id, values={"phone_numbers": ["+1 415 555 2671"]}
    )
    await stage.quiet()
    begun = seq(stage)
    await put("hubspot", "people", "Both0 Shared", phone="(415) 555-2671", email="BOTH0@Shared.Example")
    await put("salesforce", "people", "Both0 Shared", Phone="1-415-555-2671", Email="Both0@shared.example")
    await put("hubspot", "deals", "Deal 1", amount="2000.00", closedate="2027-01-31T23:59:59Z")
    await put("salesforce", "deals", "Deal 1", Amount=2000.0)
    await put("hubspot", "companies", "Shared 0", domain="https://www.shared0.example/")
    for _ in range(3):
        await stage.quiet()
    assert sent(stage, begun) == []
    assert [c.fields for c in stage.store.conflicts.for_record(both.record_id)] == []


async def test_a_field_that_is_mapped_later_is_compared_for_all_that_was_there_before(stage: Stage) -> None:
    def without(one: ObjectMapping) -> ObjectMapping:
        return dataclasses.replace(one, fields=tuple(f for f in one.fields if f.attio != "job_title"))

    # Long enough ago that no look at recent changes finds any of them again.
    await stage.pass_time(4_000)
    whole = {system: stage.mapping(system) for system in KINDS}
    for system in KINDS:
        await stage.remap(system, without)
    await stage.forget()
    await stage.quiet()
    assert (
        "jobtitle"
        not in (
            stage.store.mirror.raw("hubspot:contacts", pair_in(stage, "hubspot").external_id) or b""
        ).decode()
    )
    pair, other = pair_in(stage, "hubspot"), pair_in(stage, "hubspot", label="Both1 Shared")
    await set_title(stage, "hubspot", pair, "")
    await set_title(stage, "hubspot", other, "Differs")
    await stage.quiet()
    assert [await title(stage, "hubspot", p) for p in (pair, other)] in ([None, "Differs"], ["", "Differs"])
    await stage.pass_time(4_000)
    await stage.quiet()
    await stage.remap("hubspot", lambda one: whole["hubspot"].object(one.attio, one.external) or one)
    await stage.quiet()
    assert await title(stage, "hubspot", pair) == "Clerk"
    [row] = stage.store.conflicts.for_pair(other.id)
    assert (row.fields[0]["attio"], row.fields[0]["external"]) == (["Clerk"], ["Differs"])


async def test_an_idle_hour_costs_a_known_handful_of_calls(stage: Stage) -> None:
    def asked() -> dict[str, int]:
        counts = stage.sandbox.world.stats.requests.items()
        return {s: sum(n for (system, _, _), n in counts if system == s) for s in KINDS}

    await stage.pass_time(700)
    await stage.quiet()
    before, polls = asked(), {ln.system: ln.sync.polls for ln in stage.engine.links if ln.sync}
    for _ in range(4):
        await stage.look(everything=False)
    for link in stage.engine.links:
        assert link.sync is not None
        done = link.sync.polls - polls[link.system]
        # Three or four kinds of record, each asked what changed; nothing is read that did not.
        assert asked()[link.system] - before[link.system] <= done * 4 + 4


async def test_the_rest_of_a_days_allowance_is_left_to_others(tmp_path: Path) -> None:
    async with small_world(tmp_path, quota_share=0.000_001, limits=True) as stage:

        def says_so() -> bool:
            parts = [part for link in stage.engine.links for part in link.status()]
            return bool(parts) and all("allowance" in part.error for part in parts)

        await stage.until(says_so, what="pause")
        polls = [link.sync.polls for link in stage.engine.links if link.sync]
        for _ in range(5):
            for link in stage.engine.links:
                link.poke()
            await stage.pass_time(3)
        assert [link.sync.polls for link in stage.engine.links if link.sync] == polls
        assert {p.state for link in stage.engine.links for p in link.status()} == {"paused"}


@pytest.mark.parametrize("system", ["attio", "hubspot", "salesforce"])
async def test_a_merge_breaks_no_link(stage: Stage, system: str) -> None:
    pairs = {there: pair_in(stage, there) for there in KINDS}
    mine = pairs["hubspot" if system == "attio" else system]
    await set_title(stage, "attio", mine, "Before the merge")
    await stage.quiet()
    name = "people" if system == "attio" else KINDS[system]["people"]
    person = {"first_name": "Twin", "last_name": "Other", "full_name": "Twin Other"}
    values = {
        "attio": {"name": person},
        "hubspot": {"firstname": "Twin", "lastname": "Other"},
        "salesforce": {"FirstName": "Twin", "LastName": "Other"},
    }[system]
    twin = await stage.other("edit", system, name, values=values)
    await stage.quiet()
    row_id = mine.record_id if system == "attio" else mine.external_id
    kept = await stage.other("merge", system, name, id=row_id, other_id=twin)
    await stage.quiet()
    truth = await read_truth(stage)
    assert truth.gaps(stage.store) == []
    for pair in pairs.values():
        assert stage.store.pairs.bases(pair.id)["job_title"].items == ["Before the merge"]
    for there, pair in pairs.items():
        [now] = [
            p
            for p in stage.store.pairs.list(there, object_key="people", state="confirmed", limit=1000)
            if p.id == pair.id
        ]
        assert now.record_id == (kept if system == "attio" else pair.record_id)
        assert now.external_id == (kept if system == there else pair.external_id)
        await set_title(stage, there, now, f"After it, from {there}")
        await stage.quiet()
        held = (await stage.control.dump("people"))[now.record_id]["values"]["job_title"]
        assert held[0]["value"] == f"After it, from {there}"


async def test_two_records_merged_in_attio_ask_which_counterpart_is_meant(stage: Stage) -> None:
    one, other = pair_in(stage, "hubspot"), pair_in(stage, "hubspot", label="Both1 Shared")
    begun = seq(stage)
    kept = await stage.other("merge", "attio", "people", id=one.record_id, other_id=other.record_id)
    await stage.quiet()
    assert meant(stage, begun) == []
    asked = [c for c in stage.store.conflicts.for_record(str(kept)) if c.kind == kinds.MERGE]
    assert {c.system for c in asked} == set(KINDS)
    merged = await stage.other("merge", "hubspot", "contacts", id=one.external_id, other_id=other.external_id)
    await stage.quiet()
    [pair] = [p for p in stage.store.pairs.by_record(str(kept), "hubspot") if p.state == "confirmed"]
    assert pair.external_id == merged


async def test_a_choice_that_the_other_side_lacks_is_named_and_arrives_once_it_is_there(stage: Stage) -> None:
    pair = pair_in(stage, "hubspot", "deals", "Deal 1")
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {stage.sandbox.token}"}) as client:
        url = f"{stage.sandbox.attio}/v2/objects/deals/attributes/stage/statuses"
        answer = await client.post(url, json={"data": {"title": "Security review"}})
        assert answer.status_code == 200, answer.text
    await stage.quiet()
    assert await stage.other("edit", "attio", "deals", id=pair.record_id, values={"stage": "Security review"})
    await stage.quiet()
    [row] = stage.store.conflicts.for_pair(pair.id)
    assert "Security review" in row.fields[0]["why"]
    held = (await stage.rows("hubspot", "deals"))[pair.external_id]
    assert held["dealstage"] == "appointmentscheduled"
    assert await stage.other("edit", "attio", "deals", id=pair.record_id, values={"stage": "In Progress"})
    await stage.quiet()
    held = (await stage.rows("hubspot", "deals"))[pair.external_id]
    assert held["dealstage"] == "contractsent"
    assert stage.store.conflicts.for_pair(pair.id) == []


async def test_a_scan_that_stops_half_way_does_not_say_that_it_is_done(tmp_path: Path) -> None:
    async with small_world(tmp_path, records=260, running=False) as stage:
        wanted = {
            (s, k): len(await stage.rows(s, KINDS[s][k])) for s in KINDS for k in ("people", "companies")
        }
        assert wanted["hubspot", "people"] > 100
        rule = {"system": "hubspot", "method": "GET", "path": "/crm/objects/*/contacts", "action": "status"}
        await stage.control.post("/faults", rules=[{**rule, "status": 500, "skip": 1}])
        await stage.start()

        def stuck() -> bool:
            parts = {
                p.object: p for link in stage.engine.links for p in link.status() if p.system == "hubspot"
            }
            return "contacts" in parts and bool(parts["contacts"].error)

        await stage.until(stuck, what="stuck")
        assert 0 < stage.store.mirror.size("hubspot:contacts") < wanted["hubspot", "people"]
        assert stage.store.state.partition("hubspot", "contacts").scanned_at is None
        part = next(p for ln in stage.engine.links for p in ln.status() if p.object == "contacts")
        assert part.state != "live"
        assert not stage.is_quiet()
        await stage.control.no_faults()
        await stage.quiet()
        for (system, kind), count in wanted.items():
            assert stage.store.mirror.size(f"{system}:{KINDS[system][kind]}") == count
        assert (await read_truth(stage)).gaps(stage.store) == []
