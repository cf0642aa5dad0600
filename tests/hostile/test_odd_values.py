"""Whatever stands in a record's values, reading, comparing and showing it ends in a value and never in a crash."""

from __future__ import annotations

import random
from typing import Any

import pytest

from attio_console.model.attio_values import provenance
from attio_console.model.schema import Attribute
from attio_console.model.text import plain
from attio_console.model.values import NoNames, canonical, display, from_attio
from tests.hostile.meddler import ODD

TYPES = (
    "text", "number", "checkbox", "rating", "date", "timestamp", "currency", "status", "select", "record-reference",
    "actor-reference", "location", "domain", "email-address", "phone-number", "personal-name", "interaction", "unheard-of",
)  # fmt: skip
KEYS = (
    "value", "currency_value", "currency_code", "option", "status", "target_object", "target_record_id", "domain",
    "referenced_actor_type", "referenced_actor_id", "email_address", "original_email_address", "phone_number",
    "original_phone_number", "country_code", "first_name", "last_name", "full_name", "interaction_type", "interacted_at",
    "owner_actor", "line_1", "locality", "latitude", "active_from", "created_by_actor", "id", "title",
)  # fmt: skip
MORE: tuple[Any, ...] = (
    *ODD,
    "1e999999999",
    "-Infinity",
    "NaN",
    "9" * 400,
    "é" * 300,
    "\ud800",
    "+" * 50,
    1e308,
    -1e-320,
)


@pytest.mark.parametrize("kind", TYPES)
def test_no_value_of_any_shape_is_fatal(kind: str) -> None:
    rng = random.Random(kind)
    attribute = Attribute("a", "slug", "Title", kind)
    for _ in range(1500):
        value: Any = {key: rng.choice(MORE) for key in rng.sample(KEYS, rng.randint(0, len(KEYS)))}
        value["attribute_type"] = kind if rng.random() < 0.9 else rng.choice(MORE)
        if rng.random() < 0.1:
            value = rng.choice(MORE)
        items = from_attio([value])
        canonical(kind, items)
        shown = plain(display(attribute, items, NoNames()))
        assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in shown)
        assert len(shown) < 100_000
        provenance([value])
        # An attribute whose type was changed holds values of another.
        canonical(rng.choice(TYPES), items)
        display(Attribute("a", "slug", "Title", rng.choice(TYPES)), items, NoNames())
