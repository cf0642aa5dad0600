"""A rule made from a conflict: looked at first, written, obeyed by the engine that runs, and taken back in one step."""

from __future__ import annotations

from pathlib import Path

from attio_console.model.clock import SystemClock
from attio_console.model.merge import Rule
from attio_console.services.console import Console
from attio_console.sync import kinds
from attio_console.sync.mapping_edit import own_mapping
from attio_console.sync.mapping_file import read_mapping
from tests.engine.crm.conftest import Linked
from tests.engine.crm.test_resolving import conflict

SLUG = "job_title"


def console(linked: Linked) -> Console:
    profile = linked.engine.profile
    return Console(profile, linked.store, linked.bus, linked.engine, SystemClock(), read_only=False)


def rule_in_file(path: Path) -> Rule:
    mapping = read_mapping(path).object("people", "Contact")
    assert mapping is not None
    field = mapping.field(SLUG)
    assert field is not None
    return field.rule


async def differ(linked: Linked, record_id: str, external_id: str, mark: str) -> None:
    """Let both sides change at the same time."""
    await linked.control.post(
        "/edit", system="salesforce", object="Contact", id=external_id, values={"Title": f"There {mark}"}
    )
    await linked.control.post(
        "/edit", system="attio", object="people", id=record_id, values={SLUG: f"Here {mark}"}
    )


async def test_a_rule_settles_what_it_said_is_obeyed_at_once_and_undone_in_one_step(linked: Linked) -> None:
    verbs = console(linked)
    row = conflict(linked, "salesforce", SLUG)
    path = own_mapping(linked.store.directory, "salesforce")
    before = {c.id: c for c in linked.open_conflicts()}

    plan = await verbs.preview_rule(row.id, SLUG, "attio")
    assert plan.generated and not path.exists()
    assert row.id in plan.settles
    about = [c for c in before.values() if c.kind == kinds.FIELD and c.system == "salesforce"]
    same = [c for c in about if c.external_type == "Contact" and SLUG in [f["slug"] for f in c.fields]]
    assert len(plan.settles) + plan.partly + plan.left == len(same)
    assert {write.system for write in plan.writes} == {"salesforce"}
    assert len(plan.writes) == len(plan.settles)

    done = await verbs.make_rule(row.id, SLUG, "attio")
    assert done.count == len(plan.settles)
    assert rule_in_file(path) is Rule.ATTIO
    await linked.until(lambda: linked.store.outbox.depth().pending == 0)
    await linked.rounds(1)
    held = await linked.dump("salesforce", "Contact")
    for number in plan.settles:
        settled = before[number]
        assert held[settled.external_id]["Title"] == linked.value("people", settled.record_id, SLUG)[0]

    pair = linked.pair_of(
        "salesforce", "people", fits=lambda p: bool(linked.value("people", p.record_id, SLUG))
    )
    await differ(linked, pair.record_id, pair.external_id, "one")
    await linked.rounds(2)
    await linked.until(lambda: linked.value("people", pair.record_id, SLUG) == ["Here one"])
    await linked.until(lambda: linked.store.outbox.depth().pending == 0)
    await linked.rounds(1)
    assert (await linked.dump("salesforce", "Contact"))[pair.external_id]["Title"] == "Here one"
    assert not [c for c in linked.store.conflicts.for_pair(pair.id) if c.kind == kinds.FIELD]

    told = await verbs.undo()
    assert told.message.startswith("Undone: Job title of people with Salesforce: Attio wins.")
    assert rule_in_file(path) is Rule.MANUAL
    await linked.until(lambda: linked.store.outbox.depth().pending == 0)
    await linked.rounds(1)
    held = await linked.dump("salesforce", "Contact")
    for number in plan.settles:
        assert held[before[number].external_id]["Title"] == before[number].fields[0]["external"][0]
    await differ(linked, pair.record_id, pair.external_id, "two")
    await linked.until(
        lambda: any(c.kind == kinds.FIELD for c in linked.store.conflicts.for_pair(pair.id)), 30
    )


async def test_the_rule_is_there_after_a_restart(linked: Linked) -> None:
    verbs = console(linked)
    row = conflict(linked, "salesforce", SLUG)
    await verbs.make_rule(row.id, SLUG, "external")
    link = next(one for one in linked.engine.links if one.system == "salesforce")
    mapping = link.mapping()
    assert mapping is not None
    people = mapping.object("people", "Contact")
    assert people is not None
    assert next(f for f in people.fields if f.attio == SLUG).rule is Rule.EXTERNAL
