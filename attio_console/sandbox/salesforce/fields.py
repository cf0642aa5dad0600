"""What a field of an object is, and how `describe` tells it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

_SOAP = {
    "id": "tns:ID", "reference": "tns:ID", "boolean": "xsd:boolean", "int": "xsd:int", "double": "xsd:double",
    "currency": "xsd:double", "percent": "xsd:double", "date": "xsd:date", "datetime": "xsd:dateTime",
    "address": "urn:address", "base64": "xsd:base64Binary",
}  # fmt: skip


@dataclass(slots=True)
class Field:
    """One field of an object."""

    name: str
    label: str
    type: str = "string"
    length: int = 0
    required: bool = False
    read_only: bool = False
    create_only: bool = False
    external_id: bool = False
    unique: bool = False
    id_lookup: bool = False
    refers_to: tuple[str, ...] = ()
    relationship: str | None = None
    choices: tuple[str, ...] = ()
    restricted: bool = False
    default: Any = None
    compound: str | None = None
    """The compound field this one is a part of."""
    calculated: bool = False
    tracked: bool = False

    @property
    def custom(self) -> bool:
        """Whether the org added it."""
        return self.name.endswith("__c")

    def json(self) -> dict[str, Any]:
        """Return the field as `describe` shows it."""
        number = self.type in {"int", "double", "currency", "percent"}
        system = self.read_only or self.calculated
        return {
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "length": self.length,
            "byteLength": self.length * 3,
            "precision": 18 if number and self.type != "int" else 0,
            "scale": 2 if number and self.type != "int" else 0,
            "digits": 9 if self.type == "int" else 0,
            "nillable": not self.required and self.type not in {"id", "boolean"},
            "createable": not system,
            "updateable": not system and not self.create_only,
            "calculated": self.calculated,
            "autoNumber": False,
            "externalId": self.external_id,
            "unique": self.unique,
            "idLookup": self.id_lookup or self.external_id,
            "caseSensitive": False,
            "nameField": self.name in {"Name", "Subject", "Title"},
            "namePointing": len(self.refers_to) > 1,
            "filterable": self.type not in {"textarea_long", "base64"},
            "sortable": self.type not in {"textarea_long", "base64", "address"},
            "groupable": self.type not in {"textarea_long", "base64", "address", "double", "currency"},
            "custom": self.custom,
            "defaultedOnCreate": self.default is not None,
            "defaultValue": self.default,
            "deprecatedAndHidden": False,
            "permissionable": not self.required and not system,
            "compoundFieldName": self.compound,
            "referenceTo": list(self.refers_to),
            "relationshipName": self.relationship,
            "restrictedPicklist": self.restricted,
            "picklistValues": [
                {
                    "value": value,
                    "label": value,
                    "active": True,
                    "defaultValue": value == self.default,
                    "validFor": None,
                }
                for value in self.choices
            ],
            "soapType": _SOAP.get(self.type, "xsd:string"),
            "inlineHelpText": None,
        }


@dataclass(slots=True)
class SObject:
    """An object: its key prefix, its fields, and what the API lets one do with it."""

    name: str
    label: str
    plural: str
    prefix: str
    fields: dict[str, Field]
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    mergeable: bool = False
    history: str | None = None
    """The object that tells what changed."""
    history_parent: str = ""
    by_lower: dict[str, Field] | None = None

    def field(self, name: str) -> Field | None:
        """Return a field by name, whose case does not matter."""
        if self.by_lower is None or len(self.by_lower) != len(self.fields):
            self.by_lower = {key.lower(): value for key, value in self.fields.items()}
        return self.by_lower.get(name.lower())

    def summary(self, version: str) -> dict[str, Any]:
        """Return the object as the list of all objects shows it."""
        base = f"/services/data/v{version}/sobjects/{self.name}"
        return {
            "name": self.name,
            "label": self.label,
            "labelPlural": self.plural,
            "keyPrefix": self.prefix,
            "custom": False,
            "createable": self.createable,
            "updateable": self.updateable,
            "deletable": self.deletable,
            "undeletable": self.deletable,
            "mergeable": self.mergeable,
            "queryable": True,
            "retrieveable": True,
            "searchable": True,
            "replicateable": self.createable,
            "triggerable": self.createable,
            "layoutable": True,
            "activateable": False,
            "deprecatedAndHidden": False,
            "feedEnabled": False,
            "urls": {"sobject": base, "describe": f"{base}/describe", "rowTemplate": f"{base}/{{ID}}"},
        }

    def describe(self, version: str, children: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Return everything the org tells about the object."""
        master = {
            "active": True,
            "available": True,
            "defaultRecordTypeMapping": True,
            "developerName": "Master",
            "master": True,
            "name": "Master",
            "recordTypeId": "012000000000000AAA",
            "urls": {},
        }
        return {
            **self.summary(version),
            "fields": [field.json() for field in self.fields.values()],
            "childRelationships": list(children),
            "recordTypeInfos": [master],
            "actionOverrides": [],
            "namedLayoutInfos": [],
            "supportedScopes": [{"label": "Everything", "name": "everything"}],
        }


def text(name: str, label: str, length: int = 255, **more: Any) -> Field:
    """Build a text field."""
    return Field(name, label, "string", length, **more)


def picklist(name: str, label: str, choices: Iterable[str], **more: Any) -> Field:
    """Build a picklist."""
    return Field(name, label, "picklist", 255, choices=tuple(choices), **more)


def lookup(name: str, label: str, *targets: str, **more: Any) -> Field:
    """Build a lookup; `AccountId` is followed as `Account`."""
    more.setdefault("relationship", name.removesuffix("Id"))
    return Field(name, label, "reference", 18, refers_to=targets, **more)


def system_fields(*, owned: bool = True, recycled: bool = True) -> list[Field]:
    """Return the fields that every row has."""
    rows = [Field("Id", "Record ID", "id", 18, read_only=True, id_lookup=True)]
    if recycled:
        rows.append(Field("IsDeleted", "Deleted", "boolean", read_only=True))
    if owned:
        rows.append(lookup("OwnerId", "Owner ID", "User", tracked=True))
    rows += [
        Field("CreatedDate", "Created Date", "datetime", read_only=True),
        lookup("CreatedById", "Created By ID", "User", read_only=True),
        Field("LastModifiedDate", "Last Modified Date", "datetime", read_only=True),
        lookup("LastModifiedById", "Last Modified By ID", "User", read_only=True),
        Field("SystemModstamp", "System Modstamp", "datetime", read_only=True),
    ]
    return rows


def address_fields(prefix: str) -> list[Field]:
    """Return an address: its parts, and the compound that only reads."""
    name = f"{prefix}Address" if prefix else "Address"
    parts = (("Street", 255), ("City", 40), ("State", 80), ("PostalCode", 20), ("Country", 80))
    rows = [text(f"{prefix}{part}", f"{prefix} {part}".strip(), size, compound=name) for part, size in parts]
    return [*rows, Field(name, name, "address", read_only=True)]
