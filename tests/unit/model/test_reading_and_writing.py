from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attio_console.errors import InvalidValue
from attio_console.model.schema import Attribute, Member, ObjectSchema, Option, Schema, Status
from attio_console.model.values import NoNames, canonical, display, from_attio, parse, provenance, to_attio

MEMBERS = (
    Member("m-1", "Jane", "Doe", "jane@example.com"),
    Member("m-2", "Omar", "Khan", "omar@example.com"),
)
PEOPLE = ObjectSchema((), "o-1", "people", "Person", "People")
SCHEMA = Schema(objects=(PEOPLE,), members=MEMBERS)
TODAY = date(2026, 11, 23)
RECORD = "891dcbfc-9141-415d-9b2a-2238a6cc012d"


def attribute(kind: str, **more: Any) -> Attribute:
    options = (
        Option("o-gold", "Gold"),
        Option("o-silver", "Silver"),
        Option("o-old", "Bronze", is_archived=True),
    )
    statuses = (Status("s-lead", "Lead"), Status("s-won", "Won 🎉"))
    fields: dict[str, Any] = {"options": options, "statuses": statuses, "target_object_ids": ("o-1",)}
    return Attribute("a-1", "field", "Field", kind, **(fields | more))


@pytest.mark.parametrize(
    ("kind", "text", "items"),
    [
        ("text", "x", ["x"]),
        ("number", "1,234.5", [1234.5]),
        ("number", "1.234,5", [1234.5]),
        ("number", "1 234", [1234]),
        ("number", "1.2k", [1200]),
        ("number", "-3", [-3]),
        ("rating", "★★★", [3]),
        ("checkbox", "yes", [True]),
        ("checkbox", "off", [False]),
        ("currency", "€ 1.2m", [{"currency_value": 1_200_000, "currency_code": "EUR"}]),
        ("currency", "99.50 EUR", [{"currency_value": 99.5, "currency_code": "EUR"}]),
        ("date", "2026-12-01", ["2026-12-01"]),
        ("date", "tomorrow", ["2026-11-24"]),
        ("date", "+2w", ["2026-12-07"]),
        ("date", "+1m", ["2026-12-23"]),
        ("date", "1 Dec 2026", ["2026-12-01"]),
        ("date", "Dec 1, 2026", ["2026-12-01"]),
        ("date", "31.12.2026", ["2026-12-31"]),
        ("date", "12/31/2026", ["2026-12-31"]),
        ("timestamp", "2026-11-23T14:30:00+02:00", ["2026-11-23T12:30:00.000Z"]),
        ("select", "gold", [{"id": "o-gold", "title": "Gold"}]),
        ("select", "sil", [{"id": "o-silver", "title": "Silver"}]),
        ("status", "won", [{"id": "s-won", "title": "Won 🎉"}]),
        ("actor-reference", "jane@example.com", [{"type": "workspace-member", "id": "m-1"}]),
        ("actor-reference", "@Omar", [{"type": "workspace-member", "id": "m-2"}]),
        ("record-reference", RECORD, [{"target_object": "people", "target_record_id": RECORD}]),
        ("domain", "https://www.Acme.com/x", ["acme.com"]),
        ("email-address", "Ada <ADA@Example.com>", ["ada@example.com"]),
        ("phone-number", "(415) 555-2671", ["+14155552671"]),
        (
            "personal-name",
            "Lovelace, Ada",
            [{"first_name": "Ada", "last_name": "Lovelace", "full_name": "Ada Lovelace"}],
        ),
        ("personal-name", "Plato", [{"first_name": "Plato", "last_name": "", "full_name": "Plato"}]),
        ("text", "  ", []),
    ],
)
def test_what_people_type_is_understood(kind: str, text: str, items: list[Any]) -> None:
    assert parse(attribute(kind, currency_code="EUR"), text, SCHEMA, today=TODAY) == items


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("number", "many"),
        ("number", "inf"),
        ("rating", "7"),
        ("checkbox", "maybe"),
        ("currency", "100 USD"),
        ("date", "soon"),
        ("date", "1/2/2026"),
        ("date", "2026-02-30"),
        ("timestamp", "later"),
        ("select", "platinum"),
        ("select", "bronze"),
        ("status", ""),
        ("actor-reference", "nobody"),
        ("record-reference", "Ada"),
        ("domain", "not a domain"),
        ("email-address", "ada at example"),
        ("phone-number", "call me"),
        ("interaction", "now"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_way_out(kind: str, text: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        parse(attribute(kind, currency_code="EUR", is_required=not text), text, SCHEMA, today=TODAY)
    assert refused.value.message
    assert refused.value.hint


def test_several_values_are_split_and_kept_once() -> None:
    tags = attribute("select", is_multi=True)
    assert [item["id"] for item in parse(tags, "gold, silver, GOLD", SCHEMA)] == ["o-gold", "o-silver"]


@given(
    st.sampled_from(
        ["number", "currency", "date", "timestamp", "domain", "phone-number", "personal-name", "location"]
    ),
    st.text(max_size=30),
)
def test_whatever_is_typed_is_a_value_or_a_refusal(kind: str, text: str) -> None:
    field = attribute(kind)
    try:
        items = parse(field, text, SCHEMA, today=TODAY)
    except InvalidValue:
        return
    assert isinstance(display(field, items, NoNames()), str)
    assert isinstance(to_attio(field, items), list)


def stamped(**parts: Any) -> dict[str, Any]:
    actor = {"type": "workspace-member", "id": "m-1"}
    return {
        "active_from": "2026-05-09T21:43:08.480000000Z",
        "active_until": None,
        "created_by_actor": actor,
        **parts,
    }


VALUES = [
    stamped(attribute_type="text", value="x"),
    stamped(attribute_type="currency", currency_value="499.00", currency_code="USD"),
    stamped(attribute_type="select", option={"id": {"option_id": "o-gold"}, "title": "Gold"}),
    stamped(attribute_type="status", status={"id": {"status_id": "s-won"}, "title": "Won 🎉"}),
    stamped(attribute_type="record-reference", target_object="people", target_record_id=RECORD),
    stamped(
        attribute_type="actor-reference", referenced_actor_type="workspace-member", referenced_actor_id="m-1"
    ),
    stamped(attribute_type="domain", domain="acme.com", root_domain="acme.com"),
    stamped(attribute_type="email-address", email_address="a@b.co", original_email_address="A@b.co"),
    stamped(attribute_type="phone-number", phone_number="+442079460958", country_code="GB"),
    stamped(attribute_type="phone-number", normalized_phone_number="+442079460958"),
    stamped(attribute_type="personal-name", first_name="Ada", last_name="Lovelace", full_name="Ada Lovelace"),
    stamped(attribute_type="location", line_1="1 Main St", locality="London", country_code="GB"),
    stamped(attribute_type="some-future-type", anything=[1, 2]),
]


@pytest.mark.parametrize("value", VALUES, ids=[v["attribute_type"] for v in VALUES])
def test_a_value_survives_reading_showing_and_writing(value: dict[str, Any]) -> None:
    kind = value["attribute_type"]
    items = from_attio([value])
    assert len(items) == 1
    assert canonical(kind, items)
    assert display(attribute(kind), items, NoNames())
    assert to_attio(attribute(kind), items)


def test_the_newest_value_says_who_and_when() -> None:
    older = stamped(attribute_type="text", value="x") | {"active_from": "2020-01-01T00:00:00Z"}
    source = provenance([older, VALUES[0]])
    assert source.at is not None
    assert source.at.year == 2026
    assert (source.actor_type, source.actor_id) == ("workspace-member", "m-1")
    assert provenance([]).at is None


def test_no_terminal_control_sequence_is_shown() -> None:
    shown = display(attribute("text"), ["\x1b[31mred\x1b[0m\u202eevil\nline"], NoNames())
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "\n" not in shown


def test_an_option_that_was_renamed_shows_its_new_name() -> None:
    assert display(attribute("select"), [{"id": "o-gold", "title": "Aurum"}], NoNames()) == "Gold"
