"""The whole seed workspace from its options: a pure function, the same rows for the same seed."""

from __future__ import annotations

from attio_console.sandbox.seed.activities import make_notes, make_tasks
from attio_console.sandbox.seed.companies import make_companies
from attio_console.sandbox.seed.deals import make_deals
from attio_console.sandbox.seed.people import make_people
from attio_console.sandbox.seed.pipelines import make_entries
from attio_console.sandbox.seed.rows import MemberRow, Options, SeedData

MEMBERS: tuple[MemberRow, ...] = (
    MemberRow("Ada", "Okonkwo", "ada@northwind.example", "admin"),
    MemberRow("Björn", "Håkansson", "bjorn@northwind.example"),
    MemberRow("Chiara", "D'Amico", "chiara@northwind.example"),
    MemberRow("Đặng", "Minh Anh", "minhanh@northwind.example"),
    MemberRow("Elif", "Yılmaz", "elif@northwind.example"),
    MemberRow("Fergus", "MacLeod", "fergus@northwind.example", "admin"),
    MemberRow("美咲", "高橋", "misaki@northwind.example"),
    MemberRow("Hadiza", "Bello", "hadiza@northwind.example", "suspended"),
)
ACTIVE_MEMBERS = 7
"""The last colleague has left: suspended, owner of nothing."""


def make_data(options: Options) -> SeedData:
    """Return members, people, companies, deals, entries, notes and tasks."""
    companies, cultures, domains = make_companies(options, ACTIVE_MEMBERS)
    people = make_people(options, ACTIVE_MEMBERS, cultures, domains, companies)
    deals = make_deals(options, ACTIVE_MEMBERS, companies, people)
    entries = make_entries(options, ACTIVE_MEMBERS, people, companies, deals)
    rows = [*people, *companies, *deals]
    notes = make_notes(options, ACTIVE_MEMBERS, rows)
    tasks = make_tasks(options, ACTIVE_MEMBERS, rows)
    return SeedData(options, list(MEMBERS), people, companies, deals, entries, notes, tasks)
