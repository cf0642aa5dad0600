"""Deals: what is being sold to whom, for how much, how far along."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from attio_console.sandbox.seed import words
from attio_console.sandbox.seed.chance import moment, pick_weighted, stream
from attio_console.sandbox.seed.rows import Options, Row

STAGES = ("Lead", "In Progress", "Won 🎉", "Lost")
"""The statuses of the deals object, in order."""
_WEIGHTS = (("Lead", 30), ("In Progress", 40), ("Won 🎉", 20), ("Lost", 10))


def make_deals(options: Options, members: int, companies: list[Row], people: list[Row]) -> list[Row]:
    """Return the deals, each with a company and mostly with somebody who works there."""
    random = stream(options.seed, "deals")
    staff: dict[str, list[Row]] = {}
    for person in people:
        for employer in person.links.get("company", ()):
            staff.setdefault(employer, []).append(person)
    rows = []
    for number in range(options.deals):
        company = random.choice(companies)
        row = _deal(random, options, number, members, company)
        row.links["associated_company"] = [company.key]
        contacts = staff.get(company.key, [])
        if contacts:
            chosen = random.sample(contacts, min(len(contacts), random.choice((1, 1, 2))))
            row.links["associated_people"] = [person.key for person in chosen]
            row.created_at = max(row.created_at, *(person.created_at for person in chosen))
        rows.append(row)
    return rows


def _deal(random: Random, options: Options, number: int, members: int, company: Row) -> Row:
    stage = pick_weighted(random, _WEIGHTS)
    made = max(moment(random, options.now, 1, 300), company.created_at)
    days = random.randrange(5, 160) if stage in STAGES[:2] else -random.randrange(1, 90)
    close = (options.now + timedelta(days=days)).date()
    values = {
        "name": f"{company.values['name'][:60]} – {random.choice(words.DEAL_SUBJECTS)}",
        "stage": stage,
        "owner": random.randrange(members),
        "close_date": close.isoformat(),
    }
    if random.random() < 0.92:
        values["value"] = _amount(random)
    return Row(f"deals:{number}", made, random.randrange(members), values)


def _amount(random: Random) -> float | int:
    size = random.choice((1_000, 5_000, 5_000, 20_000, 100_000))
    amount = size * random.randrange(1, 20) // 2
    return amount + 0.5 if random.random() < 0.05 else amount
