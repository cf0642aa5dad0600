"""The language of the filter box: words to search for, and terms such as `revenue>=1e6 owner=@me updated>-2w !stage=lost`.

    word, "two words"        rows that hold the text
    attr=value  attr!=value  equal, not equal; several values: stage=won,lost; titles, names, ids; dates by day, month or year
    attr~text   attr!~text   contains
    attr>value  >= < <=      numbers, money, dates; -2w, +3d, today, yesterday, 2026-11
    attr?       !attr?       has a value, has none
    !term                    the opposite

What is typed is judged as it grows, so an unfinished term (`stage=`) narrows nothing yet.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from attio_console.errors import InvalidFilter
from attio_console.model.schema import Attribute, ListSchema, ObjectSchema, Option, Schema, Status
from attio_console.store.types import Term, TermKind

_TERM = re.compile(r"(?P<not>!?)(?P<attr>[\w.\-]+)(?P<op>!=|!~|>=|<=|=|~|>|<|\?$)(?P<value>.*)", re.DOTALL)
_RELATIVE = re.compile(r"([+-])(\d{1,5})([hdwmy])")
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2}([T ]\d{2}(:\d{2}(:\d{2})?)?)?)?)?Z?")
_UNIT_DAYS = {"d": 1.0, "w": 7.0, "m": 30.0, "y": 365.0, "h": 1 / 24}

_BUILT_IN = {
    "label": ("label", "text"),
    "created": ("created_at", "timestamp"),
    "created_at": ("created_at", "timestamp"),
    "updated": ("updated_at", "timestamp"),
    "updated_at": ("updated_at", "timestamp"),
    "id": ("record_id", "text"),
    "record_id": ("record_id", "text"),
}
_NUMBERS = {"number", "currency", "rating"}
_TIMES = {"date", "timestamp", "interaction"}
_REFERENCES = {"select", "status", "record-reference", "actor-reference"}
_SCALES = {"k": 1e3, "m": 1e6, "b": 1e9}


def parse(
    text: str,
    schema: Schema,
    collection: str = "",
    *,
    me: str | None = None,
    now: datetime | None = None,
) -> tuple[str, tuple[Term, ...]]:
    """Return the words to search for and the filter terms. `me` is the member that @me means.

    Raises InvalidFilter, naming the nearest attribute, for a term about an attribute that the collection does not have.
    """
    shape = schema.collection(collection) if collection else None
    moment = now or datetime.now(UTC)
    words: list[str] = []
    found: list[Term] = []
    for token in _tokens(text):
        match = _TERM.fullmatch(token)
        if match is None or "@" in match["attr"]:
            words.append(token.replace('"', ""))
            continue
        term = _term(match, shape, schema, me, moment)
        if term is not None:
            found.append(term)
    return " ".join(words), tuple(found)


def _tokens(text: str) -> Iterator[str]:
    """Split at spaces that stand outside quotes."""
    token = ""
    quoted = False
    for char in text:
        if char == '"':
            quoted = not quoted
        if char.isspace() and not quoted:
            if token:
                yield token
            token = ""
        else:
            token += char
    if token:
        yield token


def _term(
    match: re.Match[str],
    shape: ObjectSchema | ListSchema | None,
    schema: Schema,
    me: str | None,
    now: datetime,
) -> Term | None:
    op, value = match["op"], match["value"].replace('"', "").strip()
    negated = (match["not"] == "!") != op.startswith("!")
    slug, attribute, kind = _attribute(match["attr"], shape, schema)
    op = op.removeprefix("!")
    if op == "?":
        return Term(slug, "?", TermKind.SET, (), negated)
    if not value:
        return None
    choices = [part.strip() for part in value.split(",") if part.strip()] if op in ("=", "~") else [value]
    if op == "~":
        return Term(slug, "~", TermKind.TEXT, tuple(choices), negated)
    if kind in _REFERENCES:
        return _reference(slug, op, choices, negated, attribute, kind, schema, me)
    if kind in _NUMBERS:
        return Term(slug, op, TermKind.NUMBER, tuple(_number(slug, choice) for choice in choices), negated)
    if kind == "checkbox":
        return Term(slug, "=", TermKind.NUMBER, tuple(_truth(slug, choice) for choice in choices), negated)
    if kind in _TIMES:
        return Term(
            slug, op, TermKind.TIME, tuple(_time(slug, op, choice, now) for choice in choices), negated
        )
    return Term(slug, op, TermKind.TEXT, tuple(choices), negated)


def _attribute(
    name: str, shape: ObjectSchema | ListSchema | None, schema: Schema
) -> tuple[str, Attribute | None, str]:
    shapes: list[ObjectSchema | ListSchema] = (
        [shape] if shape is not None else [*schema.objects, *schema.lists]
    )
    folded = name.casefold()
    for known in shapes:
        for attribute in known.attributes:
            if folded in (attribute.slug.casefold(), _as_word(attribute.title)):
                return attribute.slug, attribute, attribute.type
    if folded in _BUILT_IN:
        slug, kind = _BUILT_IN[folded]
        return slug, None, kind
    # `email` is meant where the slug is email_addresses: the only one that begins so.
    begun = {a.slug: a for known in shapes for a in known.attributes if a.slug.casefold().startswith(folded)}
    if len(begun) == 1:
        slug, attribute = next(iter(begun.items()))
        return slug, attribute, attribute.type
    names = [a.slug for known in shapes for a in known.attributes if not a.is_archived]
    near = difflib.get_close_matches(folded, [*names, *_BUILT_IN], n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]}?" if near else "Attributes are named by their slug."
    raise InvalidFilter(f"There is no attribute {name} here.", hint=hint)


def _as_word(title: str) -> str:
    return re.sub(r"\W+", "_", title.casefold()).strip("_")


def _reference(
    slug: str,
    op: str,
    choices: list[str],
    negated: bool,
    attribute: Attribute | None,
    kind: str,
    schema: Schema,
    me: str | None,
) -> Term:
    """Compare by identity where the name is known, else by the text that is shown."""
    if op != "=":
        if kind in ("select", "status") and attribute is not None:
            # The order of a pipeline: stage>lead is every stage behind it.
            choices_in_order: tuple[Option | Status, ...] = (*attribute.options, *attribute.statuses)
            places = {choice.id: at for at, choice in enumerate(choices_in_order)}
            chosen = attribute.option(choices[0])
            if chosen is not None:
                return Term(slug, op, TermKind.NUMBER, (float(places[chosen.id]),), negated)
        raise InvalidFilter(f"{slug} has no order, so {op} says nothing.", hint=f"Try {slug}={choices[0]}")
    ids: list[str | float] = []
    for choice in choices:
        known = _identity(choice, attribute, kind, schema, me)
        if known is None:
            return Term(
                slug, "=" if kind in ("select", "status") else "~", TermKind.TEXT, tuple(choices), negated
            )
        ids.append(known)
    return Term(slug, "=", TermKind.REF, tuple(ids), negated)


def _identity(
    choice: str, attribute: Attribute | None, kind: str, schema: Schema, me: str | None
) -> str | None:
    if kind == "actor-reference":
        if choice.casefold() == "@me":
            if me is None:
                raise InvalidFilter(
                    "Nobody is known as @me here.", hint="Name the member, for example owner=ada"
                )
            return me
        name = choice.removeprefix("@").casefold()
        matches = [m for m in schema.members if name in (m.id, m.email.casefold(), m.name.casefold())]
        matches = matches or [m for m in schema.members if name == m.first_name.casefold()]
        return matches[0].id if len(matches) == 1 else None
    if kind == "record-reference":
        return choice if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", choice) else None
    option = attribute.option(choice) if attribute is not None else None
    return option.id if option is not None else None


def _number(slug: str, text: str) -> float:
    plain = text.replace("_", "").lstrip("$€£")
    scale = _SCALES.get(plain[-1:].casefold(), 1.0)
    try:
        return float(plain[:-1] if scale != 1.0 else plain) * scale
    except ValueError:
        raise InvalidFilter(f"{slug} is a number; {text} is none.", hint="Such as 1000, 1e6, 2.5m") from None


def _truth(slug: str, text: str) -> float:
    folded = text.casefold()
    if folded in ("true", "yes", "y", "1", "on"):
        return 1.0
    if folded in ("false", "no", "n", "0", "off"):
        return 0.0
    raise InvalidFilter(f"{slug} is yes or no.", hint=f"{slug}=yes")


def _time(slug: str, op: str, text: str, now: datetime) -> str:
    """Return a moment as the beginning of an ISO 8601 text; relative ones by the minute, so that a view stays itself."""
    folded = text.casefold()
    day = {"today": 0, "yesterday": -1, "tomorrow": 1}.get(folded)
    if day is not None:
        return (now + timedelta(days=day)).strftime("%Y-%m-%d")
    relative = _RELATIVE.fullmatch(folded)
    if relative is not None:
        sign, amount, unit = relative.groups()
        step = timedelta(days=int(amount) * _UNIT_DAYS[unit])
        at = now + step if sign == "+" else now - step
        return at.strftime("%Y-%m-%d" if op == "=" else "%Y-%m-%dT%H:%M")
    if _DATE.fullmatch(text.upper()):
        return text.upper().replace(" ", "T")
    raise InvalidFilter(f"{slug} is a date; {text} is none.", hint="Such as 2026-11-23, 2026-11, today, -2w")
