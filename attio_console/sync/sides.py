"""What there is to know of one record for telling whether it is the same as another: its keys, its name, its hints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from attio_console.model.canonical import canonical_item
from attio_console.model.items import Items
from attio_console.model.schema import ObjectSchema
from attio_console.model.text import fold
from attio_console.sync.codec import FieldCodec
from attio_console.sync.mapping import ObjectMapping


@dataclass(frozen=True)
class Side:
    """One unpaired record with what may tell who it is."""

    id: str
    label: str
    keys: frozenset[tuple[str, str]]
    """(match key, canonical value)"""
    name: str
    hints: frozenset[str]
    """phones, domains, amounts: what makes a likeness of names likelier"""
    stored: str = ""
    """the id of the counterpart, where this record names it"""
    is_paired: bool = False


def takes_part(values: Mapping[str, Any], where: Mapping[str, str]) -> bool:
    """Return whether a record's native values fit a mapping's filter."""
    return all(
        str(values.get(name) or "").casefold() == wanted.casefold()
        or (wanted.casefold() == "false" and not values.get(name))
        for name, wanted in where.items()
    )


def attio_side(
    mapping: ObjectMapping,
    attio_object: ObjectSchema,
    codecs: Sequence[FieldCodec],
    record_id: str,
    label: str,
    values: Mapping[str, Items],
) -> Side:
    keys: set[tuple[str, str]] = set()
    for match in mapping.match:
        attribute = attio_object.attribute(match.attio)
        if attribute is not None:
            forms = (canonical_item(attribute.type, item) for item in values.get(match.attio, []))
            keys.update((match.attio, form) for form in forms if form)
    hints = _hints({codec: values.get(codec.field.attio, []) for codec in codecs})
    return Side(record_id, label, frozenset(keys), _name(label), hints)


def external_side(
    mapping: ObjectMapping, codecs: Sequence[FieldCodec], external_id: str, values: Mapping[str, Any]
) -> Side:
    keys: set[tuple[str, str]] = set()
    by_slug = {codec.field.attio: codec for codec in codecs}
    for match in mapping.match:
        codec = by_slug.get(match.attio)
        native = values.get(match.external)
        if codec is not None and native:
            keys.add((match.attio, canonical_item(codec.attribute.type, native)))
    read = {codec: codec.read(values).items for codec in codecs}
    label = next((_text(items) for codec, items in read.items() if codec.field.attio == "name" and items), "")
    stored = str(values.get(mapping.key_field) or "") if mapping.key_field else ""
    return Side(external_id, label, frozenset(k for k in keys if k[1]), _name(label), _hints(read), stored)


def _hints(read: Mapping[FieldCodec, Items]) -> frozenset[str]:
    useful = {"phone-number", "domain", "email-address", "currency", "record-reference", "date"}
    return frozenset(
        f"{codec.field.attio}={form}"
        for codec, items in read.items()
        if codec.attribute.type in useful
        for item in items
        if (form := canonical_item(codec.attribute.type, item))
    )


def _text(items: Items) -> str:
    item = items[0]
    return str(item.get("full_name") or "") if isinstance(item, dict) else str(item)


def _name(label: str) -> str:
    return " ".join(sorted("".join(c if c.isalnum() else " " for c in fold(label)).split()))
