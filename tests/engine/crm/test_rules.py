from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attio_console.model.clock import SystemClock
from attio_console.model.merge import Blanks, Rule
from attio_console.sync import kinds
from attio_console.sync.crm_context import load_context
from attio_console.sync.mapping import Guards, Mapping
from attio_console.sync.mapping_file import write_mapping
from attio_console.sync.plan import make_plan
from attio_console.sync.resolve import Resolver
from tests.engine.conftest import Control
from tests.engine.crm.conftest import linked_console

if TYPE_CHECKING:
    from attio_console.sandbox import Sandbox


async def usual_mapping(sandbox: Sandbox, control: Control, directory: Path) -> Mapping:
    """Return the mapping that is made from both schemas."""
    async with linked_console(sandbox, directory, control, accepted=False, systems=("hubspot",)) as linked:
        await linked.live()
        await linked.quiet(60)
        return load_context(linked.store, "hubspot").mapping


def with_fields(mapping: Mapping, **more: Any) -> Mapping:
    objects = tuple(
        replace(one, fields=tuple(replace(f, **more) for f in one.fields)) for one in mapping.objects
    )
    return replace(mapping, objects=objects, first_sync="go")


async def test_newest_settles_at_once_and_the_loser_can_be_brought_back(
    sandbox: Sandbox, control: Control, tmp_path: Path
) -> None:
    mapping = with_fields(await usual_mapping(sandbox, control, tmp_path / "first"), rule=Rule.NEWEST)
    path = tmp_path / "mapping.toml"
    path.write_text(write_mapping(mapping))
    async with linked_console(
        sandbox, tmp_path / "data", control, systems=("hubspot",), mappings={"hubspot": path}
    ) as linked:
        await linked.live()
        await linked.quiet(60)
        await linked.rounds(1)
        assert linked.open_conflicts(kinds.FIELD) == []
        settled = linked.open_conflicts(kinds.SETTLED)
        assert settled
        row = next(c for c in settled if c.fields[0]["slug"] == "phone_numbers")
        assert row.fields[0]["suggestion"] == "external"
        assert linked.value("people", row.record_id, "phone_numbers")[:1] == row.fields[0]["external"]
        await Resolver(linked.store, linked.bus, SystemClock()).apply(row, {"phone_numbers": "attio"})
        await linked.until(lambda: linked.store.outbox.depth().pending == 0)
        await linked.rounds(1)
        assert linked.value("people", row.record_id, "phone_numbers")[:1] == row.fields[0]["attio"]
        held = await linked.dump("hubspot", "contacts")
        assert held[row.external_id]["phone"] == row.fields[0]["attio"][0]


async def test_a_cleared_field_clears_the_other_side_where_blanks_are_values(
    sandbox: Sandbox, control: Control, tmp_path: Path
) -> None:
    mapping = with_fields(await usual_mapping(sandbox, control, tmp_path / "first"), blanks=Blanks.CLEAR)
    path = tmp_path / "mapping.toml"
    path.write_text(write_mapping(mapping))
    async with linked_console(
        sandbox, tmp_path / "data", control, systems=("hubspot",), mappings={"hubspot": path}
    ) as linked:
        await linked.live()
        await linked.quiet(60)
        pair = linked.pair_of(
            "hubspot", "people", fits=lambda p: bool(linked.value("people", p.record_id, "job_title"))
        )
        await control.post(
            "/edit", system="attio", object="people", id=pair.record_id, values={"job_title": []}
        )
        await linked.until(lambda: linked.store.pairs.bases(pair.id)["job_title"].items == [])
        assert not (await linked.dump("hubspot", "contacts"))[pair.external_id].get("jobtitle")


async def test_missing_counterparts_are_created_once(
    sandbox: Sandbox, control: Control, tmp_path: Path
) -> None:
    usual = await usual_mapping(sandbox, control, tmp_path / "first")
    objects = tuple(
        replace(one, create_external="on" if one.attio == "companies" else "off") for one in usual.objects
    )
    mapping = replace(usual, objects=objects, first_sync="go", guards=Guards(min_writes=10_000))
    path = tmp_path / "mapping.toml"
    path.write_text(write_mapping(mapping))
    await control.post(
        "/faults",
        rules=[{"system": "hubspot", "path": "upsert", "count": 1, "action": "commit_then_reset"}],
    )
    for _ in range(2):
        # The second console finds everything there and makes nothing.
        async with linked_console(
            sandbox, tmp_path / "data", control, systems=("hubspot",), mappings={"hubspot": path}
        ) as linked:
            await linked.live()
            await linked.quiet(60)
            await linked.until(lambda linked=linked: linked.store.outbox.depth().pending == 0, 60)  # type: ignore[misc]
            await linked.rounds(1)
            companies = await linked.dump("hubspot", "companies")
            here = await control.dump("companies")
            keys = [c.get("attio_record_id") for c in companies.values() if c.get("attio_record_id")]
            assert len(keys) == len(set(keys))
            paired = {
                p.record_id
                for p in linked.store.pairs.list("hubspot", object_key="companies", limit=5000)
                if p.state == "confirmed"
            }
            assert paired == set(here)
            plan = await make_plan(linked.store, load_context(linked.store, "hubspot"))
            assert [line for line in plan.lines if line.action == "create"] == []
    await control.no_faults()


async def test_a_run_that_would_change_too_much_stops_and_asks(
    sandbox: Sandbox, control: Control, tmp_path: Path
) -> None:
    usual = await usual_mapping(sandbox, control, tmp_path / "first")
    mapping = replace(usual, first_sync="go", guards=Guards(max_share=0.01, min_writes=3))
    path = tmp_path / "mapping.toml"
    path.write_text(write_mapping(mapping))
    async with linked_console(
        sandbox, tmp_path / "data", control, systems=("hubspot",), mappings={"hubspot": path}
    ) as linked:
        await linked.live()
        await linked.quiet(60)
        seq = await control.seq()
        people = [linked.pair_of("hubspot", "people", n) for n in range(5)]
        await linked.engine.pause()
        for pair in people:
            await control.post(
                "/edit",
                system="hubspot",
                object="contacts",
                id=pair.external_id,
                values={"jobtitle": "Flooded"},
            )
        await linked.engine.resume()
        await linked.until(lambda: bool(linked.open_conflicts(kinds.GUARD)))
        assert [w for w in await linked.writes("attio", seq) if w["method"] in {"PATCH", "PUT"}] == []
        [row] = linked.open_conflicts(kinds.GUARD)
        await Resolver(linked.store, linked.bus, SystemClock()).apply(row, {})
        await linked.until(
            lambda: all(linked.store.pairs.bases(p.id)["job_title"].items == ["Flooded"] for p in people)
        )
