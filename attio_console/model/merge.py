"""The three-way merge of one field: a pure function of base, both sides, times and rule.

The same input gives the same answer for ever. Whoever calls it fetches values and applies the answer; nothing here
reads a clock, a store or the network.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal

from attio_console.model.canonical import canonical, canonical_item
from attio_console.model.items import Items

Side = Literal["attio", "external"]
Suggestion = Literal["attio", "external", "base", "both"]


class Rule(StrEnum):
    """Who wins where both sides changed."""

    ATTIO = "attio"
    EXTERNAL = "external"
    NEWEST = "newest"
    FILL_BLANKS = "fill-blanks"
    MANUAL = "manual"
    NEVER = "never"


class Direction(StrEnum):
    """Which way a field may be written."""

    BOTH = "both"
    TO_ATTIO = "to-attio"
    TO_EXTERNAL = "to-external"


class Blanks(StrEnum):
    """What an empty value is worth against a filled one."""

    FILL = "fill"
    """A blank is filled on first sight, and never overwrites."""
    KEEP = "keep"
    """A blank is neither filled nor does it overwrite without a person."""
    CLEAR = "clear"
    """A blank is a value like any other: clearing one side clears the other."""


class Outcome(StrEnum):
    """What is to be done about a field."""

    AGREED = "agreed"
    WRITE_ATTIO = "write_attio"
    WRITE_EXTERNAL = "write_external"
    WRITE_BOTH = "write_both"
    CONFLICT = "conflict"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class FieldInput:
    """One field of one pair. `base` is None where the sides never agreed before; an empty list is an agreed blank."""

    type: str
    base: Items | None
    attio: Items
    external: Items
    rule: Rule = Rule.MANUAL
    direction: Direction = Direction.BOTH
    blanks: Blanks = Blanks.FILL
    is_set: bool = False
    """Both sides hold a set of values, whose additions and removals merge."""
    attio_at: datetime | None = None
    external_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer. `value` is what both sides will hold; a conflict that is `settled` is applied and left to review."""

    outcome: Outcome
    value: Items
    why: str
    settled: bool = False
    winner: Side | None = None
    suggestion: Suggestion | None = None

    @property
    def is_manual(self) -> bool:
        """Whether a person must decide."""
        return self.outcome is Outcome.CONFLICT and not self.settled

    @property
    def writes(self) -> frozenset[Side]:
        """Which sides change when the decision is applied."""
        if self.outcome is Outcome.WRITE_BOTH:
            return frozenset({"attio", "external"})
        if self.outcome is Outcome.WRITE_ATTIO or (self.settled and self.winner == "external"):
            return frozenset({"attio"})
        if self.outcome is Outcome.WRITE_EXTERNAL or (self.settled and self.winner == "attio"):
            return frozenset({"external"})
        return frozenset()


def decide(field: FieldInput) -> Decision:
    """Return what is to be done about a field whose sides and base are given."""
    if field.attio == field.external:
        return _agreed(field)
    if field.rule is Rule.NEVER:
        return Decision(Outcome.IGNORED, field.attio, "this field is not synced")
    attio, external = canonical(field.type, field.attio), canonical(field.type, field.external)
    if attio == external:
        return _agreed(field)
    base = None if field.base is None else canonical(field.type, field.base)
    if base is None:
        return _without_base(field, attio, external)
    if external == base:
        return _one_side(field, "attio", is_blank=not attio)
    if attio == base:
        return _one_side(field, "external", is_blank=not external)
    if field.is_set and field.direction is Direction.BOTH:
        return _merge_sets(field, base, attio, external)
    return _both_sides(field, attio, external, "both sides changed")


def swapped(field: FieldInput) -> FieldInput:
    """Return the same question seen from the other side."""
    rules = {Rule.ATTIO: Rule.EXTERNAL, Rule.EXTERNAL: Rule.ATTIO}
    directions = {
        Direction.TO_ATTIO: Direction.TO_EXTERNAL,
        Direction.TO_EXTERNAL: Direction.TO_ATTIO,
    }
    return replace(
        field,
        attio=field.external,
        external=field.attio,
        attio_at=field.external_at,
        external_at=field.attio_at,
        rule=rules.get(field.rule, field.rule),
        direction=directions.get(field.direction, field.direction),
    )


def _agreed(field: FieldInput) -> Decision:
    if field.rule is Rule.NEVER:
        return Decision(Outcome.IGNORED, field.attio, "this field is not synced")
    return Decision(Outcome.AGREED, field.attio, "both sides hold the same value")


def _value(field: FieldInput, side: Side) -> Items:
    return field.attio if side == "attio" else field.external


def _other(side: Side) -> Side:
    return "external" if side == "attio" else "attio"


def _may_write(field: FieldInput, side: Side) -> bool:
    blocked = Direction.TO_EXTERNAL if side == "attio" else Direction.TO_ATTIO
    return field.direction is not blocked


def _take(field: FieldInput, winner: Side, why: str, *, settled: bool = False) -> Decision:
    value = _value(field, winner)
    if settled:
        return Decision(Outcome.CONFLICT, value, why, settled=True, winner=winner, suggestion=winner)
    outcome = Outcome.WRITE_EXTERNAL if winner == "attio" else Outcome.WRITE_ATTIO
    return Decision(outcome, value, why, winner=winner, suggestion=winner)


def _manual(field: FieldInput, suggestion: Suggestion | None, why: str) -> Decision:
    kept = field.base if field.base is not None else []
    return Decision(Outcome.CONFLICT, kept, why, suggestion=suggestion)


def _without_base(field: FieldInput, attio: tuple[str, ...], external: tuple[str, ...]) -> Decision:
    if not attio or not external:
        filled: Side = "attio" if attio else "external"
        if not _may_write(field, _other(filled)):
            return _manual(field, filled, "blank on the side that this field is not written to")
        if field.blanks is Blanks.KEEP and field.rule is not Rule.FILL_BLANKS:
            return _manual(field, filled, "blank on one side, and blanks are not filled by rule")
        prefers_blank = field.blanks is Blanks.CLEAR and _owner(field) == _other(filled)
        if prefers_blank and _may_write(field, filled):
            return _take(field, _other(filled), "never compared before; the rule prefers the blank side")
        return _take(field, filled, "blank on one side: filled from the other")
    return _both_sides(field, attio, external, "never compared before and the sides differ")


def _one_side(field: FieldInput, changed: Side, *, is_blank: bool) -> Decision:
    side_name = "Attio" if changed == "attio" else "the other system"
    if not _may_write(field, _other(changed)):
        # The field flows the other way: the change is on the side that only receives.
        keeps_value = bool(canonical(field.type, field.base or [])) or field.blanks is Blanks.CLEAR
        if _owner(field) == _other(changed) and keeps_value:
            return _take(field, _other(changed), f"{side_name} only receives this field")
        return _manual(field, _other(changed), f"changed in {side_name}, which only receives this field")
    if is_blank and field.blanks is not Blanks.CLEAR:
        return _manual(field, _other(changed), f"cleared in {side_name}; a blank never overwrites by itself")
    return _take(field, changed, f"changed in {side_name} only")


def _owner(field: FieldInput) -> Side | None:
    if field.rule is Rule.ATTIO:
        return "attio"
    return "external" if field.rule is Rule.EXTERNAL else None


def _newest(field: FieldInput) -> Side | None:
    if field.attio_at is None or field.external_at is None or field.attio_at == field.external_at:
        return None
    return "attio" if field.attio_at > field.external_at else "external"


def _merge_sets(
    field: FieldInput, base: tuple[str, ...], attio: tuple[str, ...], external: tuple[str, ...]
) -> Decision:
    removed = (set(base) - set(attio)) | (set(base) - set(external))
    merged = ((set(base) | set(attio) | set(external)) - removed) | (set(attio) & set(external))
    form = tuple(sorted(merged))
    if not form and field.blanks is not Blanks.CLEAR:
        return _manual(
            field, None, "together both sides removed everything; a blank never overwrites by itself"
        )
    value = _gather(field, merged)
    why = "additions and removals of both sides together"
    if form == attio:
        return Decision(Outcome.WRITE_EXTERNAL, value, why, winner="attio", suggestion="attio")
    if form == external:
        return Decision(Outcome.WRITE_ATTIO, value, why, winner="external", suggestion="external")
    return Decision(Outcome.WRITE_BOTH, value, why, suggestion="both")


def _gather(field: FieldInput, wanted: set[str]) -> Items:
    """Return one item per wanted form, in an order that does not depend on which side is called Attio."""
    by_form: dict[str, list[object]] = {}
    for item in (*field.attio, *field.external, *(field.base or [])):
        by_form.setdefault(canonical_item(field.type, item), []).append(item)
    return [min(by_form[form], key=repr) for form in sorted(wanted)]


def _both_sides(field: FieldInput, attio: tuple[str, ...], external: tuple[str, ...], what: str) -> Decision:
    newest = _newest(field)
    suggestion: Suggestion | None = newest
    if not attio or not external:
        suggestion = "external" if not attio else "attio"
    elif field.is_set:
        suggestion = "both"
    winner = _owner(field) or (newest if field.rule is Rule.NEWEST else None)
    if winner is None:
        late = "" if field.rule is not Rule.NEWEST else "; the times do not tell which is newer"
        return _manual(field, suggestion, what + late)
    if not _may_write(field, _other(winner)):
        return _manual(field, suggestion, f"{what}; the winner may not be written to the other side")
    is_blank = not (attio if winner == "attio" else external)
    if is_blank and field.blanks is not Blanks.CLEAR:
        return _manual(
            field, suggestion, f"{what}; the winner is blank, and a blank never overwrites by itself"
        )
    name = "Attio" if winner == "attio" else "the other system"
    if field.rule is Rule.NEWEST:
        return _take(field, winner, f"{what}; {name} changed last", settled=True)
    return _take(field, winner, f"{what}; the rule prefers {name}", settled=True)
