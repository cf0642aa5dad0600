"""People like life: names of two dozen countries, several addresses or none, numbers that could be called."""

from __future__ import annotations

from random import Random
from typing import Any

from attio_console.sandbox.seed import words
from attio_console.sandbox.seed.chance import moment, phone, pick_culture, pick_weighted, stream
from attio_console.sandbox.seed.companies import location
from attio_console.sandbox.seed.cultures import Culture
from attio_console.sandbox.seed.rows import Options, Row

ODDITIES: tuple[tuple[str, str, str], ...] = (
    ("Zoë 🌻", "Okafor", "zoe.okafor"),
    (
        "María de los Ángeles Guadalupe Inmaculada",
        "Fernández de Córdoba y Álvarez de Toro",
        "maria.guadalupe",
    ),
    ("[red]Rik[/red]", "van Markup", "rik.vanmarkup"),
    ("محمد", "בן־דוד", "mixed.directions"),
    ("X Æ", "O", "x.ae"),
    ("Nguyễn", "", "nguyen"),
    ("🏳️‍🌈 Sam", "Ó Súilleabháin", "sam.osuilleabhain"),
    ("Jean\u2011Pierre", "D’Arc", "jp.darc"),
)
"""People who have broken somebody's screen: 80 characters, emoji, two directions, markup, one name only."""


def make_people(
    options: Options, members: int, cultures: list[Culture], domains: list[str], companies: list[Row]
) -> list[Row]:
    """Return the people; most of them work at one of the companies."""
    random = stream(options.seed, "people")
    taken: set[str] = set()
    rows: list[Row] = []
    for number in range(options.people):
        employer = random.randrange(len(companies)) if random.random() < 0.86 else None
        culture = (
            cultures[employer] if employer is not None and random.random() < 0.7 else pick_culture(random)
        )
        first, last, local = _name(random, culture, number)
        values: dict[str, Any] = {"name": _personal_name(first, last, culture)}
        domain = domains[employer] if employer is not None else "mail.example"
        addresses = _addresses(random, local, domain, taken)
        if addresses:
            values["email_addresses"] = addresses
        _contact(random, culture, values)
        _rest(random, local, values)
        row = Row(f"people:{number}", moment(random, options.now, 1, 700), random.randrange(members), values)
        if employer is not None:
            row.links["company"] = [f"companies:{employer}"]
            row.created_at = max(row.created_at, companies[employer].created_at)
        rows.append(row)
    return rows


def _name(random: Random, culture: Culture, number: int) -> tuple[str, str, str]:
    if number % 6 == 5 and number // 6 < len(ODDITIES):
        return ODDITIES[number // 6]
    first, first_latin = random.choice(culture.given)
    last, last_latin = random.choice(culture.family)
    if random.random() < 0.04:
        other, _ = random.choice(culture.family)
        last = f"{last}-{other}" if other != last else last
    return first, last, f"{first_latin}.{last_latin}"


def _personal_name(first: str, last: str, culture: Culture) -> dict[str, str]:
    if culture.family_first and last:
        # Han, kana and hangul join the two names; Vietnamese keeps them apart.
        gap = "" if first[0] >= "\u3000" else " "
        return {"first_name": first, "last_name": last, "full_name": f"{last}{gap}{first}"}
    return {"first_name": first, "last_name": last, "full_name": f"{first} {last}".strip()}


def _addresses(random: Random, local: str, domain: str, taken: set[str]) -> list[str]:
    if random.random() < 0.06:
        return []
    address, number = f"{local}@{domain}", 2
    while address in taken:
        address, number = f"{local}{number}@{domain}", number + 1
    addresses = [address]
    if random.random() < 0.12:
        addresses.append(address.replace("@", "+crm@"))
    if random.random() < 0.05:
        addresses.append(f"{local}.{random.randrange(1950, 2006)}@home.example")
    unique = [a for a in addresses if a not in taken]
    taken.update(unique)
    return unique


def _contact(random: Random, culture: Culture, values: dict[str, Any]) -> None:
    if random.random() < 0.72:
        numbers = [phone(random, culture)]
        if random.random() < 0.1:
            numbers.append(phone(random, culture))
        values["phone_numbers"] = list(dict.fromkeys(numbers))
    if random.random() < 0.55:
        values["primary_location"] = location(random, culture)


def _rest(random: Random, local: str, values: dict[str, Any]) -> None:
    if random.random() < 0.88:
        values["job_title"] = pick_weighted(random, words.JOBS)
    if random.random() < 0.35:
        values["tags"] = random.sample(words.TAGS, random.choice((1, 1, 1, 2, 3)))
    if random.random() < 0.5:
        values["linkedin"] = f"https://linkedin.com/in/{local.replace('.', '-')}"
    if random.random() < 0.12:
        values["twitter"] = f"https://x.com/{local.replace('.', '_')}"
    if random.random() < 0.2:
        values["description"] = random.choice(words.NOTE_LINES)
