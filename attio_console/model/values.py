"""A field's value in its plain form, and everything that may be done with it.

Attio gives every field as a list of value objects. Here a field is a list of plain items (JSON scalars and small dicts):
`[]` is empty, a single-value attribute holds at most one item. The doors are `from_attio` and `to_attio`; equality of
meaning is `canonical`; what a person sees and types is `display` and `parse`.
"""

from __future__ import annotations

from attio_console.model.attio_values import Provenance, from_attio, provenance, to_attio
from attio_console.model.canonical import canonical, same
from attio_console.model.display import Names, NoNames, display
from attio_console.model.items import LOCATION_KEYS, Item, Items
from attio_console.model.parse import parse

__all__ = [
    "LOCATION_KEYS",
    "Item",
    "Items",
    "Names",
    "NoNames",
    "Provenance",
    "canonical",
    "display",
    "from_attio",
    "parse",
    "provenance",
    "same",
    "to_attio",
]
