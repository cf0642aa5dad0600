"""What an operator typed, understood or refused with a reason."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from datetime import date as Day  # noqa: N812 - the readers are methods named after the types, `date` among them
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches

from attio_console.errors import InvalidValue
from attio_console.model.canonical import canonical_item, phone
from attio_console.model.items import LOCATION_KEYS, Item, Items
from attio_console.model.places import place_of
from attio_console.model.schema import Attribute, Option, Schema, Status
from attio_console.model.times import instant, stamp

_EMAIL = re.compile(r"^[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s.,;<>\"]{2,}$")
_HOST = re.compile(r"^(?=.{1,253}$)[^\s/@.,]{1,63}(\.[^\s/@.,]{1,63})+$")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_SUFFIX = {"k": 1_000, "m": 1_000_000, "bn": 1_000_000_000, "b": 1_000_000_000}
_AHEAD = re.compile(r"^([+-]\d{1,5})\s*([dwmy])?$")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMED_DAY = re.compile(
    r"^(\d{1,2})[. ]+([a-z]{3,9})[., ]+(\d{4})$|^([a-z]{3,9}) (\d{1,2}),? (\d{4})$", re.IGNORECASE
)


def parse(
    attribute: Attribute, text: str, schema: Schema, default_region: str = "US", today: Day | None = None
) -> Items:
    """Return the items that the text means for this attribute; nothing typed clears it.

    Raises InvalidValue with the reason, and a hint that shows a form which works.
    """
    if not attribute.is_writable or attribute.type == "interaction":
        raise InvalidValue(f"{attribute.title} is kept by Attio itself", hint="Nothing can be typed here.")
    if not text.strip():
        if attribute.is_required:
            raise InvalidValue(
                f"{attribute.title} may not be empty", hint="Type a value, or leave with Escape."
            )
        return []
    reader = _Reader(attribute, schema, default_region, today or datetime.now(UTC).date())
    read = getattr(reader, attribute.type.replace("-", "_"), reader.text)
    parts = (
        _split(text) if attribute.is_multi and attribute.type not in {"location", "personal-name"} else [text]
    )
    items: Items = []
    seen: set[str] = set()
    for part in parts:
        item = read(part.strip())
        form = canonical_item(attribute.type, item)
        if form not in seen:
            seen.add(form)
            items.append(item)
    return items


def _split(text: str) -> list[str]:
    separator = r"[;\n]" if ";" in text or "\n" in text else ","
    return [part for part in re.split(separator, text) if part.strip()]


def parse_number(text: str) -> Decimal:
    """Return the number a person wrote: 1234.5, 1,234.5, 1.234,5, 1 234,5, 1.2k, 3m, 12 %."""
    cleaned = re.sub(r"[\s\u00a0\u202f'’_]", "", text.casefold()).removesuffix("%")
    factor = 1
    for suffix, times in _SUFFIX.items():
        if cleaned.endswith(suffix) and cleaned[: -len(suffix)][-1:].isdigit():
            cleaned, factor = cleaned[: -len(suffix)], times
            break
    comma, dot = cleaned.rfind(","), cleaned.rfind(".")
    if comma >= 0 and dot >= 0:
        thousands, point = (",", ".") if dot > comma else (".", ",")
        cleaned = cleaned.replace(thousands, "").replace(point, ".")
    elif comma >= 0:
        is_grouped = re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+", cleaned)
        cleaned = cleaned.replace(",", "" if is_grouped else ".")
    elif cleaned.count(".") > 1:
        cleaned = cleaned.replace(".", "")
    value = Decimal(cleaned) * factor
    if not value.is_finite():
        raise InvalidOperation
    return value


class _Reader:
    """One method per attribute type, named after it."""

    def __init__(self, attribute: Attribute, schema: Schema, region: str, today: Day) -> None:
        self._attribute = attribute
        self._schema = schema
        self._region = region
        self._today = today

    def text(self, text: str) -> Item:
        return text

    def number(self, text: str) -> Item:
        try:
            value = parse_number(text)
        except InvalidOperation:
            raise InvalidValue(
                f"“{text}” is not a number", hint="For example 1234.5, 1,234.5 or 1.2k"
            ) from None
        return int(value) if value == value.to_integral_value() else float(round(value, 4))

    def rating(self, text: str) -> Item:
        value = text.count("★") if text.strip("★☆") == "" else self.number(text)
        if value not in {0, 1, 2, 3, 4, 5}:
            raise InvalidValue(f"“{text}” is not a rating", hint="A whole number from 0 to 5")
        return int(value)

    def checkbox(self, text: str) -> Item:
        folded = text.casefold()
        if folded in {"yes", "y", "true", "on", "1", "x", "✓", "✔"}:
            return True
        if folded in {"no", "n", "false", "off", "0", "-"}:
            return False
        raise InvalidValue(f"“{text}” is neither yes nor no", hint="Type yes or no")

    def currency(self, text: str) -> Item:
        code = self._attribute.currency_code
        amount = re.sub(r"^[^\d+\-.,]+|[^\d%kmb.,]+$", "", text.strip(), flags=re.IGNORECASE)
        named = re.search(r"\b[A-Z]{3}\b", text)
        if code and named and named[0] != code:
            raise InvalidValue(
                f"{self._attribute.title} is kept in {code}, not in {named[0]}",
                hint=f"Type the amount in {code}.",
            )
        return {"currency_value": self.number(amount or text), "currency_code": code}

    def date(self, text: str) -> Item:
        day = self._day(text)
        if day is None:
            raise InvalidValue(
                f"“{text}” is not a date", hint="For example 2026-11-23, 23 Nov 2026, tomorrow or +2w"
            )
        return day.isoformat()

    def timestamp(self, text: str) -> Item:
        moment = instant(text) if re.match(r"^\d{4}-\d\d-\d\d", text) else None
        if moment is None:
            day = self._day(text)
            if day is None:
                raise InvalidValue(
                    f"“{text}” is not a time", hint="For example 2026-11-23T14:30Z or tomorrow"
                )
            moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return stamp(moment)

    def _day(self, text: str) -> Day | None:
        folded = text.strip().casefold()
        near = {"today": 0, "now": 0, "tomorrow": 1, "yesterday": -1}
        try:
            if folded in near:
                return self._today + timedelta(days=near[folded])
            if ahead := _AHEAD.match(folded):
                return self._ahead(int(ahead[1]), ahead[2] or "d")
            if re.match(r"^\d{4}-\d\d-\d\d", folded):
                return Day.fromisoformat(folded[:10])
            if dotted := re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", folded):
                return Day(int(dotted[3]), int(dotted[2]), int(dotted[1]))
            if slashed := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", folded):
                return self._slashed(text, int(slashed[1]), int(slashed[2]), int(slashed[3]))
            if named := _NAMED_DAY.match(folded):
                month, day, year = named[2] or named[4], int(named[1] or named[5]), int(named[3] or named[6])
                return Day(year, _MONTHS.index(month[:3]) + 1, day)
        except (ValueError, OverflowError):
            return None
        return None

    @staticmethod
    def _slashed(text: str, first: int, second: int, year: int) -> Day:
        if first <= 12 and second <= 12 and first != second:
            raise InvalidValue(
                f"“{text}” can be read as two dates",
                hint=f"Type {year}-{first:02}-{second:02} or {year}-{second:02}-{first:02}",
            )
        return Day(year, second, first) if first > 12 else Day(year, first, second)

    def _ahead(self, count: int, unit: str) -> Day:
        if unit in {"d", "w"}:
            return self._today + timedelta(days=count * (7 if unit == "w" else 1))
        months = self._today.year * 12 + self._today.month - 1 + count * (12 if unit == "y" else 1)
        year, month = divmod(months, 12)
        for day in range(self._today.day, 27, -1):
            try:
                return Day(year, month + 1, day)
            except ValueError:
                continue
        return Day(year, month + 1, min(self._today.day, 28))

    def status(self, text: str) -> Item:
        return self._choice(text, self._attribute.statuses)

    def select(self, text: str) -> Item:
        return self._choice(text, self._attribute.options)

    def _choice(self, text: str, choices: tuple[Option, ...] | tuple[Status, ...]) -> Item:
        found = self._attribute.option(text)
        if found is None:
            folded = text.casefold()
            open_choices = [choice for choice in choices if not choice.is_archived]
            starting = [choice for choice in open_choices if choice.title.casefold().startswith(folded)]
            found = starting[0] if len(starting) == 1 else None
        if found is None:
            titles = [choice.title for choice in choices if not choice.is_archived]
            near = get_close_matches(text, titles, n=3, cutoff=0.4) or titles[:6]
            raise InvalidValue(
                f"{self._attribute.title} has no option “{text}”", hint="One of: " + ", ".join(near)
            )
        if found.is_archived:
            raise InvalidValue(f"“{found.title}” is archived", hint="Choose an option that is in use.")
        return {"id": found.id, "title": found.title}

    def record_reference(self, text: str) -> Item:
        found = _UUID.search(text)
        if found is None:
            raise InvalidValue(
                f"“{text}” is not a record", hint="Type OBJECT:RECORD-ID, or choose from the list."
            )
        named = text[: found.start()].rstrip(":/ ").rsplit("/", 1)[-1]
        targets = [o.slug for key in self._attribute.target_object_ids if (o := self._schema.object(key))]
        target = self._schema.object(named) if named else None
        slug = target.slug if target else (targets[0] if len(targets) == 1 else None)
        if slug is None:
            raise InvalidValue(f"Which object is {found[0]} of?", hint="Type it as OBJECT:RECORD-ID.")
        if targets and slug not in targets:
            raise InvalidValue(
                f"{self._attribute.title} cannot hold {slug}", hint="It holds " + ", ".join(targets)
            )
        return {"target_object": slug, "target_record_id": found[0].lower()}

    def actor_reference(self, text: str) -> Item:
        member = self._schema.member(text.removeprefix("@"))
        if member is None:
            folded = text.removeprefix("@").casefold()
            matches = [m for m in self._schema.members if m.name.casefold().startswith(folded)]
            member = matches[0] if len(matches) == 1 else None
        if member is None:
            names = ", ".join(m.name for m in self._schema.members[:8])
            raise InvalidValue(f"No one workspace member is called “{text}”", hint=f"One of: {names}")
        return {"type": "workspace-member", "id": member.id}

    def location(self, text: str) -> Item:
        named = place_of(text)
        if named is not None:
            return named
        parts = [part.strip() for part in re.split(r"[,\n]", text) if part.strip()]
        place: dict[str, str | None] = dict.fromkeys(LOCATION_KEYS)
        if parts and re.fullmatch(r"[A-Z]{2}", parts[-1]):
            place["country_code"] = parts.pop()
        if len(parts) >= 2 and (code := re.fullmatch(r"([\dA-Z][\dA-Z -]{2,9})\s+(\D{2,})", parts[-1])):
            place["postcode"], place["locality"] = code[1].strip(), code[2].strip()
            parts.pop()
        elif parts:
            place["locality"] = parts.pop()
        place.update(zip(LOCATION_KEYS[:4], parts, strict=False))
        return place

    def domain(self, text: str) -> Item:
        host = canonical_item("domain", text)
        if not _HOST.match(host):
            raise InvalidValue(f"“{text}” is not a domain", hint="For example acme.com")
        return host

    def email_address(self, text: str) -> Item:
        address = re.sub(r"^.*<(.+)>$", r"\1", text).removeprefix("mailto:").strip()
        if not _EMAIL.match(address):
            raise InvalidValue(f"“{text}” is not an e-mail address", hint="For example ada@example.com")
        return canonical_item("email-address", address)

    def phone_number(self, text: str) -> Item:
        import phonenumbers

        stripped = text.removeprefix("tel:").strip()
        try:
            number = phonenumbers.parse(stripped, self._region)
        except phonenumbers.NumberParseException:
            number = None
        if number is None or not phonenumbers.is_possible_number(number):
            raise InvalidValue(f"“{text}” is not a phone number", hint="For example +44 20 7946 0958")
        return phone(stripped, self._region).split(";", 1)[0]

    def personal_name(self, text: str) -> Item:
        name = re.sub(r"\s+", " ", text.strip())
        if "," in name:
            last, first = (part.strip() for part in name.split(",", 1))
        else:
            first, _, last = name.rpartition(" ")
            if not first:
                first, last = last, ""
        return {"first_name": first, "last_name": last, "full_name": f"{first} {last}".strip()}
