from __future__ import annotations

from typing import Any

from attio_console.sync import kinds
from attio_console.sync.crm_context import load_context
from attio_console.sync.verify import verify
from tests.engine.crm.conftest import Linked, is_stamp


async def differences(linked: Linked) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await linked.control.get("/differences")
    return found


async def test_every_seeded_difference_is_asked_about_or_filled(linked: Linked) -> None:
    rows = linked.open_conflicts()
    for difference in await differences(linked):
        mine = [
            row
            for row in rows
            if row.system == difference["system"]
            and difference["external_id"] in {row.external_id, *difference["other_external_ids"]}
        ]
        mine += [row for row in rows if row.record_id == difference["attio_record_id"]]
        if not difference["counts"]:
            assert not mine, difference
        elif difference["kind"] == "blank":
            held = await linked.dump(difference["system"], difference["external_object"])
            assert held[difference["external_id"]]["jobtitle"] == difference["attio_value"]
        else:
            assert mine, difference
            if difference["field"] and mine[0].kind == kinds.FIELD:
                assert [f["slug"] for f in mine[0].fields] == [difference["field"]]
                assert mine[0].fields[0]["attio_by"]
                assert mine[0].fields[0]["external_by"]


async def test_only_the_blank_was_written_anywhere(linked: Linked) -> None:
    hubspot = [w for w in await linked.writes("hubspot") if not is_stamp(w)]
    assert [list(w["body"]["properties"]) for w in hubspot] == [["jobtitle"]]
    assert [w for w in await linked.writes("salesforce") if not is_stamp(w)] == []
    assert [w for w in await linked.writes("attio") if "webhook" not in w["path"]] == []


async def test_nothing_more_is_written_when_nothing_changes(linked: Linked) -> None:
    before = {s: len(await linked.writes(s)) for s in ("attio", "hubspot", "salesforce")}
    conflicts = [(c.id, c.revision) for c in linked.open_conflicts()]
    await linked.rounds(3)
    assert {s: len(await linked.writes(s)) for s in before} == before
    assert [(c.id, c.revision) for c in linked.open_conflicts()] == conflicts


async def test_a_verification_names_every_difference(linked: Linked) -> None:
    for link in linked.engine.links:
        assert link.sync is not None
        context = load_context(linked.store, link.system)
        report = await verify(linked.store, context, client=link.sync.client, attio=linked.engine.attio)
        assert report.unnamed == []
        assert report.pairs == linked.store.pairs.count(link.system)
        assert report.agreed + len({d.pair_id for d in report.differences}) == report.pairs
