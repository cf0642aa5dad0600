from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from attio_console.model.clock import SystemClock
from attio_console.sync.crm_context import load_context
from attio_console.sync.plan import make_plan
from attio_console.sync.resolve import Resolver
from attio_console.sync.verify import verify
from tests.engine.conftest import Control
from tests.engine.crm.conftest import Linked, linked_console, written_fields

if TYPE_CHECKING:
    from attio_console.sandbox import Sandbox


async def fault(control: Control, **rule: Any) -> None:
    await control.post("/faults", rules=[rule])


async def test_a_write_whose_answer_is_lost_is_made_once(linked: Linked, control: Control) -> None:
    for system, path in (("hubspot", "batch/update"), ("salesforce", "sobjects")):
        pair = linked.pair_of(system, "people")
        seq = await control.seq()
        method = "POST" if system == "hubspot" else "PATCH"
        await fault(control, system=system, method=method, path=path, count=1, action="commit_then_reset")
        await control.post(
            "/edit",
            system="attio",
            object="people",
            id=pair.record_id,
            values={"job_title": f"Once {system}"},
        )
        await linked.until(
            lambda pair=pair, system=system: (
                linked.store.pairs.bases(pair.id)["job_title"].items == [f"Once {system}"]
            )
        )  # type: ignore[misc]
        await control.no_faults()
        bodies = [w for w in await linked.writes(system, seq) if f"Once {system}" in str(w["body"])]
        kind = {"hubspot": ("contacts", "jobtitle"), "salesforce": ("Contact", "Title")}[system]
        assert (await linked.dump(system, kind[0]))[pair.external_id][kind[1]] == f"Once {system}"
        # Sent again, perhaps, where that changes nothing; never as another value.
        assert 1 <= len(bodies) <= 2


async def test_failing_answers_are_waited_out_and_nothing_is_lost(linked: Linked, control: Control) -> None:
    pair = linked.pair_of("hubspot", "people")
    await fault(control, system="hubspot", count=6, action="status", status=503)
    await control.post(
        "/edit", system="attio", object="people", id=pair.record_id, values={"job_title": "Patient"}
    )
    await linked.until(lambda: linked.store.pairs.bases(pair.id)["job_title"].items == ["Patient"], 60)


async def test_the_plan_of_a_first_sync_is_exactly_what_is_then_written(
    sandbox: Sandbox, control: Control, tmp_path: Path
) -> None:
    async with linked_console(sandbox, tmp_path / "data", control, accepted=False) as linked:
        await linked.live()
        await linked.quiet(60)
        assert await linked.writes("hubspot") == []
        planned: dict[str, list[tuple[str, str, Any]]] = {}
        for link in linked.engine.links:
            assert link.sync is not None
            plan = await make_plan(linked.store, load_context(linked.store, link.system), link.sync.client)
            assert plan.pairs == linked.store.pairs.count(link.system)
            planned[link.system] = [(w.record_id, w.field, w.after) for w in plan.writes]
            assert bool(plan.writes) == bool(plan.costs)
            await link.sync.accept()
        await linked.until(
            lambda: (
                not linked.store.outbox.items(("pending", "sending"))
                and bool(linked.store.outbox.items(("confirmed",)))
            )
        )
        await linked.rounds(1)
        for system, wanted in planned.items():
            written = [
                (w["id"], name, value)
                for w in await linked.writes(system)
                for name, value in written_fields(w).items()
            ]
            assert sorted(written) == sorted(wanted)
        assert planned["hubspot"]


async def test_a_console_that_starts_again_finds_everything_as_it_was(
    sandbox: Sandbox, control: Control, tmp_path: Path
) -> None:
    async with linked_console(sandbox, tmp_path / "data", control) as first:
        await first.live()
        await first.quiet(60)
        pairs = first.store.pairs.count("hubspot")
        queue = [(c.id, c.kind, c.revision) for c in first.open_conflicts()]
        row = next(c for c in first.open_conflicts("field") if c.system == "hubspot")
        slug = row.fields[0]["slug"]
    seq = await control.seq()
    async with linked_console(sandbox, tmp_path / "data", control) as second:
        # Decided before anything could be sent, as on a train.
        await Resolver(second.store, second.bus, SystemClock()).apply(row, {slug: "attio"})
        await second.live()
        await second.quiet(60)
        assert second.store.pairs.count("hubspot") == pairs
        assert [(c.id, c.kind, c.revision) for c in second.open_conflicts()] == [
            q for q in queue if q[0] != row.id
        ]
        assert len(await second.writes("hubspot", seq)) == 1
        assert await second.writes("salesforce", seq) == []


async def test_after_a_storm_every_difference_is_named(linked: Linked, control: Control) -> None:
    import random

    dice = random.Random(7)
    people = list(linked.store.pairs.list("hubspot", object_key="people", state="confirmed", limit=500))
    await fault(control, system="hubspot", probability=0.1, action="status", status=502)
    for number in range(60):
        pair = dice.choice(people)
        value = dice.choice(["Cook", "Admiral", "Poet", ""])
        if linked.document("people", pair.record_id) is None or linked.store.conflicts.for_pair(pair.id):
            continue
        if number % 2:
            await control.post(
                "/edit", system="attio", object="people", id=pair.record_id, values={"job_title": value or []}
            )
        else:
            await control.post(
                "/edit", system="hubspot", object="contacts", id=pair.external_id, values={"jobtitle": value}
            )
    await control.no_faults()
    await linked.rounds(3)
    await linked.until(lambda: linked.store.outbox.depth().pending == 0, 60)
    await linked.rounds(2)
    for link in linked.engine.links:
        assert link.sync is not None
        context = load_context(linked.store, link.system)
        report = await verify(linked.store, context, client=link.sync.client, attio=linked.engine.attio)
        assert report.unnamed == []
