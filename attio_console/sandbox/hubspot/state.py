"""The HubSpot account: its objects, and everything that can happen to a record."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from random import Random
from typing import Any

from attio_console.sandbox.hubspot import properties as props
from attio_console.sandbox.hubspot.account import STANDARD_STAGES, Keyring, Owner, Pipeline, sales_pipeline
from attio_console.sandbox.hubspot.associations import Associations
from attio_console.sandbox.hubspot.errors import HubSpotError, invalid, invalid_property, not_found
from attio_console.sandbox.hubspot.model import Record, Source, iso
from attio_console.sandbox.hubspot.properties import PropertyDef
from attio_console.sandbox.hubspot.values import normal
from attio_console.sandbox.world import World

TYPE_IDS = {"contacts": "0-1", "companies": "0-2", "deals": "0-3", "notes": "0-46", "tasks": "0-27"}
SINGULAR = {"contacts": "contact", "companies": "company", "deals": "deal", "notes": "note", "tasks": "task"}
API = Source()


class ObjectStore:
    """All records of one type, oldest first."""

    def __init__(self, name: str, definitions: Iterable[PropertyDef], first_id: int) -> None:
        self.name = name
        self.properties = {definition.name: definition for definition in definitions}
        self.records: dict[int, Record] = {}
        self.ids: list[int] = []
        """Ascending, as ids are given out; ids of merged records stay in it and are skipped."""
        self.moved: dict[int, int] = {}
        """Id of a merged record -> id of the record it became."""
        self.next_id = first_id
        self.modified = "lastmodifieddate" if name == "contacts" else "hs_lastmodifieddate"
        self.unique: dict[str, dict[str, int]] = {p.name: {} for p in self.properties.values() if p.unique}
        if name == "contacts":
            self.unique["email"] = {}

    def find(self, record_id: int) -> Record | None:
        """Return the record with that id, or the one it was merged into."""
        while record_id in self.moved:
            record_id = self.moved[record_id]
        return self.records.get(record_id)

    def page(self, after: int, limit: int, *, archived: bool) -> tuple[list[Record], int | None]:
        """Return records from that id on, and the id the next page starts with."""
        found: list[Record] = []
        for record_id in self.ids[bisect_left(self.ids, after) :]:
            record = self.records.get(record_id)
            if record is None or (record.archived_at is not None) != archived:
                continue
            if len(found) == limit:
                return found, record_id
            found.append(record)
        return found, None

    def live(self) -> Iterator[Record]:
        """Return the records that are not archived."""
        return (record for record in self.records.values() if record.archived_at is None)


class HubSpot:
    """One account. `world.part(HubSpot)` is the world's."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.random = Random(f"{world.seed}:hubspot")
        self.portal_id = self.random.randrange(10_000_000, 99_999_999)
        self.keyring = Keyring(self.random)
        self.owners: dict[int, Owner] = {}
        self.pipelines: dict[str, dict[str, Pipeline]] = {
            "deals": {"default": sales_pipeline(self.now(), STANDARD_STAGES)}
        }
        self.associations = Associations()
        self.search_lag_s = 0.0
        """How far search answers from the past; "a few moments" in the real thing."""
        first = self.random.randrange(10_000, 90_000)
        self.objects = {
            "contacts": ObjectStore("contacts", [*props.contact_properties(), props.sync_key()], first),
            "companies": ObjectStore("companies", [*props.company_properties(), props.sync_key()], first * 7),
            "deals": ObjectStore("deals", [*props.deal_properties(), props.sync_key()], first * 11),
            "notes": ObjectStore("notes", props.note_properties(), first * 13),
            "tasks": ObjectStore("tasks", props.task_properties(), first * 17),
        }
        for name, store in self.objects.items():
            for definition in store.properties.values():
                if not definition.group:
                    definition.group = (
                        "engagement" if name in {"notes", "tasks"} else f"{SINGULAR[name]}information"
                    )

    def now(self) -> datetime:
        """Return the time by the sandbox clock, in whole milliseconds."""
        now = self.world.clock.now()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def store(self, name: str) -> ObjectStore:
        """Return an object type by plural, singular or type id."""
        for plural, singular in SINGULAR.items():
            if name.lower() in {plural, singular, TYPE_IDS[plural]}:
                return self.objects[plural]
        raise invalid(f"Unable to infer object type from: {name}")

    def add_owner(self, first_name: str, last_name: str, email: str, *, archived: bool = False) -> Owner:
        """Give somebody a seat."""
        number = 700_000_000 + len(self.owners) * 104_729
        owner = Owner(number, number // 10 + 37, email, first_name, last_name, self.now(), archived)
        self.owners[owner.id] = owner
        return owner

    def source_of(self, actor: str) -> Source:
        """Return how property history names somebody: an owner by e-mail or id, or the system."""
        for owner in self.owners.values():
            if actor.casefold() in {owner.email.casefold(), str(owner.id), str(owner.user_id)}:
                return owner.source
        if actor == "system":
            return Source("AUTOMATION_PLATFORM", "enrollmentId:1;actionExecutionIndex:0", "Workflow")
        return Source("CRM_UI", f"userId:{actor}", actor)

    def get(self, store: ObjectStore, record_id: str, id_property: str | None = None) -> Record:
        """Return a record by id or by a unique property, archived ones included, or refuse."""
        if id_property and id_property != "hs_object_id":
            if id_property not in store.unique:
                raise invalid(f"{id_property} is not a unique property of {store.name}")
            found = store.unique[id_property].get(record_id.strip().casefold())
            record = store.records.get(found) if found is not None else None
        else:
            record = store.find(int(record_id)) if record_id.isascii() and record_id.isdigit() else None
        if record is None:
            raise not_found()
        return record

    def create(
        self,
        store: ObjectStore,
        values: Mapping[str, Any],
        source: Source = API,
        *,
        at: datetime | None = None,
    ) -> Record:
        """Make a record, or refuse and leave nothing behind."""
        now = at or self.now()
        ready = {name: value for name, value in self._ready(store, values, None).items() if value is not None}
        if store.name == "deals" and "dealstage" in ready:
            ready.setdefault("pipeline", "default")
        if store.name == "deals":
            self._check_stage(ready)
        record = Record(store.next_id, ready, now, now, source)
        # Gaps between ids, as when other tenants make records too.
        store.next_id += self.random.randrange(1, 50)
        ready |= {
            "hs_object_id": str(record.id),
            "createdate": ready.get("createdate", iso(now)),
            store.modified: iso(now),
        }
        if store.name in {"contacts", "companies", "deals"}:
            record.url = (
                f"https://app.hubspot.com/contacts/{self.portal_id}/record/{TYPE_IDS[store.name]}/{record.id}"
            )
        store.records[record.id] = record
        store.ids.append(record.id)
        self._index(store, record, {}, ready)
        return record

    def check(
        self, store: ObjectStore, values: Mapping[str, Any], record: Record | None
    ) -> Mapping[str, str | None]:
        """Return the values as a write would store them, or refuse, and change nothing."""
        ready = self._ready(store, values, record)
        if store.name == "deals":
            self._check_stage({**(record.properties if record else {}), **ready})
        return ready

    def update(
        self,
        store: ObjectStore,
        record: Record,
        values: Mapping[str, Any],
        source: Source = API,
        *,
        at: datetime | None = None,
    ) -> None:
        """Change properties of a record; one that is left out is not touched."""
        if record.archived_at is not None:
            raise not_found()
        now = at or self.now()
        ready = self._ready(store, values, record)
        before = dict(record.properties)
        if store.name == "deals":
            self._check_stage({**before, **{k: v for k, v in ready.items() if v is not None}})
        if "lifecyclestage" in ready and not _stage_moves(
            before.get("lifecyclestage"), ready["lifecyclestage"]
        ):
            # Backwards is ignored without a word; one has to clear it first.
            del ready["lifecyclestage"]
        for name, value in ready.items():
            if (
                value is not None
                and value.startswith(";")
                and store.properties[name].field_type == "checkbox"
            ):
                value = ";".join(dict.fromkeys([*before.get(name, "").split(";"), *value.split(";")])).strip(
                    ";"
                )
            record.put(name, value, now, source)
        self.touch(store, record, now)
        self._index(store, record, before, record.properties)

    def touch(self, store: ObjectStore, record: Record, at: datetime) -> None:
        """Move the stamp of the last modification, which also happens without any visible change."""
        record.updated_at = max(at, record.updated_at)
        record.properties[store.modified] = iso(record.updated_at)

    def archive(self, store: ObjectStore, record: Record, at: datetime | None = None) -> None:
        """Put a record into the recycle bin; its unique values become free again."""
        if record.archived_at is None:
            record.archived_at = at or self.now()
            self.touch(store, record, record.archived_at)
            self._index(store, record, record.properties, {})

    def merge(self, store: ObjectStore, primary: Record, other: Record, source: Source = API) -> Record:
        """Make one record of two, under a new id; both old ids go on resolving to it."""
        if primary.id == other.id:
            raise invalid("Cannot merge a record with itself")
        now = self.now()
        values = {**other.properties, **primary.properties}
        for stale in (primary, other):
            self._index(store, stale, stale.properties, {})
        merged = Record(store.next_id, values, min(primary.created_at, other.created_at), now, source)
        store.next_id += self.random.randrange(1, 50)
        merged.merged = [*primary.merged, *other.merged, primary.id, other.id]
        merged.versions = {name: list(v) for name, v in primary.versions.items()}
        merged.url = primary.url.replace(str(primary.id), str(merged.id))
        values |= {"hs_object_id": str(merged.id), "hs_merged_object_ids": ";".join(map(str, merged.merged))}
        emails = [e for e in (other.properties.get("email"),) if e and e != values.get("email")]
        if emails:
            values["hs_additional_emails"] = ";".join(
                [*filter(None, values.get("hs_additional_emails", "").split(";")), *emails]
            )
        store.records[merged.id] = merged
        store.ids.append(merged.id)
        for stale in (primary, other):
            del store.records[stale.id]
            store.moved[stale.id] = merged.id
            self.associations.move(store.name, stale.id, merged.id)
        self.touch(store, merged, now)
        self._index(store, merged, {}, values)
        return merged

    def _ready(
        self, store: ObjectStore, values: Mapping[str, Any], record: Record | None
    ) -> dict[str, str | None]:
        ready: dict[str, str | None] = {}
        for name, value in values.items():
            definition = store.properties.get(name.lower())
            if definition is None or definition.archived:
                raise invalid_property(
                    name, f'Property "{name}" does not exist', "PROPERTY_DOESNT_EXIST", self.portal_id
                )
            if definition.read_only:
                why = f'"{name}" is a read only property; its value cannot be set.'
                raise invalid_property(name, why, "READ_ONLY_VALUE", self.portal_id)
            ready[definition.name] = normal(definition, value, self.portal_id)
        owner = ready.get("hubspot_owner_id")
        if owner is not None and (not owner.isdigit() or int(owner) not in self.owners):
            why = f"{owner} was not one of the allowed owner ids"
            raise invalid_property("hubspot_owner_id", why, "INVALID_OWNER_ID", self.portal_id)
        self._check_unique(store, ready, record)
        return ready

    def _check_unique(
        self, store: ObjectStore, ready: Mapping[str, str | None], record: Record | None
    ) -> None:
        for name, index in store.unique.items():
            value = ready.get(name)
            holder = index.get(value.casefold()) if value else None
            if holder is None or (record is not None and holder == record.id):
                continue
            if name == "email":
                raise HubSpotError(409, "CONFLICT", f"Contact already exists. Existing ID: {holder}")
            target = record.id if record else "new record"
            why = f"Cannot set {name}={value} on {target}. {holder} already has that value."
            raise invalid_property(name, why, "CONFLICTING_UNIQUE_VALUE", self.portal_id)

    def _check_stage(self, values: Mapping[str, str | None]) -> None:
        pipeline = self.pipelines["deals"].get(values.get("pipeline") or "default")
        if values.get("pipeline") and pipeline is None:
            why = f"{values['pipeline']} was not one of the allowed pipelines"
            raise invalid_property("pipeline", why, "INVALID_OPTION", self.portal_id)
        stage = values.get("dealstage")
        if stage and pipeline and pipeline.stage(stage) is None:
            known = ", ".join(s.id for s in pipeline.stages)
            why = f"{stage} was not one of the allowed options: [{known}]"
            raise invalid_property("dealstage", why, "INVALID_OPTION", self.portal_id)

    def _index(
        self, store: ObjectStore, record: Record, before: Mapping[str, str], after: Mapping[str, str]
    ) -> None:
        for name, index in store.unique.items():
            for value in _keys(name, before):
                if index.get(value) == record.id:
                    del index[value]
            for value in _keys(name, after):
                index.setdefault(value, record.id)


def _keys(name: str, values: Mapping[str, str]) -> list[str]:
    keys = [values[name].casefold()] if values.get(name) else []
    if name == "email" and values.get("hs_additional_emails"):
        keys += [e.casefold() for e in values["hs_additional_emails"].split(";") if e]
    return keys


def _stage_moves(before: str | None, after: str | None) -> bool:
    order = [value for value, _ in props.LIFECYCLE]
    if before not in order or after not in order:
        return True
    return order.index(after) >= order.index(before)
