"""What is known of one other system: its mapping, its mapped fields, its owners; kept with the queue, so that any
console on this data directory can preview and resolve without asking it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import msgspec

from attio_console.crm.protocol import CrmObject, CrmOwner, CrmRecord
from attio_console.errors import ConfigError
from attio_console.model.schema import Schema
from attio_console.store import Store
from attio_console.sync.codec import FieldCodec, Links, Owners, codecs
from attio_console.sync.mapping import Mapping, ObjectMapping


class StoredLinks:
    """The confirmed pairs, as references cross by them."""

    def __init__(self, store: Store, system: str) -> None:
        self._store = store
        self._system = system

    def attio_of(self, external_type: str, external_id: str) -> tuple[str, str] | None:
        """Return (object slug, record id) of the confirmed pair of an external record."""
        pairs = self._store.pairs.by_external(self._system, external_type, external_id)
        return next(((p.object_key, p.record_id) for p in pairs if p.state == "confirmed"), None)

    def external_of(self, record_id: str, external_type: str) -> str | None:
        """Return the external id of the confirmed pair of an Attio record."""
        pairs = self._store.pairs.by_record(record_id, self._system)
        wanted = (p.external_id for p in pairs if p.state == "confirmed" and p.external_type == external_type)
        return next(wanted, None)


@dataclass(frozen=True)
class CrmContext:
    """Everything needed to turn values of one system into the other's."""

    mapping: Mapping
    objects: dict[str, CrmObject]
    owners: tuple[CrmOwner, ...]

    @property
    def system(self) -> str:
        """Return the system's key."""
        return self.mapping.system

    @cached_property
    def owner_table(self) -> Owners:
        """Return members and owners matched by e-mail."""
        return Owners.of(self.owners)

    def codecs(self, object_mapping: ObjectMapping, schema: Schema, links: Links) -> tuple[FieldCodec, ...]:
        """Return the codec of every mapped field of an object."""
        attio, external = schema.object(object_mapping.attio), self.objects.get(object_mapping.external)
        if attio is None or external is None:
            return ()
        return codecs(self.mapping, object_mapping, attio, external, schema, self.owner_table, links)

    def trimmed(self) -> CrmContext:
        """Return the same with only the fields that the mapping uses."""
        kept: dict[str, CrmObject] = {}
        for name, found in self.objects.items():
            used = set(self.mapping.fields_of(name))
            kept[name] = replace(found, fields=tuple(f for f in found.fields if f.name in used))
        return replace(self, objects=kept)


def _key(system: str) -> str:
    return f"crm:{system}:context"


async def save_context(store: Store, context: CrmContext) -> None:
    """Keep what is known of a system."""
    await store.state.put(_key(context.system), msgspec.to_builtins(context.trimmed()))


def load_context(store: Store, system: str) -> CrmContext:
    """Return what was kept of a system."""
    kept = store.state.get(_key(system))
    if kept is None:
        raise ConfigError(
            f"{system} has not been read yet on this machine.", hint="Run: attio-console sync --once"
        )
    return msgspec.convert(kept, CrmContext)


def external_row(record: CrmRecord) -> bytes:
    """Return an external record as the mirror keeps it."""
    values = record.values
    label = _label(values)
    found = (values.get(name) for name in ("email", "Email", "domain", "Website", "phone", "Phone"))
    return msgspec.json.encode(
        {
            "id": {"record_id": record.id},
            "created_at": str(values.get("createdate") or values.get("CreatedDate") or ""),
            "modified_at": record.modified_at,
            "label": label,
            "search": " ".join(str(text) for text in found if text),
            "properties": dict(values),
        }
    )


def _label(values: Any) -> str:
    first = values.get("firstname") or values.get("FirstName") or ""
    last = values.get("lastname") or values.get("LastName") or ""
    person = f"{first} {last}".strip()
    named = values.get("dealname") or values.get("name") or values.get("Name")
    return person or str(named or values.get("email") or values.get("Email") or "")


class _External(msgspec.Struct):
    properties: dict[str, Any]
    modified_at: str = ""
    label: str = ""


_decode = msgspec.json.Decoder(_External).decode


def external_values(raw: bytes) -> dict[str, Any]:
    """Return the native values of a mirrored external record."""
    return _decode(raw).properties


def external_stamp(raw: bytes) -> str:
    """Return when a mirrored external record last changed, in its system's words."""
    return _decode(raw).modified_at
