"""One pair, field by field: what each side holds, what they last agreed on, and what is to be done. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from attio_console.errors import InvalidValue
from attio_console.model.items import Items
from attio_console.model.merge import Decision, FieldInput, Outcome, Rule, decide
from attio_console.model.times import instant
from attio_console.model.values import same
from attio_console.sync.codec import FieldCodec, Waits

SHADOW = "@external"
"""Suffix of a base: what the other side made of the agreed value, where it did not keep it as it was.

Holds one {"of": the agreed value, "is": what the other side has for it}, and counts only while that value is the base.
"""


@dataclass(frozen=True, slots=True)
class Times:
    """When each side of a field last changed, and by whom."""

    attio_at: datetime | None = None
    external_at: datetime | None = None
    attio_by: str = ""
    external_by: str = ""


@dataclass(frozen=True)
class Verdict:
    """One field of a pair: both sides in Attio's terms, the decision, and exactly what it would write."""

    codec: FieldCodec
    base: Items | None
    attio: Items
    """the compared part of `attio_full`"""
    attio_full: Items
    external: Items
    decision: Decision
    new_attio: Items | None = None
    new_external: Mapping[str, Any] = field(default_factory=dict)
    """native values that differ from what is there"""
    old_external: Mapping[str, Any] = field(default_factory=dict)
    waits: str = ""

    @property
    def slug(self) -> str:
        """Return the Attio attribute's slug."""
        return self.codec.field.attio

    @property
    def is_agreed(self) -> bool:
        """Whether both sides hold the same."""
        return self.decision.outcome is Outcome.AGREED

    @property
    def writes(self) -> bool:
        """Whether anything is to be written."""
        return not self.waits and (self.new_attio is not None or bool(self.new_external))

    @property
    def is_manual(self) -> bool:
        """Whether a person must decide."""
        return not self.waits and self.decision.is_manual


def examine(
    codecs: Sequence[FieldCodec],
    attio: Mapping[str, Items],
    external: Mapping[str, Any],
    bases: Mapping[str, Items | None],
    *,
    times: Mapping[str, Times] | None = None,
    skip: Collection[str] = (),
) -> list[Verdict]:
    """Return the verdict on every mapped field, except those in `skip`, whose writes are on their way."""
    return [
        examine_field(codec, attio, external, bases, (times or {}).get(codec.field.attio))
        for codec in codecs
        if codec.field.attio not in skip
    ]


def examine_field(
    codec: FieldCodec,
    attio: Mapping[str, Items],
    external: Mapping[str, Any],
    bases: Mapping[str, Items | None],
    times: Times | None = None,
) -> Verdict:
    """Return the verdict on one field."""
    slug, kind = codec.field.attio, codec.attribute.type
    full, base = attio.get(slug, []), bases.get(slug)
    reading = codec.read(external, full)
    theirs = reading.items
    shadow = (bases.get(slug + SHADOW) or [None])[0]
    if shadow and base is not None and same(kind, base, shadow["of"]) and same(kind, theirs, shadow["is"]):
        theirs = base
    ours = codec.compared(full, base, theirs)
    if reading.waits:
        kept = Decision(Outcome.IGNORED, ours, reading.waits)
        return Verdict(codec, base, ours, full, theirs, kept, waits=reading.waits)
    rule = codec.field
    decision = decide(
        FieldInput(
            kind,
            base,
            ours,
            theirs,
            rule.rule,
            rule.direction,
            rule.blanks,
            codec.is_set,
            times.attio_at if times else None,
            times.external_at if times else None,
        )
    )
    return _with_writes(Verdict(codec, base, ours, full, theirs, decision), external)


def _with_writes(verdict: Verdict, external: Mapping[str, Any]) -> Verdict:
    codec, decision = verdict.codec, verdict.decision
    writes = decision.writes
    if not writes:
        return verdict
    try:
        if "external" in writes:
            new, old = external_change(codec, decision.value, external)
            verdict = replace(verdict, new_external=new, old_external=old)
        if "attio" in writes:
            verdict = replace(
                verdict, new_attio=codec.embedded(verdict.attio_full, verdict.attio, decision.value)
            )
            if unknown := _unknown_choice(codec, decision.value):
                raise InvalidValue(f"Attio has no {codec.attribute.title} “{unknown}”")
    except Waits as waiting:
        return replace(verdict, new_attio=None, new_external={}, waits=waiting.message)
    except InvalidValue as impossible:
        suggestion = "attio" if decision.winner == "external" else "external"
        stuck = Decision(
            Outcome.CONFLICT,
            verdict.base or [],
            impossible.message,
            suggestion="attio" if suggestion == "attio" else "external",
        )
        return replace(verdict, new_attio=None, new_external={}, decision=stuck)
    return verdict


def external_change(
    codec: FieldCodec, items: Items, external: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the native values that have to change for the other side to hold these items, and what they replace."""
    wanted = codec.write(items)
    new = {name: value for name, value in wanted.items() if not same_native(value, external.get(name))}
    return new, {name: external.get(name) for name in new}


def _unknown_choice(codec: FieldCodec, items: Items) -> str:
    if codec.attribute.type not in {"select", "status"}:
        return ""
    return next((str(i.get("title")) for i in items if isinstance(i, dict) and not i.get("id")), "")


def needs_times(verdict: Verdict) -> bool:
    """Whether knowing who changed what when would help the rule, or the person who decides."""
    return verdict.is_manual or (
        verdict.codec.field.rule is Rule.NEWEST and verdict.decision.outcome is Outcome.CONFLICT
    )


def same_native(left: Any, right: Any) -> bool:
    """Return whether two native values are one: texts, numbers however written, times however precise."""
    if left in (None, "", []) and right in (None, "", []):
        return True
    if left in (None, "") or right in (None, ""):
        return False
    if isinstance(left, bool) or isinstance(right, bool):
        return str(left).casefold() == str(right).casefold()
    one, other = str(left), str(right)
    if one == other:
        return True
    return _as_number(one) == _as_number(other) is not None or _as_time(one) == _as_time(other) is not None


def _as_number(text: str) -> Decimal | None:
    # A leading plus or zero means something in phone numbers and postcodes.
    if not text or text[0] == "+" or (text[0] == "0" and text[1:2].isdigit()) or len(text) > 30:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _as_time(text: str) -> datetime | None:
    if len(text) < 10 or text[4:5] != "-":
        return None
    moment = instant(text)
    return moment.replace(microsecond=0) if moment else None
