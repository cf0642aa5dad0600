"""What the three systems really hold, read behind their backs and compared without a line of the product's own sense.

The comparison here is naive on purpose: it knows a dozen fields and nothing else, so that it can disagree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attio_console.store import Store
    from attio_console.store.types import Pair
    from tests.engine.crm.stage import Stage

KINDS = {
    "hubspot": {"people": "contacts", "companies": "companies", "deals": "deals"},
    "salesforce": {"people": "Contact", "companies": "Account", "deals": "Opportunity"},
}
FIELDS: dict[str, dict[str, dict[str, tuple[str, ...]]]] = {
    "hubspot": {
        "people": {
            "name": ("firstname", "lastname"),
            "email_addresses": ("email",),
            "phone_numbers": ("phone",),
            "job_title": ("jobtitle",),
            "company": ("association:companies",),
        },
        "companies": {"name": ("name",), "domains": ("domain",)},
        "deals": {
            "name": ("dealname",),
            "value": ("amount",),
            "stage": ("dealstage",),
            "close_date": ("closedate",),
            "owner": ("hubspot_owner_id",),
            "associated_company": ("association:companies",),
        },
    },
    "salesforce": {
        "people": {
            "name": ("FirstName", "LastName"),
            "email_addresses": ("Email",),
            "phone_numbers": ("Phone",),
            "job_title": ("Title",),
            "company": ("AccountId",),
        },
        "companies": {"name": ("Name",), "domains": ("Domain__c",)},
        "deals": {
            "name": ("Name",),
            "value": ("Amount",),
            "stage": ("StageName",),
            "close_date": ("CloseDate",),
            "owner": ("OwnerId",),
            "associated_company": ("AccountId",),
        },
    },
}
STAGES = {  # HubSpot's ids; Salesforce has the same names as Attio
    "Lead": "appointmentscheduled",
    "In Progress": "contractsent",
    "Won 🎉": "closedwon",
    "Lost": "closedlost",
}
MANY = frozenset({"email_addresses", "phone_numbers", "domains"})
REFERENCES = frozenset({"company", "associated_company"})

Plain = tuple[str, ...]
"""A value in the plainest form: () for a blank."""


def slug_of(system: str, kind: str, field: str) -> str:
    """Return the Attio attribute that a native field is mapped to."""
    if system == "attio":
        return field
    return next((slug for slug, names in FIELDS[system][kind].items() if field in names), "")


def _text(value: Any) -> str:
    return " ".join(str(value or "").split())


def _digits(value: Any) -> str:
    return "".join(char for char in str(value or "") if char.isdigit())[-8:]


def _money(value: Any) -> str:
    return f"{Decimal(str(value)):.2f}" if value not in (None, "") else ""


def _host(value: Any) -> str:
    return str(value or "").lower().removeprefix("https://").removeprefix("www.").rstrip("/")


_ONE: dict[str, Callable[[Any], str]] = {
    "email_addresses": lambda v: str(v or "").strip().lower(),
    "phone_numbers": _digits,
    "domains": _host,
    "value": _money,
    "close_date": lambda v: str(v or "")[:10],
}


@dataclass(frozen=True)
class People:
    """Who is who: member ids, owner ids and user ids by e-mail."""

    members: Mapping[str, str]
    owners: Mapping[str, Mapping[str, str]]
    """system -> owner id -> e-mail"""

    @property
    def everywhere(self) -> set[str]:
        """Return the e-mails of those who can own something in all three systems."""
        return set(self.members.values()).intersection(
            *(set(table.values()) for table in self.owners.values())
        )


def plain_items(slug: str, items: list[Any], people: People) -> Plain:
    """Return a value as the engine keeps it (a base, an intent) in the plainest form."""
    return tuple(form for item in items if (form := _plain_item(slug, item, people)))


def _plain_item(slug: str, item: Any, people: People) -> str:
    if isinstance(item, dict):
        if "first_name" in item:
            return _text(f"{item.get('first_name') or ''} {item.get('last_name') or ''}")
        if "target_record_id" in item:
            return str(item["target_record_id"])
        if "currency_value" in item:
            return _money(item["currency_value"])
        if "title" in item:
            return str(item["title"])
        if "type" in item:
            return people.members.get(str(item.get("id")), str(item.get("id")))
    return _ONE.get(slug, _text)(item)


def plain_attio(slug: str, values: list[dict[str, Any]], people: People) -> Plain:
    """Return an attribute as Attio's API shows it in the plainest form."""
    found = []
    for value in values:
        if "status" in value:
            item: Any = {"title": value["status"]["title"]}
        elif "referenced_actor_id" in value:
            item = {"type": value["referenced_actor_type"], "id": value["referenced_actor_id"]}
        elif "first_name" in value or "target_record_id" in value or "currency_value" in value:
            item = value
        else:
            item = next(
                (value[k] for k in ("email_address", "phone_number", "domain", "value") if k in value), ""
            )
        found.append(item)
    return plain_items(slug, found, people)


def plain_native(
    system: str, kind: str, slug: str, values: Mapping[str, Any], people: People, pairs: Mapping[str, str]
) -> Plain:
    """Return what the other system holds for an attribute in the plainest form; references as Attio record ids."""
    natives = [values.get(name) for name in FIELDS[system][kind][slug]]
    if slug == "name" and kind == "people":
        form = _text(" ".join(str(part or "") for part in natives))
    elif natives[0] in (None, "", []):
        form = ""
    elif slug == "stage":
        form = next((t for t, name in STAGES.items() if name == natives[0]), str(natives[0]))
    elif slug == "owner":
        form = people.owners[system].get(str(natives[0]), str(natives[0]))
    elif isinstance(natives[0], list):
        return tuple(pairs.get(one, f"?{one}") for one in natives[0])
    elif slug in REFERENCES:
        form = pairs.get(str(natives[0]), f"?{natives[0]}")
    else:
        form = _ONE.get(slug, _text)(natives[0])
    return (form,) if form else ()


def agree(slug: str, attio: Plain, external: Plain) -> bool:
    """Return whether both sides say the same; where Attio keeps many, the other side's one must be among them."""
    if slug in MANY and external:
        return external[0] in attio
    if slug in REFERENCES and len(external) > 1:
        # HubSpot may hold further companies beside the primary one, which alone is mapped.
        return bool(attio) and attio[0] in external
    return attio == external


@dataclass(frozen=True)
class Gap:
    """One field of a pair that breaks the peace, and what is there instead."""

    pair: Pair
    slug: str
    attio: Any
    external: Any
    base: Any
    why: str

    def __str__(self) -> str:
        pair = self.pair
        where = f"pair {pair.id}: {pair.object_key} {pair.record_id} = {pair.system} {pair.external_id}"
        return f"{where}, {self.slug}: {self.attio} | {self.external} | base {self.base}: {self.why}"


class Truth:
    """All rows of all three systems at one instant."""

    def __init__(self, attio: Any, hubspot: Any, salesforce: Any, people: People) -> None:
        self.attio: dict[str, dict[str, dict[str, Any]]] = attio
        self._external = {"hubspot": hubspot, "salesforce": salesforce}
        self.people = people

    def external(self, system: str, kind: str) -> dict[str, dict[str, Any]]:
        """Return the living records of a system by id, as native fields."""
        found: dict[str, dict[str, Any]] = self._external[system][kind]
        return found

    def gaps(self, store: Store) -> list[Gap]:
        """Return every mapped field of every pair that is neither agreed nor named."""
        gaps: list[Gap] = []
        for system in KINDS:
            pairs = [
                p
                for p in store.pairs.list(system, state="confirmed", limit=10_000)
                if p.external_type == KINDS[system][p.object_key]
            ]
            linked = {p.external_id: p.record_id for p in pairs}
            gaps += _doubled(store, pairs)
            for pair in pairs:
                gaps += self._of_pair(store, pair, linked)
        return gaps

    def _of_pair(self, store: Store, pair: Pair, linked: Mapping[str, str]) -> list[Gap]:
        ours = self.attio[pair.object_key].get(pair.record_id)
        theirs = self.external(pair.system, pair.object_key).get(pair.external_id)
        named = names_of(store, pair)
        if ours is None or theirs is None:
            if (ours is None and theirs is None) or "record" in named:
                return []
            return [
                Gap(pair, "record", ours and "there", theirs and "there", None, "gone on one side, unnamed")
            ]
        bases = store.pairs.bases(pair.id)
        found: list[Gap] = []
        for slug in FIELDS[pair.system][pair.object_key]:
            if slug in named:
                continue
            attio = plain_attio(slug, ours["values"].get(slug, []), self.people)
            external = plain_native(pair.system, pair.object_key, slug, theirs, self.people, linked)
            kept = bases.get(slug)
            base = None if kept is None else plain_items(slug, kept.items, self.people)
            if self._waits(pair, slug, attio, external, linked):
                continue
            shadow = (bases[f"{slug}@external"].items or [None])[0] if f"{slug}@external" in bases else None
            if (
                shadow is not None
                and base is not None
                and base == plain_items(slug, shadow["of"], self.people)
            ):
                external = base
            if not agree(slug, attio, external):
                found.append(Gap(pair, slug, attio, external, base, "the sides differ"))
            elif base is None:
                found.append(Gap(pair, slug, attio, external, base, "agreed, and no base says so"))
            elif not agree(slug, attio, base) or not (slug in MANY or agree(slug, base, external)):
                found.append(
                    Gap(pair, slug, attio, external, base, "agreed, and the base says something else")
                )
        return found

    def _waits(self, pair: Pair, slug: str, attio: Plain, external: Plain, linked: Mapping[str, str]) -> bool:
        """Whether a reference truly cannot cross: its target has no counterpart."""
        if slug in REFERENCES:
            no_here = any(one.startswith("?") for one in external)
            no_there = bool(attio) and attio[0] not in linked.values()
            return no_here or no_there
        if slug == "owner":
            known = set(self.people.members.values()) & set(self.people.owners[pair.system].values())
            return any(who not in known for who in (*attio, *external))
        return False


def _doubled(store: Store, pairs: Sequence[Pair]) -> list[Gap]:
    """Return the pairs whose record, on either side, stands for several on the other without anybody being asked."""
    found = []
    for side in ("record_id", "external_id"):
        count = Counter(getattr(pair, side) for pair in pairs)
        found += [
            Gap(
                pair,
                "record",
                pair.record_id,
                pair.external_id,
                None,
                f"{side} is in {count[getattr(pair, side)]} pairs",
            )
            for pair in pairs
            if count[getattr(pair, side)] > 1 and "record" not in names_of(store, pair)
        ]
    return found


def names_of(store: Store, pair: Pair) -> set[str]:
    """Return the attributes of a pair that an open conflict, a refused write or a dead letter names."""
    named = {str(f.get("slug")) for row in store.conflicts.for_pair(pair.id) for f in row.fields}
    for row in store.conflicts.for_record(pair.record_id):
        if row.system == "attio":
            named |= {str(f.get("slug")) for f in row.fields}
            if row.kind == "edit against delete":
                named.add("record")
    there = f"{pair.system}:{pair.external_type}"
    for item in store.outbox.items(("refused", "dead"), 10_000):
        if (item.collection, item.record_id) == (there, pair.external_id):
            named |= {slug_of(pair.system, pair.object_key, name) for name in item.fields}
            named |= {"record"} if item.kind == "delete" else set()
        elif (item.collection, item.record_id) == (pair.collection, pair.record_id):
            named |= set(item.fields)
            named |= {"record"} if item.kind == "delete" else set()
    return named


async def read_truth(stage: Stage) -> Truth:
    """Read everything through the control surface."""
    kinds = ("people", "companies", "deals")
    attio = {kind: await stage.control.dump(kind) for kind in kinds}
    hubspot = {kind: await stage.rows("hubspot", KINDS["hubspot"][kind]) for kind in kinds}
    salesforce = {kind: await stage.rows("salesforce", KINDS["salesforce"][kind]) for kind in kinds}
    return Truth(attio, hubspot, salesforce, stage.people)
