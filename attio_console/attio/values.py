"""Attribute values as Attio answers with them: a type for each of the 17, and one for what is not known yet.

Reading forgives: documented variants are accepted, fields that are new stay in `raw`, and a type nobody has heard
of, or a value that does not fit its type, becomes an UnknownValue that loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from attio_console.attio.things import Actor

Wire = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One value of an attribute, with who set it and when. `active_until` is None while it is the current one."""

    attribute_type: str
    active_from: str | None = None
    active_until: str | None = None
    created_by: Actor = field(default=Actor())
    raw: Wire = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownValue(Value):
    """A value of a type this version does not know; `raw` has all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextValue(Value):
    """Text."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberValue(Value):
    """A number."""

    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckboxValue(Value):
    """True or false."""

    value: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyValue(Value):
    """An amount; the code comes from the attribute's configuration."""

    currency_value: float
    currency_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DateValue(Value):
    """A day, as YYYY-MM-DD."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampValue(Value):
    """An instant in UTC, with nine digits after the second."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingValue(Value):
    """0 to 5 stars."""

    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusValue(Value):
    """A status."""

    status_id: str | None
    title: str
    is_archived: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectValue(Value):
    """An option of a select attribute."""

    option_id: str | None
    title: str
    is_archived: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordReferenceValue(Value):
    """A reference to a record."""

    target_object: str
    target_record_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorReferenceValue(Value):
    """A reference to a member, token, app or the system."""

    actor: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationValue(Value):
    """An address, each part a text or None."""

    line_1: str | None
    line_2: str | None
    line_3: str | None
    line_4: str | None
    locality: str | None
    region: str | None
    postcode: str | None
    country_code: str | None
    latitude: str | None
    longitude: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainValue(Value):
    """An internet domain."""

    domain: str
    root_domain: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailAddressValue(Value):
    """An e-mail address, normalised and as it was written."""

    email_address: str
    original_email_address: str
    email_domain: str | None
    email_root_domain: str | None
    email_local_specifier: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneNumberValue(Value):
    """A phone number in E.164, and as it was written."""

    phone_number: str
    original_phone_number: str
    country_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalNameValue(Value):
    """A person's name in three parts."""

    first_name: str
    last_name: str
    full_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionValue(Value):
    """A meeting, e-mail or call that Attio saw."""

    interaction_type: str
    interacted_at: str
    owner: Actor


LOCATION_PARTS = (
    "line_1",
    "line_2",
    "line_3",
    "line_4",
    "locality",
    "region",
    "postcode",
    "country_code",
    "latitude",
    "longitude",
)


def _number(value: Any) -> float:
    # The documentation shows currency as text ("499.00"), the live API answers with a number.
    if isinstance(value, bool) or value is None:
        raise TypeError
    if isinstance(value, (int, float)):
        return value
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _optional(value: Any) -> str | None:
    return None if value is None else str(value)


def _actor(wire: Any) -> Actor:
    return Actor(wire.get("type"), wire.get("id")) if isinstance(wire, Mapping) else Actor()


def _checkbox(wire: Wire) -> dict[str, Any]:
    value = wire["value"]
    if not isinstance(value, bool):
        raise TypeError
    return {"value": value}


def _status(wire: Wire) -> dict[str, Any]:
    status = wire["status"]
    identity = status["id"]
    return {
        "status_id": identity.get("status_id") if isinstance(identity, Mapping) else _optional(identity),
        "title": _text(status["title"]),
        "is_archived": bool(status.get("is_archived", False)),
    }


def _select(wire: Wire) -> dict[str, Any]:
    option = wire["option"]
    identity = option["id"]
    return {
        "option_id": identity.get("option_id") if isinstance(identity, Mapping) else _optional(identity),
        "title": _text(option["title"]),
        "is_archived": bool(option.get("is_archived", False)),
    }


def _email(wire: Wire) -> dict[str, Any]:
    address = _text(wire["email_address"])
    return {
        "email_address": address,
        "original_email_address": wire.get("original_email_address") or address,
        "email_domain": _optional(wire.get("email_domain")),
        "email_root_domain": _optional(wire.get("email_root_domain")),
        "email_local_specifier": _optional(wire.get("email_local_specifier")),
    }


def _phone(wire: Wire) -> dict[str, Any]:
    # The live API says `phone_number`, one page of the documentation `normalized_phone_number`.
    number = _text(wire["phone_number"] if "phone_number" in wire else wire["normalized_phone_number"])
    return {
        "phone_number": number,
        "original_phone_number": wire.get("original_phone_number") or number,
        "country_code": _optional(wire.get("country_code")),
    }


def _name(wire: Wire) -> dict[str, Any]:
    first, last = wire.get("first_name") or "", wire.get("last_name") or ""
    return {
        "first_name": first,
        "last_name": last,
        "full_name": wire.get("full_name") or f"{first} {last}".strip(),
    }


_Reader = tuple[Callable[..., Value], Callable[[Wire], dict[str, Any]]]
_UNKNOWN: _Reader = (UnknownValue, lambda _: {})
_READERS: dict[str, _Reader] = {
    "text": (TextValue, lambda w: {"value": _text(w["value"])}),
    "number": (NumberValue, lambda w: {"value": _number(w["value"])}),
    "checkbox": (CheckboxValue, _checkbox),
    "currency": (
        CurrencyValue,
        lambda w: {
            "currency_value": _number(w["currency_value"]),
            "currency_code": _optional(w.get("currency_code")),
        },
    ),
    "date": (DateValue, lambda w: {"value": _text(w["value"])}),
    "timestamp": (TimestampValue, lambda w: {"value": _text(w["value"])}),
    "rating": (RatingValue, lambda w: {"value": _number(w["value"])}),
    "status": (StatusValue, _status),
    "select": (SelectValue, _select),
    "record-reference": (
        RecordReferenceValue,
        lambda w: {
            "target_object": _text(w["target_object"]),
            "target_record_id": _text(w["target_record_id"]),
        },
    ),
    "actor-reference": (
        ActorReferenceValue,
        lambda w: {"actor": Actor(w.get("referenced_actor_type"), w.get("referenced_actor_id"))},
    ),
    "location": (LocationValue, lambda w: {part: _optional(w.get(part)) for part in LOCATION_PARTS}),
    "domain": (
        DomainValue,
        lambda w: {"domain": _text(w["domain"]), "root_domain": _optional(w.get("root_domain"))},
    ),
    "email-address": (EmailAddressValue, _email),
    "phone-number": (PhoneNumberValue, _phone),
    "personal-name": (PersonalNameValue, _name),
    "interaction": (
        InteractionValue,
        lambda w: {
            "interaction_type": _text(w["interaction_type"]),
            "interacted_at": _text(w["interacted_at"]),
            "owner": _actor(w.get("owner_actor")),
        },
    ),
}


def read_value(wire: Any) -> Value:
    """Return the typed value of one value object."""
    if not isinstance(wire, Mapping):
        return UnknownValue(attribute_type="", raw={"value": wire})
    name = wire.get("attribute_type")
    envelope: dict[str, Any] = {
        "attribute_type": name if isinstance(name, str) else "",
        "active_from": _optional(wire.get("active_from")),
        "active_until": _optional(wire.get("active_until")),
        "created_by": _actor(wire.get("created_by_actor")),
        "raw": wire,
    }
    kind, read = _READERS.get(envelope["attribute_type"], _UNKNOWN)
    try:
        return kind(**envelope, **read(wire))
    except (KeyError, TypeError, ValueError, AttributeError):
        return UnknownValue(**envelope)


def read_values(wire: Mapping[str, Any]) -> dict[str, list[Value]]:
    """Return the typed values of every attribute of a record or entry."""
    return {
        slug: [read_value(one) for one in (found if isinstance(found, Sequence) else [])]
        for slug, found in wire.items()
        if not isinstance(found, str)
    }
