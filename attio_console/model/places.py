"""A place as text in which every part has its name, so that nothing moves when one of them is changed."""

from __future__ import annotations

import re
from collections.abc import Mapping

from attio_console.errors import InvalidValue
from attio_console.model.items import LOCATION_KEYS, Item

PLACE_TITLES: Mapping[str, str] = {
    "line_1": "Street",
    "line_2": "Street 2",
    "line_3": "Street 3",
    "line_4": "Street 4",
    "postcode": "Postcode",
    "locality": "City",
    "region": "Region",
    "country_code": "Country",
    "latitude": "Latitude",
    "longitude": "Longitude",
}
_KEYS = {title.casefold(): key for key, title in PLACE_TITLES.items()}
# Only a known name begins a part: a street may have colons and semicolons of its own.
_PART = re.compile(
    r"(?:^|;)\s*(" + "|".join(sorted(map(re.escape, _KEYS), key=len, reverse=True)) + r")\s*:",
    re.IGNORECASE,
)


def place_text(parts: Mapping[str, object]) -> str:
    """Return the parts that a place has, each with its name: "Street: 1 Main St; City: London; Country: GB"."""
    return "; ".join(
        f"{title}: {str(parts[key]).strip()}"
        for key, title in PLACE_TITLES.items()
        if parts.get(key) is not None and str(parts[key]).strip()
    )


def place_of(text: str) -> Item | None:
    """Return the place that such a text names, or None where its parts have no names."""
    _, *found = _PART.split(text)
    if not found or _PART.match(text) is None:
        return None
    place: dict[str, str | None] = dict.fromkeys(LOCATION_KEYS)
    for title, value in zip(found[::2], found[1::2], strict=True):
        place[_KEYS[title.casefold()]] = value.strip() or None
    code = place["country_code"]
    if code is not None:
        if not re.fullmatch(r"[A-Za-z]{2}", code):
            raise InvalidValue(f"“{code}” is not a country's code", hint="Two letters, such as GB or DE")
        place["country_code"] = code.upper()
    for key in ("latitude", "longitude"):
        if (degrees := place[key]) is not None and not re.fullmatch(r"[+-]?\d{1,3}(\.\d+)?", degrees):
            raise InvalidValue(f"“{degrees}” is not a {key}", hint="Degrees, such as 52.52")
    return place
