"""Companies like life: many countries, some scripts, a few that break narrow columns."""

from __future__ import annotations

import re
from random import Random
from typing import Any

from attio_console.sandbox.seed import words
from attio_console.sandbox.seed.chance import fill, moment, pick_culture, stream
from attio_console.sandbox.seed.cultures import Culture, Town
from attio_console.sandbox.seed.rows import Options, Row

LONGEST = "Vereinigte Donaudampfschifffahrts- und Getreideumschlagsgesellschaft Regensburg"
ODDITIES = (
    LONGEST.ljust(80, "!"),
    "[bold]Brackets[/bold] & Söhne",
    "Ünïcödé 🚀 Rockets",
    "Müller; DROP TABLE companies;--",
    "\u202eright-to-left\u202c Ltd",
    "👩‍👩‍👧‍👦 Family Foods",
    "ﷺ ﷽ Calligraphy",
    "A",
)
"""Names that have broken somebody's screen; they take the first places, for everybody to meet."""


def make_companies(options: Options, members: int) -> tuple[list[Row], list[Culture], list[str]]:
    """Return the companies, the country of each and its domain."""
    random = stream(options.seed, "companies")
    taken: set[str] = set()
    rows, cultures, domains = [], [], []
    for number in range(options.companies):
        culture = pick_culture(random)
        name, slug = _name(random, culture, number)
        domain = _domain(slug, taken)
        values = _values(random, options, culture, name, domain)
        made = moment(random, options.now, 20, 900)
        rows.append(Row(f"companies:{number}", made, random.randrange(members), values))
        cultures.append(culture)
        domains.append(domain)
    return rows, cultures, domains


def location(random: Random, culture: Culture, town: Town | None = None) -> dict[str, str | None]:
    """Draw an address in Attio's ten keys."""
    town = town or random.choice(culture.towns)
    return {
        "line_1": _street(random, culture, random.choice(town.streets)),
        "line_2": random.choice((None, None, None, f"Floor {random.randrange(1, 30)}")),
        "line_3": None,
        "line_4": None,
        "locality": town.name,
        "region": town.region,
        "postcode": fill(random, town.postcode),
        "country_code": culture.country,
        "latitude": town.latitude,
        "longitude": town.longitude,
    }


def _street(random: Random, culture: Culture, street: str) -> str:
    number = random.randrange(1, 240)
    if culture.country in {"US", "GB", "FR", "IN", "IL", "ZA", "NG", "VN", "AE"}:
        return f"{number} {street}"
    return f"{street} {number}"


def _name(random: Random, culture: Culture, number: int) -> tuple[str, str]:
    stem, trade = random.choice(words.STEMS), random.choice(words.TRADES)
    latin = f"{stem}{trade}"
    # Every fourth oddity, so that the first screen is not a freak show.
    if number % 4 == 3 and number // 4 < len(ODDITIES):
        return ODDITIES[number // 4], f"oddity{number // 4}"
    local = words.LOCAL_STEMS.get(culture.country)
    if local and random.random() < 0.45:
        return f"{random.choice(local)} {random.choice((random.choice(culture.suffixes), trade))}", latin
    style = random.random()
    if style < 0.35:
        return f"{stem} {trade}", latin
    if style < 0.75:
        return f"{stem} {trade} {random.choice(culture.suffixes)}", latin
    if style < 0.85:
        return f"{stem}{trade.lower()}", latin
    return f"{stem} & {random.choice(words.STEMS)} {random.choice(culture.suffixes)}", latin


def _domain(slug: str, taken: set[str]) -> str:
    base = re.sub(r"[^a-z0-9]", "", slug.lower())
    domain, number = f"{base}.example", 2
    while domain in taken:
        domain, number = f"{base}-{number}.example", number + 1
    taken.add(domain)
    return domain


def _values(random: Random, options: Options, culture: Culture, name: str, domain: str) -> dict[str, Any]:
    site = domain.removesuffix(".example")
    values: dict[str, Any] = {"name": name, "domains": [domain]}
    if random.random() < 0.08:
        values["domains"].append(f"{site}-group.example")
    trade = random.choice(words.TRADES).lower()
    if random.random() < 0.8:
        values["description"] = random.choice(words.TAG_LINES).format(trade=trade).capitalize()
    if random.random() < 0.85:
        values["categories"] = random.sample(words.CATEGORIES, random.randrange(1, 4))
    if random.random() < 0.85:
        values["primary_location"] = location(random, culture)
    if random.random() < 0.75:
        values["employee_range"] = random.choice(words.EMPLOYEE_RANGES)
    if random.random() < 0.4:
        values["foundation_date"] = (
            f"{random.randrange(1950, options.now.year)}-{random.randrange(1, 13):02d}-01"
        )
    if random.random() < 0.3:
        values["funding_raised_usd"] = random.randrange(1, 900) * 250_000
    if random.random() < 0.6:
        values["linkedin"] = f"https://linkedin.com/company/{site}"
    return values
