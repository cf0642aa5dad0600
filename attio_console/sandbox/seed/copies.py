"""The same people, companies and deals in HubSpot and Salesforce: some in one, some in both, some in neither."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from attio_console.sandbox.hubspot.account import sales_pipeline
from attio_console.sandbox.hubspot.state import HubSpot
from attio_console.sandbox.salesforce.state import Salesforce
from attio_console.sandbox.salesforce.table import Row
from attio_console.sandbox.seed.chance import stream
from attio_console.sandbox.seed.sources import Source, Sources
from attio_console.sandbox.world import Workspace, World

STAGES = (
    ("appointmentscheduled", "Lead", "0.2", False),
    ("contractsent", "In Progress", "0.5", False),
    ("closedwon", "Won 🎉", "1.0", True),
    ("closedlost", "Lost", "0.0", True),
)
"""HubSpot's stages: their ids are the standard ones, their labels what the team calls them."""
STAGE_IDS = {label: stage for stage, label, _, _ in STAGES}
_DELAY = timedelta(hours=1)
_LIMITS = {"first": 40, "last": 80, "title": 128, "email": 80, "phone": 40}
"""What a Salesforce field holds; people who do not fit have no copy there."""


@dataclass(slots=True)
class Copies:
    """Which record of the workspace has which copy: Attio id -> external id, by object."""

    hubspot: dict[str, dict[str, str]] = field(
        default_factory=lambda: {"companies": {}, "people": {}, "deals": {}}
    )
    salesforce: dict[str, dict[str, str]] = field(
        default_factory=lambda: {"companies": {}, "people": {}, "deals": {}}
    )
    leads: set[str] = field(default_factory=set)
    """The people whose copy in Salesforce is a lead."""


def make_copies(world: World, workspace: Workspace, sources: Sources) -> Copies:
    """Fill both systems."""
    copies = Copies()
    for member in workspace.members.values():
        active = member.access_level != "suspended"
        name = (member.first_name, member.last_name, member.email_address)
        world.part(HubSpot).add_owner(*name, archived=not active)
        world.part(Salesforce).add_user(*name, active=active)
    _Hubspot(world, sources, copies).fill()
    _Salesforce(world, sources, copies).fill()
    return copies


def _chosen(
    random: Random, found: list[Source], share: float, fits: Callable[[Source], bool]
) -> list[Source]:
    # One draw a record, whether it fits or not, so that a change of one does not move all others.
    return [source for source in found if random.random() < share and fits(source)]


class _Hubspot:
    def __init__(self, world: World, sources: Sources, copies: Copies) -> None:
        self.account = world.part(HubSpot)
        self.sources = sources
        self.done = copies.hubspot
        self.random = stream(world.seed, "hubspot copies")
        self.now = world.clock.now()

    def fill(self) -> None:
        created = min((s.created_at for s in self.sources.companies), default=self.now)
        self.account.pipelines["deals"]["default"] = sales_pipeline(created, STAGES)
        self._put("companies", 0.62, self._company, lambda _: True)
        companies = self.done["companies"]
        self._put(
            "people", 0.8, self._contact, lambda s: s.get("company") is None or s.get("company") in companies
        )
        self._put("deals", 0.85, self._deal, lambda s: s.get("company") in companies)
        self._only_here()

    def _put(
        self,
        kind: str,
        share: float,
        values: Callable[[Source], dict[str, Any]],
        fits: Callable[[Source], bool],
    ) -> None:
        store = self.account.objects["contacts" if kind == "people" else kind]
        for source in _chosen(self.random, getattr(self.sources, kind), share, fits):
            sent = {name: value for name, value in values(source).items() if value is not None}
            record = self.account.create(store, sent, at=self._at(source.created_at))
            self.done[kind][source.id] = str(record.id)
            self._link(kind, source, record.id)

    def _at(self, created: datetime) -> datetime:
        return min(created + _DELAY, self.now).replace(microsecond=created.microsecond // 1000 * 1000)

    def _link(self, kind: str, source: Source, record: int) -> None:
        here = "contacts" if kind == "people" else kind
        company = self.done["companies"].get(source.get("company") or "")
        if kind != "companies" and company:
            self.account.associations.add(here, record, "companies", int(company))
        for person in source.get("people") or ():
            if person in self.done["people"]:
                self.account.associations.add(here, record, "contacts", int(self.done["people"][person]))

    def _key(self, source: Source, *, needed: bool) -> str | None:
        # An earlier sync left its key on most of them; the others are found by address or domain.
        return source.id if self.random.random() < 0.7 or needed else None

    def _contact(self, source: Source) -> dict[str, Any]:
        emails = source.get("emails")
        return {
            "email": emails[0] if emails else None,
            "firstname": source.get("first"),
            "lastname": source.get("last"),
            "phone": source.get("phone"),
            "jobtitle": source.get("title"),
            "city": source.get("city"),
            "country": source.get("country"),
            "lifecyclestage": self.random.choice(("lead", "opportunity", "customer", None)),
            "attio_record_id": self._key(source, needed=not emails),
        }

    def _company(self, source: Source) -> dict[str, Any]:
        return {
            "name": source.get("name"),
            "domain": source.get("domain"),
            "description": source.get("description"),
            "city": source.get("city"),
            "country": source.get("country"),
            "attio_record_id": self._key(source, needed=not source.get("domain")),
        }

    def _deal(self, source: Source) -> dict[str, Any]:
        owners = {owner.email: str(owner.id) for owner in self.account.owners.values()}
        return {
            "dealname": source.get("name"),
            "amount": source.get("value"),
            "dealstage": STAGE_IDS.get(source.get("stage") or ""),
            "pipeline": "default",
            "closedate": source.get("close_date"),
            "hubspot_owner_id": owners.get(source.get("owner") or ""),
            # Deals have no natural key: the sync's own is all there is.
            "attio_record_id": source.id,
        }

    def _only_here(self) -> None:
        for number in range(min(40, len(self.done["people"]) // 25)):
            values = {
                "email": f"visitor{number}@conference.example",
                "firstname": self.random.choice(("Robin", "Sascha", "Noor", "Kim")),
                "lastname": self.random.choice(("Berg", "Hill", "Costa", "Ito")),
                "lifecyclestage": "subscriber",
            }
            self.account.create(
                self.account.objects["contacts"], values, at=self._at(self.now - timedelta(days=2))
            )


class _Salesforce:
    def __init__(self, world: World, sources: Sources, copies: Copies) -> None:
        self.org = world.part(Salesforce)
        self.sources = sources
        self.done = copies.salesforce
        self.leads = copies.leads
        self.random = stream(world.seed, "salesforce copies")
        self.now = world.clock.now()
        self.users = {row["Email"]: row["Id"] for row in self.org.tables["User"].rows.values()}
        self.author = self.org.integration_user["Id"]

    def fill(self) -> None:
        self._put("companies", 0.5, self._account, lambda s: len(s.get("name") or "") in range(1, 256))
        companies = self.done["companies"]
        self._put(
            "people",
            0.75,
            self._person,
            lambda s: _fits(s) and (s.get("company") is None or s.get("company") in companies),
        )
        self._put("deals", 0.8, self._opportunity, lambda s: s.get("company") in companies)
        self._only_here()

    def _put(
        self,
        kind: str,
        share: float,
        values: Callable[[Source], tuple[str, dict[str, Any]]],
        fits: Callable[[Source], bool],
    ) -> None:
        for source in _chosen(self.random, getattr(self.sources, kind), share, fits):
            name, sent = values(source)
            self.done[kind][source.id] = self._create(name, sent, source.created_at + _DELAY)["Id"]
            if name == "Lead":
                self.leads.add(source.id)

    def _create(self, name: str, values: Mapping[str, Any], at: datetime) -> Row:
        table = self.org.tables[name]
        sent = {field: value for field, value in values.items() if value is not None}
        return self.org.create(table, sent, self.author, at=min(at, self.now))

    def _key(self, source: Source, *, needed: bool) -> str | None:
        return source.id if self.random.random() < 0.7 or needed else None

    def _account(self, source: Source) -> tuple[str, dict[str, Any]]:
        domain = source.get("domain")
        return "Account", {
            "Name": source.get("name"),
            "Domain__c": domain,
            "Website": f"https://{domain}" if domain else None,
            "Description": source.get("description"),
            "BillingCity": source.get("city"),
            "BillingCountry": source.get("country"),
            "Attio_Id__c": self._key(source, needed=not domain),
        }

    def _person(self, source: Source) -> tuple[str, dict[str, Any]]:
        emails, company = source.get("emails"), source.get("company")
        person = {
            "FirstName": source.get("first"),
            "LastName": source.get("last"),
            "Email": emails[0] if emails else None,
            "Phone": source.get("phone"),
            "Title": source.get("title"),
            "Attio_Id__c": self._key(source, needed=not emails),
        }
        if company is None and emails and self.random.random() < 0.3:
            place = {"City": source.get("city"), "Country": source.get("country")}
            return "Lead", {**person, **place, "Company": "Independent", "LeadSource": "Web"}
        place = {"MailingCity": source.get("city"), "MailingCountry": source.get("country")}
        return "Contact", {**person, **place, "AccountId": self.done["companies"].get(company or "")}

    def _opportunity(self, source: Source) -> tuple[str, dict[str, Any]]:
        return "Opportunity", {
            "Name": source.get("name"),
            "StageName": source.get("stage"),
            "Amount": source.get("value"),
            "CloseDate": source.get("close_date"),
            "AccountId": self.done["companies"].get(source.get("company") or ""),
            "OwnerId": self.users.get(source.get("owner") or ""),
            "Attio_Id__c": source.id,
        }

    def _only_here(self) -> None:
        for number in range(min(25, len(self.done["people"]) // 40)):
            values = {
                "FirstName": self.random.choice(("Alex", "Dana", "Mika", "Ravi")),
                "LastName": self.random.choice(("Stone", "Meyer", "Sato", "Rao")),
                "Company": f"Booth {number + 1}",
                "Email": f"lead{number}@fair.example",
                "LeadSource": "Other",
            }
            self._create("Lead", values, self.now - timedelta(days=3))


def _fits(source: Source) -> bool:
    facts = {**source.facts, "email": (source.get("emails") or [None])[0]}
    if not source.get("last"):
        return False
    return all(len(facts.get(name) or "") <= most for name, most in _LIMITS.items())
