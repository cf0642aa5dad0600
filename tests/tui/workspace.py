"""A small workspace, put on disk through the store's own verbs, as the screen's tests look at it."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from attio_console.config.profiles import Profile
from attio_console.config.secrets import MemorySecrets
from attio_console.model.clock import FakeClock
from attio_console.model.schema import Attribute, ListSchema, Member, ObjectSchema, Option, Schema, Status
from attio_console.services.opening import OpenOptions
from attio_console.store import Store
from attio_console.store.types import NewConflict, NewPair

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def uid(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


WORKSPACE = uid("workspace")
PEOPLE, COMPANIES, DEALS, SALES, HIRING = (
    uid(name) for name in ("people", "companies", "deals", "sales", "hiring")
)
JANE, OMAR = uid("jane"), uid("omar")

NAMES = [
    "Ada Lovelace", "Ada Lovejoy", "Adaeze Lovren", "株式会社 太郎", "Søren Ægir", "محمد الفارسي", "Zoë Grünwald",
    "👩‍🚀 Neil Star", "Bartholomew Maximilian Featherstonehaugh-Cholmondeley-Warner de la Tour", "Li Wei",
    "Nguyễn Thị Minh Khai", "Olga Иванова", "Ren\x1b[31m Red", "[bold]Not Markup[/bold]", "דוד כהן",
]  # fmt: skip
FIRMS = [
    "Analytical Engines",
    "Lovejoy & Søn",
    "株式会社ラブ",
    "Globex",
    "Initech",
    "Umbrella",
    "Hooli",
    "Stark",
]


def _a(owner: str, slug: str, title: str, kind: str, **more: Any) -> Attribute:
    # As in Attio, where nearly everything a workspace begins with is a system attribute.
    more.setdefault("is_system", slug not in {"tags", "score", "vip", "met_on"})
    return Attribute(uid(f"{owner}/{slug}"), slug, title, kind, **more)


STAGES = tuple(
    Status(uid(f"stage/{name}"), name, target_time=target)
    for name, target in (
        ("Lead", "P7D"), ("Qualified", "P14D"), ("Proposal", "P14D"), ("Negotiation", "P21D"), ("Won", None), ("Lost", None),
    )
)  # fmt: skip

SCHEMA = Schema(
    workspace_id=WORKSPACE,
    workspace_name="Northwind",
    workspace_slug="northwind",
    objects=(
        ObjectSchema(
            (
                _a("people", "record_id", "Record ID", "text", is_writable=False, is_system=True),
                _a("people", "name", "Name", "personal-name"),
                _a("people", "company", "Company", "record-reference", target_object_ids=(COMPANIES,)),
                _a("people", "email_addresses", "Email addresses", "email-address", is_multi=True, is_unique=True),
                _a("people", "job_title", "Job title", "text"),
                _a("people", "phone_numbers", "Phone numbers", "phone-number", is_multi=True),
                _a("people", "tags", "Tags", "select", is_multi=True, options=tuple(Option(uid(f"tag/{t}"), t) for t in ("VIP", "Partner", "Press"))),
                _a("people", "score", "Score", "number"),
                _a("people", "owner", "Owner", "actor-reference"),
                _a("people", "vip", "VIP", "checkbox"),
                _a("people", "met_on", "Met on", "date"),
                _a("people", "created_at", "Created at", "timestamp", is_writable=False, is_system=True),
            ),
            PEOPLE, "people", "Person", "People",
        ),
        ObjectSchema(
            (
                _a("companies", "record_id", "Record ID", "text", is_writable=False, is_system=True),
                _a("companies", "name", "Name", "text"),
                _a("companies", "domains", "Domains", "domain", is_multi=True, is_unique=True),
                _a("companies", "created_at", "Created at", "timestamp", is_writable=False, is_system=True),
            ),
            COMPANIES, "companies", "Company", "Companies",
        ),
    ),
    lists=(
        ListSchema(
            (
                _a("sales", "stage", "Stage", "status", statuses=STAGES),
                _a("sales", "value", "Value", "currency", currency_code="EUR"),
                _a("sales", "owner", "Owner", "actor-reference"),
            ),
            SALES, "sales", "Sales 2026", "companies",
        ),
        ListSchema(
            (_a("hiring", "stage", "Stage", "status", statuses=(Status(uid("h1"), "Applied"), Status(uid("h2"), "Hired"))),),
            HIRING, "hiring", "Hiring", "people",
        ),
    ),
    members=(
        Member(JANE, "Jane", "Doe", "jane@northwind.example", "admin"),
        Member(OMAR, "Omar", "Khan", "omar@northwind.example"),
    ),
)  # fmt: skip


def _stamp(days: float) -> str:
    return (NOW - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")


def _value(kind: str, days: float = 1.0, **what: Any) -> dict[str, Any]:
    actor = {"type": "workspace-member", "id": JANE}
    return {
        "active_from": _stamp(days),
        "active_until": None,
        "created_by_actor": actor,
        **what,
        "attribute_type": kind,
    }


def person(number: int, **changes: Any) -> bytes:
    """A person as Attio sends one; `changes` replace values by slug."""
    name = NAMES[number] if number < len(NAMES) else f"Person {number:06d}"
    first, _, last = name.rpartition(" ")
    record_id = uid(f"person/{number}")
    values: dict[str, Any] = {
        "record_id": [_value("text", value=record_id)],
        "name": [_value("personal-name", first_name=first, last_name=last, full_name=name)],
        "company": [_value("record-reference", target_object="companies", target_record_id=uid(f"company/{number % len(FIRMS)}"))],
        "email_addresses": [
            _value("email-address", original_email_address=f"p{number}@mail.example", email_address=f"p{number}@mail.example",
                   email_domain="mail.example", email_root_domain="mail.example", email_local_specifier=f"p{number}")
        ],
        "job_title": [_value("text", value="Head of Procurement")] if number % 3 else [],
        "phone_numbers": [_value("phone-number", original_phone_number=f"+45321{number % 100000:05d}", phone_number=f"+45321{number % 100000:05d}", country_code="DK")],
        "tags": [],
        "score": [_value("number", value=number % 100)],
        "owner": [_value("actor-reference", referenced_actor_type="workspace-member", referenced_actor_id=JANE if number % 2 else OMAR)],
        "vip": [_value("checkbox", value=number % 5 == 0)],
        "met_on": [],
        "created_at": [_value("timestamp", value=_stamp(number % 700))],
    }  # fmt: skip
    values |= changes
    return msgspec.json.encode(
        {
            "id": {"workspace_id": WORKSPACE, "object_id": PEOPLE, "record_id": record_id},
            "created_at": _stamp(800 - number / 1000),
            "web_url": f"https://app.attio.com/northwind/person/{record_id}",
            "values": values,
        }
    )


def text(value: str) -> list[dict[str, Any]]:
    """A text value as Attio sends one."""
    return [_value("text", 0.0001, value=value)]


def company(number: int) -> bytes:
    """A company as Attio sends one."""
    record_id = uid(f"company/{number}")
    return msgspec.json.encode(
        {
            "id": {"workspace_id": WORKSPACE, "object_id": COMPANIES, "record_id": record_id},
            "created_at": _stamp(900 - number),
            "web_url": f"https://app.attio.com/northwind/company/{record_id}",
            "values": {
                "record_id": [_value("text", value=record_id)],
                "name": [_value("text", value=FIRMS[number])],
                "domains": [
                    _value("domain", domain=f"firm{number}.example", root_domain=f"firm{number}.example")
                ],
                "created_at": [_value("timestamp", value=_stamp(900 - number))],
            },
        }
    )


def entry(number: int) -> bytes:
    """An entry of the sales list: company `number`, in a stage of its own."""
    stage = STAGES[number % 4]
    return msgspec.json.encode(
        {
            "id": {"workspace_id": WORKSPACE, "list_id": SALES, "entry_id": uid(f"entry/{number}")},
            "parent_record_id": uid(f"company/{number}"),
            "parent_object": "companies",
            "created_at": _stamp(30),
            "entry_values": {
                "stage": [_value("status", 10.0 + number, status={"id": {"status_id": stage.id}, "title": stage.title, "is_archived": False})],
                "value": [_value("currency", currency_value=12_000 * (number + 1), currency_code="EUR")],
                "owner": [_value("actor-reference", referenced_actor_type="workspace-member", referenced_actor_id=JANE)],
            },
        }
    )  # fmt: skip


def note(number: int, about: str) -> bytes:
    """A note on a person."""
    return msgspec.json.encode(
        {
            "id": {"workspace_id": WORKSPACE, "note_id": uid(f"note/{number}")},
            "parent_object": "people",
            "parent_record_id": about,
            "title": "Call",
            "content_plaintext": "She wants the contract by Friday.",
            "created_by_actor": {"type": "workspace-member", "id": JANE},
            "created_at": _stamp(2),
        }
    )


async def fill(store: Store, people: int) -> None:
    """Put the workspace on disk."""
    await store.mirror.put_schema(SCHEMA)
    await store.mirror.apply_page(COMPANIES, [company(number) for number in range(len(FIRMS))])
    for start in range(0, people, 2000):
        await store.mirror.apply_page(PEOPLE, [person(n) for n in range(start, min(start + 2000, people))])
    await store.mirror.apply_page(SALES, [entry(number) for number in range(len(FIRMS))])
    await store.mirror.apply_page("attio:notes", [note(1, uid("person/1"))])


async def differ(store: Store) -> int:
    """Queue a conflict on two fields of the second person."""
    (pair,) = await store.pairs.put(
        [NewPair("salesforce", "people", PEOPLE, uid("person/1"), "Contact", "003AAS", "confirmed", "test")]
    )
    common = {"base_at": None, "has_base": True, "multi": False}
    return await store.conflicts.open(
        NewConflict(
            kind="field",
            system="salesforce",
            collection=PEOPLE,
            record_id=uid("person/1"),
            label="Ada Lovejoy",
            pair_id=pair,
            external_type="Contact",
            external_id="003AAS",
            detected_by="poll",
            fields=[
                common | {
                    "slug": "phone_numbers", "title": "Phone numbers", "type": "phone-number", "multi": True,
                    "base": ["+4532100000"], "attio": ["+4532100099"], "external": ["+4532100007"],
                    "attio_by": "Omar Khan", "attio_at": (NOW - timedelta(minutes=5)).isoformat(),
                    "external_by": "integration user", "external_at": (NOW - timedelta(hours=3)).isoformat(),
                    "suggestion": "attio", "why": "edited later by a person", "external_field": "Phone",
                },
                common | {
                    "slug": "job_title", "title": "Job title", "type": "text",
                    "base": ["Buyer"], "attio": ["Head of Procurement"], "external": ["Head of Purchasing"],
                    "attio_by": "", "attio_at": None, "external_by": "", "external_at": None,
                    "suggestion": None, "why": "the rule is manual", "external_field": "Title",
                },
            ],
            suggestion={"merged": ["Score"]},
        )
    )  # fmt: skip


@contextlib.asynccontextmanager
async def filled(directory: Path, people: int = 120) -> AsyncIterator[Store]:
    """A filled store, open."""
    store = await Store.open(directory / WORKSPACE, FakeClock(NOW))
    try:
        await fill(store, people)
        yield store
    finally:
        await store.close()


def options(directory: Path, **more: Any) -> OpenOptions:
    """What opens the console on that store, without an engine and without a network."""
    profile = Profile(name="acme-prod", workspace_id=WORKSPACE, read_only=bool(more.pop("read_only", False)))
    return OpenOptions(
        profile_object=profile,
        secrets=MemorySecrets(),
        data_dir=directory,
        engine=False,
        clock=FakeClock(NOW),
        **more,
    )


def labels(lines: Sequence[Any]) -> list[str]:
    """The first cell of each row."""
    return [line.slots[0].text for line in lines]
