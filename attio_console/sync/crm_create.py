"""Counterparts that are missing, created where the mapping says so: once, under a key that tells whose they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attio_console.errors import InvalidValue
from attio_console.model.items import Items
from attio_console.model.values import display
from attio_console.store import Store
from attio_console.store.outbox import provisional_id
from attio_console.store.types import FieldEdit, NewItem, NewPair
from attio_console.sync.codec import FieldCodec, Links
from attio_console.sync.crm_context import CrmContext, StoredLinks, external_values
from attio_console.sync.mapping import ObjectMapping, collection_of
from attio_console.sync.matching import Paired


class Creating:
    """Finds what is missing and makes outbox items of it; what waits there already is not made twice."""

    def __init__(self, store: Store, context: CrmContext, links: Links | None = None) -> None:
        self._store = store
        self._context = context
        self._links = links or StoredLinks(store, context.system)

    def items(self, mapping: ObjectMapping, found: Paired) -> list[NewItem]:
        """Return the creations that a mapping asks for, parents' links included where the parents have pairs."""
        made: list[NewItem] = []
        codecs = self._context.codecs(mapping, self._store.mirror.schema, self._links)
        if mapping.create_external == "on":
            made += self._there(mapping, codecs, found.alone_here)
        if mapping.create_attio == "on":
            made += self._here(mapping, codecs, found.alone_there)
        return made

    def _there(
        self, mapping: ObjectMapping, codecs: Sequence[FieldCodec], ids: Iterable[str]
    ) -> list[NewItem]:
        known = self._store.mirror.schema.object(mapping.attio)
        collection = collection_of(self._context.system, mapping.external)
        waiting = {str(i.payload.get("attio_record_id")) for i in self._store.outbox.created(collection)}
        made: list[NewItem] = []
        for record_id in ids:
            row = self._store.mirror.row(known.id, record_id) if known and record_id not in waiting else None
            if known is None or row is None or not self._takes_part(mapping, row.values()):
                continue
            fields = _written(codecs, row.values())
            if not fields:
                continue
            payload = {
                "object_key": mapping.attio,
                "attio_collection": known.id,
                "attio_record_id": record_id,
            }
            made.append(
                NewItem(
                    self._context.system,
                    collection,
                    provisional_id(),
                    "create",
                    fields,
                    payload,
                    "sync",
                    "sync",
                )
            )
        return made

    def _takes_part(self, mapping: ObjectMapping, values: Mapping[str, Items]) -> bool:
        known = self._store.mirror.schema.object(mapping.attio)
        for slug, wanted in mapping.where_attio.items():
            attribute = known.attribute(slug) if known else None
            shown = display(attribute, values.get(slug, []), _Labels(self._store)) if attribute else ""
            if shown.casefold() != wanted.casefold():
                return False
        return True

    def _here(
        self, mapping: ObjectMapping, codecs: Sequence[FieldCodec], ids: Iterable[str]
    ) -> list[NewItem]:
        known = self._store.mirror.schema.object(mapping.attio)
        if known is None:
            return []
        collection = collection_of(self._context.system, mapping.external)
        waiting = {str(i.payload.get("external_id")) for i in self._store.outbox.created(known.id)}
        made: list[NewItem] = []
        for external_id in ids:
            raw = self._store.mirror.raw(collection, external_id) if external_id not in waiting else None
            if raw is None:
                continue
            values = external_values(raw)
            fields = {
                codec.field.attio: FieldEdit([], items)
                for codec in codecs
                if (items := codec.read(values).items) and _is_known(items)
            }
            required = {a.slug for a in known.attributes if a.is_required and a.is_writable}
            if not fields or not required <= set(fields):
                continue
            payload = {
                "system": self._context.system,
                "object_key": mapping.attio,
                "external_type": mapping.external,
                "external_id": external_id,
            }
            made.append(
                NewItem("attio", known.id, provisional_id(), "create", fields, payload, "sync", "sync")
            )
        return made

    def arrived(self) -> list[NewPair]:
        """Return the pairs of records that were created here for records there, and are there now."""
        found: list[NewPair] = []
        for item in self._store.outbox.items(("confirmed",), 10_000):
            payload = item.payload
            if item.kind != "create" or payload.get("system") != self._context.system:
                continue
            external_type, external_id = str(payload["external_type"]), str(payload["external_id"])
            if self._store.pairs.by_external(self._context.system, external_type, external_id):
                continue
            found.append(
                NewPair(
                    self._context.system,
                    str(payload["object_key"]),
                    item.collection,
                    item.record_id,
                    external_type,
                    external_id,
                    "confirmed",
                    "sync",
                    1.0,
                    f"created from {self._context.system}",
                )
            )
        return found


class _Labels:
    def __init__(self, store: Store) -> None:
        self._store = store

    def record(self, object_slug: str, record_id: str) -> str | None:  # noqa: ARG002
        return self._store.mirror.label(record_id)

    def member(self, member_id: str) -> str | None:
        found = self._store.mirror.schema.member(member_id)
        return found.name if found else None


def _written(codecs: Sequence[FieldCodec], values: Mapping[str, Items]) -> dict[str, FieldEdit]:
    """Return the native values of a new record; what cannot be said there, or not yet, is left out."""
    fields: dict[str, FieldEdit] = {}
    for codec in codecs:
        items = codec.compared(values.get(codec.field.attio, []), None, [])
        if not items:
            continue
        try:
            natives: dict[str, Any] = codec.write(items)
        except InvalidValue:
            continue
        fields |= {name: FieldEdit([], [value]) for name, value in natives.items() if value not in {None, ""}}
    return fields


def _is_known(items: Items) -> bool:
    """Whether Attio has the options: a title without an id is one that it has not."""
    return not any(isinstance(item, dict) and "title" in item and not item.get("id") for item in items)
