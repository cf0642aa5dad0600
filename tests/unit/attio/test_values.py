from __future__ import annotations

import subprocess
import sys

import pytest

from attio_console.attio import values as v
from attio_console.attio.values import read_value, read_values

ENVELOPE = {
    "active_from": "2026-01-01T00:00:00.000000000Z",
    "active_until": None,
    "created_by_actor": {"type": "workspace-member", "id": "m1"},
}

KNOWN = [
    ("text", {"value": "x"}, v.TextValue),
    ("number", {"value": 6.935115233731335}, v.NumberValue),
    ("number", {"value": "42"}, v.NumberValue),
    ("checkbox", {"value": False}, v.CheckboxValue),
    ("currency", {"currency_value": 10000, "currency_code": "USD"}, v.CurrencyValue),
    ("currency", {"currency_value": "499.00", "currency_code": None}, v.CurrencyValue),
    ("date", {"value": "2026-01-01"}, v.DateValue),
    ("timestamp", {"value": "2026-01-01T00:00:00.000000000Z"}, v.TimestampValue),
    ("rating", {"value": 3}, v.RatingValue),
    ("status", {"status": {"id": {"status_id": "s"}, "title": "Won", "is_archived": False}}, v.StatusValue),
    ("select", {"option": {"id": {"option_id": "o"}, "title": "Red"}}, v.SelectValue),
    ("record-reference", {"target_object": "people", "target_record_id": "r"}, v.RecordReferenceValue),
    (
        "actor-reference",
        {"referenced_actor_type": "system", "referenced_actor_id": None},
        v.ActorReferenceValue,
    ),
    ("location", {"locality": "Ulm", "country_code": "DE"}, v.LocationValue),
    ("domain", {"domain": "app.acme.com", "root_domain": "acme.com"}, v.DomainValue),
    ("email-address", {"email_address": "a@b.c"}, v.EmailAddressValue),
    ("phone-number", {"phone_number": "+442079460000", "country_code": "GB"}, v.PhoneNumberValue),
    ("phone-number", {"normalized_phone_number": "+442079460000"}, v.PhoneNumberValue),
    ("personal-name", {"first_name": "Ada", "last_name": None, "full_name": None}, v.PersonalNameValue),
    (
        "interaction",
        {
            "interaction_type": "email",
            "interacted_at": "2026-01-01T00:00:00Z",
            "owner_actor": {"type": "system"},
        },
        v.InteractionValue,
    ),
]


@pytest.mark.parametrize(("name", "fields", "kind"), KNOWN)
def test_each_type_and_its_variants(name, fields, kind) -> None:
    wire = {**ENVELOPE, **fields, "attribute_type": name, "a_new_field": 1}
    value = read_value(wire)
    assert type(value) is kind
    assert value.attribute_type == name
    assert (value.active_from, value.active_until, value.created_by.id) == (
        ENVELOPE["active_from"],
        None,
        "m1",
    )
    assert value.raw["a_new_field"] == 1


def test_all_17_types_are_known() -> None:
    assert len({name for name, _, _ in KNOWN}) == 17


@pytest.mark.parametrize(
    "wire",
    [
        {"attribute_type": "hologram", "value": {"deep": [1]}},
        {"attribute_type": "text", "value": 5},
        {"attribute_type": "select", "option": None},
        {"attribute_type": "number", "value": None},
        {"value": "no type at all"},
        {"attribute_type": 7},
    ],
)
def test_what_does_not_fit_is_kept_verbatim(wire) -> None:
    value = read_value(wire)
    assert isinstance(value, v.UnknownValue)
    assert value.raw == wire


def test_values_that_are_no_lists_of_objects_break_nothing() -> None:
    found = read_values({"a": [], "b": None, "c": ["bare"], "d": "text", "e": [None]})
    assert found["a"] == [] and found["b"] == []
    assert found["c"][0].raw == {"value": "bare"}
    assert found["e"][0].raw == {"value": None}


def test_importing_the_client_loads_no_http_library() -> None:
    code = "import sys, attio_console.attio, attio_console.net; sys.exit('httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
