"""Which columns a table starts with: what people look for first, narrow enough to fit beside each other."""

from __future__ import annotations

from attio_console.model.schema import Attribute, ListSchema, ObjectSchema
from attio_console.model.text import plain
from attio_console.services.types import Column

_FIRST = {
    "people": (
        "name",
        "company",
        "email_addresses",
        "job_title",
        "phone_numbers",
        "last_interaction",
        "primary_location",
    ),
    "companies": (
        "name",
        "domains",
        "categories",
        "primary_location",
        "employee_range",
        "last_interaction",
        "team",
    ),
    "deals": ("name", "stage", "value", "owner", "associated_company", "associated_people", "created_at"),
}

_WIDTHS = {
    "personal-name": 24,
    "text": 24,
    "record-reference": 22,
    "email-address": 28,
    "domain": 22,
    "phone-number": 18,
    "location": 22,
    "interaction": 12,
    "timestamp": 16,
    "date": 12,
    "currency": 14,
    "number": 10,
    "rating": 7,
    "checkbox": 6,
    "status": 14,
    "select": 18,
    "actor-reference": 14,
}

_NUMERIC = frozenset({"currency", "number", "rating"})
_ALWAYS_LAST = frozenset({"record_id", "entry_id", "created_by", "avatar_url", "logo_url"})


def columns_of(shape: ObjectSchema | ListSchema) -> list[Column]:
    """Return every column of an object or list, best first; those after the usual ones are not shown at first."""
    ordered = _ordered(shape)
    usual = len(_FIRST.get(shape.slug, ())) or 7
    return [
        Column(
            slug=attribute.slug,
            title=plain(attribute.title),
            type=attribute.type,
            width=_WIDTHS.get(attribute.type, 20),
            priority=place,
            numeric=attribute.type in _NUMERIC,
            editable=attribute.is_writable,
            shown=place < usual,
        )
        for place, attribute in enumerate(ordered)
    ]


def _ordered(shape: ObjectSchema | ListSchema) -> list[Attribute]:
    alive = [attribute for attribute in shape.attributes if not attribute.is_archived]
    first = _FIRST.get(shape.slug)
    if first is not None:
        known = {attribute.slug: attribute for attribute in alive}
        chosen = [known[slug] for slug in first if slug in known]
    else:
        chosen = sorted(alive, key=_interest)[:7]
    rest = [attribute for attribute in alive if attribute not in chosen]
    return chosen + sorted(rest, key=lambda a: (a.slug in _ALWAYS_LAST, not a.is_writable))


def _interest(attribute: Attribute) -> tuple[int, int]:
    """Rank the attributes of an object nobody chose columns for: names, stages and money before the rest."""
    kind = {"personal-name": 0, "status": 2, "currency": 3, "actor-reference": 4, "record-reference": 5}
    if attribute.slug in {"name", "title"}:
        return (0, 0)
    if attribute.slug in _ALWAYS_LAST:
        return (9, 0)
    return (kind.get(attribute.type, 6), int(not attribute.is_writable))
