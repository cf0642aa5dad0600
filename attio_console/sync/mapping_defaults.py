"""A sensible mapping, made from the schemas of both sides as they are."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf

from rapidfuzz import fuzz

from attio_console.crm.protocol import CrmField, CrmObject
from attio_console.model.merge import Blanks, Rule
from attio_console.model.schema import Attribute, ObjectSchema, Schema
from attio_console.model.text import fold
from attio_console.sync.mapping import FieldMapping, FirstSync, Mapping, MatchKey, ObjectMapping, Transform

KEY_NAMES = ("attio_record_id", "Attio_Record_Id__c", "Attio_Id__c", "AttioId__c")

# Attio object -> external types that stand for it, the usual one first.
_OBJECTS: dict[str, dict[str, tuple[str, ...]]] = {
    "hubspot": {"companies": ("companies",), "people": ("contacts",), "deals": ("deals",)},
    "salesforce": {"companies": ("Account",), "people": ("Contact", "Lead"), "deals": ("Opportunity",)},
}

# (Attio object, attribute) -> the external field or fields, in order of preference.
_FIELDS: dict[str, dict[tuple[str, str], tuple[tuple[str, ...], ...]]] = {
    "hubspot": {
        ("people", "name"): (("firstname", "lastname"),),
        ("people", "email_addresses"): (("email",),),
        ("people", "phone_numbers"): (("phone",),),
        ("people", "job_title"): (("jobtitle",),),
        ("people", "company"): (("association:companies",),),
        ("companies", "name"): (("name",),),
        ("companies", "domains"): (("domain",),),
        ("companies", "owner"): (("hubspot_owner_id",),),
        ("deals", "name"): (("dealname",),),
        ("deals", "value"): (("amount",),),
        ("deals", "stage"): (("dealstage",),),
        ("deals", "owner"): (("hubspot_owner_id",),),
        ("deals", "close_date"): (("closedate",),),
        ("deals", "associated_company"): (("association:companies",),),
    },
    "salesforce": {
        ("people", "name"): (("FirstName", "LastName"),),
        ("people", "email_addresses"): (("Email",),),
        ("people", "phone_numbers"): (("Phone",),),
        ("people", "job_title"): (("Title",),),
        ("people", "company"): (("AccountId",),),
        ("companies", "name"): (("Name",),),
        ("companies", "domains"): (("Domain__c",), ("Website",)),
        ("companies", "owner"): (("OwnerId",),),
        ("deals", "name"): (("Name",),),
        ("deals", "value"): (("Amount",),),
        ("deals", "stage"): (("StageName",),),
        ("deals", "owner"): (("OwnerId",),),
        ("deals", "close_date"): (("CloseDate",),),
        ("deals", "associated_company"): (("AccountId",),),
    },
}
_UNIQUE: dict[tuple[str, str], str] = {("people", "email_addresses"): "", ("companies", "domains"): ""}
_NEAR = 72.0

# Stages that mean the same under names that do not look alike.
_SAME_STAGE = (
    frozenset({"won", "closed won", "closedwon"}),
    frozenset({"lost", "closed lost", "closedlost"}),
)


def default_mapping(
    system: str,
    schema: Schema,
    objects: MappingOf[str, CrmObject],
    *,
    first_sync: FirstSync = "plan",
    rule: Rule = Rule.MANUAL,
    blanks: Blanks = Blanks.FILL,
) -> Mapping:
    """Return the mapping of everything that both sides have and that usually belongs together."""
    found: list[ObjectMapping] = []
    for slug, types in _OBJECTS[system].items():
        attio = schema.object(slug)
        if attio is None:
            continue
        found += [
            mapping
            for name in types
            if name in objects and (mapping := _object(system, attio, objects[name], rule, blanks)).fields
        ]
    return Mapping(system, tuple(found), first_sync=first_sync)


def default_types(system: str, schema: Schema) -> tuple[str, ...]:
    """Return the external types worth describing for this workspace."""
    return tuple(
        name for slug, types in _OBJECTS[system].items() if schema.object(slug) is not None for name in types
    )


def _object(
    system: str, attio: ObjectSchema, external: CrmObject, rule: Rule, blanks: Blanks
) -> ObjectMapping:
    fields: list[FieldMapping] = []
    match: list[MatchKey] = []
    for (slug, attribute_slug), candidates in _FIELDS[system].items():
        attribute = attio.attribute(attribute_slug) if slug == attio.slug else None
        if attribute is None or attribute.is_archived or not attribute.is_writable:
            continue
        for names in candidates:
            others = [external.field(name) for name in names]
            if all(other is not None and other.is_writable for other in others):
                chosen = [other for other in others if other is not None]
                fields.append(_field(attribute, chosen, rule, blanks))
                if (slug, attribute_slug) in _UNIQUE:
                    match.append(MatchKey(attribute.slug, chosen[0].name))
                break
    key = next((f.name for name in KEY_NAMES if (f := external.field(name)) and f.is_unique), "")
    where = {"IsConverted": "false"} if external.name == "Lead" else {}
    return ObjectMapping(attio.slug, external.name, tuple(fields), tuple(match), key, where_external=where)


def _field(attribute: Attribute, external: list[CrmField], rule: Rule, blanks: Blanks) -> FieldMapping:
    transform: Transform = (
        "personal-name" if attribute.type == "personal-name" and len(external) == 2 else "auto"
    )
    values = value_table(attribute, external[0]) if attribute.type in {"select", "status"} else {}
    return FieldMapping(
        attribute.slug,
        tuple(f.name for f in external),
        transform=transform,
        rule=rule,
        blanks=blanks,
        values=values,
    )


def value_table(attribute: Attribute, external: CrmField) -> dict[str, str]:
    """Return Attio title -> external value for every choice that has an equal, or nearly equal, name."""
    titles = [c.title for c in attribute.options if not c.is_archived]
    titles += [c.title for c in attribute.statuses if not c.is_archived]
    scored = [
        (_likeness(title, option.label), title, option.value)
        for title in titles
        for option in external.options
        if option.is_active
    ]
    table: dict[str, str] = {}
    for score, title, value in sorted(scored, key=lambda s: -s[0]):
        if score >= _NEAR and title not in table and value not in table.values():
            table[title] = value
    return {title: table[title] for title in titles if title in table}


def _likeness(left: str, right: str) -> float:
    left, right = _words(left), _words(right)
    if left == right:
        return 100.0
    if any({left, right} <= same for same in _SAME_STAGE):
        return 99.0
    return float(fuzz.ratio(left, right))


def _words(text: str) -> str:
    return " ".join("".join(char if char.isalnum() else " " for char in fold(text)).split())
