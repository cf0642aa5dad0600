"""The recipes of a large workspace: people at companies, each as rich as a live record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from attio_console.sandbox.attio.coerce import Data
from attio_console.sandbox.attio.population import Numbers, PopulatedTable
from attio_console.sandbox.attio.standard import CATEGORIES
from attio_console.sandbox.attio.state import Crm, Object, Row, Value
from attio_console.sandbox.world import SYSTEM, Actor, Workspace

TEAM = 10
"""How many people a company has."""
_SINCE = datetime(2016, 1, 1, tzinfo=UTC)
_SPAN_MS = int((datetime(2022, 12, 31, tzinfo=UTC) - _SINCE).total_seconds() * 1000)
_FIRST = (
    "Ada", "Bruno", "Chiara", "Dmitri", "Elif", "Fergus", "Grace", "Hadiza", "Ines", "Jonas", "Kenji", "Leila", "Maya", "Noor",
    "Oscar", "Priya", "Quentin", "Rosa", "Søren", "Tomás", "Ursula", "Viktor", "Wei", "Ximena", "Yusuf", "Zoë", "Amara", "Björn",
    "Céline", "Deniz", "Emeka",
)  # fmt: skip
_LAST = (
    "Lovelace", "Okafor", "Rossi", "Ivanov", "Yılmaz", "MacLeod", "Hopper", "Bello", "Santos", "Weber", "Tanaka", "Haddad",
    "Silva", "Khan", "Nilsson", "Sharma", "Dubois", "Jiménez", "Kierkegaard", "Novák", "Schmidt", "Petrov", "Zhang", "Torres",
    "Demir", "Keller", "Diallo", "Håkansson", "Laurent", "Aydın", "Eze", "Brown", "Murphy", "Costa", "Kim", "Nguyen", "Papadopoulos",
)  # fmt: skip
_START = (
    "bright",
    "north",
    "blue",
    "clear",
    "iron",
    "open",
    "quick",
    "solid",
    "green",
    "silver",
    "lumen",
    "rapid",
    "terra",
)
_END = ("works", "labs", "pay", "soft", "logic", "stack", "line", "grid", "point", "wave", "bridge")
_TITLES = (
    "VP Finance", "Account Executive", "Head of Operations", "Product Manager", "Founder", "Sales Director", "CTO", "Buyer",
    "Marketing Lead", "Controller", "Data Engineer", "Chief of Staff",
)  # fmt: skip
_PLACES = (
    ("London", "England", "GB", "+4420718%05d"),
    ("Berlin", "Berlin", "DE", "+493012%06d"),
    ("New York", "New York", "US", "+121255%05d"),
    ("Paris", "Île-de-France", "FR", "+3314212%04d"),
    ("Amsterdam", "Noord-Holland", "NL", "+312055%05d"),
)
_ASCII = str.maketrans("øáëöéıåúíç", "oaeoeiauic")


@dataclass(frozen=True, slots=True)
class Crowd:
    """What both recipes know: sizes, ids, members, when row number i was made."""

    crm: Crm
    people: Object
    companies: Object
    size: int
    members: tuple[str, ...]
    person_ids: Numbers
    company_ids: Numbers

    @property
    def firms(self) -> int:
        """How many companies there are."""
        return max(1, self.size // TEAM)

    def domain(self, firm: int) -> str:
        """Return the domain of a company."""
        return f"{self.name(firm).lower()}-{firm}.com"

    def name(self, firm: int) -> str:
        """Return the name of a company."""
        return f"{_START[firm % len(_START)].title()}{_END[firm // 7 % len(_END)]}"

    def firm_of(self, index: int) -> int | None:
        """Return the company of a person."""
        return index % self.firms if index < self.firms * TEAM else None


def moment(milliseconds: int) -> str:
    """Write milliseconds since the first record as Attio writes an instant."""
    days, rest = divmod(milliseconds, 86_400_000)
    seconds, thousandths = divmod(rest, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{_day(days)}T{hour:02d}:{minute:02d}:{second:02d}.{thousandths:03d}000000Z"


@lru_cache(maxsize=8192)
def _day(number: int) -> str:
    return (_SINCE + timedelta(days=number)).date().isoformat()


def created_ms(index: int, size: int) -> int:
    """Return when a row was made; some thousands were imported at a time, several in the same instant."""
    imported = index // 1000 % 3 == 0
    return _SPAN_MS * (index - index % 25 if imported else index) // size


def populate(workspace: Workspace, people: int) -> None:
    """Give a workspace that many computed people and a tenth as many companies; empty tables only."""
    crm = workspace.part(Crm)
    target, firms = crm.object("people"), crm.object("companies")
    assert target is not None and firms is not None and not len(target.table) and not len(firms.table)
    seed = workspace.world.seed
    members = tuple(workspace.members) or (workspace.id,)
    crowd = Crowd(crm, target, firms, people, members, Numbers(seed * 2 + 1), Numbers(seed * 2 + 2))
    target.table = PopulatedTable(crm, target, People(crowd), crowd.person_ids)
    firms.table = PopulatedTable(crm, firms, Companies(crowd), crowd.company_ids)


class _Build:
    """Fills a row attribute by attribute."""

    def __init__(
        self, target: Object, row_id: str, created_at: str, at: str, found: str, member: str
    ) -> None:
        self.row = Row(row_id, created_at, {})
        self._target = target
        self._at = at
        self._found = found
        self._author = Actor("workspace-member", member)

    def own(self, slug: str, *items: Data) -> None:
        """Set what a member wrote."""
        self._set(slug, self._at, self._author, items)

    def enriched(self, slug: str, *items: Data, at: str | None = None) -> None:
        """Set what Attio found out."""
        self._set(slug, at or self._found, SYSTEM, items)

    def _set(self, slug: str, at: str, actor: Actor, items: tuple[Data, ...]) -> None:
        attribute = self._target.attribute(slug)
        if attribute is not None:
            self.row.values[attribute.id] = tuple(Value(at, actor, item) for item in items)


class People:
    """Person number i."""

    def __init__(self, crowd: Crowd) -> None:
        self.size = crowd.size
        self._crowd = crowd
        self._at_firms = crowd.firms * TEAM
        strength = crowd.people.attribute("strongest_connection_strength")
        self._strengths = tuple(strength.options) if strength else ()

    def created(self, index: int) -> str:
        """Return the `created_at` value."""
        return moment(created_ms(index, self.size))

    def variant(self, index: int) -> int:
        """Return 1 for people at a company, plus 2 for those with a phone number, plus 4 for a second address."""
        firm = 1 if index < self._at_firms else 0
        return firm + (2 if index % 3 else 0) + (4 if index % 5 == 0 else 0)

    def fields(self, index: int) -> tuple[str, ...]:
        """Return what differs from person to person."""
        crowd = self._crowd
        made = created_ms(index, self.size)
        at = made + 130 + index * 7 % 11_000
        first, last = _FIRST[index % len(_FIRST)], _LAST[index // 3 % len(_LAST)]
        local = f"{first}.{last}.{index}".translate(_ASCII).lower()
        firm = crowd.firm_of(index)
        domain = "gmail.com" if firm is None else crowd.domain(firm)
        locality, region, country, phone = _PLACES[index // 11 % len(_PLACES)]
        title = _TITLES[index // 5 % len(_TITLES)]
        return (
            crowd.person_ids.id(index),
            moment(at),
            moment(at + 252),
            moment(made),
            first,
            last,
            f"{first} {last}",
            local,
            f"{local}@{domain}",
            domain,
            "" if firm is None else crowd.company_ids.id(firm),
            crowd.members[index % len(crowd.members)],
            phone % (index % 10 ** int(phone[-2])),
            country,
            title,
            f"{title} with {index % 23 + 2} years in the field, mostly in {locality}.",
            locality,
            region,
            moment(at + 86_400_000),
            moment(at + 86_400_000 * (30 + index % 300)),
            str(index % 9000),
            str(index * 37 % 100_000 / 1000),
            self._strengths[index % len(self._strengths)],
        )

    def build(self, fields: tuple[str, ...], variant: int, number: Callable[[str], Any]) -> Row:
        """Make the row of a person."""
        (row_id, at, found, made, first, last, full, local, email, domain, firm, member, phone, country, title, about,
         locality, region, met, seen, followers, strength, strength_option) = fields  # fmt: skip
        build = _Build(self._crowd.people, row_id, at, at, found, member)
        build.own("record_id", {"value": row_id})
        build.own("name", {"first_name": first, "last_name": last, "full_name": full})
        addresses = [_address(local, domain, email)]
        if variant & 4:
            addresses.append(_address(local, "home.example", f"{local}@home.example"))
        build.own("email_addresses", *addresses)
        build.enriched("description", {"value": about})
        if variant & 1:
            build.own("company", {"target_object_id": self._crowd.companies.id, "target_record_id": firm})
        build.enriched("job_title", {"value": title})
        build.enriched("avatar_url", {"value": f"https://assets.attio.com/avatars/{row_id}?size=50"})
        if variant & 2:
            build.own(
                "phone_numbers",
                {"phone_number": phone, "original_phone_number": phone, "country_code": country},
            )
        build.enriched("primary_location", _place(locality, region, country))
        build.enriched("angellist", {"value": f"https://angel.co/u/{local}"})
        build.enriched("facebook", {"value": f"https://facebook.com/{local}"})
        build.enriched("instagram", {"value": f"https://instagram.com/{local}"})
        build.enriched("linkedin", {"value": f"https://linkedin.com/in/{local}"})
        build.enriched("twitter", {"value": f"https://x.com/{local}"})
        build.enriched("twitter_follower_count", {"value": number(followers)})
        _interactions(build, member, met, seen)
        build.enriched("strongest_connection_strength_legacy", {"value": number(strength)}, at=seen)
        build.enriched("strongest_connection_strength", {"option": strength_option}, at=seen)
        _made(build, made, member)
        return build.row

    def find(self, slug: str, key: Any) -> int | None:
        """Return the person of an e-mail address."""
        if slug != "email_addresses" or not isinstance(key, str):
            return None
        number = key.partition("@")[0].rpartition(".")[2]
        if not (number.isascii() and number.isdigit()) or int(number) >= self.size:
            return None
        index = int(number)
        fields = self.fields(index)
        second = f"{fields[7]}@home.example" if self.variant(index) & 4 else None
        return index if key in (fields[8], second) else None


class Companies:
    """Company number i."""

    def __init__(self, crowd: Crowd) -> None:
        self.size = crowd.firms
        self._crowd = crowd
        self._choices = {
            slug: tuple(attribute.options) if (attribute := crowd.companies.attribute(slug)) else ()
            for slug in ("categories", "employee_range", "estimated_arr_usd", "strongest_connection_strength")
        }

    def created(self, index: int) -> str:
        """Return the `created_at` value."""
        return moment(created_ms(index, self.size))

    def variant(self, index: int) -> int:  # noqa: ARG002 - every company has the same shape
        """Return 0: every company has the same shape."""
        return 0

    def fields(self, index: int) -> tuple[str, ...]:
        """Return what differs from company to company."""
        crowd = self._crowd
        made = created_ms(index, self.size)
        at = made + 130 + index * 7 % 11_000
        name, domain = crowd.name(index), crowd.domain(index)
        locality, region, country, _ = _PLACES[index % len(_PLACES)]
        team = [crowd.person_ids.id(index + crowd.firms * k) for k in range(self.team)]
        choices = [
            options[index // (k + 1) % len(options)] for k, options in enumerate(self._choices.values())
        ]
        kind = CATEGORIES[index % len(CATEGORIES)]
        return (
            crowd.company_ids.id(index),
            moment(at),
            moment(at + 252),
            moment(made),
            name,
            domain,
            f"{name} makes {kind} software for teams of {index % 90 + 5} and more.",
            locality,
            region,
            country,
            crowd.members[index % len(crowd.members)],
            moment(at + 86_400_000),
            moment(at + 86_400_000 * (30 + index % 300)),
            str(index % 40_000),
            str(index % 500 * 100_000),
            f"{1970 + index % 50}-01-01",
            str(index * 37 % 100_000 / 1000),
            *choices,
            *team,
        )

    @property
    def team(self) -> int:
        """How many people each company has."""
        return min(TEAM, self._crowd.size)

    def build(self, fields: tuple[str, ...], variant: int, number: Callable[[str], Any]) -> Row:  # noqa: ARG002
        """Make the row of a company."""
        (row_id, at, found, made, name, domain, about, locality, region, country, member, met, seen, followers, raised,
         founded, strength, category, employees, revenue, strength_option, *team) = fields  # fmt: skip
        build = _Build(self._crowd.companies, row_id, at, at, found, member)
        build.own("record_id", {"value": row_id})
        build.own("domains", {"domain": domain, "root_domain": domain})
        build.own("name", {"value": name})
        build.enriched("description", {"value": about})
        people = self._crowd.people.id
        build.own("team", *({"target_object_id": people, "target_record_id": each} for each in team))
        build.enriched("categories", {"option": category})
        build.enriched("primary_location", _place(locality, region, country))
        build.enriched("logo_url", {"value": f"https://logos.attio.com/{domain}"})
        build.enriched("linkedin", {"value": f"https://linkedin.com/company/{domain}"})
        build.enriched("twitter", {"value": f"https://x.com/{domain}"})
        build.enriched("twitter_follower_count", {"value": number(followers)})
        build.enriched("estimated_arr_usd", {"option": revenue})
        build.enriched("funding_raised_usd", {"currency_code": "USD", "currency_value": number(raised)})
        build.enriched("foundation_date", {"value": founded})
        build.enriched("employee_range", {"option": employees})
        _interactions(build, member, met, seen)
        build.enriched("strongest_connection_strength_legacy", {"value": number(strength)}, at=seen)
        build.enriched("strongest_connection_strength", {"option": strength_option}, at=seen)
        _made(build, made, member)
        return build.row

    def find(self, slug: str, key: Any) -> int | None:
        """Return the company of a domain."""
        if slug != "domains" or not isinstance(key, str):
            return None
        number = key.removesuffix(".com").rpartition("-")[2]
        if not (number.isascii() and number.isdigit()) or int(number) >= self.size:
            return None
        return int(number) if self._crowd.domain(int(number)) == key else None


def _address(local: str, domain: str, email: str) -> Data:
    return {
        "original_email_address": email, "email_address": email, "email_domain": domain, "email_root_domain": domain,
        "email_local_specifier": local,
    }  # fmt: skip


def _place(locality: str, region: str, country: str) -> Data:
    return {
        "line_1": None, "line_2": None, "line_3": None, "line_4": None, "locality": locality, "region": region,
        "postcode": None, "country_code": country, "latitude": None, "longitude": None,
    }  # fmt: skip


def _interactions(build: _Build, member: str, met: str, seen: str) -> None:
    owner = {"type": "workspace-member", "id": member}
    for slug, kind, at in (
        ("first_calendar_interaction", "calendar-event", met),
        ("last_calendar_interaction", "calendar-event", seen),
        ("first_email_interaction", "email", met),
        ("last_email_interaction", "email", seen),
        ("next_calendar_interaction", "calendar-event", seen),
        ("first_interaction", "email", met),
        ("last_interaction", "email", seen),
        ("next_interaction", "calendar-event", seen),
    ):
        build.enriched(slug, {"interaction_type": kind, "interacted_at": at, "owner_actor": owner}, at=at)
    user = {"referenced_actor_type": "workspace-member", "referenced_actor_id": member}
    build.enriched("strongest_connection_user", user, at=seen)


def _made(build: _Build, made: str, member: str) -> None:
    build.own("created_at", {"value": made})
    build.own("created_by", {"referenced_actor_type": "workspace-member", "referenced_actor_id": member})
