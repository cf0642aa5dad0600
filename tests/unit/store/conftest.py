"""A store in a temporary directory, and records as Attio sends them."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from attio_console.model.clock import FakeClock
from attio_console.model.schema import Attribute, ListSchema, Member, ObjectSchema, Option, Schema, Status
from attio_console.store import Store

PEOPLE = "00000000-0000-4000-8000-00000000aaaa"
DEALS = "00000000-0000-4000-8000-00000000bbbb"
PIPELINE = "00000000-0000-4000-8000-00000000cccc"
ADA = "00000000-0000-4000-8000-0000000000ad"

_SHAPES: dict[str, Any] = {
    "personal-name": lambda v: {"first_name": v.split()[0], "last_name": v.split()[-1], "full_name": v},
    "email-address": lambda v: {"email_address": v},
    "phone-number": lambda v: {"phone_number": v, "country_code": "GB"},
    "select": lambda v: {"option": {"id": {"option_id": f"o-{v.lower()}"}, "title": v}},
    "status": lambda v: {"status": {"id": {"status_id": f"s-{v.lower()}"}, "title": v}},
    "currency": lambda v: {"currency_value": v, "currency_code": "EUR"},
    "actor-reference": lambda v: {"referenced_actor_type": "workspace-member", "referenced_actor_id": v},
    "record-reference": lambda v: {"target_object": "people", "target_record_id": v},
    "location": lambda v: {"locality": v, "region": None, "country_code": "GB"},
}


class Made:
    """The schema of a small workspace, and its records."""

    people, deals, pipeline, ada = PEOPLE, DEALS, PIPELINE, ADA
    stages = ("Lead", "Talking", "Won", "Lost")

    def __init__(self) -> None:
        statuses = tuple(Status(f"s-{s.lower()}", s) for s in self.stages)
        self.schema = Schema(
            workspace_id="w",
            objects=(
                ObjectSchema(
                    (
                        Attribute("p1", "name", "Name", "personal-name"),
                        Attribute("p2", "email_addresses", "Email addresses", "email-address", is_multi=True),
                        Attribute("p3", "phone_numbers", "Phones", "phone-number", is_multi=True),
                        Attribute("p4", "job_title", "Job title", "text"),
                        Attribute("p5", "score", "Score", "number"),
                        Attribute(
                            "p6",
                            "tags",
                            "Tags",
                            "select",
                            is_multi=True,
                            options=tuple(Option(f"o-{t}", t) for t in ("vip", "cold")),
                        ),
                        Attribute("p7", "primary_location", "Location", "location"),
                        Attribute("p8", "born", "Born", "date"),
                        Attribute("p9", "owner", "Owner", "actor-reference"),
                        Attribute("p10", "active", "Active", "checkbox"),
                    ),
                    PEOPLE,
                    "people",
                    "Person",
                    "People",
                ),
                ObjectSchema(
                    (
                        Attribute("d1", "name", "Deal name", "text"),
                        Attribute("d2", "stage", "Stage", "status", statuses=statuses),
                        Attribute("d3", "value", "Value", "currency"),
                        Attribute("d4", "contact", "Contact", "record-reference"),
                    ),
                    DEALS,
                    "deals",
                    "Deal",
                    "Deals",
                ),
            ),
            lists=(
                ListSchema(
                    (
                        Attribute("l1", "stage", "Stage", "status", statuses=statuses),
                        Attribute("l2", "amount", "Amount", "currency"),
                        Attribute("l3", "why", "Why", "text"),
                    ),
                    PIPELINE,
                    "sales",
                    "Sales",
                    "people",
                ),
            ),
            members=(Member(ADA, "Ada", "Lovelace", "ada@northwind.example"),),
        )

    def id(self, number: int) -> str:
        return str(uuid.UUID(int=number))

    def values(
        self, collection: str, fields: dict[str, Any], at: str = "2025-01-01T00:00:00.000000000Z"
    ) -> dict[str, Any]:
        shape = self.schema.collection(collection)
        assert shape is not None
        found = {}
        for attribute in shape.attributes:
            given = fields.get(attribute.slug)
            items = [] if given is None else given if isinstance(given, list) else [given]
            found[attribute.slug] = [
                {"active_from": at, "active_until": None, "created_by_actor": {"type": "system", "id": None}}
                | _SHAPES.get(attribute.type, lambda v: {"value": v})(item)
                | {"attribute_type": attribute.type}
                for item in items
            ]
        return found

    def record(
        self, number: int, collection: str = PEOPLE, *, created: str | None = None, **fields: Any
    ) -> bytes:
        return json.dumps(
            {
                "id": {"workspace_id": "w", "object_id": collection, "record_id": self.id(number)},
                "created_at": created or f"2024-01-01T00:00:{number % 60:02d}.{number:09d}Z",
                "web_url": "https://app.attio.com/w/x",
                "values": self.values(collection, fields),
            },
            ensure_ascii=False,
        ).encode()

    def person(self, number: int, name: str = "", **fields: Any) -> bytes:
        return self.record(number, PEOPLE, name=name or None, **fields)

    def entry(self, number: int, parent: int, **fields: Any) -> bytes:
        return json.dumps(
            {
                "id": {"workspace_id": "w", "list_id": PIPELINE, "entry_id": self.id(number)},
                "parent_record_id": self.id(parent),
                "parent_object": "people",
                "created_at": f"2024-02-01T00:00:00.{number:09d}Z",
                "entry_values": self.values(PIPELINE, fields),
            },
            ensure_ascii=False,
        ).encode()

    def note(self, number: int, parent: int, title: str, content: str) -> bytes:
        return json.dumps(
            {
                "id": {"workspace_id": "w", "note_id": self.id(number)},
                "parent_object": "people",
                "parent_record_id": self.id(parent),
                "title": title,
                "content_plaintext": content,
                "created_at": "2024-03-01T00:00:00.000000000Z",
            }
        ).encode()

    def task(self, number: int, parents: list[int], content: str) -> bytes:
        return json.dumps(
            {
                "id": {"workspace_id": "w", "task_id": self.id(number)},
                "content_plaintext": content,
                "deadline_at": None,
                "is_completed": False,
                "linked_records": [
                    {"target_object_id": PEOPLE, "target_record_id": self.id(p)} for p in parents
                ],
                "assignees": [],
                "created_at": "2024-03-01T00:00:00.000000000Z",
            }
        ).encode()


@pytest.fixture
def made() -> Made:
    return Made()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def store(tmp_path: Path, clock: FakeClock, made: Made) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path / "store", clock)
    await opened.mirror.put_schema(made.schema)
    yield opened
    await opened.close()
