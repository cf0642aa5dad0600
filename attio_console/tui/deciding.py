"""A decision in the making: which side each field takes, before anything is written. Knows no widget."""

from __future__ import annotations

from dataclasses import dataclass, field

from attio_console.services.types import ConflictDetail, ConflictField, ConflictSide

Chosen = str | tuple[str, str]
"""attio, external, base, both, empty, or ("set", text)."""

SIGNS = {"attio": "←", "external": "→", "base": "0", "both": "⇔", "empty": "∅", "set": "E"}


def sign_of(choice: Chosen | None) -> str:
    """Return the sign of a choice; `?` where there is none."""
    if choice is None:
        return "?"
    return SIGNS["set"] if isinstance(choice, tuple) else SIGNS.get(choice, "?")


@dataclass
class Decision:
    """The choices made so far on one conflict, in order, so that each can be taken back."""

    detail: ConflictDetail
    choices: dict[str, Chosen] = field(default_factory=dict)
    past: list[tuple[str, Chosen | None]] = field(default_factory=list)

    def choose(self, slug: str, choice: Chosen | None) -> None:
        """Choose for a field, or take its choice away with None."""
        before = self.choices.get(slug)
        if before == choice:
            return
        self.past.append((slug, before))
        self._put(slug, choice)

    def undo(self) -> str | None:
        """Take the last choice back; return its field, or None where there is nothing to take back."""
        if not self.past:
            return None
        slug, before = self.past.pop()
        self._put(slug, before)
        return slug

    def _put(self, slug: str, choice: Chosen | None) -> None:
        if choice is None:
            self.choices.pop(slug, None)
        else:
            self.choices[slug] = choice

    @property
    def undecided(self) -> tuple[str, ...]:
        """The titles of the fields that still have a `?`."""
        return tuple(line.title for line in self.detail.fields if line.slug not in self.choices)

    def result(self, line: ConflictField) -> str | None:
        """Return what a field would become, as shown; None while there is no choice."""
        choice = self.choices.get(line.slug)
        if choice is None:
            return None
        if isinstance(choice, tuple):
            return choice[1]
        if choice == "empty":
            return ""
        if choice == "base" and line.whole:
            return "neither"
        if choice == "both":
            parts = [part for side in (line.attio, line.external) for part in side.text.split(", ") if part]
            return ", ".join(dict.fromkeys(parts))
        return {"attio": line.attio, "external": line.external, "base": line.base}[choice].text

    def moved(self, newer: ConflictDetail) -> tuple[str, ...]:
        """Take newer values; the fields whose sides moved lose their choice. Return their titles."""
        before = {line.slug: line for line in self.detail.fields}
        changed = [
            line for line in newer.fields if line.slug in before and _sides(before[line.slug]) != _sides(line)
        ]
        added = [line for line in newer.fields if line.slug not in before]
        self.detail = newer
        for line in changed:
            self.choices.pop(line.slug, None)
        gone = set(before) - {line.slug for line in newer.fields}
        for slug in gone:
            self.choices.pop(slug, None)
        touched = {line.slug for line in changed} | gone
        self.past = [(slug, choice) for slug, choice in self.past if slug not in touched]
        return tuple(line.title for line in [*changed, *added])


def _sides(line: ConflictField) -> tuple[str, str, str]:
    return (line.base.text, line.attio.text, line.external.text)


def difference(before: str, after: str) -> tuple[int, int]:
    """Return where `after` differs from `before`: the slice between what both begin and end with."""
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    return start, len(after) - end


def said_by(side: ConflictSide, when: str) -> str:
    """Return who changed a side and when, as far as that is known."""
    return " · ".join(part for part in (side.by, when if side.at is not None else "") if part)
