"""A whole world from the seed: the Attio workspace, its copies in the other systems, and where they differ."""

from __future__ import annotations

from datetime import datetime

from attio_console.sandbox.attio import crowd
from attio_console.sandbox.seed.activities import make_notes, make_tasks
from attio_console.sandbox.seed.copies import make_copies
from attio_console.sandbox.seed.data import ACTIVE_MEMBERS, MEMBERS, make_data
from attio_console.sandbox.seed.deals import make_deals
from attio_console.sandbox.seed.differences import Difference, Seeded
from attio_console.sandbox.seed.drift import drift
from attio_console.sandbox.seed.pipelines import make_entries
from attio_console.sandbox.seed.rows import Options, Row, SeedData
from attio_console.sandbox.seed.sources import Sources
from attio_console.sandbox.seed.workspace import Loader
from attio_console.sandbox.world import Workspace, World

STORED = 20_000
"""More people than these are computed when asked for instead of being kept."""


def populate(world: World, workspace: Workspace, options: Options) -> list[Difference]:
    """Fill the workspace, HubSpot and Salesforce, and return the differences between them."""
    loader = Loader(workspace, list(MEMBERS))
    loader.schema()
    sources = Sources(workspace, options.copied)
    if options.people > STORED:
        data = _crowd(loader, options, sources)
    else:
        data = make_data(options)
        loader.records("companies", data.companies)
        loader.records("people", data.people)
    loader.records("deals", data.deals)
    loader.entries(data.entries)
    loader.notes(data.notes)
    loader.tasks(data.tasks)
    copies = make_copies(world, workspace, sources)
    seeded = world.part(Seeded)
    seeded.differences = drift(world, workspace, sources, copies)
    return seeded.differences


def _crowd(loader: Loader, options: Options, sources: Sources) -> SeedData:
    """Fill the workspace with computed people and companies; deals, entries and the rest are made for the oldest."""
    crowd.populate(loader.workspace, options.people)
    numbers = {source.id: number for number, source in enumerate(sources.companies)}
    companies = [
        Row(f"companies:{n}", source.created_at, 0, {"name": source.get("name")})
        for n, source in enumerate(sources.companies)
    ]
    people = []
    for number, source in enumerate(sources.people):
        row = Row(f"people:{number}", source.created_at, 0, {})
        if source.get("company") in numbers:
            row.links["company"] = [f"companies:{numbers[source.get('company')]}"]
        people.append(row)
    for kind, found in (("companies", sources.companies), ("people", sources.people)):
        loader.ids |= {f"{kind}:{n}": source.id for n, source in enumerate(found)}
    small = Options(options.now, options.seed, STORED)
    deals = make_deals(small, ACTIVE_MEMBERS, companies, people)
    entries = make_entries(small, ACTIVE_MEMBERS, people, companies, deals)
    rows = [*people, *companies, *deals]
    notes, tasks = make_notes(small, ACTIVE_MEMBERS, rows), make_tasks(small, ACTIVE_MEMBERS, rows)
    return SeedData(options, list(MEMBERS), people, companies, deals, entries, notes, tasks)


def options_for(world: World, people: int, now: datetime | None = None) -> Options:
    """Return the options of a world: its seed, and the beginning of its day, so that only dates differ from day to day."""
    today = (now or world.clock.now()).replace(hour=0, minute=0, second=0, microsecond=0)
    return Options(today, world.seed, people)
