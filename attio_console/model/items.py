"""What a value is made of."""

from __future__ import annotations

from typing import Any

Item = Any
"""One value: a JSON scalar, or a small dict for the types that have parts."""

Items = list[Item]
"""All values of one field: empty, one, or many."""

LOCATION_KEYS = (
    "line_1",
    "line_2",
    "line_3",
    "line_4",
    "locality",
    "region",
    "postcode",
    "country_code",
    "latitude",
    "longitude",
)
