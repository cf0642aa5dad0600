from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from attio_console.store.types import NewPair
from attio_console.sync import kinds
from attio_console.sync.crm_context import load_context
from attio_console.sync.plan import make_plan
from tests.engine.conftest import Control
from tests.engine.crm.conftest import STAMPS, TYPES, Linked, is_stamp, linked_console, written_fields

if TYPE_CHECKING:
    from attio_console.sandbox import Sandbox


async def test_every_confirmed_pair_is_named_on_the_other_side(linked: Linked) -> None:
    for system, types in TYPES.items():
        for kind, name in types.items():
            held = await linked.dump(system, name)
            pairs = [
                p
                for p in linked.store.pairs.list(system, object_key=kind, state="confirmed", limit=5000)
                if p.external_type == name and not _is_gone(held[p.external_id], linked, p.external_id, name)
            ]
            assert pairs
            asked = {c.external_id for c in linked.open_conflicts()}
            unnamed = [
                p
                for p in pairs
                if held[p.external_id].get(STAMPS[system]) != p.record_id and p.external_id not in asked
            ]
            assert unnamed == []


def _is_gone(row: dict[str, object], linked: Linked, external_id: str, name: str) -> bool:
    collection = f"{'salesforce' if 'Id' in row else 'hubspot'}:{name}"
    return linked.store.mirror.raw(collection, external_id) is None


async def test_a_stamp_is_planned_and_each_is_written_once(
    sandbox: Sandbox, control: Control, tmp_path: Path
) -> None:
    async with linked_console(sandbox, tmp_path / "data", control, accepted=False) as linked:
        await linked.live()
        await linked.quiet(60)
        for link in linked.engine.links:
            assert link.sync is not None
            plan = await make_plan(linked.store, load_context(linked.store, link.system), link.sync.client)
            planned = [(x.record_id, x.field, x.after) for x in plan.writes if x.action == "stamp"]
            assert len(planned) == plan.stamps > 10
            assert await linked.writes(link.system) == []
            await link.sync.accept()
            await linked.rounds(3)
            stamps = [w for w in await linked.writes(link.system) if is_stamp(w)]
            written = [(w["id"], name, v) for w in stamps for name, v in written_fields(w).items()]
            assert sorted(written) == sorted(planned)


async def test_a_lost_answer_and_a_second_console_stamp_nothing_twice(
    sandbox: Sandbox, control: Control, tmp_path: Path
) -> None:
    await control.post(
        "/faults",
        rules=[
            {
                "system": "hubspot",
                "method": "POST",
                "path": "batch/update",
                "count": 2,
                "action": "commit_then_reset",
            }
        ],
    )
    async with linked_console(sandbox, tmp_path / "one", control, systems=("hubspot",)) as first:
        await first.live()
        await first.quiet(60)
        await control.no_faults()
        names = {i: r.get("attio_record_id") for i, r in (await first.dump("hubspot", "contacts")).items()}
    seq = await control.seq()
    async with linked_console(sandbox, tmp_path / "two", control, systems=("hubspot",)) as second:
        await second.live()
        await second.quiet(60)
        assert await second.writes("hubspot", seq) == []
        held = {i: r.get("attio_record_id") for i, r in (await second.dump("hubspot", "contacts")).items()}
        assert held == names
        people = second.store.pairs.list("hubspot", object_key="people", state="confirmed", limit=5000)
        assert {p.why for p in people} <= {"stored id", "stored id, in the recycle bin there"}


async def test_a_stamp_that_names_another_record_is_asked_about_and_stays(linked: Linked) -> None:
    pair, other = linked.pair_of("salesforce", "people"), linked.pair_of("salesforce", "people", 1)
    await linked.control.post(
        "/edit",
        system="salesforce",
        object="Contact",
        id=pair.external_id,
        values={"Attio_Id__c": other.record_id},
    )
    seq = await linked.control.seq()
    await linked.until(
        lambda: any(c.external_id == pair.external_id for c in linked.open_conflicts(kinds.DUPLICATE))
    )
    await linked.rounds(2)
    [row] = [c for c in linked.open_conflicts(kinds.DUPLICATE) if c.external_id == pair.external_id]
    assert "another record here" in row.fields[0]["why"]
    assert await linked.writes("salesforce", seq) == []
    await linked.store.pairs.put(
        NewPair(
            "salesforce", "people", pair.collection, other.record_id, "Contact", pair.external_id, "rejected"
        )
    )
    linked.bus.records(pair.collection, [pair.record_id])
    await linked.rounds(2)
    assert (await linked.dump("salesforce", "Contact"))[pair.external_id]["Attio_Id__c"] == pair.record_id


async def test_a_record_there_that_claims_a_paired_record_is_not_paired_by_its_address(
    linked: Linked,
) -> None:
    pair = linked.pair_of("salesforce", "people")
    free = await linked.control.post(
        "/edit",
        system="attio",
        object="people",
        id=None,
        values={"name": "Free Soul", "email_addresses": ["free@soul.example"]},
    )
    made = await linked.control.post(
        "/edit",
        system="salesforce",
        object="Contact",
        id=None,
        values={"LastName": "Soul", "Email": "free@soul.example", "Attio_Id__c": pair.record_id},
    )
    for link in linked.engine.links:
        assert link.sync is not None
        await link.sync.read()
        await link.sync.pair()
    assert [p for p in linked.store.pairs.by_record(str(free["id"])) if p.state == "confirmed"] == []
    assert [c for c in linked.open_conflicts(kinds.DUPLICATE) if c.external_id == made["id"]]
