"""The three lists, what their entries carry, and the entries spread over the stages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

from attio_console.sandbox.seed.chance import moment, stream
from attio_console.sandbox.seed.rows import EntryRow, Options, Row


@dataclass(frozen=True, slots=True)
class AttributePlan:
    """An attribute a list needs: its slug, title, type and, for select and status, the choices."""

    slug: str
    title: str
    type: str
    choices: tuple[str, ...] = ()
    multi: bool = False


@dataclass(frozen=True, slots=True)
class ListPlan:
    """A list: its name, what its entries stand for, and their attributes."""

    slug: str
    name: str
    parent: str
    attributes: tuple[AttributePlan, ...]

    @property
    def stages(self) -> tuple[str, ...]:
        """Return the stages, in order."""
        return next(a.choices for a in self.attributes if a.type == "status")


LISTS: tuple[ListPlan, ...] = (
    ListPlan(
        "sales_pipeline",
        "Sales pipeline",
        "deals",
        (
            AttributePlan(
                "stage",
                "Stage",
                "status",
                ("Qualified", "Discovery", "Proposal", "Negotiation", "Won 🎉", "Lost"),
            ),
            AttributePlan("value", "Value", "currency"),
            AttributePlan("owner", "Owner", "actor-reference"),
            AttributePlan("priority", "Priority", "select", ("Low", "Medium", "High", "Urgent")),
            AttributePlan("next_step", "Next step", "text"),
            AttributePlan("expected_close", "Expected close", "date"),
        ),
    ),
    ListPlan(
        "recruiting",
        "Recruiting",
        "people",
        (
            AttributePlan(
                "stage",
                "Stage",
                "status",
                ("Applied", "Phone screen", "Interview", "Task", "Offer", "Hired", "Rejected"),
            ),
            AttributePlan(
                "role",
                "Role",
                "select",
                ("Engineer", "Designer", "Account Executive", "Support", "Data analyst"),
            ),
            AttributePlan("owner", "Owner", "actor-reference"),
            AttributePlan("rating", "Rating", "rating"),
            AttributePlan("start_date", "Start date", "date"),
        ),
    ),
    ListPlan(
        "customer_success",
        "Customer success",
        "companies",
        (
            AttributePlan(
                "stage", "Stage", "status", ("Onboarding", "Adopting", "Healthy", "At risk", "Churned")
            ),
            AttributePlan("arr", "ARR", "currency"),
            AttributePlan("owner", "Owner", "actor-reference"),
            AttributePlan("seats", "Seats", "number"),
            AttributePlan("renewal_date", "Renewal date", "date"),
            AttributePlan("is_reference", "Reference customer", "checkbox"),
        ),
    ),
)
STEPS = (
    "Send contract",
    "Call the CFO",
    "Wait for budget",
    "Demo for IT",
    "Legal review",
    "次回打ち合わせ",
    "Negotiate term",
)


def make_entries(
    options: Options, members: int, people: list[Row], companies: list[Row], deals: list[Row]
) -> list[EntryRow]:
    """Return the entries of the three lists."""
    random = stream(options.seed, "entries")
    entries = [_sale(random, options, members, deal) for deal in deals if random.random() < 0.9]
    candidates = random.sample(people, max(1, len(people) // 12))
    entries += [_candidate(random, options, members, person) for person in candidates]
    customers = random.sample(companies, max(1, len(companies) // 3))
    entries += [_customer(random, options, members, company) for company in customers]
    return entries


def _sale(random: Random, options: Options, members: int, deal: Row) -> EntryRow:
    stages = LISTS[0].stages
    # What the deal itself says and where its card lies agree.
    choices = {"Lead": stages[:2], "In Progress": stages[2:4], "Won 🎉": stages[4:5], "Lost": stages[5:]}
    values: dict[str, Any] = {
        "stage": random.choice(choices[deal.values["stage"]]),
        "owner": deal.values["owner"],
        "priority": random.choice(("Low", "Medium", "Medium", "High", "Urgent")),
        "expected_close": deal.values["close_date"],
    }
    if "value" in deal.values:
        values["value"] = deal.values["value"]
    if random.random() < 0.5:
        values["next_step"] = random.choice(STEPS)
    made = max(deal.created_at, moment(random, options.now, 0, 120))
    return EntryRow("sales_pipeline", deal.key, made, random.randrange(members), values)


def _candidate(random: Random, options: Options, members: int, person: Row) -> EntryRow:
    values: dict[str, Any] = {
        "stage": random.choice(LISTS[1].stages),
        "role": random.choice(LISTS[1].attributes[1].choices),
        "owner": random.randrange(members),
    }
    if random.random() < 0.6:
        values["rating"] = random.randrange(1, 6)
    if values["stage"] in {"Offer", "Hired"}:
        values["start_date"] = (options.now + timedelta(days=random.randrange(10, 90))).date().isoformat()
    made = max(person.created_at, moment(random, options.now, 0, 90))
    return EntryRow("recruiting", person.key, made, random.randrange(members), values)


def _customer(random: Random, options: Options, members: int, company: Row) -> EntryRow:
    values: dict[str, Any] = {
        "stage": random.choice(LISTS[2].stages),
        "owner": random.randrange(members),
        "arr": random.randrange(2, 400) * 500,
        "seats": random.randrange(3, 2_000),
        "renewal_date": (options.now + timedelta(days=random.randrange(5, 365))).date().isoformat(),
        "is_reference": random.random() < 0.2,
    }
    made = max(company.created_at, moment(random, options.now, 0, 400))
    return EntryRow("customer_success", company.key, made, random.randrange(members), values)
