from __future__ import annotations

from typing import Any

import pytest

from attio_console.errors import InvalidValue, NoSuchThing
from attio_console.model.clock import SystemClock
from attio_console.store.types import ConflictRow
from attio_console.sync import kinds
from attio_console.sync.resolve import Resolver
from tests.engine.crm.conftest import Linked


def resolver(linked: Linked) -> Resolver:
    return Resolver(linked.store, linked.bus, SystemClock())


def conflict(linked: Linked, system: str, slug: str) -> ConflictRow:
    return next(
        row
        for row in linked.open_conflicts(kinds.FIELD)
        if row.system == system and [f["slug"] for f in row.fields] == [slug]
    )


async def after_everything(linked: Linked, row: ConflictRow) -> None:
    await linked.until(lambda: linked.store.outbox.depth().pending == 0)
    await linked.quiet()
    assert row.pair_id is not None


async def test_taking_attio_writes_one_field_there_and_nothing_here(linked: Linked) -> None:
    row = conflict(linked, "hubspot", "phone_numbers")
    seq = await linked.control.seq()
    attio = row.fields[0]["attio"]
    [planned] = resolver(linked).preview(row, {"phone_numbers": "attio"})
    assert (planned.system, planned.record_id, planned.after) == ("hubspot", row.external_id, attio)
    await resolver(linked).apply(row, {"phone_numbers": "attio"})
    await after_everything(linked, row)
    held = await linked.dump("hubspot", "contacts")
    assert held[row.external_id]["phone"] == attio[0]
    written = await linked.writes("hubspot", seq)
    assert [w["body"]["properties"] for w in written] == [{"phone": attio[0]}]
    assert await linked.writes("attio", seq) == []
    assert linked.store.pairs.bases(row.pair_id or 0)["phone_numbers"].items == attio
    assert linked.store.conflicts.for_pair(row.pair_id or 0) == []


async def test_taking_the_other_side_writes_here_and_nothing_there(linked: Linked) -> None:
    row = conflict(linked, "salesforce", "job_title")
    seq = await linked.control.seq()
    external = row.fields[0]["external"]
    await resolver(linked).apply(row, {"job_title": "external"})
    await after_everything(linked, row)
    assert linked.value("people", row.record_id, "job_title") == external
    assert await linked.writes("salesforce", seq) == []
    assert len(await linked.writes("attio", seq)) == 1


async def test_a_value_of_ones_own_goes_to_both_sides(linked: Linked) -> None:
    row = conflict(linked, "salesforce", "job_title")
    await resolver(linked).apply(row, {"job_title": {"set": ["Admiral"]}})
    await after_everything(linked, row)
    held = await linked.dump("salesforce", "Contact")
    assert held[row.external_id]["Title"] == "Admiral"
    assert linked.value("people", row.record_id, "job_title") == ["Admiral"]
    assert linked.store.pairs.bases(row.pair_id or 0)["job_title"].items == ["Admiral"]


async def test_undo_takes_both_sides_back_and_asks_again(linked: Linked) -> None:
    row = conflict(linked, "hubspot", "stage")
    attio, external = row.fields[0]["attio"], row.fields[0]["external"]
    before = (await linked.dump("hubspot", "deals"))[row.external_id]["dealstage"]
    await resolver(linked).apply(row, {"stage": "attio"})
    await after_everything(linked, row)
    assert (await linked.dump("hubspot", "deals"))[row.external_id]["dealstage"] != before
    assert linked.store.pairs.bases(row.pair_id or 0)["stage"].items == attio
    report = await resolver(linked).undo(row)
    assert report.left == ()
    await after_everything(linked, row)
    assert (await linked.dump("hubspot", "deals"))[row.external_id]["dealstage"] == before
    again = linked.store.conflicts.for_pair(row.pair_id or 0)
    assert [(c.kind, c.fields[0]["attio"], c.fields[0]["external"]) for c in again] == [
        (kinds.FIELD, attio, external)
    ]
    assert "stage" not in linked.store.pairs.bases(row.pair_id or 0)
    with pytest.raises(NoSuchThing):
        await resolver(linked).undo(row)


async def test_undo_leaves_what_somebody_changed_since(linked: Linked) -> None:
    row = conflict(linked, "salesforce", "job_title")
    await resolver(linked).apply(row, {"job_title": {"set": ["Admiral"]}})
    await after_everything(linked, row)
    values = {"Title": "Captain"}
    await linked.control.post(
        "/edit", system="salesforce", object="Contact", id=row.external_id, values=values
    )
    await linked.rounds(2)
    await linked.until(lambda: linked.value("people", row.record_id, "job_title") == ["Captain"])
    report = await resolver(linked).undo(row)
    assert sorted(report.left) == ["attio job_title", "salesforce Title"]
    await linked.rounds(1)
    assert linked.value("people", row.record_id, "job_title") == ["Captain"]


async def test_a_deleted_counterpart_can_be_followed_or_left(linked: Linked) -> None:
    [row] = linked.open_conflicts(kinds.DELETE)
    choices: dict[str, Any] = {kinds.RECORD: "external"}
    [planned] = resolver(linked).preview(row, choices)
    assert (planned.system, planned.record_id) == ("attio", row.record_id)
    await resolver(linked).apply(row, {kinds.RECORD: "attio"})
    await linked.rounds(2)
    assert linked.document("people", row.record_id) is not None
    assert linked.open_conflicts(kinds.DELETE) == []
    assert [p.state for p in linked.store.pairs.by_record(row.record_id, "hubspot")] == ["broken"]


async def test_a_double_that_is_kept_apart_is_not_asked_about_again(linked: Linked) -> None:
    [row] = linked.open_conflicts(kinds.DUPLICATE)
    await resolver(linked).apply(row, {kinds.RECORD: "both"})
    await linked.rounds(2)
    assert linked.open_conflicts(kinds.DUPLICATE) == []
    states = {p.external_id: p.state for p in linked.store.pairs.by_record(row.record_id, "hubspot")}
    assert states[row.external_id] == "rejected"
    assert sorted(states.values()) == ["confirmed", "rejected"]


async def test_every_decision_is_in_the_audit(linked: Linked) -> None:
    row = conflict(linked, "hubspot", "name")
    await resolver(linked).apply(row, {"name": "external"}, actor="jane")
    await after_everything(linked, row)
    lines = linked.store.audit.recent(20, record=row.record_id)
    assert any(
        line.action == "resolve" and line.actor == "jane" and line.after == row.fields[0]["external"]
        for line in lines
    )
    assert (await linked.store.audit.verify()).broken_at is None


async def test_what_was_never_compared_has_no_base_to_take(linked: Linked) -> None:
    row = conflict(linked, "hubspot", "phone_numbers")
    assert row.fields[0]["has_base"] is False
    with pytest.raises(InvalidValue, match="never compared"):
        await resolver(linked).apply(row, {"phone_numbers": "base"})
    assert linked.store.outbox.depth().pending == 0
