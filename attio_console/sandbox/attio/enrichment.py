"""What Attio finds out by itself: shortly after a company or person is made, actor `system` fills in details.

A value that somebody set stays. What is found depends on the domain alone, so a seed gives the same again.
"""

from __future__ import annotations

import zlib
from random import Random

from attio_console.sandbox.attio.coerce import Data
from attio_console.sandbox.attio.standard import CATEGORIES, EMPLOYEE_RANGES
from attio_console.sandbox.attio.state import Attribute, Container, Crm, Object, Row
from attio_console.sandbox.attio.transaction import Transaction
from attio_console.sandbox.attio.values import first
from attio_console.sandbox.attio.words import FREE_MAIL
from attio_console.sandbox.world import SYSTEM, Event

_PLACES = (
    ("London", "England", "GB"),
    ("Berlin", None, "DE"),
    ("New York", "New York", "US"),
    ("San Francisco", "California", "US"),
    ("Amsterdam", None, "NL"),
    ("Paris", None, "FR"),
    ("Toronto", "Ontario", "CA"),
)
_TITLES = (
    "Head of Operations",
    "Account Executive",
    "VP Finance",
    "Product Manager",
    "Founder",
    "Sales Director",
)


def watch(crm: Crm) -> None:
    """Enrich what is created from now on."""

    def created(event: Event) -> None:
        target = crm.objects.get(event.id.get("object_id", ""))
        settings = crm.world.settings
        if event.event_type != "record.created" or target is None or not settings.enrichment:
            return
        if target.kind in {"people", "companies"}:
            row_id = event.id["record_id"]
            crm.world.clock.later(settings.enrichment_delay_s, lambda: enrich(crm, target, row_id))

    crm.workspace.events.subscribe(created)


def enrich(crm: Crm, target: Object, row_id: str) -> None:
    """Fill in what is empty and can be found."""
    if target.table.get(row_id) is None:
        return
    transaction = Transaction(crm, SYSTEM)
    row = transaction.row(target, row_id)
    assert row is not None
    found = _company(target, row) if target.kind == "companies" else _person(target, row)
    for slug, data in found.items():
        attribute = target.attribute(slug)
        if attribute is not None and not attribute.is_archived and not row.get(attribute.id):
            values = [data] if isinstance(data, dict) else data
            if values:
                transaction.assign(target, row, attribute, values)
    transaction.commit()


def _company(companies: Container, row: Row) -> dict[str, Data | list[Data]]:
    data = first(companies, row, "domains")
    if data is None:
        return {}
    domain: str = data["domain"]
    name = data["root_domain"].split(".", 1)[0]
    chance = Random(zlib.crc32(domain.encode()))
    locality, region, country = chance.choice(_PLACES)
    return {
        "name": {"value": name.replace("-", " ").title()},
        "description": {"value": f"{name.title()} builds software for {chance.choice(CATEGORIES)} teams."},
        "categories": _options(companies.attribute("categories"), chance.sample(CATEGORIES, 2)),
        "primary_location": _place(locality, region, country),
        "logo_url": {"value": f"https://logos.attio.com/{domain}"},
        "linkedin": {"value": f"https://linkedin.com/company/{name}"},
        "twitter": {"value": f"https://x.com/{name}"},
        "employee_range": _options(companies.attribute("employee_range"), [chance.choice(EMPLOYEE_RANGES)]),
        "foundation_date": {"value": f"{chance.randint(1975, 2023)}-01-01"},
    }


def _person(people: Container, row: Row) -> dict[str, Data | list[Data]]:
    data = first(people, row, "email_addresses")
    if data is None or data["email_root_domain"] in FREE_MAIL:
        return {}
    handle = data["email_local_specifier"].replace(".", "-")
    chance = Random(zlib.crc32(data["email_address"].encode()))
    return {
        "job_title": {"value": chance.choice(_TITLES)},
        "avatar_url": {"value": f"https://assets.attio.com/avatars/{handle}?size=50"},
        "linkedin": {"value": f"https://linkedin.com/in/{handle}"},
    }


def _options(attribute: Attribute | None, titles: list[str]) -> list[Data]:
    if attribute is None:
        return []
    return [{"option": o.id} for o in attribute.options.values() if o.title in titles and not o.is_archived]


def _place(locality: str, region: str | None, country: str) -> Data:
    return {
        "line_1": None,
        "line_2": None,
        "line_3": None,
        "line_4": None,
        "locality": locality,
        "region": region,
        "postcode": None,
        "country_code": country,
        "latitude": None,
        "longitude": None,
    }
